#!/usr/bin/env python3
# check_stock_sequence.py - can Wireshark's own analysis of ESP sequence numbers be silenced, and is it heard otherwise?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import sys

import runner

STOCK = "esp.sequence-analysis.wrong-sequence-number"
SILENCED = "ipsec.silence_stock_esp_sequence:TRUE"


def warnings(tshark, capture, *options):
    args = ["-n", "-r", str(capture), "-Y", STOCK, "-T", "fields", "-e", "frame.number"]
    for option in options:
        args += ["-o", option]
    return len(tshark.output(args).split())


def main():
    parser = runner.arguments("Checks the preference that silences Wireshark's own analysis of ESP sequence numbers.")
    parser.add_argument("capture", type=pathlib.Path, help="a capture that the stock analysis warns of")
    options = parser.parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        capture = tshark.capture(options.capture)
        if warnings(tshark, capture) == 0:
            failures.append("by default the stock analysis says nothing")
        if warnings(tshark, capture, SILENCED) != 0:
            failures.append("the stock analysis is not silenced")
        if warnings(tshark, capture, SILENCED, "esp.do_esp_sequence_analysis:FALSE") != 0:
            failures.append("silencing switches a stock analysis on that was off")
    print("\n".join([*failures, "FAILED" if failures else "the stock analysis is silenced when asked for, and only then"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
