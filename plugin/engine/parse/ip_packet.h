/* ip_packet.h - an IP packet that no dissector hands on: a fragment, or what an ICMP error quotes (RFC 791 3.1, RFC 8200 4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IP_PACKET_H
#define IPSEC_ENGINE_IP_PACKET_H

#include "engine/endpoint.h"
#include "engine/parse/cursor.h"
#include "engine/wire.h"

enum { IP_PROTOCOL_TCP = 6, IP_PROTOCOL_UDP = 17, IP_PROTOCOL_ESP = 50 };

typedef struct {
    endpoint_t source, destination; /* port 0 */
    uint8_t protocol;               /* of the payload; extension headers and AH are passed over */
    uint8_t hop_limit;              /* or time to live; 0 where the header is not all there */
    bool is_first_fragment;         /* more follow */
    bool is_later_fragment;         /* the payload is a part from its middle */
    cursor_t payload;               /* as far as it is there, borrowed */
    size_t payload_length;          /* as the header says, >= payload.left */
    size_t length;                  /* of the whole packet, as the header says */
} ip_packet_t;

/* `bytes`: a packet from its header to where the capture, or what quotes it, ends. False: no IP header, or cut within the headers. */
G_GNUC_WARN_UNUSED_RESULT bool ip_packet_read(const uint8_t *bytes, size_t captured, ip_packet_t *ret_packet);

/* The same from an IPv6 fragment header on (RFC 8200 4.5); the addresses are not in it, `length` counts from there. */
G_GNUC_WARN_UNUSED_RESULT bool ip_packet_read_fragment_header(const uint8_t *bytes, size_t captured, ip_packet_t *ret_packet);

typedef struct {
    endpoint_t source, destination;
    cursor_t payload;      /* as far as it is there, borrowed */
    size_t payload_length; /* in the whole datagram, >= payload.left */
} udp_datagram_t;

/* False: no UDP, not its beginning, or cut within the header (RFC 768). */
G_GNUC_WARN_UNUSED_RESULT bool ip_packet_read_udp(const ip_packet_t *packet, udp_datagram_t *ret_datagram);

/* The ports of a TCP segment are its first bytes. False: no TCP, or not its beginning. The ports are set in both endpoints. */
G_GNUC_WARN_UNUSED_RESULT bool ip_packet_read_tcp_ports(const ip_packet_t *packet, endpoint_t *ret_source,
                                                        endpoint_t *ret_destination);

#endif
