"""IKEv1 aggressive mode that is well: quick mode, DPD, delete."""

CHARON = {"i_dont_care_about_security_and_use_aggressive_mode_psk": "yes"}


def run(lab):
    lab.both(conn={"version": 1, "aggressive": "yes", "proposals": "aes256-sha256-modp2048"},
             a={"conn": {"dpd_delay": "3s"}}, child={"esp_proposals": "aes256-sha1"})
    lab.initiate()
    lab.ping(count=8)
    lab.liveness()
    lab.ping(count=4)
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "DELETE of the child SA and of the ISAKMP SA",
               needs_keys=True)
    lab.healthy("aggressive and quick mode as they should be, R-U-THERE answered, IKEv1")
