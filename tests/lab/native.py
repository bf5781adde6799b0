#!/usr/bin/env python3
"""Turn UDP-encapsulated ESP into native ESP (IP protocol 50).

As a program: native.py IN.pcapng OUT.pcapng. IPv4 on Ethernet; whatever is
not ESP on port 4500 (IKE, keepalives, everything else) is left as it is."""

import struct
import sys

import pcapng


def checksum(header):
    total = sum(struct.unpack("!%dH" % (len(header) // 2), header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def rewrite(frame):
    found = pcapng.udp(frame)
    if not found or frame[12:14] != b"\x08\x00" or pcapng.esp_spi(frame) is None:
        return frame
    size = (frame[14] & 15) * 4
    header = bytearray(frame[14:14 + size])
    header[2:4] = struct.pack("!H", size + len(found[4]))
    header[9] = 50
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack("!H", checksum(bytes(header)))
    return frame[:14] + bytes(header) + found[4]


def main():
    linktype, packets = pcapng.read(sys.argv[1])
    pcapng.write(sys.argv[2], linktype, [(t, rewrite(frame)) for t, frame in packets])


if __name__ == "__main__":
    main()
