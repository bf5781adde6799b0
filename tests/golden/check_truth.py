#!/usr/bin/env python3
# check_truth.py - does the plugin find in a labelled capture what happened there, and nothing that did not?
#
# A folder holds capture*.pcapng, keys/ (a Wireshark profile with the decryption tables) and truth.json. Each capture is analysed
# without and with keys, in one pass and in two.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import sys

import runner

MAIN_CAPTURE = "capture.pcapng"
BEFORE = 2.0   # seconds: a finding may stand on a packet shortly before the event was logged
AFTER = 15.0   # seconds: or after it, when the next packet reveals it
LOUD = ("warn", "error")


class Failures(list):
    def add(self, where, what):
        self.append(f"{where}: {what}")


def load_validator():
    """Validates a report against the published schema; None when the library is missing."""
    try:
        import jsonschema
    except ImportError:
        print("python3-jsonschema is not installed: reports are not validated against the schema")
        return None
    schema = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/report.schema.json").read_text())
    return jsonschema.Draft202012Validator(schema)


def analyse(tshark, capture, home, passes):
    """One run of tshark: (report, [(frame, id), ...] as the fields say)."""
    two_passes = ["-2"] if passes == 2 else []
    code, out, err = tshark.run([*two_passes, "-n", "-r", capture, "-T", "fields", "-e", "frame.number", "-e", "ipsec.analysis.finding",
                                 "-z", "ipsec,report,json"], home)
    text = out.decode()
    if code != 0 or "\n{" not in "\n" + text:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    fields, report = ("\n" + text).split("\n{", 1)
    marks = []
    for line in fields.splitlines():
        frame, _, ids = line.partition("\t")
        marks += [(int(frame), name) for name in ids.split(",") if name]
    return json.loads("{" + report), marks


def findings_of(report):
    return [finding for tunnel in report["tunnels"] for finding in tunnel["findings"]] + report["findings"]


# ---- what the truth says ----

def is_in_window(finding, expected):
    begin, end = expected.get("t0"), expected.get("t1")
    first, last = sorted((finding["began_time"], finding["time"]))
    return (begin is None or last >= begin - BEFORE) and (end is None or first <= end + AFTER)


def check_expected(truth, capture, keys, findings, where, failures):
    for expected in truth["expected_findings"]:
        if expected.get("capture", MAIN_CAPTURE) != capture or (expected.get("needs_keys") and not keys):
            continue
        same = [finding for finding in findings if finding["id"] == expected["finding"]]
        if any(is_in_window(finding, expected) for finding in same):
            continue
        others = ", ".join(f"frame {finding['frame']} at {finding['time']}" for finding in same)
        failures.add(where, f"expected {expected['finding']} between {expected.get('t0')} and {expected.get('t1')}: "
                            + (f"only outside that time ({others})" if same else "not found"))


def names_in(entries):
    return {entry if isinstance(entry, str) else entry["finding"] for entry in entries}


def check_unexpected(truth, findings, where, failures):
    expected = names_in(truth["expected_findings"])
    root_cause = truth.get("root_cause", [])
    allowed = expected | names_in(truth.get("acceptable_findings", [])) | names_in(
        [root_cause] if isinstance(root_cause, str) else root_cause)
    forbidden = names_in(truth.get("expected_non_findings", [])) - expected
    for finding in findings:
        sentence = f"{finding['id']} ({finding['severity']}, frame {finding['frame']}): {finding['text']}"
        if finding["id"] in forbidden:
            failures.add(where, f"must not be found: {sentence}")
        elif finding["severity"] in LOUD and finding["id"] not in allowed:
            failures.add(where, f"unexpected: {sentence}")


def check_root_cause(truth, report, where, failures):
    wanted = truth.get("root_cause", [])
    wanted = {wanted} if isinstance(wanted, str) else set(wanted)
    causes = {incident["root_cause"] for tunnel in report["tunnels"] for incident in tunnel["incidents"]}
    if wanted and causes and not causes & wanted:
        failures.add(where, f"root cause should be one of {sorted(wanted)}, is {sorted(causes)}")


def check_unwell(truth, report, where, failures):
    """Exactly these clients' tunnels are not healthy, and no other has a finding that says more than that a NAT flip was got over."""
    if "unwell" not in truth:
        return
    wanted = set(truth["unwell"])
    for tunnel in report["tunnels"]:
        is_wanted = bool({f"{peer['address']}:{peer['port']}" for peer in tunnel["peers"]} & wanted)
        loud = {f["id"] for f in tunnel["findings"] if f["severity"] in LOUD and f.get("grade") != "recovered"}
        if is_wanted == (tunnel["state"] == "healthy") or is_wanted != bool(loud):
            failures.add(where, f"tunnel {tunnel['tunnel']} is {tunnel['state']} with {sorted(loud)}")


# ---- where the NAT is ----

# What may be said of a peer that is really there. A made-up hash and a NAT look the same on the public side, and the lab's charon
# makes its source hashes up (it carries ESP in UDP always).
FITTING_STATES = {
    "none": {"none", "forced", "before_or_forced", "beyond_or_forced"},
    "before": {"before", "before_or_forced"},
    "beyond": {"beyond", "beyond_or_forced"},
}
FITTING_SIDES = {
    ("none", "before"): {"unchanged", "forced", "translated_or_forced"},
    ("none", "beyond"): {"unchanged"},
    ("before", "before"): {"translated", "port_translated", "translated_or_forced"},
    ("before", "beyond"): {"unchanged"},
    ("beyond", "before"): {"unchanged", "forced", "translated_or_forced"},
    ("beyond", "beyond"): {"translated", "port_translated", "translated_or_forced"},
}


def nat_of(truth, capture):
    """Where each peer's NAT is, seen from the capture point: {address: "none", "before" or "beyond"}; None: not known."""
    if "nat" in truth:
        return truth["nat"][capture]
    topology = truth.get("topology", {})
    if "nat_address" not in topology:
        return None
    client, headend = (topology[name].split()[0] for name in "AB")
    if topology["nat_address"] is None:
        return {client: "none", headend: "none"}
    if "inside" in capture:
        return {client: "beyond", headend: "none"}
    return {topology["nat_address"]: "before", headend: "none"}


def check_nat_of_peer(peer, real, where, failures):
    nat = peer["nat"]
    for side in ("before", "beyond"):
        is_known = nat[f"{side}_frame"] is not None
        if is_known != (nat[side] != "unknown") or (is_known and nat[side] not in FITTING_SIDES[real, side]):
            failures.add(where, f"NAT of {peer['address']} is {real}, {side} the capture point it is {nat[side]}")
    is_half_known = nat["state"] == "unknown" and "unknown" in (nat["before"], nat["beyond"])
    if real == "beyond" and nat["beyond"] == "unknown":  # not answered: only the client's own hash is there
        real = "none"
    if not is_half_known and nat["state"] not in FITTING_STATES[real]:
        failures.add(where, f"NAT of {peer['address']} is {real}, not {nat['state']}")


def check_nat(truth, capture, report, where, failures):
    nats = nat_of(truth, capture)
    if nats is None:
        return
    for tunnel in report["tunnels"]:
        frames = []
        for peer in tunnel["peers"]:
            real = nats.get(peer["last_address"])
            frames += [peer["nat"]["before_frame"], peer["nat"]["beyond_frame"]]
            if real is None:
                failures.add(where, f"the truth knows no {peer['last_address']}")
            else:
                check_nat_of_peer(peer, real, where, failures)
        has_negotiation = tunnel["ike_version"] and not any(f["id"] == "capture_midstream" for f in tunnel["findings"])
        if has_negotiation and not any(frames):
            failures.add(where, f"tunnel {tunnel['tunnel']}: nothing is known of NATs")


# ---- what always holds ----

def check_passes(one, two, where, failures):
    for finding in findings_of(one):
        if finding not in findings_of(two):
            failures.add(where, f"in one pass but not in two: {finding['id']} on frame {finding['frame']}")
    if len(findings_of(one)) != len(findings_of(two)):
        failures.add(where, f"{len(findings_of(one))} findings in one pass, {len(findings_of(two))} in two")


def check_marks(report, marks, with_end, where, failures):
    listed = sorted((finding["frame"], finding["id"]) for finding in findings_of(report) if with_end or not finding["at_end"])
    for frame, name in sorted(set(listed) ^ set(marks)):
        side = "report" if (frame, name) in listed else "frames"
        failures.add(where, f"{name} on frame {frame} is only in the {side}")


def check_tunnel(tunnel, end_of_capture, where, failures):
    ids = {finding["id"] for finding in tunnel["findings"]}
    rest_of_capture = (end_of_capture or 0) - (tunnel["first_time"] or 0)
    if rest_of_capture < 0 or tunnel["down_seconds"] > rest_of_capture + 0.001:
        failures.add(where, f"tunnel {tunnel['tunnel']}: down {tunnel['down_seconds']} s of {rest_of_capture} s")
    for finding in tunnel["findings"]:
        if finding["cause"] and finding["cause"] not in ids:
            failures.add(where, f"{finding['id']} names a cause that is not listed: {finding['cause']}")
    for incident in tunnel["incidents"]:
        if incident["root_cause"] not in ids:
            failures.add(where, f"root cause {incident['root_cause']} is not among the findings")
        if incident["end"] is not None and incident["end"] < incident["start"]:
            failures.add(where, "an incident ends before it starts")


def check_invariants(report, where, failures):
    frames = report["capture"]["last_frame"] or 0
    for finding in findings_of(report):
        for frame in [finding["frame"], finding["began_frame"], *finding["evidence"]]:
            if not 1 <= frame <= frames:
                failures.add(where, f"{finding['id']} points to frame {frame} of {frames}")
        if finding["began_time"] is not None and finding["time"] is not None and finding["began_time"] > finding["time"]:
            failures.add(where, f"{finding['id']} on frame {finding['frame']} begins after it is found")
    for tunnel in report["tunnels"]:
        check_tunnel(tunnel, report["capture"]["last_time"], where, failures)


def check_capture(tshark, validator, truth, path, keys, failures):
    where = f"{path.name} {'with' if keys else 'without'} keys"
    capture = tshark.capture(path)
    home = tshark.home(keys)
    one, marks = analyse(tshark, capture, home, passes=1)
    two, marks_of_two = analyse(tshark, capture, home, passes=2)
    if validator:
        for error in validator.iter_errors(one):
            failures.add(where, f"schema: {error.json_path}: {error.message}")
    check_expected(truth, path.name, keys, findings_of(one), where, failures)
    check_unexpected(truth, findings_of(one), where, failures)
    check_nat(truth, path.name, one, where, failures)
    check_unwell(truth, one, where, failures)
    if path.name == MAIN_CAPTURE:
        check_root_cause(truth, one, where, failures)
    check_passes(one, two, where, failures)
    check_marks(one, marks, False, f"{where}, one pass", failures)
    check_marks(two, marks_of_two, True, f"{where}, two passes", failures)
    check_invariants(one, where, failures)
    return where, findings_of(one)


def main():
    parser = runner.arguments("Compares the plugin's findings with a capture's truth.")
    parser.add_argument("--verbose", action="store_true", help="print what was found")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    truth = json.loads((options.folder / "truth.json").read_text())
    key_folder = options.folder / "keys"
    failures = Failures()
    validator = load_validator()
    with runner.Runner(options) as tshark:
        for path in sorted(options.folder.glob("capture*.pcapng")):
            for keys in (None, key_folder) if key_folder.is_dir() else (None,):
                try:
                    where, findings = check_capture(tshark, validator, truth, path, keys, failures)
                except (RuntimeError, ValueError) as error:
                    failures.add(path.name, str(error))
                    continue
                if options.verbose:
                    print(f"-- {where}")
                    for finding in findings:
                        print(f"   {finding['frame']:6} {finding['severity']:5} {finding['confidence']:8} {finding['id']}: "
                              f"{finding['text']}")
    for failure in failures:
        print(failure)
    print(f"{options.folder.name}: {'FAILED, ' + str(len(failures)) + ' complaints' if failures else 'as the truth says'}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
