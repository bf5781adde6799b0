"""One gateway cuts HMAC-SHA2-256 to 96 bits, the other to 128.

Both agree on AES-CBC and HMAC-SHA2-256-128. The tunnel is up, both send pings of several sizes, and each drops all
that it gets (here a firewall before each does). No NAT.

The lab's data plane cannot cut to 96 bits, so the headend's captured ESP packets lose the last four bytes of their
ICV afterwards: just so it would have sent them."""

import struct
import subprocess

import pcapng
import topology
from native import checksum

NAT = False
SIZES = (16, 40, 56, 72, 90, 120, 200)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
HEADEND = bytes(map(int, topology.V4["b"].split(".")))
CUT = 4
IP_AT, IP_LENGTH_AT, IP_CHECKSUM_AT, UDP_AT = 14, 16, 24, 34      # no IP options here


def rewrite(frame):
    if pcapng.esp_spi(frame) is None or frame[26:30] != HEADEND:
        return frame
    cut = bytearray(frame[:-CUT])
    for at in (IP_LENGTH_AT, UDP_AT + 4):
        cut[at:at + 2] = struct.pack("!H", struct.unpack_from("!H", cut, at)[0] - CUT)
    cut[UDP_AT + 6:UDP_AT + 8] = b"\0\0"
    cut[IP_CHECKSUM_AT:IP_CHECKSUM_AT + 2] = b"\0\0"
    cut[IP_CHECKSUM_AT:IP_CHECKSUM_AT + 2] = struct.pack("!H", checksum(bytes(cut[IP_AT:UDP_AT])))
    return bytes(cut)


def run(lab):
    lab.both()
    lab.initiate()
    rules = [lab.top.drop("a", "rx", "udp sport 4500 " + topology.ESP_ONLY),
             lab.top.drop("b", "rx", "udp sport 4500 " + topology.ESP_ONLY)]
    start = lab.event("traffic-start", sizes=SIZES, frm="both")
    for size in SIZES:
        for host, own, other in (("a", topology.HOST_A, topology.HOST_B), ("b", topology.HOST_B, topology.HOST_A)):
            ping = lab.top.start(host, "ping", "-n", "-q", "-c", "2", "-i", "0.3", "-W", "1", "-s", str(size), "-I", own,
                                 other, **QUIET)
            ping.wait(10)
    lab.event("packets-dropped", packets=sum(map(lab.top.drops, rules)))
    lab.capture_stop()
    lab.expect("esp_icv_mismatch", "warn", start, None, "the client's packets end in 128 bits, the headend's in 96")
    lab.healthy("IKE is answered at once, ESP flows both ways", but=("esp_icv_mismatch",))
    lab.notes.append("The headend's ESP had an ICV of 128 bits on the wire; the last four bytes were taken out of the "
                     "capture (lengths and checksums made right)")
