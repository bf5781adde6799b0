/* auth_failed.c - was the peer not authenticated (RFC 7296 2.21.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

/* The initiator reports that it could not authenticate the responder (RFC 7296 2.21.2); also IKEv1's notice. */
static void
judge_notice(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (change->notify->type != NOTIFY_AUTHENTICATION_FAILED || change->message == NULL || !change->message->is_decrypted)
        return;
    findings_add(
        out,
        &(finding_draft_t){
            .id = FINDING_auth_failed, .severity = SEVERITY_ERROR, .confidence = CONFIDENCE_OBSERVED, .culprit = change->sender },
        "%s reports that it could not authenticate its peer (AUTHENTICATION_FAILED).",
        tunnel_peer_text(tunnel, change->sender, sender));
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (change->kind == CHANGE_NOTIFY) {
        judge_notice(change, tunnel, out);
        return;
    }
    if (!exchange->is_refused || exchange->error != NOTIFY_AUTHENTICATION_FAILED)
        return;
    bool is_read = exchange->error_is_exact;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_auth_failed,
                                     .severity = is_read ? SEVERITY_ERROR : SEVERITY_WARN,
                                     .confidence = exchange->refusal_confidence,
                                     .culprit = peer_other(exchange->requester),
                                     .exchange = exchange,
                                     .began_in = exchange->sent_in[0],
                                     .began_at = exchange->first_sent_at },
                 is_read ? "%s refused the authentication (AUTHENTICATION_FAILED)."
                         : "%s answered IKE_AUTH with a bare notification: authentication was probably refused.",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser));
}

const detector_t auth_failed_detector = {
    .finding = FINDING_auth_failed,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED | CHANGE_NOTIFY,
    .needs_time = false,
    .judge = judge,
};
