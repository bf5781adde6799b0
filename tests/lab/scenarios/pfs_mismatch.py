"""The first child comes up, every rekey is refused: PFS on one side only.

The headend wants a DH group for CREATE_CHILD_SA, the client offers none. The
child made in IKE_AUTH needs none, so it works until its lifetime ends."""


def run(lab):
    lab.both(child={"life_time": "45s"},
             a={"child": {"esp_proposals": "aes128-sha256", "rekey_time": "8s",
                          "rand_time": "0", "life_time": "42s"}},
             b={"child": {"esp_proposals": "aes128-sha256-ecp256", "life_time": "60s"}})
    lab.initiate()
    lab.ping(interval=1)
    mark = lab.a.log.mark()
    first = lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN notify", mark, 30)
    dead = lab.a.log.wait(r"closing expired CHILD_SA", mark, 60)
    refusals = [t for t in lab.a.log.times(r"received NO_PROPOSAL_CHOSEN notify", mark)
                if t < dead]
    lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN notify", mark, 10, count=len(refusals) + 1)
    lab.alive(12)
    lab.capture_stop()
    last = refusals[-1]
    lab.expect("rekey_rejected", "error", first, last, "%d CREATE_CHILD_SA rekeys answered with "
               "NO_PROPOSAL_CHOSEN" % len(refusals), needs_keys=True)
    lab.expect("pfs_mismatch", "error", first, last, "the headend wants a DH group for the "
               "child, the client offers none", needs_keys=True)
    lab.expect("child_rejected", "error", dead, dead + 1, "a new child instead of the expired one "
               "is refused for the same reason", needs_keys=True)
    lab.expect("tunnel_down", "error", dead, None, "the child expires, ESP stops, IKE stays")
    lab.accept("rekey_rejected child_rejected proposal_mismatch pfs_mismatch")
    lab.never("rekey_no_response retransmit_exhausted retransmission dpd_loss ike_no_response "
              "nat_port_flip auth_failed ts_unacceptable spi_desync tunnel_flap "
              "rekey_too_frequent child_down esp_one_way", "every request is answered at once, "
              "by the only child's refusal")
    lab.cause("pfs_mismatch proposal_mismatch rekey_rejected")
    lab.notes.append("without keys: CREATE_CHILD_SA requests answered at once by a short message "
                     "that starts with a Notify, ESP SPIs never change, then ESP stops")
