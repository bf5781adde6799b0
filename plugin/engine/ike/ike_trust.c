/* ike_trust.c - could anybody have sent this message?
 *
 * Once the peers have keys, what is not protected by them proves nothing and ends nothing (RFC 7296 2.4, 2.21; RFC 2409 5.7): it is shown
 * on its frame, and reported where it may explain what follows. IKE_SA_INIT has no keys yet: there the initiator takes the answer it can
 * use, whatever came before it (RFC 7296 2.4, 2.21.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"
#include "engine/ike/ike_internal.h"

/* ---- messages without protection ---- */

/* Nothing but the first exchange of a version is ever clear, and that is over. */
static bool
is_late_and_clear(const ike_sa_t *ike_sa, const ike_message_t *message)
{
    bool is_over = ike_sa->state != IKE_SA_NEGOTIATING && ike_sa->state != IKE_SA_FAILED;

    if (message->is_encrypted)
        return false;
    if (message->major == 2)
        return !ike_message_is_init(message) || is_over;
    return is_over || ike_sa->has_phase2 || message->delete_protocol != 0; /* before there are keys there is nothing to delete */
}

/* RFC 7296 2.11: an answer comes from the address to which its request went. */
static bool
is_answer_from_elsewhere(const ike_step_t *step)
{
    const exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, peer_other(step->sender));

    return step->message->major == 2 && step->message->is_response && !step->message->is_decrypted && exchange != NULL &&
           !exchange->addresses_changed && !step->tunnel->both_sides_of_nat &&
           !endpoint_same_address(&step->packet->source, &exchange->destination);
}

bool
step_is_untrusted(const ike_step_t *step)
{
    return is_late_and_clear(step->ike_sa, step->message) || is_answer_from_elsewhere(step);
}

static bool
is_from_peer(const ike_step_t *step)
{
    return tunnel_peer_at(step->tunnel, &step->packet->source) == step->sender;
}

/* RFC 7296 2.21.4: a peer that has lost its state has no keys to say so. It ends nothing by itself, but explains a new start. */
static void
tell_lost_state(const ike_step_t *step, const exchange_t *exchange)
{
    const notify_t *error = ike_message_error(step->message);
    ike_sa_t *ike_sa = step->ike_sa;

    bool is_no_answer = step->message->major == 2 && (exchange == NULL || exchange->outcome == OUTCOME_ANSWERED);

    if (error == NULL || error->type != NOTIFY_INVALID_IKE_SPI || !is_from_peer(step) || is_no_answer)
        return;
    change_t change = step_change(step, CHANGE_NOTIFY);
    change.exchange = exchange;
    change.notify = error;
    if (exchange != NULL) {
        ike_sa->is_disowned = true;
        ike_sa->disowned_in = step->packet->frame;
        ike_sa->disowned_at = step->packet->time;
        ike_sa->disowned_by = step->sender;
    }
    engine_judge(step->engine, step->tunnel, &change);
}

/* What a message is for that belongs to no exchange: as far as it says so itself. */
static void
name_by_itself(const ike_step_t *step)
{
    exchange_t *alone = exchange_new(step->ike_sa, step->message, step->sender);

    if (step->message->is_response && step->message->exchange_type != IKEV2_INFORMATIONAL)
        alone->kind = classify_exchange_type(step->message->exchange_type);
    else
        classify_request(alone, step->message);
    step->note->exchange = exchange_kind_name(alone->kind);
    step->note->exchange_confidence = CONFIDENCE_OBSERVED;
    exchange_free(alone);
}

void
step_untrusted(const ike_step_t *step)
{
    peer_t requester = step->message->is_response ? peer_other(step->sender) : step->sender;
    exchange_t *exchange = ike_sa_exchange(step->ike_sa, step->message, requester);

    if (exchange != NULL && step->message->is_response && exchange->exchange_type == step->message->exchange_type) {
        step_note_exchange(step, exchange);
        step->note->request_in = exchange->sent_in[0];
    } else {
        name_by_itself(step);
    }
    if (!step->message->is_encrypted && !ike_message_is_init(step->message))
        tell_lost_state(step, step->message->is_response ? exchange : NULL);
}

/* The peer that did not know the IKE SA uses it again: it never said so, or has found it. */
void
step_is_known_again(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    char peer[ENDPOINT_TEXT_MAX];

    if (!ike_sa->is_disowned || ike_sa->disowned_by != step->sender || !step->message->is_encrypted)
        return;
    ike_sa->is_disowned = false;
    gchar *text = g_strdup_printf("%s used the IKE SA again in frame %u, so this was not believed.",
                                  tunnel_peer_text(step->tunnel, step->sender, peer), step->packet->frame);
    engine_tone_down(step->engine, step->tunnel, FINDING_invalid_ike_spi, ike_sa->disowned_in, text);
    g_free(text);
}

/* ---- several answers to one IKE_SA_INIT ---- */

static bool
is_whole_answer(const ike_message_t *message)
{
    bool is_cut = message->is_truncated && message->next_payload == PAYLOAD_SA;

    return ((message->has_sa && message->sa.proposals > 0) || is_cut) && ike_message_error(message) == NULL;
}

/* Nothing has been said on the IKE SA but its IKE_SA_INIT. */
static bool
is_only_exchange(const exchange_t *exchange)
{
    const GPtrArray *exchanges = exchange->ike_sa->exchanges;

    return exchange->ike_sa->state == IKE_SA_NEGOTIATING && exchanges->len > 0 &&
           g_ptr_array_index(exchanges, exchanges->len - 1) == exchange;
}

static void
remember_answer(ike_sa_t *ike_sa, const ike_message_t *message, frame_t frame, capture_ns_t time)
{
    init_answers_t *answers = &ike_sa->init_answers;
    unsigned slot = answers->count < INIT_ANSWERS_MAX ? answers->count++ : answers->next++ % INIT_ANSWERS_MAX;

    g_free(answers->answer[slot].message);
    answers->answer[slot].message = g_memdup2(message, sizeof(*message));
    answers->answer[slot].frame = frame;
    answers->answer[slot].time = time;
}

/* The answer that counted until now was not used by the initiator. */
static void
retract_answer(const ike_step_t *step, exchange_t *exchange)
{
    gchar *text =
        g_strdup_printf("The initiator went on with the answer in frame %u, so this one was not believed.", step->packet->frame);

    for (unsigned id = 0; id < FINDING_COUNT; id++)
        engine_tone_down(step->engine, step->tunnel, (finding_id_t)id, exchange->answered_in, text);
    g_free(text);
    exchange->is_refused = false;
    exchange->error_is_exact = false;
    exchange->error = exchange->wanted_group = 0;
    exchange->outcome = OUTCOME_WAITING;
    exchange->answered_in = FRAME_NONE;
}

bool
step_is_another_init_answer(const ike_step_t *step, const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_SA_INIT && exchange->outcome == OUTCOME_ANSWERED && is_only_exchange(exchange) &&
           is_whole_answer(step->message);
}

bool
step_takes_init_answer(const ike_step_t *step, exchange_t *exchange)
{
    if (step->ike_sa->has_whole_answer) {
        remember_answer(step->ike_sa, step->message, step->packet->frame, step->packet->time);
        return false;
    }
    retract_answer(step, exchange);
    return true;
}

void
step_init_is_answered(const ike_step_t *step)
{
    if (!is_whole_answer(step->message))
        return;
    step->ike_sa->has_whole_answer = true;
    step->ike_sa->spi_r = step->message->spi_r;
}

ike_sa_t *
engine_half_open_ike_sa(const engine_t *engine, const ike_message_t *message)
{
    bool is_first_use =
        (message->exchange_type == IKEV2_AUTH || message->exchange_type == IKEV2_INTERMEDIATE) && message->message_id == 1;

    if (message->major != 2 || message->is_response || !message->from_original_initiator || !is_first_use)
        return NULL;
    unsigned seen = 0;
    for (GSList *item = g_hash_table_lookup(engine->ike_sas_by_spi, &message->spi_i); item != NULL && seen < NAMESAKES;
         item = item->next, seen++) {
        ike_sa_t *ike_sa = item->data;
        exchange_t *latest = ike_sa->exchanges->len > 0 ? g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 1) : NULL;
        if (ike_sa->major == 2 && latest != NULL && latest->kind == EXCHANGE_IKE_SA_INIT && is_only_exchange(latest))
            return ike_sa;
    }
    return NULL;
}

void
step_choose_init_answer(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    exchange_t *init = g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 1);

    ike_sa->spi_r = step->message->spi_r;
    ike_sa->suite_known = false;
    for (unsigned i = 0; i < ike_sa->init_answers.count; i++) {
        const init_answer_t *answer = &ike_sa->init_answers.answer[i];
        if (answer->message->spi_r != ike_sa->spi_r)
            continue;
        packet_t packet = *step->packet;
        ike_step_t answered = *step;
        packet.frame = answer->frame;
        packet.time = answer->time;
        answered.packet = &packet;
        answered.message = answer->message;
        answered.sender = peer_other(init->requester);
        answered.note = engine_note_for(step->engine, answer->frame);
        retract_answer(&answered, init);
        ikev2_response(&answered);
        break;
    }
    init_answers_clear(&ike_sa->init_answers);
}
