#!/usr/bin/env python3
# check_bad_input.py - what happens with broken captures, captures without IPsec, and mistakes on the command line?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import random
import struct
import sys

import runner

REPORT = ("-z", "ipsec,report")
JSON = ("-z", "ipsec,report,json")
HTML = ("-z", "ipsec,report,html")
SIGNALS = range(129, 256)


class Checks:
    def __init__(self, tshark):
        self.tshark = tshark
        self.home = tshark.home()
        self.failed = 0

    def that(self, condition, what, detail=""):
        if not condition:
            self.failed += 1
            print(f"{what}: {detail}".rstrip(": "))

    def run(self, *args):
        code, out, err = self.tshark.run(args, self.home)
        text = err.decode(errors="replace")
        crashed = code < 0 or code in SIGNALS or "Sanitizer" in text or "runtime error" in text
        self.that(not crashed, f"tshark {' '.join(map(str, args))} crashed", text[-2000:])
        return code, out.decode(errors="replace"), text


def pcap(packets, link_type=1):
    """A classic pcap file; `packets` are (seconds, bytes)."""
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    return header + b"".join(struct.pack("<IIII", int(time), int(time % 1 * 1e6), len(data), len(data)) + data for time, data in packets)


def ethernet_ipv4(protocol, payload, source="192.0.2.1", destination="198.51.100.1"):
    addresses = bytes(int(part) for part in (source + "." + destination).split("."))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + addresses
    return bytes(12) + b"\x08\x00" + ip + payload


def ipv4_of(frame):
    return frame[14:]


def udp(source, destination, payload):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def check_command_line(checks, capture):
    for argument in ("ipsec", "ipsec,nonsense", "ipsec,report,xml", "ipsec,reports", "ipsec,report,json,more", "ipsec,report,html,more", "ipsec,tunnels2"):
        code, out, err = checks.run("-q", "-r", capture, "-z", argument)
        lines = [line for line in err.splitlines() if "ipsec" in line]
        checks.that(code != 0 and out == "" and len(lines) == 1 and "ipsec,report,json" in lines[0], f"-z {argument}",
                    f"code {code}, {err}")
    for argument in ("ipsec,tunnels,no such filter", "ipsec,findings,((", "ipsec,findings,ipsec.nosuchfield == 1"):
        code, out, err = checks.run("-q", "-r", capture, "-z", argument)
        checks.that(code != 0 and out == "" and len(err.splitlines()) == 1 and "filter" in err, f"-z {argument}", f"code {code}, {err}")


def check_empty(checks, name, capture):
    code, out, err = checks.run("-q", "-r", capture, *REPORT)
    checks.that(code == 0 and "no IPsec traffic found" in out, f"{name}: report", f"code {code}, {out}{err}")
    for table in ("tunnels", "findings"):
        code, out, err = checks.run("-q", "-r", capture, "-z", f"ipsec,{table}")
        checks.that(code == 0 and out == "no IPsec traffic found\n", f"{name}: {table}", f"code {code}, {out}{err}")
    code, out, err = checks.run("-q", "-r", capture, *JSON)
    checks.that(code == 0 and json.loads(out)["tunnels"] == [], f"{name}: JSON", f"code {code}, {out}{err}")


def check_disabled(checks, capture):
    code, out, err = checks.run("-q", "-r", capture, "--disable-protocol", "ipsec", *REPORT)
    checks.that(code == 0 and "no IPsec traffic found" in out, "disabled protocol: report", f"code {code}, {out}{err}")
    stock = checks.tshark.run(["-n", "-r", capture, "-V"], checks.home, plugin=False)
    ours = checks.tshark.run(["-n", "-r", capture, "-V", "--disable-protocol", "ipsec"], checks.home)
    checks.that(stock[:2] == ours[:2], "disabled protocol: details are not those of Wireshark without the plugin")


def check_broken(checks, capture):
    """The same capture cut off, and with bytes changed: the plugin shall not be the one that minds."""
    whole = capture.read_bytes()
    for share in (0.1, 0.5, 0.77, 0.99):
        cut = checks.tshark.write("cut.pcapng", whole[: int(len(whole) * share)])
        checks.run("-q", "-r", cut, *JSON, *HTML)
        checks.run("-2", "-V", "-r", cut)
    noise = random.Random(20)
    for _ in range(8):
        bytes_ = bytearray(whole)
        for _ in range(len(bytes_) // 100):
            bytes_[noise.randrange(400, len(bytes_))] = noise.randrange(256)
        checks.run("-V", "-r", checks.tshark.write("noise.pcapng", bytes(bytes_)), *JSON, *HTML)


def check_short_packets(checks):
    """Every length of ESP, UDP-encapsulated and IKE packets that is too short for its header."""
    packets = []
    for length in range(40):
        body = bytes([0, 0, 2, length]) + bytes(range(36))
        packets += [ethernet_ipv4(50, body[:length]), ethernet_ipv4(17, udp(4500, 4500, body[:length])),
                    ethernet_ipv4(17, udp(4500, 4500, (bytes(4) + body)[:length])), ethernet_ipv4(17, udp(500, 500, body[:length])),
                    ethernet_ipv4(17, udp(500, 500, b"\xff" * length))]
    capture = checks.tshark.write("short.pcap", pcap([(1000 + i, packet) for i, packet in enumerate(packets)]))
    for args in (["-V"], ["-2", "-V"], ["-q"]):
        code, _, err = checks.run("-r", capture, *args, *REPORT)
        checks.that(code == 0, "short packets", f"code {code}, {err}")


def check_icmp(checks):
    """An ICMP error that quotes ESP is about the tunnel and not traffic of it, however little it quotes."""
    esp = ethernet_ipv4(50, struct.pack(">II", 0x11223344, 7) + bytes(56))
    natt = ethernet_ipv4(17, udp(4500, 4500, struct.pack(">II", 0x55667788, 9) + bytes(56)))
    errors = [ethernet_ipv4(1, struct.pack(">BBHI", 3, code, 0, 0) + ipv4_of(quoted)[:length], source="203.0.113.9", destination="192.0.2.1")
              for quoted in (esp, natt) for code, length in ((3, 28), (4, 60))]
    packets = [esp, natt, *errors]
    capture = checks.tshark.write("icmp.pcap", pcap([(1000 + i, packet) for i, packet in enumerate(packets)]))
    code, out, err = checks.run("-q", "-r", capture, *JSON)
    checks.that(code == 0, "ICMP errors", f"code {code}, {err}")
    counts = json.loads(out)["capture"] if code == 0 else {}
    checks.that(counts.get("icmp_errors") == 4 and counts.get("esp_packets") == 2, "ICMP errors", f"counted as {counts}")


def check_without_time(checks):
    """All times zero, and times that run backwards."""
    esp = [ethernet_ipv4(50, struct.pack(">II", 0x11223344, i) + bytes(56)) for i in range(1, 30)]
    for name, times in (("zero", [0] * 30), ("backwards", range(3000, 0, -100))):
        capture = checks.tshark.write(f"{name}.pcap", pcap(list(zip(times, esp))))
        code, out, err = checks.run("-q", "-r", capture, *JSON)
        checks.that(code == 0 and json.loads(out)["capture"]["esp_packets"] == 29, f"times {name}", f"code {code}, {out}{err}")


def check_extra_port(checks):
    """Ports of the preference, of the stock preference, and of Decode As by either name are all analysed."""
    esp = [ethernet_ipv4(17, udp(12346, 12366, struct.pack(">II", 0x11223344, i) + bytes(56))) for i in range(1, 10)]
    capture = checks.tshark.write("port.pcap", pcap([(1000 + i, packet) for i, packet in enumerate(esp)]))
    for args in (["-o", "ipsec.udp_ports:12340-12346"], ["-o", "udpencap.udp.port:4500,12346"], ["-d", "udp.port==12346,ipsec.udpencap"],
                 ["-d", "udp.port==12346,udpencap"]):
        code, out, err = checks.run("-q", "-r", capture, *args, *JSON)
        checks.that(code == 0 and json.loads(out)["capture"]["esp_packets"] == 9, " ".join(args), f"code {code}, {out}{err}")
        code, out, err = checks.run("-r", capture, *args, "-T", "fields", "-e", "frame.protocols")
        checks.that(set(out.split()) == {"eth:ethertype:ip:udp:udpencap:esp"}, " ".join(args), f"layers {set(out.split())}")


def ike(payload=b"", next_payload=0, version=0x20, exchange=34, flags=8, message_id=0, length=None, spi_i=0x1111, spi_r=0):
    length = 28 + len(payload) if length is None else length
    return struct.pack(">QQBBBBII", spi_i, spi_r, next_payload, version, exchange, flags, message_id, length) + payload


def check_malformed(checks):
    """IKE messages that contradict themselves are shown as such: on the frame, in the filter, in both reports. Others are not."""
    nonce = struct.pack(">BBH", 0, 0, 20) + bytes(16)
    sound = [ike(nonce, 40), ike(struct.pack(">BBH", 41, 0, 36) + bytes(32), 46, exchange=37, spi_r=5),
             ike(nonce, 40, version=0x28)]  # RFC 7296 2.5: the minor version is not looked at
    broken = {
        "length beyond the packet": ike(nonce, 40, length=4000),
        "length below the header": ike(nonce, 40, length=27),
        "payload length 3": ike(struct.pack(">BBH", 0, 0, 3) + bytes(16), 40),
        "payload length 65535": ike(struct.pack(">BBH", 0, 0, 65535) + bytes(16), 40),
        "bytes behind the last payload": ike(nonce + bytes(40), 40),
        "SK payload beyond the message": ike(struct.pack(">BBH", 41, 0, 400) + bytes(32), 46, exchange=37, spi_r=5),
        "fragment 7 of 3": ike(struct.pack(">BBHHH", 41, 0, 40, 7, 3) + bytes(32), 53, exchange=35, message_id=1, spi_r=5),
        "proposal beyond its SA": ike(struct.pack(">BBHBBHBBBB", 0, 0, 12, 0, 0, 99, 1, 1, 0, 9), 33),
        "major version 3": ike(nonce, 40, version=0x30),
        "IKEv1 payload beyond the message": ike(struct.pack(">BBH", 0, 0, 900) + bytes(16), 1, version=0x10, exchange=2, flags=0),
        "no room for a header": ike()[:21],
    }
    packets = [ethernet_ipv4(17, udp(500, 500, message)) for message in (*sound, *broken.values())]
    capture = checks.tshark.write("malformed.pcap", pcap([(1000 + i, packet) for i, packet in enumerate(packets)]))
    expected = {str(len(sound) + 1 + i): name for i, name in enumerate(broken)}
    for passes in (["-r"], ["-2", "-r"]):
        code, out, err = checks.run(*passes, capture, "-Y", "ipsec.malformed", "-T", "fields", "-e", "frame.number")
        found = set(out.split())
        checks.that(code == 0, "malformed", f"code {code}, {err}")
        for number, name in expected.items():
            checks.that(number in found, f"malformed {passes[0]}: {name}", "not shown")
        checks.that(found <= set(expected), f"malformed {passes[0]}: sound messages", f"frames {sorted(found - set(expected))} shown")
    code, out, err = checks.run("-q", "-r", capture, *JSON)
    count = json.loads(out)["capture"]["malformed"] if code == 0 else None
    checks.that(count == len(broken), "malformed: JSON", f"counts {count}, not {len(broken)}")
    code, out, err = checks.run("-q", "-r", capture, *REPORT)
    checks.that(any(line.split()[:2] == ["Malformed", str(len(broken))] for line in out.splitlines()), "malformed: report", out)


def main():
    parser = runner.arguments("Feeds the plugin what it should not choke on.")
    parser.add_argument("capture", type=pathlib.Path, help="a capture with IPsec")
    options = parser.parse_args()
    with runner.Runner(options) as tshark:
        checks = Checks(tshark)
        capture = tshark.capture(options.capture)
        check_command_line(checks, capture)
        check_empty(checks, "no packets", tshark.write("empty.pcap", pcap([])))
        plain = [ethernet_ipv4(17, udp(53, 53000, bytes(20))), ethernet_ipv4(6, bytes(20)), bytes(60)]
        check_empty(checks, "no IPsec", tshark.write("plain.pcap", pcap([(1000 + i, packet) for i, packet in enumerate(plain)])))
        check_disabled(checks, capture)
        check_broken(checks, capture)
        check_short_packets(checks)
        check_malformed(checks)
        check_icmp(checks)
        check_without_time(checks)
        check_extra_port(checks)
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
