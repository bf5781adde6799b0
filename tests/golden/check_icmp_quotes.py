#!/usr/bin/env python3
# check_icmp_quotes.py - is an ICMP error tied to its tunnel, however it quotes the tunnel's packet and however little of it?
#
# RFC 792 asks for 8 bytes after the quoted IP header: no dissector sees IKE or ESP in that. RFC 1812 4.3.2.3 and RFC 4443 2.4 ask for more.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import struct
import sys

import runner
from packets import CLIENT, SERVER, esp, fragmented, icmp, init, ip, pcap, udp

CLIENT6, SERVER6 = bytes.fromhex("20010db8000a") + bytes(9) + b"\x0a", bytes.fromhex("20010db8000b") + bytes(9) + b"\x01"
ROUTER, ROUTER6 = bytes([203, 0, 113, 9]), bytes.fromhex("20010db8000c") + bytes(9) + b"\x09"
UDP, TCP, ESP = 17, 6, 50
SPI_OUT, SPI_BACK = 0xc0de0001, 0xc0de0002
EXTENSION = bytes.fromhex("2000dfff0008010100000000")   # RFC 4884 7: a header and an object
EVERY = 0.5                                             # seconds


def words(family):
    """What this test's error is in this family: type, code and name."""
    return (3, 1, "host unreachable") if family == 4 else (1, 3, "address unreachable")


def ends(family):
    return (CLIENT, SERVER, ROUTER, "198.51.100.1") if family == 4 else (CLIENT6, SERVER6, ROUTER6, "2001:db8:b::1")


def place(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def traffic(family, carry):
    """Two seconds of ESP in both directions; `carry` puts ESP into an IP payload: protocol, bytes."""
    client, server, _, _ = ends(family)
    story = []
    for n in range(4):
        for source, destination, spi in ((client, server, SPI_OUT), (server, client, SPI_BACK)):
            protocol, content = carry(esp(spi, n + 1))
            story.append((n * EVERY + (0.1 if spi == SPI_BACK else 0), [ip(source, destination, protocol, content, n + 1)]))
    return story


def in_udp(content):
    return UDP, udp(4500, 4500, content)


def native(content):
    return ESP, content


def stories():
    """Name, capture, and what is to be found of icmp_unreachable: a list of (frame, times, text)."""
    for family in (4, 6):
        kind, code, name = words(family)
        client, server, router, address = ends(family)
        reporter = "203.0.113.9" if family == 4 else "2001:db8:c::9"
        header = 20 if family == 4 else 40

        def error(time, quoted, rest=0, kind=kind, code=code, quoted_bytes=500, tail=b""):
            return icmp(time, kind, code, rest, quoted[:header + quoted_bytes] + tail, router, client)

        def found(what, port, frame, times=1, name=name):
            where = place(address, port) if port else address
            return (frame, times, f'{reporter} reports "{name}" for {what} sent to {where}.')

        for port, what in ((500, "IKE"), (4500, "IKE or ESP")):
            request = ip(client, server, UDP, udp(port, port, (bytes(4) if port == 4500 else b"") + init(False)))
            for quoted_bytes in (8, 12, 24, 40, 200):
                few = quoted_bytes == 8 or port == 4500 and quoted_bytes == 12   # the non-ESP marker is no IKE yet
                for copied in (False, True):
                    story, frame = [], 2
                    for time in (0, 4, 11.2, 24.2):
                        answer = error(time + 0.01, request, quoted_bytes=quoted_bytes)
                        story += [(time, [request]), answer] + ([(answer[0] + 0.00005, answer[1])] if copied else [])
                    yield (f"IPv{family} IKE port {port}, {quoted_bytes} bytes quoted, copied {copied}", pcap(story),
                           [found(what if few else "IKE", port, frame, 4)])
        for carry, port in ((in_udp, 4500), (native, 0)):
            story = traffic(family, carry)
            last = ip(client, server, *carry(esp(SPI_OUT, 5)))
            for quoted_bytes in (8, 12, 16, 60):
                what = "IKE or ESP" if carry is in_udp and quoted_bytes == 8 else "ESP"
                yield (f"IPv{family} {carry.__name__}, {quoted_bytes} bytes quoted",
                       pcap([*story, (3, [last]), error(3.01, last, quoted_bytes=quoted_bytes)]), [found(what, port, 10)])
            cut = [error(3 + n / 2, last, quoted_bytes=n - header) for n in range(header)]
            yield f"IPv{family} {carry.__name__}, quotes cut in the IP header", pcap([*story, (2.9, [last]), *cut]), []
            cut = [error(3 + n / 2, last, quoted_bytes=n) for n in range(8)]   # only the protocol ESP tells what it was then
            yield (f"IPv{family} {carry.__name__}, quotes cut in the next header", pcap([*story, (2.9, [last]), *cut]),
                   [found("ESP", port, 10, 8)] if carry is native else [])
            large = ip(client, server, *carry(esp(SPI_OUT, 5, 1448)))
            too_big = (3, 4, "fragmentation needed") if family == 4 else (2, 0, "packet too big")
            frame, times, text = found("ESP", port, 10, name=too_big[2])
            text = text[:-1] + f", a packet of {len(large)} bytes; the next hop takes up to 1400 bytes (MTU)."
            yield (f"IPv{family} {carry.__name__} too big",
                   pcap([*story, (3, [large]), error(3.01, large, 1400, too_big[0], too_big[1])]), [(frame, times, text)])
            first = fragmented(client, server, *carry(esp(SPI_OUT, 5, 1448)), 77)[0]
            yield (f"IPv{family} {carry.__name__}, a first fragment quoted", pcap([*story, (3, [first]), error(3.01, first)]),
                   [found("ESP", port, 10)])
            padded = last[:128].ljust(128, b"\0")
            units = 128 // 4 << 16 if family == 4 else 128 // 8 << 24
            yield (f"IPv{family} {carry.__name__}, extensions behind the quote (RFC 4884)",
                   pcap([*story, (3, [last]), error(3.01, padded, units, tail=EXTENSION)]), [found("ESP", port, 10)])
        story = traffic(family, in_udp)
        last = ip(client, server, *in_udp(esp(SPI_OUT, 5)))
        later = ip(client, server, UDP, esp(SPI_OUT, 5), 77, 185)
        ports = ip(client, server, UDP, udp(5000, 4500, esp(SPI_OUT + 9, 5)))
        strangers = ip(client, router, *in_udp(esp(SPI_OUT + 9, 5)))
        quoting = error(3.01, last)[1][0]
        dns = ip(client, server, UDP, udp(5000, 53, bytes(40)))
        nested = ip(client, server, 4 if family == 4 else 41, last)
        for name_, quoted in (("a later fragment", later), ("another destination", strangers), ("other ports", ports), ("an ICMP error", quoting),
                              ("DNS", dns), ("IP in IP", nested), ("nothing", b""), ("rubbish", bytes(range(200)))):
            yield f"IPv{family} quotes {name_}", pcap([*story, (3, [last]), error(3.01, quoted)]), []
        echo = (8, 0) if family == 4 else (128, 0)
        redirect = (5, 1) if family == 4 else (137, 0)
        for kind_, code_ in (echo, redirect):
            yield f"IPv{family} no error, type {kind_}", pcap([*story, (3, [last]), error(3.01, last, 0, kind_, code_)]), []
        flood = [icmp(4 + n, kind, code, 0, last, router[:-2] + struct.pack("!H", n), client) for n in range(400)]
        yield f"IPv{family} flood of reporters", pcap([*story, *flood]), [(9 + n, 1, None) for n in range(16)]
        flood = [icmp(4 + n, kind, code, 0, last, router, client) for n in range(400)]
        yield f"IPv{family} flood of one reporter", pcap([*story, *flood]), [found("ESP", 4500, 9, 400)]
    options = struct.pack("!BB6s", UDP, 0, bytes([1, 4, 0, 0, 0, 0]))
    with_options = ip(CLIENT6, SERVER6, 60, options + udp(500, 500, init(False)))
    yield ("IPv6 destination options", pcap([(0, [with_options]), icmp(0.01, 1, 3, 0, with_options[:120], ROUTER6, CLIENT6)]),
           [(2, 1, '2001:db8:c::9 reports "address unreachable" for IKE sent to [2001:db8:b::1]:500.')])
    for family in (4, 6):
        yield from over_tcp(family)


def over_tcp(family):
    """RFC 9329: what an error quotes of a segment tells whose connection it is, and no more."""
    kind, code, name = words(family)
    client, server, router, address = ends(family)
    reporter = "203.0.113.9" if family == 4 else "2001:db8:c::9"
    record = struct.pack("!HI", 6 + len(init(False)), 0) + init(False)
    segment = ip(client, server, TCP, struct.pack("!HHIIHHHH", 40000, 4500, 1, 1, 0x5018, 65535, 0, 0) + b"IKETCP" + record)
    other = ip(client, server, TCP, struct.pack("!HHIIHHHH", 40000, 443, 1, 1, 0x5018, 65535, 0, 0))
    for quoted_bytes in (8, 60):
        quote = segment[:(20 if family == 4 else 40) + quoted_bytes]
        yield (f"IPv{family} TCP, {quoted_bytes} bytes quoted", pcap([(0, [segment]), icmp(1, kind, code, 0, quote, router, client)]),
               [(2, 1, f'{reporter} reports "{name}" for IKE or ESP sent to {place(address, 4500)}.')])
    yield f"IPv{family} quotes HTTPS", pcap([(0, [segment]), icmp(1, kind, code, 0, other, router, client)]), []


def findings(tshark, path, passes):
    found = json.loads(tshark.output([*passes, "-q", "-n", "-r", path, "-z", "ipsec,report,json"]))
    return [finding for tunnel in found["tunnels"] for finding in tunnel["findings"] if finding["id"] == "icmp_unreachable"]


def agrees(finding, expected):
    frame, times, text = expected
    return finding["frame"] == frame and finding["times"] == times and (text is None or finding["text"].startswith(text))


def main():
    options = runner.arguments("Checks that ICMP errors are tied to their tunnels.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for number, (name, capture, expected) in enumerate(stories()):
            path = tshark.write(f"{number}.pcap", capture)
            for passes in ([], ["-2"]) if number % 8 == 0 else ([],):
                found = findings(tshark, path, passes)
                if len(found) != len(expected) or not all(map(agrees, found, expected)):
                    failures.append(f"{name} {passes}: {expected} expected, {[(f['frame'], f['times'], f['text']) for f in found]}")
    print("\n".join([*failures, "FAILED" if failures else f"ICMP errors are tied to their tunnels: {number + 1} captures"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
