/* copies.c - is this the same packet again, captured a second time?
 *
 * A copy has the same bytes and comes within the shortest timer of any real retransmission. Where its addresses differ, the
 * capture shows both sides of a NAT: from then on the second side's endpoint is an alias of the first side's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "copies.h"

#include "exchange.h"
#include "parse/ike_message.h"

#include <string.h>

#ifndef SEEN_MAX
#define SEEN_MAX 16384u /* a power of 2: packets within the shortest timer at 80,000 packets per second */
#endif
#ifndef ALIASES_MAX
#define ALIASES_MAX 4096u
#endif
#define COMPARED_BYTES 64u    /* SPI, sequence number and the first ciphertext blocks tell packets apart */
#define TELLING_CIPHERTEXT 8u /* a cipher block or an IV: no two packets have the same by chance */

typedef struct {
    guint64 fingerprint;
    capture_ns_t time;
    frame_t frame;
    endpoint_t source, destination;
    encapsulation_t encapsulation;
    capture_point_t point;
} seen_t;

typedef struct {
    endpoint_t from, to;
} alias_t;

/* Where packets of some fingerprints are in the ring, in one line of the processor's cache: every packet is looked for. */
#define WAYS 8u
#define BUCKETS (SEEN_MAX / 4u)

typedef struct {
    uint32_t tag[WAYS];    /* the upper half of the fingerprint */
    uint32_t number[WAYS]; /* of the packet */
} bucket_t;

/* Packets have numbers, counted on for ever: number n is in slot n modulo SEEN_MAX as long as it is remembered. */
struct copies {
    bucket_t *buckets;      /* by the lower half of the fingerprint */
    seen_t *ring;           /* SEEN_MAX slots */
    uint32_t oldest, count; /* the oldest remembered packet's number; so many are remembered */
    guint64 latest;         /* fingerprint of the packet checked last; 0: none */
    GHashTable *aliases;    /* endpoint_t (the key is the alias_t itself) -> alias_t, owned */
};

static guint
alias_hash(gconstpointer key)
{
    return endpoint_hash(key);
}

static gboolean
alias_equal(gconstpointer a, gconstpointer b)
{
    return endpoint_equal(a, b);
}

copies_t *
copies_new(void)
{
    copies_t *copies = g_new0(copies_t, 1);

    copies->buckets = g_new0(bucket_t, BUCKETS);
    copies->ring = g_new(seen_t, SEEN_MAX);
    copies->aliases = g_hash_table_new_full(alias_hash, alias_equal, NULL, g_free);
    return copies;
}

void
copies_free(copies_t *copies)
{
    g_free(copies->buckets);
    g_free(copies->ring);
    g_hash_table_destroy(copies->aliases);
    g_free(copies);
}

static guint64
fingerprint_of(const packet_t *packet)
{
    guint64 hash = G_GUINT64_CONSTANT(0xcbf29ce484222325) ^ packet->reported ^ (guint64)packet->kind << 32;
    size_t compared = packet->kind == PACKET_IKE ? packet->captured : MIN(packet->captured, COMPARED_BYTES);

    for (size_t i = 0; i < compared; i += sizeof(guint64)) {
        guint64 word = 0;
        memcpy(&word, packet->bytes + i, MIN(compared - i, sizeof(word)));
        hash = (hash ^ word) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

static seen_t *
slot(const copies_t *copies, uint32_t number)
{
    return &copies->ring[number % SEEN_MAX];
}

static bool
is_remembered(const copies_t *copies, uint32_t number)
{
    return number - copies->oldest < copies->count;
}

static void
forget_old(copies_t *copies, capture_ns_t now)
{
    while (copies->count > 0) {
        if (copies->count < SEEN_MAX && duration_between(slot(copies, copies->oldest)->time, now) < SHORTEST_TIMER)
            return;
        copies->oldest++;
        copies->count--;
    }
}

static bucket_t *
bucket_of(const copies_t *copies, guint64 fingerprint)
{
    return &copies->buckets[fingerprint % BUCKETS];
}

static const seen_t *
find(const copies_t *copies, guint64 fingerprint)
{
    const bucket_t *bucket = bucket_of(copies, fingerprint);

    for (unsigned w = 0; w < WAYS; w++) {
        if (bucket->tag[w] != (uint32_t)(fingerprint >> 32) || !is_remembered(copies, bucket->number[w]))
            continue;
        const seen_t *seen = slot(copies, bucket->number[w]);
        if (seen->fingerprint == fingerprint)
            return seen;
    }
    return NULL;
}

/* Takes the place of one that is not remembered any more, else of the oldest. */
static void
enter(copies_t *copies, guint64 fingerprint, uint32_t number)
{
    bucket_t *bucket = bucket_of(copies, fingerprint);
    unsigned place = 0;

    for (unsigned w = 0; w < WAYS; w++) {
        if (!is_remembered(copies, bucket->number[w])) {
            place = w;
            break;
        }
        if (bucket->number[w] - copies->oldest < bucket->number[place] - copies->oldest)
            place = w;
    }
    bucket->tag[place] = (uint32_t)(fingerprint >> 32);
    bucket->number[place] = number;
}

static void
learn_alias(copies_t *copies, const endpoint_t *from, const endpoint_t *to)
{
    endpoint_t canonical = copies_canonical(copies, to);

    if (endpoint_equal(from, &canonical) || g_hash_table_size(copies->aliases) >= ALIASES_MAX)
        return;
    alias_t *alias = g_new(alias_t, 1);
    alias->from = *from;
    alias->to = canonical;
    g_hash_table_replace(copies->aliases, &alias->from, alias);
}

/* RFC 9329 6.2, 7.1: a request follows its IKE SA to a new TCP connection, at once. A NAT would change the address as well. */
static bool
is_sent_again_over_tcp(const seen_t *first, const packet_t *packet)
{
    if (first->encapsulation != packet->encapsulation)
        return first->encapsulation == ENCAPSULATION_TCP || packet->encapsulation == ENCAPSULATION_TCP;
    return packet->encapsulation == ENCAPSULATION_TCP && endpoint_same_address(&first->source, &packet->source) &&
           endpoint_same_address(&first->destination, &packet->destination);
}

/* Every receiver chooses its own SPIs (RFC 4303 2.1) and every SA counts from 1: beyond a NAT only ciphertext is the packet's own. */
static bool
has_bytes_of_its_own(const packet_t *packet)
{
    return packet->kind != PACKET_ESP || packet->captured >= ESP_HEADER_LENGTH + TELLING_CIPHERTEXT;
}

bool
copies_can_tell(const packet_t *packet)
{
    size_t telling =
        packet->kind == PACKET_IKE ? IKE_HEADER_LENGTH : ESP_HEADER_LENGTH; /* fewer do not tell a request from its answer */
    return packet->captured >= telling;
}

copy_kind_t
copies_learn(copies_t *copies, const packet_t *packet, const endpoint_t *first_source, const endpoint_t *first_destination)
{
    bool same_source = endpoint_equal(first_source, &packet->source);
    bool same_destination = endpoint_equal(first_destination, &packet->destination);

    if (!same_source)
        learn_alias(copies, &packet->source, first_source);
    if (!same_destination)
        learn_alias(copies, &packet->destination, first_destination);
    return same_source && same_destination ? COPY_SAME : COPY_OTHER_SIDE;
}

copy_kind_t
copies_check(copies_t *copies, const packet_t *packet, first_copy_t *ret_first)
{
    copies->latest = 0;
    *ret_first = (first_copy_t){ .frame = FRAME_NONE };
    if (packet->time == CAPTURE_TIME_NONE || !copies_can_tell(packet))
        return COPY_NONE;
    forget_old(copies, packet->time);
    guint64 fingerprint = fingerprint_of(packet);
    if (has_bytes_of_its_own(packet))
        copies->latest = fingerprint;
    const seen_t *first = find(copies, fingerprint);
    ret_first->fingerprint = fingerprint;

    if (first != NULL) {
        *ret_first =
            (first_copy_t){ .fingerprint = fingerprint, .frame = first->frame, .time = first->time, .point = first->point };
        if (endpoint_equal(&first->source, &packet->source) && endpoint_equal(&first->destination, &packet->destination))
            return first->frame == packet->frame ? COPY_SAME_FRAME : COPY_SAME;
        if (endpoint_equal(&first->source, &packet->destination) || endpoint_equal(&first->destination, &packet->source))
            return COPY_NONE; /* the other direction: equal as far as the capture shows it */
        if (is_sent_again_over_tcp(first, packet) || !has_bytes_of_its_own(packet))
            return COPY_NONE;
        return copies_learn(copies, packet, &first->source, &first->destination);
    }
    enter(copies, fingerprint, copies->oldest + copies->count);
    seen_t *seen = slot(copies, copies->oldest + copies->count++);
    seen->fingerprint = fingerprint;
    seen->time = packet->time;
    seen->frame = packet->frame;
    seen->source = packet->source;
    seen->destination = packet->destination;
    seen->encapsulation = packet->encapsulation;
    seen->point = packet->point;
    return COPY_NONE;
}

uint64_t
copies_fingerprint(const copies_t *copies)
{
    return copies->latest;
}

endpoint_t
copies_canonical(const copies_t *copies, const endpoint_t *endpoint)
{
    if (g_hash_table_size(copies->aliases) == 0) /* almost always */
        return *endpoint;
    const alias_t *alias = g_hash_table_lookup(copies->aliases, endpoint);
    return alias != NULL ? alias->to : *endpoint;
}
