"""One liveness request is lost, its retransmission is answered: a blip."""


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "3s", "proposals": "aes128-sha256-x25519"}},
             b={"conn": {"proposals": "aes128-sha256-x25519"}})
    lab.initiate()
    lab.ping(count=6)
    lab.liveness()
    spans = []
    for lost in (1, 2):
        mark = lab.a.log.mark()
        rule = lab.top.drop("b", "rx", "udp dport 4500 @th,64,32 0")
        t = lab.a.log.wait(r"sending DPD request", mark, 20)
        lab.top.wait_drops(rule, lost)
        lab.event("drop-rule-off", where="B", packets_dropped=lab.top.undrop(rule))
        lab.a.log.wait(r"parsed INFORMATIONAL response", mark, 20)
        end = lab.a.log.times(r"parsed INFORMATIONAL response", mark)[-1]
        spans.append((lost, t, end))
    lab.ping(count=6)
    lab.pause(3.5)
    lab.capture_stop()
    for lost, t, end in spans:
        lab.expect("dpd_unanswered", "note", t, end,
                   "%d lost, answered after retransmission %d" % (lost, lost))
    lab.accept("retransmission")
    lab.healthy("a lost packet and nothing more: the retransmission is answered",
                but=("retransmission", "dpd_unanswered"))
    lab.never("clean_delete", "the capture ends before the tunnel does")
