"""Two clients behind a NAT that restarts: each gets the ports that were the other one's.

The headend learns that from the clients' next liveness checks, some seconds
later, and rekeys both children at nearly the same moment (kernel-libipsec).
Whose the new SPIs are, only the ports tell, as they are after the restart."""

from topology import HOST_B, HOST_C, NAT_ADDRESS, NAT_PORT_500, NAT_PORT_500_C, NAT_PORT_4500, NAT_PORT_4500_C

SECOND_CLIENT = True
SWAPPED = (("a", 500, NAT_PORT_500_C), ("a", 4500, NAT_PORT_4500_C), ("c", 500, NAT_PORT_500), ("c", 4500, NAT_PORT_4500))


def run(lab):
    top = lab.top
    headend, second = lab.config("b"), lab.config("b", client="c", name="second")
    for part in headend:
        headend[part].update(second[part])
    lab.b.start(headend)
    for charon, side in ((lab.a, "a"), (lab.c, "c")):
        charon.start(lab.config(side, {"dpd_delay": "4s"}))
    lab.capture_start()
    lab.initiate()
    lab.ping(interval=0.5)
    lab.initiate(by="c")
    lab.ping(interval=0.5, host="c", src=HOST_C, dst=HOST_B)
    lab.pause(6)
    mark = lab.b.log.mark()
    top._nft("r", "flush chain ip nat post")
    for client, port, mapped in SWAPPED:
        top._nft("r", "add rule ip nat post ip saddr %s udp sport %d oifname outside snat to %s:%d"
                 % (top.addr[client], port, NAT_ADDRESS, mapped))
    top.inside("r", "conntrack", "-F")
    t = lab.event("nat-restart", note="each client has the other one's ports")
    learned = lab.b.log.wait(r"remote endpoint changed", mark, 30, count=2)
    lab.pause(5)
    lab.capture_stop()
    lab.expect("nat_port_flip", "warn", t, learned + 1, "port 1409 becomes 1410 on the same SPIs")
    lab.expect("nat_port_flip", "warn", t, learned + 1, "port 1410 becomes 1409 on the same SPIs")
    lab.expect("esp_to_stale_port", "warn", t, learned + 1, "the headend sends to the old ports until it learns the new ones")
    lab.accept("nat_port_flip esp_to_stale_port esp_one_way rekey_collision")
    lab.never("tunnel_flap tunnel_down dpd_loss rekey_no_response ike_no_response spi_desync reauthentication "
              "retransmit_exhausted child_down clean_delete delete_no_restart", "both tunnels get over it")
    lab.cause("nat_port_flip")
