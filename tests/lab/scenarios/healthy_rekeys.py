"""A tunnel behind a NAT that is simply well: rekeys, liveness checks, delete.

Two CHILD_SA rekeys (one from each side), one IKE_SA rekey, one answered
liveness check, and an acknowledged DELETE by the client at the end."""


def run(lab):
    lab.both(conn={"dpd_delay": "3s"}, b={"conn": {"dpd_delay": "0"}},
             child={"esp_proposals": "aes128-sha256-ecp256"})
    lab.initiate()
    lab.ping()
    lab.pause(3)
    lab.rekey_child()
    lab.pause(2)
    lab.rekey_child("b")
    lab.pause(2)
    lab.rekey_ike()
    lab.pause(2)
    lab.ping_stop()
    lab.liveness()
    lab.ping(count=4)
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways, the NAT is steady")
