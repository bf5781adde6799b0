/* capture_no_ike.c - is there ESP, but no IKE, in the capture?
 *
 * SD-WAN, manual keys, or IKE on another link.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    (void)change;
    uint64_t packets = tunnel->peer[PEER_A].esp_packets + tunnel->peer[PEER_B].esp_packets;

    if (tunnel->ike_sas->len > 0 || packets == 0)
        return;
    const esp_sa_t *last = NULL;
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (last == NULL || sa->last_frame > last->last_frame)
            last = sa;
    }
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_no_ike,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN,
                                     .last_evidence_at = last->last_time,
                                     .evidence = { last->last_frame } },
                 "The capture shows ESP of this tunnel, but no IKE: what the peers negotiated is not known.");
}

const detector_t capture_no_ike_detector = {
    .finding = FINDING_capture_no_ike,
    .wakes_on = CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
