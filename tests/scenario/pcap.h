/* pcap.h - writes a played story as a capture file, so that Wireshark can read the same packets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_PCAP_H
#define SCENARIO_PCAP_H

#include "distort.h"

/* Nanosecond pcap, Ethernet. IPv4 only. False after complaining. */
bool pcap_write(const char *file, const GArray *views);

#endif
