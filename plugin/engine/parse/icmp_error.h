/* icmp_error.h - an ICMP or ICMPv6 error: what it reports, and of which packet (RFC 792, RFC 4443 3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_ICMP_ERROR_H
#define IPSEC_ENGINE_ICMP_ERROR_H

#include "engine/parse/ip_packet.h"

typedef struct {
    uint8_t type, code;
    uint32_t mtu;       /* of the next hop, where the packet did not fit (RFC 1191 4, RFC 4443 3.2); 0: not said */
    ip_packet_t quoted; /* its payload is borrowed */
} icmp_error_t;

/* Is it one of the types that report an error? */
bool icmp_is_error(address_family_t family, uint8_t type);

/* `bytes`: from the ICMP header on. False: no error message (an echo, a redirect), or what it quotes cannot be read. */
G_GNUC_WARN_UNUSED_RESULT bool icmp_error_read(address_family_t family, const uint8_t *bytes, size_t captured,
                                               icmp_error_t *ret_error);

/* What an error says about the packet that it quotes. */
typedef enum {
    ICMP_NO_ROUTE,       /* the network or host cannot be reached */
    ICMP_NOT_LISTENING,  /* port or protocol unreachable */
    ICMP_PROHIBITED,     /* a filter on the way */
    ICMP_TOO_BIG,        /* and it may not be fragmented; smaller ones get through */
    ICMP_LOOP,           /* its hops ran out */
    ICMP_PIECES_MISSING, /* its fragments did not all arrive */
    ICMP_OTHER,
} icmp_meaning_t;

icmp_meaning_t icmp_meaning(address_family_t family, uint8_t type, uint8_t code);

/* "port unreachable", "fragmentation needed"; static. */
const char *icmp_words(address_family_t family, uint8_t type, uint8_t code);

/* Does an error of this meaning say that nothing at all gets through to where the quoted packet was sent? */
bool icmp_meaning_is_undeliverable(icmp_meaning_t meaning);

#endif
