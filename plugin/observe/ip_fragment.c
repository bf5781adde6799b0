/* ip_fragment.c - does this frame hold the first IP fragment of a UDP datagram that nobody put together?
 *
 * Wireshark shows nothing of a fragment but its IP header until the last one has come. The IP dissector leaves the packet's addresses
 * as pointers into the frame, which tell where the innermost IPv4 header is (RFC 791 3.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/ip_fragment.h"

enum {
    IPV4_HEADER_MIN = 20,
    SOURCE_AT = 12,
    FRAGMENT_AT = 6,
    MORE_FRAGMENTS = 0x2000,
    FRAGMENT_OFFSET = 0x1fff,
    PROTOCOL_AT = 9,
    PROTOCOL_UDP = 17,
    TOTAL_LENGTH_AT = 2,
    UDP_HEADER = 8,
    UDP_LENGTH_AT = 4,
};

static uint16_t
number_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool
ip_fragment_find(tvbuff_t *frame, const packet_info *pinfo, ip_fragment_t *ret_fragment)
{
    if (pinfo->net_src.type != AT_IPv4 || pinfo->net_src.data == NULL)
        return false;
    size_t length = tvb_captured_length(frame);
    const uint8_t *bytes = length > 0 ? tvb_get_ptr(frame, 0, (int)length) : NULL, *source = pinfo->net_src.data;
    if (bytes == NULL || source < bytes + SOURCE_AT || source >= bytes + length)
        return false;
    const uint8_t *ip = source - SOURCE_AT;
    size_t left = (size_t)(bytes + length - ip);
    if (left < IPV4_HEADER_MIN || ip[PROTOCOL_AT] != PROTOCOL_UDP || (number_at(ip + FRAGMENT_AT) & MORE_FRAGMENTS) == 0 ||
        (number_at(ip + FRAGMENT_AT) & FRAGMENT_OFFSET) != 0)
        return false;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    left = MIN(left, number_at(ip + TOTAL_LENGTH_AT));
    if (ip[0] >> 4 != 4 || header < IPV4_HEADER_MIN || left < header + UDP_HEADER)
        return false;
    const uint8_t *udp = ip + header;
    size_t datagram = number_at(udp + UDP_LENGTH_AT);
    if (datagram < UDP_HEADER)
        return false;
    *ret_fragment = (ip_fragment_t){ .source_port = number_at(udp),
                                     .destination_port = number_at(udp + 2),
                                     .payload = udp + UDP_HEADER,
                                     .captured = MIN(left - header, datagram) - UDP_HEADER,
                                     .reported = datagram - UDP_HEADER };
    return true;
}
