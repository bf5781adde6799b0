/* ipv4.c - an IPv4 header that no dissector hands on
 *
 * The IP dissector leaves a packet's addresses as pointers into the frame, which tell where its header is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/ipv4.h"

enum {
    HEADER_MIN = 20,
    TOTAL_LENGTH_AT = 2,
    FRAGMENT_AT = 6,
    MORE_FRAGMENTS = 0x2000,
    FRAGMENT_OFFSET = 0x1fff,
    HOP_LIMIT_AT = 8,
    PROTOCOL_AT = 9,
    SOURCE_AT = 12,
    DESTINATION_AT = 16,
};

uint16_t
ipv4_number(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool
ipv4_read(const uint8_t *header, size_t left, ipv4_t *ret_ipv4)
{
    if (left < HEADER_MIN || header[0] >> 4 != 4)
        return false;
    size_t length = (size_t)(header[0] & 0x0f) * 4;
    left = MIN(left, ipv4_number(header + TOTAL_LENGTH_AT));
    if (length < HEADER_MIN || left < length)
        return false;
    uint16_t fragment = ipv4_number(header + FRAGMENT_AT);
    *ret_ipv4 = (ipv4_t){ .source = endpoint_from_bytes(ADDRESS_IPV4, header + SOURCE_AT, 0),
                          .destination = endpoint_from_bytes(ADDRESS_IPV4, header + DESTINATION_AT, 0),
                          .protocol = header[PROTOCOL_AT],
                          .hop_limit = header[HOP_LIMIT_AT],
                          .is_first_fragment = (fragment & MORE_FRAGMENTS) != 0 && (fragment & FRAGMENT_OFFSET) == 0,
                          .is_later_fragment = (fragment & FRAGMENT_OFFSET) != 0,
                          .payload = header + length,
                          .captured = left - length };
    return true;
}

bool
ipv4_of_frame(tvbuff_t *frame, const packet_info *pinfo, ipv4_t *ret_ipv4)
{
    if (pinfo->net_src.type != AT_IPv4 || pinfo->net_src.data == NULL)
        return false;
    size_t length = tvb_captured_length(frame);
    const uint8_t *bytes = length > 0 ? tvb_get_ptr(frame, 0, (int)length) : NULL, *source = pinfo->net_src.data;
    if (bytes == NULL || source < bytes + SOURCE_AT || source >= bytes + length)
        return false;
    return ipv4_read(source - SOURCE_AT, (size_t)(bytes + length - source) + SOURCE_AT, ret_ipv4);
}
