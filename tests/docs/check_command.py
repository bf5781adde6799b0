#!/usr/bin/env python3
# check_command.py - does ./ipsec-report do what its help says, and say in one line what it cannot do?
#
# SPDX-License-Identifier: GPL-2.0-or-later
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLIP = ROOT / "sample-pcaps/nat-port-flip"
PFS = ROOT / "sample-pcaps/pfs-mismatch"
USAGE, FAILURE = 2, 1


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ipsec-command-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, *words):
        return subprocess.run([ROOT / "ipsec-report", *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)

    def refused(self, code, *words):
        done = self.call(*words)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (code, "", 1), done)
        self.assertEqual(list(self.folder.iterdir()), [])
        return done.stderr

    def test_wrong_words(self):
        capture = FLIP / "capture.pcapng"
        self.refused(USAGE, "--json", "--html", capture)
        self.refused(USAGE, "--output", "page.html", capture)
        self.refused(USAGE, "--html", "--output", "page.html", capture, capture)
        self.refused(USAGE, "--text", capture)
        self.refused(USAGE, capture, "--output")

    def test_not_there(self):
        self.assertIn("no-such.pcapng", self.refused(FAILURE, "no-such.pcapng"))
        self.assertIn(str(ROOT), self.refused(FAILURE, ROOT))
        self.refused(FAILURE, "--keys", FLIP, FLIP / "capture.pcapng")
        self.refused(FAILURE, "--html", "--output", "no-such-folder/page.html", FLIP / "capture.pcapng")

    def test_text_of_several(self):
        done = self.call(FLIP / "capture.pcapng", PFS / "capture.pcapng")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        first, second = done.stdout.split(str(PFS / "capture.pcapng"))
        self.assertIn("Root cause: nat_port_flip", first)
        self.assertIn("Root cause: pfs_mismatch", second)

    def test_without_a_capture(self):
        self.assertEqual(self.call().stdout, self.call(FLIP / "capture.pcapng").stdout)

    def test_json_and_keys(self):
        """Identities are encrypted: only with keys they are there. Options may follow the capture."""
        for words, identities in (([], 0), (["--keys", FLIP / "keys"], 2)):
            done = self.call(FLIP / "capture.pcapng", "--json", *words)
            (tunnel,) = json.loads(done.stdout)["tunnels"]
            self.assertEqual(sum(bool(peer["identity"]) for peer in tunnel["peers"]), identities)

    def test_pages(self):
        done = self.call("--html", FLIP / "capture.pcapng", PFS / "capture.pcapng")
        names = ["capture-ipsec-report.html", "capture-ipsec-report-2.html"]
        self.assertEqual((done.returncode, done.stdout.split()), (0, names))
        for name, finding in zip(names, ("nat_port_flip", "pfs_mismatch")):
            self.assertIn(finding, (self.folder / name).read_text())
        self.call("--html", "--output=page.html", FLIP / "capture.pcapng")
        self.assertTrue((self.folder / "page.html").read_text().endswith("</html>\n"))

    def test_cut_short(self):
        """What can be read of a damaged capture is reported, and that it is damaged; the others are read all the same."""
        cut = self.folder / "cut.pcapng"
        cut.write_bytes((PFS / "capture.pcapng").read_bytes()[:-20])
        done = self.call(cut, FLIP / "capture.pcapng")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("could not read all of " + str(cut), done.stderr)
        self.assertIn("pfs_mismatch", done.stdout)
        self.assertIn("nat_port_flip", done.stdout)


if __name__ == "__main__":
    sys.exit(unittest.main())
