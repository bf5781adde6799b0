#!/usr/bin/env python3
# check_icmp_quotes.py - does an ICMP error speak of its tunnel however little of the packet it quotes?
#
# RFC 792 asks for 8 bytes of the quoted packet: its UDP header, and no dissector sees IKE in that. RFC 1812 4.3.2.3 asks for more.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import sys

import runner
from packets import CLIENT, from_client, icmp_error, init, pcap

ROUTER = bytes([203, 0, 113, 9])
HOST_UNREACHABLE = 1
TRIES_AT = (0, 4, 11.2, 24.2)
QUOTED = {"headers": 8, "much": 200}


def capture(port, quoted_bytes, is_copied):
    """IKE_SA_INIT, tried again and again; the frames with an even number are a router's answers."""
    story = []
    for time in TRIES_AT:
        tried = from_client(time, init(False), port)
        error = icmp_error(time + 0.01, HOST_UNREACHABLE, tried[1][0], quoted_bytes, ROUTER, CLIENT)
        story += [tried, error] + ([(error[0] + 0.00005, error[1])] if is_copied else [])
    return pcap(story)


def findings(tshark, path, passes):
    code, out, err = tshark.run([*passes, "-q", "-n", "-r", path, "-z", "ipsec,report,json"], tshark.home())
    if code != 0:
        raise RuntimeError(err.decode(errors="replace"))
    found = json.loads(out)
    return [finding for tunnel in found["tunnels"] for finding in tunnel["findings"] if finding["id"] == "icmp_unreachable"]


def main():
    options = runner.arguments("Checks that ICMP errors are tied to their tunnels.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for port, what in ((500, "IKE"), (4500, "IKE or ESP")):
            for name, quoted_bytes in QUOTED.items():
                words = what if name == "headers" else "IKE"
                text = f'203.0.113.9 reports "host unreachable" for {words} sent to 198.51.100.1:{port}.'
                for is_copied, frames in ((False, [2, 4, 6, 8]), (True, [2, 5, 8, 11])):
                    path = tshark.write(f"{name}-{port}-{is_copied}.pcap", capture(port, quoted_bytes, is_copied))
                    for passes in ([], ["-2"]):
                        found = findings(tshark, path, passes)
                        if [finding["frame"] for finding in found] != frames or {finding["text"] for finding in found} != {text}:
                            failures.append(f"{name} quoted, port {port}, copied {is_copied}, {passes}: {frames} expected, {found}")
    print("\n".join([*failures, "FAILED" if failures else "ICMP errors are tied to their tunnels"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
