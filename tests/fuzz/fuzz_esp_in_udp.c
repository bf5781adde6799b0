/* fuzz_esp_in_udp.c - datagrams of any bytes on the ports of SD-WAN: does what is said of them stay true? A libFuzzer entry point.
 *
 * Input: datagrams, each of a byte for its path and kind, and what that kind needs: any bytes, the next packet of an SA, or DTLS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "require.h"

#include "engine/parse/cursor.h"
#include "observe/dtls.h"
#include "observe/esp_in_udp.h"

#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 128, DATAGRAMS_MAX = 400, PATHS = 8, SPIS = 4 };

static GHashTable *taken;   /* frames that were handed on late */
static frame_t frame;       /* of the datagram that is being looked at */
static frame_t latest_late; /* of those that it brings */

/* What was held back comes once, in its order, and is known from then on. */
static void
take_late(const packet_t *packet)
{
    require(packet->frame < frame && packet->frame > latest_late);
    require(packet->captured >= ESP_HEADER_LENGTH && packet->captured <= packet->reported);
    require(g_hash_table_add(taken, GUINT_TO_POINTER(packet->frame)));
    require(esp_in_udp_knows(packet));
    latest_late = packet->frame;
}

static endpoint_t
endpoint_of(uint8_t last, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { 192, 0, 2, last }, .port = port };
}

static size_t
any_bytes(cursor_t *input, uint8_t *bytes)
{
    uint8_t length;
    cursor_t part;

    if (!cursor_u8(input, &length) || !cursor_cut(input, MIN(length % LONGEST, input->left), &part))
        return 0;
    if (part.left > 0)
        memcpy(bytes, part.next, part.left);
    return part.left;
}

/* An SPI, the next number of it or nearly so, and ciphertext. */
static size_t
next_of_sa(cursor_t *input, uint8_t *bytes, uint32_t sequence[SPIS])
{
    uint8_t how = 0;

    if (!cursor_u8(input, &how))
        return 0;
    uint32_t number = sequence[how % SPIS] += 1u + (how >> 6) / 3u;
    memset(bytes, 0, ESP_HEADER_LENGTH);
    bytes[0] = how & 0x20 ? 0 : 0xc0;
    bytes[3] = (uint8_t)(how % SPIS + 1u);
    bytes[6] = (uint8_t)(number >> 8);
    bytes[7] = (uint8_t)number;
    GRand *random = g_rand_new_with_seed(number * 77u + how);
    size_t length = ESP_HEADER_LENGTH + 16u + (how >> 2) % 8u * 4u;
    for (size_t i = ESP_HEADER_LENGTH; i < length; i++)
        bytes[i] = (uint8_t)g_rand_int(random);
    g_rand_free(random);
    return length;
}

static void
look_at(const packet_t *packet)
{
    latest_late = 0;
    bool is_esp = esp_in_udp_learn(packet, take_late);

    require(is_esp == esp_in_udp_knows(packet));
    require(!is_esp || esp_in_udp_has_path(&packet->source, &packet->destination));
    require(!is_esp || esp_in_udp_has_path(&packet->destination, &packet->source));
    require(!is_esp || !dtls_begins_datagram(packet->bytes, packet->captured, packet->reported));
    require(!is_esp || esp_in_udp_knows_quote(packet));
}

static void
datagram(cursor_t *input, uint32_t sequence[SPIS])
{
    uint8_t what = 0, bytes[LONGEST] = { 0 };

    if (!cursor_u8(input, &what))
        return;
    size_t length = what & 0x80 ? any_bytes(input, bytes) : next_of_sa(input, bytes, sequence);
    uint8_t *block = g_memdup2(bytes, length); /* of the right size: a sanitizer sees every read beyond it */
    size_t cut = what & 0x40 ? MIN(length, what & 0x1fu) : 0;
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = ++frame,
                        .encapsulation = ENCAPSULATION_UDP,
                        .source = endpoint_of(1, (uint16_t)(12346 + what % PATHS)),
                        .destination = endpoint_of(2, 12346),
                        .bytes = block,
                        .captured = length - cut,
                        .reported = length };

    if (what & 0x20) {
        endpoint_t swap = packet.source;
        packet.source = packet.destination;
        packet.destination = swap;
    }
    look_at(&packet);
    g_free(block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cursor_t input = cursor_over(data, size);
    uint32_t sequence[SPIS] = { 0 };

    taken = g_hash_table_new(NULL, NULL);
    esp_in_udp_start();
    for (frame = 0; input.left > 0 && frame < DATAGRAMS_MAX;)
        datagram(&input, sequence);
    esp_in_udp_end();
    g_hash_table_destroy(taken);
    return 0;
}
