"""A healthy tunnel over IPv6 (UDP-encapsulated), a rekey and a delete."""

IPV6 = True
NAT = False


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"},
             a={"conn": {"dpd_delay": "3s"}},
             child={"esp_proposals": "aes256-sha256"})
    lab.initiate()
    lab.ping(count=8)
    lab.rekey_child("b")
    lab.ping(count=8)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways, IPv6 outside")
