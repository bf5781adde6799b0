"""IKEv1 main mode with two different pre-shared keys, twice.

The headend cannot read the client's fifth message, the first encrypted one,
and answers each copy of it with a Notify (PAYLOAD-MALFORMED) under its own
keys, which the client cannot read. Main mode never ends."""


def run(lab):
    conn = {"version": 1, "proposals": "aes128-sha256-modp2048"}
    lab.both(conn=conn, a={"secret": "another-one-also-not-a-secret"})
    mark_b = lab.b.log.mark()
    first, gone = lab.initiate_in_vain(2)
    lab.b.log.wait(r"N\(PLD_MAL\)", mark_b, 1, count=2)
    lab.alive(10)
    lab.capture_stop()
    lab.expect("ike_no_response", "error", first, gone, "the fifth message of main mode, five copies, "
               "is not answered in main mode; twice")
    lab.accept("auth_failed retransmission retransmit_exhausted")
    lab.never("dpd_loss dpd_unanswered tunnel_flap tunnel_down proposal_mismatch child_rejected "
              "ts_unacceptable rekey_no_response nat_port_flip clean_delete spi_desync",
              "the tunnel was never up; an Informational that follows each copy of the fifth message "
              "is no liveness check")
    lab.cause("auth_failed ike_no_response")
    lab.notes.append("each copy of the fifth message is followed at once by one encrypted "
                     "Informational of the other side: most likely the pre-shared keys differ")
