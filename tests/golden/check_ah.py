#!/usr/bin/env python3
# check_ah.py - is AH (RFC 4302) seen: alone, around ESP, in tunnels, in IPv6, quoted by ICMP errors, and broken?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import random
import struct
import sys

import runner
from check_bad_input import JSON, Checks, ethernet_ipv4, ipv4_of, pcap

A, B = "192.0.2.1", "198.51.100.1"
TCP, ESP, AH, IPIP = 6, 50, 51, 4
noise = random.Random(4302)


def ah(next_header, spi, sequence, inside, icv=12):
    return struct.pack(">BBHII", next_header, (12 + icv) // 4 - 2, 0, spi, sequence) + noise.randbytes(icv) + inside


def esp(spi, sequence):
    return struct.pack(">II", spi, sequence) + noise.randbytes(72)


def segment():
    return struct.pack(">HHIIBBHHH", 40000, 80, 1, 1, 0x50, 0x10, 1000, 0, 0) + b"x" * 40


def ipv6(next_header, payload, source, destination):
    addresses = b"".join(bytes.fromhex("20010db8") + bytes(11) + bytes([last]) for last in (source, destination))
    return bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(payload), next_header, 64) + addresses + payload


def conversation(make, count=10):
    """`count` packets each way; make(spi, sequence) is the IP payload after protocol 51."""
    frames = []
    for i in range(1, count + 1):
        frames += [ethernet_ipv4(AH, make(0x1000, i), A, B), ethernet_ipv4(AH, make(0x2000, i), B, A)]
    return frames


def expect(checks, what, frames, tunnels, packets, expected_fields=None):
    """So many tunnels and packets in both passes; every frame names its tunnel, Wireshark's own layers stay."""
    capture = checks.tshark.write("ah.pcap", pcap([(1000 + i / 10, frame) for i, frame in enumerate(frames)]))
    for passes in ([], ["-2"]):
        code, out, err = checks.run("-q", "-r", capture, *passes, *JSON)
        report = json.loads(out) if code == 0 else {"tunnels": [], "capture": {}}
        found = len(report["tunnels"]), report["capture"].get("esp_packets")
        checks.that(found == (tunnels, packets), f"{what} {passes}", f"tunnels and packets are {found}, not {(tunnels, packets)} {err}")
        loud = [finding["text"] for tunnel in report["tunnels"] for finding in tunnel["findings"] if finding["severity"] in ("warn", "error")]
        checks.that(not loud, f"{what} {passes}", str(loud))
        rows = checks.run("-n", *passes, "-r", capture, "-T", "fields", "-e", "ipsec.tunnel")[1].splitlines()
        missing = [i + 1 for i, row in enumerate(rows) if not row]
        checks.that(expected_fields is None or len(rows) - len(missing) == expected_fields, f"{what} {passes}", f"no tunnel on {missing[:5]}")
    layers = ["-n", "-r", capture, "-T", "fields", "-e", "frame.protocols"]
    stock, ours = (checks.tshark.run(layers, checks.home, plugin=plugin)[1] for plugin in (False, True))
    checks.that(stock == ours, f"{what}: layers", "not as without the plugin")


def main():
    options = runner.arguments("Feeds the plugin AH.").parse_args()
    with runner.Runner(options) as tshark:
        checks = Checks(tshark)
        expect(checks, "transport mode", conversation(lambda spi, n: ah(TCP, spi, n, segment())), 1, 20, 20)
        inner = ipv4_of(ethernet_ipv4(TCP, segment(), "10.0.0.1", "10.0.1.1"))
        expect(checks, "tunnel mode", conversation(lambda spi, n: ah(IPIP, spi, n, inner)), 1, 20, 20)
        expect(checks, "around ESP", conversation(lambda spi, n: ah(ESP, spi, n, esp(spi + 1, n))), 1, 20, 20)
        expect(checks, "around ESP with the same SPI", conversation(lambda spi, n: ah(ESP, spi, n, esp(spi, n))), 1, 20, 20)
        nested = conversation(lambda spi, n: ah(IPIP, spi, n, ipv4_of(ethernet_ipv4(ESP, esp(spi, n), "10.0.0.1", "10.0.1.1"))))
        expect(checks, "around a packet with ESP between other addresses", nested, 2, 40, 20)
        small = conversation(lambda spi, n: ah(TCP, spi >> 8, n, segment()))
        expect(checks, "SPIs set by hand", small, 1, 20, 20)
        frames = []
        for i in range(1, 11):
            frames += [ipv6(AH, ah(TCP, 0x1000, i, segment()), 1, 2), ipv6(AH, ah(TCP, 0x2000, i, segment()), 2, 1)]
        expect(checks, "IPv6", frames, 1, 20, 20)
        good = conversation(lambda spi, n: ah(TCP, spi, n, segment()))
        errors = [ethernet_ipv4(1, struct.pack(">BBHI", 3, 1, 0, 0) + ipv4_of(good[0])[:length], "203.0.113.9", A) for length in (28, 32, 44, 80)]
        expect(checks, "quoted by ICMP errors", good + errors, 1, 20)
        whole = ah(TCP, 0x1000, 5, segment())
        broken = [ethernet_ipv4(AH, whole[:length], A, B) for length in range(24)]
        broken += [ethernet_ipv4(AH, whole[:1] + bytes([length]) + whole[2:], A, B) for length in (0, 1, 2, 9, 255)]
        broken += [ethernet_ipv4(AH, ah(number, 0, 0, b""), A, B) for number in (0, 50, 51, 59, 255)]
        capture = tshark.write("broken.pcap", pcap([(1000 + i, frame) for i, frame in enumerate(broken)]))
        for args in (["-V"], ["-2", "-V"], ["-q"]):
            code, _, err = checks.run("-r", capture, *args, *JSON)
            checks.that(code == 0, f"broken {args}", err)
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
