#!/usr/bin/env python3
# check_hidden.py - is IPsec seen behind a NAT whose port belongs to another protocol, and is that protocol left alone?
#
# The same tunnel with several ports at the NAT: with ipsec.claim_4500 (as it is by itself) all of it is IPsec, without it what another
# dissector takes is reported, and counts all the same. Other traffic of port 4500 looks as it does without the plugin.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import struct
import sys

import runner
from packets import (AUTH, CLIENT, IDI, IDR, INFORMATIONAL, SERVER, datagram, datagram6, encrypted, esp, init, pcap)

HIDDEN = "hidden_by_dissector"
SPI_TO_SERVER, SPI_TO_CLIENT = 0xc1d2e3f4, 0x38a1b2c3
PACKETS = 12         # of ESP, each way
OWNED = {1194: "openvpn", 3000: "dis", 53: "dns", 1900: "ssdp"}   # these take all of it
OTHERS = (2152, 2123, 3478, 500, 1409, 49152)                     # these some of it, or nothing
OFF = ["-o", "ipsec.claim_4500:FALSE"]


def tunnel(port, make=datagram, with_ike=True):
    """IKE_SA_INIT on port 500, then everything between `port` and 4500; one keepalive, one liveness check."""
    def out(time, content):
        return make(time, CLIENT, port, SERVER, 4500, content)

    def back(time, content):
        return make(time, SERVER, 4500, CLIENT, port, content)

    marker = bytes(4)
    story = []
    if with_ike:
        story = [make(0, CLIENT, 61000, SERVER, 500, init(False)), make(0.04, SERVER, 500, CLIENT, 61000, init(True)),
                 out(0.05, marker + encrypted(AUTH, 1, False, IDI, 12)), back(0.1, marker + encrypted(AUTH, 1, True, IDR, 10))]
    for n in range(PACKETS):
        story += [out(1 + n * 0.5, esp(SPI_TO_SERVER, n + 1)), back(1.02 + n * 0.5, esp(SPI_TO_CLIENT, n + 1))]
    story.append(out(20, b"\xff"))
    if with_ike:
        story += [out(30, marker + encrypted(INFORMATIONAL, 2, False, 0, 1)), back(30.04, marker + encrypted(INFORMATIONAL, 2, True, 0, 1))]
    return pcap(story)


def dns_from_4500():
    """Questions from port 4500, each with an answer."""
    story = []
    for n in range(20):
        name = b"\x03www\x07example\x00\x00\x01\x00\x01"
        identity = struct.pack("!H", 0x1234 + n)
        story += [datagram(n, CLIENT, 4500, SERVER, 53, identity + b"\x01\x00\x00\x01" + bytes(6) + name),
                  datagram(n + 0.1, SERVER, 53, CLIENT, 4500, identity + b"\x81\x83\x00\x01" + bytes(6) + name)]
    return pcap(story)


def openvpn_from_4500():
    """Data packets of OpenVPN: one peer ID for both directions, and packet numbers that count up (P_DATA_V2)."""
    return pcap([packet for n in range(20) for packet in
                 (datagram(n, CLIENT, 4500, SERVER, 1194, esp(0x48000001, n + 1)),
                  datagram(n + 0.1, SERVER, 1194, CLIENT, 4500, esp(0x48000001, n + 1)))])


def protocols(tshark, path, *options, plugin=True):
    return tshark.output(["-n", "-r", path, *options, "-T", "fields", "-e", "frame.protocols"], plugin=plugin).split()


def marks(tshark, path, *options):
    """The frames that have findings: {frame: (ids, texts)}."""
    out = tshark.output(["-n", "-r", path, *options, "-T", "fields", "-e", "frame.number", "-e", "ipsec.analysis.finding",
                         "-e", "ipsec.analysis.text", "-Y", "ipsec.analysis.flags"])
    return {frame: (found, texts) for frame, found, texts in (line.split("\t") for line in out.splitlines())}


def report(tshark, path, *options):
    return json.loads(tshark.output(["-q", "-n", "-r", path, *options, "-z", "ipsec,report,json"]))


def ids(found):
    return [finding["id"] for one in found["tunnels"] for finding in one["findings"]]


def counts(found):
    return found["capture"]["ike_messages"], found["capture"]["esp_packets"], [one["state"] for one in found["tunnels"]]


def check_tunnel(tshark, port, make, failures):
    where = f"port {port}{' over IPv6' if make is datagram6 else ''}"
    path = tshark.write(f"port-{port}-{make.__name__}.pcap", tunnel(port, make))
    shown = protocols(tshark, path)
    if not all("udpencap" in one or one.endswith("isakmp") for one in shown):
        failures.append(f"{where}: not all of it is shown as IPsec: {sorted(set(shown))}")
    for options in ([], ["-2"]):
        found = report(tshark, path, *options)
        if ids(found) or counts(found) != (6, 2 * PACKETS, ["healthy"]):
            failures.append(f"{where} {options}: healthy and nothing found expected, not {counts(found)} {ids(found)}")
    if port not in OWNED:
        return
    owner = OWNED[port]
    for options in (OFF, [*OFF, "-2"]):
        found = report(tshark, path, *options)
        texts = [finding["text"] for one in found["tunnels"] for finding in one["findings"]]
        if ids(found) != [HIDDEN] or f"--disable-protocol {owner}" not in texts[0] or counts(found) != (6, 2 * PACKETS, ["healthy"]):
            failures.append(f"{where} {options}: {HIDDEN} because of {owner} expected, not {counts(found)} {texts}")
        marked = marks(tshark, path, *options)  # with a protocol tree, where a dissector that draws nothing leaves no layer
        if list(marked) != ["3"] or marked["3"][0] != HIDDEN or f"--disable-protocol {owner}" not in marked["3"][1]:
            failures.append(f"{where} {options}: {HIDDEN} because of {owner} expected on frame 3, not {marked}")
    if protocols(tshark, path, *OFF) != protocols(tshark, path, plugin=False):
        failures.append(f"{where}: without the claim Wireshark shows something else than without the plugin")
    found = report(tshark, path, *OFF, "--disable-protocol", owner)
    if ids(found) or counts(found) != (6, 2 * PACKETS, ["healthy"]):
        failures.append(f"{where}: --disable-protocol {owner} does not help: {counts(found)} {ids(found)}")


def check_decode_as(tshark, failures):
    """Port 4500 is what the user says."""
    path = tshark.write("decoded.pcap", tunnel(49152))
    for options in (["-d", "udp.port==4500,rtp"], ["-d", "udp.port==49152,rtp"]):
        if protocols(tshark, path, *options) != protocols(tshark, path, *options, plugin=False):
            failures.append(f"{options}: shown otherwise than without the plugin")
    for options in (["-d", "udp.port==4500,udpencap"], ["-d", "udp.port==4500,ipsec.udpencap"]):
        found = report(tshark, path, *options)
        if ids(found) or counts(found) != (6, 2 * PACKETS, ["healthy"]):
            failures.append(f"{options}: healthy and nothing found expected, not {counts(found)} {ids(found)}")


def check_saved_decode_as(tshark, failures):
    """tshark writes no Decode As entries, and one that the user has saved in the window changes nothing, with and without the plugin."""
    if list(tshark.folder.rglob("decode_as_entries")):
        failures.append("the user's Decode As entries were written")
    path = tshark.write("saved.pcap", tunnel(1194))
    for name in ("UDPENCAP", "UDPENCAP (IPsec)", "UDPENCAP (IPsec analysis)"):
        home = tshark.home()
        entries = home / ".config/wireshark/decode_as_entries"
        entries.write_text(f"decode_as_entry: udp.port,4500,{name},{name}\n")
        entries.chmod(0o644)
        code, out, err = tshark.run(["-n", "-r", path, "-T", "fields", "-e", "frame.protocols"], home)
        if code != 0 or out.decode().split() != protocols(tshark, path):
            failures.append(f"a saved entry {name}: shown otherwise {err.decode(errors='replace')}")
        code, out, err = tshark.run(["-n", "-r", path, "-T", "fields", "-e", "frame.protocols"], home, plugin=False)
        if code != 0 or out.decode().split() != protocols(tshark, path, plugin=False):
            failures.append(f"a saved entry {name}, without the plugin: shown otherwise {err.decode(errors='replace')}")


def check_esp_alone(tshark, failures):
    """No IKE: two SPIs that count prove the flow, after a few packets."""
    path = tshark.write("esp-alone.pcap", tunnel(1194, with_ike=False))
    shown = protocols(tshark, path)
    late = [index for index, one in enumerate(shown) if "openvpn" in one and index > 8]
    if late or shown != protocols(tshark, path, "-2"):
        failures.append(f"ESP alone: at most the first packets may be OpenVPN, in each pass: {shown}")
    for options, wanted in (([], set()), (["-2"], set()), (OFF, {HIDDEN}), ([*OFF, "-2"], {HIDDEN})):
        found = report(tshark, path, *options)
        if set(ids(found)) - {"capture_midstream", "capture_no_ike"} != wanted or found["capture"]["esp_packets"] < PACKETS:
            failures.append(f"ESP alone {options}: {wanted} expected, not {counts(found)} {ids(found)}")


def check_others(tshark, failures):
    for name, content in (("dns", dns_from_4500()), ("openvpn", openvpn_from_4500())):
        path = tshark.write(f"{name}-from-4500.pcap", content)
        if protocols(tshark, path) != protocols(tshark, path, plugin=False):
            failures.append(f"{name} from port 4500: shown otherwise than without the plugin")
        found = report(tshark, path)
        if found["tunnels"]:
            failures.append(f"{name} from port 4500: taken for a tunnel")


def main():
    options = runner.arguments("Checks that IPsec behind other protocols' ports is seen.").parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for port in (*OWNED, *OTHERS):
            check_tunnel(tshark, port, datagram, failures)
        check_tunnel(tshark, 1194, datagram6, failures)
        check_decode_as(tshark, failures)
        check_saved_decode_as(tshark, failures)
        check_esp_alone(tshark, failures)
        check_others(tshark, failures)
    print("\n".join([*failures, "FAILED" if failures else "IPsec is seen on all ports, other protocols are left alone"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
