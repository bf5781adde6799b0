/* tunnel_flap.c - did the tunnel go down and come back?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* Who negotiated the IKE SA that brought it back; PEER_UNKNOWN: it came back otherwise, or that is not in the capture. */
static peer_t
negotiated_by(const change_t *change)
{
    const ike_sa_t *ike_sa = change->ike_sa;

    return ike_sa != NULL && ike_sa->established_at == change->time ? ike_sa->original_initiator : PEER_UNKNOWN;
}

static void
describe(const change_t *change, const tunnel_t *tunnel, GString *out)
{
    const loss_t *loss = change->loss;
    char lost_by[ENDPOINT_TEXT_MAX], made_by[ENDPOINT_TEXT_MAX];
    peer_t maker = negotiated_by(change);

    tunnel_peer_text(tunnel, loss->by, lost_by);
    switch (loss->kind) {
    case LOSS_GAVE_UP:
        g_string_append_printf(out, "%s gave its IKE SA up", lost_by);
        break;
    case LOSS_DELETED:
        g_string_append_printf(out, "%s deleted its IKE SA", lost_by);
        break;
    case LOSS_REPLACED:
        g_string_append_printf(out, "%s started anew though nobody had ended the IKE SA, as after a restart or a silent peer",
                               lost_by);
        return;
    case LOSS_CHILD_GONE:
        g_string_append(out, "its last child SA ended after refused rekeys, and was made again later");
        return;
    default:
        g_string_append(out, "it came back");
        return;
    }
    if (maker != PEER_UNKNOWN && maker == loss->by)
        g_string_append(out, " and negotiated a new one");
    else if (maker != PEER_UNKNOWN)
        g_string_append_printf(out, ", and %s negotiated a new one", tunnel_peer_text(tunnel, maker, made_by));
    else
        g_string_append(out, ", and a new one was negotiated");
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const loss_t *loss = change->loss;
    bool was_orderly = loss->kind == LOSS_DELETED;

    GString *how = g_string_new(NULL);
    describe(change, tunnel, how);
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
                 how->str);
    g_string_free(how, TRUE);
}

const detector_t tunnel_flap_detector = {
    .finding = FINDING_tunnel_flap,
    .wakes_on = CHANGE_TUNNEL_RECOVERED,
    .needs_time = false,
    .judge = judge,
};
