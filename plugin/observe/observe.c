/* observe.c - what does the engine get to see of a packet?
 *
 * The functions behind the handles. ESP is fed before the stock dissector runs, so that an outer packet comes before those
 * inside it; IKE after it, so that what it decrypted can be handed over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/observe.h"

#include "observe/decrypted.h"
#include "observe/dtls.h"
#include "observe/esp_in_udp.h"
#include "observe/flows.h"
#include "observe/frame_sightings.h"
#include "observe/handles.h"
#include "observe/hidden.h"
#include "observe/point.h"
#include "observe/preferences.h"
#include "observe/session.h"
#include "observe/tcp_encap.h"

#include "engine/esp/sdwan.h"
#include "engine/parse/icmp_error.h"
#include "engine/parse/syslog.h"

#include <epan/exceptions.h>
#include <epan/proto_data.h>

enum {
    KEY_NOTE, /* file scope: frame_note_t of the frame */
};

enum {
    AH_HEADER = 12, /* RFC 4302 2: up to the sequence number */
    AH_SPI_AT = 4,
    NAT_KEEPALIVE = 0xff, /* RFC 3948 2.3 */
    IPV4_FLAGS_AT = 6,
    IPV4_MORE_FRAGMENTS = 0x20,
    IPV4_PROTOCOL_AT = 9,
    IPV4_SOURCE_AT = 12,
};

typedef enum { CARRIED_IN_IP, CARRIED_IN_UDP, CARRIED_IN_TCP } carrier_t;

static int protocol;
static const protocol_t *own_protocol;
static int tcp_protocol;

static bool
is_observing(void)
{
    return observe_engine() && proto_is_protocol_enabled(own_protocol);
}

/* ---- from Wireshark's terms to the engine's ---- */

static bool
endpoint_from(const address *from, uint32_t port, endpoint_t *ret_endpoint)
{
    bool is_ipv4 = from->type == AT_IPv4 && from->len == 4, is_ipv6 = from->type == AT_IPv6 && from->len == 16;

    if (is_ipv4 || is_ipv6)
        *ret_endpoint = endpoint_from_bytes(is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6, from->data, (uint16_t)port);
    return is_ipv4 || is_ipv6;
}

/* Not put together from fragments, nor decrypted. */
static bool
is_in_frame(tvbuff_t *tvb, const packet_info *pinfo)
{
    return pinfo->data_src && tvb_get_ds_tvb(tvb) == tvb_get_ds_tvb(get_data_source_tvb(pinfo->data_src->data));
}

/* How long is the IP packet that carries this? Options and extension headers are not counted. */
static size_t
ip_length(const packet_t *packet, carrier_t carrier)
{
    size_t headers = packet->source.family == ADDRESS_IPV6 ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH;

    return headers + (carrier == CARRIED_IN_UDP ? UDP_HEADER_LENGTH : 0) + packet->reported;
}

/* The packet's addresses and ports at this layer, and its bytes. False: not between IP addresses. */
static bool
packet_from(tvbuff_t *tvb, const packet_info *pinfo, carrier_t carrier, packet_t *packet)
{
    const bool has_ports = carrier != CARRIED_IN_IP;

    *packet = (packet_t){ .frame = pinfo->num };
    if (!endpoint_from(&pinfo->src, has_ports ? pinfo->srcport : 0, &packet->source) ||
        !endpoint_from(&pinfo->dst, has_ports ? pinfo->destport : 0, &packet->destination))
        return false;
    packet->captured = tvb_captured_length(tvb);
    packet->reported = MAX(tvb_reported_length(tvb), packet->captured);
    packet->bytes = packet->captured ? tvb_get_ptr(tvb, 0, (int)packet->captured) : NULL;
    packet->time = observe_time(pinfo);
    if (carrier == CARRIED_IN_TCP) /* a message of a stream may come from several frames */
        return true;
    const size_t between = carrier == CARRIED_IN_UDP ? UDP_HEADER_LENGTH : 0;
    packet->point =
        (capture_point_t){ .interface = point_interface(pinfo), .hop_limit = point_hop_limit(tvb, pinfo, packet->bytes, between) };
    if (!pinfo->fragmented && is_in_frame(tvb, pinfo))
        packet->ip_length = ip_length(packet, carrier);
    return true;
}

static void
packet_skip(packet_t *packet, size_t length)
{
    length = MIN(length, packet->captured);
    packet->bytes += length;
    packet->captured -= length;
    packet->reported -= length;
}

static uint32_t
spi_of(const packet_t *packet)
{
    return wire_u32(packet->bytes);
}

static bool
has_esp_header(const packet_t *packet)
{
    /* Manual keys use reserved SPIs all the same. In UDP or TCP they would rather be another protocol on the same port. */
    uint32_t least = packet->encapsulation != ENCAPSULATION_NONE ? SPI_RESERVED_MAX + 1 : 1;

    return packet->reported >= ESP_HEADER_LENGTH && packet->captured >= SPI_LENGTH && spi_of(packet) >= least;
}

static bool
is_nat_keepalive(const packet_t *packet)
{
    return packet->reported == 1 && packet->captured == 1 && packet->bytes[0] == NAT_KEEPALIVE;
}

static bool
has_non_esp_marker(const packet_t *packet)
{
    return packet->captured >= NON_ESP_MARKER_LENGTH && spi_of(packet) == 0;
}

/* Of the two things that some SD-WAN products send on one port without a marker. On port 4500 (RFC 3948) all is ESP that is not IKE. */
static bool
is_dtls(const packet_t *packet)
{
    return packet->source.port != PORT_NAT_TRAVERSAL && packet->destination.port != PORT_NAT_TRAVERSAL &&
           dtls_begins_datagram(packet->bytes, packet->captured, packet->reported);
}

/* ---- towards the engine ---- */

static void
feed(packet_info *pinfo, const packet_t *packet)
{
    const sighting_t sighting = { .kind = packet->kind,
                                  .source = packet->source,
                                  .destination = packet->destination,
                                  .spi = packet->kind == PACKET_ESP ? spi_of(packet) : 0 };
    const frame_note_t *note;

    frame_sightings_add(pinfo, &sighting);
    if (PINFO_FD_VISITED(pinfo))
        return;
    observe_frame(pinfo);
    note = engine_packet(observe_engine(), packet);
    if (note && !session_note(pinfo)) {
        session_set_note(note);
        p_add_proto_data(wmem_file_scope(), pinfo, protocol, KEY_NOTE, (void *)note);
    }
}

/* What ICMP errors quote is fed by what looks at ICMP, and is no traffic. */
static void
feed_unless_quoted(packet_info *pinfo, const packet_t *packet)
{
    if (!pinfo->flags.in_error_pkt)
        feed(pinfo, packet);
}

static void
feed_esp(packet_info *pinfo, packet_t *packet)
{
    packet->kind = PACKET_ESP;
    packet->is_ip_fragment = pinfo->fragmented; /* the user does not have fragments put together */
    feed_unless_quoted(pinfo, packet);
}

/* Runs the stock dissector, which may throw, and feeds the IKE message then, with what was decrypted meanwhile. */
static int
dissect_then_feed_ike(handle_t handle, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data, packet_t *packet)
{
    const unsigned mark = decrypted_mark(pinfo);
    volatile int consumed = 0;

    TRY
    {
        consumed = handles_call_stock(handle, tvb, pinfo, tree, data);
    }
    FINALLY
    {
        tvbuff_t *decrypted = decrypted_since(pinfo, mark);

        if (decrypted && tvb_captured_length(decrypted) > 0) {
            packet->decrypted_length = tvb_captured_length(decrypted);
            packet->decrypted = tvb_get_ptr(decrypted, 0, (int)packet->decrypted_length);
        }
        feed_unless_quoted(pinfo, packet);
    }
    ENDTRY;
    return consumed;
}

/* ---- the functions behind the handles ---- */

static int
look_at_esp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (is_observing() && packet_from(tvb, pinfo, CARRIED_IN_IP, &packet) && has_esp_header(&packet))
        feed_esp(pinfo, &packet);
    return handles_call_stock(HANDLE_ESP, tvb, pinfo, tree, data);
}

/* RFC 4302: the same as ESP for whoever watches SPIs and sequence numbers, and with ESP inside one bundle (RFC 4301 4.5). */
static int
look_at_ah(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (is_observing() && packet_from(tvb, pinfo, CARRIED_IN_IP, &packet) && packet.captured >= AH_HEADER) {
        packet.kind = PACKET_ESP;
        packet.is_ah = true;
        packet.is_around_esp = packet.bytes[0] == IP_PROTOCOL_ESP;
        packet_skip(&packet, AH_SPI_AT);
        if (has_esp_header(&packet))
            feed_unless_quoted(pinfo, &packet);
    }
    return handles_call_stock(HANDLE_AH, tvb, pinfo, tree, data);
}

static int
look_at_isakmp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (!is_observing() || !packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet))
        return handles_call_stock(HANDLE_ISAKMP, tvb, pinfo, tree, data);
    if (is_nat_keepalive(&packet)) {
        packet.kind = PACKET_NAT_KEEPALIVE;
        feed_unless_quoted(pinfo, &packet);
        return handles_call_stock(HANDLE_ISAKMP, tvb, pinfo, tree, data);
    }
    packet.kind = PACKET_IKE;
    return dissect_then_feed_ike(HANDLE_ISAKMP, tvb, pinfo, tree, data, &packet);
}

/* Syslog that reports a packet with an invalid SPI; all other is of no interest. What an ICMP error quotes is no line. */
static void
feed_syslog(tvbuff_t *tvb, packet_info *pinfo, carrier_t carrier)
{
    packet_t packet;

    if (!is_observing() || pinfo->flags.in_error_pkt || !packet_from(tvb, pinfo, carrier, &packet) ||
        !syslog_has_report(packet.bytes, packet.captured))
        return;
    packet.kind = PACKET_SYSLOG;
    feed(pinfo, &packet);
}

static int
look_at_syslog(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    feed_syslog(tvb, pinfo, CARRIED_IN_UDP);
    return handles_call_stock(HANDLE_SYSLOG, tvb, pinfo, tree, data);
}

static int
look_at_syslog_in_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    feed_syslog(tvb, pinfo, CARRIED_IN_TCP);
    return handles_call_stock(HANDLE_SYSLOG_TCP, tvb, pinfo, tree, data);
}

/* RFC 3948 2: the first bytes tell IKE, ESP and NAT keepalives on one port apart. */
static int
look_at_udpencap(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (!is_observing() || !packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet))
        return handles_call_stock(HANDLE_UDPENCAP, tvb, pinfo, tree, data);
    packet.encapsulation = ENCAPSULATION_UDP;
    if (is_dtls(&packet))
        return 0; /* whoever knows DTLS by its looks shall have it */
    if (has_non_esp_marker(&packet)) {
        flows_is_ipsec(&packet, !PINFO_FD_VISITED(pinfo) && !pinfo->flags.in_error_pkt); /* ESP of this flow may be hidden */
        packet.kind = PACKET_IKE;
        packet_skip(&packet, NON_ESP_MARKER_LENGTH);
        return dissect_then_feed_ike(HANDLE_UDPENCAP, tvb, pinfo, tree, data, &packet);
    }
    if (is_nat_keepalive(&packet)) {
        packet.kind = PACKET_NAT_KEEPALIVE;
        feed_unless_quoted(pinfo, &packet);
    } else if (has_esp_header(&packet))
        feed_esp(pinfo, &packet);
    return handles_call_stock(HANDLE_UDPENCAP, tvb, pinfo, tree, data);
}

/* A packet of an earlier frame, held back until now. */
static void
feed_held(const packet_t *packet)
{
    engine_packet(observe_engine(), packet);
}

/* On ports where some SD-WAN products have ESP that nothing announces. Never claims the datagram: it learns from it, and when that settles
 * what the path carries, those that follow go to look_at_esp_in_udp(), and this one too when it is visited again. */
static compat_heuristic_t
watch_esp_in_udp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree _U_, void *data _U_)
{
    packet_t packet;

    if (!sdwan_is_port(pinfo->srcport) && !sdwan_is_port(pinfo->destport))
        return false; /* almost every datagram */
    if (PINFO_FD_VISITED(pinfo) || pinfo->flags.in_error_pkt || !is_observing() ||
        !packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet) || !sdwan_is_path(&packet.source, &packet.destination) ||
        esp_in_udp_has_path(&packet.source, &packet.destination))
        return false;
    packet.kind = PACKET_ESP;
    packet.encapsulation = ENCAPSULATION_UDP;
    if (esp_in_udp_learn(&packet, feed_held)) {
        handles_claim_conversation(pinfo);
        feed_held(&packet);
    }
    return false;
}

/* What is not ESP after all, as DTLS beside it, goes to whoever would have had it. */
static int
look_at_esp_in_udp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    packet_t packet;
    bool is_esp;

    if (!is_observing() || !packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet))
        return 0;
    packet.kind = PACKET_ESP;
    packet.encapsulation = ENCAPSULATION_UDP;
    if (pinfo->flags.in_error_pkt)
        is_esp = esp_in_udp_knows_quote(&packet);
    else
        is_esp = PINFO_FD_VISITED(pinfo) ? esp_in_udp_knows(&packet) : esp_in_udp_learn(&packet, feed_held);
    if (!is_esp)
        return 0;
    feed_unless_quoted(pinfo, &packet);
    return handles_call_stock(HANDLE_ESP, tvb, pinfo, tree, NULL);
}

/* UDP port 4500 before lower ports: where another dissector stands at the other port, the bytes decide. */
static int
look_at_udpencap_first(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const uint16_t other = (uint16_t)(pinfo->srcport == PORT_NAT_TRAVERSAL ? pinfo->destport : pinfo->srcport);
    const rival_claim_t rival = other == PORT_NAT_TRAVERSAL ? RIVAL_NONE : handles_rival_at(other);
    packet_t packet;

    if (rival == RIVAL_NONE)
        return look_at_udpencap(tvb, pinfo, tree, data);
    bool is_ipsec = rival == RIVAL_BY_RANK && is_observing() && packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet) &&
                    flows_is_ipsec(&packet, !PINFO_FD_VISITED(pinfo) && !pinfo->flags.in_error_pkt);
    if (is_ipsec)
        return look_at_udpencap(tvb, pinfo, tree, data);
    const int consumed = handles_call_rival(other, tvb, pinfo, tree);
    return consumed > 0 ? consumed : look_at_udpencap(tvb, pinfo, tree, data);
}

static int
take_ike_over_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, packet_t *packet)
{
    tvbuff_t *message = tvb_new_subset_remaining(tvb, NON_ESP_MARKER_LENGTH);

    if (!packet)
        return handles_call_stock(HANDLE_ISAKMP, message, pinfo, tree, NULL);
    packet->kind = PACKET_IKE;
    packet_skip(packet, NON_ESP_MARKER_LENGTH);
    return dissect_then_feed_ike(HANDLE_ISAKMP, message, pinfo, tree, NULL, packet);
}

static int
take_esp_over_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, packet_t *packet)
{
    if (packet && has_esp_header(packet)) {
        packet->kind = PACKET_ESP;
        feed(pinfo, packet);
    }
    return handles_call_stock(HANDLE_ESP, tvb, pinfo, tree, NULL);
}

/* A message of a TCP stream: the same three kinds as in UDP (RFC 9329 3, 6.6). */
static void
take_tcp_message(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, bool is_repeat)
{
    packet_t packet, *news = NULL;
    int consumed;

    if (!is_repeat && packet_from(tvb, pinfo, CARRIED_IN_TCP, &packet)) {
        packet.encapsulation = ENCAPSULATION_TCP;
        news = &packet;
    }
    if (tvb_reported_length(tvb) == 1) {
        if (news && is_nat_keepalive(news)) {
            news->kind = PACKET_NAT_KEEPALIVE;
            feed(pinfo, news);
        }
        return;
    }
    if (tvb_captured_length(tvb) >= NON_ESP_MARKER_LENGTH && tvb_get_ntohl(tvb, 0) == 0)
        consumed = take_ike_over_tcp(tvb, pinfo, tree, news);
    else
        consumed = take_esp_over_tcp(tvb, pinfo, tree, news);
    if (consumed == 0) /* that protocol is disabled, or will not have it */
        call_data_dissector(tvb, pinfo, tree);
}

static int
look_at_tcp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    return is_observing() ? tcp_encap_dissect(tvb, pinfo, tree, data, take_tcp_message) : 0;
}

/* ---- packets of which there is a part only: quoted by ICMP errors, or in IP fragments ---- */

/* Of IKE and ESP, which of the two handles is one of these ports for? HANDLES: neither. */
static handle_t
handle_between(const endpoint_t *source, const endpoint_t *destination)
{
    handle_t handle = handles_at_udp_port(source->port);

    if (handle == HANDLES)
        handle = handles_at_udp_port(destination->port);
    return handle == HANDLES && esp_in_udp_has_path(source, destination) ? HANDLE_UDPENCAP : handle;
}

static void
packet_take(packet_t *packet, const cursor_t *payload, size_t length)
{
    packet->bytes = payload->next;
    packet->captured = payload->left;
    packet->reported = MAX(length, payload->left);
}

/* Sets kind, bytes and endpoints of an IPsec packet that is there in part. False: it is none, or cannot be told. Where there is nothing but
 * ports it is PACKET_IKE with no bytes. */
static bool
packet_from_part(const ip_packet_t *part, packet_t *packet)
{
    udp_datagram_t datagram;

    packet->source = part->source;
    packet->destination = part->destination;
    if (part->protocol == IP_PROTOCOL_ESP) {
        packet->kind = PACKET_ESP;
        if (!part->is_later_fragment)
            packet_take(packet, &part->payload, part->payload_length);
        return true;
    }
    packet->kind = PACKET_IKE;
    if (ip_packet_read_tcp_ports(part, &packet->source, &packet->destination)) {
        packet->encapsulation = ENCAPSULATION_TCP; /* where in the stream it is cannot be known */
        return handles_are_for_tcp_port(packet->source.port) || handles_are_for_tcp_port(packet->destination.port);
    }
    if (!ip_packet_read_udp(part, &datagram))
        return false;
    packet->source = datagram.source;
    packet->destination = datagram.destination;
    packet_take(packet, &datagram.payload, datagram.payload_length);
    handle_t handle = handle_between(&datagram.source, &datagram.destination);
    if (handle != HANDLE_UDPENCAP)
        return handle == HANDLE_ISAKMP;
    packet->encapsulation = ENCAPSULATION_UDP;
    if (has_non_esp_marker(packet)) {
        packet_skip(packet, NON_ESP_MARKER_LENGTH);
    } else if (is_nat_keepalive(packet)) {
        packet->kind = PACKET_NAT_KEEPALIVE;
    } else if (packet->captured >= SPI_LENGTH) {
        packet->kind = PACKET_ESP;
        return has_esp_header(packet);
    } else {
        packet->captured = 0;
    }
    return true;
}

static void
look_at_first_fragment(const ip_packet_t *part, packet_info *pinfo)
{
    packet_t packet = { .frame = pinfo->num,
                        .time = observe_time(pinfo),
                        .point = { .interface = point_interface(pinfo), .hop_limit = part->hop_limit },
                        .is_ip_fragment = true };

    if (!part->is_first_fragment || !packet_from_part(part, &packet) || packet.encapsulation == ENCAPSULATION_TCP)
        return;
    if (packet.kind == PACKET_ESP && has_esp_header(&packet)) {
        packet.kind = PACKET_ESP_FRAGMENT;
        feed(pinfo, &packet);
    } else if (packet.kind == PACKET_IKE && packet.captured > 0) {
        feed(pinfo, &packet);
    }
}

static void
look_at_icmp_error(tvbuff_t *tvb, packet_info *pinfo, address_family_t family)
{
    const size_t captured = tvb_captured_length(tvb);
    packet_t packet = { .frame = pinfo->num };
    icmp_error_t error;

    if (captured == 0 || !icmp_is_error(family, compat_tvb_get_u8(tvb, 0)))
        return; /* almost every message */
    if (!is_observing() || pinfo->flags.in_error_pkt || !endpoint_from(&pinfo->src, 0, &packet.reporter) ||
        !icmp_error_read(family, tvb_get_ptr(tvb, 0, (int)captured), captured, &error) || !packet_from_part(&error.quoted, &packet))
        return;
    packet.time = observe_time(pinfo);
    packet.point.interface = point_interface(pinfo);
    packet.quoted = packet.kind;
    packet.kind = PACKET_ICMP_ERROR;
    packet.icmp_type = error.type;
    packet.icmp_code = error.code;
    packet.icmp_mtu = error.mtu;
    packet.ip_length = error.quoted.length;
    feed(pinfo, &packet);
}

static int
look_at_icmp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    look_at_icmp_error(tvb, pinfo, ADDRESS_IPV4);
    return handles_call_stock(HANDLE_ICMP, tvb, pinfo, tree, data);
}

static int
look_at_icmpv6(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    look_at_icmp_error(tvb, pinfo, ADDRESS_IPV6);
    return handles_call_stock(HANDLE_ICMPV6, tvb, pinfo, tree, data);
}

/* The stock dissector shows what is in it once all fragments are there; until then it is to be looked at here. */
static int
look_at_ipv6_fragment(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const size_t captured = tvb_captured_length(tvb);
    const sighting_t *before = frame_sightings_latest(pinfo);
    endpoint_t source, destination;
    ip_packet_t part;
    bool is_first = is_observing() && !pinfo->flags.in_error_pkt && captured > 0 && endpoint_from(&pinfo->src, 0, &source) &&
                    endpoint_from(&pinfo->dst, 0, &destination) &&
                    ip_packet_read_fragment_header(tvb_get_ptr(tvb, 0, (int)captured), captured, &part) && part.is_first_fragment;
    int consumed = handles_call_stock(HANDLE_IPV6_FRAGMENT, tvb, pinfo, tree, data);

    if (is_first && frame_sightings_latest(pinfo) == before) {
        part.source = source;
        part.destination = destination;
        look_at_first_fragment(&part, pinfo);
    }
    return consumed;
}

/* May there be something in an IPv4 packet that no dissector saw: fragmented, or UDP of port 4500? Read from the bytes, for other
 * dissectors change what Wireshark says about ports. */
static bool
is_of_interest(const uint8_t *ip, size_t length)
{
    if (length < IPV4_HEADER_LENGTH)
        return false;
    if ((ip[IPV4_FLAGS_AT] & IPV4_MORE_FRAGMENTS) != 0)
        return true;
    const size_t udp_at = (size_t)(ip[0] & 0x0f) * 4;
    return ip[IPV4_PROTOCOL_AT] == IP_PROTOCOL_UDP && length >= udp_at + UDP_HEADER_LENGTH &&
           (wire_u16(ip + udp_at) == PORT_NAT_TRAVERSAL || wire_u16(ip + udp_at + 2) == PORT_NAT_TRAVERSAL);
}

/* The innermost IPv4 packet of a frame, outside of what ICMP quotes: the IP dissector leaves its addresses as pointers into the frame, which
 * tell where its header is. False: there is none, or it was put together from fragments, or it is of no interest. */
static bool
ipv4_of_frame(tvbuff_t *frame, const packet_info *pinfo, ip_packet_t *ret_packet)
{
    if (pinfo->net_src.type != AT_IPv4 || !pinfo->net_src.data)
        return false;
    const size_t length = tvb_captured_length(frame);
    const uint8_t *bytes = length > 0 ? tvb_get_ptr(frame, 0, (int)length) : NULL, *source = pinfo->net_src.data;
    if (!bytes || source < bytes + IPV4_SOURCE_AT || source >= bytes + length)
        return false;
    const uint8_t *ip = source - IPV4_SOURCE_AT;
    const size_t left = (size_t)(bytes + length - ip);
    return is_of_interest(ip, left) && ip_packet_read(ip, left, ret_packet);
}

/* What stands behind another dissector's back is IPsec as well, if its bytes prove it. */
static void
look_at_hidden(hidden_t *hidden, packet_info *pinfo)
{
    packet_t *packet = &hidden->packet;

    packet->hidden_by = hidden_protocol(pinfo, packet);
    if (packet->hidden_by == NULL)
        return;
    packet->frame = pinfo->num;
    packet->time = observe_time(pinfo);
    packet->encapsulation = ENCAPSULATION_UDP;
    if (!flows_is_ipsec(packet, !PINFO_FD_VISITED(pinfo)))
        return;
    if (has_non_esp_marker(packet)) {
        packet->kind = PACKET_IKE;
        packet_skip(packet, NON_ESP_MARKER_LENGTH);
    } else if (is_nat_keepalive(packet)) {
        packet->kind = PACKET_NAT_KEEPALIVE;
    } else if (has_esp_header(packet)) {
        packet->kind = PACKET_ESP;
    } else {
        return;
    }
    feed(pinfo, packet);
}

void
observe_rest(tvbuff_t *frame, packet_info *pinfo)
{
    ip_packet_t packet;
    hidden_t hidden;

    if (frame_sightings_latest(pinfo))
        return; /* there is no rest */
    bool has_ipv4 = ipv4_of_frame(frame, pinfo, &packet);
    bool may_be_hidden = has_ipv4 ? hidden_in_packet(&packet, &hidden) : hidden_in_ipv6(frame, pinfo, &hidden);
    if (!may_be_hidden && (!has_ipv4 || !packet.is_first_fragment))
        return; /* almost every frame */
    if (!is_observing())
        return;
    if (may_be_hidden)
        look_at_hidden(&hidden, pinfo);
    else
        look_at_first_fragment(&packet, pinfo);
}

/* ---- for the rest of the plugin ---- */

const frame_note_t *
observe_note(packet_info *pinfo)
{
    return PINFO_FD_VISITED(pinfo) ? p_get_proto_data(wmem_file_scope(), pinfo, protocol, KEY_NOTE) : session_note(pinfo);
}

void
observe_register(int plugin_protocol)
{
    protocol = plugin_protocol;
    own_protocol = find_protocol_by_id(plugin_protocol);
    frame_sightings_register(plugin_protocol);
    session_register();
    preferences_register(protocol);
    handles_register();
    flows_register();
    tcp_protocol = tcp_encap_register();
    register_init_routine(handles_adopt);
}

void
observe_handoff(void)
{
    static const dissector_t looks[HANDLES] = { [HANDLE_ESP] = look_at_esp,
                                                [HANDLE_UDPENCAP] = look_at_udpencap,
                                                [HANDLE_AH] = look_at_ah,
                                                [HANDLE_ISAKMP] = look_at_isakmp,
                                                [HANDLE_ICMP] = look_at_icmp,
                                                [HANDLE_ICMPV6] = look_at_icmpv6,
                                                [HANDLE_IPV6_FRAGMENT] = look_at_ipv6_fragment,
                                                [HANDLE_SYSLOG] = look_at_syslog,
                                                [HANDLE_SYSLOG_TCP] = look_at_syslog_in_tcp,
                                                [HANDLE_TCP] = look_at_tcp };

    handles_handoff(looks, look_at_udpencap_first, tcp_protocol);
    handles_add_heuristic(watch_esp_in_udp, look_at_esp_in_udp);
    preferences_apply();
}
