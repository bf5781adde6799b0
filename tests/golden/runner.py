# runner.py - how is tshark run with this plugin, the same way whoever runs the tests?
#
# Wireshark ignores plugins outside its own folder for root: as root, tshark runs as nobody. That user may not be able to read
# the checkout, so plugin, capture and configuration are copied to a folder that everybody can read.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import argparse
import os
import pathlib
import shutil
import subprocess
import tempfile

NOBODY = 65534
TIMEOUT = 180


def arguments(description):
    """The command line that all checks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--plugin", required=True, type=pathlib.Path, help="the plugin, in a folder M.m/epan")
    parser.add_argument("--tshark", default="tshark")
    parser.add_argument("--preload", default="", help="library to load before all others (AddressSanitizer)")
    return parser


class Runner:
    """A folder of its own with the plugin in it; to be used in a with statement."""

    def __init__(self, options):
        self.tshark = options.tshark
        self.preload = options.preload
        self.wrapper = []  # a command that runs tshark: valgrind, prlimit
        self.environment = {}  # more of it, or other values
        self.timeout = TIMEOUT
        self.series = options.plugin.resolve().parent.parent.name
        self.version = tuple(int(part) for part in self.series.split("."))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ipsec-golden-"))
        self.folder.chmod(0o755)
        for name in ("with", "without", "homes", "captures"):
            (self.folder / name / self.series / "epan").mkdir(parents=True)
        shutil.copy(options.plugin, self.folder / "with" / self.series / "epan")
        self.homes = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def put_beside_others(self):
        """Makes a third folder of plugins, "beside": this one among those that come with this Wireshark."""
        folders = subprocess.run([self.tshark, "-G", "folders"], capture_output=True, text=True, check=True).stdout
        others = next(line.split("\t", 1)[1].strip() for line in folders.splitlines() if line.startswith("Global Plugins:"))
        shutil.copytree(self.folder / "with", self.folder / "beside")
        shutil.copytree(others, self.folder / "beside" / self.series, dirs_exist_ok=True)

    def capture(self, path):
        """A copy of a capture that tshark can read."""
        copy = self.folder / "captures" / path.name
        shutil.copyfile(path, copy)
        copy.chmod(0o644)
        return copy

    def write(self, name, content):
        """A capture made of bytes."""
        path = self.folder / "captures" / name
        path.write_bytes(content)
        path.chmod(0o644)
        return path

    def with_keys(self, folders):
        """The captures of those folders that have keys: (name, copy, folder of the keys)."""
        for folder in folders:
            if (folder / "keys").is_dir():
                for path in sorted(folder.glob("capture*.pcapng")):
                    yield f"{folder.name}/{path.name}", self.capture(path), folder / "keys"

    def home(self, keys=None):
        """A home folder with a fresh configuration, and the decryption keys of a folder in it."""
        self.homes += 1
        home = self.folder / "homes" / str(self.homes)
        profile = home / ".config/wireshark"
        profile.mkdir(parents=True)
        if keys:
            newer = keys / "ws44"
            for item in (newer if newer.is_dir() and self.version >= (4, 4) else keys).iterdir():
                if item.is_file():
                    shutil.copy(item, profile)
        for path in (home, *home.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o644)
        return home

    def run(self, args, home, plugin=True, plugins="with"):
        """Returns (exit code, standard output, standard error), the outputs as bytes. `plugins` is the folder with them."""
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "WIRESHARK_PLUGIN_DIR": str(self.folder / (plugins if plugin else "without")),
            "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        }
        if self.preload and plugin:
            environment["LD_PRELOAD"] = self.preload
        environment.update(self.environment)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run([*self.wrapper, self.tshark, *map(str, args)], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=self.timeout, check=False, **user)
        return done.returncode, done.stdout, done.stderr

    def output(self, args, home=None, plugin=True):
        """What it prints, as text; by default with a fresh configuration. Raises RuntimeError if it fails."""
        code, out, err = self.run(args, home or self.home(), plugin)
        if code != 0:
            raise RuntimeError(err.decode(errors="replace"))
        return out.decode()
