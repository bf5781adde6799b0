#!/usr/bin/env python3
# check_html.py - is the HTML report whole, complete in itself, and harmless whatever is in the capture?
#
# usage: check_html.py --plugin ... FOLDER...   (folders with capture.pcapng, and keys if they have them)
#
# SPDX-License-Identifier: GPL-2.0-or-later
import base64
import collections
import hashlib
import html.parser
import json
import pathlib
import re
import struct
import sys

import check_syslog
import runner
from packets import SERVER, from_client, from_server, payload, pcap

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
# What the report is made of; anything else came from outside.
TAGS = set("html head meta title style body header main section footer h1 h2 h3 h4 h5 p ul ol li div span a b strong em code table thead tbody tr "
           "th td details summary dl dt dd figure article svg g rect line path circle text script".split())
SECTIONS_MAX = 40


class Page(html.parser.HTMLParser):
    """Checks the nesting while it reads, and keeps what the other checks need."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.faults, self.open, self.ids, self.links = [], [], [], []
        self.raw = {"style": [], "script": []}
        self.findings, self.stories, self.shapes, self.policy = [], [], 0, ""
        self.rows = 0
        self.tunnels, self.timelines, self.inside_timeline = [], 0, False
        self.text = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag, _ in self.open]

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in TAGS:
            self.faults.append(f"<{tag}>: not of this page")
        for name, value in attrs:
            self.check_attribute(tag, name, value or "")
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag not in VOID:
            self.open.append((tag, attributes.get("class", "")))
        self.note_start(tag, attributes)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'} in line {self.getpos()[0]}")
            return
        self.open.pop()
        if tag == "figure":
            self.inside_timeline = False

    def check_attribute(self, tag, name, value):
        if name.startswith("on") or name in ("style", "src", "srcset", "xlink:href", "action", "formaction"):
            self.faults.append(f"<{tag} {name}=...> in line {self.getpos()[0]}")
        if name == "href":
            self.links.append(value)
        if re.search(r"https?:|//|javascript:|data:|url\(", value, re.IGNORECASE) and name not in ("title", "aria-label"):
            self.faults.append(f"<{tag} {name}={value!r}>")
        if self.inside_timeline and name in ("x", "y", "x1", "x2", "y1", "y2", "width", "height"):
            self.shapes += 1
            if not -10 <= float(value) <= 2000:
                self.faults.append(f"outside the drawing: <{tag} {name}={value!r}>")

    def note_start(self, tag, attributes):
        classes = attributes.get("class", "").split()
        if tag == "li" and "finding" in classes:
            self.findings.append(collections.defaultdict(str))
        if tag == "article" and "incident" in classes:
            self.stories.append("")
        if tag == "details" and "tunnel" in classes:
            self.tunnels.append(int(attributes["id"].removeprefix("tunnel-")))
        if tag == "tr" and self.is_inside("table", "tunnels") and self.is_inside("tbody"):
            self.rows += 1
        if tag == "figure":
            self.inside_timeline = True
        if tag == "svg" and self.inside_timeline:
            self.timelines += 1

    def is_inside(self, tag, of_class=None):
        return any(name == tag and (of_class is None or of_class in classes.split()) for name, classes in self.open)

    def handle_data(self, data):
        if self.open and self.open[-1][0] in self.raw:
            self.raw[self.open[-1][0]].append(data)
            return
        self.text.append(data)
        if self.is_inside("li", "finding"):
            finding = self.findings[-1]
            for key, tag, of_class in (("when", "div", "when"), ("evidence", "p", "evidence"), ("cause", "p", "cause"), ("head", "h4", None)):
                if self.is_inside(tag, of_class):
                    finding[key] += data
                    return
            finding["text"] += data
        if self.is_inside("div", "story"):
            self.stories[-1] += data + (" " if self.open[-1][0] == "p" and data.endswith("\n") else "")


def words(text):
    return " ".join(text.split())


def check_closed_in_itself(page):
    yield from page.faults
    for name, count in collections.Counter(page.ids).items():
        if count > 1:
            yield f"id {name} is there {count} times"
    for link in set(page.links):
        if not link.startswith("#") or link[1:] not in page.ids:
            yield f"a link to {link!r}, which is not on the page"
    for kind in ("style", "script"):
        content = "".join(page.raw[kind])
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        if f"{kind}-src 'sha256-{digest}'" not in page.policy:
            yield f"the {kind} is not the one that the page's policy allows"
        if re.search(r"url\(|@import|https?:|fetch\(|XMLHttpRequest|innerHTML|eval\(", content):
            yield f"the {kind} may load something, or write text as HTML"
    if not page.policy.startswith("default-src 'none'"):
        yield f"the policy allows more than nothing: {page.policy}"


def finding_of_page(entry):
    return (re.search(r"frame (\d+)", entry["when"])[1], entry["head"].split()[0], words(entry["text"]),
            tuple(re.findall(r"\d+", entry["evidence"].split("frame.number")[0])))


def finding_of_json(entry):
    return (str(entry["frame"]), entry["id"], words(entry["text"]), tuple(str(frame) for frame in entry["evidence"]))


def check_complete(page, report):
    """Everything that the JSON report tells of findings and incidents is on the page."""
    everything = [*report["findings"], *(entry for tunnel in report["tunnels"] for entry in tunnel["findings"])]
    expected = collections.Counter(map(finding_of_json, everything))
    found = collections.Counter(finding_of_page(entry) for entry in page.findings)
    for entry in (expected - found) + (found - expected):
        yield f"a finding is on one side only: {entry}"
    for entry in everything:
        if f"frame-{entry['frame']}" not in page.ids:
            yield f"frame {entry['frame']} has no place"
    for tunnel in report["tunnels"]:
        if tunnel["tunnel"] not in page.tunnels:
            yield f"tunnel {tunnel['tunnel']} has no section"
        for incident in tunnel["incidents"]:
            if words(incident["story"]).replace(" ", "") not in {words(story).replace(" ", "") for story in page.stories}:
                yield f"the story of incident {incident['incident']} of tunnel {tunnel['tunnel']} is not on the page"
    if page.timelines != len(report["tunnels"]) or (report["tunnels"] and not page.shapes):
        yield f"{page.timelines} timelines of {len(report['tunnels'])} tunnels"


def ask(tshark, capture, what, home, *options):
    return tshark.output(["-n", "-q", *options, "-r", capture, "-z", what], home)


def check_sample(tshark, folder):
    keys = folder / "keys"
    home = tshark.home(keys if keys.is_dir() else None)
    capture = tshark.capture(folder / "capture.pcapng")
    text, report = ask(tshark, capture, "ipsec,report,html", home), json.loads(ask(tshark, capture, "ipsec,report,json", home))
    page = Page(text)
    yield from check_closed_in_itself(page)
    yield from check_complete(page, report)


# ---- hostile text: IKEv1 Aggressive Mode has its identities in the clear (RFC 2409 5.4) ----

HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</title></svg><b>bold",
           "&lt;b&gt; &amp; &#60;i&#62;", "</style></script><!-- ", "frame 1, frames 1 to 99999999999999", "javascript:alert(1)",
           "caf\u00e9 \u202egnp.exe", "a\0b\tc\x1b[31m\x7f", "%s%n%1000000d", "x" * 300]


def aggressive(spi_r, identity, is_answer):
    transform = struct.pack("!BBHBBH", 0, 0, 24, 1, 1, 0) + struct.pack("!HHHHHHHH", 0x8001, 7, 0x8002, 2, 0x8003, 1, 0x8004, 14)
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transform), 1, 1, 0, 1) + transform
    sa = payload(4, struct.pack("!II", 1, 1) + proposal)
    body = sa + payload(10, b"k" * 128) + payload(5, b"n" * 16) + payload(8 if is_answer else 0, struct.pack("!BBH", 2, 17, 500) + identity)
    body += payload(0, b"h" * 20) if is_answer else b""
    return struct.pack("!8s8sBBBBII", b"\x31" * 8, spi_r, 1, 0x10, 4, 0, 0, 28 + len(body)) + body


def hostile_capture(identity):
    name = identity.encode("utf-8", "replace")
    return pcap([from_client(1, aggressive(bytes(8), name, False)), from_server(1.1, aggressive(b"\x32" * 8, name, True)),
                 from_client(5, aggressive(bytes(8), b"again", False))])


def check_hostile(tshark):
    home = tshark.home()
    for number, identity in enumerate(HOSTILE):
        capture = tshark.write(f"hostile-{number}.pcap", hostile_capture(identity))
        text = ask(tshark, capture, "ipsec,report,html", home)
        report = json.loads(ask(tshark, capture, "ipsec,report,json", home))
        shown = report["tunnels"][0]["peers"][0]["identity"]
        page = Page(text)
        for fault in (*check_closed_in_itself(page), *check_complete(page, report)):
            yield f"{identity!r}: {fault}"
        if not shown or shown not in "".join(page.text):
            yield f"{identity!r} is not on the page as {shown!r}"
        if re.search("[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text):
            yield f"{identity!r}: a control character is on the page"


def check_findings_of_no_tunnel(tshark):
    """A log line about an SPI that the capture does not have, from a host with a hostile name."""
    text = check_syslog.line(4, check_syslog.UNKNOWN, "<188>91: <script>alert(1)</script>: ")
    capture, home = tshark.write("syslog.pcap", pcap(check_syslog.story(4, check_syslog.syslog(4, text)))), tshark.home()
    page, report = Page(ask(tshark, capture, "ipsec,report,html", home)), json.loads(ask(tshark, capture, "ipsec,report,json", home))
    yield from check_closed_in_itself(page)
    yield from check_complete(page, report)
    if not report["findings"] or "no-tunnel" not in page.ids:
        yield "there is no section for the findings of no tunnel"


# ---- very many tunnels ----

MANY = 2000


def esp(source, to, spi, sequence):
    body = struct.pack("!II", spi, sequence) + b"\xee" * 80
    return [struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), sequence, 0, 64, 50, 0, source, to) + body]


def many_capture():
    story = []
    for client in range(MANY):
        address, begin = bytes([10, 1, client // 250, client % 250 + 1]), 1 + client * 0.005
        for second in range(0, 30, 2):
            story.append((begin + second, esp(address, SERVER, 0x10000 + 2 * client, second + 1)))
            if client % 100 or second <= 10:  # a tunnel without IKE shows what silence is usual
                story.append((begin + second + 0.001, esp(SERVER, address, 0x10001 + 2 * client, second + 1)))
    return pcap(sorted(story, key=lambda entry: entry[0]))


def check_many(tshark):
    capture = tshark.write("many.pcap", many_capture())
    home = tshark.home()
    text = ask(tshark, capture, "ipsec,report,html", home)
    page = Page(text)
    yield from check_closed_in_itself(page)
    if len(page.tunnels) != SECTIONS_MAX or page.timelines != SECTIONS_MAX:
        yield f"{len(page.tunnels)} sections and {page.timelines} timelines of {MANY} tunnels"
    if page.rows != MANY:
        yield f"{page.rows} rows of {MANY} tunnels"
    if f"the other {MANY - SECTIONS_MAX} are in this table only" not in text:
        yield "the page does not say what it leaves out"
    in_trouble = {client for client in range(0, MANY, 100)}
    if not in_trouble <= set(page.tunnels):
        yield f"tunnels in trouble without a timeline: {sorted(in_trouble - set(page.tunnels))}"
    if len(text) > MANY * 800 + SECTIONS_MAX * 30000:
        yield f"{len(text)} characters for {MANY} tunnels"


def check_empty(tshark):
    home = tshark.home()
    page = Page(ask(tshark, tshark.write("empty.pcap", pcap([])), "ipsec,report,html", home))
    yield from check_closed_in_itself(page)
    if "No IPsec traffic found." not in "".join(page.text):
        yield "a capture without IPsec: the page does not say so"
    code, _, err = tshark.run(["-n", "-q", "-r", tshark.write("empty.pcap", pcap([])), "-z", "ipsec,report,xml"], home)
    if code == 0 or b"-z ipsec,report,html" not in err:
        yield "a format that does not exist is not refused with those that do"


def main():
    parser = runner.arguments("Checks the HTML report.")
    parser.add_argument("folders", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    failures = []
    with runner.Runner(options) as tshark:
        for folder in options.folders:
            failures += [f"{folder.name}: {fault}" for fault in check_sample(tshark, folder)]
        for check in (check_hostile, check_findings_of_no_tunnel, check_many, check_empty):
            failures += [f"{check.__name__}: {fault}" for fault in check(tshark)]
    print("\n".join([*failures, "FAILED" if failures else f"the HTML report is right: {len(options.folders)} samples"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
