/* ike_v2_auth.c - is the IKE SA authenticated, refused, or still in the midst of EAP (RFC 7296 1.2, 2.16, 2.21.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"
#include "engine/ike/ike_internal.h"

/* What the answer that seemed to complete the negotiation changed. */
static void
take_back_established(engine_t *engine, ike_sa_t *ike_sa)
{
    tunnel_t *tunnel = ike_sa->tunnel;

    ike_sa->state = IKE_SA_NEGOTIATING;
    ike_sa->established_at = CAPTURE_TIME_NONE;
    ike_sa->established_in = FRAME_NONE;
    tunnel->was_up = ike_sa->before_established.was_up;
    tunnel->had_child = ike_sa->before_established.had_child;
    tunnel->live_children = ike_sa->before_established.live_children;
    tunnel->children_made = ike_sa->before_established.children_made;
    tunnel->lineage = ike_sa->before_established.lineage;
    tunnel->last_proof_at = ike_sa->before_established.last_proof_at;
    tunnel->last_proof_in = ike_sa->before_established.last_proof_in;
    tunnel->last_child_success_at = ike_sa->before_established.last_child_success_at;
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (exchange->answered_in == ike_sa->before_established.answer_in)
            engine_unmake_child(engine, exchange);
    }
    ike_sa->before_established.answer_in = FRAME_NONE;
}

/* EAP goes on after an answer that seemed to complete the negotiation: without keys its first round looks like a whole IKE_AUTH. */
static void
was_first_round_of_eap(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;

    step->tunnel->uses_eap = true;
    if (ike_sa->state == IKE_SA_ESTABLISHED && ike_sa->before_established.answer_in != FRAME_NONE)
        take_back_established(step->engine, ike_sa);
}

/* The answer to IKE_AUTH never reached its initiator, and nothing else has ever shown that the tunnel works: it was never up. */
void
engine_never_came_up(engine_t *engine, const exchange_t *authentication)
{
    ike_sa_t *ike_sa = authentication->ike_sa;

    if (authentication->kind != EXCHANGE_IKE_AUTH || !exchange_is_unheard(authentication) || ike_sa->state != IKE_SA_ESTABLISHED ||
        ike_sa->before_established.answer_in != authentication->answered_in || ike_sa->before_established.was_up ||
        ike_sa->tunnel->last_proof_in != ike_sa->established_in)
        return;
    take_back_established(engine, ike_sa);
    ike_sa->state = IKE_SA_ABANDONED;
}

static void
auth_was_refused(const ike_step_t *step, ike_sa_t *ike_sa)
{
    exchange_t *auth = ike_sa_refused_auth(ike_sa);

    bool has_gap = ike_sa == step->ike_sa && auth != NULL && step->message->message_id > auth->message_id + 1;
    if (auth == NULL || has_gap) /* the capture may have lost its last round, which had no such answer */
        return;
    auth->is_refused = true;
    auth->refusal_confidence = CONFIDENCE_INFERRED;
    auth->error = NOTIFY_AUTHENTICATION_FAILED;
    ike_sa->state = IKE_SA_FAILED;
    step_judge(step, CHANGE_EXCHANGE_ANSWERED, auth);
}

/* In the midst of EAP the initiator has nothing to say but that it has failed. */
static void
complains_about_eap(const ike_step_t *step)
{
    exchange_t *latest = ike_sa_latest(step->ike_sa, exchange_is_initiation);

    if (latest != NULL && latest->is_eap_round && step->ike_sa->state == IKE_SA_NEGOTIATING &&
        step->message->first_inner == PAYLOAD_NOTIFY && latest->refusal_hint_in == FRAME_NONE) {
        latest->refusal_hint_in = latest->answered_in;
        latest->refusal_hint_at = latest->answered_at;
    }
    auth_was_refused(step, step->ike_sa);
}

/* RFC 7296 2.21.2: after a refused authentication nothing follows on the IKE SA but the initiator's own complaint; a new start shows
 * that the last one failed. */
void
ikev2_watch_refused_auth(const ike_step_t *step)
{
    const ike_message_t *message = step->message;

    if (message->exchange_type == IKEV2_AUTH && (message->has_eap || message->first_inner == PAYLOAD_EAP))
        was_first_round_of_eap(step);
    else if (message->exchange_type == IKEV2_INFORMATIONAL && !message->is_readable)
        complains_about_eap(step);
    for (unsigned i = 0; ike_message_is_init(message) && i < step->tunnel->ike_sas->len; i++) {
        ike_sa_t *older = g_ptr_array_index(step->tunnel->ike_sas, i);
        if (older != step->ike_sa && older->original_initiator == step->sender)
            auth_was_refused(step, older);
    }
}

/* RFC 7296 2.16: with EAP the responder's identity comes first, and the end is an AUTH payload some rounds later. */
bool
ikev2_ends_authentication(const tunnel_t *tunnel, const ike_message_t *response)
{
    if (response->is_readable)
        return !response->has_eap;
    return (response->first_inner == PAYLOAD_IDR && !tunnel->uses_eap) || response->first_inner == PAYLOAD_AUTH ||
           response->first_inner == PAYLOAD_UNKNOWN || response->first_inner == PAYLOAD_CONFIGURATION ||
           response->first_inner == PAYLOAD_SA;
}

/* An error about the child alone leaves the IKE SA standing (RFC 7296 1.2, 2.21.2). */
static bool
error_is_about_the_child(uint16_t error)
{
    switch (error) {
    case NOTIFY_NO_PROPOSAL_CHOSEN:
    case NOTIFY_TS_UNACCEPTABLE:
    case NOTIFY_SINGLE_PAIR_REQUIRED:
    case NOTIFY_NO_ADDITIONAL_SAS:
    case 36: /* INTERNAL_ADDRESS_FAILURE */
    case 37: /* FAILED_CP_REQUIRED */
        return true;
    default:
        return false;
    }
}

/* RFC 6023: with keys the request shows it; without, it is possible where the responder has offered it. */
static bool
asks_for_no_child(const ike_step_t *step, const exchange_t *exchange)
{
    return step->message->is_readable ? exchange->offer == NULL : step->ike_sa->may_be_childless;
}

static void
remember_before_established(ike_sa_t *ike_sa, frame_t answer_in)
{
    const tunnel_t *tunnel = ike_sa->tunnel;

    ike_sa->before_established.answer_in = answer_in;
    ike_sa->before_established.was_up = tunnel->was_up;
    ike_sa->before_established.had_child = tunnel->had_child;
    ike_sa->before_established.live_children = tunnel->live_children;
    ike_sa->before_established.children_made = tunnel->children_made;
    ike_sa->before_established.lineage = tunnel->lineage;
    ike_sa->before_established.last_proof_at = tunnel->last_proof_at;
    ike_sa->before_established.last_proof_in = tunnel->last_proof_in;
    ike_sa->before_established.last_child_success_at = tunnel->last_child_success_at;
}

void
ikev2_answered_auth(const ike_step_t *step, exchange_t *exchange)
{
    bool child_refused = exchange->is_refused && exchange->error_is_exact && error_is_about_the_child(exchange->error);

    if (exchange->is_refused && !child_refused) {
        step->ike_sa->state = IKE_SA_FAILED;
        return;
    }
    exchange->is_eap_round = step->message->has_eap || step->message->first_inner == PAYLOAD_EAP;
    if (classify_auth_may_be_refused(step->ike_sa, step->message)) { /* what follows will tell */
        exchange->refusal_hint_in = step->packet->frame;
        exchange->refusal_hint_at = step->packet->time;
        if (step->message->first_inner == PAYLOAD_NOTIFY)
            step->ike_sa->state = IKE_SA_FAILED;
        return;
    }
    if (!ikev2_ends_authentication(step->tunnel, step->message))
        return;
    remember_before_established(step->ike_sa, step->packet->frame);
    step->tunnel->lineage++;
    for (unsigned i = 0; i < step->tunnel->esp_sas->len; i++) { /* ESP may overtake the answer that made its SA */
        esp_sa_t *sa = g_ptr_array_index(step->tunnel->esp_sas, i);
        if (sa->first_time != CAPTURE_TIME_NONE && sa->first_time >= exchange->first_sent_at)
            sa->negotiation = step->tunnel->lineage;
    }
    bool has_child = !child_refused && classify_auth_may_hold_child(step->ike_sa, step->message);
    if (step->ike_sa->state == IKE_SA_NEGOTIATING) {
        step->ike_sa->state = IKE_SA_ESTABLISHED;
        step->ike_sa->established_at = step->packet->time;
        step->ike_sa->established_in = step->packet->frame;
        step->tunnel->live_children = 0;
        if (has_child)
            ikev2_child_made(step, exchange);
        life_established(step->engine, step->ike_sa, step->packet->frame, step->packet->time);
    }
    if (has_child || asks_for_no_child(step, exchange))
        return;
    if (!exchange->is_refused) { /* no room for a child in the answer: refused, reason not readable */
        exchange->is_refused = true;
        exchange->refusal_confidence = CONFIDENCE_INFERRED;
        step_judge(step, CHANGE_EXCHANGE_ANSWERED, exchange);
    }
}
