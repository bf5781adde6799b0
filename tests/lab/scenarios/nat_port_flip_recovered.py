"""The NAT changes its port and the tunnel recovers by itself in a moment."""

INSIDE = True


def run(lab):
    lab.both(a={"conn": {"dpd_delay": "2s"}})
    lab.initiate()
    lab.ping(count=8)
    lab.pause(0.3)
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    flip = lab.event("nat-port-remap", at="R", old="198.51.100.7:1409", new="198.51.100.7:1408")
    lab.top.flip(1408)
    learned = lab.b.log.wait(r"remote endpoint changed", mark_b, 20)
    lab.pause(1)
    lab.ping(count=12)
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.pause(1)
    lab.capture_stop()
    lab.expect("nat_port_flip", "warn", flip, learned, "198.51.100.7:1409 becomes :1408, found by "
               "a liveness request while no ESP flows, answered at once: grade recovered",
               old_port=1409, new_port=1408, capture="capture.pcapng")
    lab.healthy("the liveness request shows the new port at once and is answered, nothing is lost",
                but=("nat_port_flip", "address_change"))
    lab.never("clean_delete", "the capture ends before the tunnel does")
    lab.notes.append("no root cause: there is no outage")
