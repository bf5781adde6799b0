#!/usr/bin/env python3
# check_invariants.py - does the same capture, told otherwise or worse, give the same findings, and never a new alarm?
#
# See README.md beside this file.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import concurrent.futures
import ipaddress
import json
import multiprocessing
import os
import pathlib
import re
import sys

import distort
import exceptions

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import runner  # noqa: E402

LOUD = ("warn", "error")
WORKERS = 2
TUNNEL_NUMBER = re.compile(r"\btunnel \d+")


class Finding(collections.namedtuple("Finding", "id severity confidence frame addresses text")):
    """One finding of a report; `addresses` are all that the tunnel's peers have had."""

    @property
    def is_loud(self):
        return self.severity in LOUD

    def is_of_same_tunnel(self, other):
        """The same peers. A part of the capture may not have seen where one of them was before or after."""
        return self.addresses == other.addresses or len(self.addresses & other.addresses) >= 2

    def __str__(self):
        return f"{self.id} ({self.severity}, frame {self.frame}): {self.text}"


# ---- tshark ----

def analyse(options, capture, linktypes, packets, arguments=(), plugins="with"):
    """The JSON report of these packets."""
    path = options.tshark_runner.write(f"{os.getpid()}.pcapng", distort.pcapng.encode(linktypes, packets))
    home = options.homes[capture.parent] if options.keys else options.homes[None]
    code, out, err = options.tshark_runner.run(["-n", "-r", path, *arguments, "-q", "-z", "ipsec,report,json"], home, plugins=plugins)
    if code != 0:
        raise RuntimeError(f"tshark ended with {code}: {err.decode(errors='replace').strip()}")
    return json.loads(out)


def addresses_of(tunnel):
    return frozenset(peer[key] for peer in tunnel["peers"] for key in ("address", "last_address"))


def findings_of(report):
    def finding(entry, addresses):
        return Finding(entry["id"], entry["severity"], entry["confidence"], entry["frame"], addresses, entry["text"])

    found = [finding(entry, addresses_of(tunnel)) for tunnel in report["tunnels"] for entry in tunnel["findings"]]
    return found + [finding(entry, frozenset()) for entry in report["findings"]]


# ---- the same findings ----

def in_terms_of_whole(finding, distorted):
    """A finding of the distorted capture, as it would be in the whole one. The text has times and frame numbers of its own."""
    old = {str(ipaddress.ip_address(new)): str(ipaddress.ip_address(was)) for new, was in distorted.addresses.items()}
    return finding._replace(frame=distorted.origins[finding.frame - 1], text="",
                            addresses=frozenset(old.get(address, address) for address in finding.addresses))


def complaints_about_difference(whole, found, distorted):
    before = collections.Counter(finding._replace(text="") for finding in findings_of(whole))
    after = collections.Counter(in_terms_of_whole(finding, distorted) for finding in found)
    for finding in before - after:
        yield finding, f"is gone: {finding}"
    for finding in after - before:
        yield finding, f"is new: {finding}"


# ---- nothing new ----

def complaints_about_more(whole, report, distorted):
    """Loud findings without one of that kind on that tunnel in the whole, or more of them; and tunnels with more incidents."""
    loud = [finding for finding in findings_of(whole) if finding.is_loud]
    counts = collections.Counter(finding.id for finding in loud)
    for finding in filter(lambda finding: finding.is_loud, findings_of(report)):
        if not any(finding.id == other.id and finding.is_of_same_tunnel(other) for other in loud):
            yield finding, f"is new: {finding}"
            continue
        counts[finding.id] -= 1
        if counts[finding.id] < 0:
            yield finding, f"is found more often: {finding}"
    for state in ("down", "flapping"):
        if state in states(report) and not states(whole) & {"down", "flapping"}:
            yield Finding("state", "error", "", 0, frozenset(), ""), f"a tunnel is {state}, and none of the whole capture failed"
    roots, roots_of_whole = root_causes(report), root_causes(whole)
    if len(roots) > len(roots_of_whole):
        yield Finding("incident", "error", "", 0, frozenset(), ""), f"more incidents: {roots}, not {roots_of_whole}"


def states(report):
    return {tunnel["state"] for tunnel in report["tunnels"]}


def root_causes(report):
    """One for each incident."""
    return [incident["root_cause"] for tunnel in report["tunnels"] for incident in tunnel["incidents"]]


# ---- one capture ----

def check_capture(options, path):
    """[complaint, ...], number of runs."""
    name = f"{path.parent.name}/{path.name}"
    linktypes, packets = distort.pcapng.read_all(path)
    whole = analyse(options, path, linktypes, packets)
    ids = {finding.id for finding in findings_of(whole)}
    complaints, runs = [], 1
    for distorted in distort.distortions(name, linktypes, packets, options.amount):
        if not options.only(distorted.name) or exceptions.is_out_of_place(distorted.name, name, options.keys):
            continue
        report = analyse(options, path, distorted.linktypes, distorted.packets, distorted.options, distorted.plugins)
        runs += 1
        if distorted.relation == distort.SAME:
            found = complaints_about_difference(whole, findings_of(report), distorted)
        else:
            found = complaints_about_more(whole, report, distorted)
        new = [f"{name}, {distorted.name}: {text}" for finding, text in found
               if not exceptions.is_allowed(distorted.name, finding.id, name, ids)]
        if new and options.keep:
            kept = options.keep / f"{path.parent.name}-{path.stem}-{distorted.name}.pcapng"
            kept.write_bytes(distort.pcapng.encode(distorted.linktypes, distorted.packets))
        complaints += new
    return complaints, runs


def without_tunnel_numbers(finding):
    return finding._replace(text=TUNNEL_NUMBER.sub("another tunnel", finding.text))


def check_pair(options, pair):
    """Two captures in one file: the findings of both, each on its frame, and no others."""
    captures = [distort.pcapng.read_all(path) for path in pair]
    name = " with ".join(f"{path.parent.name}/{path.name}" for path in pair)
    complaints, runs = [], 0
    duration = captures[0][1][-1].stamp - captures[0][1][0].stamp
    for when, begin in (("at once", 100_000_000), ("later", duration + 10 * distort.SECOND)):
        if not options.only("together"):
            break
        linktypes, *variants = distort.together(*captures, begin)
        both, one, other = (collections.Counter(map(without_tunnel_numbers, findings_of(analyse(options, pair[0], linktypes, packets))))
                            for packets in variants)
        runs += 3
        for what, findings in (("is gone", one + other - both), ("is new", both - one - other)):
            complaints += [f"{name}, {when}: {what}: {finding}" for finding in findings
                           if not exceptions.is_allowed("together", finding.id, name, ())]
    return complaints, runs


# ---- all of them ----

def arguments():
    parser = runner.arguments("Distorts captures, and compares what is found with what is found in them as they are.")
    parser.add_argument("--short", action="store_true", help="few distortions of each kind")
    parser.add_argument("--keys", action="store_true", help="decrypt with the keys beside the captures")
    parser.add_argument("--only", default="", help="only distortions whose name begins like this")
    parser.add_argument("--seeds", type=int, help="how many losses and disorders of each kind")
    parser.add_argument("--first-seed", type=int, default=0, help="the number of the first of them: others than in the usual run")
    parser.add_argument("--keep", type=pathlib.Path, help="an existing folder for the distorted captures that fail")
    parser.add_argument("--verbose", action="store_true", help="say for each capture how many runs it took")
    parser.add_argument("captures", nargs="+", type=pathlib.Path, help="captures, or folders of them")
    options = parser.parse_args()
    options.amount = distort.SHORT if options.short else distort.FULL
    options.amount = options.amount._replace(first_seed=options.first_seed)
    if options.seeds:
        options.amount = options.amount._replace(seeds=options.seeds)
    prefix = options.only
    options.only = lambda name: name.startswith(prefix)
    return options


def captures_in(paths):
    return [capture.resolve() for path in paths for capture in (sorted(path.glob("capture*.pcapng")) if path.is_dir() else [path])]


def neighbours(captures):
    """Each capture with the next one of another event."""
    mains = [path for path in captures if path.name == "capture.pcapng"]
    return list(zip(mains, mains[1:] + mains[:1])) if len(mains) > 1 else []


WORK = None


def work(job):
    function, subject = job
    try:
        return function(WORK, subject)
    except (RuntimeError, ValueError) as error:
        return [f"{subject}: {error}"], 0


def main():
    global WORK
    options = WORK = arguments()
    captures = captures_in(options.captures)
    failed = runs = 0
    with runner.Runner(options) as tshark:
        options.tshark_runner = tshark
        tshark.put_beside_others()
        options.homes = {None: tshark.home()}
        if options.keys:
            options.homes |= {folder: tshark.home(folder / "keys" if (folder / "keys").is_dir() else None)
                              for folder in {path.parent for path in captures}}
        jobs = [(check_capture, path) for path in captures] + [(check_pair, pair) for pair in neighbours(captures)]
        # They share the folder with the plugin, and the options; Python 3.14 would no longer fork without being asked.
        forked = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(WORKERS, mp_context=forked) as pool:
            for (_, subject), (complaints, its_runs) in zip(jobs, pool.map(work, jobs)):
                for complaint in complaints:
                    print(complaint, flush=True)
                if options.verbose:
                    print(f"-- {subject}: {its_runs} runs", flush=True)
                failed += len(complaints)
                runs += its_runs
    print(f"{len(captures)} captures, {runs} runs of tshark, {failed} complaints")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
