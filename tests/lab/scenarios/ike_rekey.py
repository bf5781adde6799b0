"""The IKE SA is rekeyed twice, once by each side, and each new one works.

After each rekey of the IKE SA the child is rekeyed and the client checks
liveness on the new IKE SA; the headend deletes the tunnel at the end."""


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"}, a={"conn": {"dpd_delay": "2s"}},
             child={"esp_proposals": "aes128-sha256-x25519"})
    lab.initiate()
    lab.ping(count=6)
    lab.liveness()
    for host in "ab":
        lab.rekey_ike(host)
        lab.ping(count=4)
        lab.rekey_child(host)
        lab.ping(count=4)
        lab.liveness()
    t = lab.terminate("b")
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the headend deletes the only IKE SA, acknowledged")
    lab.healthy("two IKE SA rekeys and two child rekeys, all answered at once, ESP two-way")
