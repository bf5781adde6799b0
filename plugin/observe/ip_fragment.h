/* ip_fragment.h - does this frame hold the first IP fragment of a UDP datagram that nobody put together?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_IP_FRAGMENT_H
#define IPSEC_OBSERVE_IP_FRAGMENT_H

#include "compat.h"

/* Borrowed from the frame. */
typedef struct {
    uint16_t source_port, destination_port;
    const uint8_t *payload; /* of UDP */
    size_t captured;        /* bytes of it in this fragment */
    size_t reported;        /* bytes of it in the whole datagram */
} ip_fragment_t;

/* IPv4 only: of IPv6 Wireshark does not tell where its header is. `frame` is the whole frame. */
bool ip_fragment_find(tvbuff_t *frame, const packet_info *pinfo, ip_fragment_t *ret_fragment);

#endif
