/* ike_stalled.c - was IKE_SA_INIT answered, and did its initiator go no further (RFC 7296 1.2)?
 *
 * IKE_AUTH follows at once, save for the time that a user needs for a PIN. Told when the initiator starts anew instead, or when nothing
 * more comes until the capture ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define AUTH_FOLLOWS_WITHIN SECONDS(30)  /* of an answer: half-open IKE SAs are not kept longer as a rule */
#define NEW_START_SHOWS_AFTER SECONDS(2) /* sooner, both attempts may be under way */

/* The latest attempt of this peer but for `but`; NULL: none. */
static const ike_sa_t *
latest_attempt(const tunnel_t *tunnel, peer_t initiator, const ike_sa_t *but)
{
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa != but && ike_sa->original_initiator == initiator && ike_sa->rekeyed_from == NULL)
            return ike_sa;
    }
    return NULL;
}

static bool
is_init(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_IKE_SA_INIT;
}

/* The answered IKE_SA_INIT after which nothing more was sent on this IKE SA; NULL: there is none. A cookie, another group or a
 * redirection (RFC 5685) asks for a new request and chooses no proposal. */
static const exchange_t *
unused_answer(const ike_sa_t *ike_sa)
{
    if (ike_sa == NULL || ike_sa->major != 2 || ike_sa->state != IKE_SA_NEGOTIATING || ike_sa->chosen.sa == 0)
        return NULL;
    const exchange_t *init = ike_sa_latest(ike_sa, is_init);
    bool is_last =
        init != NULL && init->outcome == OUTCOME_ANSWERED && !init->is_refused && ike_sa->last_message_in == init->answered_in;
    return is_last ? init : NULL;
}

/* Two attempts at once, of which one goes on; or an SA that was there before. */
static bool
went_on_otherwise(const tunnel_t *tunnel, const ike_sa_t *stalled, const ike_sa_t *new_start, capture_ns_t since)
{
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        const ike_sa_t *other = g_ptr_array_index(tunnel->ike_sas, i);
        if (other != stalled && other != new_start && other->last_message_at != CAPTURE_TIME_NONE &&
            other->last_message_at >= since)
            return true;
    }
    for (unsigned p = 0; p < PEERS; p++) {
        if (tunnel->peer[p].last_esp_at != CAPTURE_TIME_NONE && tunnel->peer[p].last_esp_at >= since)
            return true;
    }
    return false;
}

/* Does the capture show this tunnel beyond IKE_SA_INIT? If not, it may have been told to keep port 500 only. */
static bool
shows_more_than_init(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        for (unsigned e = 0; e < ike_sa->exchanges->len; e++) {
            if (!is_init(g_ptr_array_index(ike_sa->exchanges, e)))
                return true;
        }
    }
    return tunnel->peer[PEER_A].esp_packets + tunnel->peer[PEER_B].esp_packets > 0;
}

static void
judge_attempt(const change_t *change, const tunnel_t *tunnel, peer_t initiator, duration_ns_t patience, findings_t *out)
{
    const ike_sa_t *attempt = latest_attempt(tunnel, initiator, change->ike_sa);
    const exchange_t *init = unused_answer(attempt);
    char sender[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];

    if (init == NULL || duration_between(init->answered_at, change->time) < patience ||
        went_on_otherwise(tunnel, attempt, change->ike_sa, init->answered_at))
        return;
    bool is_proof = shows_more_than_init(tunnel);
    finding_draft_t draft = {
        .id = FINDING_ike_stalled,
        .severity = SEVERITY_NOTE, /* a user who cancels, a client that asks several gateways: no harm that the capture can show */
        .confidence = CONFIDENCE_OBSERVED,
        .culprit = initiator,
        .exchange = init,
        .began_in = init->sent_in[0],
        .began_at = init->first_sent_at,
        .last_evidence_at = init->answered_at
    };
    findings_add(out, &draft, "%s answered IKE_SA_INIT, and %s did not go on with IKE_AUTH: %s %.1f s later.%s",
                 tunnel_peer_text(tunnel, peer_other(initiator), peer), tunnel_peer_text(tunnel, initiator, sender),
                 change->at_end ? "nothing had followed when the capture ended" : "it started anew",
                 duration_seconds(duration_between(init->answered_at, change->time)),
                 is_proof ? "" : " The capture shows nothing of this tunnel but IKE_SA_INIT; it may leave UDP port 4500 out.");
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_CAPTURE_END) {
        judge_attempt(change, tunnel, PEER_A, AUTH_FOLLOWS_WITHIN, out);
        judge_attempt(change, tunnel, PEER_B, AUTH_FOLLOWS_WITHIN, out);
    } else if (is_init(change->exchange) && change->ike_sa->exchanges->len == 1) {
        judge_attempt(change, tunnel, change->sender, NEW_START_SHOWS_AFTER, out);
    }
}

const detector_t ike_stalled_detector = {
    .finding = FINDING_ike_stalled,
    .wakes_on = CHANGE_REQUEST_SENT | CHANGE_CAPTURE_END,
    .needs_time = true,
    .judge = judge,
};
