/* retransmission.c - was the same request sent again (RFC 7296 2.1)?
 *
 * Copies made by the capture, restarts with a cookie and repeated answers never get here: the engine tells them apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX];

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_retransmission,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .evidence = { exchange->sent_in[0] } },
                 "%s sent the same %s again (retransmission %u, after %.1f s%s).", tunnel_peer_text(tunnel, change->sender, sender),
                 exchange_kind_words(exchange->kind), exchange->transmissions - 1, duration_seconds(exchange->last_gap),
                 exchange->outcome == OUTCOME_ANSWERED ? "; it had been answered, so the answer was lost further on"
                 : exchange->is_rebuilt                ? "; not the same bytes, as RFC 7296 2.1 demands"
                                                       : "");
}

const detector_t retransmission_detector = {
    .finding = FINDING_retransmission,
    .wakes_on = CHANGE_REQUEST_REPEATED,
    .needs_time = false,
    .judge = judge,
};
