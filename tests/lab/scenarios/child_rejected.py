"""IKE_AUTH succeeds, the child is refused: traffic selectors do not fit.

The client asks for 192.0.2.128/26 behind the headend, which has only
203.0.113.128/25 configured: TS_UNACCEPTABLE. The IKE SA itself stays."""


def run(lab):
    lab.both(b={"child": {"local_ts": "203.0.113.128/25"}})
    mark = lab.a.log.mark()
    t = lab.initiate(expect=False, timeout=5)
    lab.a.log.wait(r"received TS_UNACCEPTABLE notify", mark, 10)
    lab.pause(2)
    second = lab.initiate(expect=False, timeout=5)
    lab.a.log.wait(r"received TS_UNACCEPTABLE notify", mark, 10, count=2)
    lab.pause(2)
    lab.capture_stop()
    lab.expect("ts_unacceptable", "error", t, t + 1, "TS_UNACCEPTABLE in IKE_AUTH", needs_keys=True)
    lab.expect("ts_unacceptable", "error", second, second + 1, "TS_UNACCEPTABLE in CREATE_CHILD_SA",
               needs_keys=True)
    lab.accept("child_rejected ts_unacceptable")
    lab.never("auth_failed proposal_mismatch pfs_mismatch rekey_rejected ike_no_response "
              "retransmission retransmit_exhausted tunnel_flap dpd_loss nat_port_flip",
              "authentication and proposals are fine, every answer comes at once")
    lab.cause("ts_unacceptable child_rejected")
