"""22 clients behind one NAT address, 20 of them well.

Each client has an identity, an address and a port of its own at the NAT. One
idles, one rekeys, one has its port changed and goes on, one leaves. Two are
broken: the headend stops hearing one, which gives up and starts anew from
another port; it refuses every rekey of another one (the DH groups for PFS
differ)."""

import concurrent.futures

from charon import Charon
from topology import LAN_B, NAT_ADDRESS, HOST_B, run as execute

CLIENTS = 22
GATEWAY = "198.51.100.129"
FLIPS, LEAVES, REKEYS, IDLES, DEAF, REFUSED = 3, 5, 7, 9, 20, 21
DPD = {FLIPS: "12s", IDLES: "8s", DEAF: "8s"}


def address(n):
    return "198.51.100.%d" % (140 + n)


def lan(n):
    return "192.0.2.%d" % (200 + n)


def identity(n):
    return "client%02d.example.com" % n


def port(n):
    return 20000 + n


def map_ports(top, changed):
    """Fixed ports at the NAT, but for those in `changed`."""
    top._nft("r", "flush chain ip nat post")
    for n in range(CLIENTS):
        for own, mapped in ((500, 30000 + n), (4500, changed.get(n, port(n)))):
            top._nft("r", "add rule ip nat post ip saddr %s udp sport %d oifname outside snat to %s:%d"
                     % (address(n), own, NAT_ADDRESS, mapped))


def add_client(lab, n):
    """A host of its own behind the NAT, and its charon."""
    top, host = lab.top, "k%d" % n
    execute("ip", "netns", "add", top.ns(host))
    top.spaces.append(host)
    for knob in ("ipv4.conf.all.rp_filter=0", "ipv4.conf.default.rp_filter=0", "ipv6.conf.default.disable_ipv6=1",
                 "ipv6.conf.all.disable_ipv6=1"):
        top.inside(host, "sysctl", "-qw", "net." + knob)
    execute("ip", "-n", top.ns(host), "link", "set", "lo", "up")
    top._link(host, "eth0", "r", host)
    own = ("ip", "-n", top.ns(host))
    execute(*own, "addr", "add", address(n) + "/32", "dev", "eth0")
    execute(*own, "addr", "add", lan(n) + "/32", "dev", "lo")
    execute(*own, "route", "add", GATEWAY, "dev", "eth0")
    execute(*own, "route", "add", "203.0.113.0/24", "via", GATEWAY)
    execute(*own, "route", "add", "blackhole", LAN_B)
    execute("ip", "-n", top.ns("r"), "addr", "add", GATEWAY + "/32", "dev", host)
    execute("ip", "-n", top.ns("r"), "route", "add", address(n), "dev", host)
    timers = {"retransmit_timeout": "1.0", "retransmit_base": "1.5", "retransmit_tries": 3}
    lab.hosts[host] = Charon(top, host, lab.work, timers, "", None)
    config = lab.config("a", {"local_addrs": address(n), "proposals": "aes128-sha256-x25519",
                              "local": {"auth": "psk", "id": identity(n)},
                              "dpd_delay": DPD.get(n, "0")},
                        {"local_ts": lan(n) + "/32", "esp_proposals": "aes128-sha256-ecp256" if n == REFUSED else "aes128-sha256"})
    config["secrets"]["ike-gw"]["id-a"] = identity(n)
    return host, config


def headend(lab):
    """One connection for all, and one with another DH group for the client whose rekeys are refused."""
    config = lab.config("b", {"proposals": "aes128-sha256-x25519", "remote": {"auth": "psk", "id": "%any"}},
                        {"remote_ts": "192.0.2.192/26"})
    other = lab.config("b", {"proposals": "aes128-sha256-x25519", "remote": {"auth": "psk", "id": identity(REFUSED)}},
                       {"remote_ts": lan(REFUSED) + "/32", "esp_proposals": "aes128-sha256-modp2048"}, name="other")
    config["connections"].update(other["connections"])
    secret = config["secrets"]["ike-gw"]["secret"]
    config["secrets"] = {"ike-all": {"secret": secret}}
    return config


def ping(lab, n, count=2):
    lab.top.inside("k%d" % n, "ping", "-n", "-q", "-c", str(count), "-i", "0.4", "-W", "1", "-s", "16", "-I", lan(n), HOST_B,
                   check=False)


def run(lab):
    top = lab.top
    lab.b.start(headend(lab))
    clients = [add_client(lab, n) for n in range(CLIENTS)]
    for host, config in clients:
        lab.hosts[host].start(config)
    map_ports(top, {})
    execute("ip", "-n", top.ns("b"), "route", "add", "blackhole", "192.0.2.192/26")
    lab.capture_start()
    for n in range(CLIENTS):
        lab.initiate(by="k%d" % n)
        ping(lab, n)
    lab.rekey_child("k%d" % REKEYS)
    ping(lab, REKEYS)

    flip = lab.event("nat-port-remap", at="R", client=FLIPS, old=port(FLIPS), new=21003)
    map_ports(top, {FLIPS: 21003})
    mark = lab.b.log.mark()
    top.inside("r", "conntrack", "-D", "-s", address(FLIPS), check=False)
    flipped = lab.b.log.wait(r"remote endpoint changed", mark, 30)
    lab.b.log.wait(r"outbound CHILD_SA .* established", mark, 10)
    ping(lab, FLIPS, 5)

    left = lab.terminate("k%d" % LEAVES)

    refused = lab.event("rekeys-refused")
    for _ in range(3):
        mark = lab.hosts["k%d" % REFUSED].log.mark()
        lab.command("k%d" % REFUSED, "--rekey", "--child", "net")
        lab.hosts["k%d" % REFUSED].log.wait(r"NO_PROPOSAL_CHOSEN|failed to establish CHILD_SA", mark, 10)
        ping(lab, REFUSED, 1)
        lab.pause(1)

    deaf = lab.hosts["k%d" % DEAF]
    expression = "udp sport { %d, %d }" % (port(DEAF), 30000 + DEAF)
    rule = top.drop("b", "rx", expression)
    mark = deaf.log.mark()
    lost = lab.event("drop-rule-on", where="B", expr=expression)
    gone = deaf.log.wait(r"giving up after", mark, 60)
    lab.event("nat-port-remap", at="R", client=DEAF, old=port(DEAF), new=22020)
    map_ports(top, {FLIPS: 21003, DEAF: 22020})
    top.inside("r", "conntrack", "-D", "-s", address(DEAF), check=False)
    lab.event("drop-rule-off", where="B", packets_dropped=top.undrop(rule))
    back = deaf.log.wait(r"CHILD_SA .* established", mark, 60)
    ping(lab, DEAF, 3)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: ping(lab, n, 1), [n for n in range(CLIENTS) if n != LEAVES]))
    lab.capture_stop()

    lab.expect("nat_port_flip", "warn", flip, flipped, "client %d: port %d becomes 21003, a liveness check shows it at once" % (FLIPS, port(FLIPS)))
    lab.expect("clean_delete", "chat", left, left + 1, "client %d leaves, acknowledged" % LEAVES)
    lab.expect("rekey_rejected", "warn", refused, lost, "client %d: every rekey is refused" % REFUSED)
    lab.expect("dpd_loss", "error", lost, back, "client %d: its liveness check stays unanswered" % DEAF)
    lab.expect("retransmit_exhausted", "error", lost, back, "client %d gives up" % DEAF)
    lab.expect("tunnel_flap", "error", gone, back, "client %d starts anew, from another port" % DEAF)
    lab.unwell = ["%s:%d" % (NAT_ADDRESS, 30000 + n) for n in (DEAF, REFUSED)]
    lab.accept("ike_no_response pfs_mismatch proposal_mismatch retransmission esp_one_way child_rejected esp_to_stale_port spi_desync dpd_unanswered")
    lab.never("nat_unstable auth_failed tunnel_down delete_no_restart", "20 clients are well")
    lab.cause("dpd_loss rekey_rejected pfs_mismatch proposal_mismatch")
    lab.nat_hashes_fit = False
    lab.notes.append("broken are the clients with ports %d (%s) and %d (%s) at the NAT, and no others"
                     % (port(DEAF), identity(DEAF), port(REFUSED), identity(REFUSED)))
