/* world.c - a small world of tunnels whose story is told by a fuzzer's input. See world.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "world.h"

#include "engine/parse/cursor.h"
#include "engine/parse/ike_message.h"

#include "require.h"

#include <string.h>

#define MESSAGE_MAX 1600u

enum {
    RECORD_IKE_V2,
    RECORD_IKE_V1,
    RECORD_ESP,
    RECORD_KEEPALIVE,
    RECORD_ICMP,
    RECORD_SYSLOG,
    RECORD_RAW,
    RECORD_AGAIN,
    RECORD_END
};

/* Which record, by the low four bits of its first byte. */
static const uint8_t record_of[16] = { RECORD_IKE_V2, RECORD_IKE_V2, RECORD_IKE_V2, RECORD_IKE_V2, RECORD_IKE_V2, RECORD_SYSLOG,
                                       RECORD_IKE_V1, RECORD_IKE_V1, RECORD_IKE_V1, RECORD_ESP,    RECORD_ESP,    RECORD_KEEPALIVE,
                                       RECORD_ICMP,   RECORD_RAW,    RECORD_AGAIN,  RECORD_END };

/* How much later than the record before, by the high four bits. The last two: no time; any time (eight bytes follow). */
static const int64_t step_of[14] = {
    0,          MILLISECONDS(1), MILLISECONDS(30), MILLISECONDS(250), SECONDS(1),       SECONDS(2),  SECONDS(4),
    SECONDS(8), SECONDS(15),     SECONDS(61),      SECONDS(3600),     -MILLISECONDS(1), -SECONDS(5), SECONDS(400000),
};
enum { STEP_NO_TIME = 14, STEP_ANY_TIME = 15 };

typedef struct {
    uint8_t bytes[MESSAGE_MAX];
    size_t length;
} buffer_t;

/* What the capture says of where it was made. */
typedef enum {
    POINTS_UNKNOWN,
    POINTS_UNKNOWN_TOO, /* half of all inputs: most captures are so */
    POINTS_ONE,
    POINTS_TWO /* a packet comes by both, unless it is lost between them */
} points_t;

typedef struct {
    cursor_t input;
    engine_t *engine;
    frame_t frame;
    capture_ns_t time;
    unsigned ends;
    points_t points;
    bool is_mapped_between; /* POINTS_TWO: a NAT has the second at its outside */
    packet_t last;          /* to send again; its bytes are in `message` and `plaintext` */
    buffer_t message, plaintext;
    const world_watcher_t *watcher;
} world_t;

/* ---- input ---- */

static uint8_t
take(world_t *world)
{
    uint8_t value = 0;

    if (!cursor_u8(&world->input, &value))
        return 0;
    return value;
}

static uint32_t
take_u32(world_t *world)
{
    uint32_t value = (uint32_t)take(world) << 24;

    value |= (uint32_t)take(world) << 16;
    value |= (uint32_t)take(world) << 8;
    return value | take(world);
}

/* ---- bytes to send ---- */

static void
put(buffer_t *buffer, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0 && buffer->length < MESSAGE_MAX)
        buffer->bytes[buffer->length++] = (uint8_t)(bytes < sizeof(value) ? value >> 8 * bytes : 0);
}

static void
put_input(world_t *world, buffer_t *buffer, unsigned bytes)
{
    while (bytes-- > 0)
        put(buffer, take(world), 1);
}

static void
put_noise(buffer_t *buffer, unsigned bytes, uint8_t seed)
{
    while (bytes-- > 0)
        put(buffer, seed = (uint8_t)(seed * 5u + 17u), 1);
}

static void
patch_u16(buffer_t *buffer, size_t at, size_t value)
{
    if (at + 1 < buffer->length) {
        buffer->bytes[at] = (uint8_t)(value >> 8);
        buffer->bytes[at + 1] = (uint8_t)value;
    }
}

uint32_t
world_esp_spi(uint8_t choice)
{
    static const uint32_t spis[8] = { 0xc0000001, 0xc0000002, 0xc0000003, 0xc0000004, 0xc0000005, 0x100, 1, 0xffffffff };
    return spis[choice % 8];
}

static uint64_t
ike_spi(uint8_t choice)
{
    static const uint64_t spis[8] = {
        0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444, 0x1111111111111112, 0xffffffffffffffff, 1, 0
    };
    return spis[choice % 8];
}

/* ---- payloads ---- */

static void
put_notify(world_t *world, buffer_t *to, unsigned major)
{
    static const uint16_t types_v2[16] = { 4, 7, 9, 11, 14, 17, 24, 34, 38, 43, 44, 16384, 16388, 16390, 16393, 16400 };
    static const uint16_t types_v1[16] = { 14, 18, 24, 11, 4, 7, 36136, 36137, 24576, 24578, 16, 29, 31, 32, 9, 5 };
    uint8_t choice = take(world), data = take(world);
    uint16_t type = major == 2 ? types_v2[choice % 16] : types_v1[choice % 16];

    if (choice >= 0xf0)
        type = (uint16_t)take_u32(world);
    unsigned spi_size = (choice & 0x10) != 0 ? 4 : (choice & 0x20) != 0 ? data % 20u : 0;
    if (major == 1)
        put(to, 1, 4);
    put(to, choice & 3u, 1);
    put(to, spi_size, 1);
    put(to, type, 2);
    if (spi_size == 4)
        put(to, world_esp_spi(data), 4);
    else
        put_noise(to, spi_size, data);
    if ((choice & 0x40) != 0)
        put(to, type == NOTIFY_INVALID_KE_PAYLOAD ? 19u : world_esp_spi(data), type == NOTIFY_INVALID_KE_PAYLOAD ? 2 : 4);
    else if ((choice & 0x80) != 0)
        put_noise(to, data % 40u, data);
}

static void
put_delete(world_t *world, buffer_t *to, unsigned major)
{
    uint8_t choice = take(world);
    unsigned protocol = 1 + choice % 3u, count = (choice >> 2) % 8u, size = protocol == 1 ? (major == 2 ? 0 : 16) : 4;

    if (major == 1)
        put(to, 1, 4);
    put(to, protocol, 1);
    put(to, size, 1);
    put(to, (choice & 0x80) != 0 ? 0xffff : count, 2);
    for (unsigned i = 0; i < count; i++)
        put(to, size == 4 ? world_esp_spi(take(world)) : 0, size);
}

static void
put_sa_v2(world_t *world, buffer_t *to)
{
    uint8_t choice = take(world), spi = take(world);
    unsigned protocol = 1 + choice % 3u, spi_size = protocol == 1 ? ((choice & 8) != 0 ? 8 : 0) : 4,
             transforms = (choice >> 4) & 7u;
    size_t begin = to->length;

    put(to, (choice & 0x80) != 0 ? 2 : 0, 1);
    put(to, 0, 3);
    put(to, 1, 1);
    put(to, protocol, 1);
    put(to, spi_size, 1);
    put(to, transforms, 1);
    put(to, spi_size == 8 ? ike_spi(spi) : world_esp_spi(spi), spi_size);
    for (unsigned i = 0; i < transforms; i++) {
        uint8_t transform = take(world);
        bool has_key_length = transform % 5u == 0;
        put(to, i + 1 < transforms ? 3 : 0, 1);
        put(to, has_key_length ? 12 : 8, 3);
        put(to, 1u + transform % 5u, 1);
        put(to, 0, 1);
        put(to, transform / 5u, 2);
        if (has_key_length)
            put(to, 0x800e0100, 4);
    }
    patch_u16(to, begin + 2, to->length - begin);
}

static void
put_sa_v1(world_t *world, buffer_t *to)
{
    uint8_t choice = take(world), spi = take(world);
    unsigned protocol = (choice & 1) != 0 ? 1 : 3, spi_size = protocol == 1 ? 0 : 4, attributes = (choice >> 4) & 7u;
    size_t begin;

    put(to, 1, 4);
    put(to, 1, 4);
    begin = to->length;
    put(to, 0, 4);
    put(to, 1, 1);
    put(to, protocol, 1);
    put(to, spi_size, 1);
    put(to, 1, 1);
    put(to, world_esp_spi(spi), spi_size);
    size_t transform = to->length;
    put(to, 0, 4);
    put(to, 1, 1);
    put(to, protocol == 1 ? 1 : 12, 1);
    put(to, 0, 2);
    for (unsigned i = 0; i < attributes; i++) {
        uint8_t attribute = take(world);
        if ((attribute & 0x40) != 0) {
            put(to, attribute & 0x0f, 2);
            put(to, 4, 2);
            put(to, (uint64_t)attribute * 3600u, 4);
        } else {
            put(to, 0x8000u | (attribute & 0x0fu), 2);
            put(to, attribute >> 4, 2);
        }
    }
    patch_u16(to, transform + 2, to->length - transform);
    patch_u16(to, begin + 2, to->length - begin);
}

/* Peers call themselves what they like. */
static void
put_identity(world_t *world, buffer_t *to)
{
    static const uint8_t types[8] = { 2, 3, 2, 3, 11, 9, 1, 5 };
    uint8_t choice = take(world);

    put(to, types[choice % 8], 1);
    put(to, 0, 3);
    put_input(world, to, choice >> 2);
}

static void
put_body(world_t *world, buffer_t *to, unsigned major, uint8_t type)
{
    switch (type) {
    case PAYLOAD_V1_SA:
        put_sa_v1(world, to);
        break;
    case PAYLOAD_SA:
        put_sa_v2(world, to);
        break;
    case PAYLOAD_V1_NOTIFY:
    case PAYLOAD_NOTIFY:
        put_notify(world, to, major);
        break;
    case PAYLOAD_V1_DELETE:
    case PAYLOAD_DELETE:
        put_delete(world, to, major);
        break;
    case PAYLOAD_KE:
        put(to, take(world), 2);
        put(to, 0, 2);
        put_noise(to, 32, 1);
        break;
    case PAYLOAD_EAP:
        put(to, take(world), 1);
        put(to, 1, 1);
        put(to, 4, 2);
        break;
    case PAYLOAD_IDI:
    case PAYLOAD_IDR:
    case PAYLOAD_V1_ID:
        put_identity(world, to);
        break;
    case PAYLOAD_NONCE:
    case PAYLOAD_V1_NONCE:
    case PAYLOAD_V1_HASH:
    case PAYLOAD_V1_KE:
    case PAYLOAD_AUTH:
        put_noise(to, 20, type);
        break;
    default:
        put_input(world, to, take(world) % 32u);
        break;
    }
}

static uint8_t
payload_type(unsigned major, uint8_t choice)
{
    static const uint8_t types_v2[16] = { 33, 34, 40, 41, 41, 41, 42, 35, 36, 39, 44, 45, 47, 48, 43, 49 };
    static const uint8_t types_v1[16] = { 1, 4, 5, 8, 10, 11, 11, 12, 12, 20, 130, 13, 6, 7, 14, 132 };
    return major == 2 ? types_v2[choice % 16] : types_v1[choice % 16];
}

/* A chain of payloads. Returns the type of the first. One length in a while is wrong. */
static uint8_t
put_chain(world_t *world, buffer_t *to, unsigned major, unsigned count)
{
    uint8_t first = PAYLOAD_NONE;
    size_t before = SIZE_MAX;

    for (unsigned i = 0; i < count; i++) {
        uint8_t choice = take(world), type = payload_type(major, choice);
        size_t begin = to->length;
        if (before == SIZE_MAX)
            first = type;
        else if (before < to->length)
            to->bytes[before] = type;
        before = begin;
        put(to, 0, 4);
        put_body(world, to, major, type);
        size_t length = to->length - begin;
        if (choice >= 0xf0)
            length = (choice & 1) != 0 ? take(world) : 0xffffu - take(world);
        patch_u16(to, begin + 2, length);
    }
    return first;
}

/* ---- packets ---- */

endpoint_t
world_address(uint8_t choice)
{
    static const uint16_t ports[8] = { 500, 4500, 1024, 12366, 4500, 500, 0, 12346 };
    endpoint_t endpoint = { .family = ADDRESS_IPV4,
                            .address = { 192, 0, 2, (uint8_t)(1u + choice % 4u) },
                            .port = ports[(choice >> 3) % 8] };

    if ((choice & 4) != 0) {
        endpoint.family = ADDRESS_IPV6;
        endpoint.address[15] = 9;
    }
    if (choice == 0xff)
        endpoint = (endpoint_t){ .family = ADDRESS_NONE };
    return endpoint;
}

static void
hand_over(world_t *world, packet_t packet)
{
    uint8_t *bytes = g_memdup2(packet.bytes, packet.captured), *decrypted = g_memdup2(packet.decrypted, packet.decrypted_length);

    packet.bytes = bytes; /* blocks of the right size: a sanitizer sees every read beyond them */
    packet.decrypted = decrypted;
    uint32_t interface = packet.point.interface;
    if (engine_interface_heard(world->engine, interface, packet.time))
        engine_interface_name(world->engine, interface, interface - 1, world->watcher->interface_name[interface - 1]);
    const frame_note_t *note = engine_packet(world->engine, &packet);
    require(note == NULL || note == engine_note(world->engine, packet.frame));
    g_free(bytes);
    g_free(decrypted);
}

/* The same packet at the second place: one router on, and a moment later. */
static void
hand_over_beyond(world_t *world, packet_t packet)
{
    packet.frame = ++world->frame;
    if (packet.time != CAPTURE_TIME_NONE && !__builtin_add_overflow(packet.time, MILLISECONDS(1), &packet.time))
        world->time = packet.time;
    packet.point.interface = 2;
    packet.point.hop_limit--;
    if (world->is_mapped_between) {
        endpoint_t inside = world_address(0), outside = world_address(2);
        if (endpoint_same_address(&packet.source, &inside))
            memcpy(packet.source.address, outside.address, sizeof(outside.address));
        if (endpoint_same_address(&packet.destination, &inside))
            memcpy(packet.destination.address, outside.address, sizeof(outside.address));
    }
    hand_over(world, packet);
}

static void
send_packet(world_t *world, packet_t packet)
{
    uint8_t cut = take(world);

    packet.frame = ++world->frame;
    packet.time = world->time;
    packet.reported = packet.captured;
    if (cut >= 0xf0) /* a snaplen */
        packet.captured = MIN(packet.captured, (size_t)take(world));
    else if (cut >= 0xe0) /* several packets in one frame */
        packet.frame = world->frame > 1 ? --world->frame : 1;
    if (world->points >= POINTS_ONE)
        packet.point = (capture_point_t){ .interface = 1, .hop_limit = (uint8_t)(64u - (cut & 3u) / 3u) };
    world->last = packet;
    bool is_lost_between = (cut & 0xf0) == 0xd0, is_missed_before = (cut & 0xf0) == 0xc0;
    if (world->points < POINTS_TWO || !is_missed_before)
        hand_over(world, packet);
    else
        world->frame--; /* no frame was captured */
    if (world->points == POINTS_TWO && !is_lost_between)
        hand_over_beyond(world, packet);
}

/* Usual directions are two: from the first address to the second, and back. */
static packet_t
packet_between(world_t *world, packet_kind_t kind)
{
    uint8_t way = take(world);
    packet_t packet = { .kind = kind,
                        .encapsulation = (encapsulation_t)((way >> 2) % ENCAPSULATIONS),
                        .is_ip_fragment = (way & 0xf0) == 0xf0,
                        .hidden_by = (way & 0xf0) == 0xe0 ? "OpenVPN" : NULL,
                        .is_excerpt = (way & 0xf0) == 0xd0 };

    packet.source = world_address(0);
    packet.destination = world_address(1);
    if ((way & 2) != 0) {
        packet.source = world_address(take(world));
        packet.destination = world_address(take(world));
    }
    if ((way & 1) != 0) {
        endpoint_t swap = packet.source;
        packet.source = packet.destination;
        packet.destination = swap;
    }
    packet.bytes = world->message.bytes;
    return packet;
}

/* What somebody with keys made of it: nothing, the truth, less than that, rubbish. */
static void
hand_over_plaintext(world_t *world, packet_t *packet, uint8_t choice)
{
    buffer_t *plaintext = &world->plaintext;

    if (choice % 4u == 0)
        return;
    if (choice % 4u == 2)
        plaintext->length -= plaintext->length > 0;
    else if (choice % 4u == 3 && plaintext->length > 0)
        plaintext->bytes[choice % plaintext->length] ^= choice;
    packet->decrypted = plaintext->bytes;
    packet->decrypted_length = plaintext->length;
}

static void
put_header(world_t *world, uint8_t spis, uint8_t version, uint8_t exchange, uint8_t flags)
{
    static const uint32_t ids[8] = { 0, 1, 2, 3, 4, 5, 0xffffffff, 0x7fffffff };
    uint8_t id = take(world);

    put(&world->message, ike_spi(spis & 7u), 8);
    put(&world->message, (spis & 0x80) != 0 ? 0 : ike_spi((spis >> 3) & 7u), 8);
    put(&world->message, 0, 1);
    put(&world->message, version, 1);
    put(&world->message, exchange, 1);
    put(&world->message, flags, 1);
    put(&world->message, id < 0xe0 ? (id & 8) != 0 ? id >> 4 : ids[id % 8] : take_u32(world), 4);
    put(&world->message, 0, 4);
}

static void
finish_message(world_t *world, uint8_t first, uint8_t lie)
{
    size_t length = world->message.length;

    world->message.bytes[16] = first;
    if (lie == 0xff)
        length = take_u32(world);
    world->message.bytes[24] = (uint8_t)(length >> 24);
    world->message.bytes[25] = (uint8_t)(length >> 16);
    world->message.bytes[26] = (uint8_t)(length >> 8);
    world->message.bytes[27] = (uint8_t)length;
}

/* SK or SKF around a chain: an IV of 16 bytes, the plaintext, an ICV of 16. */
static void
put_encrypted(world_t *world, uint8_t form, uint8_t *ret_first)
{
    buffer_t *message = &world->message;
    bool is_fragment = (form & 0x60) == 0x60;
    uint8_t inner = put_chain(world, &world->plaintext, 2, form & 7u), number = is_fragment ? take(world) : 0;
    size_t begin = message->length;

    put(&world->plaintext, 0, 1); /* pad length */
    put(message, !is_fragment || (number & 15u) == 1 ? inner : 0, 1);
    put(message, 0, 3);
    if (is_fragment) {
        put(message, number == 0xff ? 0xffff : number & 15u, 2);
        put(message, number == 0xff ? 0xffff : number >> 4, 2);
    }
    put_noise(message, 32 + (unsigned)world->plaintext.length, form);
    patch_u16(message, begin + 2, message->length - begin);
    *ret_first = is_fragment ? PAYLOAD_FRAGMENT : PAYLOAD_ENCRYPTED;
}

static void
ike_v2(world_t *world)
{
    static const uint8_t exchanges[16] = { 34, 34, 35, 35, 36, 36, 36, 37, 37, 37, 37, 43, 44, 38, 40, 255 };
    uint8_t type = take(world), spis = take(world), form = take(world), keys = take(world), first;
    bool is_clear = (form & 0x60) == 0;
    packet_t packet = packet_between(world, PACKET_IKE);

    world->message.length = world->plaintext.length = 0;
    put_header(world, spis, 0x20, exchanges[type % 16], (uint8_t)((type & 0x10) >> 1 | (type & 0x20)));
    if (is_clear)
        first = put_chain(world, &world->message, 2, form & 7u);
    else
        put_encrypted(world, form, &first);
    finish_message(world, first, keys);
    hand_over_plaintext(world, &packet, keys);
    packet.captured = world->message.length;
    send_packet(world, packet);
}

static void
ike_v1(world_t *world)
{
    static const uint8_t exchanges[16] = { 2, 2, 2, 2, 4, 5, 5, 5, 32, 32, 32, 32, 6, 33, 1, 0 };
    uint8_t type = take(world), spis = take(world), form = take(world), keys = take(world), first;
    bool is_encrypted = (form & 0x40) != 0;
    packet_t packet = packet_between(world, PACKET_IKE);

    world->message.length = world->plaintext.length = 0;
    put_header(world, spis, 0x10, exchanges[type % 16], is_encrypted ? 1 : 0);
    first = put_chain(world, is_encrypted ? &world->plaintext : &world->message, 1, form & 7u);
    if (is_encrypted) {
        while (world->plaintext.length % 16 != 0)
            put(&world->plaintext, 0, 1);
        put_noise(&world->message, (unsigned)world->plaintext.length, keys);
    }
    finish_message(world, first, keys);
    hand_over_plaintext(world, &packet, keys);
    packet.captured = world->message.length;
    send_packet(world, packet);
}

static void
esp(world_t *world)
{
    uint8_t spi = take(world), burst = take(world);
    uint32_t sequence = take(world);
    packet_t packet = packet_between(world, PACKET_ESP);

    packet.is_ah = (burst & 0x60) == 0x60;
    packet.is_around_esp = packet.is_ah && (burst & 0x10) != 0;
    if (spi >= 0xf0)
        sequence = take_u32(world);
    for (unsigned i = 0; i <= burst % 8u; i++) {
        world->message.length = 0;
        put(&world->message, world_esp_spi(spi), 4);
        put(&world->message, sequence + i, 4);
        put_noise(&world->message, burst, spi);
        packet.captured = world->message.length;
        packet.kind = (burst & 0x40) != 0 && i % 2 == 0 ? PACKET_ESP_FRAGMENT : PACKET_ESP;
        packet.ip_length = (burst & 0x20) != 0 ? packet.captured + 28 : 0;
        send_packet(world, packet);
        if ((burst & 0x80) != 0)
            world->time += MILLISECONDS(700);
    }
}

static void
icmp(world_t *world)
{
    uint8_t about = take(world);
    packet_t packet = packet_between(world, PACKET_ICMP_ERROR);

    packet.quoted = (about & 1) != 0 ? PACKET_IKE : PACKET_ESP;
    packet.reporter = (about & 2) != 0 ? packet.destination : world_address(take(world));
    packet.reporter.port = 0;
    packet.icmp_type = (about & 4) != 0 ? 3 : about >> 4;
    packet.icmp_code = (about & 8) != 0 ? 3 : about >> 4;
    if ((about & 0x10) != 0) { /* too big */
        packet.icmp_type = 3;
        packet.icmp_code = 4;
        packet.icmp_mtu = take(world);
        packet.ip_length = about & 0x20 ? 1500 : packet.icmp_mtu;
    }
    world->message.length = 0;
    put(&world->message, world_esp_spi(take(world)), 4);
    put_input(world, &world->message, about >> 4);
    packet.captured = world->message.length;
    if (packet.captured == 4 && about >> 5 == 7) {
        packet.captured = 0;
        packet.bytes = NULL;
    }
    send_packet(world, packet);
}

/* A log line about one of the SPIs, or what the input has for one. */
static void
syslog_line(world_t *world)
{
    uint8_t about = take(world), spi = take(world);
    packet_t packet = packet_between(world, PACKET_SYSLOG);
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX], line[256];

    g_snprintf(line, sizeof(line), "has invalid spi for destaddr=%s, prot=50, spi=0x%x, srcaddr=%s\n",
               endpoint_address_text(&packet.destination, to), world_esp_spi(spi), endpoint_address_text(&packet.source, from));
    world->message.length = 0;
    if ((about & 3) == 0)
        put_input(world, &world->message, about >> 2);
    else
        for (const char *next = line; *next != '\0'; next++)
            put(&world->message, (uint8_t)*next, 1);
    packet.captured = world->message.length;
    send_packet(world, packet);
}

/* Bytes as they are: what corpus.py makes of captures. */
static void
raw(world_t *world)
{
    uint32_t head = (uint32_t)take(world) << 8 | take(world), length = (head & 0x7fff) % MESSAGE_MAX;
    packet_t packet = packet_between(world, (head & 0x8000) != 0 ? PACKET_ESP : PACKET_IKE);

    world->message.length = 0;
    put_input(world, &world->message, length);
    packet.captured = world->message.length;
    send_packet(world, packet);
}

/* The packet before, perhaps to or from somewhere else. */
static void
again(world_t *world)
{
    uint8_t how = take(world);
    packet_t packet = world->last;

    if (world->frame == 0)
        return;
    if ((how & 1) != 0)
        packet.source = world_address(take(world));
    if ((how & 2) != 0)
        packet.destination = world_address(take(world));
    if ((how & 4) != 0)
        packet.encapsulation = (encapsulation_t)((how >> 4) % ENCAPSULATIONS);
    packet.captured = packet.reported;
    send_packet(world, packet);
}

/* ---- the order of things ---- */

static void
end_capture(world_t *world)
{
    engine_finish(world->engine);
    world->watcher->ask(world->engine, world->frame);
}

static void
step_time(world_t *world, unsigned step)
{
    if (step == STEP_NO_TIME) {
        world->time = CAPTURE_TIME_NONE;
    } else if (step == STEP_ANY_TIME) {
        uint64_t high = take_u32(world);
        world->time = (capture_ns_t)(high << 32 | take_u32(world));
    } else if (world->time == CAPTURE_TIME_NONE) {
        world->time = SECONDS(1700000000);
    } else if (!__builtin_add_overflow(world->time, step_of[step], &world->time)) {
        return;
    } else {
        world->time = SECONDS(1700000000);
    }
}

static void
record(world_t *world)
{
    uint8_t what = take(world);

    step_time(world, what >> 4);
    switch (record_of[what & 15u]) {
    case RECORD_IKE_V2:
        ike_v2(world);
        break;
    case RECORD_IKE_V1:
        ike_v1(world);
        break;
    case RECORD_ESP:
        esp(world);
        break;
    case RECORD_KEEPALIVE:
        send_packet(world, packet_between(world, PACKET_NAT_KEEPALIVE));
        break;
    case RECORD_ICMP:
        icmp(world);
        break;
    case RECORD_SYSLOG:
        syslog_line(world);
        break;
    case RECORD_RAW:
        raw(world);
        break;
    case RECORD_AGAIN:
        again(world);
        break;
    default:
        if (world->ends++ < world->watcher->ends_max)
            end_capture(world);
        else
            engine_frame(world->engine, ++world->frame, world->time);
        break;
    }
}

void
world_play(cursor_t input, const world_watcher_t *watcher)
{
    world_t *world = g_new0(world_t, 1);
    engine_settings_t settings = engine_default_settings();

    world->input = input;
    world->watcher = watcher;
    uint8_t setting = take(world);
    settings.max_tunnels = 1u + setting % 16u;
    world->points = (points_t)(setting >> 6);
    world->is_mapped_between = (setting & 0x20) != 0;
    world->engine = engine_new(&settings);
    world->time = SECONDS(1700000000);
    while (world->input.left > 0)
        record(world);
    end_capture(world);
    engine_free(world->engine);
    g_free(world);
}
