"""The headend loses power; liveness checks die, and it comes back later.

The client's liveness request is retransmitted until it gives up, its new
IKE_SA_INIT stays unanswered too, until the headend is back (without any
state) and the tunnel is made anew."""

CHARON_A = {"retransmit_tries": 4}


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "4s", "proposals": "aes256-sha1-modp2048"}},
             b={"conn": {"proposals": "aes256-sha1-modp2048"}},
             child={"esp_proposals": "aes256-sha1"})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(4.3)
    mark = lab.a.log.mark()
    rule = lab.top.drop("b", "rx", "iifname eth0")
    dead = lab.event("peer-dead", host="b")
    lab.b.kill()
    dpd = lab.a.log.wait(r"sending DPD request", mark, 30)
    gone = lab.a.log.wait(r"giving up after 4 retransmits", mark, 60)
    init = lab.a.log.wait(r"initiating IKE_SA", mark, 10)
    lab.a.log.wait(r"retransmit 2 of request with message ID 0", mark, 30)
    lab.b.start()
    lab.event("peer-back", host="b", packets_dropped=lab.top.undrop(rule))
    back = lab.b.log.wait(r"CHILD_SA .* established", 0, 30)
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.pause(3)
    lab.capture_stop()
    lab.expect("dpd_loss", "error", dpd, gone,
               "the liveness request and its four retransmissions stay unanswered")
    lab.expect("retransmit_exhausted", "error", dpd, init, "the client gives the IKE SA up")
    lab.expect("tunnel_flap", "error", dead, back, "down until the headend is back")
    lab.accept("esp_one_way retransmission")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable tunnel_down delete_no_restart clean_delete", "only silence")
    lab.accept("ike_no_response")  # unanswered for three tries, until the fourth
    lab.never("spi_desync invalid_spi", "silence alone does not show it: the first new "
              "IKE_SA_INIT copies are not answered either")
    lab.cause("dpd_loss")
