#!/usr/bin/env python3
# check_tcp.py - are IKE and ESP found in TCP streams (RFC 9329), whatever the segments look like, and is everything else left alone?
#
# usage: check_tcp.py --plugin FILE FOLDER    the sample with TCP encapsulation
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import random
import struct
import sys

import runner
from check_bad_input import JSON, Checks, ethernet_ipv4, ipv4_of, pcap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
import pcapng  # noqa: E402

CLIENT, SERVER = "192.0.2.1", "198.51.100.1"
PORT = 4500
CLIENT_PORT = 51234  # no dissector of Wireshark 4.0 to 4.6 stands there
PREFIX = b"IKETCP"
LONE_BYTE = 14 + 20 + 20 + 1  # a frame that Wireshark 4.6 takes for a TCP keep-alive when it comes again, and its byte with it
WAYS = ([], ["-o", "tcp.desegment_tcp_streams:FALSE"], ["-o", "tcp.analyze_sequence_numbers:FALSE"],
        ["-o", "tcp.reassemble_out_of_order:TRUE"], ["-o", "tcp.no_subdissector_on_error:FALSE"])


# ---- streams made here ----

def segment(sport, dport, sequence, payload, source=CLIENT, destination=SERVER, flags=0x18):
    header = struct.pack(">HHIIBBHHH", sport, dport, sequence & 0xFFFFFFFF, 1, 0x50, flags, 65535, 0, 0)
    return ethernet_ipv4(6, header + payload, source, destination)


def stream(client_port, pieces, start=1, port=PORT):
    """The client's segments, one per piece."""
    frames = []
    for piece in pieces:
        frames.append(segment(client_port, port, start, piece))
        start += len(piece)
    return frames


def record(message):
    return struct.pack(">H", len(message) + 2) + message


def esp(number, spi=0x11223344, size=56):
    return struct.pack(">II", spi, number) + bytes((number * 7 + i) % 251 for i in range(size))


def ike(message_id, spi=0xA1A2A3A4A5A6A7A8):
    """A liveness request: an encrypted payload with nothing readable in it (RFC 7296 1.4)."""
    body = struct.pack(">BBH", 0, 0, 4 + 52) + bytes(range(52))
    return bytes(4) + struct.pack(">QQBBBBII", spi, 0xB1B2B3B4B5B6B7B8, 46, 0x20, 37, 8, message_id, 28 + len(body)) + body


def write(tshark, name, frames):
    return tshark.write(name, pcap([(1000 + i / 10, frame) for i, frame in enumerate(frames)]))


def counts_of(checks, capture, *args):
    code, out, err = checks.run("-q", "-r", capture, *args, *JSON)
    checks.that(code == 0, f"{capture.name} {' '.join(args)}", err)
    found = json.loads(out)["capture"] if code == 0 else {}
    return tuple(found.get(key) for key in ("ike_messages", "esp_packets", "keepalives"))


def expect_counts(checks, what, capture, expected, *args):
    found = counts_of(checks, capture, *args)
    checks.that(found == expected, f"{what} {' '.join(args)}", f"IKE, ESP, keepalives are {found}, not {expected}")


def check_passes(checks, what, capture, *args):
    """A frame visited again shows the same records, of the same tunnel."""
    fields = [word for field in ("frame.number", "ipsec.tcp.length", "esp.sequence", "isakmp.messageid", "ipsec.tunnel")
              for word in ("-e", field)]
    one, two = (checks.run("-n", *passes, "-r", capture, *args, "-T", "fields", *fields)[1].splitlines() for passes in ([], ["-2"]))
    checks.that(one == two, f"{what} {' '.join(args)}: passes differ", str([pair for pair in zip(one, two) if pair[0] != pair[1]][:3]))


# ---- the sample ----

def check_decryption(checks, folder, capture):
    """Keys open every message, as they did before the capture was put into TCP."""
    truth = json.loads((folder / "truth.json").read_text())["verify"][capture.name]
    home = checks.tshark.home(folder / "keys")
    fields = ["isakmp.enc.decrypted", "esp.icv_good", "esp.sequence", "_ws.malformed", "ipsec.tcp.prefix", "ipsec.tcp.length"]
    for passes in ([], ["-2"]):
        code, out, err = checks.tshark.run(["-n", *passes, "-r", capture, "-T", "fields", "-E", "occurrence=a",
                                            *(word for field in fields for word in ("-e", field))], home)
        checks.that(code == 0, "decryption", err.decode(errors="replace"))
        cells = [line.split("\t") for line in out.decode().splitlines()]
        found = {field: sum(len([value for value in row[i].split(",") if value]) for row in cells) for i, field in enumerate(fields)}
        good = sum(value in ("1", "True") for row in cells for value in row[1].split(","))
        checks.that(found["isakmp.enc.decrypted"] == truth["ike_decrypted"], f"IKE decrypted {passes}", str(found))
        checks.that(good == found["esp.sequence"] == truth["esp"], f"ESP with a good ICV {passes}", f"{good}, {found}")
        checks.that(found["_ws.malformed"] == 0 and found["ipsec.tcp.prefix"] == 2, f"framing {passes}", str(found))
        checks.that(found["ipsec.tcp.length"] == truth["isakmp"] + truth["esp"], f"records {passes}", str(found))
    return truth["isakmp"], truth["esp"], 0


def check_worse_captures(checks, packets, expected):
    """Copies are counted once; what comes in the middle, or with holes, is found again, and never makes an alarm."""
    linktype, packets = packets
    for later in (20_000, 300_000_000): # ns: a mirror port, and TCP that sends again what has arrived
        doubled = checks.tshark.write("doubled.pcapng", b"")
        pcapng.write(doubled, linktype, sorted((time + extra, frame) for time, frame in packets
                                               for extra in ((0,) if len(frame) == LONE_BYTE else (0, later))))
        for way in (WAYS[0], *WAYS[2:]):
            expect_counts(checks, f"each frame again after {later} ns", doubled, expected, *way)
            check_passes(checks, f"each frame again after {later} ns", doubled, *way)
            code, out, _ = checks.run("-2", "-r", doubled, *way, "-Y", "ipsec.retransmission.of || ipsec.analysis.retransmission")
            checks.that(code == 0 and out == "", f"each frame again after {later} ns {way}", out)
    holes = random.Random(9329)
    for number in range(12):
        if number < 6:
            kept = packets[10 + 11 * number:]
        else:
            kept = [packet for packet in packets if holes.random() > 0.05 * (number - 5)]
        path = checks.tshark.write("worse.pcapng", b"")
        pcapng.write(path, linktype, kept)
        for passes in ([], ["-2"]):
            code, out, err = checks.run("-q", "-r", path, *passes, *JSON)
            report = json.loads(out) if code == 0 else {"tunnels": []}
            loud = [finding["text"] for tunnel in report["tunnels"] for finding in tunnel["findings"]
                    if finding["severity"] in ("warn", "error")]
            checks.that(code == 0 and not loud, f"worse capture {number} {passes}", f"{loud} {err}")
        check_passes(checks, f"worse capture {number}", path)
        carrying = [frame for _, frame in kept if len(frame) > 80]
        found = sum(counts_of(checks, path)[:2])
        checks.that(number >= 6 or found >= len(carrying) // 2, f"midstream {number}", f"{found} messages in {len(carrying)} segments")


def check_ports(checks, packets, expected):
    """Another port is IPsec when the preference or Decode As says so, and 4500 is not when the user says that."""
    linktype, packets = packets

    def moved(frame):
        if len(frame) < 54 or frame[23] != 6:
            return frame
        ports = [8443 if port == PORT else port for port in struct.unpack_from(">HH", frame, 34)]
        return frame[:34] + struct.pack(">HH", *ports) + frame[38:]

    path = checks.tshark.write("moved.pcapng", b"")
    pcapng.write(path, linktype, [(time, moved(frame)) for time, frame in packets])
    expect_counts(checks, "port 8443", path, (0, 0, 0))
    for args in (["-o", "ipsec.tcp_ports:8000-8443"], ["-d", "tcp.port==8443,ipsec.tcp"]):
        expect_counts(checks, "port 8443", path, expected, *args)
    path = checks.tshark.write("same.pcapng", b"")
    pcapng.write(path, linktype, packets)
    expect_counts(checks, "port 4500", path, expected, "-o", "ipsec.tcp_ports:4500")
    expect_counts(checks, "port 4500 decoded as HTTP", path, (0, 0, 0), "-d", "tcp.port==4500,http", "-o", "ipsec.tcp_ports:4500")


# ---- framing ----

def check_framing(checks):
    """The same records in segments of every kind."""
    records = [record(ike(0)), record(esp(1)), record(esp(2)), record(b"\xff"), record(b""), record(ike(1)), record(esp(3, size=1400))]
    whole = PREFIX + b"".join(records)
    expected = (2, 3, 1)
    kinds = {"one segment": [whole], "one record each": [PREFIX, *records], 
             "single bytes": [whole[:2], *(whole[i:i + 1] for i in range(2, 200)), whole[200:]]}
    for size in (2, 3, 7, 60, 1000):
        kinds[f"{size} bytes each"] = [whole[i:i + size] for i in range(0, len(whole), size)]
    for name, pieces in kinds.items():
        capture = write(checks.tshark, "framing.pcap", stream(CLIENT_PORT, pieces))
        for way in (WAYS[0], *WAYS[2:]):
            expect_counts(checks, name, capture, expected, *way)
        code, out, _ = checks.run("-2", "-r", capture, "-T", "fields", "-e", "ipsec.tcp.length", "-e", "ipsec.tcp.prefix")
        lengths = [int(word) for line in out.splitlines() for word in line.split("\t")[0].split(",") if word]
        checks.that(code == 0 and lengths == [len(item) for item in records], f"{name}, two passes", str(lengths))
    for name, message, found in (("IKE first", [record(ike(0)), record(esp(1))], (1, 1, 0)),
                                 ("ESP twice in a segment", [record(esp(7)) + record(esp(8)), record(esp(9))], (0, 3, 0)),
                                 ("ESP in three segments", [record(esp(number)) for number in (7, 8, 9)], (0, 2, 0)),
                                 ("ESP once", [record(esp(7))], (0, 0, 0))):
        expect_counts(checks, f"no prefix, {name}", write(checks.tshark, "midway.pcap", stream(CLIENT_PORT, message)), found)
    request = b"GET / HTTP/1.1\r\nHost: "
    inner = ipv4_of(segment(50000, 80, 1, request + bytes(-len(request) % 4)))
    null = [struct.pack(">II", 0x55667788, number) + inner + b"\1\2\2\4" + bytes(12) for number in (1, 2, 3)]
    joined = write(checks.tshark, "inner.pcap", stream(CLIENT_PORT, [PREFIX + record(null[0]) + record(null[1])[:30],
                                                               record(null[1])[30:] + record(null[2]), record(ike(1))]))
    for passes in ([], ["-2"]):
        args = ["-o", "esp.enable_null_encryption_decode_heuristic:TRUE", *passes]
        code, out, _ = checks.run("-r", joined, *args, "-T", "fields", "-e", "ipsec.tcp.length", "-e", "frame.protocols")
        checks.that("ipsec.tcp:esp:ip:tcp" in out, "TCP inside ESP inside TCP", f"layers {out}")
        checks.that(len(out.replace(",", " ").replace("\t", " ").split()) == 4 + 3, "TCP inside ESP inside TCP", f"records {out}")
        expect_counts(checks, "TCP inside ESP inside TCP", joined, (1, 3, 0), *args)
    keepalives = stream(CLIENT_PORT, [PREFIX + record(ike(0)), record(b"\xff"), record(b"\xff"), record(esp(1))])
    capture = write(checks.tshark, "keepalives.pcap", [*keepalives, *keepalives])
    for way in WAYS:
        expect_counts(checks, "keepalives, each segment again", capture, (1, 1, 2), *way)
        code, out, _ = checks.run("-r", capture, *way, "-Y", "_ws.malformed")
        checks.that(code == 0 and out == "", f"keepalives {way}", out)
    dns = ipv4_of(segment(50000, 53, 1, struct.pack(">H", 601) + bytes(range(50))))
    null = [struct.pack(">II", 0x55667788, number) + dns + b"\1\2\2\4" + bytes(12) for number in (1, 2, 3)]
    hints = write(checks.tshark, "hints.pcap", stream(CLIENT_PORT, [PREFIX, *map(record, null), *(record(esp(i)) for i in range(4, 12))]))
    for way in WAYS:
        expect_counts(checks, "a long message over TCP inside ESP", hints, (0, 11, 0), "-o",
                      "esp.enable_null_encryption_decode_heuristic:TRUE", *way)
    hole = stream(CLIENT_PORT, [PREFIX + record(ike(0)), *(record(esp(i)) for i in range(1, 12))])
    for missing, found in ((1, 8), (4, 9), (9, 9)):  # of an SPI never seen before, it takes two to be believed
        expect_counts(checks, "a hole before ESP", write(checks.tshark, "hole.pcap", hole[:missing] + hole[missing + 2:]), (1, found, 0))
    again = stream(CLIENT_PORT, [PREFIX, record(ike(0)), record(esp(1))]) + stream(CLIENT_PORT, [PREFIX + record(esp(2))], start=77_000_000)
    expect_counts(checks, "a new connection on old ports", write(checks.tshark, "again.pcap", again), (1, 2, 0))


def check_bad_streams(checks):
    """Length fields that lie, prefixes without an end, noise: no crash, no endless loop, and the rest of the capture is seen."""
    noise = random.Random(4500)
    frames, port = [], 41000

    def add(*pieces):
        nonlocal port
        frames.extend(stream(port, pieces))
        port += 1

    for end in range(len(PREFIX) + 1):
        add(PREFIX[:end] + b"\0" * (end == 0))
        add(PREFIX[:end], b"X", b"Y" * 40)
    for length in (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 33, 34, 35, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF):
        for body in (b"", b"\xff", b"\0", bytes(4), bytes(40), esp(1), ike(0), b"\xff" * 300):
            add(PREFIX + struct.pack(">H", length) + body)
            add(PREFIX + record(ike(0)), struct.pack(">H", length) + body, record(esp(5)), bytes(2000))
            add(struct.pack(">H", length) + body, record(esp(5)))
    add(PREFIX * 200)
    add(*[PREFIX] * 20)
    add(PREFIX + b"\0\2" * 700, b"\0\2" * 700 + b"\0\3\xff" * 40)
    add(PREFIX + b"\0\0" * 700)
    for _ in range(60):
        add(PREFIX + noise.randbytes(noise.randrange(1, 1400)), noise.randbytes(noise.randrange(1, 1400)))
        add(noise.randbytes(noise.randrange(1, 1400)), noise.randbytes(noise.randrange(1, 1400)))
    good = [frame for number in range(6)
            for frame in stream(60000 + number, [PREFIX + record(ike(1, spi=0x0102030405060700 + number))])]
    capture = write(checks.tshark, "bad.pcap", frames + good)
    for way in WAYS:
        for args in (["-V"], ["-2", "-V"]):
            code, _, err = checks.run("-r", capture, *args, *way, "-z", "ipsec,report")
            checks.that(code == 0, f"bad streams {args} {way}", f"code {code}, {err[-500:]}")
    code, out, _ = checks.run("-r", capture, "-Y", "ipsec.tunnel && tcp.srcport >= 60000", "-T", "fields", "-e", "frame.number")
    checks.that(code == 0 and len(out.split()) == len(good), "streams beside bad ones", out)


def check_other_protocols(checks):
    """What uses the port for something else looks as it does without the plugin."""
    noise = random.Random(1)
    streams = [[b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", b"Accept: */*\r\n\r\n"], [bytes(1000)] * 5, [b"\xff" * 1000] * 5,
               [b"\x11" * 1000] * 5, [b"IKEX" + bytes(100)] * 3, [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise.randbytes(506)] * 2,
               [record(esp(1, spi=7))] * 3, [record(esp(1))] * 3, [record(esp(9)), record(esp(4))], [b"\0\2"] * 10, [record(b"\xff")] * 10,
               [record(bytes(4) + bytes(60))] * 3, [b"SSH-2.0-OpenSSH_9.2\r\n", noise.randbytes(1400)]]
    streams += [[noise.randbytes(noise.randrange(1, 1400)) for _ in range(6)] for _ in range(40)]
    frames = [frame for number, pieces in enumerate(streams) for frame in stream(42000 + number, pieces)]
    frames += [segment(PORT, 43000, 1, noise.randbytes(500), source=SERVER, destination=CLIENT), segment(43000, PORT, 1, b"", flags=2)]
    capture = write(checks.tshark, "other.pcap", frames)
    for args in (["-V"], ["-2", "-V"], []):
        for way in WAYS:
            stock = checks.tshark.run(["-n", "-r", capture, *args, *way], checks.home, plugin=False)
            ours = checks.tshark.run(["-n", "-r", capture, *args, *way], checks.home)
            checks.that(stock[:2] == ours[:2], f"other protocols on port {PORT} {args} {way}", "not as without the plugin")


def main():
    parser = runner.arguments("Feeds the plugin TCP streams with and without IPsec.")
    parser.add_argument("folder", type=pathlib.Path, help="the sample with TCP encapsulation")
    options = parser.parse_args()
    with runner.Runner(options) as tshark:
        checks = Checks(tshark)
        capture = tshark.capture(options.folder / "capture.pcapng")
        packets = pcapng.read(capture)
        expected = check_decryption(checks, options.folder, capture)
        check_worse_captures(checks, packets, expected)
        check_ports(checks, packets, expected)
        check_framing(checks)
        check_bad_streams(checks)
        check_other_protocols(checks)
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
