"""SPI churn: the client's child SAs live for ten seconds, the headend's for an hour.

IKEv2 negotiates no lifetime (RFC 7296 2.8), so the shorter one decides. Nothing
breaks: every rekey works, and each old SA is deleted in order."""

LIFE = 10


def run(lab):
    lab.both(child={"esp_proposals": "aes128-sha256-x25519"},
             a={"child": {"rekey_time": "%ds" % LIFE, "life_time": "%ds" % (2 * LIFE), "rand_time": "0s"}})
    lab.initiate()
    lab.ping(interval=0.5)
    spans = []
    for _ in range(5):
        mark = lab.b.log.mark()
        lab.b.log.wait(r"outbound CHILD_SA .* established", mark, 3 * LIFE)
        spans.append(lab.event("rekeyed", what="net"))
    lab.pause(2)
    lab.capture_stop()
    lab.expect("rekey_too_frequent", "warn", spans[2] - 1, spans[2] + 30,
               "the child SA is rekeyed every %d s; the third time there are three intervals" % LIFE)
    lab.never("rekey_rejected rekey_no_response retransmission retransmit_exhausted rekey_collision "
              "lifetime_mismatch child_down tunnel_flap tunnel_down dpd_loss spi_desync esp_one_way "
              "nat_port_flip clean_delete", "every rekey works, and only the client asks for any")
