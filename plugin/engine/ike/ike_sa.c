/* ike_sa.c - the exchanges of one IKE SA, found by the right key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_sa.h"

#include "engine/tunnel.h"

#ifndef EXCHANGES_KEPT
#define EXCHANGES_KEPT 4096u
#endif
#ifndef EXCHANGES_FORGOTTEN_AT_ONCE
#define EXCHANGES_FORGOTTEN_AT_ONCE 1024u
#endif

/* The latest of a kind is wanted for what it has to do with the present. */
#define EXCHANGES_LOOKED_BACK 128u

/* RFC 7296 2.2: both peers count their own requests from 0, so the requester is part of the key. IKEv1 message IDs are random
 * and shared by all messages of an exchange (RFC 2408 3.1), whoever sends them. */
static uint64_t
exchange_key(uint8_t major, uint8_t exchange_type, uint32_t message_id, peer_t requester)
{
    uint64_t who = major == 2 ? (uint64_t)requester : 0;
    /* IKE_AUTH and later never share a message ID, so the type matters in IKEv1 only (phase 1 and its notifies use 0). */
    uint64_t type = major == 1 ? exchange_type : 0;
    return type << 40 | who << 32 | message_id;
}

ike_sa_t *
ike_sa_new(struct tunnel *tunnel, const ike_message_t *message, peer_t original_initiator, frame_t frame, capture_ns_t time)
{
    ike_sa_t *ike_sa = g_new0(ike_sa_t, 1);

    ike_sa->tunnel = tunnel;
    ike_sa->spi_i = message->spi_i;
    ike_sa->spi_r = message->spi_r;
    ike_sa->major = message->major;
    ike_sa->original_initiator = original_initiator;
    ike_sa->first_frame = frame;
    ike_sa->first_time = time;
    ike_sa->established_at = ike_sa->closed_at = ike_sa->last_message_at = CAPTURE_TIME_NONE;
    ike_sa->closed_by = PEER_UNKNOWN;
    ike_sa->exchanges = g_ptr_array_new_with_free_func((GDestroyNotify)exchange_free);
    ike_sa->by_key = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    ike_sa->pieces = g_ptr_array_new_with_free_func((GDestroyNotify)pieces_free);
    return ike_sa;
}

void
init_answers_clear(init_answers_t *answers)
{
    for (unsigned i = 0; i < answers->count; i++)
        g_clear_pointer(&answers->answer[i].message, g_free);
    answers->count = answers->next = 0;
}

void
ike_sa_free(ike_sa_t *ike_sa)
{
    g_hash_table_destroy(ike_sa->by_key);
    ike_sa->tunnel->exchanges -= ike_sa->exchanges->len;
    ike_sa->tunnel->exchanges_forgotten += ike_sa->exchanges->len;
    g_ptr_array_free(ike_sa->exchanges, TRUE);
    g_ptr_array_free(ike_sa->pieces, TRUE);
    for (unsigned p = 0; p < PEERS; p++)
        pieces_v1_clear(&ike_sa->pieces_v1[p]);
    g_free(ike_sa->early_answer);
    init_answers_clear(&ike_sa->init_answers);
    g_free(ike_sa);
}

exchange_t *
ike_sa_exchange(const ike_sa_t *ike_sa, const ike_message_t *message, peer_t requester)
{
    gint64 key = (gint64)exchange_key(ike_sa->major, message->exchange_type, message->message_id, requester);
    return g_hash_table_lookup(ike_sa->by_key, &key);
}

exchange_t *
ike_sa_exchange_in(const ike_sa_t *ike_sa, frame_t frame)
{
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (exchange->sent_in[0] == frame)
            return exchange;
    }
    return NULL;
}

static gint64 *
key_of(const exchange_t *exchange)
{
    gint64 *key = g_new(gint64, 1);
    *key = (gint64)exchange_key(exchange->ike_sa->major, exchange->exchange_type, exchange->message_id, exchange->requester);
    return key;
}

static void
forget_oldest(ike_sa_t *ike_sa, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        gint64 *key = key_of(exchange);
        if (g_hash_table_lookup(ike_sa->by_key, key) == exchange)
            g_hash_table_remove(ike_sa->by_key, key);
        g_free(key);
        g_ptr_array_remove(ike_sa->tunnel->waiting, exchange);
    }
    g_ptr_array_remove_range(ike_sa->exchanges, 0, count);
    ike_sa->tunnel->exchanges -= count;
    ike_sa->tunnel->exchanges_forgotten += count;
}

/* The IKE SA with the most gives a part of them away. */
static void
forget_some_of_tunnel(struct tunnel *tunnel)
{
    ike_sa_t *largest = NULL;

    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (largest == NULL || ike_sa->exchanges->len > largest->exchanges->len)
            largest = ike_sa;
    }
    if (largest != NULL && largest->exchanges->len > 1)
        forget_oldest(largest, largest->exchanges->len / 2);
}

void
ike_sa_forget_half(ike_sa_t *ike_sa)
{
    if (ike_sa->exchanges->len > EXCHANGES_LOOKED_BACK / 4)
        forget_oldest(ike_sa, ike_sa->exchanges->len / 2);
}

void
ike_sa_add_exchange(ike_sa_t *ike_sa, exchange_t *exchange)
{
    if (ike_sa->exchanges->len >= EXCHANGES_KEPT)
        forget_oldest(ike_sa, EXCHANGES_FORGOTTEN_AT_ONCE);
    if (ike_sa->tunnel->exchanges >= EXCHANGES_PER_TUNNEL_MAX)
        forget_some_of_tunnel(ike_sa->tunnel);
    ike_sa->tunnel->exchanges++;
    g_ptr_array_add(ike_sa->exchanges, exchange);
    g_hash_table_replace(ike_sa->by_key, key_of(exchange), exchange);
}

uint32_t
identity_hash(const char *identity)
{
    return MAX(g_str_hash(identity), 1);
}

bool
ike_sa_is_of_others(const ike_sa_t *ike_sa, const ike_sa_t *other)
{
    for (unsigned p = 0; p < PEERS; p++) {
        uint32_t mine = ike_sa->identity_hash[p], theirs = other->identity_hash[p];
        if (mine != 0 && theirs != 0 && mine != theirs)
            return true;
    }
    return false;
}

bool
ike_sa_is_of_same(const ike_sa_t *ike_sa, const ike_sa_t *other)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (ike_sa->identity_hash[p] == 0 || ike_sa->identity_hash[p] != other->identity_hash[p])
            return false;
    }
    return true;
}

void
ike_sa_close(ike_sa_t *ike_sa, peer_t by, confidence_t confidence, frame_t frame, capture_ns_t time)
{
    ike_sa->state = IKE_SA_DELETED;
    ike_sa->closed_in = frame;
    ike_sa->closed_at = time;
    ike_sa->closed_by = by;
    ike_sa->closed_confidence = confidence;
}

bool
ike_sa_is_usable(const ike_sa_t *ike_sa)
{
    return ike_sa->state == IKE_SA_ESTABLISHED;
}

static bool
is_authentication(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_AUTH;
}

exchange_t *
ike_sa_refused_auth(const ike_sa_t *ike_sa)
{
    exchange_t *auth =
        ike_sa->state == IKE_SA_ESTABLISHED || ike_sa->is_midstream ? NULL : ike_sa_latest(ike_sa, is_authentication);

    return auth != NULL && auth->refusal_hint_in != FRAME_NONE && !auth->is_refused ? auth : NULL;
}

bool
ike_sa_looks_deleted(const ike_sa_t *ike_sa)
{
    if (ike_sa->major != 1 || !ike_sa_is_usable(ike_sa) || ike_sa->exchanges->len < 2)
        return false;
    const exchange_t *last = g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 1);
    const exchange_t *before = g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 2);
    bool is_child_delete = before->kind == EXCHANGE_DELETE_CHILD ||
                           (before->kind == EXCHANGE_INFORMATIONAL && before->transmissions == 1 && exchange_is_waiting(before));
    return last->kind == EXCHANGE_INFORMATIONAL && is_child_delete && last->transmissions == 1 &&
           last->requester == before->requester && exchange_is_waiting(last) &&
           duration_between(before->first_sent_at, last->first_sent_at) < SECONDS(1);
}

exchange_t *
ike_sa_latest(const ike_sa_t *ike_sa, bool (*is_wanted)(const exchange_t *))
{
    unsigned end = ike_sa->exchanges->len > EXCHANGES_LOOKED_BACK ? ike_sa->exchanges->len - EXCHANGES_LOOKED_BACK : 0;

    for (unsigned i = ike_sa->exchanges->len; i-- > end;) {
        exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (is_wanted(exchange))
            return exchange;
    }
    return NULL;
}
