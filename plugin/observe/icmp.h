/* icmp.h - which ICMP error quotes this packet, and who sent it?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_ICMP_H
#define IPSEC_OBSERVE_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observe/ipv4.h"

typedef struct {
    endpoint_t reporter;
    uint8_t type, code;
} icmp_error_t;

/* Looks back from a quoted packet to the ICMP or ICMPv6 header before it.
 *   bytes, length      the data that hold both, from their beginning
 *   quoted             where the quoted packet's payload of IP begins (ESP or UDP header)
 *   source             the quoted packet's source, to tell its IP header from bytes that look like one
 * False when no consistent chain of headers is found; `ret_error` is then untouched. */
bool icmp_error_find(const uint8_t *bytes, size_t length, size_t quoted, const endpoint_t *source, icmp_error_t *ret_error);

/* The ports of a datagram of which an ICMP error quotes no more. */
typedef struct {
    icmp_error_t error;
    endpoint_t source, destination;
} icmp_bare_quote_t;

/* Does this ICMP error quote the IPv4 and the UDP header only (RFC 792 asks for no more), so that no dissector saw a payload? */
bool icmp_bare_quote_read(const ipv4_t *ipv4, icmp_bare_quote_t *ret_quote);

#endif
