/* ike_v2_delete.c - what does a DELETE end: a child, the IKE SA, or one that was replaced already (RFC 7296 1.4.1, 2.8)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* Deletes of a peer that leaves follow each other at once, but for a round trip or two. */
#define FAREWELL_WITHIN SECONDS(5)

/* RFC 7296 2.8: the DELETE of an IKE SA is the last request on it. One that seemed to be, without keys, and is followed by another
 * request deleted a child, and was answered empty because the peer had deleted the child too (1.4.1). */
void
ikev2_was_no_ike_delete(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;

    if (ike_sa->state != IKE_SA_DELETED || ike_sa->closed_confidence == CONFIDENCE_OBSERVED || ike_sa->is_replaced)
        return;
    ike_sa->state = IKE_SA_ESTABLISHED;
    if (step->tunnel->loss.kind == LOSS_DELETED)
        step->tunnel->loss = (loss_t){ .kind = LOSS_NONE };
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (exchange->answered_in == ike_sa->closed_in && exchange->kind == EXCHANGE_DELETE_IKE)
            engine_name_exchange(step->engine, exchange, EXCHANGE_DELETE_CHILD, CONFIDENCE_INFERRED);
    }
}

static bool
has_usable_sibling(const ike_sa_t *ike_sa)
{
    for (unsigned i = 0; i < ike_sa->tunnel->ike_sas->len; i++) {
        const ike_sa_t *other = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        if (other != ike_sa && ike_sa_is_usable(other))
            return true;
    }
    return false;
}

/* RFC 7296 2.8.3: a later IKE SA with a negotiation of its own, not a rekey, took over. */
static const ike_sa_t *
own_successor(const ike_sa_t *ike_sa)
{
    for (unsigned i = ike_sa->tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *later = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        if (later->index > ike_sa->index && ike_sa_is_usable(later) && later->rekeyed_from == NULL && !later->is_midstream &&
            !ike_sa_is_of_others(later, ike_sa))
            return later;
    }
    return NULL;
}

static bool
has_answered_ike_rekey(const ike_sa_t *ike_sa)
{
    const exchange_t *latest = NULL;
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        const exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (exchange_is_delete(exchange) || exchange_is_liveness(exchange) || exchange->kind == EXCHANGE_FOLLOWUP_KE)
            continue; /* RFC 9370 2.2.4: further key exchanges belong to the rekey before them */
        latest = exchange;
        break;
    }
    /* A CREATE_CHILD_SA that may have been an IKE rekey, right before the DELETE: RFC 7296 2.8 has the old SA deleted then. */
    return latest != NULL && latest->outcome == OUTCOME_ANSWERED && !latest->is_refused &&
           (latest->kind == EXCHANGE_IKE_REKEY || latest->kind == EXCHANGE_CREATE_CHILD_SA);
}

static bool
is_answered_ike_rekey(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_REKEY && exchange->outcome == OUTCOME_ANSWERED && !exchange->is_refused;
}

/* RFC 7296 2.8.2: both peers rekeyed the IKE SA at once; of the two new ones the one with the lowest nonce is deleted by its creator. */
static bool
is_redundant_rekey(const ike_sa_t *ike_sa)
{
    const ike_sa_t *parent = ike_sa->rekeyed_from;
    unsigned rekeys = 0, gone = 0;

    if (parent == NULL)
        return false;
    for (unsigned i = 0; i < parent->exchanges->len; i++)
        rekeys += is_answered_ike_rekey(g_ptr_array_index(parent->exchanges, i));
    for (unsigned i = 0; i < ike_sa->tunnel->ike_sas->len; i++) {
        const ike_sa_t *other = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        gone += other != ike_sa && other->rekeyed_from == parent && !ike_sa_is_usable(other);
    }
    return rekeys >= 2 && gone + 1 < rekeys;
}

/* A peer that leaves may delete the child first, then the IKE SA; without keys, and with empty answers, each looks like the last. */
static bool
is_same_farewell(const ike_sa_t *ike_sa, capture_ns_t time)
{
    return ike_sa->closed_at != CAPTURE_TIME_NONE && duration_between(ike_sa->closed_at, time) < FAREWELL_WITHIN;
}

void
ikev2_ike_sa_deleted(const ike_step_t *step, exchange_t *exchange)
{
    ike_sa_t *ike_sa = step->ike_sa;
    tunnel_t *tunnel = step->tunnel;
    bool rekeyed = has_answered_ike_rekey(ike_sa), is_told = is_same_farewell(ike_sa, step->packet->time);

    ike_sa->is_replaced |= rekeyed || is_redundant_rekey(ike_sa) || has_usable_sibling(ike_sa) ||
                           engine_has_successor_over_tcp(step->engine, ike_sa, step->packet);
    if (rekeyed && exchange_is_delete(exchange)) {
        for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
            exchange_t *older = g_ptr_array_index(ike_sa->exchanges, i);
            if (older->kind == EXCHANGE_CREATE_CHILD_SA && older->outcome == OUTCOME_ANSWERED && !older->is_refused) {
                engine_was_ike_rekey(step->engine, older, step->packet->frame, step->packet->time);
                break;
            }
        }
    }
    ike_sa->hands_on_children = rekeyed || is_redundant_rekey(ike_sa);
    step_close_ike_sa(step, exchange->requester, exchange->kind_confidence);
    if (!is_told)
        step_judge(step, CHANGE_IKE_SA_DELETED, exchange);
    const ike_sa_t *successor = rekeyed ? NULL : own_successor(ike_sa);
    if (successor != NULL) {
        step_judge(step, CHANGE_REAUTHENTICATED, exchange);
        engine_line_of_reauthentication(step->engine, tunnel, successor, step->packet->frame, step->packet->time);
    }
    if (!ike_sa->is_replaced)
        life_lost(tunnel, LOSS_DELETED, exchange->requester, exchange->kind_confidence, step->packet->frame, step->packet->time);
}

/* Without keys the DELETE names no SPI. After a rekey the SA older than it is meant (RFC 7296 2.8), if there is just one. */
static void
infer_deleted_spi(const ike_step_t *step, peer_t sender, peer_t deleter)
{
    esp_sa_t *old = NULL;

    for (unsigned i = 0; i < step->tunnel->esp_sas->len; i++) {
        esp_sa_t *sa = g_ptr_array_index(step->tunnel->esp_sas, i);
        if (sa->sender != sender || sa->packets == 0 || sa->deleted_in != FRAME_NONE ||
            sa->first_time >= step->tunnel->last_child_success_at)
            continue;
        if (old != NULL)
            return;
        old = sa;
    }
    if (old == NULL)
        return;
    old->deleted_in = step->packet->frame;
    old->deleted_at = step->packet->time;
    old->deleted_confidence = CONFIDENCE_INFERRED;
    children_deleted(step->tunnel, old->generation, deleter, old->deleted_in, old->deleted_at, CONFIDENCE_INFERRED);
}

/* Pairs that the traffic shows, at least. */
static unsigned
pairs_in_use(const tunnel_t *tunnel)
{
    unsigned used[PEERS] = { 0 };

    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        used[sa->sender] += sa->packets > 0;
    }
    return MAX(used[PEER_A], used[PEER_B]);
}

void
ikev2_child_deleted(const ike_step_t *step, exchange_t *exchange)
{
    engine_name_by_child_delete(step->engine, exchange);
    /* One line of child SAs: every pair but the first came from a rekey, and only the old and the new one are alive. */
    bool is_single_line = !step->ike_sa->is_midstream && step->tunnel->child_rekeys_ok > 0 &&
                          pairs_in_use(step->tunnel) <= step->tunnel->child_rekeys_ok + 1 && step->tunnel->live_children == 2;
    if (!step->message->is_readable && is_single_line) {
        infer_deleted_spi(step, PEER_A, exchange->requester);
        infer_deleted_spi(step, PEER_B, exchange->requester);
    }
    if (!step->message->is_readable)
        step_delete_replaced_child(step, exchange);
    step_mark_deleted_spis(step, exchange->deleted_spi, exchange->deleted_spis, exchange->requester);
    if (step->message->is_readable)
        step_mark_deleted_spis(step, step->message->deleted_spi, step->message->deleted_spis, step->sender);
    life_child_down(step->tunnel, exchange->requester, step->packet->frame, step->packet->time, exchange->kind_confidence);
}

bool
ikev2_is_replaced(const ike_sa_t *ike_sa)
{
    return has_answered_ike_rekey(ike_sa) || own_successor(ike_sa) != NULL;
}
