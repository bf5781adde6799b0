/* wire.h - lengths and numbers of the headers around IPsec, as they are on the wire.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_WIRE_H
#define IPSEC_ENGINE_WIRE_H

#include <stdint.h>

/* Bytes. */
enum {
    IPV4_HEADER_LENGTH = 20, /* RFC 791 3.1, without options */
    IPV6_HEADER_LENGTH = 40, /* RFC 8200 3, without extension headers */
    UDP_HEADER_LENGTH = 8,
    NON_ESP_MARKER_LENGTH = 4, /* RFC 3948 2.2, RFC 9329 3.1: zeros tell IKE from ESP */
    IKE_HEADER_LENGTH = 28,    /* RFC 7296 3.1, RFC 2408 3.1 */
    SPI_LENGTH = 4,
    ESP_HEADER_LENGTH = 8, /* RFC 4303 2: SPI and sequence number */
};

enum {
    PORT_IKE = 500,
    PORT_NAT_TRAVERSAL = 4500, /* RFC 3948 2.1; in TCP RFC 9329 5 */
};

enum { SPI_RESERVED_MAX = 255 }; /* RFC 4303 2.1: never negotiated, but manual keys use them */

/* The two bytes at `bytes` in network order. */
static inline uint16_t
wire_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Network order. There must be four bytes: where they may be missing, read with a cursor (parse/cursor.h). */
static inline uint32_t
wire_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
