"""IKEv1: phase 1 is fine, quick mode is refused with NO-PROPOSAL-CHOSEN."""


def run(lab):
    conn = {"version": 1, "proposals": "aes256-sha1-modp2048"}
    lab.both(conn=conn, a={"child": {"esp_proposals": "aes256-sha1"}},
             b={"child": {"esp_proposals": "aes128-sha256"}})
    mark = lab.a.log.mark()
    for attempt in (1, 2):
        lab.initiate(expect=False, timeout=5)
        lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN error notify", mark, 10, count=attempt)
        lab.pause(2)
    lab.capture_stop()
    times = lab.a.log.times(r"received NO_PROPOSAL_CHOSEN error notify", mark)
    lab.expect("proposal_mismatch", "error", times[0], times[-1],
               "quick mode refused twice: AES-256/SHA-1 offered, AES-128/SHA-256 wanted",
               needs_keys=True)
    lab.accept("child_rejected proposal_mismatch")
    lab.never("auth_failed ike_no_response retransmission retransmit_exhausted tunnel_flap "
              "dpd_loss nat_port_flip ts_unacceptable rekey_rejected",
              "phase 1 is fine, each quick mode is refused at once")
    lab.cause("proposal_mismatch child_rejected")
