/* rekey_collision.c - did both peers rekey the same SA at once (RFC 7296 2.8.1, 2.8.2)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    (void)tunnel;
    const exchange_t *exchange = change->exchange;

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_rekey_collision,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = exchange->kind_confidence,
                                     .culprit = PEER_UNKNOWN,
                                     .exchange = exchange },
                 "Both peers sent a %s before either was answered; one of the two new SAs is redundant and will be deleted.",
                 exchange->kind == EXCHANGE_CHILD_REKEY ? "child SA rekey" : "CREATE_CHILD_SA request of the same kind");
}

const detector_t rekey_collision_detector = {
    .finding = FINDING_rekey_collision,
    .wakes_on = CHANGE_COLLISION,
    .needs_time = false,
    .judge = judge,
};
