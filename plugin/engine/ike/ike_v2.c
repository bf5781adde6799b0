/* ike_v2.c - an IKEv2 message: a new request, the same again, or an answer (RFC 7296 2.1, 2.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"
#include "engine/ike/ike_internal.h"

static bool
same_purpose(const exchange_t *a, const exchange_t *b)
{
    return (a->kind == EXCHANGE_CHILD_REKEY && b->kind == EXCHANGE_CHILD_REKEY &&
            (a->rekeyed_spi == 0 || b->rekeyed_spi == 0 || a->rekeyed_spi != b->rekeyed_spi)) ||
           ((a->kind == EXCHANGE_IKE_REKEY || a->kind == EXCHANGE_CREATE_CHILD_SA) && b->kind == a->kind);
}

/* RFC 7296 2.8.1: both peers noticed the lifetime at once and their requests crossed. */
static void
watch_collision(const ike_step_t *step, exchange_t *exchange)
{
    for (unsigned i = 0; i < step->tunnel->waiting->len; i++) {
        exchange_t *other = g_ptr_array_index(step->tunnel->waiting, i);
        if (other->ike_sa != step->ike_sa || other->requester == exchange->requester || other->transmissions > 1 ||
            !same_purpose(exchange, other))
            continue;
        exchange->collides = other->collides = true;
        step_judge(step, CHANGE_COLLISION, exchange);
        return;
    }
}

/* RFC 7296 1.4: an INFORMATIONAL request may report an error: a failed authentication, an SPI that its sender does not know. */
static void
tell_errors(const ike_step_t *step, const exchange_t *exchange)
{
    const notify_t *error = ike_message_error(step->message);

    if (step->message->exchange_type != IKEV2_INFORMATIONAL || !step->message->is_decrypted || error == NULL)
        return;
    change_t change = step_change(step, CHANGE_NOTIFY);
    change.exchange = exchange;
    change.notify = error;
    if (error->type == NOTIFY_INVALID_SPI) {
        uint32_t spi = error->data != 0 ? error->data : (uint32_t)error->spi;
        esp_sa_t *sa =
            engine_find_esp_sa(step->engine, spi, &step->packet->destination, &step->packet->source, step->packet->frame);
        if (sa != NULL)
            esp_sa_is_invalid(sa, step->packet, true);
        change.esp_sa = sa;
    }
    engine_judge(step->engine, step->tunnel, &change);
}

/* RFC 5685: a gateway sends a client to another one, by an INFORMATIONAL on the IKE SA; the client says there where it comes from. */
static void
watch_redirection(const ike_step_t *step)
{
    const ike_message_t *message = step->message;

    if (message->is_decrypted && ike_message_notify(message, NOTIFY_REDIRECT) != NULL)
        step->tunnel->redirected_at = step->packet->time;
    if (message->exchange_type == IKEV2_SA_INIT && ike_message_notify(message, NOTIFY_REDIRECTED_FROM) != NULL)
        engine_note_redirected(step->engine, step->tunnel, step->sender, step->packet->time);
}

/* RFC 7296 2.2: each peer counts its requests. A number that is left out is a request that the capture does not show. */
static void
watch_gap(const ike_step_t *step)
{
    uint32_t *next = &step->ike_sa->next_id[step->sender];

    step->tunnel->has_unread_ike |= step->message->message_id > *next;
    *next = MAX(*next, step->message->message_id + 1);
}

/* The capture may lack IKE_SA_INIT, or its request. */
static bool
is_new_start(const exchange_t *exchange)
{
    bool is_first = exchange->ike_sa->exchanges->len == 1;

    return exchange_is_init(exchange) || (exchange->exchange_type == IKEV2_AUTH && is_first);
}

exchange_t *
ikev2_new_request(const ike_step_t *step)
{
    exchange_t *exchange = exchange_new(step->ike_sa, step->message, step->sender);

    watch_gap(step);
    ikev2_was_no_ike_delete(step);
    ikev2_watch_refused_auth(step);
    exchange_sent(exchange, step->packet);
    classify_request(exchange, step->message);
    exchange->deletes_replaced =
        exchange_is_delete(exchange) && exchange->kind != EXCHANGE_DELETE_CHILD && ikev2_is_replaced(step->ike_sa);
    ike_sa_add_exchange(step->ike_sa, exchange);
    ikev2_older_were_answered(step, exchange);
    step_starts_waiting(step, exchange);
    step_note_exchange(step, exchange);
    engine_name_by_next(step->engine, exchange);
    if (exchange_is_liveness(exchange))
        step->tunnel->dpd_sent++;
    if (is_new_start(exchange))
        step_abandon_older(step);
    if (step->message->is_decrypted && ike_message_notify(step->message, NOTIFY_INITIAL_CONTACT) != NULL)
        step->ike_sa->initial_contact = true;
    step_note_selectors(step, &step->tunnel->asked_selectors[step->sender]);
    watch_redirection(step);
    step_judge(step, CHANGE_REQUEST_SENT, exchange);
    tell_errors(step, exchange);
    watch_collision(step, exchange);
    return exchange;
}

void
ikev2_repeated_request(const ike_step_t *step, exchange_t *exchange)
{
    step_note_exchange(step, exchange);
    step->note->response_in = exchange->answered_in;
    if (!step_retransmits(step, exchange))
        return;
    exchange->repeats_after_answer += exchange->outcome == OUTCOME_ANSWERED;
    exchange->is_rebuilt |= exchange->fingerprint != step->message->fingerprint && !exchange->request_fragments.is_fragmented;
    step_tries_on(step, exchange);
    step_judge(step, CHANGE_REQUEST_REPEATED, exchange);
}

/* RFC 6311: after a failover a cluster counts its requests anew, from 0. RFC 7296 2.2 has every other message ID used once. */
static bool
is_other_request(const exchange_t *exchange, const ike_message_t *message)
{
    return exchange->fingerprint != message->fingerprint && exchange->outcome == OUTCOME_ANSWERED &&
           (exchange->exchange_type != message->exchange_type || message->message_id == 0);
}

/* RFC 7296 2.6, 1.2: the initiator starts over with a cookie or another group; same SPI, same message ID, other bytes. */
static bool
is_restart(const exchange_t *exchange, const ike_message_t *message)
{
    return exchange_is_init(exchange) && exchange->fingerprint != message->fingerprint;
}

static void
request(const ike_step_t *step)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, step->sender);

    if (exchange != NULL && ikev2_completes_request(step, exchange))
        return;
    if (exchange != NULL && !is_restart(exchange, step->message) && !is_other_request(exchange, step->message)) {
        ikev2_repeated_request(step, exchange);
        return;
    }
    if (exchange != NULL && exchange_is_waiting(exchange))
        exchange_stops_waiting(exchange, OUTCOME_ANSWERED_UNSEEN);
    ikev2_new_request(step);
}

void
ikev2_child_made(const ike_step_t *step, exchange_t *exchange)
{
    step_make_child(step, exchange);
    step_note_selectors(step, &step->tunnel->accepted_selectors);
    step_line_of_child_v2(step, exchange);
    step_count_success(step, exchange);
    /* When the last child is gone, what may as well be an IKE rekey brings none back: what follows will tell (naming.c, ESP). */
    bool may_be_ike_rekey = exchange->kind == EXCHANGE_CREATE_CHILD_SA && exchange->request_inner != PAYLOAD_NOTIFY;
    if (!may_be_ike_rekey || step->tunnel->loss.kind != LOSS_CHILD_GONE)
        life_child_up(step->engine, step->tunnel, step->packet->frame, step->packet->time);
}

static void
answered_init(const ike_step_t *step, exchange_t *exchange)
{
    const ike_message_t *message = step->message;

    step_init_is_answered(step);
    if (exchange->is_refused || !message->has_sa || message->sa.proposals == 0)
        return;
    step->ike_sa->may_be_childless = ike_message_notify(message, NOTIFY_CHILDLESS_SUPPORTED) != NULL;
    step->ike_sa->suite_known = suite_from_proposal(&message->sa.proposal[0], &step->ike_sa->suite);
    step->ike_sa->offered = exchange->request_sizes;
    step->ike_sa->proposals_offered = exchange->offer != NULL ? exchange->offer->proposals : 0;
    step->ike_sa->chosen = message->sizes;
    g_free(step->tunnel->accepted_ike);
    step->tunnel->accepted_ike = g_memdup2(&message->sa.proposal[0], sizeof(message->sa.proposal[0]));
}

static void
answered_create_child(const ike_step_t *step, exchange_t *exchange)
{
    if (exchange->is_refused)
        return;
    if (exchange->kind == EXCHANGE_IKE_REKEY) {
        step_count_success(step, exchange);
        engine_line_of_ike_sa(step->engine, step->tunnel, exchange, step->packet->frame, step->packet->time);
        return;
    }
    ikev2_child_made(step, exchange);
}

static void
answered_informational(const ike_step_t *step, exchange_t *exchange)
{
    if (exchange->kind == EXCHANGE_DELETE_IKE)
        ikev2_ike_sa_deleted(step, exchange);
    else if (exchange->kind == EXCHANGE_DELETE_CHILD)
        ikev2_child_deleted(step, exchange);
    else if (exchange->kind == EXCHANGE_MOBIKE || (exchange->kind == EXCHANGE_DPD && exchange->addresses_changed))
        step_judge(step, CHANGE_ADDRESS_UPDATED, exchange);
}

/* An empty message of an SA that was not seen from its start gives its sizes away (evidence: length of SK{}); of one that was, how
 * far its senders pad. */
static void
learn_suite(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    const ike_message_t *message = step->message;

    if (!message->is_encrypted || message->first_inner != PAYLOAD_NONE || message->exchange_type != IKEV2_INFORMATIONAL ||
        message->fragment_total > 1)
        return;
    if (ike_sa->suite_known)
        suite_learn_padding(&ike_sa->suite, message->length);
    else
        ike_sa->suite_known = suite_from_empty_message(message->length, &ike_sa->suite);
}

static void
apply_answer(const ike_step_t *step, exchange_t *exchange)
{
    switch (exchange->exchange_type) {
    case IKEV2_SA_INIT:
        answered_init(step, exchange);
        break;
    case IKEV2_AUTH:
        ikev2_answered_auth(step, exchange);
        break;
    case IKEV2_CREATE_CHILD_SA:
        answered_create_child(step, exchange);
        break;
    case IKEV2_INFORMATIONAL:
        answered_informational(step, exchange);
        break;
    default:
        break;
    }
}

/* An answer without its request: the capture starts after the request, or swapped the two. */
static void
orphan_answer(const ike_step_t *step)
{
    step->tunnel->orphan_answers++;
    step->tunnel->has_unread_ike = true;
    step->note->exchange = exchange_kind_name(classify_exchange_type(step->message->exchange_type));
    step->note->exchange_confidence = CONFIDENCE_OBSERVED;
    if (step->message->exchange_type == IKEV2_CREATE_CHILD_SA && step->message->first_inner == PAYLOAD_SA)
        tunnel_forget_refusals(step->tunnel);
    g_free(step->ike_sa->early_answer);
    step->ike_sa->early_answer = g_memdup2(step->message, sizeof(*step->message));
    step->ike_sa->early_answer_in = step->packet->frame;
    step->ike_sa->early_answer_at = step->packet->time;
    if (step->message->exchange_type == IKEV2_AUTH && ikev2_ends_authentication(step->tunnel, step->message) &&
        step->ike_sa->state == IKE_SA_NEGOTIATING) {
        step->ike_sa->state = IKE_SA_ESTABLISHED;
        step->ike_sa->is_midstream = true;
        step->ike_sa->established_at = step->packet->time;
        step->ike_sa->established_in = step->packet->frame;
        life_established(step->engine, step->ike_sa, step->packet->frame, step->packet->time);
    }
}

/* RFC 7296 2.23: an answer goes to where its request came from; a NAT may have given that port to nobody meanwhile. */
static void
watch_destination(const ike_step_t *step, exchange_t *exchange)
{
    if (step->tunnel->both_sides_of_nat || endpoint_equal(&step->packet->destination, &exchange->source) ||
        !endpoint_same_address(&step->packet->destination, &exchange->source)) {
        exchange->answered_elsewhere_in = FRAME_NONE;
        return;
    }
    exchange->answered_elsewhere_in = step->packet->frame;
    exchange->answered_elsewhere_port = step->packet->destination.port;
}

void
ikev2_response(const ike_step_t *step)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, peer_other(step->sender));

    if (exchange == NULL || exchange->exchange_type != step->message->exchange_type) { /* RFC 7296 3.1: both have the same type */
        orphan_answer(step);
        return;
    }
    step_note_exchange(step, exchange);
    step->note->request_in = exchange->sent_in[0];
    if (exchange->answered_in == FRAME_NONE || exchange->repeats_after_answer > 0)
        watch_destination(step, exchange);
    if (step_is_another_init_answer(step, exchange) && !step_takes_init_answer(step, exchange))
        return;
    if (exchange->outcome == OUTCOME_ANSWERED)
        return;
    classify_response(exchange, step->message);
    step_mark_answered(step, exchange);
    step_note_exchange(step, exchange);
    if (exchange->is_refused)
        step_count_refusal(step, exchange);
    if (ike_sa_is_usable(step->ike_sa) && !exchange_is_init(exchange))
        step_prove(step, exchange);
    step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
    apply_answer(step, exchange);
}

/* The answer was captured first: account for it now, on the frame of its request. */
static void
use_early_answer(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    ike_message_t *answer = ike_sa->early_answer;

    if (answer == NULL || answer->message_id != step->message->message_id ||
        answer->exchange_type != step->message->exchange_type ||
        answer->from_original_initiator == step->message->from_original_initiator ||
        duration_between(ike_sa->early_answer_at, step->packet->time) > SHORTEST_TIMER)
        return;
    ike_sa->early_answer = NULL;
    ike_step_t answered = *step;
    answered.message = answer;
    answered.sender = peer_other(step->sender);
    answered.note = engine_note_for(step->engine, ike_sa->early_answer_in);
    step->tunnel->orphan_answers--;
    ikev2_response(&answered);
    exchange_t *exchange = ike_sa_exchange(ike_sa, step->message, step->sender);
    if (exchange != NULL && exchange->outcome == OUTCOME_ANSWERED) {
        exchange->answered_in = ike_sa->early_answer_in;
        step->note->response_in = ike_sa->early_answer_in;
    }
    g_free(answer);
}

/* RFC 4555 3.10: before it moves a peer may try the new path with an empty request. It is repeated under its message ID. */
static bool
is_first_probe(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;

    if (!ike_sa->is_probing[step->sender]) {
        ike_sa->is_probing[step->sender] = true;
        ike_sa->probe_id[step->sender] = step->message->message_id;
        ike_sa->probe_in[step->sender] = step->packet->frame;
    }
    return ike_sa->probe_id[step->sender] == step->message->message_id;
}

/* RFC 7296 2.11: who answers does so from where it was asked, so the other peer knew already where it is. What told it, such as an
 * announced move (RFC 4555 3.5), is not in the capture, or comes later in it than it happened. */
static bool
was_asked_there(const ike_step_t *step)
{
    const exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, peer_other(step->sender));

    return step->message->is_response && (exchange == NULL || endpoint_equal(&exchange->destination, &step->packet->source));
}

static void
check_move(const ike_step_t *step)
{
    endpoint_t *source = step_source(step);
    change_t change = step_change(step, CHANGE_PEER_MOVED);
    const endpoint_t *before = source->family != ADDRESS_NONE ? source : &step->tunnel->peer[step->sender].last;
    bool other_address = tunnel_shows_peer(step->tunnel, step->sender) && !endpoint_same_address(before, &step->packet->source);
    bool is_informational = !step->message->is_response && step->message->exchange_type == IKEV2_INFORMATIONAL;
    bool may_be_mobike = other_address && is_informational &&
                         (step->message->first_inner == PAYLOAD_NOTIFY || step->message->first_inner == PAYLOAD_UNKNOWN);

    bool is_authenticated = step->ike_sa->state != IKE_SA_NEGOTIATING || ike_message_is_past_authentication(step->message);
    if (other_address && step->message->is_response && !is_authenticated) {
        *source = step->packet->source;
        return;
    }
    if (other_address && is_informational && step->message->first_inner == PAYLOAD_NONE && is_first_probe(step)) {
        *source = *before; /* what comes next from there tells */
        return;
    }
    if (other_address && was_asked_there(step)) {
        *source = *before;
        engine_note_move(step->tunnel, step->sender, source, step->packet);
        return;
    }
    if (may_be_mobike) { /* RFC 4555 3.5: an announced move is no flip; its answer will tell */
        *source = *before;
        step->ike_sa->is_probing[step->sender] = false;
        engine_note_move(step->tunnel, step->sender, source, step->packet);
        return;
    }
    bool is_first_encapsulated = source->family == ADDRESS_NONE && step->packet->encapsulation == ENCAPSULATION_UDP;
    engine_check_move(step->engine, step->tunnel, step->sender, source, step->packet, &change);
    bool is_negotiation = step->message->exchange_type == IKEV2_AUTH || ike_message_is_init(step->message);
    if (is_first_encapsulated && is_negotiation && !step->message->is_response)
        engine_check_return(step->engine, step->tunnel, step->sender, step->ike_sa, step->packet, &change);
}

void
ikev2_message(const ike_step_t *step)
{
    learn_suite(step);
    check_move(step);
    step_announced_v2(step);
    if (ike_message_is_past_authentication(step->message) && step->ike_sa->state == IKE_SA_NEGOTIATING &&
        step->message->is_encrypted && step->ike_sa->is_midstream)
        step->ike_sa->state = IKE_SA_ESTABLISHED;
    if (pieces_is_fragment(step->packet, step->message)) {
        ikev2_fragment(step);
    } else if (step->message->is_response) {
        ikev2_response(step);
    } else {
        request(step);
        use_early_answer(step);
    }
    ikev2_authentication_was_answered(step);
}