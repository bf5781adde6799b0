/* ipv4.h - an IPv4 header that no dissector hands on (RFC 791 3.1)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_IPV4_H
#define IPSEC_OBSERVE_IPV4_H

#include "compat.h"

#include "engine/endpoint.h"

enum { IPV4_PROTOCOL_ICMP = 1, IPV4_PROTOCOL_UDP = 17, UDP_HEADER_LENGTH = 8 };

/* `payload` is borrowed. */
typedef struct {
    endpoint_t source, destination; /* port 0 */
    uint8_t protocol;
    uint8_t hop_limit;
    bool is_first_fragment; /* more follow */
    bool is_later_fragment;
    const uint8_t *payload;
    size_t captured; /* bytes of the payload present, never more than the header says */
} ipv4_t;

/* `left`: bytes from the header's beginning to the end of what was captured. False: no IPv4 header. */
bool ipv4_read(const uint8_t *header, size_t left, ipv4_t *ret_ipv4);

/* The innermost IPv4 header of a frame, outside of what ICMP quotes. `frame` is the whole frame. False: none, or it was put together
 * from fragments. */
bool ipv4_of_frame(tvbuff_t *frame, const packet_info *pinfo, ipv4_t *ret_ipv4);

/* A number of two bytes in network order. */
uint16_t ipv4_number(const uint8_t *bytes);

#endif
