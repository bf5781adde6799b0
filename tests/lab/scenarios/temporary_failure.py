"""A child's rekey meets an IKE SA rekey: TEMPORARY_FAILURE, tried again later.

A one-way delay of 80 ms lets them cross. RFC 7296 2.25: the client, which has
begun to rekey the IKE SA, refuses to rekey a child for the moment, the
headend, which has begun to rekey the child, refuses to rekey the IKE SA. Both
try again some seconds later and succeed; traffic flows throughout."""

WAN_DELAY = 0.08


def run(lab):
    lab.both(conn={"proposals": "aes128-sha256-x25519"}, child={"esp_proposals": "aes128-sha256"})
    lab.initiate()
    lab.ping(interval=1)
    lab.pause(3)
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    lab.event("rekey-both", what="the client the IKE SA, the headend the child")
    both = [lab.a.swanctl("--rekey", "--ike", "gw", background=True),
            lab.b.swanctl("--rekey", "--child", "net", background=True)]
    for child in both:
        child.wait(20)
    lab.a.log.wait(r"received TEMPORARY_FAILURE notify", mark_a, 5)
    lab.b.log.wait(r"received TEMPORARY_FAILURE notify", mark_b, 5)
    lab.b.log.wait(r"outbound CHILD_SA .* established", mark_b, 60)
    lab.a.log.wait(r"IKE_SA .* rekeyed between", mark_a, 60)
    lab.pause(4)
    lab.capture_stop()
    lab.accept("rekey_collision")
    # Without keys a refusal is a refusal, if it is not called more than a Note.
    lab.healthy("one TEMPORARY_FAILURE by each side, and both rekeys succeed later",
                but=("rekey_collision", "child_rejected"))
    lab.never("clean_delete", "the deleted IKE SA is replaced")
