"""One SKF fragment of the IKE_AUTH response never reaches the client.

The router takes the second fragment of every response with the headend's
certificate: the outside capture has complete, repeated answers, the inside
capture never a complete one. The headend believes in the tunnel, the client
gives up; at two tries."""

from session import CERTIFICATE
from topology import SKF_FRAGMENT

CHARON = {"fragment_size": 600}
CHARON_A = {"retransmit_tries": 3}
INSIDE = True


def run(lab):
    lab.certificates()
    lab.both(conn={"fragmentation": "yes", "local": CERTIFICATE, "remote": {"auth": "pubkey"}})
    rule = lab.top.drop("r", "pass", "iifname outside " + SKF_FRAGMENT % 2)
    lab.event("drop-rule-on", where="R", expr="IKE fragment 2, towards the client")
    first, gone = lab.initiate_in_vain(2)
    lab.alive(10)
    lab.event("packets-dropped", where="R", packets=lab.top.drops(rule))
    lab.capture_stop()
    lab.expect("fragment_loss", "error", first, gone, "fragment 2 is missing in all eight copies of "
               "the IKE_AUTH response", capture="capture-inside.pcapng")
    lab.expect("retransmission", "note", first, gone, "the client repeats its answered IKE_AUTH: "
               "the answer is lost further on", capture="capture.pcapng")
    lab.accept("ike_no_response retransmit_exhausted retransmission tunnel_down")
    lab.never("proposal_mismatch auth_failed dpd_loss rekey_no_response nat_port_flip "
              "ts_unacceptable spi_desync child_rejected delete_no_restart reauthentication",
              "nothing is refused, nothing is deleted or replaced while it lives")
    lab.notes.append("outside, the headend's tunnel looks up each time, until the client gives it up "
                     "and starts anew and at last stops")
