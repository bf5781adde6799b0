"""The headend deletes the tunnel while traffic flows, nobody brings it back."""


def run(lab):
    lab.both(a={"conn": {"proposals": "aes256-sha512-ecp384"}, "child": {"dpd_action": "clear"}},
             b={"conn": {"proposals": "aes256-sha512-ecp384"}},
             child={"esp_proposals": "aes256-sha512"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(6)
    t = lab.terminate("b")
    lab.pause(3)
    lab.alive(15)
    lab.capture_stop()
    lab.expect("delete_no_restart", "warn", t, t + 16, "the headend's DELETE is acknowledged, "
               "traffic was flowing up to it, nothing follows")
    lab.accept("clean_delete tunnel_down")
    lab.never("dpd_loss tunnel_flap retransmission retransmit_exhausted spi_desync esp_one_way "
              "ike_no_response rekey_no_response auth_failed nat_port_flip",
              "an orderly, answered DELETE")
    lab.cause("delete_no_restart")
