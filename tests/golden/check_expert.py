#!/usr/bin/env python3
# check_expert.py - does the Expert Information say whose the findings are, and how often each was made?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import sys

import runner

PROTOCOL = "IPsec"


def expert_items(tshark, capture):
    """The lines of the Expert Information: {(protocol, summary): how often}."""
    out = tshark.output(["-n", "-2", "-q", "-r", str(capture), "-z", "expert"])
    rows = [line.split(None, 3) for line in out.splitlines()]
    return {(row[2], row[3]): int(row[0]) for row in rows if len(row) == 4 and row[0].isdigit()}


def findings(tshark, capture):
    """How many findings there are."""
    out = tshark.output(["-n", "-2", "-r", str(capture), "-T", "fields", "-e", "ipsec.analysis.finding"])
    return sum(len(line.split(",")) for line in out.split())


def main():
    parser = runner.arguments("Checks the plugin's part of the Expert Information.")
    parser.add_argument("capture", type=pathlib.Path, help="a capture with findings, of which Wireshark itself says nothing")
    options = parser.parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        capture = tshark.capture(options.capture)
        items = expert_items(tshark, capture)
        others = [summary for protocol, summary in items if protocol != PROTOCOL]
        if others:
            failures.append(f"items are said to be of another protocol: {others}")
        if not items or sum(items.values()) != findings(tshark, capture):
            failures.append(f"{sum(items.values())} items, {findings(tshark, capture)} findings")
    print("\n".join([*failures, "FAILED" if failures else "each finding is an item of the plugin's"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
