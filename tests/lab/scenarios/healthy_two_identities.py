"""Two IKE SAs side by side between the same two gateways, one for each pair of identities.

The second one comes with INITIAL_CONTACT while the first works: that is said of
its own identities. Each child is rekeyed, both IKE SAs are too; then the second
one is deleted, and the first goes on. No NAT."""

from topology import HOST_A, HOST_A2, HOST_B, HOST_B2

NAT = False
FIRST = {"local_ts": HOST_A + "/32", "remote_ts": HOST_B + "/32"}
SECOND = {"local_ts": HOST_A2 + "/32", "remote_ts": HOST_B2 + "/32"}


def mirrored(child):
    return {"local_ts": child["remote_ts"], "remote_ts": child["local_ts"]}


def config(lab, side):
    own = mirrored if side == "b" else dict
    both = lab.config(side, {"dpd_delay": "4s"}, children={"net": own(FIRST)}, client="a")
    second = lab.config(side, {"dpd_delay": "4s"}, children={"other": own(SECOND)}, client="c", name="second")
    for part in both:
        both[part].update(second[part])
    return both


def run(lab):
    lab.b.start(config(lab, "b"))
    lab.a.start(config(lab, "a"))
    lab.capture_start()
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(2)
    lab.initiate(child="other")
    second = lab.ping(interval=0.5, src=HOST_A2, dst=HOST_B2)
    lab.pause(4)
    lab.rekey_child("a", "net")
    lab.pause(2)
    lab.rekey_child("b", "other")
    lab.pause(2)
    lab._done_by("a", r"IKE_SA second.* rekeyed", "--rekey", "--ike", "second")
    lab.pause(2)
    lab.rekey_ike()
    lab.pause(2)
    lab.ping_end(second)
    t = lab._done_by("a", r"received DELETE for IKE_SA second", "--terminate", "--ike", "second")
    lab.pause(12)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the second IKE SA is deleted; nothing takes its place")
    lab.unwell = []
    lab.healthy("two IKE SAs that have nothing to do with each other but the gateways")
