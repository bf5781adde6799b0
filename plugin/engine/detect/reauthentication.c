/* reauthentication.c - did a new IKE SA take over from a live one (RFC 7296 2.8.3)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const loss_t *loss = change->loss;
    char deleter[ENDPOINT_TEXT_MAX], maker[ENDPOINT_TEXT_MAX];

    if (loss != NULL && loss->by < PEERS && change->ike_sa->original_initiator != loss->by) {
        findings_add(
            out,
            &(finding_draft_t){ .id = FINDING_reauthentication,
                                .severity = SEVERITY_NOTE,
                                .confidence = CONFIDENCE_INFERRED,
                                .culprit = PEER_UNKNOWN,
                                .evidence = { loss->frame } },
            "%s deleted the IKE SA, and %s negotiated a new one at once (up again %.1f s later): a reauthentication, or %s was "
            "restarted.",
            tunnel_peer_text(tunnel, loss->by, deleter), tunnel_peer_text(tunnel, change->ike_sa->original_initiator, maker),
            duration_seconds(duration_between(loss->at, change->time)), deleter);
        return;
    }
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_reauthentication,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_INFERRED,
                                     .culprit = PEER_UNKNOWN,
                                     .exchange = change->exchange },
                 "A newly negotiated IKE SA takes the place of one that worked: the peers reauthenticate.");
}

const detector_t reauthentication_detector = {
    .finding = FINDING_reauthentication,
    .wakes_on = CHANGE_REAUTHENTICATED,
    .needs_time = false,
    .judge = judge,
};
