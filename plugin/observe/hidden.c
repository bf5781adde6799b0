/* hidden.c - which UDP packet of port 4500 has another dissector taken for its own?
 *
 * Of two ports Wireshark looks at the lower one first, and a conversation may have a dissector of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/hidden.h"

#include "observe/handles.h"

#include <string.h>

enum {
    IPV6_SOURCE_AT = 8,
    IPV6_ADDRESS = 16,
    IPV6_WITHIN = 256, /* how far into the frame its IPv6 header is looked for */
};

bool
hidden_in_packet(const ip_packet_t *packet, hidden_t *ret_hidden)
{
    udp_datagram_t datagram;

    if (packet->is_first_fragment || !ip_packet_read_udp(packet, &datagram) || datagram.payload_length == 0 ||
        (datagram.source.port != PORT_NAT_TRAVERSAL && datagram.destination.port != PORT_NAT_TRAVERSAL))
        return false;
    *ret_hidden = (hidden_t){ .packet = { .source = datagram.source,
                                          .destination = datagram.destination,
                                          .bytes = datagram.payload.next,
                                          .captured = datagram.payload.left,
                                          .reported = datagram.payload_length } };
    return true;
}

static bool
is_ipv6_header(const uint8_t *header, const packet_info *pinfo)
{
    return header[0] >> 4 == 6 && memcmp(header + IPV6_SOURCE_AT, pinfo->net_src.data, IPV6_ADDRESS) == 0 &&
           memcmp(header + IPV6_SOURCE_AT + IPV6_ADDRESS, pinfo->net_dst.data, IPV6_ADDRESS) == 0;
}

bool
hidden_in_ipv6(tvbuff_t *frame, const packet_info *pinfo, hidden_t *ret_hidden)
{
    const bool is_candidate = (pinfo->srcport == PORT_NAT_TRAVERSAL || pinfo->destport == PORT_NAT_TRAVERSAL) &&
                              pinfo->net_src.type == AT_IPv6 && pinfo->net_src.len == IPV6_ADDRESS &&
                              pinfo->net_dst.type == AT_IPv6 && pinfo->net_dst.len == IPV6_ADDRESS;
    const size_t length = is_candidate ? tvb_captured_length(frame) : 0;
    ip_packet_t packet;

    if (length < IPV6_HEADER_LENGTH)
        return false;
    const uint8_t *bytes = tvb_get_ptr(frame, 0, (int)length);
    for (size_t at = 0; at + IPV6_HEADER_LENGTH <= length && at < IPV6_WITHIN; at++) {
        if (is_ipv6_header(bytes + at, pinfo))
            return ip_packet_read(bytes + at, length - at, &packet) && hidden_in_packet(&packet, ret_hidden);
    }
    return false;
}

/* A dissector that draws nothing leaves no layer where there is a tree to draw into: whoever stands at the port has it then. */
static const char *
protocol_at_other_port(const packet_t *packet)
{
    return handles_protocol_at(packet->source.port == PORT_NAT_TRAVERSAL ? packet->destination.port : packet->source.port);
}

const char *
hidden_protocol(const packet_info *pinfo, const packet_t *packet)
{
    const int udp = proto_get_id_by_filter_name("udp");
    int above = -1;

    for (wmem_list_frame_t *layer = wmem_list_tail(pinfo->layers); layer != NULL; layer = wmem_list_frame_prev(layer)) {
        const int id = GPOINTER_TO_INT(wmem_list_frame_data(layer));
        if (id == udp)
            break;
        above = id;
    }
    const char *name = above >= 0 ? proto_get_protocol_filter_name(above) : protocol_at_other_port(packet);
    bool is_a_protocol = name != NULL && strcmp(name, "data") != 0 && name[0] != '_';
    return is_a_protocol ? name : NULL;
}
