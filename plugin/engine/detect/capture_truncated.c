/* capture_truncated.c - are packets cut short by the capture?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const packet_t *packet = change->packet;

    if (packet == NULL || packet->captured >= packet->reported || packet->is_ip_fragment || packet->is_excerpt ||
        tunnel->path_tries_left > 0 || /* it may be part of another one, of which that was said */
        tunnel_latest_finding(tunnel, FINDING_capture_truncated, PEER_UNKNOWN) != NULL)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_truncated,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN },
                 "Packets of this tunnel are cut by the capture (%zu of %zu bytes here): what is missing cannot be judged.",
                 packet->captured, packet->reported);
}

/* The packet before was cut in the same way, or not at all. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)tunnel, (void)sa;
    return true;
}

const detector_t capture_truncated_detector = {
    .finding = FINDING_capture_truncated,
    .wakes_on = CHANGE_TUNNEL_SEEN,
    .needs_time = false,
    .judge = judge,
    .has_no_question = has_no_question,
};
