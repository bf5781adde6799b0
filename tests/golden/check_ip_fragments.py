#!/usr/bin/env python3
# check_ip_fragments.py - is an IKE message noticed of which only the first IP fragment arrives?
#
# Wireshark shows no IKE for it, so no labelled capture of another tool would. The same captures with all fragments must be quiet.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import sys

import runner
from packets import AUTH, IDI, IDR, INFORMATIONAL, encrypted, from_client, from_server, init, pcap

WHOLE_MESSAGES = 7   # of the story in which nothing is lost: IKE_SA_INIT, IKE_AUTH with a repeat, INFORMATIONAL

def capture(is_lossy, port):
    """IKE_AUTH with certificates: three tries without an answer, or one at the second."""
    request = encrypted(AUTH, 1, False, IDI, 160)
    story = [from_client(0, init(False), port), from_server(0.1, init(True), port), from_client(1, request, port),
             from_client(5, request, port)]
    if is_lossy:
        story += [from_client(12, request, port), from_client(25, init(False, b"\x33" * 8), port)]
        return pcap([(time, fragments[:1]) for time, fragments in story])
    story += [from_server(5.2, encrypted(AUTH, 1, True, IDR, 160), port),
              from_client(20, encrypted(INFORMATIONAL, 2, False, 0, 1), port),
              from_server(20.2, encrypted(INFORMATIONAL, 2, True, 0, 1), port)]
    return pcap(story)


def report(tshark, path):
    """The findings by id, and the number of IKE messages."""
    code, out, err = tshark.run(["-q", "-n", "-r", path, "-z", "ipsec,report,json"], tshark.home())
    if code != 0:
        raise RuntimeError(err.decode(errors="replace"))
    found = json.loads(out)
    return ({finding["id"]: finding for tunnel in found["tunnels"] for finding in tunnel["findings"]}, found["capture"]["ike_messages"])


def main():
    options = runner.arguments("Checks that lost IP fragments of IKE messages are found.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for port in (500, 4500):
            lossy, _ = report(tshark, tshark.write(f"lossy-{port}.pcap", capture(True, port)))
            if lossy.get("fragment_loss", {}).get("evidence", [])[:3] != [3, 4, 5]:
                failures.append(f"port {port}: fragment_loss with frames 3, 4, 5 expected, found {lossy}")
            whole, messages = report(tshark, tshark.write(f"whole-{port}.pcap", capture(False, port)))
            if set(whole) != {"retransmission"}:
                failures.append(f"port {port}: one retransmission expected, found {whole}")
            if messages != WHOLE_MESSAGES:
                failures.append(f"port {port}: {WHOLE_MESSAGES} IKE messages expected, counted {messages}")
    print("\n".join([*failures, "FAILED" if failures else "lost IP fragments are found, complete ones are quiet"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
