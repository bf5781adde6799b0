#!/usr/bin/env python3
# memcheck.py - does valgrind find anything that the plugin does wrong with memory, from loading it to the end of the program?
#
#     tests/robustness/memcheck.py --plugin PLUGIN SAMPLE_FOLDER...
#
# Every sample goes through tshark once, in two passes with all details and all reports. Any error that is no leak fails, whoever made it.
# A leak fails if the plugin is on its stack; of the others it says how many there are, with and without the plugin.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import collections
import pathlib
import sys
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
import runner  # noqa: E402

OURS = "ipsec.so"
# Two passes, all details, all reports and both tables.
ARGUMENTS = ("-2", "-V", "-z", "ipsec,report", "-z", "ipsec,report,json", "-z", "ipsec,report,html", "-z", "ipsec,tunnels", "-z", "ipsec,findings")
VALGRIND = ("valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect,possible", "--keep-debuginfo=yes",
            "--num-callers=40", "--child-silent-after-fork=yes", "--xml=yes")
# Pools of GLib and Wireshark hide what is wrong in them: each block is to be one of its own.
ENVIRONMENT = {"G_SLICE": "always-malloc", "WIRESHARK_DEBUG_WMEM_OVERRIDE": "simple"}


def stack(error):
    return [(frame.findtext("obj", ""), frame.findtext("fn", "?"), frame.findtext("file", ""), frame.findtext("line", ""))
            for frame in error.find("stack").findall("frame")]


def is_ours(error):
    return any(pathlib.Path(obj).name == OURS for obj, *_ in stack(error))


def show(error):
    text = error.findtext("what") or error.findtext("xwhat/text")
    lines = [f"    {fn} ({file}:{line})" if file else f"    {fn} [{pathlib.Path(obj).name}]" for obj, fn, file, line in stack(error)[:14]]
    return "\n".join([f"  {error.findtext('kind')}: {text}", *lines])


def errors_of(tshark, log, args, home, plugin=True):
    """The errors that valgrind reports of one run; None: it did not get to its end."""
    tshark.wrapper = [*VALGRIND, f"--xml-file={log}"]
    code, _, err = tshark.run(args, home, plugin)
    if code != 0:
        print(f"tshark {' '.join(map(str, args))}: code {code}\n{err.decode(errors='replace')[-2000:]}")
        return None
    return xml.etree.ElementTree.parse(log).getroot().findall("error")


def main():
    parser = runner.arguments("Runs samples through tshark under valgrind.")
    parser.add_argument("samples", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    failed = 0
    kinds = collections.Counter()
    with runner.Runner(options) as tshark:
        tshark.timeout = 1800
        tshark.environment = ENVIRONMENT
        for number, sample in enumerate(options.samples):
            keys = sample / "keys"
            home = tshark.home(keys if keys.is_dir() else None)
            capture = tshark.capture(sample / "capture.pcapng")
            errors = errors_of(tshark, home / "valgrind.xml", ["-n", "-r", capture, *ARGUMENTS], home)
            bad = [error for error in errors or () if is_ours(error) or not error.findtext("kind").startswith("Leak_")]
            failed += errors is None or bool(bad)
            kinds["leaks of others"] += len(errors or ()) - len(bad)
            kinds["errors"] += len(bad)
            for error in bad:
                print(f"{sample.name}:\n{show(error)}")
            print(f"{number + 1}/{len(options.samples)} {sample.name}: {kinds['errors']} errors so far", flush=True)
        stock = errors_of(tshark, home / "valgrind.xml", ["-n", "-r", capture, "-2", "-V"], home, plugin=False)
    print(f"{len(options.samples)} samples: {failed} with errors; leaks without the plugin on their stack: "
          f"{kinds['leaks of others']}, and in one run without the plugin {len(stock or ())}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
