#!/usr/bin/env python3
# check_browser.py - does the HTML report work in a browser, from disk: in light, in dark, on paper, in a narrow window?
#
# usage: check_browser.py --plugin ... [--screenshot FILE] FOLDER   (a folder with capture.pcapng)
# With --screenshot it writes the picture of the documentation instead. Without Chromium the test is skipped.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

import runner
from check_html import HOSTILE, ask, hostile_capture

SKIPPED = 77   # CMakeLists.txt tells ctest
TIMEOUT = 180
LIGHT, DARK = 1, 0   # Blink's preferredColorScheme

# Appended to a copy of the page that allows it: what does not fit?
MEASURE = """<script>
addEventListener("load", function () {
    const cut = [];
    for (const text of document.querySelectorAll(".timeline svg text")) {
        const box = text.getBBox(), view = text.ownerSVGElement.viewBox.baseVal;
        if (box.x < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1) {
            cut.push(text.textContent);
        }
    }
    const shape = document.querySelector(".timeline [data-tip]"), box = shape.getBoundingClientRect();
    shape.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: box.left + 1, clientY: box.top + 1 }));
    const tip = document.querySelector(".tip");
    document.title = JSON.stringify({ wide: document.documentElement.scrollWidth, window: innerWidth, cut: cut,
                                      tip: tip.hidden ? "" : tip.textContent });
});
</script></body>"""


class Browser:
    def __init__(self, folder):
        self.program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        self.folder = pathlib.Path(folder)

    def run(self, page, *options):
        """Returns (standard output, what the page wrote to its console)."""
        command = [self.program, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--enable-logging=stderr",
                   "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={self.folder / 'profile'}", *options, page.as_uri()]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
        return done.stdout.decode(errors="replace"), re.findall(r"CONSOLE.*", done.stderr.decode(errors="replace"))

    def picture(self, page, name, size, scheme):
        path = self.folder / name
        self.run(page, f"--window-size={size[0]},{size[1]}", f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={path}")
        return path

    def measure(self, page, width):
        copy = page.with_name(f"measured-{page.name}")
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
        copy.write_text(text.replace("</body>", MEASURE))
        dom, _ = self.run(copy, f"--window-size={width},900", "--dump-dom")
        title = re.search(r"<title>(\{.*?\})</title>", dom, re.DOTALL)
        return json.loads(title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) if title else None


def first_pixel(png):
    """The red, green and blue of the corner of a PNG of 8 bits per channel: filters change nothing there."""
    data, at, parts = png.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack_from("!I4s", data, at)
        if kind == b"IDAT":
            parts += data[at + 8:at + 8 + length]
        at += 12 + length
    return zlib.decompress(parts)[1:4]


def check_page(browser, page):
    dom, console = browser.run(page, "--dump-dom")
    if console:
        yield f"the browser complains: {console}"
    if 'class="tip"' not in dom or "data-tip" not in dom:
        yield "the script did not run"
    light, dark = (max(first_pixel(browser.picture(page, f"{scheme}.png", (1280, 900), scheme))) for scheme in (LIGHT, DARK))
    if not light > 200 > 100 > dark:
        yield f"the page is not light in light and dark in dark: {light} and {dark}"
    for width in (1280, 500):
        found = browser.measure(page, width)
        if not found or found["wide"] > found["window"] or found["cut"] or not found["tip"]:
            yield f"in a window of {width}: {found}"
    paper = browser.folder / "page.pdf"
    browser.run(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    if not paper.read_bytes().startswith(b"%PDF"):
        yield "no PDF"


def check_hostile(browser, tshark):
    for number, identity in enumerate(HOSTILE):
        page = browser.folder / f"hostile-{number}.html"
        page.write_text(ask(tshark, tshark.write("hostile.pcap", hostile_capture(identity)), "ipsec,report,html", tshark.home()))
        dom, console = browser.run(page, "--dump-dom")
        if console or dom.count("<script") != 1 or "<img" in dom:
            yield f"{identity!r}: {console or 'became part of the page'}"


def main():
    parser = runner.arguments("Opens the HTML report in headless Chromium.")
    parser.add_argument("--screenshot", type=pathlib.Path, help="write the picture of the documentation, and check nothing")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    with runner.Runner(options) as tshark, tempfile.TemporaryDirectory(prefix="ipsec-browser-") as folder:
        browser = Browser(folder)
        if not browser.program:
            print("SKIPPED: Chromium is not installed (Debian: chromium), so the HTML report is not tried in a browser")
            return SKIPPED
        page = browser.folder / "page.html"
        page.write_text(ask(tshark, tshark.capture(options.folder / "capture.pcapng"), "ipsec,report,html", tshark.home()))
        if options.screenshot:
            shutil.copy(browser.picture(page, "picture.png", (1150, 1075), LIGHT), options.screenshot)
            return 0
        failures = [*check_page(browser, page), *check_hostile(browser, tshark)]
    print("\n".join([*failures, "FAILED" if failures else "the HTML report works in a browser"]))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
