/* capture_both_sides_of_nat.c - does the capture show packets before and after a NAT?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->same_endpoints || tunnel_latest_finding(tunnel, FINDING_capture_both_sides_of_nat, PEER_UNKNOWN) != NULL)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_both_sides_of_nat,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN },
                 "The same packets are in the capture with other addresses or ports, before and after a NAT: each counts once. "
                 "What goes to a mapping that the NAT has dropped is not told apart.");
}

const detector_t capture_both_sides_of_nat_detector = {
    .finding = FINDING_capture_both_sides_of_nat,
    .wakes_on = CHANGE_COPY,
    .needs_time = false,
    .judge = judge,
};
