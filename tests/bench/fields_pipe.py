#!/usr/bin/env python3
# fields_pipe.py - what would the same input cost a script behind "tshark -T fields"? Counts packets per SA; for bench.py only.
#
# SPDX-License-Identifier: GPL-2.0-or-later
import sys

FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "esp.spi", "esp.sequence", "isakmp.ispi",
          "isakmp.messageid", "isakmp.exchangetype", "isakmp.flags"]


def main():
    seen = {}
    for line in sys.stdin:
        value = line.rstrip("\n").split("\t")
        sa = seen.setdefault(tuple(value[1:6]), [0, 0, 0.0])
        sa[0] += 1
        sa[1] = max(sa[1], int(value[6])) if value[6].isdigit() else sa[1]
        sa[2] = float(value[0])
    print(len(seen))


if __name__ == "__main__":
    main()
