/* icmp.c - which ICMP error quotes this packet, and who sent it?
 *
 * Wireshark tells a dissector that it sees a quoted packet, but not by which error: the ICMP header is looked for right before
 * the quoted IP header, and the reporter's address right before that (RFC 792, RFC 4443 2.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/icmp.h"

#include <string.h>

enum {
    ICMP_HEADER = 8,
    IPV4_HEADER_MIN = 20,
    IPV4_HEADER_MAX = 60,
    IPV6_HEADER = 40,
    IPV6_EXTENSIONS_MAX = 256, /* how far before its payload an IPv6 header is looked for */
    PROTOCOL_ICMPV6 = 58,
};

static bool
is_icmp_error(uint8_t type)
{
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; /* RFC 792 */
}

static bool
is_icmpv6_error(uint8_t type)
{
    return type >= 1 && type <= 4; /* RFC 4443 2.1 */
}

static bool
is_ipv4_header(const uint8_t *header, size_t size)
{
    return header[0] == (0x40 | (size / 4));
}

/* The beginning of the IPv4 header that ends at `end`; `end` itself when there is none. `protocol` 0 and `source` NULL: any. */
static size_t
ipv4_header_before(const uint8_t *bytes, size_t end, uint8_t protocol, const endpoint_t *source)
{
    for (size_t size = IPV4_HEADER_MIN; size <= IPV4_HEADER_MAX && size <= end; size += 4) {
        const uint8_t *header = bytes + end - size;

        if (!is_ipv4_header(header, size))
            continue;
        if (protocol && header[9] != protocol)
            continue;
        if (source && memcmp(header + 12, source->address, 4) != 0)
            continue;
        return end - size;
    }
    return end;
}

/* As above for IPv6, with extension headers between the header and `end`. */
static size_t
ipv6_header_before(const uint8_t *bytes, size_t end, uint8_t next_header, const endpoint_t *source)
{
    for (size_t size = IPV6_HEADER; size <= IPV6_HEADER + IPV6_EXTENSIONS_MAX && size <= end; size += 8) {
        const uint8_t *header = bytes + end - size;

        if ((header[0] & 0xf0) != 0x60)
            continue;
        if (next_header && size == IPV6_HEADER && header[6] != next_header)
            continue;
        if (source && memcmp(header + 8, source->address, 16) != 0)
            continue;
        return end - size;
    }
    return end;
}

static bool
icmpv4_find(const uint8_t *bytes, size_t quoted, const endpoint_t *source, icmp_error_t *ret_error)
{
    const size_t inner = ipv4_header_before(bytes, quoted, 0, source);
    size_t icmp, outer;

    if (inner == quoted || inner < ICMP_HEADER)
        return false;
    icmp = inner - ICMP_HEADER;
    outer = ipv4_header_before(bytes, icmp, IPV4_PROTOCOL_ICMP, NULL);
    if (outer == icmp || !is_icmp_error(bytes[icmp]))
        return false;
    *ret_error = (icmp_error_t){ .reporter = endpoint_from_bytes(ADDRESS_IPV4, bytes + outer + 12, 0),
                                 .type = bytes[icmp],
                                 .code = bytes[icmp + 1] };
    return true;
}

static bool
icmpv6_find(const uint8_t *bytes, size_t quoted, const endpoint_t *source, icmp_error_t *ret_error)
{
    const size_t inner = ipv6_header_before(bytes, quoted, 0, source);
    size_t icmp, outer;

    if (inner == quoted || inner < ICMP_HEADER)
        return false;
    icmp = inner - ICMP_HEADER;
    outer = ipv6_header_before(bytes, icmp, PROTOCOL_ICMPV6, NULL);
    if (outer == icmp || !is_icmpv6_error(bytes[icmp]))
        return false;
    *ret_error = (icmp_error_t){ .reporter = endpoint_from_bytes(ADDRESS_IPV6, bytes + outer + 8, 0),
                                 .type = bytes[icmp],
                                 .code = bytes[icmp + 1] };
    return true;
}

bool
icmp_error_find(const uint8_t *bytes, size_t length, size_t quoted, const endpoint_t *source, icmp_error_t *ret_error)
{
    if (quoted > length)
        return false;
    if (source->family == ADDRESS_IPV6)
        return icmpv6_find(bytes, quoted, source, ret_error);
    return icmpv4_find(bytes, quoted, source, ret_error);
}

bool
icmp_bare_quote_read(const ipv4_t *ipv4, icmp_bare_quote_t *ret_quote)
{
    ipv4_t quoted;

    if (ipv4->protocol != IPV4_PROTOCOL_ICMP || ipv4->is_first_fragment || ipv4->is_later_fragment ||
        ipv4->captured < ICMP_HEADER || !is_icmp_error(ipv4->payload[0]) ||
        !ipv4_read(ipv4->payload + ICMP_HEADER, ipv4->captured - ICMP_HEADER, &quoted) || quoted.protocol != IPV4_PROTOCOL_UDP ||
        quoted.is_later_fragment || quoted.captured != UDP_HEADER_LENGTH)
        return false;
    *ret_quote = (icmp_bare_quote_t){ .error = { .reporter = ipv4->source, .type = ipv4->payload[0], .code = ipv4->payload[1] },
                                      .source = quoted.source,
                                      .destination = quoted.destination };
    ret_quote->source.port = ipv4_number(quoted.payload);
    ret_quote->destination.port = ipv4_number(quoted.payload + 2);
    return true;
}
