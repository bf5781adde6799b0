#!/usr/bin/env python3
"""A gateway without any state that says so (RFC 7296 1.5); charon never does.

Answers an IKEv2 request with INVALID_IKE_SPI and tells the sender of ESP in
UDP with INVALID_SPI, at most once in a while. Nothing of it is protected."""

import socket
import struct
import time

IKE_SA_INIT, INFORMATIONAL = 34, 37
INVALID_IKE_SPI, INVALID_SPI = 4, 11
NOTIFY, INITIATOR, RESPONSE = 41, 0x08, 0x20
MARKER = b"\0\0\0\0"
SECONDS_BETWEEN_HINTS = 2.0


def message(spis, exchange, flags, number, code, data=b""):
    notify = struct.pack("!BBHBBH", 0, 0, 8 + len(data), 0, 0, code) + data
    return MARKER + spis + struct.pack("!BBBBII", NOTIFY, 0x20, exchange, flags, number,
                                       28 + len(notify)) + notify


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 4500))
    hinted = float("-inf")
    while True:
        data, sender = sock.recvfrom(65535)
        if len(data) < 8:
            continue                                   # NAT keepalive
        if data[:4] == MARKER:
            spis, exchange, flags = data[4:20], data[22], data[23]
            if exchange != IKE_SA_INIT and not flags & RESPONSE:
                answer = RESPONSE | (0 if flags & INITIATOR else INITIATOR)
                number = struct.unpack("!I", data[24:28])[0]
                sock.sendto(message(spis, exchange, answer, number, INVALID_IKE_SPI), sender)
        elif time.monotonic() - hinted > SECONDS_BETWEEN_HINTS:
            hinted = time.monotonic()
            sock.sendto(message(bytes(16), INFORMATIONAL, INITIATOR, 0, INVALID_SPI, data[:4]),
                        sender)


if __name__ == "__main__":
    main()
