/* exchange.c - which request waits, how often was it sent, what was it for?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/exchange.h"

#include "engine/ike/ike_sa.h"
#include "engine/tunnel.h"

/* A request and its answer may cross; twice they do not. */
#define REPEATS_THAT_TELL 2u

static const struct {
    const char *name;
    const char *words;
} kind_texts[EXCHANGE_KINDS] = {
    [EXCHANGE_UNKNOWN] = { "unknown", "IKE exchange" },
    [EXCHANGE_IKE_SA_INIT] = { "ike_sa_init", "IKE_SA_INIT" },
    [EXCHANGE_IKE_AUTH] = { "ike_auth", "IKE_AUTH" },
    [EXCHANGE_INTERMEDIATE] = { "ike_intermediate", "IKE_INTERMEDIATE" },
    [EXCHANGE_FOLLOWUP_KE] = { "ike_followup_ke", "IKE_FOLLOWUP_KE" },
    [EXCHANGE_SESSION_RESUME] = { "ike_session_resume", "IKE_SESSION_RESUME" },
    [EXCHANGE_CREATE_CHILD_SA] = { "create_child_sa", "CREATE_CHILD_SA" },
    [EXCHANGE_CHILD_CREATE] = { "child_create", "child SA request" },
    [EXCHANGE_CHILD_REKEY] = { "child_rekey", "child SA rekey" },
    [EXCHANGE_IKE_REKEY] = { "ike_rekey", "IKE SA rekey" },
    [EXCHANGE_DPD] = { "dpd", "liveness check (DPD)" },
    [EXCHANGE_DELETE] = { "delete", "DELETE" },
    [EXCHANGE_DELETE_IKE] = { "delete_ike", "IKE SA DELETE" },
    [EXCHANGE_DELETE_CHILD] = { "delete_child", "child SA DELETE" },
    [EXCHANGE_MOBIKE] = { "mobike", "MOBIKE address update" },
    [EXCHANGE_CONFIG] = { "config", "configuration request" },
    [EXCHANGE_NOTIFY] = { "notify", "notification" },
    [EXCHANGE_MAIN_MODE] = { "main_mode", "Main Mode" },
    [EXCHANGE_AGGRESSIVE_MODE] = { "aggressive_mode", "Aggressive Mode" },
    [EXCHANGE_QUICK_MODE] = { "quick_mode", "Quick Mode" },
    [EXCHANGE_TRANSACTION] = { "transaction", "transaction exchange" },
    [EXCHANGE_NEW_GROUP] = { "new_group", "New Group Mode" },
    [EXCHANGE_INFORMATIONAL] = { "informational", "informational message" },
};

exchange_t *
exchange_new(struct ike_sa *ike_sa, const ike_message_t *message, peer_t requester)
{
    exchange_t *exchange = g_new0(exchange_t, 1);

    exchange->ike_sa = ike_sa;
    exchange->exchange_type = message->exchange_type;
    exchange->message_id = message->message_id;
    exchange->requester = requester;
    exchange->child_sa = INDEX_NONE;
    exchange->request_inner = PAYLOAD_UNKNOWN;
    exchange->began_at = exchange->first_sent_at = exchange->last_sent_at = CAPTURE_TIME_NONE;
    exchange->initiator = requester;
    exchange->answered_at = exchange->refusal_hint_at = CAPTURE_TIME_NONE;
    const peer_state_t *receiver = &ike_sa->tunnel->peer[peer_other(requester)];
    exchange->heard_before_in = receiver->last_packet_in;
    exchange->heard_before_at = receiver->last_packet_at;
    exchange->last_repeat_at[PEER_A] = exchange->last_repeat_at[PEER_B] = CAPTURE_TIME_NONE;
    return exchange;
}

void
exchange_free(exchange_t *exchange)
{
    g_free(exchange->offer);
    g_free(exchange);
}

void
exchange_sent(exchange_t *exchange, const packet_t *packet)
{
    if (exchange->began_in == FRAME_NONE) {
        exchange->initiator = exchange->requester;
        exchange->began_in = packet->frame;
        exchange->began_at = packet->time;
    }
    if (exchange->transmissions == 0) {
        exchange->first_sent_at = packet->time;
        exchange->source = packet->source;
        exchange->destination = packet->destination;
    } else {
        exchange->last_gap = duration_between(exchange->last_sent_at, packet->time);
        if (exchange->transmissions - 1 < TRANSMISSIONS_KEPT)
            exchange->gap[exchange->transmissions - 1] = exchange->last_gap;
    }
    exchange->sent_in[MIN(exchange->transmissions, TRANSMISSIONS_KEPT - 1)] = packet->frame;
    exchange->transmissions++;
    exchange_carry_over(exchange, packet);
}

bool
exchange_is_carried_over(const exchange_t *exchange, const packet_t *packet)
{
    bool was_over_tcp = exchange->encapsulation == ENCAPSULATION_TCP, is_over_tcp = packet->encapsulation == ENCAPSULATION_TCP;

    if (was_over_tcp != is_over_tcp)
        return true;
    return is_over_tcp &&
           (!endpoint_equal(&exchange->source, &packet->source) || !endpoint_equal(&exchange->destination, &packet->destination));
}

void
exchange_carry_over(exchange_t *exchange, const packet_t *packet)
{
    if (!endpoint_same_address(&packet->source, &exchange->source) ||
        !endpoint_same_address(&packet->destination, &exchange->destination))
        exchange->addresses_changed = true;
    exchange->last_sent_at = packet->time;
    exchange->source = packet->source;
    exchange->destination = packet->destination;
    exchange->encapsulation = packet->encapsulation;
}

void
exchange_note_frame(exchange_t *exchange, frame_t frame)
{
    for (unsigned i = 0; i < exchange->frames_kept; i++) {
        if (exchange->frame[i] == frame)
            return;
    }
    if (exchange->frames_kept < FRAMES_KEPT)
        exchange->frame[exchange->frames_kept++] = frame;
}

frame_t
exchange_last_sent_in(const exchange_t *exchange)
{
    if (exchange->transmissions == 0)
        return FRAME_NONE;
    return exchange->sent_in[MIN(exchange->transmissions, TRANSMISSIONS_KEPT) - 1];
}

bool
exchange_is_waiting(const exchange_t *exchange)
{
    return exchange->outcome == OUTCOME_WAITING && exchange->transmissions > 0;
}

bool
exchange_was_abandoned(const exchange_t *exchange)
{
    return exchange->outcome == OUTCOME_ABANDONED;
}

bool
exchange_is_unheard(const exchange_t *exchange)
{
    return exchange->answered_in != FRAME_NONE && exchange->repeats_after_answer >= REPEATS_THAT_TELL;
}

bool
exchange_is_liveness(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_DPD;
}

bool
exchange_is_init(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_SA_INIT || exchange->kind == EXCHANGE_SESSION_RESUME;
}

bool
exchange_is_initiation(const exchange_t *exchange)
{
    switch (exchange->kind) {
    case EXCHANGE_IKE_SA_INIT:
    case EXCHANGE_IKE_AUTH:
    case EXCHANGE_INTERMEDIATE:
    case EXCHANGE_SESSION_RESUME:
    case EXCHANGE_MAIN_MODE:
    case EXCHANGE_AGGRESSIVE_MODE:
        return true;
    default:
        return false;
    }
}

bool
exchange_is_rekey(const exchange_t *exchange)
{
    switch (exchange->kind) {
    case EXCHANGE_CHILD_REKEY:
    case EXCHANGE_IKE_REKEY:
    case EXCHANGE_CREATE_CHILD_SA:
        return true;
    case EXCHANGE_QUICK_MODE:
        return exchange->ike_sa->tunnel->had_child;
    default:
        return false;
    }
}

bool
exchange_is_child_create(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_CHILD_CREATE || exchange->kind == EXCHANGE_CREATE_CHILD_SA ||
           (exchange->kind == EXCHANGE_QUICK_MODE && !exchange_is_rekey(exchange));
}

bool
exchange_is_delete(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_DELETE || exchange->kind == EXCHANGE_DELETE_IKE || exchange->kind == EXCHANGE_DELETE_CHILD;
}

const char *
exchange_kind_name(exchange_kind_t kind)
{
    return kind_texts[kind].name;
}

const char *
exchange_kind_words(exchange_kind_t kind)
{
    return kind_texts[kind].words;
}

void
exchange_describe_transmissions(const exchange_t *exchange, GString *out)
{
    if (exchange->transmissions <= 1) {
        g_string_append(out, "once");
        return;
    }
    g_string_append_printf(out, "%u times (", exchange->transmissions);
    unsigned gaps = MIN(exchange->transmissions - 1, 8u);
    for (unsigned i = 0; i < gaps; i++)
        g_string_append_printf(out, "%s%.1f", i > 0 ? ", " : "", duration_seconds(exchange->gap[i]));
    g_string_append(out, exchange->transmissions - 1 > gaps ? " ... s apart)" : " s apart)");
}
