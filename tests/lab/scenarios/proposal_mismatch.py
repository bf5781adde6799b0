"""IKE_SA_INIT refused: the two sides share no IKE proposal."""


def run(lab):
    lab.both(a={"conn": {"proposals": "aes128-sha1-modp2048"}},
             b={"conn": {"proposals": "aes256-sha384-ecp384"}})
    mark = lab.a.log.mark()
    for attempt in (1, 2, 3):
        lab.initiate(expect=False, timeout=5)
        lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN notify", mark, 10, count=attempt)
        lab.pause(1.5)
    lab.capture_stop()
    times = lab.a.log.times(r"received NO_PROPOSAL_CHOSEN notify", mark)
    lab.expect("proposal_mismatch", "error", times[0], times[-1],
               "three IKE_SA_INIT refused with NO_PROPOSAL_CHOSEN, in the clear")
    lab.never("ike_no_response retransmission retransmit_exhausted ke_group_retry auth_failed "
              "ts_unacceptable child_rejected rekey_rejected pfs_mismatch tunnel_flap dpd_loss "
              "nat_port_flip cookie_challenge", "each attempt is refused at once; the tunnel was "
              "never up")
    lab.cause("proposal_mismatch")
