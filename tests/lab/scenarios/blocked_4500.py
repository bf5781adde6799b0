"""A firewall lets UDP port 500 through and takes 4500.

IKE_SA_INIT is answered on port 500; IKE_AUTH goes to port 4500, behind the
capture point the firewall drops it, and the client tries again and again."""

INSIDE = True


def run(lab):
    lab.both()
    rule = lab.top.drop("b", "rx", "udp dport 4500")
    began, gone = lab.initiate_in_vain(2)
    lab.event("packets-dropped", where="B", packets=lab.top.undrop(rule))
    lab.capture_stop()
    lab.expect("ike_no_response", "error", began, gone, "IKE_AUTH is never answered, IKE_SA_INIT each time")
    lab.expect("retransmit_exhausted", "error", began, gone, "the client gives up and begins anew")
    lab.accept("retransmission tunnel_down ike_no_response retransmit_exhausted")
    lab.never("tunnel_flap dpd_loss rekey_no_response auth_failed proposal_mismatch fragment_loss nat_port_flip "
              "spi_desync esp_one_way", "one port is blocked, nothing else is wrong")
    lab.cause("ike_no_response")
