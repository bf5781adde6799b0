/* observe.c - what does the engine get to see of a packet?
 *
 * The functions behind the handles. ESP is fed before the stock dissector runs, so that an outer packet comes before those
 * inside it; IKE after it, so that what it decrypted can be handed over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/observe.h"

#include "observe/decrypted.h"
#include "observe/flows.h"
#include "observe/handles.h"
#include "observe/hidden.h"
#include "observe/icmp.h"
#include "observe/ip_fragment.h"
#include "observe/point.h"
#include "observe/preferences.h"
#include "observe/session.h"
#include "observe/tcp_encap.h"

#include "engine/parse/syslog.h"

#include <epan/exceptions.h>
#include <epan/proto_data.h>

enum {
    KEY_NOTE,      /* file scope: frame_note_t of the frame */
    KEY_SIGHTINGS, /* packet scope: sightings_t of the frame */
};

enum {
    ESP_HEADER = 8,
    SPI_LENGTH = 4,
    NON_ESP_MARKER = 4,
    SPI_RESERVED_MAX = 255, /* RFC 4303 2.1 */
    NAT_KEEPALIVE = 0xff,   /* RFC 3948 2.3 */
};

typedef enum { CARRIED_IN_IP, CARRIED_IN_UDP, CARRIED_IN_TCP } carrier_t;

typedef struct {
    sighting_t *first, *last;
} sightings_t;

static int protocol;
static int tcp_protocol;

static bool
is_observing(void)
{
    return observe_engine() && proto_is_protocol_enabled(find_protocol_by_id(protocol));
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

/* The packet's addresses and ports at this layer, and its bytes. False: not between IP addresses. */
static bool
packet_from(tvbuff_t *tvb, const packet_info *pinfo, carrier_t carrier, packet_t *ret_packet)
{
    const bool has_ports = carrier != CARRIED_IN_IP;
    packet_t packet = { .frame = pinfo->num };

    if (!endpoint_from(&pinfo->src, has_ports ? pinfo->srcport : 0, &packet.source) ||
        !endpoint_from(&pinfo->dst, has_ports ? pinfo->destport : 0, &packet.destination))
        return false;
    packet.captured = tvb_captured_length(tvb);
    packet.reported = MAX(tvb_reported_length(tvb), packet.captured);
    packet.bytes = packet.captured ? tvb_get_ptr(tvb, 0, (int)packet.captured) : NULL;
    packet.time = observe_time(pinfo);
    if (carrier != CARRIED_IN_TCP) /* a message of a stream may come from several frames */
        packet.point =
            (capture_point_t){ .interface = point_interface(pinfo),
                               .hop_limit = point_hop_limit(tvb, pinfo, carrier == CARRIED_IN_UDP ? UDP_HEADER_LENGTH : 0) };
    *ret_packet = packet;
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
    const uint8_t *bytes = packet->bytes;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool
has_esp_header(const packet_t *packet)
{
    /* Manual keys use reserved SPIs all the same. In UDP or TCP they would rather be another protocol on the same port. */
    uint32_t least = packet->encapsulation != ENCAPSULATION_NONE ? SPI_RESERVED_MAX + 1 : 1;

    return packet->reported >= ESP_HEADER && packet->captured >= SPI_LENGTH && spi_of(packet) >= least;
}

static bool
is_nat_keepalive(const packet_t *packet)
{
    return packet->reported == 1 && packet->captured == 1 && packet->bytes[0] == NAT_KEEPALIVE;
}

static bool
has_non_esp_marker(const packet_t *packet)
{
    return packet->captured >= NON_ESP_MARKER && spi_of(packet) == 0;
}

/* ---- towards the engine ---- */

static void
remember_sighting(packet_info *pinfo, const packet_t *packet)
{
    sightings_t *sightings = p_get_proto_data(pinfo->pool, pinfo, protocol, KEY_SIGHTINGS);
    sighting_t *sighting = wmem_new0(pinfo->pool, sighting_t);

    sighting->kind = packet->kind;
    sighting->source = packet->source;
    sighting->destination = packet->destination;
    sighting->spi = packet->kind == PACKET_ESP ? spi_of(packet) : 0;
    if (!sightings) {
        sightings = wmem_new0(pinfo->pool, sightings_t);
        p_add_proto_data(pinfo->pool, pinfo, protocol, KEY_SIGHTINGS, sightings);
    }
    if (sightings->last)
        sightings->last->next = sighting;
    else
        sightings->first = sighting;
    sightings->last = sighting;
}

static void
feed(packet_info *pinfo, const packet_t *packet)
{
    const frame_note_t *note;

    remember_sighting(pinfo, packet);
    if (PINFO_FD_VISITED(pinfo))
        return;
    observe_frame(pinfo);
    note = engine_packet(observe_engine(), packet);
    if (note && !p_get_proto_data(wmem_file_scope(), pinfo, protocol, KEY_NOTE))
        p_add_proto_data(wmem_file_scope(), pinfo, protocol, KEY_NOTE, (void *)note);
}

static void
feed_icmp_error(packet_info *pinfo, const icmp_error_t *error, packet_t *packet)
{
    packet->kind = PACKET_ICMP_ERROR;
    packet->point.hop_limit = 0; /* that was the quoted packet's */
    packet->reporter = error->reporter;
    packet->icmp_type = error->type;
    packet->icmp_code = error->code;
    feed(pinfo, packet);
}

/* A packet quoted by an ICMP error: where in the frame's data its IP payload begins, and so which error it is. */
static void
feed_quoted(tvbuff_t *tvb, packet_info *pinfo, carrier_t carrier, packet_t *packet)
{
    tvbuff_t *source = tvb_get_ds_tvb(tvb);
    const size_t length = tvb_captured_length(source);
    size_t quoted = (size_t)tvb_raw_offset(tvb);
    icmp_error_t error = { .reporter = { .family = ADDRESS_NONE } };

    if (carrier == CARRIED_IN_UDP)
        quoted = quoted >= UDP_HEADER_LENGTH ? quoted - UDP_HEADER_LENGTH : 0;
    if (length > 0)
        icmp_error_find(tvb_get_ptr(source, 0, (int)length), length, quoted, &packet->source, &error);
    packet->quoted = packet->kind;
    feed_icmp_error(pinfo, &error, packet);
}

static void
feed_or_quote(tvbuff_t *tvb, packet_info *pinfo, carrier_t carrier, packet_t *packet)
{
    if (pinfo->flags.in_error_pkt)
        feed_quoted(tvb, pinfo, carrier, packet);
    else
        feed(pinfo, packet);
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
        feed_or_quote(tvb, pinfo, CARRIED_IN_UDP, packet);
    }
    ENDTRY;
    return consumed;
}

/* ---- the functions behind the handles ---- */

static int
look_at_esp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (is_observing() && packet_from(tvb, pinfo, CARRIED_IN_IP, &packet) && has_esp_header(&packet)) {
        packet.kind = PACKET_ESP;
        feed_or_quote(tvb, pinfo, CARRIED_IN_IP, &packet);
    }
    return handles_call_stock(HANDLE_ESP, tvb, pinfo, tree, data);
}

static int
look_at_isakmp(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    packet_t packet;

    if (!is_observing() || !packet_from(tvb, pinfo, CARRIED_IN_UDP, &packet))
        return handles_call_stock(HANDLE_ISAKMP, tvb, pinfo, tree, data);
    if (is_nat_keepalive(&packet)) {
        packet.kind = PACKET_NAT_KEEPALIVE;
        feed_or_quote(tvb, pinfo, CARRIED_IN_UDP, &packet);
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
    if (has_non_esp_marker(&packet)) {
        flows_is_ipsec(&packet, !PINFO_FD_VISITED(pinfo) && !pinfo->flags.in_error_pkt); /* ESP of this flow may be hidden */
        packet.kind = PACKET_IKE;
        packet_skip(&packet, NON_ESP_MARKER);
        return dissect_then_feed_ike(HANDLE_UDPENCAP, tvb, pinfo, tree, data, &packet);
    }
    if (is_nat_keepalive(&packet)) {
        packet.kind = PACKET_NAT_KEEPALIVE;
        feed_or_quote(tvb, pinfo, CARRIED_IN_UDP, &packet);
    } else if (has_esp_header(&packet)) {
        packet.kind = PACKET_ESP;
        feed_or_quote(tvb, pinfo, CARRIED_IN_UDP, &packet);
    }
    return handles_call_stock(HANDLE_UDPENCAP, tvb, pinfo, tree, data);
}

/* UDP port 4500 before lower ports: where another dissector stands at the other port, the bytes decide. */
static int
look_at_udpencap_first(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const uint16_t other = (uint16_t)(pinfo->srcport == UDP_PORT_IPSEC ? pinfo->destport : pinfo->srcport);
    const rival_claim_t rival = other == UDP_PORT_IPSEC ? RIVAL_NONE : handles_rival_at(other);
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
    tvbuff_t *message = tvb_new_subset_remaining(tvb, NON_ESP_MARKER);

    if (!packet)
        return handles_call_stock(HANDLE_ISAKMP, message, pinfo, tree, NULL);
    packet->kind = PACKET_IKE;
    packet_skip(packet, NON_ESP_MARKER);
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
    if (tvb_captured_length(tvb) >= NON_ESP_MARKER && tvb_get_ntohl(tvb, 0) == 0)
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

/* ---- what no dissector saw ---- */

/* Of IKE and ESP, which of the two handles is one of these ports for? HANDLES: neither. */
static handle_t
handle_between(const endpoint_t *source, const endpoint_t *destination)
{
    handle_t handle = handles_at_udp_port(source->port);

    return handle != HANDLES ? handle : handles_at_udp_port(destination->port);
}

static void
look_at_ip_fragment(const ipv4_t *ipv4, packet_info *pinfo)
{
    ip_fragment_t fragment;

    if (!ip_fragment_read(ipv4, &fragment))
        return;
    handle_t handle = handle_between(&fragment.source, &fragment.destination);
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = pinfo->num,
                        .time = observe_time(pinfo),
                        .source = fragment.source,
                        .destination = fragment.destination,
                        .point = { .interface = point_interface(pinfo), .hop_limit = ipv4->hop_limit },
                        .bytes = fragment.payload,
                        .captured = fragment.captured,
                        .reported = fragment.reported,
                        .is_ip_fragment = true };
    if (handle == HANDLES)
        return;
    if (handle == HANDLE_UDPENCAP) {
        if (!has_non_esp_marker(&packet))
            return;
        packet.encapsulation = ENCAPSULATION_UDP;
        packet_skip(&packet, NON_ESP_MARKER);
    }
    feed(pinfo, &packet);
}

static void
look_at_bare_quote(const ipv4_t *ipv4, packet_info *pinfo)
{
    icmp_bare_quote_t quote;

    if (!icmp_bare_quote_read(ipv4, &quote))
        return;
    handle_t handle = handle_between(&quote.source, &quote.destination);
    packet_t packet = { .frame = pinfo->num,
                        .time = observe_time(pinfo),
                        .source = quote.source,
                        .destination = quote.destination,
                        .encapsulation = handle == HANDLE_UDPENCAP ? ENCAPSULATION_UDP : ENCAPSULATION_NONE,
                        .quoted = PACKET_IKE };
    if (handle != HANDLES)
        feed_icmp_error(pinfo, &quote.error, &packet);
}

/* What stands behind another dissector's back is IPsec as well, if its bytes prove it. */
static void
look_at_hidden(hidden_t *hidden, packet_info *pinfo)
{
    packet_t *packet = &hidden->packet;

    packet->hidden_by = hidden_protocol(pinfo);
    if (packet->hidden_by == NULL)
        return;
    packet->frame = pinfo->num;
    packet->time = observe_time(pinfo);
    packet->encapsulation = ENCAPSULATION_UDP;
    if (!flows_is_ipsec(packet, !PINFO_FD_VISITED(pinfo)))
        return;
    if (has_non_esp_marker(packet)) {
        packet->kind = PACKET_IKE;
        packet_skip(packet, NON_ESP_MARKER);
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
    ipv4_t ipv4;
    hidden_t hidden;

    bool has_ipv4 = ipv4_of_frame(frame, pinfo, &ipv4);
    bool may_be_hidden = has_ipv4 ? hidden_in_ipv4(&ipv4, &hidden) : hidden_in_ipv6(frame, pinfo, &hidden);
    if (!may_be_hidden && (!has_ipv4 || (!ipv4.is_first_fragment && ipv4.protocol != IPV4_PROTOCOL_ICMP)))
        return; /* almost every frame */
    if (!is_observing() || observe_sightings(pinfo))
        return;
    if (may_be_hidden) {
        look_at_hidden(&hidden, pinfo);
        return;
    }
    look_at_ip_fragment(&ipv4, pinfo);
    look_at_bare_quote(&ipv4, pinfo);
}

/* ---- for the rest of the plugin ---- */

const sighting_t *
observe_sightings(packet_info *pinfo)
{
    const sightings_t *sightings = p_get_proto_data(pinfo->pool, pinfo, protocol, KEY_SIGHTINGS);

    return sightings ? sightings->first : NULL;
}

const frame_note_t *
observe_note(packet_info *pinfo)
{
    return p_get_proto_data(wmem_file_scope(), pinfo, protocol, KEY_NOTE);
}

void
observe_register(int own_protocol)
{
    protocol = own_protocol;
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
    static const dissector_t looks[HANDLES] = {
        [HANDLE_ESP] = look_at_esp,       [HANDLE_UDPENCAP] = look_at_udpencap,        [HANDLE_ISAKMP] = look_at_isakmp,
        [HANDLE_SYSLOG] = look_at_syslog, [HANDLE_SYSLOG_TCP] = look_at_syslog_in_tcp, [HANDLE_TCP] = look_at_tcp
    };

    handles_handoff(looks, look_at_udpencap_first, tcp_protocol);
    preferences_apply();
}
