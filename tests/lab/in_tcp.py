#!/usr/bin/env python3
"""Put UDP-carried IKE and ESP into a TCP stream (RFC 9329).

As a program: in_tcp.py IN.pcapng OUT.pcapng. IPv4 on Ethernet; whatever is
not IKE, ESP or a NAT keepalive is left as it is. The messages keep their
bytes, so that keys still fit. Each pair of addresses gets one connection at
a time, opened by whoever spoke first; halfway it is closed and another one is
opened from another port. On the way through TCP some records are split over
segments (once within the length field), others are joined in one."""

import struct
import sys

import pcapng

PREFIX = b"IKETCP"
SERVER_PORT = 4500
CLIENT_PORTS = (49217, 50344)       # of the first and the second connection
TURN = 150_000                      # ns: from a segment to its acknowledgement
HANDSHAKE = 2_000_000               # ns: from the SYN to the first data
HOLD = 700_000_000                  # ns: a record waits no longer for one to join
QUIET = 100_000_000                 # ns: nothing is in flight any more
FIN, SYN, PSH, ACK = 1, 2, 8, 16
MSS = struct.pack("!BBH", 2, 4, 1460)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def message(frame):
    """What the frame carries, as it stands in a TCP record; None: something else."""
    found = pcapng.udp(frame)
    if not found or frame[12:14] != b"\x08\x00":
        return None
    payload = found[4]
    if 500 in found[2:4]:
        return b"\0\0\0\0" + payload
    return payload if 4500 in found[2:4] else None


class Side:
    """One end of a connection: addresses, port, sequence number, packets sent."""

    def __init__(self, mac, address, port, sequence):
        self.mac, self.address, self.port = mac, address, port
        self.sequence, self.identity = sequence, sequence & 0xFFFF


class Connection:
    def __init__(self, out, frame, port, sequence):
        self.out = out
        self.client = Side(frame[6:12], frame[26:30], port, sequence)
        self.server = Side(frame[0:6], frame[30:34], SERVER_PORT, sequence * 7 & 0xFFFFFFFF)

    def side(self, frame):
        return self.client if frame[26:30] == self.client.address else self.server

    def send(self, time, sender, flags, payload=b"", options=b""):
        receiver = self.server if sender is self.client else self.client
        acknowledged = receiver.sequence if flags & ACK else 0
        header = struct.pack("!HHIIBBHHH", sender.port, receiver.port, sender.sequence,
                             acknowledged, (20 + len(options)) // 4 << 4, flags, 64240, 0, 0)
        pseudo = sender.address + receiver.address + struct.pack(
            "!BBH", 0, 6, len(header) + len(options) + len(payload))
        total = checksum(pseudo + header + options + payload)
        tcp = header[:16] + struct.pack("!H", total) + header[18:] + options + payload
        sender.identity = sender.identity + 1 & 0xFFFF
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), sender.identity, 0x4000, 64, 6, 0)
        ip += sender.address + receiver.address
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        self.out.append((time, receiver.mac + sender.mac + b"\x08\x00" + ip + tcp))
        sender.sequence = (sender.sequence + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def open(self, time):
        self.send(time - HANDSHAKE, self.client, SYN, options=MSS)
        self.send(time - HANDSHAKE // 2, self.server, SYN | ACK, options=MSS)
        self.send(time - HANDSHAKE // 2 + TURN, self.client, ACK)

    def close(self, time):
        for sender, receiver, when in ((self.client, self.server, time),
                                       (self.server, self.client, time + 2 * TURN)):
            self.send(when, sender, FIN | ACK)
            self.send(when + TURN, receiver, ACK)

    def data(self, time, sender, pieces):
        for piece in pieces:
            self.send(time, sender, PSH | ACK, piece)
            time += TURN // 5
        self.send(time + TURN, self.server if sender is self.client else self.client, ACK)


def cut(stream, number):
    """Most records are one segment; every fourth is two or three, cut at another place each time."""
    if number % 4 != 3 or len(stream) < 40:
        return [stream]
    places = ([1], [len(stream) // 2], [2, 20], [7, len(stream) - 3])[number // 4 % 4]
    places = [0] + places + [len(stream)]
    return [stream[a:b] for a, b in zip(places, places[1:])]


def joined(items):
    """(time, frame, [message, ...]): every sixth message of the peer that answered waits for that
    peer's next one, if it is soon, and both leave together."""
    first = items[0][1][26:30]
    result, waiting, answers = [], None, 0
    for time, frame, own in items:
        if frame[26:30] == first:
            result.append((time, frame, [own]))
            continue
        answers += 1
        if waiting and time - waiting[0] <= HOLD:
            result.append((time, frame, waiting[2] + [own]))
            waiting = None
            continue
        if waiting:
            result.append(waiting)
            waiting = None
        if answers % 6 == 0 and own[:4] != b"\0\0\0\0":
            waiting = (time, frame, [own])
        else:
            result.append((time, frame, [own]))
    if waiting:
        result.append(waiting)
    return sorted(result, key=lambda item: item[0])


def carry(items, out):
    """The messages between two addresses, as TCP connections."""
    items = joined(items)
    client = items[0][1]
    half = len(items) // 2
    while half < len(items) and (items[half][1][26:30] != client[26:30]
                                 or items[half][0] - items[half - 1][0] < QUIET):
        half += 1                   # the client speaks first on the new connection
    for number, (port, part) in enumerate(zip(CLIENT_PORTS, (items[:half], items[half:]))):
        if not part:
            continue
        connection = Connection(out, client, port, 1_000_003 * (number + 1))
        connection.open(part[0][0])
        for index, (time, frame, messages) in enumerate(part):
            stream = b"".join(struct.pack("!H", len(m) + 2) + m for m in messages)
            pieces = cut(stream, index)
            if index == 0:
                pieces = [PREFIX + pieces[0]] + pieces[1:]
            connection.data(time, connection.side(frame), pieces)
        connection.close(part[-1][0] + HANDSHAKE)


def rewrite_capture(packets):
    """All packets of a capture, [(nanoseconds, frame), ...], with IKE and ESP in TCP."""
    out, pairs = [], {}
    for time, frame in packets:
        own = message(frame)
        if own is None:
            out.append((time, frame))
        else:
            pairs.setdefault(frozenset((frame[26:30], frame[30:34])), []).append((time, frame, own))
    for items in pairs.values():
        carry(items, out)
    return sorted(out, key=lambda packet: packet[0])


def main():
    linktype, packets = pcapng.read(sys.argv[1])
    pcapng.write(sys.argv[2], linktype, rewrite_capture(packets))


if __name__ == "__main__":
    main()
