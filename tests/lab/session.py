"""One run of one scenario: build, act, capture, tell the truth, tidy up."""

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import keys
import need
import pcapng
import pki
import topology
import verify
from charon import Charon, merge

SECRET = "not-a-secret-this-is-a-sample"
CLIENT, HEADEND = "client.example.com", "headend.example.com"
IDS = {"a": CLIENT, "c": "second.example.com"}
LANS = {"a": topology.LAN_A, "c": topology.LAN_C}
CERTIFICATE = {"auth": "pubkey", "certs": "own.pem"}

# What a healthy capture must not show.
HEALTHY_NOT = ("retransmission", "retransmit_exhausted", "ike_no_response",
               "rekey_no_response", "rekey_rejected", "child_rejected",
               "proposal_mismatch", "pfs_mismatch", "ke_group_retry", "ts_unacceptable",
               "auth_failed", "dpd_unanswered", "dpd_loss", "rekey_collision",
               "rekey_too_frequent", "lifetime_mismatch", "reauthentication",
               "fragment_loss", "spi_desync", "invalid_spi", "invalid_ike_spi",
               "esp_one_way", "esp_to_stale_port", "esp_replay", "esp_loss",
               "esp_sequence_reset", "esp_icv_mismatch", "mtu_blackhole",
               "nat_port_flip", "nat_unstable", "address_change", "icmp_unreachable",
               "tunnel_down", "child_down", "tunnel_flap", "delete_no_restart")


# What a busy machine does to a run by itself, as charon's log says it.
ACCIDENTS = {"retransmission": r"\bretransmit \d+ of request",
             "rekey_collision": r"rekey collision"}


class Session:
    """What a scenario's run(lab) works with.

    lab.a / lab.b        the charons of client and headend
    lab.c                a second client's, with SECOND_CLIENT
    lab.top              topology: flip(), drop(), undrop(), wait_drops()
    lab.expect(...)      a finding the capture must show
    lab.never(ids, why)  findings it must not show
    lab.accept(ids)      findings whose definition allows them here
    """

    def __init__(self, name, scenario, out):
        self.name, self.scenario = name, scenario
        self.folder = os.path.join(out, name)
        self.work = tempfile.mkdtemp(prefix="iplab-")
        os.chmod(self.work, 0o755)
        self.nat = getattr(scenario, "NAT", True)
        self.ipv6 = getattr(scenario, "IPV6", False)
        self.inside = getattr(scenario, "INSIDE", False)
        self.top = topology.Topology(self.nat, self.ipv6,
                                     getattr(scenario, "WAN_DELAY", None),
                                     getattr(scenario, "SECOND_CLIENT", False),
                                     getattr(scenario, "WAN_FAULTS", ()))
        charon = getattr(scenario, "CHARON", {})
        timers = dict({"retransmit_timeout": "1.0", "retransmit_base": "1.5",
                       "retransmit_tries": 4}, **charon)
        own = lambda side: dict(timers, **getattr(scenario, "CHARON_" + side, {}))
        more = getattr(scenario, "PLUGINS", "")
        root = need.strongswan6() if getattr(scenario, "STRONGSWAN6", False) else None
        self.hosts = {host: Charon(self.top, host, self.work, own(host.upper()), more, root)
                      for host in ("abc" if self.top.second_client else "ab")}
        self.a, self.b, self.c = (self.hosts.get(host) for host in "abc")
        self.captures, self.pings, self.background = [], [], []
        self.driver, self.notes = [], []
        self.expected, self.not_expected = [], []
        self.acceptable, self.root = [], []
        self.moves_to = []   # further addresses of the client
        self.nat_hashes_fit = True
        self.unwell = None   # where the clients of all tunnels were first that are not healthy at the end; None: not said
        self.end = None

    # -- configuration ------------------------------------------------------

    def config(self, side, conn=None, child=None, children=None, secret=SECRET, more=None,
               client=None, name="gw"):
        """A swanctl.conf for one side. conn / child override the defaults, more
        is put beside them. The headend's is for one client (a)."""
        addr = self.top.addr
        client = client or ("a" if side == "b" else side)
        me, peer = IDS[client], HEADEND
        nets = {"local_ts": LANS[client], "remote_ts": topology.LAN_B}
        if side == "b":
            me, peer = peer, me
            nets = {"local_ts": topology.LAN_B, "remote_ts": LANS[client]}
        base_child = merge(dict(nets, esp_proposals="aes128-sha256", rekey_time="0",
                                start_action="none", close_action="none",
                                dpd_action="clear" if side == "b" else "restart"),
                           child or {})
        if children is None:
            children = {"net": {}}
        gw = {"version": 2, "local_addrs": addr[side],
              "remote_addrs": "%any" if side == "b" else addr["b"],
              "proposals": "aes128-sha256-ecp256", "rekey_time": "0", "reauth_time": "0",
              "dpd_delay": "0", "encap": "yes", "keyingtries": 1, "mobike": "no",
              "local": {"auth": "psk", "id": me}, "remote": {"auth": "psk", "id": peer},
              "children": {name: merge(copy.deepcopy(base_child), own)
                           for name, own in children.items()}}
        merge(gw, conn or {})
        return merge({"connections": {name: gw},
                      "secrets": {"ike-" + name: {"id-a": IDS[client], "id-b": HEADEND,
                                                  "secret": '"%s"' % secret}}},
                     copy.deepcopy(more or {}))

    def certificates(self, one_ca=True):
        """Give both hosts a certificate (CERTIFICATE). Each trusts its own CA only."""
        for cas in ({self.a.dir: CLIENT, self.b.dir: HEADEND},) if one_ca else (
                {self.a.dir: CLIENT}, {self.b.dir: HEADEND}):
            pki.make(self.work, cas)

    def both(self, conn=None, child=None, a=None, b=None):
        """Start both charons; a and b are dicts of extra config() arguments."""
        def side(name, extra):
            extra = dict(extra or {})
            return self.config(name, merge(copy.deepcopy(conn or {}), extra.pop("conn", {})),
                               merge(copy.deepcopy(child or {}), extra.pop("child", {})), **extra)
        self.b.start(side("b", b))
        self.a.start(side("a", a))
        self.capture_start()

    # -- acting -------------------------------------------------------------

    def event(self, kind, **more):
        t = round(time.time(), 3)
        self.driver.append(dict({"t": t, "kind": kind, "src": "driver"}, **more))
        return t

    def initiate(self, child="net", timeout=60, expect=True, by="a"):
        """A client brings the tunnel up; returns when both say it is up."""
        host = self.hosts[by]
        mark, mark_b = host.log.mark(), self.b.log.mark()
        t = self.event("initiate", by=by, child=child)
        code, said = host.swanctl("--initiate", "--child", child, "--timeout", str(timeout))
        if expect:
            if code:
                raise RuntimeError("the tunnel did not come up: " + said[-400:])
            self.b.log.wait(r"CHILD_SA .* established", mark_b, 10)
            host.log.wait(r"CHILD_SA .* established", mark, 10)
        return t

    def initiate_in_vain(self, times, by="a"):
        """A client tries to bring the tunnel up until it gives up, several times. When the first try
        began, and when the last one was given up."""
        host = self.hosts[by]
        mark = host.log.mark()
        began = None
        for attempt in range(1, times + 1):
            t = self.initiate(expect=False, timeout=20, by=by)
            gone = host.log.wait(r"giving up after", mark, 30, count=attempt)
            began = t if began is None else began
        return began, gone

    def command(self, host, *args, **more):
        t = self.event(args[0].lstrip("-"), by=host, args=" ".join(args[1:]))
        self.hosts[host].swanctl(*args, **more)
        return t

    def rekey_child(self, by="a", child="net"):
        """One side rekeys a child SA of the tunnel (IKEv2) and succeeds. When it began."""
        return self._done_by(by, r"outbound CHILD_SA .* established", "--rekey", "--child", child)

    def rekey_ike(self, by="a"):
        return self._done_by(by, r"IKE_SA .* rekeyed", "--rekey", "--ike", "gw")

    def terminate(self, by="a"):
        return self._done_by(by, r"received DELETE for IKE_SA", "--terminate", "--ike", "gw")

    def _done_by(self, by, done, *args):
        """What one side begins is done when the other one's log says so."""
        log = (self.a if by == "b" else self.b).log
        mark = log.mark()
        t = self.command(by, *args)
        log.wait(done, mark, 10)
        return t

    def liveness(self, by="a"):
        """Until one side has sent its next liveness check, and a moment for the answer."""
        log = self.hosts[by].log
        log.wait(r"sending DPD request", log.mark(), 20)
        self.pause(0.8)

    def ping(self, interval=0.5, count=None, src=None, dst=None, reverse=False, host="a"):
        src = src or (topology.HOST_B if reverse else topology.HOST_A)
        dst = dst or (topology.HOST_A if reverse else topology.HOST_B)
        host = "b" if reverse else host
        argv = ["ping", "-n", "-q", "-s", "16", "-i", str(interval), "-I", src, dst]
        if count:
            argv[1:1] = ["-c", str(count), "-W", "1"]
        self.event("traffic-start", frm=host, to=dst, interval=interval, count=count)
        child = self.top.start(host, *argv, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        if count:
            child.wait(count * interval + 20)
            return None
        self.pings.append(child)
        return child

    def ping_end(self, child):
        """End one of the pings."""
        self.top.stop(child, signal.SIGINT)
        self.pings.remove(child)
        self.event("traffic-stop")

    def ping_stop(self):
        for child in self.pings:
            self.top.stop(child, signal.SIGINT)
        self.pings = []
        self.event("traffic-stop")

    def pause(self, seconds):
        """Let traffic flow (for times where there is no event to wait for)."""
        time.sleep(seconds)

    def alive(self, seconds, every=3):
        """Pings between R and B, outside any tunnel: the link and the capture
        go on, so that the silence of the tunnel means something."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pause(every)
            self.top.inside("r", "ping", "-c1", "-n", self.top.addr["b"])

    # -- capture ------------------------------------------------------------

    def capture_start(self):
        points = [("capture.pcapng", "outside")]
        if self.inside:
            points.append(("capture-inside.pcapng", "inside"))
        for name, iface in points:
            raw = os.path.join(self.work, name)
            said = open(raw + ".out", "w")
            child = self.top.start("r", "dumpcap", "-q", "-i", iface, "-w", raw, "-f",
                                   "udp or icmp", stdout=said, stderr=subprocess.STDOUT)
            self.captures.append((name, raw, child))
            end = time.monotonic() + 15
            while "File:" not in open(raw + ".out").read():
                if child.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("dumpcap: " + open(raw + ".out").read())
                time.sleep(0.05)
        self.event("capture-start")

    def capture_stop(self, after=1.0):
        """End of the capture; what follows is not part of the sample."""
        time.sleep(after)
        self.end = self.event("capture-stop")
        for name, raw, child in self.captures:
            self.top.stop(child, signal.SIGINT)
        if self.pings:
            self.ping_stop()

    # -- truth --------------------------------------------------------------

    def expect(self, finding, severity, t0, t1, text, needs_keys=False, **more):
        self.expected.append(dict({
            "finding": finding, "severity": severity, "t0": None if t0 is None else round(t0, 3),
            "t1": None if t1 is None else round(t1, 3), "needs_keys": needs_keys,
            "text": text}, **more))

    def never(self, findings, why):
        self.not_expected += [{"finding": f, "why": why}
                              for f in (findings.split() if isinstance(findings, str)
                                        else findings)]

    def healthy(self, why, but=()):
        self.never([f for f in HEALTHY_NOT if f not in but], why)

    def accept(self, findings):
        self.acceptable += findings.split()

    def cause(self, findings):
        self.root += findings.split()

    # -- the whole run ------------------------------------------------------

    def run(self):
        began = time.monotonic()
        try:
            self.top.up()
            self.scenario.run(self)
            if not self.end:
                self.capture_stop()
            for charon in self.hosts.values():
                charon.stop()
            return self._finish(round(time.monotonic() - began, 1))
        finally:
            for sign in (signal.SIGINT, signal.SIGTERM):
                signal.signal(sign, signal.SIG_IGN)
            self.top.down()
            if not os.environ.get("LAB_KEEP"):
                shutil.rmtree(self.work, ignore_errors=True)

    def _finish(self, seconds):
        fresh = self.folder + ".new"
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        self._accidents()
        found = keys.Keys()
        logs = [log for charon in self.hosts.values() for log in charon.logs]
        for log in logs:
            found.read_log(log)
        everything = []
        change = getattr(self.scenario, "rewrite", lambda frame: frame)
        for name, raw, _ in self.captures:
            linktype, packets = pcapng.read(raw)
            packets = [(stamp, change(frame)) for stamp, frame in packets]
            everything += packets
            pcapng.write(os.path.join(fresh, name), linktype, packets)
        everything.sort(key=lambda packet: packet[0])
        rows, rows1, rows2, stats = found.tables(everything)
        keys.write(os.path.join(fresh, "keys"), rows, rows1, rows2)
        counts = verify.verify(fresh)
        rewrite_capture = getattr(self.scenario, "rewrite_capture", None)
        if rewrite_capture:             # into what Wireshark alone cannot dissect, so afterwards
            for name, raw, _ in self.captures:
                linktype, packets = pcapng.read(raw)
                pcapng.write(os.path.join(fresh, name), linktype, rewrite_capture(packets))
        top = self.top
        places = {"capture.pcapng": "R outside, after the NAT" if self.nat
                  else "R outside, between R and B"}
        if self.inside:
            places["capture-inside.pcapng"] = "R inside, before the NAT"
        events = self.driver + [e for log in logs for e in log.events()]
        truth = {
            "name": self.name,
            "generated_by": "strongSwan %s charon with kernel-libipsec (userspace ESP in UDP), "
                            "tests/lab" % self._version(),
            "about": " ".join(self.scenario.__doc__.split()),
            "topology": {
                "A": "%s (LAN %s)" % (top.addr["a"], topology.LAN_A),
                "R_inside": top.addr["r_in"], "R_outside": top.addr["r_out"],
                "nat_address": topology.NAT_ADDRESS if self.nat else None,
                "nat_ports": {"500": topology.NAT_PORT_500, "4500": top.nat_port}
                             if self.nat else None,
                "B": "%s (LAN %s)" % (top.addr["b"], topology.LAN_B),
                **self._second_client()},
            "capture_points": places,
            "nat": {name: self._nat(name) for name in places},
            "expected_findings": self.expected,
            "expected_non_findings": self.not_expected,
            "acceptable_findings": sorted(set(self.acceptable)),
            "root_cause": self.root,
            **({} if self.unwell is None else {"unwell": self.unwell}),
            "analyst_notes": self.notes,
            "key_stats": stats,
            "verify": counts,
            "wall_seconds": seconds,
            "events": sorted(events, key=lambda event: event["t"])}
        with open(os.path.join(fresh, "truth.json"), "w") as out:
            json.dump(truth, out, indent=1)
            out.write("\n")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.rename(fresh, self.folder)
        return stats, counts

    def _accidents(self):
        """The truth must not say never where charon's log says once."""
        never = {entry["finding"] for entry in self.not_expected}
        for finding in never & set(ACCIDENTS):
            for charon in self.hosts.values():
                for log in charon.logs:
                    t = log.find(ACCIDENTS[finding])
                    if t and t < self.end:
                        raise RuntimeError("%s by accident (busy machine?): run it again" % finding)

    def _second_client(self):
        if not self.top.second_client:
            return {}
        return {"C": "%s (LAN %s)" % (self.top.addr["c"], topology.LAN_C),
                "nat_ports_of_C": {"500": topology.NAT_PORT_500_C,
                                   "4500": topology.NAT_PORT_4500_C}}

    def _nat(self, capture):
        """Where each peer's NAT is, seen from the capture point; None: the hashes are not about the capture's ports."""
        if not self.nat_hashes_fit:
            return None
        client, headend = self.top.addr["a"], self.top.addr["b"]
        moved = {address: "none" for address in self.moves_to}
        if not self.nat:
            return {client: "none", headend: "none", **moved}
        if "inside" in capture:
            return {client: "beyond", headend: "none"}
        return {topology.NAT_ADDRESS: "before", headend: "none", **moved}

    def _version(self):
        for charon in self.hosts.values():
            for log in charon.logs:
                for entry in log.entries:
                    found = re.search(r"strongSwan (\d+\.\d+\.\d+)", entry[3])
                    if found:
                        return found.group(1)
        return "charon"
