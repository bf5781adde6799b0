#!/usr/bin/env python3
"""A wire with a delay, and with faults if asked for: frames of one interface go out of the other, later.

Usage: wan.py LEFT RIGHT SECONDS [FAULT...] (in the namespace that owns both).

A fault is for ESP in UDP that comes in on RIGHT, each packet with the given chance; IKE is left alone:

    loss=CHANCE            never arrives
    double=CHANCE:SECONDS  arrives a second time, so much later
    hold=CHANCE:SECONDS    arrives so much later than those around it

The same packets meet their fault in each run: chance is a fixed row of numbers."""

import heapq
import itertools
import random
import select
import socket
import struct
import sys
import time

OUTGOING = 4        # PACKET_OUTGOING, frames this program sent itself
LEAST_ESP = 20      # bytes in UDP: shorter are NAT keepalives


def is_esp(frame):
    """ESP in UDP on port 4500, IPv4 on Ethernet."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return False
    start = 14 + (frame[14] & 15) * 4
    ports = struct.unpack_from("!HH", frame, start)
    payload = frame[start + 8:]
    return 4500 in ports and len(payload) > LEAST_ESP and payload[:4] != b"\0\0\0\0"


class Faults:
    def __init__(self, words):
        self.chance, self.seconds = {}, {}
        for word in words:
            name, value = word.split("=")
            chance, _, seconds = value.partition(":")
            self.chance[name], self.seconds[name] = float(chance), float(seconds or 0)
        self.random = random.Random(4500)

    def _strikes(self, name):
        return name in self.chance and self.random.random() < self.chance[name]

    def delays(self):
        """When the next packet arrives, besides the wire's delay: none, one or two times."""
        if self._strikes("loss"):
            return []
        if self._strikes("hold"):
            return [self.seconds["hold"]]
        if self._strikes("double"):
            return [0.0, self.seconds["double"]]
        return [0.0]


def main():
    left, right, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
    faults = Faults(sys.argv[4:])
    socks = []
    for name in (left, right):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((name, 0))
        socks.append(sock)
    queue, count = [], itertools.count()
    while True:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else None
        for sock in select.select(socks, [], [], wait)[0]:
            frame, where = sock.recvfrom(65535)
            if where[2] == OUTGOING:
                continue
            now, other = time.monotonic(), socks[1 - socks.index(sock)]
            struck = sock is socks[1] and is_esp(frame)
            for later in faults.delays() if struck else [0.0]:
                heapq.heappush(queue, (now + delay + later, next(count), other, frame))
        while queue and queue[0][0] <= time.monotonic():
            _, _, other, frame = heapq.heappop(queue)
            other.send(frame)


if __name__ == "__main__":
    main()
