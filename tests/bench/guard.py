#!/usr/bin/env python3
# guard.py - has the engine become slower? Counts the instructions per ESP record, which do not depend on how busy the machine is.
#
#     guard.py --records PROGRAM --compiler NAME [--update]
#
# The figures depend on the compiler, so that tests/bench/instructions.json has them by its name and version. With another one, or
# without valgrind, there is nothing to compare with: the test is skipped and says so. --update writes the figures measured now.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

STORED = pathlib.Path(__file__).with_name("instructions.json")
CASES = {"1 tunnel": ("1", 100000), "1000 tunnels": ("1000", 100000)}
TOLERANCE = 1.05
SKIPPED = 77  # for CTest: SKIP_RETURN_CODE


def instructions(program, tunnels, records):
    """Instructions per record inside engine_packet(), those of what it calls included."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=engine_packet",
                               f"--callgrind-out-file={folder}/out", program, "--tunnels", tunnels, "--records", str(records)],
                              capture_output=True, text=True, check=True)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    return round(int(counted.group(1)) / records, 1)


def main():
    parser = argparse.ArgumentParser(description="Compares the engine's instructions per ESP record with those stored.")
    parser.add_argument("--records", required=True, help="the program bench_records, built without link-time optimization")
    parser.add_argument("--compiler", required=True, help="its name and version")
    parser.add_argument("--update", action="store_true", help="store what is measured now")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("skipped: valgrind is not installed (tools/setup.sh tests)")
        return SKIPPED
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}
    if options.compiler not in stored and not options.update:
        print(f"skipped: no figures of {options.compiler} in {STORED.name}; guard.py --update stores them")
        return SKIPPED
    measured = {name: instructions(options.records, *case) for name, case in CASES.items()}
    if options.update:
        stored[options.compiler] = measured
        STORED.write_text(json.dumps(stored, indent=4, sort_keys=True) + "\n")
    slower = 0
    for name, figure in measured.items():
        allowed = stored[options.compiler][name]
        is_slower = figure > allowed * TOLERANCE
        slower += is_slower
        print(f"{name:14} {figure:8.1f} instructions per ESP record, stored: {allowed:8.1f}{'  SLOWER' if is_slower else ''}")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
