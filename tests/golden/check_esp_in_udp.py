#!/usr/bin/env python3
# check_esp_in_udp.py - is ESP found on the UDP ports of SD-WAN products, with no setting, and is everything else there left alone?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import random
import struct
import sys

import runner
from check_bad_input import JSON, Checks, ethernet_ipv4, ipv4_of, pcap, udp

A, B = "192.0.2.1", "198.51.100.1"
BASE = 12346
OURS = "ipsec_sdwan_udp"
PREFERENCE = ["-o", "ipsec.udp_ports:12346-12445"]
noise = random.Random(12346)


def esp(spi, sequence, size=72):
    return struct.pack(">II", spi, sequence & 0xFFFFFFFF) + noise.randbytes(size)


def dtls(kind=23, epoch=1, sequence=7, size=61, version=0xFEFD):
    return struct.pack(">BHHHIH", kind, version, epoch, 0, sequence, size) + noise.randbytes(size)


def client_hello():
    """A DTLS 1.2 handshake message that is one (RFC 6347 4.2.2)."""
    body = struct.pack(">H", 0xFEFD) + noise.randbytes(32) + b"\0\0" + struct.pack(">HH", 2, 0xC02B) + b"\1\0"
    message = struct.pack(">B3sH3s3s", 1, len(body).to_bytes(3, "big"), 0, bytes(3), len(body).to_bytes(3, "big")) + body
    return struct.pack(">BHHHIH", 22, 0xFEFD, 0, 0, 0, len(message)) + message


def stun(size=0):
    return struct.pack(">HHI", 1, size, 0x2112A442) + noise.randbytes(12 + size)


def there(payload, sport=BASE, dport=BASE, source=A, destination=B):
    return ethernet_ipv4(17, udp(sport, dport, payload), source, destination)


def back(payload, sport=BASE, dport=BASE):
    return there(payload, sport, dport, B, A)


def ipv6_of(frame):
    """The same datagram between two IPv6 addresses."""
    datagram = ipv4_of(frame)[20:]
    addresses = [bytes.fromhex("20010db8") + bytes(11) + ipv4_of(frame)[at + 3:at + 4] + b"" for at in (12, 16)]
    if addresses[0] == addresses[1]:
        addresses = [address[:-1] + ipv4_of(frame)[at:at + 1] for at, address in zip((12, 16), addresses)]
    return bytes(12) + b"\x86\xdd" + struct.pack(">IHBB", 0x60000000, len(datagram), 17, 64) + b"".join(addresses) + datagram


def write(tshark, name, frames):
    return tshark.write(name, pcap([(1000 + i / 10, frame) for i, frame in enumerate(frames)]))


def both_ways(count=30, spi=0x1A2B3C00, first=1, port=BASE):
    """ESP in both directions, `count` packets each."""
    frames = []
    for i in range(count):
        frames += [there(esp(spi, first + i), port, port), back(esp(spi + 1, first + i), port, port)]
    return frames


def count_of(checks, capture, *args):
    code, out, err = checks.run("-q", "-r", capture, *args, *JSON)
    checks.that(code == 0, f"{capture.name} {' '.join(args)}", err)
    return json.loads(out)["capture"]["esp_packets"] if code == 0 else None


def expect_count(checks, what, frames, expected, *args):
    capture = write(checks.tshark, "count.pcap", frames)
    for passes in ([], ["-2"]):
        found = count_of(checks, capture, *passes, *args)
        checks.that(found == expected, f"{what} {' '.join([*passes, *args])}", f"{found} ESP packets, not {expected}")
    return capture


def shown(checks, capture, *args):
    fields = [word for field in ("frame.number", "frame.protocols", "esp.spi", "ipsec.tunnel") for word in ("-e", field)]
    return [line.split("\t") for line in checks.run("-n", "-r", capture, *args, "-T", "fields", *fields)[1].splitlines()]


def check_found(checks):
    """Both passes and the report count the same packets, the first ones too; another look shows them all."""
    frames = both_ways()
    capture = expect_count(checks, "both ways", frames, 60)
    one, two = shown(checks, capture), shown(checks, capture, "-2")
    checks.that(all(row[1].endswith(":udp:esp") and row[3] == "0" for row in two), "second pass", str(two[:8]))
    taken = [row for row in one if ":esp" in row[1]]
    checks.that(len(taken) >= 54 and one[-len(taken):] == taken, "single pass: the first packets are held back", f"{len(taken)} shown")
    expect_count(checks, "the preference", frames, 60, *PREFERENCE)
    expect_count(checks, "heuristic disabled", frames, 0, "--disable-heuristic", OURS)
    expect_count(checks, "heuristic disabled, preference", frames, 60, "--disable-heuristic", OURS, *PREFERENCE)
    expect_count(checks, "decoded as something else", frames, 0, "-d", f"udp.port=={BASE},syslog")
    expect_count(checks, "one direction", frames[::2], 30)
    expect_count(checks, "IPv6", [ipv6_of(frame) for frame in frames], 60)
    for port in (BASE, 12366, 12386, 12406, 12426, 12445):
        expect_count(checks, f"port {port}", both_ways(4, port=port), 8)
    for port in (BASE - 1, 12446, 4501, 50000):
        expect_count(checks, f"port {port}", both_ways(4, port=port), 0)
    natted = [there(esp(0x77000001, i), 1024, BASE) for i in range(1, 9)] + [back(esp(0x77000002, i), BASE, 1024) for i in range(1, 9)]
    expect_count(checks, "one end behind a NAT", natted, 16)
    expect_count(checks, "small SPIs", both_ways(20, spi=7), 40)
    expect_count(checks, "rekeyed", both_ways() + both_ways(2, spi=0x55000000), 64)
    expect_count(checks, "rekeyed, one packet", both_ways() + both_ways(1, spi=0x55000000), 62)
    expect_count(checks, "midstream", both_ways(first=0x7000), 60)
    expect_count(checks, "sequence wraps", both_ways(first=0xFFFFFFFE), 60)
    expect_count(checks, "each frame again", [frame for frame in frames for _ in range(2)], 120 - count_of_copies(checks, frames))
    lossy = [frame for frame in both_ways(200) if noise.random() > 0.1]
    expect_count(checks, "lossy", lossy, len(lossy))


def count_of_copies(checks, frames):
    """Frames that come again later than a copy would are counted again: here every 0.1 s, within 0.2 s."""
    return len(frames)


def check_dtls(checks):
    """DTLS between the ESP packets, on the same ports: it is shown as without the plugin, with and without the preference."""
    hello = [there(client_hello()), back(dtls(22, 0, 1)), there(dtls(20, 0, 2, 1)), back(dtls(20, 0, 2, 1))]
    records = [frame for i in range(10) for frame in (there(dtls(23, 1, i)), back(dtls(23, 1, i)), there(dtls(21, 1, 100 + i, 26)))]
    mixed, found = list(hello), 0
    for record, packet in zip(records, both_ways()):
        mixed += [record, packet]
    capture = expect_count(checks, "DTLS between", mixed, len(records))
    stock = checks.tshark.run(["-n", "-r", capture, "-T", "fields", "-e", "frame.protocols"], checks.home, plugin=False)[1].decode().split()
    for args in ([], PREFERENCE, ["-2"], ["-2", *PREFERENCE]):
        ours = [row[1] for row in shown(checks, capture, *args)]
        wrong = [i + 1 for i, frame in enumerate(mixed) if frame not in mixed[5::2] and ours[i] != stock[i]]
        checks.that(not wrong, f"DTLS {args}", f"frames {wrong[:5]} differ: {[ours[i - 1] for i in wrong[:3]]}, {[stock[i - 1] for i in wrong[:3]]}")
        found = sum(layers.endswith(":dtls") for layers in ours)
        checks.that(found >= len(records), f"DTLS {args}", f"{found} frames are DTLS")
    only = write(checks.tshark, "dtls.pcap", hello + records)
    expect_same(checks, "DTLS alone", only)
    expect_same(checks, "DTLS alone, the preference", only, ours=PREFERENCE)
    on_4500 = [there(dtls(23, 1, i, 64 + 3), 4500, 4500) for i in range(8)]
    expect_same(checks, "what looks like DTLS on port 4500", write(checks.tshark, "natt.pcap", on_4500), views=(["-T", "fields", "-e", "frame.protocols"],))


def expect_same(checks, what, capture, ours=(), views=(["-V"], ["-2", "-V"], [])):
    for args in views:
        stock = checks.tshark.run(["-n", "-r", capture, *args], checks.home, plugin=False)
        mine = checks.tshark.run(["-n", "-r", capture, *args, *ours], checks.home)
        checks.that(stock[:2] == mine[:2], f"{what} {args}", "not as without the plugin")


def counter(word, start, step=1, size=70):
    """A protocol with a constant first word and a counter."""
    return [struct.pack(">II", word, start + step * i) + noise.randbytes(size) for i in range(12)]


def others():
    """What else may be on such a port."""
    yield "noise", [noise.randbytes(noise.randrange(1, 1400)) for _ in range(200)]
    yield "STUN", [stun() for _ in range(20)]
    yield "classic STUN", [struct.pack(">HH", 1, 8) + noise.randbytes(24) for _ in range(20)]
    yield "OpenVPN", counter(0x48000001, 1, size=72)
    yield "WireGuard", [struct.pack("<IIQ", 4, 0x11223344, i) + noise.randbytes(64) for i in range(20)]
    yield "RTP", [struct.pack(">BBHII", 0x80, 96, i, 160 * i, 0x1234) + noise.randbytes(160) for i in range(20)]
    yield "GTP-U", [struct.pack(">BBHI", 0x30, 0xFF, 64, 0x1234) + noise.randbytes(64) for _ in range(20)]
    yield "VXLAN", [struct.pack(">II", 0x08000000, 77 << 8) + noise.randbytes(64) for _ in range(20)]
    yield "uTP", [struct.pack(">BBHIIIHH", 1, 0, 0x1234, 1000 * i, 3, 0x100000, i, 7) + noise.randbytes(1000) for i in range(20)]
    yield "uTP in a burst", [struct.pack(">BBHIIIHH", 1, 0, 0x1234, 4000 + 5 * i, 3, 0x100000, i, 7) + noise.randbytes(1000) for i in range(20)]
    yield "QUIC, short header", [bytes([0x40 | i % 32]) + noise.randbytes(50) for i in range(20)]
    yield "a counter and nothing else that changes", [struct.pack(">II", 0x11223344, i) + bytes(range(64)) for i in range(20)]
    yield "text", [struct.pack(">II", 0x11223344, i) + b"temperature=%04d;state=running;host=device;" % i for i in range(20)]
    yield "lengths that ESP never has", counter(0x11223344, 1, size=71)
    yield "a counter in steps", counter(0x11223344, 1, step=2)
    yield "a counter backwards", counter(0x11223344, 100, step=-1)
    yield "the same again and again", counter(0x11223344, 5, step=0)
    yield "zeros", [bytes(64)] * 20
    yield "three packets of ESP", [esp(0x11223344, i) for i in range(1, 4)]
    yield "a small word and a counter, six times", [esp(3, i) for i in range(6)]
    yield "short", [bytes([i]) * length for i, length in enumerate(range(0, 24))]
    yield "keepalives", [b"\xff"] * 20


def check_others(checks):
    for what, payloads in others():
        frames = [there(payload) for payload in payloads]
        capture = expect_count(checks, what, frames, 0)
        expect_same(checks, what, capture)
        two_way = [frame for payload in payloads for frame in (there(payload), back(payload[:4] + noise.randbytes(len(payload) - 4)
                                                                                   if len(payload) > 8 else payload))]
        if what != "three packets of ESP":
            expect_count(checks, f"{what}, answered", two_way, 0)


def check_cut(checks):
    """Frames cut by the capture: enough of them is left, or nothing is concluded."""
    frames = both_ways()
    for length in (14 + 20 + 8 + 8, 14 + 20 + 8 + 16, 14 + 20 + 8 + 19, 14 + 20 + 8 + 20, 64, 96):
        header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        records = b"".join(struct.pack("<IIII", 1000, i, min(length, len(frame)), len(frame)) + frame[:length]
                           for i, frame in enumerate(frames))
        found = count_of(checks, checks.tshark.write("cut.pcap", header + records))
        checks.that(found in ((0,) if length < 62 else range(50, 61)), f"cut to {length}", f"{found} ESP packets")


def check_quotes(checks):
    """An ICMP error that quotes ESP of a known path is about it."""
    frames = both_ways()
    errors = [ethernet_ipv4(1, struct.pack(">BBHI", 3, 3, 0, 0) + ipv4_of(frames[0])[:length], B, A) for length in (28, 36, 64)]
    capture = write(checks.tshark, "icmp.pcap", frames + errors)
    for passes in ([], ["-2"]):
        code, out, _ = checks.run("-q", "-r", capture, *passes, *JSON)
        report = json.loads(out)["capture"] if code == 0 else {}
        checks.that((report.get("icmp_errors"), report.get("esp_packets")) == (3, 60), f"ICMP {passes}", str(report))


def check_floods(checks):
    """Random ports, SPIs and paths: bounded, and no path among them is ESP; a real one is found all the same."""
    frames = []
    for i in range(6000):
        frames.append(there(esp(noise.randrange(1 << 32), noise.randrange(1 << 32)), noise.randrange(1024, 65536), noise.randrange(12346, 12446)))
    for i in range(3000):
        frames.append(there(esp(noise.randrange(300, 1 << 32), i)))
    real = both_ways(20, port=12440)
    expect_count(checks, "a flood", frames, 0)
    expect_count(checks, "a flood and ESP", frames[:4000] + real + frames[4000:], 40)
    expect_count(checks, "sequence 0, and one SPI after the other", [there(esp(1000 + i, 0)) for i in range(500)], 0)


def main():
    options = runner.arguments("Feeds the plugin UDP datagrams on ports of SD-WAN products.").parse_args()
    with runner.Runner(options) as tshark:
        checks = Checks(tshark)
        check_found(checks)
        check_dtls(checks)
        check_others(checks)
        check_cut(checks)
        check_quotes(checks)
        check_floods(checks)
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
