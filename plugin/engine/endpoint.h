/* endpoint.h - an IP address and a port as seen at the capture point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_ENDPOINT_H
#define IPSEC_ENGINE_ENDPOINT_H

#include "engine/base.h"

#include <glib.h>
#include <string.h>

typedef enum { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 } address_family_t;

/* Every byte has a meaning or is zero, so that endpoints can be compared and hashed as bytes: every packet is. */
typedef struct {
    uint8_t address[16]; /* network order; 4 bytes used for IPv4, the others are zero */
    uint16_t port;       /* UDP or TCP port, host order; 0 for native ESP (IP protocol 50) */
    uint8_t family;      /* address_family_t */
    uint8_t unused;      /* 0: there would be a byte of padding */
} endpoint_t;

_Static_assert(sizeof(endpoint_t) == 20, "padding would be compared");

#define ENDPOINT_TEXT_MAX 56 /* "[ipv6]:port" and a zero */

/* `address`: as many bytes as the family has (4 or 16), in network order. */
static inline endpoint_t
endpoint_from_bytes(address_family_t family, const uint8_t *address, uint16_t port)
{
    endpoint_t endpoint = { .family = (uint8_t)family, .port = port };

    memcpy(endpoint.address, address, family == ADDRESS_IPV4 ? 4 : 16);
    return endpoint;
}

static inline bool
endpoint_same_address(const endpoint_t *a, const endpoint_t *b)
{
    return a->family == b->family && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static inline bool
endpoint_equal(const endpoint_t *a, const endpoint_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* Of the family and the address; and with the port, which one peer may change. */
unsigned endpoint_address_hash(const endpoint_t *endpoint);
unsigned endpoint_hash(const endpoint_t *endpoint);

/* Is it an address that the Internet does not route: RFC 1918, RFC 6598 (carriers' NAT), RFC 4193, link-local? */
bool endpoint_is_private(const endpoint_t *endpoint);

/* Reads an address alone, "192.0.2.1" or "2001:db8::1" (RFC 4291 2.2), of `length` characters; its port is 0. False: it is none. */
bool endpoint_read_address(const char *text, size_t length, endpoint_t *ret_endpoint);

/* Writes "192.0.2.1:4500", "[2001:db8::1]:4500" or, without a port, the address alone. Returns `buffer`. */
const char *endpoint_text(const endpoint_t *endpoint, char buffer[ENDPOINT_TEXT_MAX]);

/* Writes the address alone. Returns `buffer`. */
const char *endpoint_address_text(const endpoint_t *endpoint, char buffer[ENDPOINT_TEXT_MAX]);

#endif
