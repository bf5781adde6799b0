"""The headend's IKE daemon dies; its host says so by ICMP.

The host answers ESP and IKE with ICMP port unreachable. The client's liveness
request and its retransmissions meet the same, it gives the IKE SA up, and its
new IKE_SA_INIT is not answered either until the capture ends. No NAT."""

NAT = False
CHARON_A = {"retransmit_tries": 3}


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "4s"}})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(3.3)
    mark = lab.a.log.mark()
    dead = lab.event("daemon-dead", host="b")
    lab.b.kill()
    dpd = lab.a.log.wait(r"sending DPD request", mark, 30)
    gone = lab.a.log.wait(r"giving up after 3 retransmits", mark, 60)
    lab.a.log.wait(r"retransmit 2 of request with message ID 0", mark, 30)
    lab.capture_stop()
    lab.expect("icmp_unreachable", "note", dead, gone, "port unreachable, by the headend's own host, "
               "for ESP and for IKE")
    lab.expect("dpd_loss", "error", dpd, None, "the liveness request and its three retransmissions stay unanswered")
    lab.expect("retransmit_exhausted", "error", dpd, None, "the client gives the IKE SA up")
    lab.expect("tunnel_down", "error", dead, None, "not back when the capture ends")
    lab.accept("retransmission ike_no_response esp_one_way spi_desync")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch fragment_loss "
              "ts_unacceptable delete_no_restart clean_delete mtu_blackhole", "nobody listens, nothing else")
    lab.cause("icmp_unreachable")
