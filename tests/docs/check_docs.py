#!/usr/bin/env python3
# check_docs.py - has every finding of the catalogue a section in docs/findings.md, a detector, and stories in which it does and does
# not fire?
#
# Also the other way round: a section without a finding, a detector or a sample that does not exist, a broken relative link.
#
# usage: check_docs.py [ROOT]. SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import re
import sys

PAGES = ["README.md", "CHANGELOG.md", "docs/*.md"]


def catalogue_ids(root):
    return re.findall(r"^FINDING\((\w+),", (root / "plugin/engine/findings.def").read_text(), re.MULTILINE)


def documented_ids(root):
    """The ids that docs/findings.md has a heading for: nothing but the id, at the third level."""
    return re.findall(r"^### (\w+)$", (root / "docs/findings.md").read_text(), re.MULTILINE)


def check_ids(root):
    expected, documented = catalogue_ids(root), documented_ids(root)
    if not expected:
        yield "plugin/engine/findings.def: no FINDING(...) row found"
    for name in expected:
        if name not in documented:
            yield f"{name}: no section \"### {name}\" in docs/findings.md"
        if not (root / f"plugin/engine/detect/{name}.c").is_file():
            yield f"{name}: no detector plugin/engine/detect/{name}.c"
        if not (root / f"tests/scenario/{name}.scenario").is_file():
            yield f"{name}: no scenario tests/scenario/{name}.scenario"
    for name in sorted(set(documented)):
        if name not in expected:
            yield f"{name}: a section in docs/findings.md, but no row in plugin/engine/findings.def"
        if documented.count(name) > 1:
            yield f"{name}: more than one section in docs/findings.md"


def check_stories(root):
    """A finding that no story makes fire, or that none keeps quiet, is not tested."""
    for name in catalogue_ids(root):
        script = root / f"tests/scenario/{name}.scenario"
        if not script.is_file():
            continue
        text = script.read_text()
        if not re.search(rf"\bexpect {name}\b", text):
            yield f"{name}: no story in tests/scenario/{name}.scenario expects it"
        if not re.search(rf"^scenario {name}_never_\w+", text, re.MULTILINE) or not re.search(rf"\bexpect no {name}\b", text):
            yield f"{name}: no story {name}_never_... in tests/scenario/{name}.scenario expects that it does not fire"


def check_fields(root):
    """Every field that the plugin registers is in docs/fields.md, and no other."""
    registered = set()
    for source in (root / "plugin").glob("*/*.c"):
        registered |= set(re.findall(r'"(ipsec\.[a-z_.]+[a-z_])"\s*,\s*(?:FT_|PI_)', source.read_text()))
        registered |= set(re.findall(r'proto_register_protocol\([^;]*"(ipsec\.[a-z_.]+)"\)', source.read_text()))
    documented = set(re.findall(r"`(ipsec\.[a-z_.]+[a-z_])`", (root / "docs/fields.md").read_text()))
    for name in sorted(registered ^ documented):
        where = "not in docs/fields.md" if name in registered else "in docs/fields.md, but not registered"
        yield f"{name}: {where}"


def check_advice(root):
    """What the reports tell to check next is in the finding's section, word for word, and nothing else is."""
    advice = re.findall(r'^CHECK\((\w+), "(.*)"\)$', (root / "plugin/engine/tables/checks.def").read_text(), re.MULTILINE)
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", (root / "docs/findings.md").read_text(), re.MULTILINE | re.DOTALL))
    for name in sorted({name for name, _ in advice} | set(sections)):
        expected = [text for of, text in advice if of == name]
        listed = re.search(r"^\*\*Check next\.\*\*\n\n((?:[- ] .*\n)+)", sections.get(name, ""), re.MULTILINE)
        found = [" ".join(item.split()) for item in re.split(r"^- ", listed.group(1), flags=re.MULTILINE)[1:]] if listed else []
        if found != expected:
            yield f"docs/findings.md: {name}: the list \"Check next\" is not that of checks.def"
        if len(expected) > 5 or len(expected) == 1:
            yield f"checks.def: {name}: {len(expected)} checks, two to five are wanted"


def check_index(root):
    """The list of findings at the top of docs/findings.md is that of the catalogue, with its summaries."""
    catalogue = re.findall(r'^FINDING\((\w+),\s*(\w+),\s*\w+,\s*"([^"]*)"\)', (root / "plugin/engine/findings.def").read_text(),
                           re.MULTILINE)
    rows = re.findall(r"^\| \[(\w+)\]\(#\w+\) \| (\w+) \| (.*) \|$", (root / "docs/findings.md").read_text(), re.MULTILINE)
    expected = [(name, severity.capitalize(), text) for name, severity, text in catalogue]
    for row in expected:
        if row not in rows:
            yield f"docs/findings.md: the list lacks: | [{row[0]}](#{row[0]}) | {row[1]} | {row[2]} |"
    if len(rows) != len(expected):
        yield "docs/findings.md: the list has a row too many"


def check_samples(root):
    """Captures that the pages name."""
    for page in pages(root):
        for name in sorted(set(re.findall(r"sample-pcaps/([a-z0-9-]+)", page.read_text()))):
            if not (root / "sample-pcaps" / name).is_dir():
                yield f"{page.relative_to(root)}: no such sample: sample-pcaps/{name}"


def check_links(root):
    for page in pages(root):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: broken link: {target}"


def pages(root):
    return [page for pattern in PAGES for page in sorted(root.glob(pattern))]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
    problems = [*check_ids(root), *check_stories(root), *check_fields(root), *check_index(root), *check_advice(root), *check_samples(root), *check_links(root)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
