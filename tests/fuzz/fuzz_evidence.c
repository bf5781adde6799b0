/* fuzz_evidence.c - ICMP errors, quoted packets, fragments and log lines of any bytes: do their readers keep their promises? A libFuzzer
 * entry point.
 *
 * Input: which reader, a byte by which the capture is cut, the bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "require.h"

#include "engine/parse/icmp_error.h"
#include "engine/parse/ip_packet.h"
#include "engine/parse/syslog.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { READ_IP, READ_FRAGMENT_HEADER, READ_ICMP, READ_ICMP_V6, READ_SYSLOG, READERS };

static void
require_inside(const cursor_t *part, const cursor_t *whole)
{
    require(part->left <= whole->left);
    require(part->left == 0 || (part->next >= whole->next && part->next + part->left <= whole->next + whole->left));
}

static void
require_sane_packet(const ip_packet_t *packet, const cursor_t *whole, bool has_addresses)
{
    udp_datagram_t datagram;
    endpoint_t from, to;

    require_inside(&packet->payload, whole);
    require(packet->payload.left <= packet->payload_length);
    require(packet->payload_length <= packet->length);
    require(!has_addresses || packet->source.family == ADDRESS_IPV4 || packet->source.family == ADDRESS_IPV6);
    require(packet->source.family == packet->destination.family && packet->source.port == 0 && packet->destination.port == 0);
    require(!packet->is_first_fragment || !packet->is_later_fragment);
    if (ip_packet_read_udp(packet, &datagram)) {
        require(packet->protocol == IP_PROTOCOL_UDP && !packet->is_later_fragment);
        require_inside(&datagram.payload, &packet->payload);
        require(datagram.payload.left <= datagram.payload_length);
        require(endpoint_same_address(&datagram.source, &packet->source));
    }
    if (ip_packet_read_tcp_ports(packet, &from, &to))
        require(packet->protocol == IP_PROTOCOL_TCP && !packet->is_later_fragment);
}

static bool
read_packet(unsigned reader, const cursor_t *bytes, ip_packet_t *ret_packet)
{
    bool is_read = reader == READ_IP ? ip_packet_read(bytes->next, bytes->left, ret_packet)
                                     : ip_packet_read_fragment_header(bytes->next, bytes->left, ret_packet);

    if (is_read)
        require_sane_packet(ret_packet, bytes, reader == READ_IP);
    return is_read;
}

/* What a cut packet says, the whole one says too. */
static void
require_packet(unsigned reader, const cursor_t *whole, const cursor_t *cut)
{
    ip_packet_t packet, less;

    bool is_read = read_packet(reader, whole, &packet);
    if (!read_packet(reader, cut, &less))
        return;
    require(is_read && less.payload_length <= packet.payload_length && less.protocol == packet.protocol);
    require(reader != READ_IP || endpoint_equal(&less.source, &packet.source));
    require(less.payload.left <= packet.payload.left);
}

static void
require_icmp(address_family_t family, const cursor_t *bytes)
{
    icmp_error_t error;

    if (!icmp_error_read(family, bytes->next, bytes->left, &error))
        return;
    require(icmp_is_error(family, error.type));
    require(icmp_meaning(family, error.type, error.code) <= ICMP_OTHER);
    require(icmp_words(family, error.type, error.code)[0] != '\0');
    require_sane_packet(&error.quoted, bytes, true);
}

static void
require_syslog(const cursor_t *bytes)
{
    cursor_t text = *bytes;
    size_t left = text.left;
    syslog_report_t report;
    unsigned reports = 0;

    for (; syslog_next_report(&text, &report); reports++, left = text.left) {
        require(text.left < left);
        require_inside(&text, bytes);
        require(report.spi != 0 && (report.protocol == 0 || report.protocol == 50 || report.protocol == 51));
        require(report.source.port == 0 && report.destination.port == 0);
    }
    require(text.left == 0);
    require(syslog_has_report(bytes->next, bytes->left) == (reports > 0));
}

static void
run(unsigned reader, const cursor_t *whole, const cursor_t *cut)
{
    switch (reader) {
    case READ_IP:
    case READ_FRAGMENT_HEADER:
        require_packet(reader, whole, cut);
        break;
    case READ_ICMP:
        require_icmp(ADDRESS_IPV4, cut);
        break;
    case READ_ICMP_V6:
        require_icmp(ADDRESS_IPV6, cut);
        break;
    default:
        require_syslog(cut);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cursor_t input = cursor_over(data, size);
    uint8_t reader, cut;

    if (!cursor_u8(&input, &reader) || !cursor_u8(&input, &cut))
        return 0;
    /* Blocks of the right size: a sanitizer sees every read beyond them. */
    size_t left = input.left - MIN(cut, input.left);
    uint8_t *bytes = g_memdup2(input.next, input.left), *fewer = g_memdup2(input.next, left);
    cursor_t whole = cursor_over(bytes, input.left), part = cursor_over(fewer, left);

    run(reader % READERS, &whole, &part);
    g_free(bytes);
    g_free(fewer);
    return 0;
}
