#!/usr/bin/env python3
"""Make the sample captures with real strongSwan daemons on one machine.

    lab.py list
    lab.py run NAME... [--out DIR]
    lab.py run --all [--jobs N] [--out DIR]

Exit status: 0 all made (or skipped, one line says why), 1 something failed, 77
this machine cannot run it. LAB_STRONGSWAN6=FOLDER: a root folder with
strongSwan 6, for the samples that need it.
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
SAMPLES = os.path.normpath(os.path.join(HERE, "..", "..", "sample-pcaps"))


def names():
    return sorted(f[:-3].replace("_", "-") for f in os.listdir(os.path.join(HERE, "scenarios"))
                  if f.endswith(".py") and not f.startswith("_"))


def scenario(name):
    return importlib.import_module("scenarios." + name.replace("-", "_"))


def run_one(name, out):
    import need
    from session import Session
    from verify import complete
    if getattr(scenario(name), "STRONGSWAN6", False) and not need.strongswan6():
        print("%s: skipped, %s names no root folder with strongSwan 6" % (name, need.STRONGSWAN6))
        return 77
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.makedirs(out, exist_ok=True)
    try:
        stats, counts = Session(name, scenario(name), out).run()
    except KeyboardInterrupt:
        print("%s: interrupted, tidied up" % name)
        return 130
    except RuntimeError as problem:
        print("%s: FAILED: %s" % (name, problem))
        return 1
    good = all(complete(c) for c in counts.values())
    for file, c in sorted(counts.items()):
        print("%s: %s %d packets, %.0f s, IKE decrypted %d/%d, ESP decrypted %d/%d, "
              "ICV good %d%s" % (name, file, c["packets"], c["duration"], c["ike_decrypted"],
                                 c["ike_encrypted"], c["esp_decrypted"], c["esp"],
                                 c["esp_icv_good"], "" if complete(c) else "  INCOMPLETE"))
    sys.stdout.flush()
    return 0 if good else 1


def run_many(wanted, out, jobs):
    """Each scenario in a process of its own: Ctrl-C reaches every one of them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    waiting, running, status = list(wanted), {}, 0
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                running[name] = subprocess.Popen(
                    [sys.executable, os.path.abspath(__file__), "run", name, "--out", out])
            for name, child in list(running.items()):
                if child.poll() is not None:
                    del running[name]
                    status = status or (child.returncode if child.returncode != 77 else 0)
            time.sleep(0.1)
    except KeyboardInterrupt:
        status = 130
    finally:
        for child in running.values():
            if status != 130:
                child.terminate()
            child.wait()
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names and what they show")
    run = commands.add_parser("run", help="make samples")
    run.add_argument("names", nargs="*", metavar="NAME")
    run.add_argument("--all", action="store_true")
    run.add_argument("--jobs", type=int, default=2)
    run.add_argument("--out", default=SAMPLES)
    options = parser.parse_args()
    if options.command == "list":
        for name in names():
            print("%-26s %s" % (name, scenario(name).__doc__.strip().splitlines()[0]))
        return 0
    wanted = names() if options.all else options.names
    unknown = [name for name in wanted if name not in names()]
    if unknown or not wanted:
        parser.error("no such scenario: %s" % " ".join(unknown) if unknown
                     else "name a scenario, or --all")
    import need
    lacks = need.missing()
    if lacks:
        print("lab: skipped, this machine lacks: %s (packages: tests/lab/packages.txt)"
              % ", ".join(lacks))
        return 77
    if len(wanted) == 1:
        return run_one(wanted[0], options.out)
    return run_many(wanted, options.out, options.jobs)


if __name__ == "__main__":
    sys.exit(main())
