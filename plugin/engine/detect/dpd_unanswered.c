/* dpd_unanswered.c - did a liveness check need retransmissions before it was answered (RFC 7296 2.4, RFC 3706)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX];

    if (!exchange_is_liveness(exchange) || exchange->outcome != OUTCOME_ANSWERED || exchange->transmissions < 2)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_dpd_unanswered,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = exchange->kind_confidence,
                                     .culprit = exchange->requester,
                                     .exchange = exchange,
                                     .began_in = exchange->sent_in[0],
                                     .began_at = exchange->first_sent_at },
                 "%s had to send its liveness check %u times before it was answered, %.1f s after the first.",
                 tunnel_peer_text(tunnel, exchange->requester, sender), exchange->transmissions,
                 duration_seconds(duration_between(exchange->first_sent_at, exchange->answered_at)));
}

const detector_t dpd_unanswered_detector = {
    .finding = FINDING_dpd_unanswered,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
