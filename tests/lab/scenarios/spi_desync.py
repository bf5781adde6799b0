"""The headend restarts without its state; the client sends on the old SPI.

The new daemon knows neither the ESP SPI nor the IKE SA: no answer to either
until the client has given up its liveness request and starts anew, which is
answered at once."""


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "6s", "proposals": "aes256-sha256-modp2048"}},
             b={"conn": {"proposals": "aes256-sha256-modp2048"}},
             child={"esp_proposals": "aes256-sha256"})
    lab.initiate()
    lab.ping(interval=0.7)
    lab.pause(5)
    mark = lab.a.log.mark()
    dead = lab.event("kill-9", host="b")
    lab.b.kill()
    lab.b.start()
    lab.event("restarted", host="b")
    dpd = lab.a.log.wait(r"sending DPD request", mark, 30)
    gone = lab.a.log.wait(r"giving up after", mark, 60)
    back = lab.b.log.wait(r"CHILD_SA .* established", 0, 30)
    lab.a.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.pause(4)
    lab.capture_stop()
    lab.expect("spi_desync", "warn", dead, back, "the client's ESP goes on with an SPI that the "
               "restarted headend does not have")
    lab.expect("dpd_loss", "error", dpd, gone, "liveness request on the old IKE SA never answered")
    lab.expect("tunnel_flap", "error", dead, back, "made anew after the client gave up")
    lab.accept("spi_desync esp_one_way retransmission retransmit_exhausted icmp_unreachable")
    lab.never("nat_port_flip rekey_no_response rekey_rejected auth_failed proposal_mismatch "
              "ts_unacceptable ike_no_response tunnel_down delete_no_restart clean_delete",
              "a restart, not a refusal; the new IKE_SA_INIT is answered at once")
    lab.cause("spi_desync dpd_loss")
