#!/usr/bin/env python3
# corpus.py - turns captures into seeds for fuzz_engine (its raw records), and their IKE messages into seeds for fuzz_ike_message.
#
#     tests/fuzz/corpus.py OUTPUT_FOLDER CAPTURE.pcapng...
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import struct
import sys

LONGEST = 1599  # MESSAGE_MAX - 1
SEED_BYTES = 16384
ESP_BYTES = 24
# step_of in fuzz_engine.c, seconds
STEPS = [0, 0.001, 0.03, 0.25, 1, 2, 4, 8, 15, 61, 3600]
PORTS = {500: 0, 4500: 1, 0: 6}  # ports in address_of()
RAW = 13  # an index of record_of


def blocks(data):
    """(seconds, link type, packet) of a little-endian pcapng file."""
    links, at = [], 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 1:
            resolution, option = 6, at + 16
            while option < at + length - 4:
                code, size = struct.unpack_from("<HH", data, option)
                if code == 9:
                    resolution = data[option + 4]
                if code == 0:
                    break
                option += 4 + (size + 3) // 4 * 4
            links.append((struct.unpack_from("<H", data, at + 8)[0], resolution))
        elif kind == 6:
            interface, high, low, captured = struct.unpack_from("<IIII", data, at + 8)
            link, resolution = links[interface]
            yield (high << 32 | low) / 10**resolution, link, data[at + 28:at + 28 + captured]
        at += max(length, 12)


def ipv4(link, packet):
    start = {1: 14, 101: 0, 113: 16, 276: 20}.get(link)
    return packet[start:] if start is not None and packet[start:start + 1] and packet[start] >> 4 == 4 else None


def observed(ip):
    """(is ESP, source, destination, is encapsulated, bytes) of an IKE or ESP packet, or None."""
    source, destination, body = ip[12:16], ip[16:20], ip[(ip[0] & 15) * 4:]
    if ip[9] == 50:
        return True, (source, 0), (destination, 0), False, body
    if ip[9] != 17 or len(body) < 12 or (ip[6] & 0x1f) or ip[7]:
        return None
    ports = struct.unpack_from(">HH", body)
    encapsulated = 4500 in ports
    payload, is_ike = body[8:], not encapsulated
    if encapsulated and payload[:4] == bytes(4):
        payload, is_ike = payload[4:], True
    if not encapsulated and 500 not in ports:
        return None
    return not is_ike, (source, ports[0]), (destination, ports[1]), encapsulated, payload


def address(known, endpoint):
    host = known.setdefault(endpoint[0], len(known)) % 4
    return host | PORTS.get(endpoint[1], 2 + endpoint[1] % 2) << 3


def seeds(capture):
    out, known, last, messages = bytearray([15]), {}, None, []
    for time, link, packet in blocks(capture.read_bytes()):
        ip = ipv4(link, packet)
        found = observed(ip) if ip else None
        if not found:
            continue
        is_esp, source, destination, encapsulated, data = found
        data = data[:ESP_BYTES if is_esp else LONGEST]
        passed = 0 if last is None else time - last
        step = min(range(len(STEPS)), key=lambda i: abs(STEPS[i] - passed))
        last = time
        way = 2 | (4 if encapsulated else 0)
        out += bytes([step << 4 | RAW]) + struct.pack(">H", len(data) | (0x8000 if is_esp else 0))
        out += bytes([way, address(known, source), address(known, destination)]) + data + b"\0"
        if not is_esp:
            messages.append(data)
        if len(out) > SEED_BYTES:
            break
    return bytes(out), messages


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in ("fuzz_engine", "fuzz_ike_message"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in map(pathlib.Path, sys.argv[2:]):
        seed, messages = seeds(path)
        label = path.parent.name if path.stem == "capture" else path.stem
        (folder / "fuzz_engine" / label).write_bytes(seed)
        for number, message in enumerate(messages[:12]):
            (folder / "fuzz_ike_message" / f"{label}-{number}").write_bytes(bytes(3) + message)


if __name__ == "__main__":
    main()
