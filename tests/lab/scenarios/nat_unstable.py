"""A NAT that forgets after 8 s of silence, and a client that keeps the mapping alive every 12 s only.

The NAT takes another port from its pool for every new mapping. Pings at most
5 s apart keep the mapping; each keepalive (every 12 s, when nothing else is
sent) comes too late and gets a new port. The headend learns it from the
client's next liveness check or traffic; nothing is given up."""

import topology

CHARON_A = {"keep_alive": "12s"}
FORGETS_AFTER = 8


def run(lab):
    top = lab.top
    top.inside("r", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=%d" % FORGETS_AFTER,
               "net.netfilter.nf_conntrack_udp_timeout_stream=%d" % FORGETS_AFTER)
    top._nft("r", "flush chain ip nat post")
    for port, mapped in ((500, "61000"), (4500, "20000-29999")):
        top._nft("r", "add rule ip nat post ip saddr %s udp sport %d oifname outside snat to %s:%s random"
                 % (top.addr["a"], port, topology.NAT_ADDRESS, mapped))
    lab.both(a={"conn": {"dpd_delay": "20s"}})
    lab.initiate()
    lab.ping(count=3)
    lab.pause(5)                       # survives
    lab.ping(count=2)
    first = lab.event("idle")
    for _ in range(4):
        lab.pause(14)                  # a keepalive after 12 s finds no mapping any more
        lab.ping(count=3)
        lab.pause(4)                   # survives
        last = lab.event("traffic-again")
        lab.ping(count=2)
    lab.capture_stop()
    lab.expect("nat_port_flip", "warn", first, last, "a new port after each silence longer than 8 s")
    lab.expect("nat_unstable", "warn", first, last, "the third flip within five minutes")
    lab.accept("esp_to_stale_port esp_one_way retransmission dpd_unanswered esp_loss rekey_collision "
               "rekey_too_frequent")
    lab.never("tunnel_down tunnel_flap dpd_loss retransmit_exhausted auth_failed proposal_mismatch "
              "delete_no_restart capture_no_ike", "the tunnel works again after each flip")
    lab.notes.append("the headend's rekey each time it learns a new port is a habit of kernel-libipsec")
    lab.notes.append("the NAT's timeout is %d s, the keepalive interval 12 s" % FORGETS_AFTER)
