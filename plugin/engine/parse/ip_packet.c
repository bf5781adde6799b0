/* ip_packet.c - what is in an IP packet, however little of it there is?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ip_packet.h"

enum {
    MORE_FRAGMENTS_V4 = 0x2000,
    OFFSET_V4 = 0x1fff,
    MORE_FRAGMENTS_V6 = 0x0001,
    OFFSET_V6 = 0xfff8,
    EXTENSIONS_MAX = 8, /* more than RFC 8200 4.1 has */
};

/* Headers between the IP header and the payload (IANA's protocol numbers). */
enum {
    HOP_BY_HOP_OPTIONS = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    AUTHENTICATION_HEADER = 51,
    DESTINATION_OPTIONS = 60,
    MOBILITY = 135,
};

static bool
skip_options(cursor_t *cursor, uint8_t *protocol)
{
    uint8_t next, units;

    if (!cursor_u8(cursor, &next) || !cursor_u8(cursor, &units) || !cursor_skip(cursor, 6 + (size_t)units * 8))
        return false;
    *protocol = next;
    return true;
}

/* RFC 4302 2.2: in units of 4 bytes, minus 2. */
static bool
skip_authentication_header(cursor_t *cursor, uint8_t *protocol)
{
    uint8_t next, units;

    if (!cursor_u8(cursor, &next) || !cursor_u8(cursor, &units) || !cursor_skip(cursor, 6 + (size_t)units * 4))
        return false;
    *protocol = next;
    return true;
}

static bool
read_fragment_header(cursor_t *cursor, uint8_t *protocol, ip_packet_t *packet)
{
    uint8_t next;
    uint16_t place;

    if (!cursor_u8(cursor, &next) || !cursor_skip(cursor, 1) || !cursor_u16(cursor, &place) || !cursor_skip(cursor, 4))
        return false;
    packet->is_later_fragment = (place & OFFSET_V6) != 0;
    packet->is_first_fragment = !packet->is_later_fragment && (place & MORE_FRAGMENTS_V6) != 0;
    *protocol = next;
    return true;
}

/* From the end of the fixed header to the payload. What comes in a later fragment is no header any more. */
static bool
pass_extensions(cursor_t *cursor, uint8_t protocol, ip_packet_t *packet)
{
    bool is_read = true;

    for (unsigned i = 0; is_read && i < EXTENSIONS_MAX && !packet->is_later_fragment; i++) {
        if (protocol == HOP_BY_HOP_OPTIONS || protocol == ROUTING || protocol == DESTINATION_OPTIONS || protocol == MOBILITY)
            is_read = skip_options(cursor, &protocol);
        else if (protocol == AUTHENTICATION_HEADER)
            is_read = skip_authentication_header(cursor, &protocol);
        else if (protocol == FRAGMENT)
            is_read = read_fragment_header(cursor, &protocol, packet);
        else
            break;
    }
    packet->protocol = protocol;
    return is_read;
}

/* `total`: bytes from the header's beginning as the header says, 0: not said; `before`: those that were there from it on. */
static bool
finish(cursor_t *cursor, uint8_t protocol, size_t total, size_t before, ip_packet_t *packet, ip_packet_t *ret_packet)
{
    if (total == 0) /* segmentation offload, or a jumbogram */
        total = before;
    size_t headers = before - cursor->left;
    if (total < headers)
        return false;
    cursor->left = MIN(cursor->left, total - headers);
    size_t left = cursor->left;
    if (!pass_extensions(cursor, protocol, packet))
        return false;
    packet->length = total;
    packet->payload = *cursor;
    packet->payload_length = total - headers - (left - cursor->left);
    *ret_packet = *packet;
    return true;
}

static bool
read_ipv4(cursor_t cursor, ip_packet_t *ret_packet)
{
    uint8_t version, protocol;
    uint16_t total, fragment;
    cursor_t addresses;
    size_t before = cursor.left;
    ip_packet_t packet = { .length = 0 };

    if (!cursor_u8(&cursor, &version) || !cursor_skip(&cursor, 1) || !cursor_u16(&cursor, &total) || !cursor_skip(&cursor, 2) ||
        !cursor_u16(&cursor, &fragment) || !cursor_u8(&cursor, &packet.hop_limit) || !cursor_u8(&cursor, &protocol) ||
        !cursor_skip(&cursor, 2) || !cursor_cut(&cursor, 8, &addresses))
        return false;
    size_t header = (size_t)(version & 0x0f) * 4;
    if (header < IPV4_HEADER_LENGTH || !cursor_skip(&cursor, header - IPV4_HEADER_LENGTH))
        return false;
    packet.source = endpoint_from_bytes(ADDRESS_IPV4, addresses.next, 0);
    packet.destination = endpoint_from_bytes(ADDRESS_IPV4, addresses.next + 4, 0);
    packet.is_later_fragment = (fragment & OFFSET_V4) != 0;
    packet.is_first_fragment = !packet.is_later_fragment && (fragment & MORE_FRAGMENTS_V4) != 0;
    return finish(&cursor, protocol, total, before, &packet, ret_packet);
}

static bool
read_ipv6(cursor_t cursor, ip_packet_t *ret_packet)
{
    uint8_t protocol;
    uint16_t payload;
    cursor_t addresses;
    size_t before = cursor.left;
    ip_packet_t packet = { .length = 0 };

    if (!cursor_skip(&cursor, 4) || !cursor_u16(&cursor, &payload) || !cursor_u8(&cursor, &protocol) ||
        !cursor_u8(&cursor, &packet.hop_limit) || !cursor_cut(&cursor, 32, &addresses))
        return false;
    packet.source = endpoint_from_bytes(ADDRESS_IPV6, addresses.next, 0);
    packet.destination = endpoint_from_bytes(ADDRESS_IPV6, addresses.next + 16, 0);
    return finish(&cursor, protocol, payload > 0 ? (size_t)IPV6_HEADER_LENGTH + payload : 0, before, &packet, ret_packet);
}

bool
ip_packet_read(const uint8_t *bytes, size_t captured, ip_packet_t *ret_packet)
{
    cursor_t cursor = cursor_over(bytes, captured);

    if (captured == 0)
        return false;
    if (bytes[0] >> 4 == 4)
        return read_ipv4(cursor, ret_packet);
    return bytes[0] >> 4 == 6 && read_ipv6(cursor, ret_packet);
}

bool
ip_packet_read_fragment_header(const uint8_t *bytes, size_t captured, ip_packet_t *ret_packet)
{
    cursor_t cursor = cursor_over(bytes, captured);
    ip_packet_t packet = { .length = 0 };

    return finish(&cursor, FRAGMENT, 0, captured, &packet, ret_packet);
}

bool
ip_packet_read_udp(const ip_packet_t *packet, udp_datagram_t *ret_datagram)
{
    cursor_t cursor = packet->payload;
    udp_datagram_t datagram = { .source = packet->source, .destination = packet->destination };
    uint16_t length;

    if (packet->protocol != IP_PROTOCOL_UDP || packet->is_later_fragment || !cursor_u16(&cursor, &datagram.source.port) ||
        !cursor_u16(&cursor, &datagram.destination.port) || !cursor_u16(&cursor, &length) || !cursor_skip(&cursor, 2) ||
        length < UDP_HEADER_LENGTH)
        return false;
    datagram.payload_length = (size_t)length - UDP_HEADER_LENGTH;
    cursor.left = MIN(cursor.left, datagram.payload_length);
    datagram.payload = cursor;
    *ret_datagram = datagram;
    return true;
}

bool
ip_packet_read_tcp_ports(const ip_packet_t *packet, endpoint_t *ret_source, endpoint_t *ret_destination)
{
    cursor_t cursor = packet->payload;
    uint16_t source, destination;

    if (packet->protocol != IP_PROTOCOL_TCP || packet->is_later_fragment || !cursor_u16(&cursor, &source) ||
        !cursor_u16(&cursor, &destination))
        return false;
    *ret_source = packet->source;
    *ret_destination = packet->destination;
    ret_source->port = source;
    ret_destination->port = destination;
    return true;
}
