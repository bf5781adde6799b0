#!/usr/bin/env python3
# measure_open.py - what does the plugin cost when a large capture is opened in the window? User CPU of the wireshark process, with it and
# without, in turns. Figures, no verdict.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pathlib
import statistics
import subprocess
import sys

from wireshark import Wireshark, run


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def opened(options, plugin):
    """User CPU from start until all packets are listed."""
    environment = {} if plugin else {"WIRESHARK_PLUGIN_DIR": str(options.stage / "without")}
    with Wireshark(options, "-n", "-r", options.file, environment=environment) as window:
        window.wait("all packets", lambda: window.displayed() == options.packets, 900)
        return cpu_seconds(window.process.pid)


def inside(options):
    print(opened(options, options.one == "with"))
    return 0


def one_run(plugin):
    """In a session of its own: what is remembered of one Wireshark would stand for the next."""
    done = subprocess.run([sys.executable, *sys.argv, "--one", "with" if plugin else "without"], stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


def compare(runs):
    one_run(True)  # the file is in memory from here on
    costs = {True: [], False: []}
    for _ in range(runs):
        for plugin in (True, False):
            costs[plugin].append(one_run(plugin))
            print(f"{'with' if plugin else 'without'} the plugin: {costs[plugin][-1]:.1f} s of user CPU", flush=True)
    ratio = statistics.median(a / b for a, b in zip(costs[True], costs[False]))
    print(f"median with {statistics.median(costs[True]):.1f} s, without {statistics.median(costs[False]):.1f} s, of the ratios {ratio:.2f}")


def more_arguments(parser):
    parser.add_argument("--file", type=pathlib.Path, required=True, help="a capture that everybody can read")
    parser.add_argument("--packets", type=int, required=True, help="how many packets it has")
    parser.add_argument("--one", choices=["with", "without"], help="one run only")


if __name__ == "__main__":
    if "--one" in sys.argv:
        sys.exit(run("Measures what opening a large capture costs: --plugin FILE --file CAPTURE --packets N", inside, more_arguments))
    compare(3)
