/* ike_v1.c - an IKEv1 message: whose turn is it in its phase (RFC 2408 4, RFC 2409 5), and what do one-way notices say?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"
#include "engine/ike/ike_internal.h"

#define LONGEST_HASH_ALONE 112u           /* header 28, HASH payload 4 + 64, padded to a block */
#define REFUSAL_FOLLOWS_WITHIN SECONDS(2) /* a refusal is sent at once */
#define DPD_ANSWER_WITHIN SECONDS(10)
#define LIVENESS_PLAIN 32u          /* R-U-THERE: notify 12, both cookies, sequence number (RFC 3706 5.3) */
#define DELETE_CHILD_PLAIN 16u      /* one IPsec SPI (RFC 2408 3.15) */
#define DELETE_ISAKMP_PLAIN 28u     /* both cookies */
#define TRIES_THAT_LOOK_LIKE_DPD 3u /* equal, unanswered, spaced informationals of one sender */

static unsigned
messages_of(uint8_t exchange_type)
{
    switch (exchange_type) {
    case IKEV1_MAIN_MODE:
        return 6;
    case IKEV1_AGGRESSIVE:
    case IKEV1_QUICK_MODE:
        return 3;
    default:
        return 2;
    }
}

static void
starts_turn(const ike_step_t *step, exchange_t *exchange)
{
    exchange->requester = step->sender;
    exchange->fingerprint = step->message->fingerprint;
    exchange->is_encrypted_turn = step->message->is_encrypted;
    exchange->transmissions = 0;
    exchange->last_gap = 0;
    exchange_sent(exchange, step->packet);
    step_starts_waiting(step, exchange);
}

static void
phase1_done(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;

    if (ike_sa->state != IKE_SA_NEGOTIATING)
        return;
    ike_sa->state = IKE_SA_ESTABLISHED;
    ike_sa->established_at = step->packet->time;
    ike_sa->established_in = step->packet->frame;
    life_established(step->engine, ike_sa, step->packet->frame, step->packet->time);
}

static void
quick_mode_accepted(const ike_step_t *step, exchange_t *exchange)
{
    if (step->ike_sa->state == IKE_SA_NEGOTIATING) {
        ikev1_phase1_was_answered(step);
        phase1_done(step);
    }
    step_make_child(step, exchange);
    step_note_selectors(step, &step->tunnel->accepted_selectors);
    step_count_success(step, exchange);
    step_line_of_child_v1(step, exchange);
    step_prove(step, exchange);
    life_child_up(step->engine, step->tunnel, step->packet->frame, step->packet->time);
}

static void
remember_phase1_proposal(const ike_step_t *step)
{
    if (step->message->is_encrypted || !step->message->has_sa || step->message->sa.proposals == 0)
        return;
    g_free(step->tunnel->accepted_ike);
    step->tunnel->accepted_ike = g_memdup2(&step->message->sa.proposal[0], sizeof(step->message->sa.proposal[0]));
}

/* The other peer's next message answers the one that waited; unless it was the last, it waits in turn. */
static void
next_message(const ike_step_t *step, exchange_t *exchange)
{
    bool answers = step->sender != exchange->requester;

    exchange->messages += answers ? 1 : 2; /* the same sender again: the message in between is not in the capture */
    if (answers)
        step_mark_answered(step, exchange);
    else
        step->tunnel->unseen_answers++;
    exchange->is_refused = false; /* it goes on: what came in between was no refusal */
    exchange->refusal_hint_in = FRAME_NONE;
    if (answers && exchange->messages == 2) {
        remember_phase1_proposal(step);
        step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
        if (exchange->kind == EXCHANGE_QUICK_MODE)
            quick_mode_accepted(step, exchange);
    } else if (answers) {
        step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
    }
    step_announced_v1(step, exchange);
    if (exchange->messages >= messages_of(exchange->exchange_type)) {
        exchange_stops_waiting(exchange, OUTCOME_ANSWERED);
        if (exchange->kind == EXCHANGE_MAIN_MODE || exchange->kind == EXCHANGE_AGGRESSIVE_MODE)
            phase1_done(step);
        return;
    }
    starts_turn(step, exchange);
}

static void
repeated_message(const ike_step_t *step, exchange_t *exchange)
{
    if (!step_retransmits(step, exchange))
        return;
    step_tries_on(step, exchange);
    /* RFC 2408 3.1: a responder repeats its message because the initiator repeated its own. */
    peer_t other = peer_other(step->sender);
    bool is_repeated_answer = exchange->last_repeat_at[other] != CAPTURE_TIME_NONE &&
                              duration_between(exchange->last_repeat_at[other], step->packet->time) < SECONDS(1);
    exchange->last_repeat_at[step->sender] = step->packet->time;
    if (!is_repeated_answer)
        step_judge(step, CHANGE_REQUEST_REPEATED, exchange);
}

/* A Quick Mode that starts over after an informational came instead of its answer was refused. */
static void
older_quick_modes_were_refused(const ike_step_t *step, const exchange_t *next)
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *older = g_ptr_array_index(step->tunnel->waiting, i);
        if (older == next || older->kind != EXCHANGE_QUICK_MODE || older->requester != next->requester ||
            older->refusal_hint_in == FRAME_NONE)
            continue;
        exchange_stops_waiting(older, OUTCOME_ANSWERED);
        older->answered_in = older->refusal_hint_in;
        older->answered_at = older->refusal_hint_at;
        older->is_refused = true;
        older->refusal_confidence = CONFIDENCE_INFERRED;
        exchange_t *notice = ike_sa_exchange_in(older->ike_sa, older->refusal_hint_in);
        if (notice != NULL)
            engine_name_exchange(step->engine, notice, EXCHANGE_NOTIFY, CONFIDENCE_INFERRED);
        step_count_refusal(step, older);
        step_judge(step, CHANGE_EXCHANGE_ANSWERED, older);
    }
}

/* RFC 2409 5.5: the third message holds a HASH alone, the first holds HASH, SA and nonce: too short to be the first. */
static bool
is_last_of_quick_mode(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_QUICK_MODE && exchange->request_length <= LONGEST_HASH_ALONE;
}

static void
first_message(const ike_step_t *step)
{
    exchange_t *exchange = exchange_new(step->ike_sa, step->message, step->sender);

    classify_request(exchange, step->message);
    if (is_last_of_quick_mode(exchange)) {
        ike_sa_add_exchange(step->ike_sa, exchange);
        exchange->messages = messages_of(IKEV1_QUICK_MODE);
        exchange->last_fingerprint[step->sender] = step->message->fingerprint;
        exchange_sent(exchange, step->packet);
        exchange->outcome = OUTCOME_ONE_WAY;
        step_note_exchange(step, exchange);
        return;
    }
    exchange->messages = exchange->kind == EXCHANGE_MAIN_MODE && step->message->is_encrypted ? 5 : 1;
    if (exchange->kind == EXCHANGE_AGGRESSIVE_MODE && step->message->spi_r != 0)
        exchange->messages = 2;
    ike_sa_add_exchange(step->ike_sa, exchange);
    exchange->last_fingerprint[step->sender] = step->message->fingerprint;
    starts_turn(step, exchange);
    step_note_exchange(step, exchange);
    if (exchange_is_initiation(exchange) && step->message->spi_r == 0)
        step_abandon_older(step);
    older_quick_modes_were_refused(step, exchange);
    step_note_selectors(step, &step->tunnel->asked_selectors[step->sender]);
    step_judge(step, CHANGE_REQUEST_SENT, exchange);
    step_announced_v1(step, exchange);
}

static void
phase_message(const ike_step_t *step)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, step->sender);

    step->ike_sa->has_phase2 |= step->message->exchange_type == IKEV1_QUICK_MODE;
    if (exchange == NULL) {
        first_message(step);
        return;
    }
    if (step->sender == exchange->requester && step->message->fingerprint == exchange->fingerprint) {
        repeated_message(step, exchange);
    } else if (step->message->fingerprint == exchange->last_fingerprint[step->sender]) {
        exchange->last_repeat_at[step->sender] = step->packet->time; /* an answered message again: its answer was lost further on */
    } else {
        exchange->last_fingerprint[step->sender] = step->message->fingerprint;
        next_message(step, exchange);
    }
    step_note_exchange(step, exchange);
}

static exchange_t *
waiting_for(const ike_step_t *step, bool (*is_wanted)(const exchange_t *))
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        if (exchange->ike_sa == step->ike_sa && exchange->requester != step->sender && is_wanted(exchange))
            return exchange;
    }
    return NULL;
}

static bool
is_negotiation(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_QUICK_MODE || exchange->kind == EXCHANGE_MAIN_MODE ||
           exchange->kind == EXCHANGE_AGGRESSIVE_MODE;
}

static bool
is_notice(const exchange_t *exchange)
{
    return exchange->exchange_type == IKEV1_INFORMATIONAL &&
           (exchange->kind == EXCHANGE_INFORMATIONAL || exchange->kind == EXCHANGE_DPD);
}

/* A refusal is an informational exchange of its own (RFC 2408 5.4): it stands for the answer that never comes. */
static void
refusal(const ike_step_t *step, const notify_t *error)
{
    exchange_t *exchange = waiting_for(step, is_negotiation);

    /* A clear notice may be forged; one by which the responder refuses what was just offered is what real refusals look like. */
    bool is_believable =
        step->message->is_encrypted ||
        (exchange != NULL && exchange->requester == step->ike_sa->original_initiator && !step->ike_sa->is_midstream);
    if (exchange == NULL || !is_believable) {
        change_t change = step_change(step, CHANGE_NOTIFY);
        change.notify = error;
        change.exchange = exchange;
        if (exchange != NULL && exchange_is_initiation(exchange)) { /* if the answer does not come either, it was meant */
            exchange->refusal_hint_in = step->packet->frame;
            exchange->refusal_hint_at = step->packet->time;
            exchange->hinted_error = error->type;
        }
        engine_judge(step->engine, step->tunnel, &change);
        return;
    }
    exchange->is_refused = true;
    exchange->refusal_confidence = CONFIDENCE_OBSERVED;
    exchange->error = error->type;
    exchange->error_is_exact = true;
    step_mark_answered(step, exchange);
    step_count_refusal(step, exchange);
    step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
    if (exchange->kind != EXCHANGE_QUICK_MODE)
        step->ike_sa->state = IKE_SA_FAILED;
}

static void
liveness_answered(const ike_step_t *step, exchange_t *exchange)
{
    step_mark_answered(step, exchange);
    step->ike_sa->dpd_length[exchange->requester] = exchange->request_length;
    step_prove(step, exchange);
    step_note_exchange(step, exchange);
    step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
}

static exchange_t *
new_notice(const ike_step_t *step)
{
    exchange_t *exchange = exchange_new(step->ike_sa, step->message, step->sender);

    classify_request(exchange, step->message);
    exchange->messages = 1;
    ike_sa_add_exchange(step->ike_sa, exchange);
    starts_turn(step, exchange);
    step_note_exchange(step, exchange);
    return exchange;
}

/* RFC 3706 5.5: an unanswered R-U-THERE is followed by another one; it is the next try of the same check. */
static exchange_t *
earlier_try(const ike_step_t *step, bool is_liveness)
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        if (exchange->ike_sa != step->ike_sa || exchange->requester != step->sender || !is_notice(exchange))
            continue;
        bool alike = is_liveness ? exchange->kind == EXCHANGE_DPD : exchange->request_length == step->message->length;
        bool was_heard = step->tunnel->last_answer_at > exchange->last_sent_at; /* the peer lives: a new check begins */
        if (alike && !was_heard && duration_between(exchange->last_sent_at, step->packet->time) >= SECONDS(1))
            return exchange;
    }
    return NULL;
}

static void
liveness_try(const ike_step_t *step, bool is_liveness)
{
    exchange_t *exchange = earlier_try(step, is_liveness);

    if (exchange == NULL) {
        exchange = new_notice(step);
        if (!is_liveness && step->message->length == step->ike_sa->dpd_length[step->sender])
            exchange->kind_confidence = CONFIDENCE_INFERRED;
    } else {
        exchange_sent(exchange, step->packet);
        bool of_known_length = step->message->length == step->ike_sa->dpd_length[step->sender];
        if (!is_liveness && (of_known_length || exchange->transmissions >= TRIES_THAT_LOOK_LIKE_DPD))
            engine_name_exchange(step->engine, exchange, EXCHANGE_DPD, CONFIDENCE_INFERRED);
        step_note_exchange(step, exchange);
    }
    if (is_liveness)
        step->tunnel->dpd_sent++;
}

static void
deleted(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    tunnel_t *tunnel = step->tunnel;
    exchange_t *exchange = new_notice(step);

    exchange_stops_waiting(exchange, OUTCOME_ONE_WAY);
    step_mark_deleted_spis(step, exchange->deleted_spi, exchange->deleted_spis, step->sender);
    if (exchange->kind == EXCHANGE_DELETE_CHILD) {
        life_child_down(tunnel, step->sender, step->packet->frame, step->packet->time, CONFIDENCE_OBSERVED);
        return;
    }
    if (!ike_sa_is_usable(ike_sa))
        return;
    step_close_ike_sa(step, step->sender, CONFIDENCE_OBSERVED);
    step_judge(step, CHANGE_IKE_SA_DELETED, exchange);
    if (!ike_sa->is_replaced)
        life_lost(tunnel, LOSS_DELETED, step->sender, CONFIDENCE_OBSERVED, step->packet->frame, step->packet->time);
}

static void
readable_notice(const ike_step_t *step)
{
    const ike_message_t *message = step->message;
    const notify_t *error = ike_message_error(message);

    if (message->delete_protocol != 0) {
        deleted(step);
    } else if (ike_message_notify(message, NOTIFY_V1_R_U_THERE_ACK) != NULL) {
        exchange_t *exchange = waiting_for(step, exchange_is_liveness);
        if (exchange != NULL)
            liveness_answered(step, exchange);
        else
            exchange_stops_waiting(new_notice(step), OUTCOME_ONE_WAY);
    } else if (ike_message_notify(message, NOTIFY_V1_R_U_THERE) != NULL) {
        liveness_try(step, true);
    } else {
        exchange_stops_waiting(new_notice(step), OUTCOME_ONE_WAY);
        step_announced_v1(step, NULL);
        if (error != NULL)
            refusal(step, error);
    }
}

/* What is encrypted may be refused by an encrypted notice: Quick Mode, and the first encrypted message of Main Mode. */
static bool
may_be_refused_by_notice(const exchange_t *negotiation)
{
    return negotiation->kind == EXCHANGE_QUICK_MODE || (negotiation->kind == EXCHANGE_MAIN_MODE && negotiation->is_encrypted_turn);
}

/* With nothing to wait for and once a child exists, a notice too short for anything else says that an IPsec SA is gone. A status or
 * error notify without data has about the same size, but those answer a negotiation. */
static bool
has_size_of_child_delete(const ike_step_t *step)
{
    uint32_t length = step->message->length;
    suite_v1_t suite;

    return step->tunnel->had_child && step->tunnel->accepted_ike != NULL &&
           suite_v1_from_proposal(step->tunnel->accepted_ike, &suite) && suite_v1_may_hold(&suite, length, DELETE_CHILD_PLAIN) &&
           !suite_v1_may_hold(&suite, length, DELETE_ISAKMP_PLAIN) && !suite_v1_may_hold(&suite, length, LIVENESS_PLAIN);
}

/* Both peers may delete the same SA at once, which looks like a question and its answer: on an ISAKMP SA that has a successor, or too
 * short for R-U-THERE, it is no liveness check. */
static bool
may_be_liveness(const ike_step_t *step)
{
    const tunnel_t *tunnel = step->tunnel;
    suite_v1_t suite;

    if (step->ike_sa->is_replaced || tunnel_current_ike_sa(tunnel)->index > step->ike_sa->index)
        return false;
    return tunnel->accepted_ike == NULL || !suite_v1_from_proposal(tunnel->accepted_ike, &suite) ||
           suite_v1_may_hold(&suite, step->message->length, LIVENESS_PLAIN);
}

/* Without keys an informational shows its size and its company: answered by one of equal size within a round trip it was a
 * liveness check; right after a Quick Mode message of the other peer, in place of its answer, it may be a refusal. */
static void
hidden_notice(const ike_step_t *step)
{
    exchange_t *asked = waiting_for(step, is_notice);
    exchange_t *negotiation = waiting_for(step, is_negotiation);

    bool is_pair = asked != NULL && asked->request_length == step->message->length &&
                   duration_between(asked->last_sent_at, step->packet->time) <= DPD_ANSWER_WITHIN;
    if (is_pair && !may_be_liveness(step)) { /* two DELETEs, or a check and its answer: nobody waits in either case */
        exchange_stops_waiting(asked, OUTCOME_ONE_WAY);
        exchange_stops_waiting(new_notice(step), OUTCOME_ONE_WAY);
        return;
    }
    if (is_pair) {
        if (asked->kind != EXCHANGE_DPD)
            step->tunnel->dpd_sent++;
        engine_name_exchange(step->engine, asked, EXCHANGE_DPD, CONFIDENCE_INFERRED);
        liveness_answered(step, asked);
        return;
    }
    if (negotiation != NULL && may_be_refused_by_notice(negotiation) &&
        duration_between(negotiation->last_sent_at, step->packet->time) <= REFUSAL_FOLLOWS_WITHIN) {
        negotiation->refusal_hint_in = step->packet->frame;
        negotiation->refusal_hint_at = step->packet->time;
        exchange_stops_waiting(new_notice(step), OUTCOME_ONE_WAY);
        return;
    }
    if (has_size_of_child_delete(step)) {
        exchange_t *notice = new_notice(step);
        exchange_stops_waiting(notice, OUTCOME_ONE_WAY);
        engine_name_exchange(step->engine, notice, EXCHANGE_DELETE_CHILD, CONFIDENCE_INFERRED);
        return;
    }
    liveness_try(step, false);
}

static bool
is_repeated_notice(const ike_step_t *step)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, step->sender);

    if (exchange == NULL || exchange->fingerprint != step->message->fingerprint)
        return false;
    step_note_exchange(step, exchange);
    return true;
}

static void
account_for(const ike_step_t *step)
{
    if (step->message->exchange_type != IKEV1_INFORMATIONAL) {
        phase_message(step);
        return;
    }
    if (is_repeated_notice(step))
        return;
    if (step->message->is_readable)
        readable_notice(step);
    else
        hidden_notice(step);
}

/* The fragments of a message are one message, which comes with the last of them. */
static void
fragment(const ike_step_t *step)
{
    ike_message_t whole;
    ike_step_t assembled = *step;

    if (!pieces_v1_add(&step->ike_sa->pieces_v1[step->sender], step->packet, &whole) || whole.spi_i != step->ike_sa->spi_i)
        return;
    assembled.message = &whole;
    step_learn_identities(&assembled);
    account_for(&assembled);
}

void
ikev1_message(const ike_step_t *step)
{
    endpoint_t *source = step_source(step);
    change_t change = step_change(step, CHANGE_PEER_MOVED);

    bool is_first_encapsulated = source->family == ADDRESS_NONE && step->packet->encapsulation == ENCAPSULATION_UDP;
    engine_check_move(step->engine, step->tunnel, step->sender, source, step->packet, &change);
    bool is_negotiation = step->message->exchange_type == IKEV1_MAIN_MODE || step->message->exchange_type == IKEV1_AGGRESSIVE;
    if (is_first_encapsulated && is_negotiation)
        engine_check_return(step->engine, step->tunnel, step->sender, step->ike_sa, step->packet, &change);
    if (step->message->next_payload == V1_FRAGMENT_PAYLOAD)
        fragment(step);
    else
        account_for(step);
}
