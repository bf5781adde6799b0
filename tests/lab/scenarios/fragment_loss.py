"""One SKF fragment of the IKE_AUTH request never arrives, at two tries.

A firewall before the capture point takes the second fragment of every
IKE_AUTH request with certificates, so the headend never has the whole message
and does not answer it. IKE_SA_INIT is answered at once each time."""

from session import CERTIFICATE
from topology import SKF_FRAGMENT

CHARON = {"fragment_size": 600}
CHARON_A = {"retransmit_tries": 3}


def run(lab):
    lab.certificates()
    lab.both(conn={"fragmentation": "yes", "local": CERTIFICATE, "remote": {"auth": "pubkey"}})
    rule = lab.top.drop("r", "pass", "iifname inside " + SKF_FRAGMENT % 2)
    lab.event("drop-rule-on", where="R, before the capture point",
              expr="IKE fragment 2, towards the headend")
    first, gone = lab.initiate_in_vain(2)
    lab.alive(10)
    lab.event("packets-dropped", where="R", packets=lab.top.drops(rule))
    lab.capture_stop()
    lab.expect("fragment_loss", "error", first, gone, "fragment 2 is missing in all eight copies of "
               "the IKE_AUTH request, which is never answered")
    lab.accept("ike_no_response retransmit_exhausted retransmission")
    lab.never("proposal_mismatch auth_failed dpd_loss tunnel_flap tunnel_down rekey_no_response "
              "nat_port_flip ts_unacceptable spi_desync child_rejected",
              "nothing is refused, the tunnel was never up")
    lab.cause("fragment_loss")
