"""What the lab needs from the machine, checked before anything is touched."""

import os
import shutil

CHARON = "/usr/lib/ipsec/charon"
STRONGSWAN6 = "LAB_STRONGSWAN6"      # a root folder with strongSwan 6 (environment)
TOOLS = ("ip", "nft", "sysctl", "conntrack", "ethtool", "ping", "swanctl", "pki", "dumpcap",
         "tshark", "unshare", "setpriv")
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}


def strongswan6():
    """The root folder of a system with strongSwan 6, or None."""
    root = os.environ.get(STRONGSWAN6, "")
    return root if root and os.access(root + CHARON, os.X_OK) else None


def missing():
    """Return a list of the things that are missing (empty: the lab can run)."""
    lacks = []
    if os.geteuid() != 0:
        lacks.append("root")
    with open("/proc/self/status") as status:
        effective = next(int(line.split()[1], 16) for line in status
                         if line.startswith("CapEff:"))
    lacks += [name for name, bit in CAPABILITIES.items()
              if not effective >> bit & 1]
    if not os.path.exists("/dev/net/tun"):
        lacks.append("/dev/net/tun")
    if not os.access(CHARON, os.X_OK):
        lacks.append(CHARON)
    elif not os.path.exists("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so"):
        lacks.append("strongSwan plugin kernel-libipsec")
    lacks += [tool for tool in TOOLS if not shutil.which(tool)]
    return lacks
