/* tunnel_down.c - did the tunnel stop working for good, as far as the capture goes?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* A negotiation that goes on needs less from one message to the next; retransmissions start at half a second. */
#define UNDER_WAY SECONDS(2)

/* The peers have just begun to negotiate with each other when the capture ends: a moment later it may be back. */
static bool
is_coming_back(const tunnel_t *tunnel, capture_ns_t end)
{
    const ike_sa_t *newest = tunnel->ike_sas->len > 0 ? g_ptr_array_index(tunnel->ike_sas, tunnel->ike_sas->len - 1) : NULL;
    const exchange_t *first = newest != NULL && newest->exchanges->len > 0 ? g_ptr_array_index(newest->exchanges, 0) : NULL;

    return first != NULL && newest->state == IKE_SA_NEGOTIATING && exchange_is_initiation(first) &&
           first->answered_in != FRAME_NONE && !first->is_refused && duration_between(newest->last_message_at, end) < UNDER_WAY;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const loss_t *loss = &tunnel->loss;

    if (!tunnel->was_up || loss->seems_over ||
        (loss->kind != LOSS_GAVE_UP && loss->kind != LOSS_CHILD_GONE && loss->kind != LOSS_REPLACED))
        return;
    if (loss->kind != LOSS_CHILD_GONE && is_coming_back(tunnel, change->time))
        return;
    const char *why =
        loss->kind == LOSS_CHILD_GONE ? "its last child SA ended after its rekeys were refused" : "its IKE SA was given up";
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_tunnel_down,
                                     .severity = SEVERITY_ERROR,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = loss->by,
                                     .last_evidence_at = loss->at,
                                     .began_in = loss->last_proof_in,
                                     .began_at = loss->last_proof_at,
                                     .evidence = { loss->frame } },
                 "The tunnel went down (%s) and was not back when the capture ended %.1f s later.", why,
                 duration_seconds(duration_between(loss->last_proof_at, change->time)));
}

const detector_t tunnel_down_detector = {
    .finding = FINDING_tunnel_down,
    .wakes_on = CHANGE_CAPTURE_END,
    .needs_time = true,
    .judge = judge,
};
