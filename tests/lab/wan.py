#!/usr/bin/env python3
"""A wire with a delay: frames of one interface go out of the other, later.

Usage: wan.py LEFT RIGHT SECONDS (in the namespace that owns both)."""

import collections
import select
import socket
import sys
import time

OUTGOING = 4        # PACKET_OUTGOING, frames this program sent itself


def main():
    left, right, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
    socks = []
    for name in (left, right):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind((name, 0))
        socks.append(sock)
    queue = collections.deque()
    while True:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else None
        for sock in select.select(socks, [], [], wait)[0]:
            frame, where = sock.recvfrom(65535)
            if where[2] != OUTGOING:
                other = socks[1 - socks.index(sock)]
                queue.append((time.monotonic() + delay, other, frame))
        while queue and queue[0][0] <= time.monotonic():
            _, other, frame = queue.popleft()
            other.send(frame)


if __name__ == "__main__":
    main()
