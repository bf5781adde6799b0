"""A healthy tunnel whose ESP is IP protocol 50, without UDP.

The lab's data plane can only do ESP in UDP, so this is a healthy run whose
captured ESP packets lose their UDP header afterwards (see native.py). IKE
stays where it was, on ports 500 and 4500."""

from native import rewrite  # noqa: F401  (the session calls it)

NAT = False


def run(lab):
    lab.both(conn={"proposals": "aes256-sha1-modp2048"}, a={"conn": {"dpd_delay": "3s"}},
             child={"esp_proposals": "aes256-sha1"})
    lab.initiate()
    lab.ping(count=8)
    mark = lab.b.log.mark()
    lab.command("a", "--rekey", "--child", "net")
    lab.b.log.wait(r"outbound CHILD_SA .* established", mark, 10)
    lab.ping(count=8)
    mark = lab.a.log.mark()
    lab.a.log.wait(r"sending DPD request", mark, 20)
    lab.pause(0.8)
    mark = lab.b.log.mark()
    t = lab.command("a", "--terminate", "--ike", "gw")
    lab.b.log.wait(r"received DELETE for IKE_SA", mark, 10)
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways")
    lab.notes.append("ESP was UDP-encapsulated on the wire; the UDP headers were taken out of the "
                     "capture (IP length, protocol and checksum made right)")
