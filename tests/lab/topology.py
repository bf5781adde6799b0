"""Three (or more) network namespaces: client A, router R, headend B.

    A eth0 ------ inside R outside ------ eth0 B
    LAN on lo        (NAT, firewall)      LAN on lo

A second client C, if wanted, has a link of its own to R (inside2). With a WAN
delay a fourth namespace W sits between R and B and forwards frames
in user space (see wan.py).

Every address is from the documentation ranges. Names of namespaces carry a
prefix of their own, so that runs at the same time do not meet.
"""

import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))

NAT_ADDRESS = "198.51.100.7"
NAT_PORT_500 = 61000
NAT_PORT_4500 = 1409
NAT_PORT_500_C = 61001
NAT_PORT_4500_C = 1410

V4 = {"a": "192.0.2.2", "r_in": "192.0.2.1", "r_out": "203.0.113.1",
      "c": "198.51.100.130", "r_in2": "198.51.100.129", "in2_len": "26",
      "b": "203.0.113.2", "in_len": "26", "out_len": "24", "in_net": "192.0.2.0/26"}
V6 = {"a": "2001:db8:a::2", "r_in": "2001:db8:a::1", "r_out": "2001:db8:b::1",
      "b": "2001:db8:b::2", "in_len": "64", "out_len": "64",
      "in_net": "2001:db8:a::/64"}

LAN_A, HOST_A = "192.0.2.64/26", "192.0.2.65"
LAN_B, HOST_B = "192.0.2.128/26", "192.0.2.129"
LAN_C, HOST_C = "192.0.2.192/26", "192.0.2.193"
# A second host in each half of both LANs, for tunnels with two child SAs.
HOST_A2, HOST_B2 = "192.0.2.97", "192.0.2.161"

MAC = {"a": "02:00:00:00:00:0a", "r_in": "02:00:00:00:01:01",
       "r_out": "02:00:00:00:01:02", "b": "02:00:00:00:00:0b",
       "c": "02:00:00:00:00:0c", "r_in2": "02:00:00:00:01:03"}

IKE_ONLY = "@th,64,32 0"            # first four bytes of the UDP payload
# An IKE message in an SKF payload (RFC 7383) on port 4500, fragment number %d.
SKF_FRAGMENT = "@th,64,32 0 @th,224,8 53 @th,352,16 %d"
ESP_ONLY = "@th,64,32 != 0 udp length > 20"


def run(*argv, check=True, text_input=None):
    done = subprocess.run(argv, input=text_input, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(argv), done.stdout.strip()))
    return done.stdout


class Topology:
    def __init__(self, nat=True, ipv6=False, wan_delay=None, second_client=False,
                 wan_faults=()):
        self.prefix = "ipl%d" % os.getpid()
        self.nat = nat
        self.ipv6 = ipv6
        self.wan_delay = wan_delay
        self.wan_faults = wan_faults
        self.second_client = second_client
        self.addr = V6 if ipv6 else V4
        self.nat_port = NAT_PORT_4500
        self.spaces = []
        self.children = []          # processes started here, ended by pid

    # -- namespaces ---------------------------------------------------------

    def ns(self, host):
        return "%s-%s" % (self.prefix, host)

    def inside(self, host, *argv, **kw):
        return run("ip", "netns", "exec", self.ns(host), *argv, **kw)

    def start(self, host, *argv, **kw):
        child = subprocess.Popen(
            ("ip", "netns", "exec", self.ns(host)) + argv,
            stdin=subprocess.DEVNULL, start_new_session=True, **kw)
        self.children.append(child)
        return child

    def stop(self, child, how=signal.SIGTERM, wait=8):
        if child.poll() is None:
            child.send_signal(how)
            try:
                child.wait(wait)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child in self.children:
            self.children.remove(child)

    def up(self):
        hosts = ["a", "r", "b"] + (["w"] if self.wan_delay else []) + (
            ["c"] if self.second_client else [])
        for host in hosts:
            run("ip", "netns", "add", self.ns(host))
            self.spaces.append(host)
        for host in hosts:
            for knob, value in (("ipv4.conf.all.rp_filter", 0),
                                ("ipv4.conf.default.rp_filter", 0),
                                ("ipv6.conf.default.disable_ipv6", 0 if self.ipv6 else 1),
                                ("ipv6.conf.all.disable_ipv6", 0 if self.ipv6 else 1),
                                ("ipv6.conf.default.accept_dad", 0),
                                ("ipv6.conf.default.router_solicitations", 0)):
                self.inside(host, "sysctl", "-qw", "net.%s=%s" % (knob, value))
            run("ip", "-n", self.ns(host), "link", "set", "lo", "up")
        self._link("a", "eth0", "r", "inside")
        if self.wan_delay:
            self._link("r", "outside", "w", "left")
            self._link("w", "right", "b", "eth0")
        else:
            self._link("r", "outside", "b", "eth0")
        self._mac("a", "eth0", "a")
        self._mac("r", "inside", "r_in")
        self._mac("r", "outside", "r_out")
        self._mac("b", "eth0", "b")
        a = self.addr
        self._address("a", "eth0", a["a"], a["in_len"])
        self._address("r", "inside", a["r_in"], a["in_len"])
        self._address("r", "outside", a["r_out"], a["out_len"])
        self._address("b", "eth0", a["b"], a["out_len"])
        for host, *hosts_of_lan in (("a", HOST_A, HOST_A2), ("b", HOST_B, HOST_B2)):
            for lan in hosts_of_lan:
                run("ip", "-n", self.ns(host), "addr", "add", lan + "/32", "dev", "lo")
        family = "-6" if self.ipv6 else "-4"
        out_net = "2001:db8:b::/64" if self.ipv6 else "203.0.113.0/24"
        run("ip", family, "-n", self.ns("a"), "route", "add", out_net, "via", a["r_in"])
        run("ip", family, "-n", self.ns("b"), "route", "add", a["in_net"], "via", a["r_out"])
        if self.second_client:
            self._second_client()
        # LAN traffic that no tunnel takes must not leave in clear.
        run("ip", "-n", self.ns("a"), "route", "add", "blackhole", LAN_B)
        run("ip", "-n", self.ns("b"), "route", "add", "blackhole", LAN_A)
        self.inside("r", "sysctl", "-qw", "net.ipv%s=1" % (
            "6.conf.all.forwarding" if self.ipv6 else "4.ip_forward"))
        for host in ("r", "a", "b"):
            self._nft(host, "add table inet fw")
        # Chains for loss, one on each side of the capture point.
        self._nft("r", "add chain inet fw pass { type filter hook forward priority 0; }")
        self._nft("b", "add chain inet fw rx { type filter hook prerouting priority -300; }")
        self._nft("b", "add chain inet fw tx { type filter hook output priority 0; }")
        self._nft("a", "add chain inet fw rx { type filter hook prerouting priority -300; }")
        if self.nat:
            run("ip", "-n", self.ns("r"), "addr", "add", NAT_ADDRESS + "/32", "dev", "lo")
            run("ip", "-n", self.ns("b"), "route", "add", NAT_ADDRESS, "via", a["r_out"])
            # Nothing on R itself answers on the NAT address: silence, no ICMP.
            self._nft("r", "add chain inet fw self { type filter hook input priority 0; }")
            self._nft("r", "add rule inet fw self ip daddr %s drop" % NAT_ADDRESS)
            self._nft("r", "add table ip nat")
            self._nft("r", "add chain ip nat post { type nat hook postrouting priority 100; }")
            self._nat_rules()
        if self.wan_delay:
            self.start("w", sys.executable, os.path.join(HERE, "wan.py"),
                       "left", "right", str(self.wan_delay), *self.wan_faults)
        # First neighbour lookups here, not inside the capture.
        self.inside("a", "ping", "-c1", "-W2", "-n", a["r_in"])
        self.inside("r", "ping", "-c1", "-W2", "-n", a["b"])

    def _second_client(self):
        a = self.addr
        self._link("c", "eth0", "r", "inside2")
        self._mac("c", "eth0", "c")
        self._mac("r", "inside2", "r_in2")
        self._address("c", "eth0", a["c"], a["in2_len"])
        self._address("r", "inside2", a["r_in2"], a["in2_len"])
        run("ip", "-n", self.ns("c"), "addr", "add", HOST_C + "/32", "dev", "lo")
        run("ip", "-n", self.ns("c"), "route", "add", "203.0.113.0/24", "via", a["r_in2"])
        run("ip", "-n", self.ns("c"), "route", "add", "blackhole", LAN_B)
        run("ip", "-n", self.ns("b"), "route", "add", "blackhole", LAN_C)
        self.inside("c", "ping", "-c1", "-W2", "-n", a["r_in2"])

    def _link(self, host, name, other, other_name):
        run("ip", "-n", self.ns(host), "link", "add", name, "type", "veth",
            "peer", "name", other_name, "netns", self.ns(other))
        for where, iface in ((host, name), (other, other_name)):
            run("ip", "-n", self.ns(where), "link", "set", iface, "up")
            self.inside(where, "ethtool", "-K", iface, "tx", "off", "gso", "off",
                        "tso", "off", "gro", "off", check=False)

    def _mac(self, host, iface, key):
        run("ip", "-n", self.ns(host), "link", "set", iface, "address", MAC[key])

    def _address(self, host, iface, address, length):
        extra = ("nodad",) if self.ipv6 else ()
        run("ip", "-n", self.ns(host), "addr", "add", address + "/" + length,
            "dev", iface, *extra)

    def _nft(self, host, rules):
        return self.inside(host, "nft", "-f", "-", text_input=rules + "\n")

    # -- faults -------------------------------------------------------------

    def _nat_rules(self):
        self._nft("r", "flush chain ip nat post")
        rules = [("a", 500, NAT_PORT_500), ("a", 4500, self.nat_port)]
        if self.second_client:
            rules += [("c", 500, NAT_PORT_500_C), ("c", 4500, NAT_PORT_4500_C)]
        for client, port, mapped in rules:
            self._nft("r", "add rule ip nat post ip saddr %s udp sport %d oifname "
                      "outside snat to %s:%d" % (self.addr[client], port, NAT_ADDRESS, mapped))

    def flip(self, new_port):
        """The NAT forgets its mappings and takes another port for 4500."""
        self.nat_port = new_port
        self._nat_rules()
        self.inside("r", "conntrack", "-F")

    def drop(self, host, chain, match):
        """Add a counted drop rule; return a handle for drops() and undrop()."""
        tag = "d%d" % int(time.monotonic() * 1e6)
        self._nft(host, 'add rule inet fw %s %s counter drop comment "%s"'
                  % (chain, match, tag))
        return (host, chain, tag)

    def _rule(self, handle):
        host, chain, tag = handle
        listing = self.inside(host, "nft", "-a", "list", "chain", "inet", "fw", chain)
        line = next(l for l in listing.splitlines() if tag in l)
        return (int(re.search(r"packets (\d+)", line).group(1)),
                re.search(r"handle (\d+)", line).group(1))

    def drops(self, handle):
        return self._rule(handle)[0]

    def undrop(self, handle):
        count, number = self._rule(handle)
        self._nft(handle[0], "delete rule inet fw %s handle %s" % (handle[1], number))
        return count

    def wait_drops(self, handle, count=1, timeout=30):
        end = time.monotonic() + timeout
        while self.drops(handle) < count:
            if time.monotonic() > end:
                raise RuntimeError("nothing was dropped in %g s" % timeout)
            time.sleep(0.05)

    def down(self):
        for child in list(self.children):
            self.stop(child, signal.SIGTERM, 3)
        for host in self.spaces:
            run("ip", "netns", "del", self.ns(host), check=False)
        self.spaces = []
