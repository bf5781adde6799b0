"""Certificates of a run: a CA of its own and one certificate for each host."""

import os
import subprocess

RSA_BITS = 3072        # a certificate of its own fills one packet
SUBJECT = "C=ZZ, O=Example Organisation, CN="


def _pki(*argv):
    done = subprocess.run(("pki",) + argv + ("--outform", "pem"), capture_output=True)
    if done.returncode:
        raise RuntimeError("pki %s: %s" % (argv[0], done.stderr.decode().strip()))
    return done.stdout


def _write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)
    return path


def make(folder, hosts):
    """hosts: {folder of the host's charon: its name}. swanctl finds own.pem and ca.pem there."""
    ca_key = _write(os.path.join(folder, "ca-key.pem"),
                    _pki("--gen", "--type", "rsa", "--size", str(RSA_BITS)))
    ca = _pki("--self", "--ca", "--type", "rsa", "--in", ca_key, "--dn", SUBJECT + "Example CA")
    ca_file = _write(os.path.join(folder, "ca.pem"), ca)
    for where, name in hosts.items():
        key = _write(os.path.join(where, "private", "own.pem"),
                     _pki("--gen", "--type", "rsa", "--size", str(RSA_BITS)))
        _write(os.path.join(where, "x509", "own.pem"),
               _pki("--issue", "--type", "priv", "--in", key, "--cacert", ca_file, "--cakey",
                    ca_key, "--dn", SUBJECT + name, "--san", name))
        _write(os.path.join(where, "x509ca", "ca.pem"), ca)
