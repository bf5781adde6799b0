/* copies.c - is this the same packet again, captured a second time?
 *
 * A copy has the same bytes and comes within the shortest timer of any real retransmission. Where its addresses differ, the
 * capture shows both sides of a NAT: from then on the second side's endpoint is an alias of the first side's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/copies.h"

#include "engine/fingerprint.h"
#include "engine/ike/exchange.h"
#include "engine/parse/ike_message.h"

#include <string.h>

#ifndef SEEN_MAX
#define SEEN_MAX 16384u /* a power of 2: packets within the shortest timer at 80,000 packets per second */
#endif
#ifndef ALIASES_MAX
#define ALIASES_MAX 4096u
#endif
#define COMPARED_BYTES 40u    /* SPI, sequence number, an IV and a cipher block tell packets apart */
#define TELLING_CIPHERTEXT 8u /* a cipher block or an IV: no two packets have the same by chance */
#define LOOKED_AT 16u         /* packets whose fingerprints lead to one place: nobody can make a look-up long */

typedef struct {
    endpoint_t from, to;
} alias_t;

/* Packets have numbers, counted on for ever: number n is in slot n modulo SEEN_MAX until another takes it. */
typedef struct {
    seen_packet_t seen;
    uint32_t before; /* number of the packet before it whose fingerprint leads to the same place */
} slot_t;

struct copies {
    uint32_t *latest_at;    /* SEEN_MAX places, by fingerprint: number of the latest packet that it leads to */
    slot_t *ring;           /* SEEN_MAX slots */
    uint32_t next;          /* number of the next packet */
    guint64 latest;         /* fingerprint of the packet checked last; 0: none */
    seen_packet_t *entered; /* where it was entered; NULL: it was not */
    bool has_alias;
    GHashTable *aliases; /* endpoint_t (the key is the alias_t itself) -> alias_t, owned */
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

    copies->latest_at = g_new0(uint32_t, SEEN_MAX);
    copies->ring = g_new0(slot_t, SEEN_MAX);
    copies->next = SEEN_MAX + 1; /* so that 0 is longer ago than anything */
    copies->aliases = g_hash_table_new_full(alias_hash, alias_equal, NULL, g_free);
    return copies;
}

void
copies_free(copies_t *copies)
{
    g_free(copies->latest_at);
    g_free(copies->ring);
    g_hash_table_destroy(copies->aliases);
    g_free(copies);
}

static guint64
fingerprint_of(const packet_t *packet)
{
    const size_t compared = packet->kind == PACKET_IKE ? packet->captured : MIN(packet->captured, COMPARED_BYTES);

    return fingerprint_with_bytes(1 ^ packet->reported ^ (guint64)packet->kind << 32, packet->bytes, compared);
}

static slot_t *
slot_of(const copies_t *copies, uint32_t number)
{
    return &copies->ring[number % SEEN_MAX];
}

static uint32_t *
place_of(const copies_t *copies, guint64 fingerprint)
{
    return &copies->latest_at[fingerprint % SEEN_MAX];
}

/* What a look at the packets with the same bytes shows. */
typedef struct {
    const seen_packet_t *copy;    /* a moment ago */
    const seen_packet_t *earlier; /* not of this moment */
} look_t;

static bool
is_between_same(const seen_packet_t *seen, const packet_t *packet)
{
    return endpoint_equal(&seen->source, &packet->source) && endpoint_equal(&seen->destination, &packet->destination);
}

/* Both directions of a pair may have one SPI and, as far as it is captured, the same bytes: the packet between the same endpoints is it. Else
 * of copies the first, and of earlier ones the latest. */
static const seen_packet_t *
likelier(const seen_packet_t *a, const seen_packet_t *b, const packet_t *packet, bool is_copy)
{
    if (a == NULL)
        return b;
    const bool a_is_between_same = is_between_same(a, packet);
    if (a_is_between_same != is_between_same(b, packet))
        return a_is_between_same ? a : b;
    return (a->frame < b->frame) == is_copy ? a : b;
}

static bool
is_in_ring(const copies_t *copies, uint32_t number)
{
    return copies->next - number < SEEN_MAX; /* and it is not the one whose slot comes next */
}

/* Within the shortest timer of any real retransmission. */
static bool
is_of_this_moment(const seen_packet_t *seen, capture_ns_t now)
{
    return duration_between(seen->time, now) < SHORTEST_TIMER && duration_between(now, seen->time) < SHORTEST_TIMER;
}

static look_t
look_for(const copies_t *copies, guint64 fingerprint, const packet_t *packet)
{
    look_t look = { .copy = NULL };
    uint32_t number = *place_of(copies, fingerprint);

    for (unsigned i = 0; i < LOOKED_AT && is_in_ring(copies, number); i++) {
        const slot_t *slot = slot_of(copies, number);
        const seen_packet_t *seen = &slot->seen;
        if (seen->fingerprint == fingerprint && is_of_this_moment(seen, packet->time))
            look.copy = likelier(look.copy, seen, packet, true);
        else if (seen->fingerprint == fingerprint && !seen->is_disowned)
            look.earlier = likelier(look.earlier, seen, packet, false);
        number = slot->before;
    }
    return look;
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
    copies->has_alias = true;
}

/* RFC 9329 6.2, 7.1: a request follows its IKE SA to a new TCP connection, at once. A NAT would change the address as well. */
static bool
is_sent_again_over_tcp(const seen_packet_t *first, const packet_t *packet)
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

static copy_kind_t
judge_copy(copies_t *copies, const packet_t *packet, const seen_packet_t *first)
{
    if (is_between_same(first, packet))
        return first->frame == packet->frame ? COPY_SAME_FRAME : COPY_SAME;
    if (endpoint_equal(&first->source, &packet->destination) || endpoint_equal(&first->destination, &packet->source))
        return COPY_NONE; /* the other direction: equal as far as the capture shows it */
    if (is_sent_again_over_tcp(first, packet) || !has_bytes_of_its_own(packet))
        return COPY_NONE;
    return copies_learn(copies, packet, &first->source, &first->destination);
}

/* The packet before one with this fingerprint. What was disowned and says no more than the new one makes room. */
static uint32_t
packet_before(const copies_t *copies, guint64 fingerprint, const packet_t *packet)
{
    const uint32_t latest = *place_of(copies, fingerprint);
    const slot_t *slot = slot_of(copies, latest);
    bool is_no_use = is_in_ring(copies, latest) && slot->seen.fingerprint == fingerprint && slot->seen.is_disowned &&
                     !is_of_this_moment(&slot->seen, packet->time);

    return is_no_use ? slot->before : latest;
}

static void
enter(copies_t *copies, guint64 fingerprint, uint32_t before, const packet_t *packet)
{
    const uint32_t number = copies->next++;
    slot_t *slot = slot_of(copies, number);
    seen_packet_t *seen = &slot->seen;

    slot->before = before;
    *place_of(copies, fingerprint) = number;
    seen->fingerprint = fingerprint;
    seen->time = packet->time;
    seen->frame = packet->frame;
    seen->is_disowned = false;
    seen->source = packet->source;
    seen->destination = packet->destination;
    seen->encapsulation = packet->encapsulation;
    seen->point = packet->point;
    copies->entered = seen;
}

void
copies_enter(copies_t *copies, const packet_t *packet, first_copy_t *ret_first)
{
    const guint64 fingerprint = fingerprint_of(packet);

    copies->latest = has_bytes_of_its_own(packet) ? fingerprint : 0;
    *ret_first = (first_copy_t){ .fingerprint = fingerprint, .frame = FRAME_NONE };
    enter(copies, fingerprint, *place_of(copies, fingerprint), packet);
}

copy_kind_t
copies_check(copies_t *copies, const packet_t *packet, first_copy_t *ret_first)
{
    copies->latest = 0;
    copies->entered = NULL;
    *ret_first = (first_copy_t){ .frame = FRAME_NONE };
    if (packet->time == CAPTURE_TIME_NONE || !copies_can_tell(packet))
        return COPY_NONE;
    const guint64 fingerprint = fingerprint_of(packet);
    const look_t look = look_for(copies, fingerprint, packet);
    copy_kind_t kind = COPY_NONE;

    if (has_bytes_of_its_own(packet))
        copies->latest = fingerprint;
    ret_first->fingerprint = fingerprint;
    ret_first->earlier = look.earlier;
    if (look.copy != NULL) {
        ret_first->frame = look.copy->frame;
        ret_first->time = look.copy->time;
        ret_first->point = look.copy->point;
        kind = judge_copy(copies, packet, look.copy);
    }
    if (kind == COPY_NONE)
        enter(copies, fingerprint, packet_before(copies, fingerprint, packet), packet);
    return kind;
}

void
copies_disown(copies_t *copies)
{
    if (copies->entered != NULL)
        copies->entered->is_disowned = true;
}

uint64_t
copies_fingerprint(const copies_t *copies)
{
    return copies->latest;
}

bool
copies_have_no_alias(const copies_t *copies)
{
    return !copies->has_alias;
}

endpoint_t
copies_canonical(const copies_t *copies, const endpoint_t *endpoint)
{
    if (!copies->has_alias) /* almost always */
        return *endpoint;
    const alias_t *alias = g_hash_table_lookup(copies->aliases, endpoint);
    return alias != NULL ? alias->to : *endpoint;
}
