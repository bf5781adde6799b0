#!/usr/bin/env python3
# check_ip_fragments.py - is an IKE message or ESP packet noticed of which only the first IP fragment arrives?
#
# Wireshark shows nothing but IP for it, so no labelled capture of another tool would. The same captures with all fragments must be quiet,
# in whatever order these come and whoever puts them together.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import itertools
import json
import sys

import runner
from packets import AUTH, CLIENT, IDI, IDR, INFORMATIONAL, SERVER, encrypted, esp, fragmented, init, ip, pcap, udp

CLIENT6, SERVER6 = bytes.fromhex("20010db8000a") + bytes(9) + b"\x0a", bytes.fromhex("20010db8000b") + bytes(9) + b"\x01"
WHOLE_MESSAGES = 7   # of the story in which nothing is lost: IKE_SA_INIT, IKE_AUTH with a repeat, INFORMATIONAL
SPI_OUT, SPI_BACK = 0xc0de0001, 0xc0de0002
ENDS = {4: (CLIENT, SERVER), 6: (CLIENT6, SERVER6)}
ESP_LARGE = 2400     # bytes
NO_REASSEMBLY = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]

ORDERS = {
    "in order": lambda parts: parts,
    "the last one first": lambda parts: parts[::-1],
    "each twice": lambda parts: [part for part in parts for _ in range(2)],
    "all twice": lambda parts: parts + parts,
}


def ike(family, is_lossy, port, order=ORDERS["in order"]):
    """IKE_AUTH with certificates: three tries without an answer, or one at the second."""
    client, server = ENDS[family]

    def sent(time, content, is_answer=False):
        source, destination = (server, client) if is_answer else (client, server)
        parts = fragmented(source, destination, 17, udp(port, port, (bytes(4) if port == 4500 else b"") + content),
                           int(time * 10) & 0xffff)
        return time, order(parts) if not is_lossy else parts[:1]

    request = encrypted(AUTH, 1, False, IDI, 160)
    story = [sent(0, init(False)), sent(0.1, init(True), True), sent(1, request), sent(5, request)]
    if is_lossy:
        return pcap([*story, sent(12, request), sent(25, init(False, b"\x33" * 8))])
    return pcap([*story, sent(5.2, encrypted(AUTH, 1, True, IDR, 160), True), sent(20, encrypted(INFORMATIONAL, 2, False, 0, 1)),
                 sent(20.2, encrypted(INFORMATIONAL, 2, True, 0, 1), True)])


def in_udp(content):
    return 17, udp(4500, 4500, content)


def native(content):
    return 50, content


def data(family, carry, client_order, server_order):
    """Small ESP both ways all the time, and large ones in fragments, of which the orders say what is in the capture."""
    numbers = {SPI_OUT: itertools.count(1), SPI_BACK: itertools.count(1)}
    story = []
    for second in range(12):
        for spi, (source, destination), order in ((SPI_OUT, ENDS[family], client_order), (SPI_BACK, ENDS[family][::-1], server_order)):
            time = second + (0.2 if spi == SPI_BACK else 0)
            protocol, content = carry(esp(spi, next(numbers[spi])))
            story.append((time, [ip(source, destination, protocol, content, second)]))
            if second % 3 == 1:
                protocol, content = carry(esp(spi, next(numbers[spi]), ESP_LARGE))
                parts = order(fragmented(source, destination, protocol, content, 1000 + second))
                story.append((time + 0.1, parts))
    return pcap(story)


def report(tshark, name, capture, options=()):
    """The findings by id, and the capture's numbers."""
    path = tshark.write(f"{name}.pcap", capture)
    found = json.loads(tshark.output([*options, "-q", "-n", "-r", path, "-z", "ipsec,report,json"]))
    return {finding["id"]: finding for tunnel in found["tunnels"] for finding in tunnel["findings"]}, found["capture"]


def check_ike(tshark, family, port):
    where = f"IPv{family} port {port}"
    lossy, _ = report(tshark, "lossy", ike(family, True, port))
    if lossy.get("fragment_loss", {}).get("evidence", [])[:3] != [3, 4, 5]:
        yield f"{where}: fragment_loss with frames 3, 4, 5 expected, found {lossy}"
    for name, order in ORDERS.items():
        whole, numbers = report(tshark, "whole", ike(family, False, port, order))
        if set(whole) != {"retransmission"}:
            yield f"{where}, {name}: one retransmission expected, found {whole}"
        if numbers["ike_messages"] != WHOLE_MESSAGES:
            yield f"{where}, {name}: {WHOLE_MESSAGES} IKE messages expected, counted {numbers['ike_messages']}"
    apart, _ = report(tshark, "apart", ike(family, False, port), NO_REASSEMBLY)
    if not set(apart) <= {"retransmission", "capture_truncated"}:
        yield f"{where}, not put together: nothing new expected, found {apart}"


def check_esp(tshark, family, carry):
    where = f"IPv{family} {carry.__name__}"
    whole, first, later = ORDERS["in order"], lambda parts: parts[:1], lambda parts: parts[1:]
    lossy, numbers = report(tshark, "lossy", data(family, carry, first, whole))
    if lossy.get("mtu_blackhole", {}).get("peer") != "A" or "fragment_loss" in lossy or numbers["esp_packets"] != 28:
        yield f"{where}: mtu_blackhole of the first peer and 28 packets expected, found {lossy}, {numbers}"
    for name, order in ORDERS.items():
        found, numbers = report(tshark, "whole", data(family, carry, order, order))
        if not set(found) <= {"capture_no_ike", "capture_midstream"} or numbers["esp_packets"] != 32:
            yield f"{where}, {name}: nothing and 32 packets expected, found {found}, {numbers}"
    for name, order in (("the first is missing", later), ("filtered by port", first)):
        found, _ = report(tshark, "half", data(family, carry, order, order))
        is_known = carry is native and order is first   # a filter on the protocol keeps all its fragments
        if ("mtu_blackhole" in found) != is_known:
            yield f"{where}, {name}: mtu_blackhole {is_known} expected, found {found}"
    for order in (first, whole):
        found, _ = report(tshark, "apart", data(family, carry, order, whole), NO_REASSEMBLY)
        if not set(found) <= {"capture_no_ike", "capture_midstream"}:
            yield f"{where}, not put together: nothing expected, found {found}"


def main():
    options = runner.arguments("Checks that lost IP fragments of IKE and ESP are found.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for family in (4, 6):
            for port in (500, 4500):
                failures += check_ike(tshark, family, port)
            for carry in (in_udp, native):
                failures += check_esp(tshark, family, carry)
    print("\n".join([*failures, "FAILED" if failures else "lost IP fragments are found, complete ones are quiet"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
