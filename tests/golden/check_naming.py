#!/usr/bin/env python3
# check_naming.py - are exchanges named right without keys?
#
# Each keyed sample is analysed twice: with keys the name is read from the decrypted payloads, without keys it is inferred. The table
# shows every encrypted message by its true name (rows) and the name inferred for it (columns).
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import pathlib
import sys

import runner

FIELDS = ("frame.number", "isakmp.version", "isakmp.typepayload", "isakmp.flag_e", "ipsec.exchange", "ipsec.exchange.confidence")
ENCRYPTED_PAYLOADS = {"46", "53"}
# What a message is called as long as it cannot be told what it was for.
PLACEHOLDERS = {"", "unknown", "create_child_sa", "delete", "informational"}
LEAST_NAMED = 0.99   # of the encrypted IKEv2 messages


def names_in(tshark, capture, keys):
    """{frame: (IKE version, name, confidence)} of the encrypted IKE messages of a capture."""
    fields = [argument for field in FIELDS for argument in ("-e", field)]
    code, out, err = tshark.run(["-2", "-n", "-r", capture, "-Y", "isakmp && ipsec.exchange", "-T", "fields", *fields], tshark.home(keys))
    if code != 0:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    names = {}
    for line in out.decode().splitlines():
        frame, version, payloads, encrypted, name, confidence = line.split("\t")
        is_v2 = version == "0x20"
        if not (ENCRYPTED_PAYLOADS & set(payloads.split(",")) if is_v2 else encrypted in ("1", "True")):
            continue
        names[int(frame)] = ("IKEv2" if is_v2 else "IKEv1", name, confidence)
    return names


class Tally:
    """What was inferred for what, and where it went wrong."""

    def __init__(self):
        self.pairs = {"IKEv1": collections.Counter(), "IKEv2": collections.Counter()}
        self.wrong = []
        self.unnamed = []

    def add(self, where, true, inferred):
        for frame, (version, name, confidence) in sorted(true.items()):
            if confidence != "observed":   # not decrypted: a key is missing
                continue
            _, guess, sure = inferred.get(frame, (version, "", "inferred"))
            self.pairs[version][name, guess] += 1
            where_in = f"{where}, frame {frame}"
            if guess in PLACEHOLDERS and version == "IKEv2":
                self.unnamed.append(f"{where_in}: {name} got no name")
            if guess != name and guess not in PLACEHOLDERS:
                self.wrong.append(f"{where_in}: {name} was called {guess} ({sure})")

    def print_table(self, version):
        pairs = self.pairs[version]
        guesses = sorted({guess for _, guess in pairs})
        width = max([len(guess) for guess in guesses] + [8])
        print(f"\n{version}: {sum(pairs.values())} encrypted messages; rows: with keys, columns: without")
        print(" " * 20 + "".join(f"{guess or '(none)':>{width + 2}}" for guess in guesses))
        for name in sorted({name for name, _ in pairs}):
            print(f"{name:20}" + "".join(f"{pairs[name, guess] or '.':>{width + 2}}" for guess in guesses))

    def named(self, version):
        pairs = self.pairs[version]
        return sum(count for (_, guess), count in pairs.items() if guess not in PLACEHOLDERS), sum(pairs.values())


def main():
    parser = runner.arguments("Compares the names that exchanges get without keys with those that they have.")
    parser.add_argument("folders", type=pathlib.Path, nargs="+", help="folders with capture*.pcapng and keys/")
    options = parser.parse_args()
    tally = Tally()
    with runner.Runner(options) as tshark:
        for name, capture, keys in tshark.with_keys(options.folders):
            tally.add(name, names_in(tshark, capture, keys), names_in(tshark, capture, None))
    for version in tally.pairs:
        tally.print_table(version)
        named, total = tally.named(version)
        if total:
            print(f"named: {named} of {total} ({100 * named / total:.1f} %)")
    print("\n".join(["", *tally.unnamed, *tally.wrong, f"wrong names: {len(tally.wrong)}"]))
    named, total = tally.named("IKEv2")
    return bool(tally.wrong) or named < LEAST_NAMED * total or total == 0


if __name__ == "__main__":
    sys.exit(main())
