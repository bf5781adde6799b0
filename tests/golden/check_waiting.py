#!/usr/bin/env python3
# check_waiting.py - does the report say what was still waited for when the capture ended, and until when?
#
# A liveness check repeated 4, 7.2 and 13 s apart, as strongSwan does by default; it gives up 165 s after the first (its documentation).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import sys

import runner
from packets import AUTH, IDI, IDR, INFORMATIONAL, SPI_I, encrypted, from_client, from_server, init, pcap

CHECK = encrypted(INFORMATIONAL, 2, False, 0, 1)
BEGINNING = [from_client(1, init(False)), from_server(1.1, init(True)), from_client(1.2, encrypted(AUTH, 1, False, IDI, 20)),
             from_server(1.3, encrypted(AUTH, 1, True, IDR, 20))]
TRIES = [from_client(time, CHECK) for time in (100, 104, 111.2, 124.2)]
MANY = [from_client(time + number / 100, CHECK.replace(SPI_I, bytes([number]) * 8)) for time in (100, 104, 111.2, 124.2)
        for number in range(1, 6)]  # of five IKE SAs
ANSWER = [from_server(124.3, encrypted(INFORMATIONAL, 2, True, 0, 1))]


def report(tshark, name, story):
    path = tshark.write(name, pcap(story))
    home = tshark.home()
    found = json.loads(tshark.output(["-q", "-n", "-r", path, "-z", "ipsec,report,json"], home))
    text = tshark.output(["-q", "-n", "-r", path, "-z", "ipsec,report"], home)
    return found["tunnels"][0]["waiting"], " ".join(text.split())


def main():
    options = runner.arguments("Checks what the report says of requests that still wait.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        waiting, text = report(tshark, "waiting.pcap", BEGINNING + TRIES)
        row = waiting[0] if len(waiting) == 1 else {}
        expected = {"exchange": "dpd", "requester": "A", "first_frame": 5, "last_frame": 8, "transmissions": 4, "timer_like": "strongSwan"}
        if {key: row.get(key) for key in expected} != expected:
            failures.append(f"expected {expected}, found {waiting}")
        elif abs(row["next_try"] - 147.6) > 1 or abs(row["gives_up"] - 265) > 2:
            failures.append(f"next try and end of trying: {row['next_try']} and {row['gives_up']}")
        if "192.0.2.10 still waited for an answer to its liveness check (DPD), sent 4 times, last in frame 8." not in text:
            failures.append(f"not in the text: {text}")
        for name, story in (("answered.pcap", BEGINNING + TRIES + ANSWER), ("once.pcap", BEGINNING + TRIES[:1])):
            waiting, text = report(tshark, name, story)
            if waiting or "still waited" in text:
                failures.append(f"{name}: {waiting}")
        waiting, text = report(tshark, "many.pcap", MANY)
        if len(waiting) != 5 or text.count("still waited for") != 3 or "2 further requests waited; the JSON report has all of them." not in text:
            failures.append(f"many.pcap: {len(waiting)} wait, {text}")
    print("\n".join([*failures, "FAILED" if failures else "what is waited for is reported"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
