#!/usr/bin/env python3
# bench.py - what does the plugin cost? User CPU and peak memory of tshark with and without it, the engine alone, and what else one could use.
#
# Runs alternate, so that the machine's mood falls on both alike; tables have medians, and the median of the ratios of neighbouring
# runs. Figures, no verdicts.
#
#     cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DIPSEC_TESTS=bench && cmake --build build/bench
#     python3 tests/bench/bench.py --build build/bench [--packets 1000000] [--tunnels 100] [--runs 7] [--only tshark,instructions,peers,engine,tunnels,scale]
#
# Another Wireshark, in a system that can be entered with chroot as tests/compat/run.sh makes them (root only), built there beforehand:
#     python3 tests/bench/bench.py --build build/bench --chroot FOLDER --plugins FOLDER/tmp/source/build/release/plugins
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import pathlib
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

from fields_pipe import FIELDS
from guard import instructions

HERE = pathlib.Path(__file__).resolve().parent
NOBODY = 65534
DISSECT = ["-q", "-z", "icmp,srt"]  # a tap that wants nothing makes tshark dissect every frame
MODES = [("one pass", DISSECT), ("two passes", ["-2", *DISSECT]), ("-Y ip", ["-Y", "ip", *DISSECT]), ("report", ["-q", "-z", "ipsec,report"]),
         ("all reports", [word for which in ("report", "report,json", "report,html", "tunnels", "findings") for word in
                          ("-z", f"ipsec,{which}")] + ["-q"])]
COUNTED = 30000
TUNNELS = (1, 100, 1000, 10000, 100000)


def median(values):
    return statistics.median(values)


class Bench:
    """Runs tshark as nobody (as root Wireshark loads no plugins), with this plugin or without it, perhaps in another system."""

    def __init__(self, options, folder):
        self.root, self.folder = options.chroot, folder
        shutil.copytree(options.plugins or options.build / "plugins", folder / "with")
        for name in ("without", "home"):
            (folder / name).mkdir()
        for path in (HERE / "fields.lua", HERE / "fields_pipe.py"):
            shutil.copy(path, folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o644)

    def inside(self, path):
        return "/" + str(pathlib.Path(path).relative_to(self.root)) if self.root else str(path)

    def become_nobody(self):
        if self.root:
            os.chroot(self.root)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    def run(self, command, plugin=False):
        """(user CPU seconds of all its processes, peak memory of the largest in MB) of a shell command."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.inside(self.folder / "home"), "LC_ALL": "C.UTF-8",
                       "WIRESHARK_PLUGIN_DIR": self.inside(self.folder / ("with" if plugin else "without"))}
        reader, writer = os.pipe()
        if os.fork() == 0:  # a process of its own for each run: the peak of the children is that of the largest one ever
            done = subprocess.run(["/bin/sh", "-c", command], env=environment, cwd="/", stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, preexec_fn=self.become_nobody)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(writer, f"{done.returncode} {used.ru_utime} {used.ru_maxrss / 1024}".encode())
            os._exit(0)
        os.wait()
        os.close(writer)
        with os.fdopen(reader) as answer:
            code, seconds, memory = answer.read().split()
        if int(code) != 0:
            raise RuntimeError(f"{command} failed with {code}")
        return float(seconds), float(memory)

    def tshark(self, capture, arguments, plugin=False):
        return self.run(shlex.join(["tshark", "-n", "-r", self.inside(capture), *arguments]), plugin)

    def version(self):
        command = (["chroot", self.root] if self.root else []) + ["tshark", "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]

    def generate(self, options, kind, packets, tunnels):
        capture = self.folder / f"{kind}.pcap"
        subprocess.run([options.build / "tests/bench/bench_generate", "--kind", kind, "--packets", str(packets), "--tunnels", str(tunnels),
                        capture], check=True)
        capture.chmod(0o644)
        return capture


def table_of_tshark(bench, options):
    print(f"{'capture':8} {'mode':12} {'s without':>10} {'s with':>8} {'ratio':>7} {'MB without':>11} {'MB with':>8}")
    for kind in options.kinds.split(","):
        capture = bench.generate(options, kind, options.packets, options.tunnels)
        for mode, arguments in MODES:
            stock = arguments if "ipsec,report" not in arguments else DISSECT
            pairs = [(bench.tshark(capture, stock), bench.tshark(capture, arguments, True)) for _ in range(options.runs)]
            without, with_plugin = zip(*pairs)
            ratio = median(b[0] / a[0] for a, b in pairs)
            print(f"{kind:8} {mode:12} {median(r[0] for r in without):10.2f} {median(r[0] for r in with_plugin):8.2f} {ratio:7.3f} "
                  f"{median(r[1] for r in without):11.0f} {median(r[1] for r in with_plugin):8.0f}", flush=True)
        capture.unlink()


def counted(bench, capture, arguments, plugin):
    """Instructions that tshark executes, by callgrind: they do not depend on what else the machine does."""
    note = bench.folder / "home/counted"
    command = shlex.join(["tshark", "-n", "-r", bench.inside(capture), *arguments])
    bench.run(f"valgrind --tool=callgrind --callgrind-out-file=/dev/null {command} 2>{shlex.quote(bench.inside(note))}", plugin)
    return int(re.search(r"Collected : (\d+)", note.read_text()).group(1))


def table_of_instructions(bench, options):
    """Per packet, without tshark's start: the difference of two captures, one of which has COUNTED packets more."""
    print(f"{'capture':8} {'mode':12} {'without':>8} {'with':>8} {'ratio':>7}   (instructions per packet)")
    for kind in options.kinds.split(","):
        for mode, arguments in MODES:
            stock, figures = arguments if "ipsec,report" not in arguments else DISSECT, []
            for plugin in (False, True):
                counts = []
                for packets in (COUNTED // 2, COUNTED // 2 + COUNTED):
                    capture = bench.generate(options, kind, packets, options.tunnels)
                    counts.append(counted(bench, capture, arguments if plugin else stock, plugin))
                figures.append((counts[1] - counts[0]) / COUNTED)
            print(f"{kind:8} {mode:12} {figures[0]:8.0f} {figures[1]:8.0f} {figures[1] / figures[0]:7.3f}", flush=True)


def table_of_peers(bench, options):
    """Microseconds of user CPU per packet, beyond what tshark itself takes."""
    capture = bench.generate(options, "esp", options.packets, options.tunnels)
    fields = " ".join(f"-e {name}" for name in FIELDS)
    base, place = shlex.quote(bench.inside(capture)), bench.inside(bench.folder)
    ways = {"tshark alone": lambda: bench.tshark(capture, DISSECT),
            "this plugin, report": lambda: bench.tshark(capture, ["-q", "-z", "ipsec,report"], True),
            "Lua post-dissector": lambda: bench.tshark(capture, ["-X", f"lua_script:{place}/fields.lua", *DISSECT]),
            "-T fields | script": lambda: bench.run(f"tshark -n -r {base} -T fields {fields} | python3 {place}/fields_pipe.py")}
    used = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, way in ways.items():
            used[name].append(way())
    print(f"{'way':22} {'us/packet':>10} {'more than tshark':>17} {'MB':>6}")
    for name, runs in used.items():
        more = median(run[0] - alone[0] for run, alone in zip(runs, used["tshark alone"]))
        print(f"{name:22} {median(run[0] for run in runs) / options.packets * 1e6:10.2f} {more / options.packets * 1e6:17.2f} "
              f"{median(run[1] for run in runs):6.0f}", flush=True)
    capture.unlink()


def steady_instructions(program, tunnels):
    """From the twentieth to the sixtieth record of each tunnel, or more where there are few: beyond what its first ones cost."""
    few, many = max(20 * tunnels, 100000), max(60 * tunnels, 300000)
    return (instructions(program, str(tunnels), many) * many - instructions(program, str(tunnels), few) * few) / (many - few)


def table_of_engine(options):
    """`steady` only where valgrind is; records.c tells the CPU time by itself."""
    program = options.build / "tests/bench/bench_records"
    print(f"{'tunnels':>8} {'million records/s':>18} {'steady':>8}   (instructions per record)")
    for tunnels in TUNNELS:
        told = [subprocess.run([program, "--tunnels", str(tunnels)], capture_output=True, text=True, check=True).stdout
                for _ in range(options.runs)]
        speed = median(float(re.search(r"([\d.]+) million", line).group(1)) for line in told)
        count = steady_instructions(program.with_name("bench_records_counted"), tunnels) if shutil.which("valgrind") else 0
        print(f"{tunnels:8} {speed:18.2f} {count:8.0f}", flush=True)


def table_of_tunnels(bench, options):
    """Does a packet cost more where there are more tunnels? What tshark needs for more conversations is in the column without."""
    print(f"{'tunnels':>8} {'us without':>11} {'us with':>8} {'ratio':>7} {'MB with':>8}   (user CPU per packet)")
    for tunnels in TUNNELS:
        capture = bench.generate(options, "esp", options.packets, tunnels)
        pairs = [(bench.tshark(capture, DISSECT), bench.tshark(capture, DISSECT, True)) for _ in range(options.runs)]
        without, with_plugin = ([run[which] for run in pairs] for which in (0, 1))
        print(f"{tunnels:8} {median(r[0] for r in without) / options.packets * 1e6:11.2f} "
              f"{median(r[0] for r in with_plugin) / options.packets * 1e6:8.2f} {median(b[0] / a[0] for a, b in pairs):7.3f} "
              f"{median(r[1] for r in with_plugin):8.0f}", flush=True)
        capture.unlink()


def table_of_scale(bench, options):
    """Twenty packets per tunnel: does each report take time in proportion to them?"""
    reports = ("report", "report,json", "report,html", "tunnels", "findings")
    print(f"{'tunnels':>8} {'packets':>8} " + " ".join(f"{name:>12}" for name in reports) + "   (us of user CPU per packet)")
    for tunnels in (1000, 2000, 5000, 10000):
        capture = bench.generate(options, "esp", 20 * tunnels, tunnels)
        columns = [median(bench.tshark(capture, ["-q", "-z", f"ipsec,{name}"], True)[0] for _ in range(options.runs)) for name in reports]
        print(f"{tunnels:8} {20 * tunnels:8} " + " ".join(f"{seconds / 20 / tunnels * 1e6:12.2f}" for seconds in columns), flush=True)
        capture.unlink()


def main():
    parser = argparse.ArgumentParser(description="Measures what the plugin costs.")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--tunnels", type=int, default=100)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--kinds", default="other,esp,ike", help="captures for the first table: without IPsec, nearly all ESP, half IKE")
    parser.add_argument("--only", default="tshark,instructions,peers,engine,tunnels,scale", help="which tables")
    parser.add_argument("--chroot", type=pathlib.Path, help="the system with another Wireshark")
    parser.add_argument("--plugins", type=pathlib.Path, help="the plugin folder built for it")
    options = parser.parse_args()
    options.build = options.build.resolve()
    wanted = options.only.split(",")
    with tempfile.TemporaryDirectory(prefix="ipsec-bench-", dir=options.chroot / "tmp" if options.chroot else None) as name:
        bench = Bench(options, pathlib.Path(name))
        print(f"{bench.version()}; {options.packets} packets, {options.tunnels} tunnels, medians of {options.runs} runs")
        for table, print_table in (("tshark", table_of_tshark), ("instructions", table_of_instructions), ("peers", table_of_peers),
                                   ("tunnels", table_of_tunnels), ("scale", table_of_scale)):
            if table in wanted:
                print_table(bench, options)
    if "engine" in wanted and not options.chroot:
        table_of_engine(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
