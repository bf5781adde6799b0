"""No IKE; the client hops from UDP port 12346 to 12366, and the headend follows 8 s later.

The run is that of a healthy tunnel with a rekey; IKE is left out and the
ports are changed afterwards (see without_ike.py)."""

import socket

import without_ike
from scenarios.sdwan_no_ike import NOTES

NAT = False
FOLLOWED_AFTER = 8
hop = {}


def rewrite_capture(packets):
    return without_ike.rewrite_capture(packets, **hop)


def run(lab):
    lab.both(child={"esp_proposals": "aes128-sha256"})
    lab.initiate()
    lab.ping(interval=0.5)
    lab.pause(8)
    lab.rekey_child("b")
    lab.pause(16)
    t = lab.event("port-hop", old=12346, new=12366)
    lab.pause(FOLLOWED_AFTER + 8)
    lab.capture_stop()
    hop.update(client=socket.inet_aton(lab.top.addr["a"]), hop=int(t * 1e9),
               followed=int((t + FOLLOWED_AFTER) * 1e9))
    lab.nat_hashes_fit = False
    lab.expect("capture_no_ike", "note", None, None, "there is no IKE in the capture")
    lab.expect("nat_port_flip", "warn", t, t + 8, "the client sends from port 12366 instead of 12346")
    lab.expect("esp_to_stale_port", "warn", t, t + FOLLOWED_AFTER, "the headend still sends to port 12346")
    lab.healthy("ESP flows both ways, only to the wrong port for a while", but=("nat_port_flip", "esp_to_stale_port"))
    lab.notes += NOTES + ["the hop was made afterwards too: what the headend sent to the old port in these 8 s did "
                          "arrive in the run, so that the client's ESP goes on as if nothing were lost"]
