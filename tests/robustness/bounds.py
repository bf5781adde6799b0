#!/usr/bin/env python3
# bounds.py - how do processor time and memory grow with a flood? A table; nothing is judged by time.
#
#     tests/robustness/bounds.py FLOOD_PROGRAM [--counts 250000,500000,1000000] [FLOOD...]
#
# Each cell is a process of its own: user CPU seconds and peak memory, as the system counts them.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import subprocess

FLOODS = ("spis-of-one-pair", "spis-of-any-pair", "tunnels-of-any-pair", "cookies-of-one-pair", "cookies-of-any-pair", "redirections",
          "fragments-of-one-exchange", "one-request-again")


def measure(program, flood, count):
    """(user CPU seconds, MB at most, did it hold its limits)"""
    child = subprocess.Popen([program, "--count", str(count), flood], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime, usage.ru_maxrss / 1024, child.returncode == 0


def main():
    parser = argparse.ArgumentParser(description="Measures floods.")
    parser.add_argument("program")
    parser.add_argument("--counts", default="250000,500000,1000000")
    parser.add_argument("floods", nargs="*", default=FLOODS)
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    print("| Flood | " + " | ".join(f"{count:,}: CPU s; MB" for count in counts) + " | CPU, last to first | Limits |")
    print("|---" * (len(counts) + 3) + "|")
    failed = 0
    for flood in options.floods:
        cells = [measure(options.program, flood, count) for count in counts]
        held = all(is_held for *_, is_held in cells)
        failed += not held
        growth = cells[-1][0] / cells[0][0] if cells[0][0] else 0
        print(f"| {flood} | " + " | ".join(f"{cpu:.2f}; {memory:.0f}" for cpu, memory, _ in cells) +
              f" | {growth:.1f}, packets {counts[-1] / counts[0]:.1f} | {'held' if held else 'NOT HELD'} |", flush=True)
    return failed > 0


if __name__ == "__main__":
    raise SystemExit(main())
