/* abandon.c - which requests has their sender given up?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* TCP delivers a request or says that it cannot: one transmission is enough, and its sender waits "some reasonable period of time"
 * (RFC 9329 6.2) before it gives up. As long as the usual schedules of retransmissions over UDP take (60 to 165 s). */
#define PATIENCE_OVER_TCP SECONDS(180)

/* Once a sender was silent for more than twice its last gap, it has stopped (findings.md: retransmit_exhausted). */
#define SILENCE_MARGIN MILLISECONDS(500)

/* In the tunnel's row. `by`: 1, or -1 to take it back. */
static void
count_as_unanswered(tunnel_t *tunnel, const exchange_t *exchange, int by)
{
    if (exchange_is_liveness(exchange))
        tunnel->dpd_unanswered += (unsigned)by;
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_failed += (unsigned)by;
}

/* A request that both its sender and the capture have left: state first, then the verdict. */
void
engine_abandon(engine_t *engine, exchange_t *exchange, abandoned_t how, frame_t frame, capture_ns_t time, bool at_end)
{
    ike_sa_t *ike_sa = exchange->ike_sa;
    tunnel_t *tunnel = ike_sa->tunnel;

    exchange_stops_waiting(exchange, OUTCOME_ABANDONED);
    if (exchange->abandoned != ABANDONED_FOR_TCP) /* which is final */
        exchange->abandoned = how;
    exchange->abandoned_in = frame;
    if (at_end)
        g_ptr_array_add(engine->abandoned_at_end, exchange);
    tunnel->last_unanswered_at = time;
    count_as_unanswered(tunnel, exchange, 1);
    change_t change = { .kind = CHANGE_EXCHANGE_ABANDONED,
                        .frame = frame,
                        .time = time,
                        .sender = exchange->requester,
                        .ike_sa = ike_sa,
                        .exchange = exchange,
                        .at_end = at_end };
    engine_judge(engine, tunnel, &change);
    engine_flips_blame(tunnel, exchange);
    engine_never_came_up(engine, exchange);
    bool was_in_use = ike_sa->state == IKE_SA_ESTABLISHED && !ike_sa->is_replaced;
    /* RFC 7296 2.4: one lost try proves nothing, several end the SA. Nor is a new start after one a proof: so begins a
     * reauthentication, and the capture may have lost the answer. Over TCP one try is all there is. */
    bool is_proof = exchange->transmissions > 1 || exchange->encapsulation == ENCAPSULATION_TCP;
    if (!was_in_use || !is_proof || exchange->addresses_changed || exchange->deletes_replaced || tunnel_is_one_direction(tunnel) ||
        tunnel_peer_lives(tunnel, exchange))
        return;
    life_lost(tunnel, LOSS_GAVE_UP, exchange->requester, CONFIDENCE_OBSERVED, frame, time);
}

/* The capture had lost its tries in between, or its sender waits longer each time. If it is given up in the end, that is told then. */
void
step_tries_on(const ike_step_t *step, exchange_t *exchange)
{
    if (exchange->outcome != OUTCOME_ABANDONED)
        return;
    gchar *why = g_strdup_printf("It tried on in frame %u.", step->packet->frame);
    engine_tone_down_exchange(step->tunnel, exchange, why);
    g_free(why);
    count_as_unanswered(step->tunnel, exchange, -1);
    if (step->tunnel->loss.kind == LOSS_GAVE_UP && step->tunnel->loss.frame == exchange->abandoned_in)
        step->tunnel->loss = (loss_t){ .kind = LOSS_NONE };
    step_starts_waiting(step, exchange);
}

/* How long may this request wait before its silence says that nobody tries any more? INT64_MAX: that cannot be said. */
static duration_ns_t
patience_for(const tunnel_t *tunnel, const exchange_t *exchange)
{
    if (exchange->exchange_type == IKEV1_INFORMATIONAL && !exchange_is_liveness(exchange))
        return INT64_MAX;
    if (exchange->transmissions > 1)
        return duration_sum(duration_sum(exchange->last_gap, exchange->last_gap), SILENCE_MARGIN);
    /* A capture with gaps may miss the framing of the stream, and so an answer; not all that its sender says. */
    bool is_silent = !tunnel_peer_sent_after(tunnel, peer_other(exchange->requester), exchange->last_sent_at);
    return exchange->encapsulation == ENCAPSULATION_TCP && is_silent ? PATIENCE_OVER_TCP : INT64_MAX;
}

void
engine_advance(engine_t *engine, tunnel_t *tunnel, const ike_sa_t *spared, frame_t frame, capture_ns_t now, bool at_end)
{
    if (engine->clock_is_unusable)
        return;
    for (unsigned i = tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        if (exchange->ike_sa != spared && duration_between(exchange->last_sent_at, now) > patience_for(tunnel, exchange))
            engine_abandon(engine, exchange, ABANDONED_SILENCE, frame, now, at_end);
        if (i > tunnel->waiting->len)
            i = tunnel->waiting->len;
    }
}

static bool
is_unheard(const exchange_t *exchange)
{
    return exchange->outcome == OUTCOME_ANSWERED && exchange_is_unheard(exchange);
}

/* Answered here, but evidently not there: its requester gave up on it all the same. */
static void
abandon_unheard(const ike_step_t *step)
{
    for (unsigned i = 0; i < step->tunnel->ike_sas->len; i++) {
        ike_sa_t *older = g_ptr_array_index(step->tunnel->ike_sas, i);
        exchange_t *last = older->exchanges->len > 0 ? ike_sa_latest(older, is_unheard) : NULL;
        if (older == step->ike_sa || last == NULL || last->requester != step->sender || older->is_replaced)
            continue;
        for (unsigned e = older->exchanges->len; e-- > 0;) { /* it went on after that one */
            const exchange_t *later = g_ptr_array_index(older->exchanges, e);
            if (later == last)
                break;
            if (later->requester == last->requester) {
                last = NULL;
                break;
            }
        }
        if (last != NULL)
            engine_abandon(step->engine, last, ABANDONED_NEW_INIT, step->packet->frame, step->packet->time, false);
    }
}

/* The beginning of this phase 1 is not in the capture, so what seems to wait for an answer may have been its last message. */
static bool
may_have_ended_unseen(const exchange_t *exchange)
{
    return exchange->ike_sa->is_midstream && exchange->ike_sa->major == 1 && exchange_is_initiation(exchange);
}

void
step_abandon_older(const ike_step_t *step)
{
    abandon_unheard(step);
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        bool is_young = duration_between(exchange->last_sent_at, step->packet->time) < SHORTEST_TIMER;
        if (exchange->ike_sa == step->ike_sa || exchange->requester != step->sender || is_young)
            continue;
        if (may_have_ended_unseen(exchange)) {
            exchange_stops_waiting(exchange, OUTCOME_ANSWERED_UNSEEN);
            continue;
        }
        if (exchange->exchange_type == IKEV1_INFORMATIONAL) {
            if (exchange->transmissions < 2)
                continue;
            if (!exchange_is_liveness(exchange)) { /* equal notices again and again, then a new start: unanswered R-U-THEREs */
                engine_name_exchange(step->engine, exchange, EXCHANGE_DPD, CONFIDENCE_INFERRED);
            }
        }
        engine_abandon(step->engine, exchange, ABANDONED_NEW_INIT, step->packet->frame, step->packet->time, false);
        if (i > step->tunnel->waiting->len)
            i = step->tunnel->waiting->len;
    }
}

/* RFC 9329 5.1: UDP is tried first; when nothing comes back, a new IKE SA is negotiated over TCP. That says more than the silence
 * before it. */
void
step_fall_back_to_tcp(const ike_step_t *step)
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        if (exchange->ike_sa != step->ike_sa && exchange->requester == step->sender &&
            exchange->encapsulation != ENCAPSULATION_TCP && exchange_is_initiation(exchange))
            engine_abandon(step->engine, exchange, ABANDONED_FOR_TCP, step->packet->frame, step->packet->time, false);
        if (i > step->tunnel->waiting->len)
            i = step->tunnel->waiting->len;
    }
}
