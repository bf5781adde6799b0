/* child_down.c - did one child SA of several end without a replacement?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    (void)change;
    if (tunnel->child_ended_in == FRAME_NONE || tunnel->loss.kind != LOSS_NONE)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_child_down,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_INFERRED,
                                     .culprit = PEER_UNKNOWN,
                                     .last_evidence_at = tunnel->child_ended_at,
                                     .began_in = tunnel->child_ended_in,
                                     .began_at = tunnel->child_ended_at,
                                     .evidence = { tunnel->child_ended_in } },
                 "One child SA ended after its rekeys were refused and was not made again; the tunnel's other child SAs go on.");
}

const detector_t child_down_detector = {
    .finding = FINDING_child_down,
    .wakes_on = CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
