"""IKEv1: main mode is fine, XAUTH fails (wrong password), twice."""

from scenarios import ikev1_xauth

PLUGINS = ikev1_xauth.PLUGINS


def run(lab):
    ikev1_xauth.both(lab, "a-wrong-password")
    mark, mark_b = lab.a.log.mark(), lab.b.log.mark()
    for attempt in (1, 2):
        lab.initiate(expect=False, timeout=8)
        lab.b.log.wait(r"XAuth authentication of .* failed", mark_b, 10, count=attempt)
        lab.pause(2)
    lab.capture_stop()
    times = lab.b.log.times(r"XAuth authentication of .* failed", mark_b)
    lab.expect("auth_failed", "error", times[0], times[-1], "XAUTH status: failed, twice",
               needs_keys=True)
    lab.accept("auth_failed")
    lab.never("proposal_mismatch ts_unacceptable child_rejected ike_no_response retransmission "
              "retransmit_exhausted tunnel_flap tunnel_down dpd_loss nat_port_flip",
              "phase 1 is fine, every answer comes at once")
    lab.cause("auth_failed")
