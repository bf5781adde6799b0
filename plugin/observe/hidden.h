/* hidden.h - which UDP packet of port 4500 has another dissector taken for its own?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_HIDDEN_H
#define IPSEC_OBSERVE_HIDDEN_H

#include "compat.h"

#include "engine/packet.h"
#include "engine/parse/ip_packet.h"

/* A UDP payload to or from port 4500: addresses, ports and bytes of `packet` are set, its kind is not known yet. */
typedef struct {
    packet_t packet;
} hidden_t;

/* False: no whole UDP datagram to or from port 4500. */
bool hidden_in_packet(const ip_packet_t *packet, hidden_t *ret_hidden);

/* The same for the frame's innermost IPv6 header. Wireshark does not say where that is: it is looked for. */
bool hidden_in_ipv6(tvbuff_t *frame, const packet_info *pinfo, hidden_t *ret_hidden);

/* The filter name of the protocol as which Wireshark shows what is in this UDP packet; NULL: none. Static. */
const char *hidden_protocol(const packet_info *pinfo, const packet_t *packet);

#endif
