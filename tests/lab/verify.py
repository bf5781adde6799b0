"""Open a sample in tshark with its keys, as an ordinary user, and count."""

import os
import shutil
import subprocess
import tempfile

import pcapng

FIELDS = ("frame.protocols", "isakmp.typepayload", "isakmp.enc.data", "isakmp.enc.decrypted",
          "esp.spi", "esp.decrypted_data", "esp.icv_good", "esp.icv_bad",
          "_ws.malformed", "isakmp.flag_e", "isakmp.version", "isakmp.exchangetype")
IKE_INTERMEDIATE = "43"      # has keys of its own, which the tables do not hold


def verify(folder):
    """{file name: counts} of the captures of one sample."""
    version = subprocess.run(["tshark", "--version"], text=True,
                             capture_output=True).stdout.split()[2]
    major, minor = (int(part) for part in version.split(".")[:2])
    keys = os.path.join(folder, "keys", "ws44" if (major, minor) >= (4, 4) else "")
    result = {}
    with tempfile.TemporaryDirectory(prefix="iplv") as home:
        config = os.path.join(home, "config")
        os.mkdir(config)
        for name in ("esp_sa", "ikev1_decryption_table", "ikev2_decryption_table",
                     "preferences"):
            shutil.copy(os.path.join(keys, name), config)
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".pcapng"):
                continue
            shutil.copy(os.path.join(folder, name), home)
            subprocess.run(["chmod", "-R", "a+rwX", home], check=True)
            # OpenVPN takes what a NAT maps to its port (hidden-by-dissector).
            argv = ["tshark", "-n", "--disable-protocol", "openvpn", "-r", os.path.join(home, name), "-T", "fields",
                    "-E", "occurrence=a", "-o", "esp.enable_encryption_decode:TRUE",
                    "-o", "esp.enable_authentication_check:TRUE"]
            for field in FIELDS:
                argv += ["-e", field]
            done = subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                 "HOME=" + home, "WIRESHARK_CONFIG_DIR=" + config] + argv,
                text=True, capture_output=True)
            if done.returncode:
                raise RuntimeError(done.stderr.strip())
            result[name] = _count(done.stdout, os.path.join(folder, name))
    return result


def _count(text, path):
    stamps = [stamp for stamp, _ in pcapng.read(path)[1]]
    n = dict.fromkeys(("isakmp", "ike_encrypted", "ike_decrypted", "esp",
                       "esp_decrypted", "esp_icv_good", "esp_icv_bad", "malformed"), 0)
    for line in text.splitlines():
        cell = dict(zip(FIELDS, line.split("\t")))
        layers = cell["frame.protocols"].split(":")
        if "icmp" in layers[:5] and "esp" not in layers[:5]:
            continue                     # an ICMP error that quotes the tunnel
        n["isakmp"] += "isakmp" in layers
        if cell["isakmp.exchangetype"] == IKE_INTERMEDIATE:
            continue
        if cell["isakmp.enc.data"] or cell["isakmp.flag_e"] in ("1", "True"):
            n["ike_encrypted"] += 1
            # IKEv1: payloads are seen at all only where decryption worked.
            n["ike_decrypted"] += bool(cell["isakmp.enc.decrypted"]
                                       or cell["isakmp.version"].startswith(("1", "0x10"))
                                       and cell["isakmp.typepayload"])
        if cell["esp.spi"]:
            n["esp"] += 1
            n["esp_decrypted"] += bool(cell["esp.decrypted_data"]) or "icmp" in layers
            n["esp_icv_good"] += cell["esp.icv_good"] in ("1", "True")
            n["esp_icv_bad"] += cell["esp.icv_bad"] in ("1", "True")
        n["malformed"] += bool(cell["_ws.malformed"])
    return {"packets": len(stamps), "duration": round((stamps[-1] - stamps[0]) / 1e9, 1),
            "first": stamps[0] / 1e9, "last": stamps[-1] / 1e9, **n}


def complete(counts):
    return (counts["ike_encrypted"] == counts["ike_decrypted"]
            and counts["esp"] == counts["esp_decrypted"] == counts["esp_icv_good"])
