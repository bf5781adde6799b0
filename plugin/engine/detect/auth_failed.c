/* auth_failed.c - was the peer not authenticated (RFC 7296 2.21.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || exchange->error != NOTIFY_AUTHENTICATION_FAILED)
        return;
    bool is_read = exchange->error_is_exact;
    findings_add(out, &(finding_draft_t){.id = FINDING_auth_failed, .severity = is_read ? SEVERITY_ERROR : SEVERITY_WARN,
                                         .confidence = exchange->refusal_confidence, .culprit = peer_other(exchange->requester),
                                         .exchange = exchange, .began_in = exchange->sent_in[0],
                                         .began_at = exchange->first_sent_at},
                 is_read ? "%s refused the authentication (AUTHENTICATION_FAILED)."
                         : "%s answered IKE_AUTH with a bare notification: authentication was probably refused.",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser));
}

const detector_t auth_failed_detector = {
    .finding = FINDING_auth_failed,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
