"""Both sides rekey the IKE SA at once, until each side has lost once.

A one-way delay of 80 ms lets the requests cross. RFC 7296 2.8.1: the lowest
of four random nonces decides which new IKE SA is redundant, and the loser
deletes the one it made. Traffic flows throughout."""

WAN_DELAY = 0.08
TRIES = 12


def run(lab):
    lab.both(conn={"proposals": "aes128-sha256-x25519"}, child={"esp_proposals": "aes128-sha256"})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(2)
    seen = set()
    for _ in range(TRIES):
        mark = lab.a.log.mark()
        t = lab.event("rekey-both", what="--ike gw")
        both = [charon.swanctl("--rekey", "--ike", "gw", background=True)
                for charon in (lab.a, lab.b)]
        for child in both:
            child.wait(15)
        lab.pause(3)
        outcome = next((result for result in ("won", "lost")
                        if lab.a.log.find(r"IKE_SA rekey collision " + result, mark)), None)
        if not outcome:
            raise RuntimeError("the two rekeys did not cross")
        lab.expect("rekey_collision", "note", t, t + 3, "both sides rekey the IKE SA at once; the "
                   "client has %s" % outcome)
        seen.add(outcome)
        if len(seen) == 2:
            break
    else:
        raise RuntimeError("the same side won %d times" % TRIES)
    lab.capture_stop()
    lab.accept("retransmission")
    lab.never("rekey_rejected rekey_no_response retransmit_exhausted tunnel_flap tunnel_down "
              "child_down rekey_too_frequent dpd_loss spi_desync clean_delete reauthentication "
              "esp_one_way child_rejected", "each collision is resolved as RFC 7296 2.8 says; what "
              "is deleted is redundant or replaced")
