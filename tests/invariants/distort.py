# distort.py - how would the same events look in another capture: a shorter, a worse, or a moved one?
#
# Everything here turns the packets of a capture into others; nothing is random but for a seed made from the capture's name.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import hashlib
import pathlib
import random
import sys
import typing
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
import pcapng  # noqa: E402

SAME, NO_MORE = "same", "no more"
SECOND = 10 ** 9
ARP = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002") + bytes(18)


class Distorted(typing.NamedTuple):
    """A capture made from another one, and what must hold between their findings."""
    name: str
    relation: str               # SAME: exactly the same findings; NO_MORE: no Warn, Error or incident that the whole does not have
    linktypes: list
    packets: list               # pcapng.Packet
    origins: list               # the frame number, in the whole capture, of each packet
    options: tuple = ()         # of tshark
    plugins: str = "with"       # which folder of plugins; see runner.py
    addresses: dict = {}        # text of each address: what it was in the whole capture


# ---- reading a frame ----

def network_header(frame):
    """(source, destination) as bytes, or (None, None) when it is not IP on Ethernet."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        return frame[26:30], frame[30:34]
    if kind == b"\x86\xdd" and len(frame) >= 54:
        return frame[22:38], frame[38:54]
    return None, None


# ---- the same events, captured otherwise: the same findings ----

def doubled(packets, delay=50_000):
    """Each packet again, `delay` ns later, as a capture on two interfaces or a mirror port has it."""
    both = [(packet.stamp, number, packet) for number, packet in enumerate(packets, 1)]
    both += [(packet.stamp + delay, number, packet) for number, packet in enumerate(packets, 1)]
    both.sort(key=lambda entry: entry[:2])
    return [packet._replace(stamp=stamp) for stamp, _, packet in both], [number for _, number, _ in both]


def at_other_times(packets, seconds=86_400 * 365 + 12_345):
    return [packet._replace(stamp=packet.stamp - seconds * SECOND) for packet in packets]


def moved_address(address):
    """Another address of the same kind. The sum of its 16-bit words stays, and so do all checksums."""
    first, last = (0, 2) if len(address) == 4 else (4, 14)
    words = [int.from_bytes(address[at:at + 2], "big") for at in (first, last)]
    changed = bytearray(address)
    changed[first:first + 2] = (words[0] + 1).to_bytes(2, "big")
    changed[last:last + 2] = (words[1] - 1).to_bytes(2, "big")
    return bytes(changed)


def endpoints(packets):
    """All (address, port) that send or receive UDP, with the two ports of IKE for each address."""
    found = set()
    for packet in packets:
        datagram = pcapng.udp(packet.data)
        if datagram:
            found |= {(datagram[0], datagram[2]), (datagram[1], datagram[3])}
    return found | {(address, port) for address, _ in found for port in (500, 4500)}


def with_moved_hashes(frame, known):
    """A frame whose NAT detection hashes are those of the moved addresses (RFC 7296 2.23, RFC 3947 3.2), if they fitted before."""
    message = pcapng.ike(frame)
    if not message:
        return frame
    for address, port in known:
        for hash_name in ("sha1", "md5", "sha256", "sha384", "sha512"):
            old, new = (hashlib.new(hash_name, message[:16] + at + port.to_bytes(2, "big")).digest() for at in (address, moved_address(address)))
            frame = frame.replace(old, new)
    return frame


def at_other_addresses(packets):
    """(packets, {new address: old address}), the addresses as bytes: all peers have moved, also where packets are quoted."""
    addresses = {address for packet in packets for address in network_header(packet.data) if address}
    known = endpoints(packets)
    moved = []
    for packet in packets:
        data = with_moved_hashes(packet.data, known)
        for address in addresses:
            # A new address may be another one's old address: so through a value that no frame has.
            data = data.replace(address, hashlib.sha512(address).digest()[:len(address)])
        for address in addresses:
            data = data.replace(hashlib.sha512(address).digest()[:len(address)], moved_address(address))
        moved.append(packet._replace(data=data))
    return moved, {moved_address(address): address for address in addresses}


# ---- less of it: no findings that the whole does not have ----

def parts_of(count, parts):
    """Frame counts after which to cut."""
    return sorted({count * part // parts for part in range(1, parts)} - {0, count})


def one_direction(packets):
    """(text of the sender, kept packets' indices) for the senders of most packets."""
    senders = [network_header(packet.data)[0] for packet in packets]
    for sender, _ in collections.Counter(filter(None, senders)).most_common(4):
        yield sender.hex(), [index for index, other in enumerate(senders) if other == sender]


def with_losses(packets, percent, seed):
    chance = random.Random(seed)
    return [index for index in range(len(packets)) if chance.random() * 100 >= percent]


def reordered(packets, within, seed):
    """(packets, their indices before): each as if it were up to `within` ns late, at the times that the capture has."""
    chance = random.Random(seed)
    order = sorted(range(len(packets)), key=lambda index: (packets[index].stamp + chance.randrange(within), index))
    stamps = sorted(packet.stamp for packet in packets)
    return [packets[index]._replace(stamp=stamp) for stamp, index in zip(stamps, order)], order


def cut_short(packets, length):
    return [packet._replace(data=packet.data[:length]) for packet in packets]


# ---- all of them ----

class Amount(typing.NamedTuple):
    """How many of each kind."""
    cuts: int
    snap_lengths: tuple
    losses: tuple               # per cent
    seeds: int
    first_seed: int = 0


SHORT = Amount(cuts=3, snap_lengths=(80,), losses=(3,), seeds=1)
FULL = Amount(cuts=8, snap_lengths=(64, 80, 110, 200), losses=(3, 10), seeds=3)


def distortions(name, linktypes, packets, amount):
    """Every Distorted of a capture; `name` decides what chance does."""
    seed = zlib.crc32(name.encode())
    every = range(1, len(packets) + 1)

    def same(what, changed=packets, origins=every, **others):
        return Distorted(what, SAME, linktypes, changed, list(origins), **others)

    def less(what, kept):
        return Distorted(what, NO_MORE, linktypes, [packets[index] for index in kept], [index + 1 for index in kept])

    yield same("two-passes", options=("-2",))
    yield same("other-plugins", plugins="beside")
    yield same("doubled", *doubled(packets))
    yield same("other-times", at_other_times(packets))
    moved, addresses = at_other_addresses(packets)
    yield same("other-addresses", moved, addresses=addresses)
    for count in parts_of(len(packets), amount.cuts):
        yield less(f"end-cut-after-{count}", range(count))
        yield less(f"begins-after-{count}", range(count, len(packets)))
    for sender, kept in one_direction(packets):
        yield less(f"only-from-{sender}", kept)
    for length in amount.snap_lengths:
        yield Distorted(f"snaplen-{length}", NO_MORE, linktypes, cut_short(packets, length), list(every))
    for number in range(amount.first_seed, amount.first_seed + amount.seeds):
        changed, order = reordered(packets, 2_000_000, seed + number)
        yield Distorted(f"reordered-{number}", NO_MORE, linktypes, changed, [index + 1 for index in order])
        for percent in amount.losses:
            yield less(f"lost-{percent}-percent-{number}", with_losses(packets, percent, seed + 100 * number + percent))


# ---- two captures in one file ----

def together(one, other, begin):
    """Two captures, (linktypes, packets) each, the second begins at `begin` (ns after the first one's first packet) and has other addresses.

    Returns linktypes and three lists of packets: both, and what each alone would be where the other's packets are somebody else's. So frame
    numbers, times and the end of the capture are the same in all three."""
    linktypes = one[0] + other[0]
    moved, _ = at_other_addresses(other[1])
    delay = one[1][0].stamp + begin - moved[0].stamp
    moved = [packet._replace(stamp=packet.stamp + delay, interface=packet.interface + len(one[0])) for packet in moved]
    merged = sorted([(packet.stamp, 0, number, packet) for number, packet in enumerate(one[1])]
                    + [(packet.stamp, 1, number, packet) for number, packet in enumerate(moved)])

    def only(wanted):
        return [packet if side == wanted else packet._replace(data=ARP, original=len(ARP)) for _, side, _, packet in merged]

    return linktypes, [entry[3] for entry in merged], only(0), only(1)
