"""Four children for the same selectors, as one per CPU would be (RFC 9611); two of them are rekeyed; all well.

All traffic takes one of them, so that the others stay unused; the rekeys replace
one that is used and one that is not."""

# charon makes no second child for the same selectors unless something else tells them apart: here a mark, which this data plane ignores.
QUEUES = {f"q{n}": {"mark_in": str(n + 1), "mark_out": str(n + 1)} for n in range(4)}


def run(lab):
    lab.both(child={"esp_proposals": "aes128-sha256-x25519"},
             a={"children": QUEUES}, b={"children": QUEUES})
    for name in QUEUES:
        lab.initiate(name)
    lab.ping(interval=0.5)
    lab.pause(3)
    for name in ("q1", "q3"):
        lab.rekey_child(child=name)
        lab.pause(3)
    lab.ping_stop()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("four children of the same selectors side by side, two rekeys answered at once")
