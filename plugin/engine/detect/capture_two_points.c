/* capture_two_points.c - does the capture show the same packets from two places?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const points_t *points = tunnel->points;

    (void)change;
    if (points == NULL || !points_are_proved(points) ||
        tunnel_latest_finding(tunnel, FINDING_capture_two_points, PEER_UNKNOWN) != NULL)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_two_points,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = points->by_interface ? CONFIDENCE_OBSERVED : CONFIDENCE_INFERRED,
                                     .culprit = PEER_UNKNOWN,
                                     .evidence = { points->first_match_of, points->first_match_in } },
                 "The same packets were captured at two places, told apart by their %s: each counts once.",
                 points->by_interface ? "interface" : "hop limit (TTL)");
}

const detector_t capture_two_points_detector = {
    .finding = FINDING_capture_two_points,
    .wakes_on = CHANGE_COPY,
    .needs_time = false,
    .judge = judge,
};
