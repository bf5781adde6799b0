"""Reauthentication, make-before-break: a new IKE SA replaces a live one.

The client makes a new IKE SA with its own child beside the old one, then
deletes the old one. Traffic flows throughout; twice."""

CHARON_A = {"make_before_break": "yes"}


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"}, child={"esp_proposals": "aes128-sha256"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(4)
    for _ in (1, 2):
        mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
        t = lab.command("a", "--rekey", "--ike", "gw", "--reauth")
        back = lab.a.log.wait(r"IKE_SA .* established", mark_a, 10)
        gone = lab.b.log.wait(r"received DELETE for IKE_SA", mark_b, 10)
        if gone < back:
            raise RuntimeError("the old IKE SA was deleted first")
        lab.pause(4)
        lab.expect("reauthentication", "note", t, gone + 1, "IKE_SA_INIT and IKE_AUTH while the old "
                   "IKE SA lives, then the old one is deleted")
    lab.capture_stop()
    lab.healthy("the new IKE SA is up before the old one is deleted, nothing is lost",
                but=("reauthentication",))
    lab.never("clean_delete", "the deleted IKE SA is already replaced")
