"""A client that moves to another address and tells the headend (MOBIKE).

192.0.2.2 goes away from the client, 192.0.2.3 is there already. The client
sends UPDATE_SA_ADDRESSES from the new address, which is answered at once; the
SPIs stay, traffic goes on. No NAT."""

from topology import V4

NAT = False
CHARON = {"plugins": {"kernel-netlink": {"roam_events": "yes"}}}
SECOND = "192.0.2.3"


def run(lab):
    move(lab, "192.0.2.2 becomes 192.0.2.3")


def move(lab, what):
    top = lab.top
    top.inside("a", "sysctl", "-qw", "net.ipv4.conf.eth0.promote_secondaries=1")
    top.inside("a", "ip", "addr", "add", SECOND + "/26", "dev", "eth0")
    lab.moves_to.append(SECOND)
    lab.both(conn={"mobike": "yes"}, a={"conn": {"local_addrs": "%any", "dpd_delay": "3s"}},
             b={"conn": {"local_addrs": "%any"}})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(4)
    mark_a, mark_b = lab.a.log.mark(), lab.b.log.mark()
    moved = lab.event("address-removed", host="a", address=V4["a"], left=SECOND)
    top.inside("a", "ip", "addr", "del", V4["a"] + "/26", "dev", "eth0")
    learned = lab.b.log.wait(r"remote endpoint changed", mark_b, 20)
    lab.pause(4)
    lab.ping_stop()
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("address_change", "note", moved, learned + 1, what + " on the same IKE and ESP SPIs, "
               "answered there")
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    # Either side rekeys the child when it learns the new endpoint (kernel-libipsec).
    lab.accept("rekey_collision")
    lab.healthy("the move is told and answered at once", but=("address_change", "rekey_collision"))
