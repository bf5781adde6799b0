"""Reauthentication, break-before-make: delete the IKE SA, then make a new one.

The client deletes its IKE SA and starts IKE_SA_INIT at once, which is
answered at once; the gap is a few milliseconds while traffic flows. Twice."""


def run(lab):
    lab.both(conn={"proposals": "aes256-sha256-x25519"}, child={"esp_proposals": "aes128-sha256"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(4)
    for _ in (1, 2):
        mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
        t = lab.command("a", "--rekey", "--ike", "gw", "--reauth")
        gone = lab.b.log.wait(r"received DELETE for IKE_SA", mark_b, 10)
        back = lab.a.log.wait(r"IKE_SA .* established", mark_a, 10)
        lab.a.log.wait(r"CHILD_SA .* established", mark_a, 10)
        if back < gone:
            raise RuntimeError("the new IKE SA was made first")
        lab.pause(4)
        lab.expect("reauthentication", "note", t, back + 1, "DELETE of the IKE SA, acknowledged, and "
                   "a new one at once")
    lab.capture_stop()
    lab.healthy("one side replaces its own IKE SA within milliseconds, nothing is refused",
                but=("reauthentication",))
    lab.accept("clean_delete")
    lab.notes.append("without keys the DELETE is an INFORMATIONAL exchange like any other; the next "
                     "IKE_SA_INIT from the same side follows at once")
