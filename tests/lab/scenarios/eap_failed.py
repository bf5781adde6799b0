"""EAP-MD5 with a wrong password, twice; the headend's certificate is fine.

The headend answers with an EAP failure and no Notify. The client tells the
end of it with AUTHENTICATION_FAILED in an INFORMATIONAL request."""

from scenarios import eap

PLUGINS = "eap-identity eap-md5"
METHOD = "eap-md5"
FAILURE = r"received EAP_FAILURE, EAP authentication failed"
WHAT = "EAP failure in IKE_AUTH, twice"


def run(lab):
    fail(lab, METHOD, FAILURE, WHAT)


def fail(lab, method, failure, what):
    eap.both(lab, "a-wrong-password", method)
    mark = lab.a.log.mark()
    for attempt in (1, 2):
        lab.initiate(expect=False, timeout=8)
        lab.a.log.wait(failure, mark, 10, count=attempt)
        lab.pause(2)
    lab.capture_stop()
    times = lab.a.log.times(failure, mark)
    lab.expect("auth_failed", "error", times[0], times[-1], what, needs_keys=True)
    lab.accept("auth_failed")
    lab.never("proposal_mismatch ts_unacceptable child_rejected ike_no_response retransmission "
              "retransmit_exhausted tunnel_flap tunnel_down dpd_loss nat_port_flip",
              "IKE_SA_INIT is fine, every answer comes")
    lab.cause("auth_failed")
