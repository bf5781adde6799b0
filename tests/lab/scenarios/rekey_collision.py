"""Both sides rekey the same child at once; the requests cross on the wire.

A one-way delay of 80 ms makes room for it. RFC 7296 2.8.1 says which of the
two new SAs goes, and it is deleted in order. Once more for the IKE SA."""

WAN_DELAY = 0.08


def run(lab):
    lab.both(conn={"proposals": "aes128-sha256-x25519"},
             child={"esp_proposals": "aes128-sha256-x25519"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(3)
    spans = []
    for what in (("--child", "net"), ("--ike", "gw")):
        mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
        t = lab.event("rekey-both", what=" ".join(what))
        both = [charon.swanctl("--rekey", *what, background=True)
                for charon in (lab.a, lab.b)]
        for child in both:
            child.wait(15)
        lab.pause(3)
        noticed = any(log.find(r"collision", mark) for log, mark in
                      ((lab.a.log, mark_a), (lab.b.log, mark_b)))
        if not noticed:
            raise RuntimeError("the two rekeys of %s did not cross" % what[1])
        spans.append((what[0], t))
    lab.capture_stop()
    for what, t in spans:
        lab.expect("rekey_collision", "note", t, t + 3, "both sides rekey (%s) at once, the "
                   "redundant SA is deleted; charon's log says so" % what.lstrip("-"))
    lab.accept("retransmission")
    lab.never("rekey_rejected rekey_no_response retransmit_exhausted tunnel_flap tunnel_down "
              "child_down rekey_too_frequent dpd_loss spi_desync clean_delete reauthentication "
              "esp_one_way child_rejected", "the collision is resolved as RFC 7296 2.8 says")
