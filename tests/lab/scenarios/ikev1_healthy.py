"""IKEv1 that is well: main mode, quick mode, DPD, phase 2 rekey, delete."""


def run(lab):
    conn = {"version": 1, "proposals": "aes128-sha256-modp2048"}
    lab.both(conn=conn, a={"conn": {"dpd_delay": "3s"}},
             child={"esp_proposals": "aes128-sha256-modp2048"})
    lab.initiate()
    lab.ping(count=6)
    lab.liveness()
    mark = lab.b.log.mark()
    lab.command("a", "--rekey", "--child", "net")
    lab.b.log.wait(r"CHILD_SA .* established", mark, 10)
    lab.ping(count=6)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    # Without keys an IKEv1 DELETE is an Informational like any other.
    lab.expect("clean_delete", "chat", t, t + 1, "DELETE of the child SAs and of the ISAKMP SA",
               needs_keys=True)
    lab.healthy("main and quick mode as they should be, R-U-THERE answered, IKEv1")
