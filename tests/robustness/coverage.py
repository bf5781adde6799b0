#!/usr/bin/env python3
# coverage.py - which share of the plugin's lines and branches did the programs of a build with --coverage run?
#
#     cmake -S . -B build/coverage -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS=--coverage && cmake --build build/coverage
#     chmod -R a+rwX build/coverage       # tshark runs as nobody, if you are root
#     (umask 0; ctest --test-dir build/coverage)
#     tests/robustness/coverage.py build/coverage
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import json
import pathlib
import subprocess
import sys

ROOMS = ("engine/parse", "engine/detect", "engine/tables", "engine", "observe", "present/page", "present", "")


def counts_of(build):
    """{source: {line: times}} and {source: {(line, branch): times}} of plugin/."""
    lines, branches = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    notes = sorted(build.resolve().glob("plugin/**/*.gcno")) + sorted(build.resolve().glob("tests/**/plugin/**/*.gcno"))
    for note in notes:
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", note], capture_output=True, check=True, cwd=build)
        for document in filter(None, done.stdout.splitlines()):
            for file in json.loads(document)["files"]:
                source = file["file"]
                if "/plugin/" not in source or not source.endswith(".c"):
                    continue
                source = source.split("/plugin/", 1)[1]
                for line in file["lines"]:
                    lines[source][line["line_number"]] += line["count"]
                    for number, branch in enumerate(line["branches"]):
                        branches[source][line["line_number"], number] += branch["count"]
    return lines, branches


def room_of(source):
    return next(room for room in ROOMS if source.startswith(room + "/" if room else ""))


def share(counters):
    run = sum(times > 0 for counter in counters for times in counter.values())
    total = sum(len(counter) for counter in counters)
    return f"{run} of {total} ({100 * run / max(total, 1):.1f} %)"


def main():
    lines, branches = counts_of(pathlib.Path(sys.argv[1]))
    print("| Room | Lines | Branches |\n|---|---|---|")
    for room in ROOMS:
        sources = [source for source in lines if room_of(source) == room]
        if sources:
            print(f"| `plugin/{room}` | {share([lines[s] for s in sources])} | {share([branches[s] for s in sources])} |")
    print(f"| all | {share(lines.values())} | {share(branches.values())} |")
    for source in sorted(lines, key=lambda s: sum(times == 0 for times in lines[s].values()), reverse=True)[:8]:
        print(f"  least: {source}: {share([lines[source]])}", file=sys.stderr)


if __name__ == "__main__":
    main()
