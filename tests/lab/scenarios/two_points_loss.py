"""The router loses the client's packets between two capture points.

Both sides of R are captured, without NAT. R takes two copies of a liveness
request, and the third one comes through; later it takes everything from the
client until that has given up. Put together (mergecap), the two captures say
where the requests were lost; each alone cannot."""

CHARON_A = {"retransmit_tries": 4}
NAT = False
INSIDE = True


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "4s", "proposals": "aes256-sha1-modp2048"}},
             b={"conn": {"proposals": "aes256-sha1-modp2048"}},
             child={"esp_proposals": "aes256-sha1"})
    lab.initiate()
    lab.ping(count=4)
    mark = lab.a.log.mark()
    rule = lab.top.drop("r", "pass", "iifname inside")
    late = lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.a.log.wait(r"retransmit 1 of request", mark, 20)
    lab.top.wait_drops(rule, 2)
    lab.event("packets-dropped", where="R", packets=lab.top.undrop(rule))
    answered = lab.a.log.wait(r"parsed INFORMATIONAL response", mark, 20)
    lab.ping(count=2)
    mark = lab.a.log.mark()
    rule = lab.top.drop("r", "pass", "iifname inside")
    dpd = lab.a.log.wait(r"sending DPD request", mark, 20)
    gone = lab.a.log.wait(r"giving up after 4 retransmits", mark, 60)
    init = lab.a.log.wait(r"initiating IKE_SA", mark, 10)
    lab.event("packets-dropped", where="R", packets=lab.top.undrop(rule))
    back = lab.a.log.wait(r"CHILD_SA .* established", mark, 30)
    lab.pause(2)
    lab.capture_stop()
    inside, lost = "capture-inside.pcapng", ["inside", "outside"]
    lab.expect("dpd_unanswered", "note", late, answered, "two of three liveness requests are lost at R",
               capture=inside, lost_between=lost)
    lab.expect("dpd_loss", "error", dpd, gone, "all five liveness requests are lost at R", capture=inside,
               lost_between=lost)
    lab.expect("retransmit_exhausted", "error", dpd, init, "the client gives the IKE SA up", capture=inside,
               lost_between=lost)
    lab.expect("tunnel_flap", "error", dpd, back, "down until the router lets the client through", capture=inside)
    lab.accept("retransmission ike_no_response esp_one_way reauthentication tunnel_flap spi_desync")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable tunnel_down delete_no_restart clean_delete", "only lost packets")
