#!/usr/bin/env python3
# check_two_points.py - does a capture put together from two places (mergecap) say what one of them says, and where a loss was?
#
# The second place is the sample's own capture-inside.pcapng, or made from its capture: three routers further on, 20 ms later. Its clock
# is right, a little or far ahead, or behind; the interfaces stay apart or become one (mergecap's default), or get lost (pcap format).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

import runner

OFFSETS = (0.0, 0.35, -2.0, 3600.0)
FORMS = (("-I", "none"), ("-I", "all"), ("-F", "pcap"))
ROUTERS = 3
DELAY = 20_000_000   # ns
LOUD = ("warn", "error")
NEW = {"capture_two_points", "capture_both_sides_of_nat"}


def blocks(data):
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, at)
        yield order, kind, data[at:at + length]
        at += length


def resolution(body, order):
    """Units of a second, as an interface block says (pcapng 4.2)."""
    at = 16
    while at + 4 <= len(body) - 4:
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 9:
            return 2 ** (body[at + 4] & 127) if body[at + 4] & 128 else 10 ** body[at + 4]
        if code == 0:
            break
        at += 4 + (size + 3) // 4 * 4
    return 10 ** 6


def addresses(frame):
    """(source, destination, where the hop limit is) of an Ethernet frame; None: no IP."""
    if frame[12:14] == b"\x08\x00":
        return frame[26:30], frame[30:34], 22
    if frame[12:14] == b"\x86\xdd":
        return frame[22:38], frame[38:54], 21
    return None


def second_place(capture, target):
    """What a second place near the other peer would have captured: what comes from there earlier, all else later."""
    out, server, units = b"", None, 10 ** 6
    for order, kind, block in blocks(capture.read_bytes()):
        if kind == 1:
            units = resolution(block, order)
        if kind == 6:
            interface, high, low, captured, length = struct.unpack_from(order + "5I", block, 8)
            frame = bytearray(block[28:28 + captured])
            stamp, found = high << 32 | low, addresses(frame)
            if found:
                source, destination, hops_at = found
                server = server or destination
                towards_server = source != server
                frame[hops_at] += -ROUTERS if towards_server else ROUTERS
                stamp += (DELAY if towards_server else -DELAY) * units // 10 ** 9
            block = (block[:8] + struct.pack(order + "5I", interface, stamp >> 32, stamp & 0xffffffff, captured, length)
                     + bytes(frame) + block[28 + captured:])
        out += block
    target.write_bytes(out)


def merge(folder, first, second, offset, form):
    shifted, merged = folder / "shifted.pcapng", folder / "merged"
    subprocess.run(["editcap", "-t", str(offset), second, shifted], check=True)
    subprocess.run(["mergecap", *form, "-w", merged, first, shifted], check=True, stderr=subprocess.DEVNULL)
    return merged


def analyse(tshark, capture, home):
    code, out, err = tshark.run(["-n", "-q", "-r", capture, "-z", "ipsec,report,json"], home)
    text = out.decode()
    if code != 0 or "{" not in text:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    return json.loads(text[text.index("{"):])


def findings(report):
    return [finding for tunnel in report["tunnels"] for finding in tunnel["findings"]]


def loud(report):
    return collections.Counter(finding["id"] for finding in findings(report) if finding["severity"] in LOUD)


def check_merged(report, alone, is_made, has_interfaces, where, failures):
    """All that is loud in it, one of the places says too; a place that has seen the same adds nothing and takes nothing away. Only that
    nothing comes any more is not known where the interfaces are: other frames may be of either place."""
    got = loud(report)
    if is_made and (got != alone[0] if has_interfaces else got - alone[0]):
        failures.append(f"{where}: {dict(got)} instead of {dict(alone[0])}")
    for name in got:
        if not is_made and not any(name in one for one in alone):
            failures.append(f"{where}: {name} is what neither place says")
    has_answers = not alone[0].keys() & {"ike_no_response"}   # what is repeated and never answered may as well go by two ways
    if has_answers and report["capture"]["ike_messages"] >= 6 and not any(finding["id"] in NEW for finding in findings(report)):
        failures.append(f"{where}: the two places are not noticed")
    lost = [finding for finding in findings(report) if finding["lost_between"]]
    if is_made and lost:
        failures.append(f"{where}: nothing was lost, but {lost[0]['id']} says {lost[0]['lost_between']}")
    return lost


def check_losses(truth, report, is_inside_first, has_interfaces, where, failures):
    """What the truth says of losses between the two places, the merged capture says too: on the findings, if the place near the sender
    leads, else in the sum."""
    outside, inside = ("interface 0", "interface 1") if has_interfaces else (None, None)
    placed = {}
    for finding in findings(report):
        if finding["lost_between"]:
            placed.setdefault(finding["id"], []).append(finding["lost_between"])
    for expected in truth["expected_findings"]:
        if "lost_between" not in expected:
            continue
        names = placed.get(expected["finding"] if is_inside_first else "capture_two_points", [])
        wanted = [inside, outside] if expected["lost_between"] == ["inside", "outside"] else [outside, inside]
        if not names or (has_interfaces and wanted not in names):
            failures.append(f"{where}: {expected['finding']} was lost {' -> '.join(expected['lost_between'])}, the report says {placed}")


def check_sample(tshark, sample, failures):
    capture, inside = sample / "capture.pcapng", sample / "capture-inside.pcapng"
    is_made = not inside.exists()
    truth = json.loads((sample / "truth.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        second = folder / "second.pcapng"
        if is_made:
            second_place(capture, second)
        else:
            shutil.copy(inside, second)
        home = tshark.home()
        alone = [loud(analyse(tshark, tshark.capture(one), home)) for one in (capture, second)]
        lost = 0
        for offset in OFFSETS:
            for form in FORMS:
                merged = merge(folder, capture, second, offset, form)
                report = analyse(tshark, tshark.capture(merged), home)
                if not is_made and truth.get("topology", {}).get("nat_address") is None:
                    check_losses(truth, report, offset <= 0, form == FORMS[0], f"{sample.name} {offset:+} s {' '.join(form)}", failures)
                lost += len(check_merged(report, alone, is_made, form == FORMS[0], f"{sample.name} {offset:+} s {' '.join(form)}", failures))
        print(f"{sample.name}: {'made' if is_made else 'real'} second place, {lost} losses placed")


def main():
    parser = runner.arguments("Do captures put together from two places say what one of them says?")
    parser.add_argument("sample", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for sample in options.sample:
            check_sample(tshark, sample, failures)
    for failure in failures:
        print(f"FAIL {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
