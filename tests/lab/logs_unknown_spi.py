#!/usr/bin/env python3
"""A gateway that has lost its state and writes so in its log, as a Cisco IOS
router does; charon never does.

It drops what comes to UDP port 4500 without an answer, and reports ESP to a
syslog collector (the argument), at most once in a while."""

import socket
import sys
import time

MARKER = b"\0\0\0\0"
SECONDS_BETWEEN_LINES = 5.0
LINE = ("<188>%d: *%s: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
        "destaddr=%s, prot=50, spi=0x%X(%u), srcaddr=%s, input interface=GigabitEthernet0/0")


def main():
    collector = (sys.argv[1], 514)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 4500))
    log = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    log.connect(collector)
    own = log.getsockname()[0]
    written, number = float("-inf"), 90
    while True:
        data, sender = sock.recvfrom(65535)
        if len(data) < 8 or data[:4] == MARKER or time.monotonic() - written < SECONDS_BETWEEN_LINES:
            continue
        written, number = time.monotonic(), number + 1
        spi = int.from_bytes(data[:4], "big")
        when = time.strftime("%b %d %H:%M:%S.000", time.gmtime())
        log.send((LINE % (number, when, own, spi, spi, sender[0])).encode())


if __name__ == "__main__":
    main()
