#!/usr/bin/env python3
# mutate.py - do damaged captures make the plugin crash, read too far, or run away?
#
#     tests/robustness/mutate.py --plugin PLUGIN [--preload LIBASAN] [--together | --undamaged] [--seed NUMBER] [--rates R,R,R] CAPTURE...
#
# Each capture is damaged in many ways (flipped bytes, cut packets, another order, duplicates, moved and jumping clocks) and read in one pass
# and in two, with all reports and all details; then packets made of random bytes. With --together the captures are one capture first, so that
# few runs see all of them; with --undamaged they are read as they are. What the findings are is another question; here a run fails if it crashes, if a sanitizer speaks, if GLib or
# Wireshark complain about the plugin, if the JSON report is not JSON, or if it takes more processor time or memory than any of these could.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import runner  # noqa: E402

RATES = "0.0005,0.005,0.05"
SNAPLENS = (40, 60, 90, 150)
SHIFTS = (-2_000_000_000, -0.5, 3600, 4_000_000_000)
CPU_SECONDS, MEMORY_MB = 300, 3000  # a healthy run of the largest takes a few
SECTION, INTERFACE, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 3, 6
RANDOM_TYPES = ("eth", "ip", "ipv6", "udp", "tcp", "icmp", "syslog")
EVERY_PORT = ("-o", "ipsec.udp_ports:1-65535", "-o", "ipsec.tcp_ports:1-65535")
COMPLAINTS = ("Sanitizer", "runtime error", "CRITICAL", "rss limit")
BUGS = ("Dissector bug, protocol IPsec", "Dissector bug, protocol IKETCP")


def tool(*args):
    subprocess.run([str(arg) for arg in args], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- pcapng, block by block ----

def blocks(data):
    """(kind, block) of a little-endian pcapng file, as editcap writes it."""
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        yield kind, data[at:at + length]
        at += max(length, 12)


def reordered(data, chance, reach):
    """Packets change places with others up to `reach` away; the rest stays in front."""
    front = [block for kind, block in blocks(data) if kind in (SECTION, INTERFACE)]
    packets = [block for kind, block in blocks(data) if kind in (PACKET, SIMPLE_PACKET)]
    places = [(place + chance.uniform(0, reach), place) for place in range(len(packets))]
    return b"".join(front + [packets[place] for _, place in sorted(places)])


def with_jumping_clock(data, chance):
    """Now and then a time that has nothing to do with the one before."""
    out = []
    for kind, block in blocks(data):
        if kind == PACKET and chance.random() < 0.05:
            block = block[:12] + struct.pack("<II", chance.choice((0, 0x0005, 0xFFFFFFFF)), chance.getrandbits(32)) + block[20:]
        out.append(block)
    return b"".join(out)


# ---- damage ----

class Damage:
    """Damaged copies of one capture, each a file in `folder`."""

    def __init__(self, capture, folder, seed, rates):
        self.capture, self.folder, self.seed, self.rates = capture, folder, seed, rates
        self.chance = random.Random(seed)

    def edited(self, name, *args, source=None):
        target = self.folder / f"{name}.pcapng"
        tool("editcap", "-F", "pcapng", *args, source or self.capture, target)
        return name, target

    def merged(self, name, *args):
        target = self.folder / f"{name}.pcapng"
        tool("mergecap", "-F", "pcapng", "-w", target, *args)
        return name, target

    def rewritten(self, name, rewrite, *args):
        _, plain = self.edited("plain")
        target = self.folder / f"{name}.pcapng"
        target.write_bytes(rewrite(plain.read_bytes(), *args))
        return name, target

    def all(self):
        for rate in self.rates:
            yield self.edited(f"bytes changed {rate}", "-E", rate, "--seed", self.seed)
            yield self.edited(f"bytes changed {rate} behind the addresses", "-E", rate, "-o", 34, "--seed", self.seed + 1)
        for length in SNAPLENS:
            yield self.edited(f"cut to {length} bytes", "-s", length)
        yield self.edited("cut by 4 bytes at the end", "-C", -4, "-L")
        for shift in SHIFTS:
            yield self.edited(f"moved by {shift} s", "-t", shift)
        yield self.rewritten("in another order nearby", reordered, self.chance, 4)
        yield self.rewritten("in any order", reordered, self.chance, 1e9)
        yield self.rewritten("clock jumps", with_jumping_clock, self.chance)
        yield self.merged("twice, one after the other", "-a", self.capture, self.capture)
        _, later = self.edited("later", "-t", "0.002")
        yield self.merged("twice, side by side", self.capture, later)
        _, changed = self.edited("changed", "-E", self.rates[0], "--seed", self.seed)
        yield self.merged("beside a damaged copy of itself", "-I", "none", self.capture, changed)


# ---- runs ----

class Runs:
    def __init__(self, tshark):
        self.tshark = tshark
        self.count = self.failed = self.code = 0
        self.slowest = (0.0, "")

    def fail(self, what, detail):
        self.failed += 1
        print(f"{what}: {detail}", flush=True)

    def read(self, what, capture, args, home):
        capture.chmod(0o644)
        self.count += 1
        begin = time.monotonic()
        try:
            code, out, err = self.tshark.run(["-n", "-r", capture, *args], home)
        except subprocess.TimeoutExpired:
            self.fail(what, "no end")
            return b""
        self.code = code
        self.slowest = max(self.slowest, (time.monotonic() - begin, what))
        text = err.decode(errors="replace")
        if code < 0 or code > 128 or any(word in text for word in COMPLAINTS):
            self.fail(what, f"code {code}\n{text[-3000:]}")
        for bug in BUGS:
            if bug.encode() in out:
                self.fail(what, bug)
        return out

    def both(self, what, capture, home, *more):
        out = self.read(f"{what}, one pass", capture, ["-q", *more, "-z", "ipsec,report,json"], home)
        try:
            if out or self.code == 0:
                json.loads(out)
        except ValueError as error:
            self.fail(f"{what}, one pass", f"not JSON: {error}")
        self.read(f"{what}, two passes", capture, ["-2", "-V", *more, "-z", "ipsec,report", "-z", "ipsec,report,html", "-z", "ipsec,findings"], home)


def is_rewritable(path):
    """Text that only Wireshark takes for a capture, and captures of mixed kinds, cannot be damaged packet by packet."""
    command = ["editcap", "-F", "pcapng", path, "/dev/null"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def damage_all(runs, captures, options, rates):
    for number, (name, capture, keys) in enumerate(captures):
        if not is_rewritable(capture):
            print(f"{number + 1}/{len(captures)} {name}: editcap cannot rewrite it, not damaged", flush=True)
            continue
        folder = runs.tshark.folder / "captures" / f"damaged-{number}"
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
        home = runs.tshark.home(keys)
        for damage, target in Damage(capture, folder, options.seed + number, rates).all():
            runs.both(f"{name}, {damage}", target, home)
            target.unlink()
        print(f"{number + 1}/{len(captures)} {name}: {runs.count} runs, {runs.failed} failed", flush=True)


def read_all(runs, captures):
    for name, capture, keys in captures:
        runs.both(name, runs.tshark.capture(capture), runs.tshark.home(keys))


def random_packets(runs, count):
    """randpkt chooses its own seed: a capture that fails is kept."""
    home = runs.tshark.home()
    for kind in RANDOM_TYPES:
        target = runs.tshark.folder / "captures" / f"random-{kind}.pcapng"
        tool("randpkt", "-b", 400, "-c", count, "-t", kind, target)
        before = runs.failed
        runs.both(f"random {kind}", target, home, *EVERY_PORT)
        if runs.failed > before:
            kept = pathlib.Path.cwd() / target.name
            kept.write_bytes(target.read_bytes())
            print(f"kept: {kept}")


def arguments():
    parser = runner.arguments("Feeds damaged captures to the plugin.")
    parser.add_argument("--together", action="store_true", help="one capture of all, the short form")
    parser.add_argument("--undamaged", action="store_true", help="only as they are")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rates", default=RATES, help="shares of bytes that are changed")
    parser.add_argument("--random", type=int, default=2000, help="random packets of each type")
    parser.add_argument("captures", nargs="+", type=pathlib.Path, help="capture files, or folders of samples")
    return parser.parse_args()


def file_of(path):
    return path / "capture.pcapng" if path.is_dir() else path


def main():
    options = arguments()
    with runner.Runner(options) as tshark:
        tshark.wrapper = ["prlimit", f"--cpu={CPU_SECONDS}"]
        tshark.environment = {"WIRESHARK_DEBUG_WMEM_OVERRIDE": "simple", "G_SLICE": "always-malloc",
                              "ASAN_OPTIONS": f"detect_leaks=0:detect_odr_violation=0:hard_rss_limit_mb={MEMORY_MB}"}
        runs = Runs(tshark)
        captures = [(path.name, file_of(path), path / "keys" if (path / "keys").is_dir() else None) for path in options.captures]
        if options.together:
            together = tshark.folder / "captures/together.pcapng"
            tool("mergecap", "-a", "-F", "pcapng", "-w", together, *(capture for _, capture, _ in captures))
            captures = [("all samples", together, None)]
        if options.undamaged:
            read_all(runs, captures)
        else:
            damage_all(runs, captures, options, [rate for rate in options.rates.split(",") if rate])
        if options.random:
            random_packets(runs, options.random)
        print(f"{runs.count} runs, {runs.failed} failed; the slowest took {runs.slowest[0]:.1f} s: {runs.slowest[1]}")
    return runs.failed > 0


if __name__ == "__main__":
    sys.exit(main())
