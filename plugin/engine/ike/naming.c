/* naming.c - what was an exchange for, now that more is known?
 *
 * Without keys the first message may leave it open whether a CREATE_CHILD_SA makes a child, or replaces one or the IKE SA (RFC 7296
 * 1.3). What follows tells, and then the exchange's earlier frames get the better name too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* RFC 7296 2.8: after a rekey the old SA is deleted soon; an IKE SA that is used this much later was not replaced. */
#define REKEY_SETTLES SECONDS(30)

/* Who replaced a child deletes the old one at once, but for the time of a round trip or two. Later it may be any child. */
#define OLD_CHILD_DELETED_WITHIN SECONDS(5)

/* A new ESP SA carries its first packet within this time of the exchange that made it, where traffic flows. */
#define FIRST_ESP_WITHIN SECONDS(5)

void
engine_name_exchange(engine_t *engine, exchange_t *exchange, exchange_kind_t kind, confidence_t confidence)
{
    child_sa_t *child = tunnel_child(exchange->ike_sa->tunnel, exchange->child_sa);

    exchange->kind = kind;
    exchange->kind_confidence = confidence;
    for (unsigned i = 0; i < exchange->frames_kept; i++) {
        frame_note_t *note = engine_note_for(engine, exchange->frame[i]);
        note->exchange = exchange_kind_name(kind);
        note->exchange_confidence = confidence;
    }
    if (child != NULL) {
        child->kind = kind;
        child->kind_confidence = confidence;
    }
}

void
engine_was_ike_rekey(engine_t *engine, exchange_t *exchange, frame_t frame, capture_ns_t time)
{
    tunnel_t *tunnel = exchange->ike_sa->tunnel;

    engine_name_exchange(engine, exchange, EXCHANGE_IKE_REKEY, CONFIDENCE_INFERRED);
    tunnel->rekeys_ok++;
    if (exchange->creates_child && tunnel->live_children > 1) /* it was taken for one that makes a child */
        tunnel->live_children--;
    if (exchange->creates_child && tunnel->lifetimes.children_begun > 1)
        tunnel->lifetimes.children_begun--;
    if (exchange->creates_child && tunnel->children_made > 0)
        tunnel->children_made--;
    engine_unmake_child(engine, exchange);
    engine_line_of_ike_sa(engine, tunnel, exchange, frame, time);
}

static bool
is_open(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_CREATE_CHILD_SA && exchange->outcome == OUTCOME_ANSWERED && !exchange->is_refused;
}

static bool
is_open_with_notify(const exchange_t *exchange)
{
    return is_open(exchange) && exchange->request_inner == PAYLOAD_NOTIFY;
}

static void
was_child_rekey(engine_t *engine, exchange_t *exchange)
{
    tunnel_t *tunnel = exchange->ike_sa->tunnel;

    engine_name_exchange(engine, exchange, EXCHANGE_CHILD_REKEY, CONFIDENCE_INFERRED);
    tunnel->rekeys_ok++;
    tunnel->child_rekeys_ok++;
}

/* RFC 7296 2.8: who rekeyed a child deletes the old one soon. */
void
engine_name_by_child_delete(engine_t *engine, const exchange_t *deletion)
{
    exchange_t *earlier = ike_sa_latest(deletion->ike_sa, is_open_with_notify);

    if (earlier != NULL && earlier->requester == deletion->requester &&
        duration_between(earlier->answered_at, deletion->first_sent_at) <= OLD_CHILD_DELETED_WITHIN)
        was_child_rekey(engine, earlier);
}

/* Requests that RFC 7296 2.8 leaves no room for on an IKE SA that was just replaced: its DELETE is the last one. */
static bool
shows_that_the_sa_goes_on(const exchange_t *earlier, const exchange_t *next)
{
    if (exchange_is_delete(next))
        return false;
    if (exchange_is_liveness(next))
        return duration_between(earlier->answered_at, next->first_sent_at) > REKEY_SETTLES;
    return next->exchange_type == IKEV2_CREATE_CHILD_SA && next->requester == earlier->requester;
}

void
engine_name_by_next(engine_t *engine, const exchange_t *next)
{
    exchange_t *earlier = ike_sa_latest(next->ike_sa, is_open);

    if (earlier == NULL || earlier->request_inner == PAYLOAD_NOTIFY || !shows_that_the_sa_goes_on(earlier, next))
        return;
    engine_name_exchange(engine, earlier, EXCHANGE_CHILD_CREATE, CONFIDENCE_INFERRED);
    tunnel_t *tunnel = earlier->ike_sa->tunnel;
    if (tunnel->loss.kind == LOSS_CHILD_GONE && earlier->answered_at > tunnel->loss.at)
        life_child_up(engine, tunnel, next->sent_in[0], next->first_sent_at);
}

static bool
is_no_followup(const exchange_t *exchange)
{
    return exchange->kind != EXCHANGE_FOLLOWUP_KE;
}

void
engine_name_by_new_esp(engine_t *engine, const tunnel_t *tunnel, capture_ns_t time)
{
    const ike_sa_t *ike_sa = tunnel_current_ike_sa(tunnel);

    if (ike_sa == NULL)
        return;
    exchange_t *latest = ike_sa_latest(ike_sa, is_no_followup);
    if (latest != NULL && is_open(latest) && latest->request_inner != PAYLOAD_NOTIFY &&
        duration_between(latest->answered_at, time) <= FIRST_ESP_WITHIN)
        engine_name_exchange(engine, latest, EXCHANGE_CHILD_CREATE, CONFIDENCE_INFERRED);
}
