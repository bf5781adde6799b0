# packets.py - IKE messages, IP packets and captures made by hand, for what no labelled capture shows.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import struct

CLIENT, SERVER = bytes([192, 0, 2, 10]), bytes([198, 51, 100, 1])
SPI_I, SPI_R = b"\x11" * 8, b"\x22" * 8
INIT, AUTH, INFORMATIONAL = 34, 35, 37
SA, KE, NONCE, SK, IDI, IDR = 33, 34, 40, 46, 35, 36
FRAGMENT = 1200   # bytes of IP payload


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


def icmp_error(time, code, quoted, quoted_bytes, reporter, to):
    """Destination unreachable, with the quoted packet's IP header and so many bytes of what follows it."""
    body = struct.pack("!BBHI", 3, code, 0, 0) + quoted[:20 + quoted_bytes]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), int(time * 10) & 0xffff, 0, 64, 1, 0, reporter, to)
    return time, [header + body]


def from_client(time, content, port=500):
    return time, list(packets(CLIENT, SERVER, content, port, int(time * 10) & 0xffff))


def from_server(time, content, port=500):
    return time, list(packets(SERVER, CLIENT, content, port, int(time * 10) & 0xffff))


def pcap(story):
    """A capture of [(time in seconds, [IP packet, ...]), ...]; packets of one time are a microsecond apart."""
    records = b"".join(struct.pack("<IIII", int(time), int(time % 1 * 1e6) + n, len(data), len(data)) + data
                       for time, fragments in story for n, data in enumerate(fragments))
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + records


def datagram(time, source, source_port, destination, destination_port, content):
    """One UDP datagram with ports of its own, for pcap()."""
    udp = struct.pack("!HHHH", source_port, destination_port, 8 + len(content), 0) + content
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), int(time * 100) & 0xffff, 0, 64, 17, 0, source, destination)
    return time, [header + udp]


def datagram6(time, source, source_port, destination, destination_port, content):
    """The same over IPv6, between addresses made of the IPv4 ones."""
    udp = struct.pack("!HHHH", source_port, destination_port, 8 + len(content), 0xffff) + content
    prefix = b"\x20\x01\x0d\xb8" + bytes(8)
    return time, [struct.pack("!IHBB", 0x60000000, len(udp), 17, 64) + prefix + source + prefix + destination + udp]


def esp(spi, sequence, size=64):
    return struct.pack("!II", spi, sequence) + bytes((sequence * 37 + n * 101 + spi) & 0xff for n in range(size))
