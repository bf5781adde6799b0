#!/usr/bin/env python3
# bench.py - what does the plugin cost? User CPU and peak memory of tshark with and without it, and the engine's speed alone.
#
# Runs alternate, so that the machine's mood falls on both alike; the table has medians, and the median of the ratios of neighbouring
# runs. Figures, no verdicts.
#
#     cmake -S . -B build/bench -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DIPSEC_TESTS=bench && cmake --build build/bench
#     python3 tests/bench/bench.py --build build/bench [--packets 1000000] [--tunnels 100] [--runs 7]
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

NOBODY = 65534
DISSECT = ["-q", "-z", "icmp,srt"]  # a tap that wants nothing makes tshark dissect every frame
MODES = [("one pass", DISSECT), ("two passes", ["-2", *DISSECT]), ("-Y ip", ["-Y", "ip", *DISSECT]),
         ("-z ipsec,report", ["-q", "-z", "ipsec,report"])]


class Bench:
    def __init__(self, build, folder):
        self.folder = folder
        shutil.copytree(build / "plugins", folder / "with")
        (folder / "without").mkdir()
        (folder / "home").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o644)

    def run(self, plugin, capture, arguments):
        """(user CPU seconds, peak memory in MB) of one run."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "LC_ALL": "C.UTF-8",
                       "WIRESHARK_PLUGIN_DIR": str(self.folder / ("with" if plugin else "without"))}
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        # A process of its own for each run: the peak of the children is that of the largest one ever.
        reader, writer = os.pipe()
        if os.fork() == 0:
            done = subprocess.run(["tshark", "-n", "-r", capture, *arguments], env=environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **user)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            os.write(writer, f"{done.returncode} {used.ru_utime} {used.ru_maxrss / 1024}".encode())
            os._exit(0)
        os.wait()
        os.close(writer)
        with os.fdopen(reader) as answer:
            code, seconds, memory = answer.read().split()
        if int(code) != 0:
            raise RuntimeError(f"tshark {' '.join(arguments)} failed with {code}")
        return float(seconds), float(memory)


def compare(bench, capture, arguments, runs, stock):
    """Medians without and with the plugin; `stock`: what to run without it, where it has no such report."""
    without, with_plugin = [], []
    for _ in range(runs):
        without.append(bench.run(False, capture, stock))
        with_plugin.append(bench.run(True, capture, arguments))
    ratio = statistics.median(b[0] / a[0] for a, b in zip(without, with_plugin))
    return [statistics.median(column) for column in (*zip(*without), *zip(*with_plugin))] + [ratio]


def main():
    parser = argparse.ArgumentParser(description="Measures what the plugin costs.")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--packets", type=int, default=1000000)
    parser.add_argument("--tunnels", type=int, default=100)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="ipsec-bench-") as name:
        folder = pathlib.Path(name)
        bench = Bench(build, folder)
        version = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        print(f"{version}; {options.packets} packets, {options.tunnels} tunnels, medians of {options.runs} runs")
        print(f"{'capture':8} {'mode':16} {'s without':>10} {'s with':>8} {'ratio':>7} {'MB without':>11} {'MB with':>8}")
        for kind in ("other", "esp", "ike"):
            capture = folder / f"{kind}.pcap"
            subprocess.run([build / "tests/bench/bench_generate", "--kind", kind, "--packets", str(options.packets), "--tunnels",
                            str(options.tunnels), capture], check=True)
            capture.chmod(0o644)
            for mode, arguments in MODES:
                stock = arguments if "ipsec,report" not in arguments else DISSECT
                seconds, memory, seconds_with, memory_with, ratio = compare(bench, capture, arguments, options.runs, stock)
                print(f"{kind:8} {mode:16} {seconds:10.2f} {seconds_with:8.2f} {ratio:7.3f} {memory:11.0f} {memory_with:8.0f}", flush=True)
            capture.unlink()
    for tunnels in (1, 100, 10000, 100000):
        subprocess.run([build / "tests/bench/bench_records", "--tunnels", str(tunnels)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
