"""A healthy tunnel with AES-GCM-16 throughout and no NAT; MOBIKE off.

One rekey with PFS of the child, one of the IKE SA, one liveness check, and
the headend deletes the tunnel after the traffic has ended."""

NAT = False


def run(lab):
    lab.both(conn={"proposals": "aes256gcm16-prfsha384-x25519"},
             child={"esp_proposals": "aes256gcm16-x25519"}, a={"conn": {"dpd_delay": "3s"}})
    lab.initiate()
    lab.ping(count=6)
    mark = lab.b.log.mark()
    lab.command("a", "--rekey", "--child", "net")
    lab.b.log.wait(r"outbound CHILD_SA .* established", mark, 10)
    lab.ping(count=6)
    mark = lab.b.log.mark()
    lab.command("a", "--rekey", "--ike", "gw")
    lab.b.log.wait(r"IKE_SA .* rekeyed", mark, 10)
    lab.ping(count=4)
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.pause(0.8)
    mark = lab.a.log.mark()
    t = lab.command("b", "--terminate", "--ike", "gw")
    lab.a.log.wait(r"received DELETE for IKE_SA", mark, 10)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the headend deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways, no NAT")
