/* auth_failed.c - was the peer not authenticated (RFC 7296 2.21.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* Notify types of RFC 2408 3.14.1 by which a responder says that what it decrypted makes no sense: with pre-shared keys, that the
 * first encrypted message of Main Mode was made with another key (RFC 2409 5.4). */
enum { INVALID_PAYLOAD_TYPE = 1, INVALID_FLAGS = 8, PAYLOAD_MALFORMED = 16 };

static bool
is_amid_eap(const ike_sa_t *ike_sa)
{
    const exchange_t *latest = ike_sa != NULL ? ike_sa_latest(ike_sa, exchange_is_initiation) : NULL;
    return latest != NULL && latest->is_eap_round;
}

/* The initiator reports that it could not authenticate the responder (RFC 7296 2.21.2). If the responder had refused before, that is
 * told already. */
static void
judge_notice(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (change->notify->type != NOTIFY_AUTHENTICATION_FAILED || change->message == NULL || !change->message->is_decrypted ||
        (change->ike_sa != NULL && change->ike_sa->state == IKE_SA_FAILED))
        return;
    findings_add(
        out,
        &(finding_draft_t){
            .id = FINDING_auth_failed, .severity = SEVERITY_ERROR, .confidence = CONFIDENCE_OBSERVED, .culprit = change->sender },
        "%s %s (AUTHENTICATION_FAILED).", tunnel_peer_text(tunnel, change->sender, sender),
        is_amid_eap(change->ike_sa) ? "broke off the EAP authentication, in which its credentials were probably refused"
                                    : "reports that it could not authenticate its peer");
}

/* The initiator's word that it has failed was captured before what it failed with. An IKE SA fails once. */
static bool
is_told_by_notice(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_auth_failed, exchange->requester);

    return told != NULL && told->frame >= exchange->ike_sa->first_frame;
}

static const char *
what_happened(const exchange_t *exchange)
{
    if (exchange->is_eap_failure)
        return "ended the EAP authentication with a Failure";
    if (exchange->error_is_exact)
        return "refused the authentication (AUTHENTICATION_FAILED)";
    return "ended IKE_AUTH with a short message, and the IKE SA did not come up: authentication was probably refused";
}

/* Whose it was, where this was read: several identities may share two addresses, and most of them may be well. */
static const char *
identity_of_requester(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const char *latest = tunnel->peer[exchange->requester].identity;
    uint32_t own = exchange->ike_sa->identity_hash[exchange->requester];

    return own != 0 && identity_hash(latest) == own ? latest : "";
}

static void
add(const exchange_t *exchange, const tunnel_t *tunnel, findings_t *out, confidence_t confidence, const char *words)
{
    char refuser[ENDPOINT_TEXT_MAX];
    const char *identity = identity_of_requester(exchange, tunnel);

    if (is_told_by_notice(exchange, tunnel))
        return;
    finding_draft_t draft = findings_draft_refused(FINDING_auth_failed, exchange);
    draft.confidence = confidence;
    draft.severity = confidence == CONFIDENCE_OBSERVED ? SEVERITY_ERROR : SEVERITY_WARN;
    draft.last_evidence_at = exchange->answered_at;
    findings_add(out, &draft, "%s %s.%s%s%s", tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser), words,
                 identity[0] != '\0' ? " The other peer called itself " : "", identity, identity[0] != '\0' ? "." : "");
}

/* Nothing followed the bare notification. (A short EAP message may be a Success: there something must follow.) */
static void
judge_end(const tunnel_t *tunnel, findings_t *out)
{
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        const exchange_t *auth = ike_sa->state == IKE_SA_FAILED ? ike_sa_refused_auth(ike_sa) : NULL;
        if (auth != NULL)
            add(auth, tunnel, out, CONFIDENCE_INFERRED, what_happened(auth));
    }
}

/* The first encrypted message of Main Mode met an encrypted notice each time, and the negotiation never went on. */
static void
judge_abandoned(const exchange_t *exchange, const tunnel_t *tunnel, findings_t *out)
{
    if (exchange->kind == EXCHANGE_MAIN_MODE && exchange->is_encrypted_turn && exchange->refusal_hint_in != FRAME_NONE)
        add(exchange, tunnel, out, CONFIDENCE_INFERRED,
            "answered the first encrypted message of Main Mode with a notice only: it probably does not accept the identity or the "
            "key");
}

/* XAUTH, the user's authentication between phase 1 and 2, tells its result in a request of its own. */
static void
judge_request(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (!change->message->xauth_failed)
        return;
    findings_add(
        out,
        &(finding_draft_t){
            .id = FINDING_auth_failed, .severity = SEVERITY_ERROR, .confidence = CONFIDENCE_OBSERVED, .culprit = change->sender },
        "%s refused the user's authentication (XAUTH status: failed).", tunnel_peer_text(tunnel, change->sender, sender));
}

static bool
looks_like_other_key(const exchange_t *exchange)
{
    return exchange->kind == EXCHANGE_MAIN_MODE && exchange->is_encrypted_turn &&
           (exchange->error == INVALID_PAYLOAD_TYPE || exchange->error == INVALID_FLAGS || exchange->error == PAYLOAD_MALFORMED);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;

    if (change->kind == CHANGE_NOTIFY)
        judge_notice(change, tunnel, out);
    else if (change->kind == CHANGE_CAPTURE_END)
        judge_end(tunnel, out);
    else if (change->kind == CHANGE_EXCHANGE_ABANDONED)
        judge_abandoned(exchange, tunnel, out);
    else if (change->kind == CHANGE_REQUEST_SENT)
        judge_request(change, tunnel, out);
    else if (exchange->is_refused && exchange->error == NOTIFY_AUTHENTICATION_FAILED)
        add(exchange, tunnel, out, exchange->refusal_confidence, what_happened(exchange));
    else if (exchange->is_refused && looks_like_other_key(exchange))
        add(exchange, tunnel, out, CONFIDENCE_INFERRED,
            "could not make sense of the first encrypted message of Main Mode: the pre-shared keys probably differ");
}

const detector_t auth_failed_detector = {
    .finding = FINDING_auth_failed,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED | CHANGE_EXCHANGE_ABANDONED | CHANGE_REQUEST_SENT | CHANGE_NOTIFY | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
