#!/usr/bin/env python3
# check_transparency.py - does Wireshark show everything as it does without the plugin, but for what the plugin adds?
#
# Compares packet details, layers, columns and decryption with and without the plugin, and what Decode As offers. Captures with IKE and
# ESP in TCP, or ESP on ports of SD-WAN products, which Wireshark alone shows as data, are compared with that protocol or heuristic disabled.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import difflib
import pathlib
import re
import sys

import runner

SUBTREE = "[IPsec Tunnel Analysis"
COLUMN = re.compile(r" \[IPsec: [^\]]*\]$", re.MULTILINE)
ADDED = ("ipsec.esp", "ipsec.ah", "ipsec.isakmp", "ipsec.udpencap", "ipsec.syslog", "ipsec.icmp", "ipsec.icmpv6", "ipsec.ipv6.fraghdr", "ipsec.tcp")
TCP = "ipsec.tcp"
SDWAN, SDWAN_PORTS = "ipsec_sdwan_udp", "udp.port in {12346..12445}"
UNCLAIMED = ["-o", "ipsec.claim_4500:FALSE"]


def without_subtree(text):
    """Packet details without this plugin's subtrees: their first line and the indented ones below."""
    kept, inside = [], False
    for line in text.splitlines():
        inside = line.startswith(SUBTREE) or (inside and line.startswith(" "))
        if not inside:
            kept.append(line)
    return kept


def same(value):
    return value.splitlines()


VIEWS = {
    "details": (["-V"], without_subtree),
    "details in two passes": (["-2", "-V"], without_subtree),
    "layers": (["-T", "fields", "-e", "frame.number", "-e", "frame.protocols", "-e", "esp.spi", "-e", "isakmp.messageid"], same),
    "columns": ([], lambda text: COLUMN.sub("", text).splitlines()),
    "with ESP disabled": (["--disable-protocol", "esp", "-T", "fields", "-e", "frame.protocols"], same),
    "decoded as UDPENCAP": (["-d", "udp.port==500,udpencap", "-d", "udp.port==1408-1410,udpencap", "-T", "fields", "-e",
                             "frame.protocols"], same),
}


def compare(tshark, what, args, home, simplify, stream=1, only_ours=()):
    """Prints the first differences. True: same."""
    stock = tshark.run(args, home, plugin=False)
    ours = tshark.run([*args, *only_ours], home, plugin=True)
    if stock[0] != ours[0]:
        print(f"{what}: exit code {ours[0]}, without the plugin {stock[0]}: {ours[2].decode(errors='replace').strip()}")
        return False
    texts = [simplify(result[stream].decode(errors="replace")) for result in (stock, ours)]
    if texts[0] == texts[1]:
        return True
    print(f"{what}: differs from Wireshark without the plugin")
    for line in list(difflib.unified_diff(*texts, "without", "with", lineterm="", n=0))[:12]:
        print(f"   {line}")
    return False


def check_decode_as(tshark, home):
    """Nothing is missing from the lists, and only the names of this plugin's handles are new."""
    fine = True
    for table in ("udp.port", "ip.proto", "tcp.port"):
        args = ["-d", f"{table}==77,nosuchprotocol", "-r", "/dev/null"]
        lists = [{line.split(" ")[0].strip() for line in tshark.run(args, home, plugin)[2].decode().splitlines() if line.startswith("\t")}
                 for plugin in (False, True)]
        if not lists[0] or lists[0] - lists[1] or lists[1] - lists[0] - set(ADDED):
            print(f"Decode As {table}: missing {sorted(lists[0] - lists[1])}, new {sorted(lists[1] - lists[0] - set(ADDED))}")
            fine = False

    def simplify(text):
        text = text.replace(f"tcp.port\t4500\t{TCP}\n", "")
        for name in ADDED:
            text = text.replace(f"\t{name}\n", f"\t{name.removeprefix('ipsec.')}\n")
        return sorted(text.splitlines())

    return compare(tshark, "tshark -G decodes", ["-G", "decodes"], home, simplify) and fine


def has(tshark, capture, home, wanted):
    return tshark.run(["-n", "-r", capture, "-Y", wanted], home)[1] != b""


def is_hidden(tshark, capture, home):
    """IPsec that Wireshark by itself takes for another protocol: what the plugin is to show otherwise."""
    return tshark.run(["-n", "-r", capture, *UNCLAIMED, "-Y", "ipsec.analysis.hidden_by_dissector"], home)[1] != b""


def main():
    parser = runner.arguments("Compares Wireshark's output with and without the plugin.")
    parser.add_argument("folders", nargs="*", type=pathlib.Path, help="folders of captures, keys/ beside them is used")
    options = parser.parse_args()
    fine = True
    with runner.Runner(options) as tshark:
        fine = check_decode_as(tshark, tshark.home()) and fine
        for folder in options.folders:
            keys = folder / "keys"
            home = tshark.home(keys if keys.is_dir() else None)
            for path in sorted(item for item in folder.iterdir() if ".pcap" in item.suffix or item.suffix == ".cap"):
                capture = tshark.capture(path)
                disabled = ["--disable-protocol", TCP] if has(tshark, capture, home, TCP) else []
                disabled += ["--disable-heuristic", SDWAN] if has(tshark, capture, home, SDWAN_PORTS) else []
                disabled += UNCLAIMED if is_hidden(tshark, capture, home) else []
                for view, (args, simplify) in VIEWS.items():
                    what = f"{folder.name}/{path.name}, {view}"
                    fine = compare(tshark, what, ["-n", "-r", capture, *args], home, simplify, only_ours=disabled) and fine
    return not fine


if __name__ == "__main__":
    sys.exit(main())
