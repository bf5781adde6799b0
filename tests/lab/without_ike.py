#!/usr/bin/env python3
"""Make an SD-WAN style capture: ESP in UDP between ports of such products, no
IKE, and DTLS beside it on the same ports.

As a program: without_ike.py IN.pcapng OUT.pcapng. IPv4 on Ethernet without a
NAT; IKE and NAT keepalives are left out, UDP port 4500 becomes 12346. DTLS
records made here (random bytes behind a right header) stand for the control
connection. What is neither stays as it is."""

import random
import struct
import sys

import pcapng

PORT = 12346
HOP = 20
APPLICATION_DATA, DTLS_1_2 = 23, 0xFEFD
EVERY = 3_000_000_000               # ns: a control message each way


def with_payload(frame, sport, dport, payload):
    """The frame with another datagram in it; the UDP checksum is left out (RFC 768)."""
    size = (frame[14] & 15) * 4
    header = bytearray(frame[14:14 + size])
    header[2:4] = struct.pack("!H", size + 8 + len(payload))
    header[10:12] = b"\0\0"
    total = sum(struct.unpack("!%dH" % (size // 2), bytes(header)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = struct.pack("!H", ~total & 0xFFFF)
    return frame[:14] + bytes(header) + struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def record(number, noise):
    size = 37 + 16 * (number % 3)
    return struct.pack("!BHHHIH", APPLICATION_DATA, DTLS_1_2, 1, 0, number, size) + noise.randbytes(size)


def rewrite_capture(packets, client=None, hop=None, followed=None):
    """`client`: the address (4 bytes) that hops to the next port at `hop` (ns); from `followed` on its peer
    sends there too."""
    out, noise, numbers, last = [], random.Random(PORT), {}, {}

    def port_of(address, sender, time):
        if address != client or hop is None:
            return PORT
        return PORT + HOP if time >= (hop if sender == client else followed) else PORT

    for time, frame in packets:
        found = pcapng.udp(frame)
        if not found or not {500, 4500} & set(found[2:4]):
            out.append((time, frame))
            continue
        if 500 in found[2:4] or pcapng.esp_spi(frame) is None:
            continue
        source, destination = found[:2]
        ports = port_of(source, source, time), port_of(destination, source, time)
        out.append((time, with_payload(frame, *ports, found[4])))
        if time - last.get(source, 0) >= EVERY:
            last[source] = time
            numbers[source] = numbers.get(source, 0) + 1
            out.append((time + 400_000, with_payload(frame, *ports, record(numbers[source], noise))))
    return sorted(out, key=lambda packet: packet[0])


def main():
    linktype, packets = pcapng.read(sys.argv[1])
    pcapng.write(sys.argv[2], linktype, rewrite_capture(packets))


if __name__ == "__main__":
    main()
