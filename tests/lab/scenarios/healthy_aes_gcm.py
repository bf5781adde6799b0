"""A healthy tunnel with AES-GCM-16 throughout and no NAT; MOBIKE off.

One rekey with PFS of the child, one of the IKE SA, one liveness check, and
the headend deletes the tunnel after the traffic has ended."""

NAT = False


def run(lab):
    lab.both(conn={"proposals": "aes256gcm16-prfsha384-x25519"},
             child={"esp_proposals": "aes256gcm16-x25519"}, a={"conn": {"dpd_delay": "3s"}})
    lab.initiate()
    lab.ping(count=6)
    lab.rekey_child()
    lab.ping(count=6)
    lab.rekey_ike()
    lab.ping(count=4)
    lab.liveness()
    t = lab.terminate("b")
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the headend deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways, no NAT")
