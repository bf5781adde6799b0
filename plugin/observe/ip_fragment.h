/* ip_fragment.h - is this the first IP fragment of a UDP datagram that nobody put together?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_IP_FRAGMENT_H
#define IPSEC_OBSERVE_IP_FRAGMENT_H

#include "observe/ipv4.h"

/* `payload` is borrowed from the frame. */
typedef struct {
    endpoint_t source, destination;
    const uint8_t *payload; /* of UDP */
    size_t captured;        /* bytes of it in this fragment */
    size_t reported;        /* bytes of it in the whole datagram */
} ip_fragment_t;

/* IPv4 only: of IPv6 Wireshark does not tell where its header is. */
bool ip_fragment_read(const ipv4_t *ipv4, ip_fragment_t *ret_fragment);

#endif
