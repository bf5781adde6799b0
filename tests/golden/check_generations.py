#!/usr/bin/env python3
# check_generations.py - are ESP SPIs paired right without keys?
#
# Each keyed sample is analysed twice: with keys the negotiations name both SPIs of a child SA, without keys pairs are inferred. Pairs that
# only one of the two analyses knows are counted; two that contradict each other are wrong.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import json
import pathlib
import sys

import runner


def reports(tshark, capture, keys):
    code, out, err = tshark.run(["-q", "-n", "-r", capture, "-z", "ipsec,report,json"], tshark.home(keys))
    if code != 0:
        raise RuntimeError(f"tshark failed with {code}: {err.decode(errors='replace').strip()}")
    return json.loads(out)["tunnels"]


def generations(tunnels):
    """{(SPI, first frame): (its generation, {the SPIs of that pair})} of all SPIs that were used, and what is known about each pair."""
    spis, made = {}, {}
    makers = {(tunnel["tunnel"], row["child_sa"]): row["made_in"] for tunnel in tunnels for row in tunnel["generations"]}
    for tunnel in tunnels:
        for row in tunnel["generations"]:
            sides = [row[side] for side in ("from_a", "from_b")]
            pair = frozenset(side["spi"] for side in sides if side["spi"] and side["packets"])
            for side in sides:
                if side["packets"]:
                    known = row["child_sa"] is not None and len(pair) == 2
                    spis[side["spi"], side["first_frame"]] = (pair if known else None, row)
            if row["made_in"]:
                made[tunnel["tunnel"], row["made_in"]] = row
            for what in ("replaces", "replaced_by"):    # by the frame that made it: numbers may differ without keys
                row[what] = makers.get((tunnel["tunnel"], row[what]))
    return spis, made


class Tally:
    def __init__(self):
        self.count = collections.Counter()
        self.wrong = []
        self.unknown = []

    def add(self, where, true, inferred):
        spis, made = generations(true)
        guesses, guessed_made = generations(inferred)
        for key, (pair, row) in sorted(spis.items(), key=lambda item: item[0][1]):
            if row["confidence"] != "observed":
                self.count["not announced"] += 1
                continue
            guess, guessed_row = guesses.get(key, (None, None))
            where_in = f"{where}: {key[0]} (frame {key[1]})"
            if pair is None:    # the other SPI of the pair was never used
                self.count["one way"] += 1
                if guess is not None:
                    self.wrong.append(f"{where_in} has no partner, but was paired with {sorted(guess)}")
            elif guess is None:
                self.count["pair unknown"] += 1
                self.unknown.append(f"{where_in}: pair unknown")
            elif guess != pair:
                self.wrong.append(f"{where_in}: {sorted(guess)} is no pair, {sorted(pair)} is")
            else:
                self.count["pair right"] += 1
            if guessed_row is None or guessed_row["made_in"] is None:
                self.count["maker unknown"] += 1
            elif guessed_row["made_in"] != row["made_in"]:
                self.wrong.append(f"{where_in}: made in frame {guessed_row['made_in']}, but it was {row['made_in']}")
            else:
                self.count["maker right"] += 1
        for key, row in made.items():
            guess = guessed_made.get(key)
            if row["confidence"] != "observed" or guess is None:
                continue
            for what in ("replaces", "replaced_by"):
                if guess[what] is not None and guess[what] != row[what]:
                    self.wrong.append(f"{where}: child SA of frame {key[1]} {what} {guess[what]}, but it is {row[what]}")
                self.count[f"{what} " + ("right" if guess[what] == row[what] else "unknown")] += 1


def main():
    parser = runner.arguments("Compares the pairs of ESP SPIs inferred without keys with those announced in decrypted negotiations.")
    parser.add_argument("folders", type=pathlib.Path, nargs="+", help="folders with capture*.pcapng and keys/")
    options = parser.parse_args()
    tally = Tally()
    with runner.Runner(options) as tshark:
        for name, capture, keys in tshark.with_keys(options.folders):
            tally.add(name, reports(tshark, capture, keys), reports(tshark, capture, None))
    for what, count in sorted(tally.count.items()):
        print(f"{what:22} {count:6}")
    print("\n".join(["", *tally.unknown, *tally.wrong, f"wrong: {len(tally.wrong)}"]))
    return bool(tally.wrong) or tally.count["pair right"] <= tally.count["pair unknown"]


if __name__ == "__main__":
    sys.exit(main())
