/* cookie_challenge.c - did the responder ask for a cookie first (RFC 7296 2.6)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (!exchange_is_init(change->exchange) || change->message == NULL || change->message->has_sa ||
        ike_message_notify(change->message, NOTIFY_COOKIE) == NULL)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_cookie_challenge,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .exchange = change->exchange },
                 "%s asked for a cookie before it goes on: it is under load or checks for spoofed addresses.",
                 tunnel_peer_text(tunnel, change->sender, sender));
}

const detector_t cookie_challenge_detector = {
    .finding = FINDING_cookie_challenge,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
