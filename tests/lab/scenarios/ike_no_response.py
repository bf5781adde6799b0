"""IKE_SA_INIT is never answered: a firewall eats it."""

CHARON_A = {"retransmit_timeout": "1.0", "retransmit_base": "1.8", "retransmit_tries": 3}


def run(lab):
    lab.both()
    rule = lab.top.drop("b", "rx", "iifname eth0 udp dport { 500, 4500 }")
    mark = lab.a.log.mark()
    t = lab.initiate(expect=False, timeout=25)
    gone = lab.a.log.wait(r"giving up after 3 retransmits", mark, 30)
    lab.alive(16)
    lab.event("packets-dropped", where="B", packets=lab.top.drops(rule))
    lab.capture_stop()
    lab.expect("ike_no_response", "error", t, gone, "IKE_SA_INIT and three retransmissions "
               "(1, 1.8, 3.2 s) stay unanswered")
    lab.accept("retransmission retransmit_exhausted")
    lab.never("proposal_mismatch auth_failed dpd_loss tunnel_flap rekey_no_response "
              "nat_port_flip ts_unacceptable spi_desync", "silence from the first message on")
    lab.cause("ike_no_response")
