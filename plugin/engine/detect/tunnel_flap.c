/* tunnel_flap.c - did the tunnel go down and come back?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

static const char *
how_it_went(loss_kind_t kind)
{
    switch (kind) {
    case LOSS_GAVE_UP:
        return "its IKE SA was given up and negotiated anew";
    case LOSS_DELETED:
        return "its IKE SA was deleted and negotiated anew later";
    case LOSS_REPLACED:
        return "a peer had stopped answering and the tunnel was negotiated anew";
    case LOSS_CHILD_GONE:
        return "its child SA ended after refused rekeys and was made again later";
    default:
        return "it came back";
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const loss_t *loss = change->loss;
    bool was_orderly = loss->kind == LOSS_DELETED;

    (void)tunnel;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_tunnel_flap,
                                     .severity = !was_orderly    ? SEVERITY_ERROR
                                                 : loss->traffic ? SEVERITY_WARN
                                                                 : SEVERITY_NOTE,
                                     .confidence = loss->kind == LOSS_GAVE_UP ? CONFIDENCE_OBSERVED : loss->confidence,
                                     .culprit = loss->by,
                                     .began_in = loss->last_proof_in,
                                     .began_at = loss->last_proof_at,
                                     .evidence = { loss->last_proof_in, loss->frame } },
                 "The tunnel was down for %.1f s: %s.", duration_seconds(duration_between(loss->last_proof_at, change->time)),
                 how_it_went(loss->kind));
}

const detector_t tunnel_flap_detector = {
    .finding = FINDING_tunnel_flap,
    .wakes_on = CHANGE_TUNNEL_RECOVERED,
    .needs_time = false,
    .judge = judge,
};
