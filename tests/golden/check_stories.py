#!/usr/bin/env python3
# check_stories.py - is each story told word for word as it was checked by hand against its capture?
#
# stories/NAME.txt holds the stories of sample-pcaps/NAME without keys, each on a line, followed by what to check next, each on a line after
# "- ". A text that differs is printed beside the expected one: read it against the capture before it takes its place.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import sys

import runner


def stories(tshark, capture):
    code, out, err = tshark.run(["-n", "-r", capture, "-q", "-z", "ipsec,report,json"], tshark.home())
    if code != 0:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    report = json.loads(out.decode())
    incidents = [incident for tunnel in report["tunnels"] for incident in tunnel["incidents"]]
    return [line for incident in incidents for line in [incident["story"], *(f"- {check}" for check in incident["check_next"])]]


def main():
    parser = runner.arguments("Compares the stories of samples with those checked by hand.")
    parser.add_argument("samples", type=pathlib.Path, help="the folder sample-pcaps")
    options = parser.parse_args()
    failures, told = 0, 0
    with runner.Runner(options) as tshark:
        for wanted in sorted((pathlib.Path(__file__).parent / "stories").glob("*.txt")):
            capture = tshark.capture(options.samples / wanted.stem / "capture.pcapng")
            got, expected = stories(tshark, capture), wanted.read_text().splitlines()
            told += len(got)
            if got != expected:
                failures += 1
                print(f"{wanted.stem}: expected", *expected, "but got", *got, sep="\n  ")
    print(f"{told} lines" if not failures else "FAILED")
    return bool(failures) or told == 0


if __name__ == "__main__":
    sys.exit(main())
