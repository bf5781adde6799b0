/* capture_one_direction.c - does the capture show one direction of the tunnel only?
 *
 * Requests that were evidently answered, or answers to requests that are not there, and not one packet of the other peer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static peer_t
missing_peer(const tunnel_t *tunnel)
{
    if (!tunnel_shows_peer(tunnel, PEER_A))
        return PEER_A;
    return !tunnel_shows_peer(tunnel, PEER_B) ? PEER_B : PEER_UNKNOWN;
}

static bool
other_direction_exists(const change_t *change, const tunnel_t *tunnel)
{
    if (tunnel->unseen_answers > 0 || tunnel->orphan_answers > 0)
        return true;
    return change->kind == CHANGE_CAPTURE_END && tunnel->esp_sas->len > 0 &&
           tunnel->peer[PEER_A].esp_packets + tunnel->peer[PEER_B].esp_packets > 1;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char missing[ENDPOINT_TEXT_MAX];

    if (!tunnel_is_one_direction(tunnel) || tunnel_latest_finding(tunnel, FINDING_capture_one_direction, PEER_UNKNOWN) != NULL ||
        !other_direction_exists(change, tunnel))
        return;
    confidence_t confidence = change->kind == CHANGE_CAPTURE_END ? CONFIDENCE_INFERRED : CONFIDENCE_OBSERVED;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_one_direction,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = confidence,
                                     .culprit = PEER_UNKNOWN,
                                     .last_evidence_at = tunnel->last_time,
                                     .evidence = { change->kind == CHANGE_CAPTURE_END ? tunnel->last_frame : FRAME_NONE } },
                 "Nothing sent by %s is in the capture: missing answers prove nothing.",
                 tunnel_peer_text(tunnel, missing_peer(tunnel), missing));
}

/* Answers that show the other direction are IKE. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)sa;
    return !tunnel_is_one_direction(tunnel) || (tunnel->unseen_answers == 0 && tunnel->orphan_answers == 0);
}

const detector_t capture_one_direction_detector = {
    .finding = FINDING_capture_one_direction,
    .wakes_on = CHANGE_TRAFFIC | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
    .has_no_question = has_no_question,
};
