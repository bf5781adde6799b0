"""As fragment-loss, but the fragment is lost behind the capture point.

The capture shows every fragment of the IKE_AUTH requests and no answer: it
cannot prove that a fragment is lost."""

from session import CERTIFICATE
from topology import SKF_FRAGMENT

CHARON = {"fragment_size": 600}
CHARON_A = {"retransmit_tries": 3}


def run(lab):
    lab.certificates()
    lab.both(conn={"fragmentation": "yes", "local": CERTIFICATE, "remote": {"auth": "pubkey"}})
    rule = lab.top.drop("b", "rx", SKF_FRAGMENT % 2)
    lab.event("drop-rule-on", where="B", expr="IKE fragment 2, towards the headend")
    first, gone = lab.initiate_in_vain(2)
    lab.alive(10)
    lab.event("packets-dropped", where="B", packets=lab.top.drops(rule))
    lab.capture_stop()
    lab.expect("ike_no_response", "error", first, gone, "IKE_AUTH, in fragments, is sent four times "
               "and never answered, at two tries")
    lab.accept("retransmit_exhausted retransmission")
    lab.never("fragment_loss", "all fragments are in the capture")
    lab.never("proposal_mismatch auth_failed dpd_loss tunnel_flap tunnel_down rekey_no_response "
              "nat_port_flip ts_unacceptable spi_desync child_rejected",
              "nothing is refused, the tunnel was never up")
    lab.cause("ike_no_response")
