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
    lab.rekey_child()
    lab.ping(count=8)
    lab.liveness()
    t = lab.terminate()
    lab.capture_stop()
    lab.expect("clean_delete", "chat", t, t + 1, "the client deletes the only IKE SA, acknowledged")
    lab.healthy("every request is answered at once, ESP flows both ways")
    lab.notes.append("ESP was UDP-encapsulated on the wire; the UDP headers were taken out of the "
                     "capture (IP length, protocol and checksum made right)")
