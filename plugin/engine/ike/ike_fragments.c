/* ike_fragments.c - one message in pieces counts once: when is it sent, when is it answered?
 *
 * The first piece of a request stands for it, so that one of which the rest is lost is seen too. An answer counts when it is complete,
 * or when the requester goes on as if it had been.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"
#include "engine/ike/ike_internal.h"

/* Messages per IKE SA that are in pieces at the same time: the window is small (RFC 7296 2.3). */
#define INCOMPLETE_MAX 8u

static pieces_t *
find_pieces(const ike_sa_t *ike_sa, const ike_message_t *message)
{
    for (unsigned i = ike_sa->pieces->len; i-- > 0;) {
        pieces_t *pieces = g_ptr_array_index(ike_sa->pieces, i);
        if (pieces_are_of(pieces, message))
            return pieces;
    }
    return NULL;
}

static pieces_t *
pieces_for(ike_sa_t *ike_sa, const ike_message_t *message)
{
    pieces_t *pieces = find_pieces(ike_sa, message);

    if (pieces != NULL)
        return pieces;
    if (ike_sa->pieces->len >= INCOMPLETE_MAX)
        g_ptr_array_remove_index(ike_sa->pieces, 0);
    pieces = pieces_new(message);
    g_ptr_array_add(ike_sa->pieces, pieces);
    return pieces;
}

static void
note_progress(fragmented_t *fragmented, const pieces_t *pieces)
{
    bool was_complete = fragmented->is_fragmented && fragmented->missing == 0;

    fragmented->is_fragmented = true;
    fragmented->total = pieces->total;
    fragmented->missing = was_complete ? 0 : pieces_missing(pieces);
}

static void
request_is_complete(const ike_step_t *step, exchange_t *exchange)
{
    exchange->request_fragments.missing = 0;
    classify_request(exchange, step->message);
    step_note_exchange(step, exchange);
    engine_name_exchange(step->engine, exchange, exchange->kind, exchange->kind_confidence);
}

static void
request_fragment(const ike_step_t *step, pieces_t *pieces, bool begins_try)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, step->sender);

    if (exchange == NULL)
        exchange = ikev2_new_request(step);
    else if (begins_try)
        ikev2_repeated_request(step, exchange);
    else
        step_note_exchange(step, exchange);
    bool was_complete = exchange->request_fragments.is_fragmented && exchange->request_fragments.missing == 0;
    note_progress(&exchange->request_fragments, pieces);
    if (exchange->request_fragments.missing != 0 || pieces_missing(pieces) != 0)
        return;
    if (!was_complete) {
        ike_message_t whole;
        ike_step_t assembled = *step;
        pieces_whole(pieces, &whole);
        assembled.message = &whole;
        request_is_complete(&assembled, exchange);
    }
    g_ptr_array_remove(step->ike_sa->pieces, pieces);
}

static void
answer_fragment(const ike_step_t *step, pieces_t *pieces)
{
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, peer_other(step->sender));

    if (exchange != NULL) {
        step_note_exchange(step, exchange);
        step->note->request_in = exchange->sent_in[0];
        note_progress(&exchange->answer_fragments, pieces);
    }
    if (pieces_missing(pieces) != 0)
        return;
    ike_message_t whole;
    ike_step_t assembled = *step;
    pieces_whole(pieces, &whole);
    assembled.message = &whole;
    ikev2_response(&assembled);
    g_ptr_array_remove(step->ike_sa->pieces, pieces);
}

void
ikev2_fragment(const ike_step_t *step)
{
    pieces_t *pieces = pieces_for(step->ike_sa, step->message);

    bool begins_try = pieces_add(pieces, step->packet, step->message);
    if (step->message->is_response)
        answer_fragment(step, pieces);
    else
        request_fragment(step, pieces, begins_try);
}

bool
ikev2_completes_request(const ike_step_t *step, exchange_t *exchange)
{
    if (!exchange->request_fragments.is_fragmented || exchange->request_fragments.missing == 0)
        return false;
    pieces_t *pieces = find_pieces(step->ike_sa, step->message);
    if (pieces != NULL)
        g_ptr_array_remove(step->ike_sa->pieces, pieces);
    request_is_complete(step, exchange);
    return true;
}

bool
ikev2_use_partial_answer(const ike_step_t *step, exchange_t *exchange)
{
    for (unsigned i = step->ike_sa->pieces->len; i-- > 0;) {
        pieces_t *pieces = g_ptr_array_index(step->ike_sa->pieces, i);
        if (!pieces->is_response || pieces->message_id != exchange->message_id ||
            ike_sa_exchange(step->ike_sa, &pieces->latest, exchange->requester) != exchange)
            continue;
        packet_t packet = *step->packet;
        ike_message_t whole;
        packet.frame = pieces->latest_in;
        packet.time = pieces->latest_at;
        pieces_whole(pieces, &whole);
        ike_step_t partial = *step;
        partial.packet = &packet;
        partial.message = &whole;
        partial.sender = peer_other(exchange->requester);
        partial.note = engine_note_for(step->engine, packet.frame);
        exchange->answer_fragments.missing = 0;
        ikev2_response(&partial);
        g_ptr_array_remove(step->ike_sa->pieces, pieces);
        return true;
    }
    return false;
}
