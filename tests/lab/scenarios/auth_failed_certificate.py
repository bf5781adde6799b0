"""The headend does not trust the client's certificate; twice.

IKE_AUTH with the certificate travels in fragments, the answer is a bare
AUTHENTICATION_FAILED."""

from session import CERTIFICATE

CHARON = {"fragment_size": 800}


def run(lab):
    lab.certificates(one_ca=False)
    lab.both(conn={"local": CERTIFICATE, "remote": {"auth": "pubkey"}})
    mark = lab.a.log.mark()
    for attempt in (1, 2):
        lab.initiate(expect=False, timeout=5)
        lab.a.log.wait(r"received AUTHENTICATION_FAILED notify", mark, 10, count=attempt)
        lab.pause(2)
    lab.capture_stop()
    times = lab.a.log.times(r"received AUTHENTICATION_FAILED notify", mark)
    lab.expect("auth_failed", "error", times[0], times[-1],
               "AUTHENTICATION_FAILED in IKE_AUTH, twice", needs_keys=True)
    lab.accept("auth_failed")
    lab.never("proposal_mismatch ts_unacceptable child_rejected ike_no_response retransmission "
              "retransmit_exhausted tunnel_flap tunnel_down dpd_loss nat_port_flip fragment_loss",
              "IKE_SA_INIT is fine, every answer comes at once")
    lab.cause("auth_failed")
