"""The headend loses its state and says so in its log, which the capture holds.

Power cut; what listens then is a program of the lab that answers nothing and
sends a syslog line for ESP with an SPI that it does not know, as a router
would. The client gives up its liveness check and starts anew with the
headend, which is back by then."""

import sys

from power_cut import power_cut

SINK = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 514))\nwhile s.recv(65535): pass"


def run(lab):
    collector = lab.top.addr["r_in"]
    lab.top.start("r", sys.executable, "-c", SINK)
    lab.both(a={"conn": {"dpd_delay": "4s"}})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(4)
    dead, dpd, gone, back = power_cut(lab, "logs_unknown_spi.py", collector, note="logs ESP with an unknown SPI")
    lab.expect("syslog_invalid_spi", "error", dead, back, "the headend's log names the SPI of the client's ESP")
    lab.expect("spi_desync", "error", dead, back, "the client's ESP goes on with an SPI that the headend does not have, as its log says")
    lab.expect("dpd_loss", "error", dpd, gone, "liveness request on the old IKE SA never answered")
    lab.expect("tunnel_flap", "error", dead, back, "made anew after the client gave up")
    lab.accept("esp_one_way retransmission retransmit_exhausted icmp_unreachable")   # port 4500 is closed for a moment
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable ike_no_response tunnel_down delete_no_restart clean_delete "
              "child_rejected invalid_spi invalid_ike_spi",
              "a restart, not a refusal; the new IKE_SA_INIT is answered at once")
    lab.cause("spi_desync syslog_invalid_spi dpd_loss")
