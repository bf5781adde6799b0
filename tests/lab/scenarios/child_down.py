"""Two children: one is refused at each rekey and expires, the other goes on.

For the second child the headend wants a DH group that the client does not
offer, which shows at its first rekey."""

from topology import HOST_A2, HOST_B2


def run(lab):
    halves = ({"local_ts": "192.0.2.64/27", "remote_ts": "192.0.2.128/27"},
              {"local_ts": "192.0.2.96/27", "remote_ts": "192.0.2.160/27"})
    turned = [{"local_ts": h["remote_ts"], "remote_ts": h["local_ts"]} for h in halves]
    lab.both(a={"children": {"net": halves[0],
                             "net2": dict(halves[1], rekey_time="5s", rand_time="0",
                                          life_time="24s")}},
             b={"children": {"net": turned[0],
                             "net2": dict(turned[1], esp_proposals="aes128-sha256-ecp256")}})
    # The child made in IKE_AUTH needs no DH group, so the one that will be
    # refused goes first; the other follows by CREATE_CHILD_SA.
    lab.initiate("net2")
    lab.initiate("net")
    lab.ping(interval=1)
    lab.ping(interval=1, src=HOST_A2, dst=HOST_B2)
    mark = lab.a.log.mark()
    first = lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN notify", mark, 30)
    dead = lab.a.log.wait(r"closing expired CHILD_SA net2", mark, 60)
    times = [t for t in lab.a.log.times(r"received NO_PROPOSAL_CHOSEN notify", mark) if t < dead]
    lab.a.log.wait(r"received NO_PROPOSAL_CHOSEN notify", mark, 10, count=len(times) + 1)
    lab.pause(12)
    lab.capture_stop()
    lab.expect("child_down", "warn", dead, dead + 10, "the second child expires and is not "
               "replaced, the first goes on")
    lab.expect("rekey_rejected", "error", first, times[-1], "%d rekeys of the second child "
               "answered with NO_PROPOSAL_CHOSEN" % len(times), needs_keys=True)
    lab.expect("child_rejected", "error", dead, dead + 1, "a new child instead of the expired one "
               "is refused for the same reason", needs_keys=True)
    lab.accept("rekey_rejected child_rejected pfs_mismatch proposal_mismatch")
    lab.never("tunnel_down tunnel_flap rekey_no_response retransmit_exhausted dpd_loss auth_failed "
              "ts_unacceptable nat_port_flip", "the tunnel and its other child go on")
    lab.cause("pfs_mismatch proposal_mismatch rekey_rejected")
