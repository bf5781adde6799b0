/* hidden.c - which UDP packet of port 4500 has another dissector taken for its own?
 *
 * Of two ports Wireshark looks at the lower one first, and a conversation may have a dissector of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/hidden.h"

#include <string.h>

enum {
    UDP_LENGTH_AT = 4,
    IPV6_HEADER = 40,
    IPV6_NEXT_HEADER_AT = 6,
    IPV6_SOURCE_AT = 8,
    IPV6_ADDRESS = 16,
    IPV6_WITHIN = 256, /* how far into the frame its IPv6 header is looked for */
};

/* `left`: bytes captured from the UDP header on. */
static bool
read_udp(const endpoint_t *source, const endpoint_t *destination, const uint8_t *udp, size_t left, hidden_t *ret_hidden)
{
    if (left < UDP_HEADER_LENGTH)
        return false;
    const uint16_t from = ipv4_number(udp), to = ipv4_number(udp + 2);
    const size_t datagram = ipv4_number(udp + UDP_LENGTH_AT);
    if ((from != UDP_PORT_IPSEC && to != UDP_PORT_IPSEC) || datagram <= UDP_HEADER_LENGTH)
        return false;
    *ret_hidden = (hidden_t){ .packet = { .source = *source,
                                          .destination = *destination,
                                          .bytes = udp + UDP_HEADER_LENGTH,
                                          .captured = MIN(left, datagram) - UDP_HEADER_LENGTH,
                                          .reported = datagram - UDP_HEADER_LENGTH } };
    ret_hidden->packet.source.port = from;
    ret_hidden->packet.destination.port = to;
    return true;
}

bool
hidden_in_ipv4(const ipv4_t *ipv4, hidden_t *ret_hidden)
{
    return ipv4->protocol == IPV4_PROTOCOL_UDP && !ipv4->is_first_fragment && !ipv4->is_later_fragment &&
           read_udp(&ipv4->source, &ipv4->destination, ipv4->payload, ipv4->captured, ret_hidden);
}

static bool
is_ipv6_header(const uint8_t *header, const packet_info *pinfo)
{
    return header[0] >> 4 == 6 && header[IPV6_NEXT_HEADER_AT] == IPV4_PROTOCOL_UDP &&
           memcmp(header + IPV6_SOURCE_AT, pinfo->net_src.data, IPV6_ADDRESS) == 0 &&
           memcmp(header + IPV6_SOURCE_AT + IPV6_ADDRESS, pinfo->net_dst.data, IPV6_ADDRESS) == 0;
}

bool
hidden_in_ipv6(tvbuff_t *frame, const packet_info *pinfo, hidden_t *ret_hidden)
{
    const bool is_candidate = (pinfo->srcport == UDP_PORT_IPSEC || pinfo->destport == UDP_PORT_IPSEC) &&
                              pinfo->net_src.type == AT_IPv6 && pinfo->net_src.len == IPV6_ADDRESS &&
                              pinfo->net_dst.type == AT_IPv6 && pinfo->net_dst.len == IPV6_ADDRESS;
    const size_t length = is_candidate ? tvb_captured_length(frame) : 0;

    if (length < IPV6_HEADER)
        return false;
    const uint8_t *bytes = tvb_get_ptr(frame, 0, (int)length);
    for (size_t at = 0; at + IPV6_HEADER <= length && at < IPV6_WITHIN; at++) {
        if (!is_ipv6_header(bytes + at, pinfo))
            continue;
        const endpoint_t source = endpoint_from_bytes(ADDRESS_IPV6, bytes + at + IPV6_SOURCE_AT, 0);
        const endpoint_t destination = endpoint_from_bytes(ADDRESS_IPV6, bytes + at + IPV6_SOURCE_AT + IPV6_ADDRESS, 0);
        return read_udp(&source, &destination, bytes + at + IPV6_HEADER, length - at - IPV6_HEADER, ret_hidden);
    }
    return false;
}

const char *
hidden_protocol(const packet_info *pinfo)
{
    const int udp = proto_get_id_by_filter_name("udp");
    int above = -1;

    for (wmem_list_frame_t *layer = wmem_list_tail(pinfo->layers); layer != NULL; layer = wmem_list_frame_prev(layer)) {
        const int id = GPOINTER_TO_INT(wmem_list_frame_data(layer));
        if (id == udp)
            break;
        above = id;
    }
    const char *name = above >= 0 ? proto_get_protocol_filter_name(above) : NULL;
    bool is_a_protocol = name != NULL && strcmp(name, "data") != 0 && name[0] != '_';
    return is_a_protocol ? name : NULL;
}
