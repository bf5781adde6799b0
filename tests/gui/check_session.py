#!/usr/bin/env python3
# check_session.py - does one Wireshark bear it when captures are reloaded, filtered, redissected, merged and closed again and again?
#
# With a plugin built with AddressSanitizer (--preload libasan.so) each error ends Wireshark, and leaks are counted when it ends.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import re
import sys
import traceback

from wireshark import Failure, Wireshark, find, role_of, run, text_of, walk

SAMPLE, OTHER = "nat-port-flip", "dpd-loss"
FINDINGS = "IPsec Findings"


def report(window):
    for item in walk(window.wait_window("IPsec Report")):
        if role_of(item) == "text" and item.get_child_count() > 0:
            return text_of(item)
    return ""


def findings(window, is_first=False):
    """The rows of the window of findings. Wireshark leaves a window of a closed capture as it is: it is replaced by a new one."""
    if not is_first:
        window.close(FINDINGS)
    window.menu("Statistics", FINDINGS)
    window.wait_window(FINDINGS)
    return window.wait("findings", lambda: window.table(FINDINGS)[1])


def change_preference(window, value):
    window.menu("Edit", "Preferences")
    window.wait_window("Preferences")
    window.open_preferences_page("IPsec")
    window.type_into(window.wait("preference", lambda: window.preference("One-way ESP")), value)
    window.button("Preferences", "OK")
    window.wait_gone("Preferences")


def merge(window, path):
    window.menu("File", "Merge")
    window.wait_window("Merge")
    window.wait("file name", lambda: find(window.window("Merge"), "text", "File name:")).set_text_contents(str(path))
    window.button("Merge", "Open")
    window.wait_gone("Merge")


def same(what, now, before):
    if now != before:
        raise Failure(f"{what}: {len(now)} findings, before: {len(before)}")


def one_round(window, options, first):
    sample = options.stage / f"captures/{SAMPLE}/capture.pcapng"
    window.menu("View", "Reload")
    window.wait_capture(sample.name)
    same("after reloading", findings(window), first)
    window.filter("ipsec.analysis.flags")
    window.wait("filtered packets", lambda: window.displayed() < 191)
    window.filter("")
    window.wait("all packets", lambda: window.displayed() == 191)
    change_preference(window, "300")
    window.wait("report without esp_one_way", lambda: "Root cause" in report(window) and "esp_one_way" not in report(window))
    change_preference(window, "10")
    window.wait("report with esp_one_way", lambda: "esp_one_way" in report(window))
    same("after changing a preference and back", findings(window), first)
    window.menu("File", "Close")
    window.wait("empty report", lambda: report(window).startswith("No capture"))
    window.open(options.stage / f"captures/{OTHER}/capture.pcapng")
    window.wait("report of the other capture", lambda: report(window).count("dpd_loss") > 0)
    merge(window, sample)
    window.wait("report of both captures", lambda: "nat_port_flip" in report(window) and "dpd_loss" in report(window))
    window.menu("File", "Close")
    window.discard_changes()
    window.wait("empty report", lambda: report(window).startswith("No capture"))
    window.open(sample)
    same("after closing and opening", findings(window), first)


def inside(options):
    environment = {"ASAN_OPTIONS": "detect_leaks=1:detect_odr_violation=0:exitcode=99:fast_unwind_on_malloc=0",
                   "LSAN_OPTIONS": "print_suppressions=0"} if options.preload else {}
    with Wireshark(options, "-C", "IPsec", "-r", options.stage / f"captures/{SAMPLE}/capture.pcapng", environment=environment) as window:
        window.wait_capture("capture.pcapng")
        window.maximize()
        first = findings(window, is_first=True)
        window.menu("Tools", "IPsec", "Report")
        window.wait_window("IPsec Report")
        done = 0
        try:
            for done in range(options.rounds):
                one_round(window, options, first)
                print(f"round {done + 1}: {len(first)} findings, as before", flush=True)
            window.menu("File", "Quit")
            window.wait_end()
        except Exception as failure:
            traceback.print_exc()
            print(f"FAILED in round {done + 1}: {failure}", *window.said().splitlines()[-60:], sep="\n")
            return 1
        said = window.said()
        blocks = said.split("\n\n")
        ours = [block for block in blocks if re.search(r"ipsec|plugin/(engine|observe|present)", block)]
        print(f"Wireshark ended with {window.process.returncode}; {len(blocks)} blocks of output, {len(ours)} of them about this plugin")
        errors = [block for block in ours if re.search(r"ERROR: AddressSanitizer|leak of|runtime error", block)]
        print(*errors[:10], sep="\n\n")
        return 1 if errors or "ERROR: AddressSanitizer" in said else 0


def more_arguments(parser):
    parser.add_argument("--rounds", type=int, default=20)


if __name__ == "__main__":
    sys.exit(run("Reloads, filters, redissects, merges and closes captures in one Wireshark.", inside, more_arguments))
