#!/usr/bin/env python3
# check_ip_fragments.py - is an IKE message noticed of which only the first IP fragment arrives?
#
# Wireshark shows no IKE for it, so no labelled capture of another tool would. The same captures with all fragments must be quiet.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import struct
import sys

import runner

CLIENT, SERVER = bytes([192, 0, 2, 10]), bytes([198, 51, 100, 1])
SPI_I, SPI_R = b"\x11" * 8, b"\x22" * 8
INIT, AUTH, INFORMATIONAL = 34, 35, 37
SA, KE, NONCE, SK, IDI, IDR = 33, 34, 40, 46, 35, 36
FRAGMENT = 1200   # bytes of IP payload
WHOLE_MESSAGES = 7   # of the story in which nothing is lost: IKE_SA_INIT, IKE_AUTH with a repeat, INFORMATIONAL


def payload(next_type, body):
    return struct.pack("!BBH", next_type, 0, 4 + len(body)) + body


def message(exchange, message_id, is_response, first, payloads, spi_r=SPI_R, spi_i=SPI_I):
    flags = 0x20 if is_response else 0x08
    return struct.pack("!8s8sBBBBII", spi_i, spi_r, first, 0x20, exchange, flags, message_id, 28 + len(payloads)) + payloads


def init(is_response, spi_i=SPI_I):
    transforms = [struct.pack("!BBHBBHHH", 3, 0, 12, 1, 0, 12, 0x800e, 128)]
    transforms += [struct.pack("!BBHBBH", more, 0, 8, kind, 0, number) for more, kind, number in ((3, 2, 5), (3, 3, 12), (0, 4, 14))]
    proposal = b"".join(transforms)
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(proposal), 1, 1, 0, 4) + proposal
    body = payload(KE, proposal) + payload(NONCE, struct.pack("!HH", 14, 0) + b"k" * 256) + payload(0, b"n" * 32)
    return message(INIT, 0, is_response, SA, body, SPI_R if is_response else bytes(8), spi_i)


def encrypted(exchange, message_id, is_response, first, blocks):
    return message(exchange, message_id, is_response, SK, payload(first, b"\xe5" * (16 + 16 * blocks + 16)))


def packets(source, destination, content, port, identification):
    """The IP packets of one datagram."""
    content = (bytes(4) if port == 4500 else b"") + content
    datagram = struct.pack("!HHHH", port, port, 8 + len(content), 0) + content
    for at in range(0, len(datagram), FRAGMENT):
        part = datagram[at:at + FRAGMENT]
        more = 0x2000 if at + FRAGMENT < len(datagram) else 0
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), identification, more | at // 8, 64, 17, 0, source, destination)
        yield header + part


def capture(is_lossy, port):
    """IKE_AUTH with certificates: three tries without an answer, or at the second."""
    def from_client(time, content):
        return time, list(packets(CLIENT, SERVER, content, port, int(time * 10) & 0xffff))

    def from_server(time, content):
        return time, list(packets(SERVER, CLIENT, content, port, int(time * 10) & 0xffff))

    request = encrypted(AUTH, 1, False, IDI, 160)
    story = [from_client(0, init(False)), from_server(0.1, init(True)), from_client(1, request), from_client(5, request)]
    if is_lossy:
        story += [from_client(12, request), from_client(25, init(False, b"\x33" * 8))]
        story = [(time, fragments[:1]) for time, fragments in story]
    else:
        story += [from_server(5.2, encrypted(AUTH, 1, True, IDR, 160)), from_client(20, encrypted(INFORMATIONAL, 2, False, 0, 1)),
                  from_server(20.2, encrypted(INFORMATIONAL, 2, True, 0, 1))]
    records = b"".join(struct.pack("<IIII", int(time), int(time % 1 * 1e6) + n, len(data), len(data)) + data
                       for time, fragments in story for n, data in enumerate(fragments))
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + records


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
