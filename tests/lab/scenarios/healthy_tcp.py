"""A healthy tunnel in TCP, with a change of the connection in the middle.

The lab's data plane can only do ESP in UDP, so this is the run of
healthy-rekeys whose captured IKE and ESP are put into TCP afterwards (see
in_tcp.py): two connections one after the other, records split over segments
and joined in one."""

from in_tcp import rewrite_capture  # noqa: F401  (the session calls it)
from scenarios import healthy_rekeys


def run(lab):
    healthy_rekeys.run(lab)
    lab.nat_hashes_fit = False
    lab.notes += ["IKE and ESP were UDP-encapsulated on the wire; the capture was rewritten into TCP "
                  "(RFC 9329), handshakes and acknowledgements included; the messages are as they were",
                  "the NAT_DETECTION hashes are those of the UDP ports",
                  "key_stats and the counts of verify are of the capture as it was in UDP"]
