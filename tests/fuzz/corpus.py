#!/usr/bin/env python3
# corpus.py - turns captures into seeds of the fuzzers: stories (raw records of world.h), IKE messages, ICMP errors, IP packets, log lines,
# datagrams.
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
FUZZERS = ("fuzz_engine", "fuzz_report", "fuzz_ike_message", "fuzz_evidence", "fuzz_esp_in_udp")
NAMES = (b"eth0", b"wan 1")  # of interfaces
READ_IP, READ_ICMP, READ_ICMP_V6, READ_SYSLOG = 0, 2, 3, 4  # readers of fuzz_evidence
ICMP, UDP, ICMP_V6 = 1, 17, 58
OF_ANY_KIND = 12  # seeds per capture at most


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


def ip_of(link, packet):
    start = {1: 14, 101: 0, 113: 16, 276: 20}.get(link)
    return packet[start:] if start is not None and packet[start:start + 1] and packet[start] >> 4 in (4, 6) else None


def ipv4(link, packet):
    ip = ip_of(link, packet)
    return ip if ip and ip[0] >> 4 == 4 else None


def evidence(ip):
    """A seed of fuzz_evidence."""
    is_v4 = ip[0] >> 4 == 4
    protocol, body = (ip[9], ip[(ip[0] & 15) * 4:]) if is_v4 else (ip[6], ip[40:])
    if protocol in (ICMP, ICMP_V6):
        return bytes([READ_ICMP if is_v4 else READ_ICMP_V6, 0]) + body
    if protocol == UDP and body[2:4] == struct.pack(">H", 514):
        return bytes([READ_SYSLOG, 0]) + body[8:]
    return bytes([READ_IP, 0]) + ip[:200]


def other_seeds(capture):
    """Seeds of fuzz_evidence, one of each beginning; the seed of fuzz_esp_in_udp."""
    found, datagrams = {}, b""
    for _, link, packet in blocks(capture.read_bytes()):
        ip = ip_of(link, packet)
        if not ip or len(ip) < 40:
            continue
        seed = evidence(ip)
        if len(found) < OF_ANY_KIND:
            found.setdefault((seed[0], len(seed), seed[2:4]), seed)
        if ip[0] >> 4 == 4 and ip[9] == UDP and len(datagrams) < SEED_BYTES:
            payload = ip[(ip[0] & 15) * 4 + 8:][:127]
            datagrams += bytes([0x80 | ip[19] & 1, len(payload)]) + payload
    return list(found.values()), datagrams


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
    for name in FUZZERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for path in map(pathlib.Path, sys.argv[2:]):
        seed, messages = seeds(path)
        evidences, datagrams = other_seeds(path)
        label = path.parent.name if path.stem == "capture" else path.stem
        (folder / "fuzz_engine" / label).write_bytes(seed)
        (folder / "fuzz_report" / label).write_bytes(b"".join(bytes([len(name)]) + name for name in NAMES) + seed)
        (folder / "fuzz_esp_in_udp" / label).write_bytes(datagrams)
        for number, message in enumerate(messages[:OF_ANY_KIND]):
            (folder / "fuzz_ike_message" / f"{label}-{number}").write_bytes(bytes(3) + message)
        for number, item in enumerate(evidences):
            (folder / "fuzz_evidence" / f"{label}-{number}").write_bytes(item)


if __name__ == "__main__":
    main()
