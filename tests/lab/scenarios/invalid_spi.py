"""The headend loses its state and says so: INVALID_SPI and INVALID_IKE_SPI.

Power cut; what answers then is a program of the lab that knows no SA, as
RFC 7296 1.5 has it: a hint for the client's ESP, an unprotected response to
its liveness requests. The client believes neither, gives up after its
retransmissions and starts anew with the headend, which is back by then."""

from power_cut import power_cut


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "4s"}})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(4)
    dead, dpd, gone, back = power_cut(lab, "unknown_spi.py", note="answers with INVALID_SPI and INVALID_IKE_SPI")
    lab.expect("invalid_spi", "error", dead, dpd, "unprotected INVALID_SPI that names the SPI of the "
               "client's ESP")
    lab.expect("invalid_ike_spi", "error", dpd, gone, "unprotected INVALID_IKE_SPI for each copy of the "
               "liveness request")
    lab.expect("spi_desync", "error", dead, back, "the client's ESP goes on with an SPI that the "
               "headend does not have and says so")
    lab.expect("tunnel_flap", "error", dead, back, "made anew after the client gave up")
    lab.accept("dpd_loss esp_one_way retransmission retransmit_exhausted icmp_unreachable")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable ike_no_response tunnel_down delete_no_restart clean_delete "
              "child_rejected", "a restart, not a refusal; the new IKE_SA_INIT is answered at once")
    lab.cause("spi_desync invalid_spi invalid_ike_spi")
