"""IKE_AUTH with certificates in IPv6 fragments; only the first ones get through.

No IKE fragmentation: the IKE_AUTH request is larger than a packet, and a
firewall before the capture point takes every IPv6 fragment but the first. At
two tries; IKE_SA_INIT is answered at once each time. No NAT."""

from scenarios.fragment_loss_ip import only_first_fragments

IPV6 = True
NAT = False
CHARON_A = {"retransmit_tries": 3}


def run(lab):
    only_first_fragments(lab, "frag frag-off != 0", "IPv6")
