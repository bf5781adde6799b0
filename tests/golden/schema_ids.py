#!/usr/bin/env python3
# schema_ids.py - does the JSON Schema of the report know the ids of the catalogue, no more and no less?
#
# With --update it writes them into the schema.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "plugin/engine/findings.def"
SCHEMA = ROOT / "docs/report.schema.json"
ENUM = re.compile(r'("finding_id": \{\s*"enum": \[)([^\]]*)(\s*\])')


def catalogue_ids():
    return re.findall(r"^FINDING\((\w+),", CATALOGUE.read_text(), re.MULTILINE)


def main():
    text = SCHEMA.read_text()
    expected = catalogue_ids()
    if "--update" in sys.argv[1:]:
        rows = ",".join(f'\n                "{name}"' for name in expected)
        SCHEMA.write_text(ENUM.sub(lambda match: match[1] + rows + "\n            ]", text))
        return 0
    known = re.findall(r'"(\w+)"', ENUM.search(text)[2])
    for name in sorted(set(expected) ^ set(known)):
        print(f"{name}: only in the {'catalogue' if name in expected else 'schema'}; run tests/golden/schema_ids.py --update")
    return known != expected


if __name__ == "__main__":
    sys.exit(main())
