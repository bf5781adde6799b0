"""Two clients behind one NAT address, one headend; both are well.

Each has its own ports at the NAT (1409 and 1410), its own identity and its
own tunnel. The second comes while the first works; each rekeys its child
once and checks liveness; the first one leaves, the second goes on."""

from topology import HOST_B, HOST_C

SECOND_CLIENT = True


def run(lab):
    conn = {"proposals": "aes128-sha256-x25519"}
    child = {"esp_proposals": "aes128-sha256-x25519"}
    headend = lab.config("b", conn, child)
    second = lab.config("b", conn, child, client="c", name="second")
    for part in headend:
        headend[part].update(second[part])
    lab.b.start(headend)
    for charon, side in ((lab.a, "a"), (lab.c, "c")):
        charon.start(lab.config(side, dict(conn, dpd_delay="4s"), child))
    lab.capture_start()
    lab.initiate()
    lab.ping(count=4)
    lab.initiate(by="c")
    lab.ping(interval=0.5)
    lab.ping(count=6, host="c", src=HOST_C, dst=HOST_B)
    for host in ("a", "c"):
        lab.rekey_child(host)
        lab.pause(1)
    lab.ping(count=6, host="c", src=HOST_C, dst=HOST_B)
    mark = lab.c.log.mark()
    lab.c.log.wait(r"sending DPD request", mark, 20)
    lab.ping_stop()
    lab.pause(0.5)
    t = lab.terminate()
    lab.ping(count=6, host="c", src=HOST_C, dst=HOST_B)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the first client deletes its only IKE SA, "
               "acknowledged")
    lab.healthy("two clients that have nothing to do with each other but the NAT's address")
