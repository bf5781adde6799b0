"""An IKE SA without a child (RFC 6023); the child comes later, and goes first.

IKE_AUTH negotiates no child, so that its messages are short. The child is
made by CREATE_CHILD_SA, rekeyed, deleted; then the IKE SA is deleted."""


def run(lab):
    lab.both(conn={"childless": "force", "proposals": "aes128-sha256-x25519"},
             child={"esp_proposals": "aes128-sha256-x25519"})
    mark = lab.b.log.mark()
    lab.event("initiate", by="a", child=None)
    lab.a.swanctl("--initiate", "--ike", "gw")
    lab.b.log.wait(r"IKE_SA .* established", mark, 10)
    lab.pause(2)
    lab.initiate()
    lab.ping(count=6)
    lab.rekey_child()
    lab.ping(count=6)
    mark = lab.b.log.mark()
    lab.command("a", "--terminate", "--child", "net")
    lab.b.log.wait(r"received DELETE for ESP CHILD_SA", mark, 10)
    lab.pause(2)
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, nothing is refused")
