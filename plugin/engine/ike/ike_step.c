/* ike_step.c - what does an IKE message change, whichever version it is of?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

change_t
step_change(const ike_step_t *step, change_kind_t kind)
{
    return (change_t){ .kind = kind,
                       .frame = step->packet->frame,
                       .time = step->packet->time,
                       .packet = step->packet,
                       .message = step->message,
                       .sender = step->sender,
                       .ike_sa = step->ike_sa };
}

void
step_judge(const ike_step_t *step, change_kind_t kind, const exchange_t *exchange)
{
    change_t change = step_change(step, kind);

    change.exchange = exchange;
    engine_judge(step->engine, step->tunnel, &change);
}

void
step_starts_waiting(const ike_step_t *step, exchange_t *exchange)
{
    GPtrArray *waiting = step->tunnel->waiting;

    exchange->outcome = OUTCOME_WAITING;
    g_ptr_array_remove(waiting, exchange);
    if (waiting->len >= WAITING_MAX) {
        exchange_t *oldest = g_ptr_array_index(waiting, 0);
        exchange_stops_waiting(oldest, oldest->exchange_type == IKEV1_INFORMATIONAL ? OUTCOME_ONE_WAY : OUTCOME_ANSWERED_UNSEEN);
    }
    g_ptr_array_add(waiting, exchange);
}

void
exchange_stops_waiting(exchange_t *exchange, exchange_outcome_t outcome)
{
    exchange->outcome = outcome;
    g_ptr_array_remove(exchange->ike_sa->tunnel->waiting, exchange);
}

bool
step_retransmits(const ike_step_t *step, exchange_t *exchange)
{
    duration_ns_t gap = duration_between(exchange->last_sent_at, step->packet->time);

    if (exchange_is_carried_over(exchange, step->packet)) {
        exchange_carry_over(exchange, step->packet);
        step_tries_on(step, exchange);
        return false;
    }
    if (gap < SHORTEST_TIMER)
        return false;
    step->note->retransmission_of = exchange->sent_in[0];
    step->note->retransmission_count = exchange->transmissions;
    step->note->retransmission_rto = gap;
    engine_note_for(step->engine, exchange_last_sent_in(exchange))->retransmission_next = step->packet->frame;
    exchange_sent(exchange, step->packet);
    return true;
}

endpoint_t *
step_source(const ike_step_t *step)
{
    endpoint_t *sources = step->ike_sa->source[step->sender];

    if (step->packet->encapsulation == ENCAPSULATION_TCP) /* back on UDP it may well have another mapping (RFC 9329 7.1) */
        sources[ENCAPSULATION_UDP].family = ADDRESS_NONE;
    return &sources[step->packet->encapsulation];
}

void
step_mark_answered(const ike_step_t *step, exchange_t *exchange)
{
    exchange_stops_waiting(exchange, OUTCOME_ANSWERED);
    exchange->answered_in = step->packet->frame;
    exchange->answered_at = step->packet->time;
    duration_ns_t took = duration_between(exchange->first_sent_at, step->packet->time);
    step->note->request_in = exchange->sent_in[0];
    step->note->exchange_time = took;
    for (unsigned i = 0; i < MIN(exchange->transmissions, TRANSMISSIONS_KEPT); i++) {
        frame_note_t *request = engine_note_for(step->engine, exchange->sent_in[i]);
        request->response_in = step->packet->frame;
        request->exchange_time = took;
    }
    engine_name_exchange(step->engine, exchange, exchange->kind, exchange->kind_confidence);
    engine_flips_overcome_by_answer(step->tunnel, exchange, step->packet);
    if (exchange_is_liveness(exchange)) {
        duration_ns_t round_trip = duration_between(exchange->last_sent_at, step->packet->time);
        if (step->tunnel->dpd_rtts->len >= DPD_RTTS_KEPT)
            g_array_remove_index_fast(step->tunnel->dpd_rtts, step->packet->frame % DPD_RTTS_KEPT); /* any: it is for the median */
        g_array_append_val(step->tunnel->dpd_rtts, round_trip);
    }
}

void
step_prove(const ike_step_t *step, const exchange_t *exchange)
{
    step->tunnel->last_answer_at = step->packet->time;
    step->tunnel->last_answer_in = step->packet->frame;
    step->tunnel->last_answer_words = exchange_kind_words(exchange->kind);
    life_proved(step->tunnel, step->packet->time, step->packet->frame);
}

void
step_note_exchange(const ike_step_t *step, exchange_t *exchange)
{
    exchange_note_frame(exchange, step->note->frame);
    step->note->exchange = exchange_kind_name(exchange->kind);
    step->note->exchange_confidence = exchange->kind_confidence;
    if (exchange->child_sa != INDEX_NONE)
        step->note->child_sa = exchange->child_sa;
}

void
step_note_selectors(const ike_step_t *step, selectors_t *selectors)
{
    const ike_message_t *message = step->message;

    if (!message->is_readable || message->selectors_i[0] == '\0' || message->selectors_r[0] == '\0')
        return;
    g_strlcpy(selectors->initiator, message->selectors_i, sizeof(selectors->initiator));
    g_strlcpy(selectors->responder, message->selectors_r, sizeof(selectors->responder));
    selectors->frame = step->packet->frame;
}

void
step_count_refusal(const ike_step_t *step, exchange_t *exchange)
{
    tunnel_t *tunnel = step->tunnel;

    /* Sent when both peers are at it at once (RFC 7296 2.25), or a detour that goes on with another group (1.3) - unless it goes on
     * and on. */
    tunnel->ke_refused_in_a_row += exchange->error == NOTIFY_INVALID_KE_PAYLOAD;
    if (tunnel_may_agree_on_group(tunnel, exchange) || exchange->collides)
        return;
    if (!exchange_is_rekey(exchange) && !exchange_is_child_create(exchange))
        return;
    if (exchange_is_rekey(exchange))
        tunnel->lifetimes.refused_at = step->packet->time;
    exchange->repeats_a_refusal = tunnel->refused_in_a_row > 0;
    if (!exchange->repeats_a_refusal) {
        tunnel->first_refused_in = exchange->sent_in[0];
        tunnel->first_refused_at = exchange->first_sent_at;
    }
    tunnel->refused_in_a_row++;
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_failed++;
}

static const proposal_t *
chosen_proposal(const ike_message_t *response)
{
    return response->is_readable && response->has_sa && response->sa.proposals > 0 ? &response->sa.proposal[0] : NULL;
}

void
step_count_success(const ike_step_t *step, exchange_t *exchange)
{
    tunnel_t *tunnel = step->tunnel;
    const proposal_t *chosen = chosen_proposal(step->message);

    /* What was not told apart yet counts once it turns out to have been an IKE rekey. */
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_ok++;
    if (exchange->kind == EXCHANGE_CHILD_REKEY || (exchange->kind == EXCHANGE_QUICK_MODE && exchange_is_rekey(exchange)))
        tunnel->child_rekeys_ok++;
    if (exchange->kind == EXCHANGE_IKE_REKEY)
        return;
    tunnel->ke_refused_in_a_row = 0;
    if (exchange->creates_child) {
        tunnel->refused_in_a_row = 0;
        tunnel->last_child_success_at = step->packet->time;
    }
    if (chosen != NULL && (chosen->protocol == PROTOCOL_ESP || chosen->protocol == PROTOCOL_AH)) {
        g_free(tunnel->accepted_child);
        tunnel->accepted_child = g_memdup2(chosen, sizeof(*chosen));
    }
}

void
step_mark_deleted_spis(const ike_step_t *step, const uint32_t *spis, unsigned count, peer_t owner)
{
    for (unsigned s = 0; s < count; s++) {
        esp_sa_t *sa = tunnel_esp_sa(step->tunnel, spis[s], peer_other(owner));
        if (sa == NULL || sa->deleted_in != FRAME_NONE)
            continue;
        sa->deleted_in = step->packet->frame;
        sa->deleted_at = step->packet->time;
        sa->deleted_confidence = CONFIDENCE_OBSERVED;
        children_deleted(step->tunnel, sa->generation, owner, step->packet->frame, step->packet->time, CONFIDENCE_OBSERVED);
    }
}

void
step_close_ike_sa(const ike_step_t *step, peer_t by, confidence_t confidence)
{
    ike_sa_close(step->ike_sa, by, confidence, step->packet->frame, step->packet->time);
    step->ike_sa->traffic_at_close = life_traffic_was_flowing(step->tunnel, step->packet->time);
}

static void
learn_identity(const ike_step_t *step, peer_t peer, const char *identity)
{
    if (identity[0] == '\0')
        return;
    g_strlcpy(step->tunnel->peer[peer].identity, identity, IDENTITY_TEXT_MAX);
    step->ike_sa->identity_hash[peer] = identity_hash(identity);
}

void
step_learn_identities(const ike_step_t *step)
{
    const ike_message_t *message = step->message;
    peer_t initiator = step->ike_sa->original_initiator;

    if (!message->is_readable || message->exchange_type == IKEV1_QUICK_MODE)
        return;
    if (message->major == 1) { /* phase 1 carries the sender's own identity */
        learn_identity(step, step->sender, message->identity_i);
        return;
    }
    learn_identity(step, initiator, message->identity_i);
    learn_identity(step, peer_other(initiator), message->identity_r);
}
