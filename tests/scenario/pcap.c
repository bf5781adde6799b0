/* pcap.c - Ethernet, IPv4, UDP, TCP and ICMP around the packets of a story. Frame numbers are those of the scenario runner.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pcap.h"

#include "bytes.h"

#include <stdio.h>
#include <string.h>

enum {
    PCAP_MAGIC_NANOSECONDS = 0xa1b23c4d,
    LINK_ETHERNET = 1,
    IP_ICMP = 1,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_ESP = 50,
    IP_AH = 51,
    IP_NO_NEXT_HEADER = 59,
};

static unsigned
checksum(const uint8_t *bytes, unsigned length)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void
put_ipv4(GByteArray *out, const endpoint_t *source, const endpoint_t *destination, unsigned protocol, unsigned payload, unsigned id)
{
    unsigned start = out->len;

    put_u16(out, 0x4500);
    put_u16(out, 20 + payload);
    put_u16(out, id & 0xffff);
    put_u16(out, 0);
    put_u8(out, 64);
    put_u8(out, protocol);
    put_u16(out, 0);
    g_byte_array_append(out, source->address, 4);
    g_byte_array_append(out, destination->address, 4);
    set_u16(out, start + 10, checksum(out->data + start, 20));
}

#define STREAM_PREFIX "IKETCP" /* RFC 9329 4 */

/* Where in its TCP stream the sender of this view is; 0: nothing was sent yet. */
static unsigned *
stream_position(GHashTable *streams, const endpoint_t *from, const endpoint_t *to)
{
    char sender[ENDPOINT_TEXT_MAX], receiver[ENDPOINT_TEXT_MAX];
    char *key = g_strconcat(endpoint_text(from, sender), " ", endpoint_text(to, receiver), NULL);
    unsigned *position = g_hash_table_lookup(streams, key);

    if (position == NULL) {
        position = g_new0(unsigned, 1);
        g_hash_table_insert(streams, key, position);
    } else {
        g_free(key);
    }
    return position;
}

/* A TCP segment with one record (RFC 9329 3), and the stream prefix before it if it is the connection's first. */
static void
put_tcp(GByteArray *out, const view_t *view, packet_kind_t kind, unsigned id, GHashTable *streams)
{
    const GByteArray *bytes = view->shot->bytes;
    unsigned *position = stream_position(streams, &view->source, &view->destination);
    unsigned *acknowledged = stream_position(streams, &view->destination, &view->source);
    unsigned marker = kind == PACKET_IKE ? 4 : 0;
    unsigned prefix = *position == 0 && *acknowledged == 0 ? (unsigned)strlen(STREAM_PREFIX) : 0;
    unsigned payload = prefix + 2 + marker + bytes->len;

    put_ipv4(out, &view->source, &view->destination, IP_TCP, 20 + payload, id);
    put_u16(out, view->source.port);
    put_u16(out, view->destination.port);
    put_u32(out, *position + 1);
    put_u32(out, *acknowledged + 1);
    put_u32(out, 0x5018ffff); /* header of 20 bytes, PSH and ACK, window */
    put_zeros(out, 4);
    g_byte_array_append(out, (const guint8 *)STREAM_PREFIX, prefix);
    put_u16(out, 2 + marker + bytes->len);
    put_zeros(out, marker);
    *position += payload;
}

/* The IP packet that carries an IKE, ESP or keepalive packet; `length` bytes of it were there, `captured` are written. */
static void
put_transport(GByteArray *out, const view_t *view, packet_kind_t kind, unsigned id, GHashTable *streams)
{
    const GByteArray *bytes = view->shot->bytes;
    encapsulation_t encapsulation = view->shot->encapsulation;
    unsigned marker = kind == PACKET_IKE && encapsulation == ENCAPSULATION_UDP && bytes->len > 0 ? 4 : 0;

    if (encapsulation == ENCAPSULATION_TCP) {
        put_tcp(out, view, kind, id, streams);
    } else if ((kind == PACKET_ESP || kind == PACKET_ESP_FRAGMENT) && encapsulation == ENCAPSULATION_NONE) {
        bool is_ah = view->shot->is_ah;

        put_ipv4(out, &view->source, &view->destination, is_ah ? IP_AH : IP_ESP, (is_ah ? 4 : 0) + bytes->len, id);
        if (is_ah) { /* RFC 4302 2: next header (none), length in words without the first two; the rest serves as ICV */
            put_u8(out, IP_NO_NEXT_HEADER);
            put_u8(out, MIN((4 + bytes->len) / 4 - 2, 255));
            put_u16(out, 0);
        }
    } else {
        put_ipv4(out, &view->source, &view->destination, IP_UDP, 8 + marker + bytes->len, id);
        put_u16(out, view->source.port);
        put_u16(out, view->destination.port);
        put_u16(out, 8 + marker + bytes->len);
        put_u16(out, 0);
        put_zeros(out, marker);
    }
    g_byte_array_append(out, bytes->data, (guint)view->captured);
}

/* The last 8 bytes of it went into another IP packet, which the capture does not have. */
static void
put_first_fragment(GByteArray *out, const view_t *view, unsigned id, GHashTable *streams)
{
    unsigned start = out->len;

    put_transport(out, view, PACKET_ESP_FRAGMENT, id, streams);
    unsigned length = (out->len - start - 20) / 8 * 8 - 8;
    g_byte_array_set_size(out, start + 20 + length);
    set_u16(out, start + 2, 20 + length);
    set_u16(out, start + 6, 0x2000);
    set_u16(out, start + 10, 0);
    set_u16(out, start + 10, checksum(out->data + start, 20));
}

static void
put_icmp(GByteArray *out, const view_t *view, unsigned id, GHashTable *streams)
{
    GByteArray *quote = g_byte_array_new();
    endpoint_t to = view->source;
    unsigned start;

    put_transport(quote, view, view->shot->quoted, id + 1, streams);
    put_ipv4(out, &view->shot->reporter, &to, IP_ICMP, 8 + quote->len, id);
    start = out->len;
    put_u8(out, view->shot->icmp_type);
    put_u8(out, view->shot->icmp_code);
    put_u16(out, 0);
    put_u32(out, view->shot->icmp_mtu);
    put_bytes(out, quote);
    set_u16(out, start + 2, checksum(out->data + start, out->len - start));
    g_byte_array_free(quote, TRUE);
}

/* An ARP request: a frame that has nothing to do with any tunnel. */
static void
put_foreign(GByteArray *out)
{
    put_u32(out, 0x00010800);
    put_u32(out, 0x06040001);
    put_zeros(out, 20);
}

static void
put_ethernet(GByteArray *out, unsigned type)
{
    put_u32(out, 0x02000000);
    put_u32(out, 0x00020200);
    put_u32(out, 0x00000001);
    put_u16(out, type);
}

static void
put_little_u32(GByteArray *out, uint32_t value)
{
    put_u32(out, GUINT32_SWAP_LE_BE(value));
}

static void
put_record(GByteArray *out, const view_t *view, unsigned id, GHashTable *streams)
{
    GByteArray *frame = g_byte_array_new();
    unsigned missing = 0;

    put_ethernet(frame, view->shot->is_foreign ? 0x0806 : 0x0800);
    if (view->shot->is_foreign)
        put_foreign(frame);
    else if (view->shot->kind == PACKET_ICMP_ERROR)
        put_icmp(frame, view, id, streams);
    else if (view->shot->kind == PACKET_ESP_FRAGMENT)
        put_first_fragment(frame, view, id, streams);
    else
        put_transport(frame, view, view->shot->kind, id, streams);
    if (!view->shot->is_foreign)
        missing = view->shot->bytes->len - (unsigned)view->captured;
    put_little_u32(out, (uint32_t)(view->time / SECONDS(1)));
    put_little_u32(out, (uint32_t)(view->time % SECONDS(1)));
    put_little_u32(out, frame->len);
    put_little_u32(out, frame->len + missing);
    put_bytes(out, frame);
    g_byte_array_free(frame, TRUE);
}

bool
pcap_write(const char *file, const GArray *views)
{
    GByteArray *out = g_byte_array_new();
    GHashTable *streams = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GError *error = NULL;

    put_little_u32(out, PCAP_MAGIC_NANOSECONDS);
    put_little_u32(out, 4u << 16 | 2);
    put_little_u32(out, 0);
    put_little_u32(out, 0);
    put_little_u32(out, 262144);
    put_little_u32(out, LINK_ETHERNET);
    for (unsigned i = 0; i < views->len; i++)
        put_record(out, &g_array_index(views, view_t, i), (i + 1) * 2, streams);
    g_hash_table_destroy(streams);
    if (!g_file_set_contents(file, (const char *)out->data, (gssize)out->len, &error)) {
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
        g_byte_array_free(out, TRUE);
        return false;
    }
    g_byte_array_free(out, TRUE);
    return true;
}
