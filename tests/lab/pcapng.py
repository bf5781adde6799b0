"""Read and write the few pcapng blocks the lab needs (standard library only).

write() puts nothing into the file but the packets: no host, no operating
system, no application, no comments, no statistics."""

import struct
import typing


class Packet(typing.NamedTuple):
    stamp: int          # nanoseconds since the epoch
    data: bytes         # as far as it was captured
    original: int       # its length on the wire
    interface: int = 0


def read_all(path):
    """Return ([linktype of each interface], [Packet, ...])."""
    with open(path, "rb") as source:
        data = source.read()
    packets, linktypes, resolutions, offset = [], [], [], 0
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    while offset + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, offset)
        body = data[offset + 8:offset + length - 4]
        if kind == 1:
            linktypes.append(struct.unpack_from(order + "H", body)[0])
            resolutions.append(10 ** 6)
            at = 8
            while at + 4 <= len(body):
                code, size = struct.unpack_from(order + "HH", body, at)
                if code == 9:
                    value = body[at + 4]
                    resolutions[-1] = 2 ** (value & 127) if value & 128 else 10 ** value
                if code == 0:
                    break
                at += 4 + (size + 3) // 4 * 4
        elif kind == 6:
            interface, high, low, caplen, original = struct.unpack_from(order + "5I", body)
            stamp = (high << 32 | low) * 10 ** 9 // resolutions[interface]
            packets.append(Packet(stamp, body[20:20 + caplen], original, interface))
        offset += length
    return linktypes, packets


def read(path):
    """Return (linktype, [(nanoseconds, bytes), ...]) of a one-interface file."""
    linktypes, packets = read_all(path)
    return linktypes[0] if linktypes else 1, [(packet.stamp, packet.data) for packet in packets]


def _block(kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def encode(linktypes, packets):
    """The bytes of a file with these interfaces and Packets."""
    tsresol = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    blocks = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for linktype in linktypes:
        blocks.append(_block(1, struct.pack("<HHI", linktype, 0, 262144) + tsresol))
    for stamp, data, original, interface in packets:
        blocks.append(_block(6, struct.pack("<5I", interface, stamp >> 32, stamp & 0xFFFFFFFF,
                                            len(data), original) + data))
    return b"".join(blocks)


def write(path, linktype, packets):
    with open(path, "wb") as out:
        out.write(encode([linktype], (Packet(stamp, data, len(data)) for stamp, data in packets)))


def udp(frame):
    """(src, dst, sport, dport, payload) of a UDP frame on Ethernet, or None."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 17:
        start = 14 + (frame[14] & 15) * 4
        src, dst = frame[26:30], frame[30:34]
    elif kind == b"\x86\xdd" and frame[20] == 17:
        start = 54
        src, dst = frame[22:38], frame[38:54]
    else:
        return None
    sport, dport, length = struct.unpack_from("!HHH", frame, start)
    return src, dst, sport, dport, frame[start + 8:start + length]


def ike(frame):
    """The IKE message of a frame (no non-ESP marker), or None."""
    found = udp(frame)
    if not found:
        return None
    payload = found[4]
    if 4500 in found[2:4]:
        if payload[:4] != b"\0\0\0\0":
            return None
        payload = payload[4:]
    elif 500 not in found[2:4]:
        return None
    if len(payload) < 28 or payload[17] not in (0x10, 0x20):
        return None
    return payload


def esp(frame):
    """The ESP packet, in UDP or native over IPv4; None: none."""
    found = udp(frame)
    if found and 4500 in found[2:4] and len(found[4]) > 8 and found[4][:4] != b"\0\0\0\0":
        return found[4]
    if frame[12:14] == b"\x08\x00" and frame[23] == 50:
        return frame[14 + (frame[14] & 15) * 4:]
    return None


def esp_spi(frame):
    packet = esp(frame)
    return packet and packet[:4].hex()
