/* sightings.c - where else was this packet captured?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/sightings.h"

#include "engine/fingerprint.h"
#include "engine/ike/exchange.h"
#include "engine/parse/ike_message.h"

#include <glib.h>

#ifndef MESSAGES_REMEMBERED
#define MESSAGES_REMEMBERED 8192u
#endif
#ifndef ESP_SAMPLES
#define ESP_SAMPLES 4096u /* a power of two */
#endif
#define SAMPLE_EVERY 64u   /* sequence numbers */
#define NAMESAKES_SEEN 32u /* messages of one name: repeats with other bytes, fragments, cookies */

#define ESP_WAYS 4u /* slots for each of the fingerprints that meet */

struct sightings {
    GHashTable *messages; /* fingerprint -> message_sighting_t, owned by `order` */
    GHashTable *names;    /* name -> message_sighting_t, the latest */
    GQueue order;         /* message_sighting_t, the oldest first */
    seen_packet_t *
        samples; /* ESP_SAMPLES: each in one of a few slots that its fingerprint leads to, of which the oldest makes room. NULL: none yet */
};

sightings_t *
sightings_new(void)
{
    sightings_t *sightings = g_new0(sightings_t, 1);

    sightings->messages = g_hash_table_new(g_int64_hash, g_int64_equal);
    sightings->names = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_queue_init(&sightings->order);
    return sightings;
}

void
sightings_free(sightings_t *sightings)
{
    g_hash_table_destroy(sightings->messages);
    g_hash_table_destroy(sightings->names);
    g_queue_clear_full(&sightings->order, g_free);
    g_free(sightings->samples);
    g_free(sightings);
}

bool
capture_point_is_known(const capture_point_t *point)
{
    return point->interface != 0 || point->hop_limit != 0;
}

bool
capture_points_differ(const capture_point_t *a, const capture_point_t *b)
{
    bool other_interface = a->interface != 0 && b->interface != 0 && a->interface != b->interface;
    bool other_hop_limit = a->hop_limit != 0 && b->hop_limit != 0 && a->hop_limit != b->hop_limit;

    return other_interface || other_hop_limit;
}

static bool
is_same_point(const capture_point_t *a, const capture_point_t *b)
{
    return a->interface == b->interface && a->hop_limit == b->hop_limit;
}

/* ---- IKE ---- */

uint64_t
sightings_name(uint64_t spi_i, uint32_t message_id, uint8_t exchange_type, bool by_original_initiator, bool is_response)
{
    uint64_t flags = (uint64_t)by_original_initiator << 1 | (uint64_t)is_response;

    return fingerprint_with(fingerprint_with(fingerprint_with(1, spi_i), (uint64_t)message_id << 16 | exchange_type), flags);
}

enum { NEXT_PAYLOAD_AT = 16, VERSION_AT = 17, EXCHANGE_AT = 18, FLAGS_AT = 19, MESSAGE_ID_AT = 20 };
enum { FLAG_INITIATOR = 0x08, FLAG_RESPONSE = 0x20, PAYLOAD_SKF = 53 };

static bool
is_ikev2(const packet_t *packet)
{
    return packet->bytes[VERSION_AT] >> 4 == 2;
}

static bool
is_response(const packet_t *packet)
{
    return is_ikev2(packet) && (packet->bytes[FLAGS_AT] & FLAG_RESPONSE) != 0;
}

bool
sightings_is_answer(const packet_t *packet)
{
    return packet->kind == PACKET_IKE && packet->captured >= IKE_HEADER_LENGTH && is_response(packet);
}

/* `flipped`: of the message that it answers, or that answers it. */
static uint64_t
name_of(const packet_t *packet, bool flipped)
{
    const uint8_t *bytes = packet->bytes;
    bool by_initiator = is_ikev2(packet) && (bytes[FLAGS_AT] & FLAG_INITIATOR) != 0;
    bool flips = flipped && is_ikev2(packet);

    return sightings_name((uint64_t)wire_u32(bytes) << 32 | wire_u32(bytes + 4), wire_u32(bytes + MESSAGE_ID_AT),
                          bytes[EXCHANGE_AT], by_initiator != flips, is_response(packet) != flips);
}

static void
forget_message(sightings_t *sightings, message_sighting_t *message)
{
    message_sighting_t *head = g_hash_table_lookup(sightings->names, &message->name);

    g_hash_table_remove(sightings->messages, &message->fingerprint);
    if (head == message) {
        g_hash_table_remove(sightings->names, &message->name);
        if (message->next != NULL)
            g_hash_table_insert(sightings->names, &message->next->name, message->next);
    }
    for (message_sighting_t *item = head; item != NULL && item != message; item = item->next) {
        if (item->next == message)
            item->next = message->next;
    }
    g_free(message);
}

/* Few messages have the same name; in a flood that says otherwise the later ones are not found by it. */
static void
link_by_name(sightings_t *sightings, message_sighting_t *message)
{
    message_sighting_t *head = g_hash_table_lookup(sightings->names, &message->name);
    unsigned namesakes = 0;

    for (const message_sighting_t *item = head; item != NULL; item = item->next)
        namesakes++;
    if (namesakes >= NAMESAKES_SEEN)
        return;
    message->next = head;
    g_hash_table_replace(sightings->names, &message->name, message);
}

static message_sighting_t *
add_message(sightings_t *sightings, const packet_t *packet, uint64_t fingerprint)
{
    message_sighting_t *message = g_new0(message_sighting_t, 1);

    if (sightings->order.length >= MESSAGES_REMEMBERED)
        forget_message(sightings, g_queue_pop_head(&sightings->order));
    message->fingerprint = fingerprint;
    message->name = name_of(packet, false);
    message->frame = packet->frame;
    message->source = packet->source;
    message->destination = packet->destination;
    message->is_fragment = packet->is_ip_fragment || (is_ikev2(packet) && packet->bytes[NEXT_PAYLOAD_AT] == PAYLOAD_SKF);
    g_hash_table_insert(sightings->messages, &message->fingerprint, message);
    link_by_name(sightings, message);
    g_queue_push_tail(&sightings->order, message);
    return message;
}

/* NULL: there are too many places already. */
static seen_at_t *
seen_at(message_sighting_t *message, const packet_t *packet)
{
    for (unsigned i = 0; i < message->places; i++) {
        if (is_same_point(&message->at[i].point, &packet->point))
            return &message->at[i];
    }
    if (message->places == PLACES_PER_MESSAGE)
        return NULL;
    seen_at_t *at = &message->at[message->places++];
    at->point = packet->point;
    at->first_at = at->last_at = packet->time;
    return at;
}

/* A request that was answered where it was seen first is not repeated elsewhere; an answer is not sent of its own accord. */
static bool
was_settled(const sightings_t *sightings, const message_sighting_t *message, const packet_t *packet)
{
    if (is_response(packet))
        return true;
    const message_sighting_t *item = sightings_named(sightings, name_of(packet, true));
    for (; item != NULL; item = item->next) {
        bool is_reply = is_ikev2(packet) || endpoint_same_address(&item->source, &message->destination);
        if (item != message && item->frame > message->frame && is_reply && item->frame != packet->frame)
            return true;
    }
    return false;
}

bool
sightings_of_message(sightings_t *sightings, const packet_t *packet, uint64_t fingerprint, bool is_copy, seen_before_t *ret_before)
{
    if (packet->captured < IKE_HEADER_LENGTH || packet->time == CAPTURE_TIME_NONE)
        return false;
    message_sighting_t *message = g_hash_table_lookup(sightings->messages, &fingerprint);
    if (message == NULL)
        message = add_message(sightings, packet, fingerprint);
    seen_at_t *at = seen_at(message, packet);
    bool is_mirrored = at != NULL && at->times > 0 && is_copy && duration_between(at->last_at, packet->time) < SHORTEST_TIMER;
    if (at == NULL || is_mirrored)
        return false;
    const seen_at_t *first = &message->at[0];
    at->times++;
    at->last_at = packet->time;
    if (at == first || !capture_points_differ(&at->point, &first->point) || (!is_copy && at->times > message->accounted)) {
        message->accounted += !is_copy;
        return false;
    }
    *ret_before = (seen_before_t){ .frame = message->frame,
                                   .time = first->first_at,
                                   .point = first->point,
                                   .source = message->source,
                                   .destination = message->destination,
                                   .is_only_one = first->times == 1 && at->times == 1,
                                   .is_first_one = at->times == 1,
                                   .is_sure = was_settled(sightings, message, packet) };
    return true;
}

void
sightings_account(sightings_t *sightings, uint64_t fingerprint)
{
    message_sighting_t *message = g_hash_table_lookup(sightings->messages, &fingerprint);

    if (message != NULL)
        message->accounted++;
}

const message_sighting_t *
sightings_named(const sightings_t *sightings, uint64_t name)
{
    return g_hash_table_lookup(sightings->names, &name);
}

/* ---- ESP ---- */

enum { SEQUENCE_AT = 4, SEQUENCE_END = 8, TELLING_BYTES = 16 };

/* Each receiver chooses its SPIs and every SA counts from 1: between other addresses only ciphertext tells packets apart. */
static bool
may_be_same(const seen_packet_t *seen, const packet_t *packet)
{
    bool same_source = endpoint_equal(&seen->source, &packet->source);
    bool same_destination = endpoint_equal(&seen->destination, &packet->destination);

    if (same_source && same_destination)
        return true;
    return packet->captured >= TELLING_BYTES && !endpoint_equal(&seen->source, &packet->destination) &&
           !endpoint_equal(&seen->destination, &packet->source);
}

/* The first of its ways. */
static seen_packet_t *
ways_of(const sightings_t *sightings, uint64_t fingerprint)
{
    return &sightings->samples[((unsigned)fingerprint & (ESP_SAMPLES / ESP_WAYS - 1u)) * ESP_WAYS];
}

static bool
is_of_sample(const packet_t *packet)
{
    return packet->captured >= SEQUENCE_END && wire_u32(packet->bytes + SEQUENCE_AT) % SAMPLE_EVERY == 0;
}

const seen_packet_t *
sightings_sample(const sightings_t *sightings, const packet_t *packet, uint64_t fingerprint)
{
    if (sightings->samples == NULL || !is_of_sample(packet))
        return NULL;
    const seen_packet_t *way = ways_of(sightings, fingerprint);
    for (unsigned w = 0; w < ESP_WAYS; w++) {
        if (way[w].fingerprint == fingerprint && way[w].frame != FRAME_NONE)
            return &way[w];
    }
    return NULL;
}

bool
sightings_of_esp(const seen_packet_t *seen, const packet_t *packet, seen_before_t *ret_before)
{
    if (!may_be_same(seen, packet) || !capture_points_differ(&seen->point, &packet->point))
        return false;
    *ret_before = (seen_before_t){ .frame = seen->frame,
                                   .time = seen->time,
                                   .point = seen->point,
                                   .source = seen->source,
                                   .destination = seen->destination,
                                   .is_only_one = true,
                                   .is_sure = true };
    return true;
}

static seen_packet_t *
place_for(const sightings_t *sightings, uint64_t fingerprint)
{
    seen_packet_t *way = ways_of(sightings, fingerprint), *place = way;

    for (unsigned w = 0; w < ESP_WAYS; w++) {
        if (way[w].fingerprint == fingerprint || way[w].frame == FRAME_NONE)
            return &way[w];
        if (way[w].frame < place->frame)
            place = &way[w];
    }
    return place;
}

void
sightings_keep_esp(sightings_t *sightings, const packet_t *packet, uint64_t fingerprint)
{
    if (packet->time == CAPTURE_TIME_NONE || !is_of_sample(packet))
        return;
    if (sightings->samples == NULL)
        sightings->samples = g_new0(seen_packet_t, ESP_SAMPLES);
    *place_for(sightings, fingerprint) = (seen_packet_t){ .fingerprint = fingerprint,
                                                          .time = packet->time,
                                                          .frame = packet->frame,
                                                          .point = packet->point,
                                                          .source = packet->source,
                                                          .destination = packet->destination };
}
