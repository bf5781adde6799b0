/* ip_fragment.c - is this the first IP fragment of a UDP datagram that nobody put together?
 *
 * Wireshark shows nothing of a fragment but its IP header until the last one has come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/ip_fragment.h"

enum { LENGTH_AT = 4 };

bool
ip_fragment_read(const ipv4_t *ipv4, ip_fragment_t *ret_fragment)
{
    if (ipv4->protocol != IPV4_PROTOCOL_UDP || !ipv4->is_first_fragment || ipv4->captured < UDP_HEADER_LENGTH)
        return false;
    const uint8_t *udp = ipv4->payload;
    size_t datagram = ipv4_number(udp + LENGTH_AT);
    if (datagram < UDP_HEADER_LENGTH)
        return false;
    *ret_fragment = (ip_fragment_t){ .source = ipv4->source,
                                     .destination = ipv4->destination,
                                     .payload = udp + UDP_HEADER_LENGTH,
                                     .captured = MIN(ipv4->captured, datagram) - UDP_HEADER_LENGTH,
                                     .reported = datagram - UDP_HEADER_LENGTH };
    ret_fragment->source.port = ipv4_number(udp);
    ret_fragment->destination.port = ipv4_number(udp + 2);
    return true;
}
