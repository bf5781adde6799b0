#!/usr/bin/env python3
# check_syslog.py - are syslog lines about invalid SPIs seen on the wire, wherever the stock dissector sees them, and nowhere else?
#
# What a line means is the matter of tests/scenario/syslog_invalid_spi.scenario; here it has to get from a datagram to a finding.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import ipaddress
import json
import struct
import sys

import runner
from packets import icmp, pcap

IOS = "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr={to}, prot=50, spi=0x{spi:X}({spi}), srcaddr={by}"
SPI, UNKNOWN = 0xB761863E, 0x0BADCAFE
LINK = {4: ("192.0.2.10", "198.51.100.1", "203.0.113.200"), 6: ("2001:db8:a::2", "2001:db8:b::2", "2001:db8:c::200")}
ROUTER = bytes([203, 0, 113, 9])


def ip(version, protocol, source, destination, body):
    addresses = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if version == 6:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + addresses + body
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0) + addresses + body


def esp(version, number):
    client, server, _ = LINK[version]
    return ip(version, 50, client, server, struct.pack("!II", SPI, number) + bytes([number % 251]) * 64)


def syslog(version, text, port=514):
    _, server, collector = LINK[version]
    return ip(version, 17, server, collector, struct.pack("!HHHH", 51400, port, 8 + len(text), 0) + text)


def line(version, spi, head="<188>91: *Nov 20 21:04:11.271: "):
    client, server, _ = LINK[version]
    return (head + IOS.format(to=server, spi=spi, by=client)).encode()


def story(version, *rest):
    """A minute of ESP, then what is given, a second apart."""
    return [(float(n), [esp(version, 1000 + n)]) for n in range(1, 11)] + [(11.0 + n, [packet]) for n, packet in enumerate(rest)]


def report(tshark, path, *args):
    return json.loads(tshark.output([*args, "-q", "-n", "-r", path, "-z", "ipsec,report,json"]))


def fields(tshark, path, *args, plugin=True):
    return tshark.output(["-n", "-r", path, *args], plugin=plugin).splitlines()


def told(findings):
    return [(finding["severity"], finding["frame"], finding["times"]) for finding in findings if finding["id"] == "syslog_invalid_spi"]


class Checks:
    def __init__(self, tshark):
        self.tshark = tshark
        self.failed = 0

    def equal(self, found, expected, what):
        if found != expected:
            self.failed += 1
            print(f"{what}: {expected} expected, {found} found")

    def findings(self, name, packets, tied, untied=(), args=()):
        path = self.tshark.write(f"{name}.pcap", pcap(packets))
        for passes in ([], ["-2"]):
            found = report(self.tshark, path, *passes, *args)
            self.equal(told([finding for tunnel in found["tunnels"] for finding in tunnel["findings"]]), list(tied), f"{name} {passes}: tied")
            self.equal(told(found["findings"]), list(untied), f"{name} {passes}: of no tunnel")
        return path

    def frame(self, path, number, expected, args=()):
        for passes in ([], ["-2"]):
            found = fields(self.tshark, path, *passes, *args, "-Y", f"frame.number == {number} && ipsec.analysis.syslog_invalid_spi", "-T", "fields",
                           "-e", "ipsec.tunnel", "-e", "ipsec.analysis.finding", "-e", "frame.protocols")
            self.equal(found, [expected] if expected else [], f"{path.name}, frame {number} {passes}")


def check_lines(checks):
    for version in LINK:
        layers = "raw:ipv6:udp:syslog" if version == 6 else "raw:ip:udp:syslog"
        path = checks.findings(f"line-{version}", story(version, syslog(version, line(version, SPI))), [("error", 11, 1)])
        checks.frame(path, 11, f"0\tsyslog_invalid_spi\t{layers}")
        path = checks.findings(f"unknown-{version}", story(version, syslog(version, line(version, UNKNOWN))), [], [("note", 11, 1)])
        checks.frame(path, 11, f"\tsyslog_invalid_spi\t{layers}")


def check_forms(checks):
    """One datagram with several lines, RFC 5424 with a byte order mark, bytes that are no text."""
    both = line(4, SPI) + b"\n<13>something else\n" + line(4, UNKNOWN)
    checks.findings("several", story(4, syslog(4, both)), [("error", 11, 1)], [("note", 11, 1)])
    checks.findings("rfc5424", story(4, syslog(4, "<188>1 2026-11-20T21:04:11Z gw - - - - \ufeff".encode() + line(4, SPI, ""))), [("error", 11, 1)])
    checks.findings("noise", story(4, syslog(4, b"<188>\xff\xfe\x80" + line(4, SPI, "") + b"\xc3\x28")), [("error", 11, 1)])
    checks.findings("cut", story(4, syslog(4, line(4, SPI)[:100])), [])
    checks.findings("other", story(4, syslog(4, b"<13>Nov 20 21:04:11 host su: 'su root' failed")), [])


def check_ports(checks):
    """Where the user has syslog decoded, by whichever way and name."""
    elsewhere = story(4, syslog(4, line(4, SPI), 5514))
    checks.findings("port", elsewhere, [])
    for args in (["-d", "udp.port==5514,syslog"], ["-d", "udp.port==5514,ipsec.syslog"], ["-o", "syslog.udp.port:514,5514"]):
        path = checks.findings("port-" + args[1].replace(",", "-"), elsewhere, [("error", 11, 1)], args=args)
        checks.frame(path, 11, "0\tsyslog_invalid_spi\traw:ip:udp:syslog", args)


def check_tcp(checks):
    """In TCP only where the user says so, one message a segment or several, with and without octet counting."""
    def segment(text, position):
        _, server, collector = LINK[4]
        header = struct.pack("!HHIIHHHH", 51400, 601, position, 1, 0x5018, 0xFFFF, 0, 0)
        return ip(4, 6, server, collector, header + text)

    first = b"%d %s" % (len(line(4, SPI)), line(4, SPI)) + b"12 <13>nothing\n"
    packets = story(4, segment(first, 1), segment(line(4, UNKNOWN) + b"\n", 1 + len(first)))
    checks.findings("tcp-unasked", packets, [])
    path = checks.findings("tcp", packets, [("error", 11, 1)], [("note", 12, 1)], ["-d", "tcp.port==601,syslog"])
    checks.frame(path, 11, "0\tsyslog_invalid_spi\traw:ip:tcp:syslog", ["-d", "tcp.port==601,syslog"])


def check_quotes(checks):
    """An ICMP error about a syslog datagram quotes a line that came before; it is none itself."""
    datagram = syslog(4, line(4, SPI))
    error = icmp(12.0, 3, 3, 0, datagram[:220], ROUTER, ipaddress.ip_address(LINK[4][1]).packed)
    checks.findings("quote", story(4, error[1][0]), [])


def check_reports(checks):
    """A capture of a collector: lines, no IPsec. They are listed, with no tunnel."""
    path = checks.findings("lines-only", [(1.0, [syslog(4, line(4, SPI))]), (2.0, [syslog(4, line(4, UNKNOWN))]),
                                          (62.0, [syslog(4, line(4, UNKNOWN))])], [], [("note", 1, 1), ("note", 2, 2)])
    text = "\n".join(fields(checks.tshark, path, "-q", "-z", "ipsec,report"))
    checks.equal([part in text for part in ("3 syslog lines about invalid SPIs", "Of no tunnel in this capture", "2 lines in all")], [True] * 3,
                 "text report")
    rows = fields(checks.tshark, path, "-q", "-z", "ipsec,findings")
    checks.equal([row.split()[3:7] for row in rows[1:]], [["-", "note", "observed", "syslog_invalid_spi"]] * 2, "findings listed")
    checks.equal(fields(checks.tshark, path, "-q", "-z", "ipsec,tunnels"), ["no IPsec traffic found"], "tunnels listed")


def check_transparency(checks):
    """Wireshark's own view of the frames is what it is without the plugin."""
    packets = story(4, syslog(4, line(4, SPI)), syslog(4, line(4, UNKNOWN)), syslog(4, b"<13>hello"), syslog(4, b"<"), syslog(4, b""))
    path = checks.tshark.write("transparent.pcap", pcap(packets))
    args = ["-T", "fields", "-e", "frame.protocols", "-e", "syslog.msg", "-e", "_ws.col.Protocol"]
    checks.equal(fields(checks.tshark, path, *args), fields(checks.tshark, path, *args, plugin=False), "transparency")
    disabled = ["--disable-protocol", "syslog"]
    checks.findings("disabled", packets, [], args=disabled)


def main():
    options = runner.arguments("Checks that syslog lines become findings.").parse_args()
    with runner.Runner(options) as tshark:
        checks = Checks(tshark)
        for check in (check_lines, check_forms, check_ports, check_tcp, check_quotes, check_reports, check_transparency):
            check(checks)
        print("FAILED" if checks.failed else "syslog lines are found and tied")
    return checks.failed > 0


if __name__ == "__main__":
    sys.exit(main())
