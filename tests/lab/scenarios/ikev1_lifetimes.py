"""IKEv1 between two gateways whose offers show different lifetimes.

The client offers 8 h for phase 1 and 1 h for phase 2, the headend 24 h and
8 h. The client makes the tunnel; later the headend makes a new phase 1 and a
new phase 2, so that the capture has the offers of both. It works
(charon keeps the old phase 1, too); no NAT."""

NAT = False
HOUR = 3600


def life(phase1, phase2):
    return {"conn": {"rekey_time": "%ds" % phase1, "over_time": "0", "rand_time": "0"},
            "child": {"life_time": "%ds" % phase2, "rekey_time": "%ds" % (phase2 - 600),
                      "rand_time": "0"}}


def run(lab):
    client, headend = life(8 * HOUR, HOUR), life(24 * HOUR, 8 * HOUR)
    headend["conn"]["remote_addrs"] = lab.top.addr["a"]
    lab.both(conn={"version": 1, "proposals": "aes128-sha256-modp2048"},
             child={"esp_proposals": "aes128-sha256-modp2048"}, a=client, b=headend)
    first = lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(3)
    mark = lab.a.log.mark()
    phase1 = lab.command("b", "--rekey", "--ike", "gw")
    lab.a.log.wait(r"IKE_SA .* established", mark, 10)
    lab.pause(3)
    mark = lab.a.log.mark()
    phase2 = lab.command("b", "--rekey", "--child", "net")
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.pause(4)
    lab.capture_stop()
    lab.expect("lifetime_mismatch", "warn", phase1, phase1 + 1, "main mode offers: 8 h by the client, "
               "24 h by the headend")
    lab.expect("lifetime_mismatch", "warn", phase2, phase2 + 1, "quick mode offers: 1 h by the "
               "client, 8 h by the headend", needs_keys=True)
    lab.accept("reauthentication")
    lab.healthy("everything is answered at once, ESP flows both ways",
                but=("lifetime_mismatch", "reauthentication"))
