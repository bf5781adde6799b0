"""Both gateways start the tunnel at the same moment: two IKE SAs side by side.

A one-way delay of 80 ms lets the IKE_SA_INIT cross; each side completes its
own. Nobody minds, both stay, traffic flows in one of the two children. Later
the client deletes the IKE SA that it made, in order; the other one goes on."""

NAT = False
WAN_DELAY = 0.08


def run(lab):
    lab.both(conn={"proposals": "aes128-sha256-x25519"}, child={"esp_proposals": "aes128-sha256"},
             b={"conn": {"remote_addrs": lab.top.addr["a"]}})
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    lab.event("initiate", by="a and b", child="net")
    both = [charon.swanctl("--initiate", "--child", "net", background=True)
            for charon in (lab.a, lab.b)]
    for child in both:
        child.wait(15)
    for log, mark in ((lab.a.log, mark_a), (lab.b.log, mark_b)):
        log.wait(r"CHILD_SA .* established", mark, 10, count=2)
    lab.ping(interval=0.7)
    lab.pause(6)
    mark_b = lab.b.log.mark()
    own = next(text.split("[")[1].split("]")[0] for _, _, _, text in lab.a.log.entries
               if text.startswith("initiating IKE_SA"))
    lab.command("a", "--terminate", "--ike-id", own)
    lab.b.log.wait(r"received DELETE for IKE_SA", mark_b, 10)
    lab.pause(6)
    lab.capture_stop()
    lab.accept("reauthentication clean_delete")
    lab.healthy("two IKE SAs between the same peers, each negotiated in order; one of them is "
                "always there", but=("reauthentication",))
