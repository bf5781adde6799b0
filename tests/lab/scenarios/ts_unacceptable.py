"""A second child is refused with TS_UNACCEPTABLE, the first one goes on.

The client wants a second child for 192.0.2.96/27 to 192.0.2.160/27, which
the headend does not have. CREATE_CHILD_SA is refused at once, twice."""


def run(lab):
    halves = ({"local_ts": "192.0.2.64/27", "remote_ts": "192.0.2.128/27"},
              {"local_ts": "192.0.2.96/27", "remote_ts": "192.0.2.160/27"})
    lab.both(a={"children": {"net": halves[0], "net2": halves[1]}},
             b={"children": {"net": {"local_ts": halves[0]["remote_ts"],
                                     "remote_ts": halves[0]["local_ts"]}}})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(3)
    mark = lab.a.log.mark()
    for attempt in (1, 2):
        lab.initiate("net2", expect=False, timeout=5)
        t = lab.a.log.wait(r"received TS_UNACCEPTABLE notify", mark, 10, count=attempt)
        lab.pause(4)
        lab.expect("ts_unacceptable", "error", t, t + 1, "TS_UNACCEPTABLE in CREATE_CHILD_SA",
                   needs_keys=True)
    lab.pause(6)
    lab.capture_stop()
    lab.accept("child_rejected ts_unacceptable")
    lab.never("auth_failed proposal_mismatch pfs_mismatch rekey_rejected rekey_no_response "
              "ike_no_response retransmission retransmit_exhausted tunnel_flap tunnel_down "
              "child_down esp_one_way dpd_loss nat_port_flip",
              "only the second child is refused, at once; the first one goes on")
    lab.cause("ts_unacceptable child_rejected")
