/* capture_clock.c - are the times of this capture of any use?
 *
 * Said once per tunnel; detectors that need time sleep meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (!change->clock_is_unusable || tunnel_latest_finding(tunnel, FINDING_capture_clock, PEER_UNKNOWN) != NULL)
        return;
    findings_add(
        out,
        &(finding_draft_t){
            .id = FINDING_capture_clock, .severity = SEVERITY_NOTE, .confidence = CONFIDENCE_OBSERVED, .culprit = PEER_UNKNOWN },
        "The capture's times stand still or jump backwards, so nothing is concluded from how long anything took.");
}

/* Steady is only what has a clock. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)tunnel, (void)sa;
    return true;
}

const detector_t capture_clock_detector = {
    .finding = FINDING_capture_clock,
    .wakes_on = CHANGE_TRAFFIC,
    .needs_time = false,
    .judge = judge,
    .has_no_question = has_no_question,
};
