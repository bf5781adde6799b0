#!/usr/bin/env python3
# check_window.py - does the plugin work in the Wireshark window? Menus, windows, colours, filters, preferences, as a user meets them.
#
# With --screenshots FOLDER it makes the pictures of docs/window.md on the way.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import pathlib
import re
import shutil
import subprocess
import sys
import time
import traceback

from wireshark import (MANY, MANY_TROUBLED, SKIPPED, Failure, Wireshark, can_be_driven, children, find, is_shown, press, role_of, run, text_of,
                       walk, xdotool)

SAMPLE, FRAMES = "nat-port-flip", 191
ROOT_CAUSE, WARNED, HEALTHY, IKE = 17, 20, 21, 88
UNANSWERED, REPEATED = 97, 100
OUTAGE = "ipsec.tunnel == 0 && ipsec.incident == 0"
SEVERITIES = ["error", "warn", "note", "chat"]
NO_CAPTURE = "No capture with IPsec is open."
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def equal(what, is_now, should_be):
    if is_now != should_be:
        raise Failure(f"{what}: {is_now!r}, should be {should_be!r}")


def true(what, value):
    if not value:
        raise Failure(what)


def rules(profile):
    """The background colours of the profile's rules, by name, as they are on the screen."""
    found = re.findall(r"^@(.+?)@.*@\[(\d+),(\d+),(\d+)\]\[", (profile / "colorfilters").read_text(), re.M)
    return {name: tuple(int(part) >> 8 for part in colour) for name, *colour in found}


# ---- the profile ----


@check
def the_sample_opens_with_the_profile(window, _):
    equal("packets", window.displayed(), FRAMES)
    equal("columns", [name for name in window.columns() if name in ("Tunnel", "Exchange", "Finding")], ["Tunnel", "Exchange", "Finding"])
    names = {item.get_name() for item in walk(window.main()) if is_shown(item)}
    true("the profile is not in use", "Profile: IPsec" in names)
    true(f"a filter button is missing: {names}", {"Findings", "Errors", "By kind", "This tunnel"} <= names)
    true(f"Wireshark has opened a window to complain: {window.titles()}", len(window.titles()) == 1)


@check
def packets_have_the_colours_of_the_profile(window, options):
    colours = rules(options.profile)
    for frame, rule in ((WARNED, "IPsec finding: warning"), (HEALTHY, "IPsec: ESP"), (IKE, "IPsec: IKE")):
        window.go_to(frame + 1)  # scrolls as far as it must: the row above is whole, and not selected
        window.wait(f"colour of frame {frame}", lambda f=frame, c=colours[rule]: window.colour_at(window.packet_cell(f)) == c)


@check
def wireshark_says_nothing_of_its_own_about_esp_sequence_numbers(window, _):
    window.filter("esp.sequence-analysis.wrong-sequence-number")
    window.wait("filter", lambda: window.displayed() == 0)
    window.filter("")
    window.wait("no filter", lambda: window.displayed() == FRAMES)


# ---- three clicks ----


@check
def the_menu_leads_to_the_root_cause(window, _):
    window.go_to(150)
    window.menu("Tools", "IPsec", "Go to the root cause of the worst outage")
    lines = window.wait_frame(ROOT_CAUSE)
    equal("line of the subtree", lines[-1], "[IPsec Tunnel Analysis, Tunnel: 0: NAT port flip]")
    window.expand_last_detail()
    true(f"the subtree does not say what happened: {window.details()}",
         any("The source port of 198.51.100.7 changed from 1409 to 1408" in line for line in window.details()))
    true("the subtree does not say what to check", any("Check next: " in line for line in window.details()))
    window.picture("window-root-cause", window.main_title())
    window.collapse_last_detail()


@check
def a_request_leads_to_its_next_transmission(window, _):
    window.go_to(UNANSWERED)
    window.expand_last_detail()
    true(f"no link to the next transmission: {window.details()}", any(f"Retransmitted in: {REPEATED}" in line for line in window.details()))
    window.collapse_last_detail()


@check
def healthy_esp_has_one_line(window, _):
    window.go_to(10)
    equal("line of the subtree", window.details()[-1], "[IPsec Tunnel Analysis, Tunnel: 0]")


@check
def the_menu_shows_the_outage_only(window, _):
    window.menu("Tools", "IPsec", "Show only the worst outage")
    window.wait("filter of the outage", lambda: window.filter_text() == OUTAGE and 0 < window.displayed() < FRAMES)
    window.picture("window-outage", window.main_title())
    window.filter("")
    window.wait("no filter", lambda: window.displayed() == FRAMES)


@check
def conversation_filters_are_in_the_menu(window, _):
    for entry, text in (("IPsec tunnel", "ipsec.tunnel == 0"), ("IPsec outage", OUTAGE)):
        window.go_to(WARNED)
        window.menu("Analyze", "Conversation Filter", entry)
        window.wait(f"filter of {entry}", lambda text=text: window.filter_text() == text)
        window.filter("")
        window.wait("no filter", lambda: window.displayed() == FRAMES)


@check
def conversation_filters_are_in_the_menu_of_a_packet(window, _):
    if not shutil.which("tesseract"):
        print("    not checked: no tesseract (Debian: tesseract-ocr)")
        return
    window.go_to(WARNED)
    window.click(window.packet_cell(WARNED), "3")
    window.click_word("Conversation", "Filter")
    window.click_word("IPsec", "outage")
    window.wait("filter of the outage", lambda: window.filter_text() == OUTAGE)
    window.filter("")
    window.wait("no filter", lambda: window.displayed() == FRAMES)


# ---- Analyze > Expert Information ----


@check
def expert_information_groups_findings_worst_first(window, options):
    catalogue = {}
    for severity, summary in re.findall(r"^FINDING\(\w+,\s*(\w+),\s*\w+,\s*\"(.*)\"\)", options.catalogue.read_text(), re.M):
        catalogue[summary] = severity.lower()
    true("the catalogue cannot be read", len(catalogue) > 40)
    window.menu("Analyze", "Expert Information")
    window.wait_window("Expert")
    _, rows = window.wait("findings", lambda: window.table("Expert")[1] and window.table("Expert"))
    ours = [row for row in rows if row[3] == "IPsec"]
    names = {"Error": "error", "Warning": "warn", "Note": "note", "Chat": "chat"}
    ranks = [SEVERITIES.index(names[row[0]]) for row in ours]
    equal("order of severities", ranks, sorted(ranks))
    for row in ours:
        true(f"not a summary of the catalogue: {row}", row[1] in catalogue)
        true(f"worse than in the catalogue: {row}", SEVERITIES.index(names[row[0]]) >= SEVERITIES.index(severity_name(catalogue[row[1]])))
    equal("summaries", len({row[1] for row in ours}), len(ours))
    window.resize("Expert", 1000, 480)
    window.picture("window-expert", "Expert")
    window.close("Expert")


def severity_name(text):
    return text.removeprefix("severity_")


# ---- Statistics ----


@check
def the_window_of_tunnels_fills(window, _):
    window.menu("Statistics", "IPsec Tunnels")
    window.wait_window("IPsec Tunnels")
    names, rows = window.wait("rows", lambda: window.table("IPsec Tunnels")[1] and window.table("IPsec Tunnels"))
    row = dict(zip(names, rows[0]))
    equal("tunnels", len(rows), 1)
    equal("row", (row["Rank"], row["Tunnel"], row["State"], row["Flaps"], row["Down s"]), ("1", "0", "flapping", "1", "12.4"))
    window.close("IPsec Tunnels")


@check
def the_window_of_findings_is_worst_first_and_filters_and_copies(window, _):
    title = "IPsec Findings"
    window.menu("Statistics", title)
    window.wait_window(title)
    names, rows = window.wait("rows", lambda: window.table(title)[1] and window.table(title))
    severity, finding, rank = (names.index(name) for name in ("Severity", "Finding", "Rank"))
    equal("ranks", [row[rank] for row in rows], [str(i + 1) for i in range(len(rows))])
    order = [SEVERITIES.index(row[severity]) for row in rows]
    equal("order of severities", order, sorted(order))
    window.resize(title, 1300, 480)
    window.picture("window-findings", title)
    window.sort_by(title, "Frame")
    frames = [int(row[names.index("Frame")]) for row in window.wait("other order", lambda: sorted_rows(window, title, rows))]
    equal("order of frames", frames, sorted(frames))
    field = window.wait("filter field", lambda: find(window.window(title), "text", "Display filter entry"))
    field.set_text_contents("ipsec.analysis.nat_port_flip")
    window.button(title, "Apply")
    filtered = window.wait("filtered rows", lambda: len(window.table(title)[1]) < len(rows) and window.table(title)[1])
    equal("filtered rows", [row[finding] for row in filtered], ["nat_port_flip"])
    window.button(title, "Copy")
    if shutil.which("xclip"):
        copied = window.wait("text in the clipboard", clipboard)
        true(f"copied: {copied}", "nat_port_flip" in copied and "What happened" in copied)
    window.close(title)


def clipboard():
    return subprocess.run(["xclip", "-o", "-selection", "clipboard"], capture_output=True, text=True, check=False).stdout


def sorted_rows(window, title, before):
    now = window.table(title)[1]
    return now if len(now) == len(before) and now != before else None


@check
def io_graphs_open_with_the_profiles_graphs(window, _):
    window.menu("Statistics", "I/O Graphs")
    dialog = window.wait_window("I/O Graphs")
    names = [cell.get_name() for cell in children(find(dialog, "tree"))]
    window.resize("I/O Graphs", 1100, 760)
    true(f"graphs: {names}", {"ESP low>high", "ESP high>low", "IKE repeated", "Problems"} <= set(names))
    table = find(dialog, "tree")
    for colour in ((0x20, 0x4a, 0x87), (0x4e, 0x9a, 0x06)):
        window.wait(f"curve of colour {colour}", lambda colour=colour: window.has_colour_above("I/O Graphs", table, colour, 50))
    window.picture("window-io-graphs", "I/O Graphs")
    window.close("I/O Graphs")


# ---- Tools > IPsec ----


def report(window):
    return next((text_of(item) for item in walk(window.wait_window("IPsec Report")) if role_of(item) == "text" and
                 item.get_child_count() > 0), "")


@check
def the_report_window_leads_into_the_capture(window, _):
    window.go_to(150)
    window.menu("Tools", "IPsec", "Report")
    window.wait_window("IPsec Report")
    true("no report", "Root cause: nat_port_flip" in report(window))
    window.resize("IPsec Report", 1150, 640)
    window.picture("window-report", "IPsec Report")
    window.button("IPsec Report", "Go to root cause")
    window.wait_frame(ROOT_CAUSE)
    window.button("IPsec Report", "Filter the outage")
    window.wait("filter of the outage", lambda: window.filter_text() == OUTAGE)
    window.filter("")
    window.wait("no filter", lambda: window.displayed() == FRAMES)


@check
def the_report_is_saved(window, options):
    for button, name, beginning in (("Save as text", "r.txt", "IPsec tunnel report"), ("Save as JSON", "r.json", "{"),
                                    ("Save as HTML", "r.html", "<!DOCTYPE html>")):
        path = options.stage / "run" / name
        window.button("IPsec Report", button)
        dialog = window.wait_window("Save the IPsec report")
        field = window.wait("field for the file's name", lambda: find(window.window("Save the IPsec report"), "text"))
        field.set_text_contents(str(path))
        press(find(dialog, "push button", "OK"))
        window.wait_gone("Save the IPsec report")
        window.wait(f"file {name}", lambda path=path: path.exists() and path.stat().st_size > 0)
        true(f"{name} does not begin with {beginning!r}", path.read_text().startswith(beginning))


@check
def preferences_have_a_page_and_redissect(window, _):
    window.menu("Edit", "Preferences")
    window.wait_window("Preferences")
    window.open_preferences_page("IPsec")
    window.picture("window-preferences", "Preferences")
    window.type_into(window.wait("preference", lambda: window.preference("One-way ESP")), "300")
    window.button("Preferences", "OK")
    window.wait_gone("Preferences")
    window.wait("report after the change", lambda: "Root cause: nat_port_flip" in report(window) and "esp_one_way" not in report(window))


@check
def windows_follow_the_capture(window, options):
    window.menu("Statistics", "IPsec Tunnels")
    window.wait_window("IPsec Tunnels")
    window.menu("File", "Close")
    window.wait("empty report", lambda: report(window).startswith(NO_CAPTURE))
    window.open(options.stage / "captures/dpd-loss/capture.pcapng")
    window.wait("report of the other capture", lambda: "dpd_loss" in report(window))
    window.close("IPsec Tunnels")
    window.close("IPsec Report")


@check
def tunnels_are_listed_worst_first(window, options):
    window.open(options.stage / "captures/nat-crowd/capture.pcapng")
    window.menu("Statistics", "IPsec Tunnels")
    window.wait_window("IPsec Tunnels")
    names, rows = window.wait("rows", lambda: window.table("IPsec Tunnels")[1] and window.table("IPsec Tunnels"))
    true(f"{len(rows)} tunnels", len(rows) == 22)
    states = ["down", "flapping", "degraded", "unknown", "healthy"]
    order = [states.index(row[names.index("State")].split(",")[0].split(" ")[0]) for row in rows]
    equal("order of states", order, sorted(order))
    window.resize("IPsec Tunnels", 1420, 480)
    window.picture("window-tunnels", "IPsec Tunnels")
    window.sort_by("IPsec Tunnels", "ESP A>B")
    again = window.wait("other order", lambda: sorted_rows(window, "IPsec Tunnels", rows))
    packets = [int(row[names.index("ESP A>B")]) for row in again]
    true(f"not sorted by number: {packets}", packets in (sorted(packets), sorted(packets, reverse=True)))
    window.close("IPsec Tunnels")


def capture_of_many(options):
    """The capture with many tunnels, or None."""
    path = options.stage / "captures/many.pcap"
    if not path.exists():
        print("    not checked: no generator (--generate)")
        return None
    return path


def apply_filter(window, title, text, rows):
    """Types a filter into a statistics window; waits until it shows so many rows."""
    field = window.wait("filter field", lambda: find(window.window(title), "text", "Display filter entry"))
    field.set_text_contents(text)
    window.button(title, "Apply")
    return window.wait(f"{rows} rows", lambda: len(window.table(title)[1]) == rows and window.table(title)[1])


@check
def many_tunnels_are_listed_worst_first_and_filtered(window, options):
    """Half of the clients in trouble came up again; of the others nothing more is heard, which proves nothing."""
    path = capture_of_many(options)
    if not path:
        return
    title = "IPsec Tunnels"
    window.open(path)
    window.menu("Statistics", title)
    window.wait_window(title)
    names, rows = window.wait("rows", lambda: len(window.table(title)[1]) == MANY and window.table(title))
    rank, state, peer = (names.index(name) for name in ("Rank", "State", "Peer A"))
    equal("ranks", [row[rank] for row in rows], [str(i + 1) for i in range(MANY)])
    half = MANY_TROUBLED // 2
    equal("states", [row[state] for row in rows], ["flapping"] * half + ["unknown"] * half + ["healthy"] * (MANY - 2 * half))
    clients = {row[peer].split(":")[0] for row in rows[:MANY_TROUBLED]}
    equal("clients in trouble", clients, {f"10.0.0.{i + 1}" for i in range(MANY_TROUBLED)})
    one = rows[3]
    equal("filtered", apply_filter(window, title, "ip.addr == " + one[peer].split(":")[0], 1), [one])
    equal("not filtered", apply_filter(window, title, "", MANY), rows)
    window.close(title)


@check
def findings_of_many_tunnels_are_listed_worst_first_and_filtered(window, options):
    if not capture_of_many(options):
        return
    title = "IPsec Findings"
    window.menu("Statistics", title)
    window.wait_window(title)
    names, rows = window.wait("rows", lambda: len(window.table(title)[1]) > MANY_TROUBLED and window.table(title))
    severity, finding, rank, frame = (names.index(name) for name in ("Severity", "Finding", "Rank", "Frame"))
    equal("ranks", [row[rank] for row in rows], [str(i + 1) for i in range(len(rows))])
    order = [SEVERITIES.index(row[severity]) for row in rows]
    equal("order of severities", order, sorted(order))
    kinds = [row[finding] for row in rows]
    half = MANY_TROUBLED // 2
    equal("outages", (kinds.count("dpd_loss"), kinds.count("tunnel_flap")), (half, half))
    equal("retransmissions", kinds.count("retransmission"), MANY_TROUBLED * 4)
    frames = {row[frame] for row in rows if row[finding] == "tunnel_flap"}
    there = [row for row in rows if row[frame] in frames]
    equal("filtered", apply_filter(window, title, "ipsec.analysis.tunnel_flap", len(there)), there)
    window.close(title)


def passes(function, window, options):
    """Runs one check. What goes wrong in it says nothing about the next: the window is tidied."""
    began = time.monotonic()
    try:
        if window.filter_text():
            window.filter("")
        function(window, options)
        print(f"ok      {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        return True
    except Exception as failure:
        print(f"FAILED  {function.__name__} ({time.monotonic() - began:.1f} s): {type(failure).__name__}: {failure}", flush=True)
        traceback.print_exc()
        if options.verbose:
            window.picture(f"failed-{function.__name__}")
            print(*window.describe(), sep="\n    ")
        if window.is_running():
            window.tidy()
        return False


def one_round(options, functions):
    """Runs checks in one Wireshark. Returns those that failed, and whether it ended or complained."""
    failed = []
    with Wireshark(options, "-C", "IPsec", "-r", options.stage / f"captures/{SAMPLE}/capture.pcapng") as window:
        window.wait_capture("capture.pcapng")
        window.maximize()
        for function in functions:
            if not window.is_running():
                failed.append(function)
            elif not passes(function, window, options):
                failed.append(function)
        complaints = [line for line in window.said().splitlines() if re.search(r"ipsec|IPsec|CRITICAL|Sanitizer|profile", line)]
        is_bad = not window.is_running() or bool(complaints)
        if is_bad:
            print("FAILED  Wireshark ended or complained:", *complaints, sep="\n    ")
    return failed, is_bad


def inside(options):
    wanted = [function for function in CHECKS if not options.only or re.search(options.only, function.__name__)]
    try:
        failed, is_bad = one_round(options, wanted)
    except Failure as failure:
        print(f"FAILED  {failure}", flush=True)
        if can_be_driven(options):
            return 1
        print("SKIPPED: Wireshark cannot be driven on this machine, with the plugin or without")
        return SKIPPED
    if failed and options.second_chance and not is_bad:
        print("Once more, in another Wireshark:", *(function.__name__ for function in failed), flush=True)
        failed, is_bad = one_round(options, failed)
    return 1 if failed or is_bad else 0


def more_arguments(parser):
    parser.add_argument("--screenshots", type=pathlib.Path, help="where the pictures for the documents go")
    parser.add_argument("--verbose", action="store_true", help="say what was in the windows when a check failed, with a picture of the screen among the others")
    parser.add_argument("--second-chance", action="store_true", help="checks that fail are made once more, in another Wireshark: what a "
                        "desktop does beside it is not the plugin's doing")
    parser.add_argument("--only", help="only the checks whose name fits this regular expression")
    parser.add_argument("--catalogue", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent.parent / "plugin/engine/findings.def")


if __name__ == "__main__":
    sys.exit(run(__doc__ or "Checks the plugin in the Wireshark window.", inside, more_arguments))
