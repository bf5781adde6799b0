"""IKEv1 that is well: the other side makes a new phase 1, then a new phase 2.

The headend, with the same lifetimes as the client, starts a main mode of its
own; the old phase 1 is deleted some seconds after. No NAT."""

NAT = False


def run(lab):
    times = {"rekey_time": "8h", "over_time": "0", "rand_time": "0"}
    lab.both(conn=dict(times, version=1, proposals="aes128-sha256-modp2048", unique="replace"),
             child={"esp_proposals": "aes128-sha256", "life_time": "1h", "rekey_time": "50m",
                    "rand_time": "0"},
             b={"conn": {"remote_addrs": lab.top.addr["a"]}})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(3)
    mark = lab.a.log.mark()
    lab.command("b", "--rekey", "--ike", "gw")
    lab.a.log.wait(r"IKE_SA .* established", mark, 10)
    lab.pause(2)
    lab.command("b", "--rekey", "--child", "net")
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.a.log.wait(r"sending DELETE for IKE_SA", mark, 30)
    lab.pause(4)
    lab.capture_stop()
    lab.accept("reauthentication")
    lab.healthy("everything is answered at once, ESP flows both ways", but=("reauthentication",))
    lab.never("clean_delete", "the deleted phase 1 is already replaced")
