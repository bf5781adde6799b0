"""IKEv1: the headend dies, R-U-THERE stays unanswered, later it is back."""


def run(lab):
    conn = {"version": 1, "proposals": "3des-sha1-modp2048"}
    lab.both(conn=conn, a={"conn": {"dpd_delay": "3s", "dpd_timeout": "9s"}},
             child={"esp_proposals": "3des-sha1"})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(4.3)
    mark = lab.a.log.mark()
    rule = lab.top.drop("b", "rx", "iifname eth0")
    dead = lab.event("peer-dead", host="b")
    lab.b.kill()
    dpd = lab.a.log.wait(r"sending DPD request", mark, 30)
    gone = lab.a.log.wait(r"DPD check timed out", mark, 60)
    lab.a.log.wait(r"retransmit 1 of request", mark, 30)
    lab.b.start()
    lab.event("peer-back", host="b", packets_dropped=lab.top.undrop(rule))
    back = lab.b.log.wait(r"CHILD_SA .* established", 0, 30)
    lab.pause(3)
    lab.capture_stop()
    lab.expect("dpd_loss", "error", dpd, gone, "R-U-THERE again and again, never an ACK",
               needs_keys=True)
    lab.expect("tunnel_flap", "error", dead, back, "down until the headend is back")
    lab.accept("dpd_loss esp_one_way retransmission retransmit_exhausted")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable tunnel_down delete_no_restart clean_delete spi_desync",
              "only silence")
    lab.cause("dpd_loss")
