"""A healthy tunnel over IPv6 (UDP-encapsulated), a rekey and a delete."""

IPV6 = True
NAT = False


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"},
             a={"conn": {"dpd_delay": "3s"}},
             child={"esp_proposals": "aes256-sha256"})
    lab.initiate()
    lab.ping(count=8)
    mark = lab.a.log.mark()
    lab.command("b", "--rekey", "--child", "net")
    lab.a.log.wait(r"outbound CHILD_SA .* established", mark, 10)
    lab.ping(count=8)
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.pause(0.8)
    mark = lab.b.log.mark()
    t = lab.command("a", "--terminate", "--ike", "gw")
    lab.b.log.wait(r"received DELETE for IKE_SA", mark, 10)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways, IPv6 outside")
