"""Two children of one IKE SA, each rekeyed twice within seconds; all well.

Four rekeys in a row are two for each child. Then the second child is deleted
in order and the first one goes on; the IKE SA is deleted at the end."""

from topology import HOST_A2, HOST_B2


def run(lab):
    halves = ({"local_ts": "192.0.2.64/27", "remote_ts": "192.0.2.128/27"},
              {"local_ts": "192.0.2.96/27", "remote_ts": "192.0.2.160/27"})
    turned = [{"local_ts": h["remote_ts"], "remote_ts": h["local_ts"]} for h in halves]
    lab.both(child={"esp_proposals": "aes128-sha256-x25519"},
             a={"children": {"net": halves[0], "net2": halves[1]}},
             b={"children": {"net": turned[0], "net2": turned[1]}})
    lab.initiate("net")
    lab.initiate("net2")
    lab.ping(interval=0.7)
    second = lab.ping(interval=0.7, src=HOST_A2, dst=HOST_B2)
    lab.pause(2)
    for child in ("net", "net2", "net", "net2"):
        lab.rekey_child(child=child)
        lab.pause(2)
    lab.ping_end(second)
    mark = lab.b.log.mark()
    lab.command("a", "--terminate", "--child", "net2")
    lab.b.log.wait(r"received DELETE for ESP CHILD_SA", mark, 10)
    lab.pause(5)
    lab.ping_stop()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("two rekeys of each child, all answered at once; an administrator's DELETE of one "
                "child")
