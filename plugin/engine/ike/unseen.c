/* unseen.c - what shows that a request was answered, though its answer is not in the capture?
 *
 * A capture may lose packets that the peers did not lose. What they do next tells.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* Its first packets show what made an SA. */
#define PACKETS_THAT_TELL 8u

/* Those of the latest negotiations, in both directions. */
#define ESP_SAS_LOOKED_AT 8u

/* So many IKE SAs of a tunnel are looked at: both peers may begin one at once. */
#define IKE_SAS_LOOKED_AT 2u

/* What was told of it so far was wrong then. */
static void
is_answered_unseen(exchange_t *exchange, frame_t shown_in)
{
    tunnel_t *tunnel = exchange->ike_sa->tunnel;

    tunnel->has_unread_ike = true;
    if (exchange->exchange_type == IKEV2_CREATE_CHILD_SA)
        tunnel_forget_refusals(tunnel);
    if (exchange->outcome == OUTCOME_ANSWERED) { /* not the last of its rounds (RFC 7296 2.16), nor a refusal */
        exchange->refusal_hint_in = FRAME_NONE;
        return;
    }
    if (exchange->outcome == OUTCOME_ABANDONED) {
        gchar *why =
            g_strdup_printf("Frame %u shows that it was answered all the same: the answer is missing from this capture.", shown_in);
        engine_tone_down_exchange(tunnel, exchange, why);
        g_free(why);
    }
    exchange_stops_waiting(exchange, OUTCOME_ANSWERED_UNSEEN);
    exchange->abandoned = ABANDONED_NOT;
    tunnel->unseen_answers++;
}

/* RFC 7296 2.3: with a window of one, the next request means that the one before was answered. */
void
ikev2_older_were_answered(const ike_step_t *step, const exchange_t *next)
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *older = g_ptr_array_index(step->tunnel->waiting, i);
        if (older->ike_sa != step->ike_sa || older->requester != next->requester || older->message_id >= next->message_id)
            continue;
        if (exchange_is_delete(next) && older->transmissions > 1) { /* tried in vain, and says goodbye instead (RFC 7296 2.4) */
            engine_abandon(step->engine, older, ABANDONED_DELETE, step->packet->frame, step->packet->time, false);
            continue;
        }
        if (ikev2_use_partial_answer(step, older))
            continue;
        is_answered_unseen(older, step->packet->frame);
    }
}

/* ---- IKE_AUTH ---- */

static bool
has_no_answer(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_AUTH && (exchange_is_waiting(exchange) || exchange->outcome == OUTCOME_ABANDONED);
}

/* RFC 7296 1.2: who uses the IKE SA for anything else has had its answer to IKE_AUTH. Who deletes it may have waited in vain. */
void
ikev2_authentication_was_answered(const ike_step_t *step)
{
    const ike_message_t *message = step->message;

    if (!ike_message_is_past_authentication(message) || !message->is_encrypted || message->first_inner == PAYLOAD_DELETE ||
        step->ike_sa->state == IKE_SA_ESTABLISHED)
        return;
    exchange_t *authentication = ike_sa_latest(step->ike_sa, has_no_answer);
    if (authentication != NULL && authentication->requester == step->sender)
        is_answered_unseen(authentication, step->packet->frame);
}

static bool
is_open_phase1(const exchange_t *exchange)
{
    bool is_phase1 = exchange->kind == EXCHANGE_MAIN_MODE || exchange->kind == EXCHANGE_AGGRESSIVE_MODE;

    return is_phase1 && (exchange_is_waiting(exchange) || exchange->outcome == OUTCOME_ABANDONED);
}

/* RFC 2409 5.5: phase 1 protects Quick Mode; an answered one shows that phase 1 was completed. */
void
ikev1_phase1_was_answered(const ike_step_t *step)
{
    exchange_t *phase1 = ike_sa_latest(step->ike_sa, is_open_phase1);

    if (phase1 != NULL)
        is_answered_unseen(phase1, step->packet->frame);
}

static bool
seems_to_have_failed(const exchange_t *exchange)
{
    bool may_be_refused = exchange->outcome == OUTCOME_ANSWERED && exchange->refusal_hint_in != FRAME_NONE && !exchange->is_refused;

    return has_no_answer(exchange) || (exchange->kind == EXCHANGE_IKE_AUTH && may_be_refused);
}

/* It began after the request, and no negotiation in the capture has made it. */
static bool
may_come_from(const esp_sa_t *sa, const exchange_t *exchange)
{
    const child_sa_t *child = tunnel_child(sa->tunnel, sa->generation);

    return sa->packets > 0 && esp_sa_saw_birth(sa) && sa->first_time >= exchange->first_sent_at &&
           (child == NULL || child->made_in == FRAME_NONE);
}

/* The other direction of the child that the exchange made. Where nothing tells which SPIs are a pair, and no other child has been made since,
 * it is any that began. */
static bool
has_way_back(const esp_sa_t *sa, const exchange_t *exchange)
{
    const esp_sa_t *back = children_way_back(sa);
    const GPtrArray *all = sa->tunnel->esp_sas;

    if (back != NULL)
        return may_come_from(back, exchange);
    if (sa->tunnel->last_child_success_at != CAPTURE_TIME_NONE && sa->tunnel->last_child_success_at >= exchange->first_sent_at)
        return false;
    for (unsigned i = all->len, seen = 0; i-- > 0 && seen < ESP_SAS_LOOKED_AT; seen++) {
        const esp_sa_t *other = g_ptr_array_index(all, i);
        if (other->sender != sa->sender && children_way_back(other) == NULL && may_come_from(other, exchange))
            return true;
    }
    return false;
}

void
engine_traffic_shows_answer(const esp_sa_t *sa, frame_t frame)
{
    const GPtrArray *ike_sas = sa->tunnel->ike_sas;

    if (sa->packets > PACKETS_THAT_TELL)
        return;
    for (unsigned i = ike_sas->len, seen = 0; i-- > 0 && seen < IKE_SAS_LOOKED_AT; seen++) {
        exchange_t *exchange = ike_sa_latest(g_ptr_array_index(ike_sas, i), seems_to_have_failed);
        if (exchange != NULL && may_come_from(sa, exchange) && has_way_back(sa, exchange))
            is_answered_unseen(exchange, frame);
    }
}

ike_sa_t *
engine_came_up_unseen(const esp_sa_t *sa)
{
    const GPtrArray *ike_sas = sa->tunnel->ike_sas;
    ike_sa_t *latest = ike_sas->len > 0 ? g_ptr_array_index(ike_sas, ike_sas->len - 1) : NULL;
    const exchange_t *last =
        latest != NULL && latest->state == IKE_SA_NEGOTIATING ? ike_sa_latest(latest, exchange_is_initiation) : NULL;

    if (last == NULL || !may_come_from(sa, last))
        return NULL;
    bool is_authentication_unseen = exchange_is_init(last) && last->outcome == OUTCOME_ANSWERED && !last->is_refused;
    bool is_its_answer_unseen = last->kind == EXCHANGE_IKE_AUTH && last->outcome == OUTCOME_ANSWERED_UNSEEN;
    return is_authentication_unseen || is_its_answer_unseen ? latest : NULL;
}
