"""IKE_AUTH with certificates in IP fragments; only the first ones get through.

No IKE fragmentation: the IKE_AUTH request is larger than a packet, and a
firewall before the capture point takes every IP fragment but the first. At
two tries; IKE_SA_INIT is answered at once each time. No NAT."""

from session import CERTIFICATE

NAT = False
CHARON_A = {"retransmit_tries": 3}


def only_first_fragments(lab, later, version):
    """`later`: the fragments that are dropped, as nftables say it."""
    lab.certificates()
    lab.both(conn={"fragmentation": "no", "local": CERTIFICATE, "remote": {"auth": "pubkey"}})
    rule = lab.top.drop("r", "pass", "iifname inside " + later)
    lab.event("drop-rule-on", where="R, before the capture point",
              expr=version + " fragments with an offset, towards the headend")
    first, gone = lab.initiate_in_vain(2)
    lab.alive(10)
    lab.event("packets-dropped", where="R", packets=lab.top.drops(rule))
    lab.capture_stop()
    lab.expect("fragment_loss", "error", first, gone, "all eight copies of the IKE_AUTH request lack "
               "their second " + version + " fragment")
    lab.accept("ike_no_response retransmit_exhausted retransmission")
    lab.never("proposal_mismatch auth_failed dpd_loss tunnel_flap tunnel_down rekey_no_response "
              "nat_port_flip ts_unacceptable spi_desync child_rejected",
              "nothing is refused, the tunnel was never up")
    lab.cause("fragment_loss")


def run(lab):
    only_first_fragments(lab, "ip frag-off & 0x1fff != 0", "IP")
