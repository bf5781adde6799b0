/* delete_no_restart.c - was the tunnel deleted under traffic, and nobody started it again?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define REDIRECTION_TAKES SECONDS(60) /* from the order to the DELETE, or from the DELETE to the new gateway */

static const ike_sa_t *
deleted_ike_sa(const tunnel_t *tunnel)
{
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->state == IKE_SA_DELETED && !ike_sa->is_replaced)
            return ike_sa;
    }
    return NULL;
}

/* RFC 5685: the client was sent to another gateway; there the tunnel goes on. */
static bool
was_redirected(const tunnel_t *tunnel, const ike_sa_t *ike_sa)
{
    capture_ns_t at = tunnel->redirected_at;

    return at != CAPTURE_TIME_NONE && duration_between(at, ike_sa->closed_at) <= REDIRECTION_TAKES &&
           duration_between(ike_sa->closed_at, at) <= REDIRECTION_TAKES;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const ike_sa_t *ike_sa = deleted_ike_sa(tunnel);
    char by[ENDPOINT_TEXT_MAX];

    if (tunnel->loss.kind != LOSS_DELETED || ike_sa == NULL || !ike_sa->traffic_at_close)
        return;
    duration_ns_t since = duration_between(ike_sa->closed_at, change->time);
    bool someone_tries = tunnel->waiting->len > 0;
    if (since < SECONDS(change->settings->restart_wait_seconds) || someone_tries || was_redirected(tunnel, ike_sa))
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_delete_no_restart,
                                     .severity = SEVERITY_WARN,
                                     .confidence = ike_sa->closed_confidence,
                                     .culprit = ike_sa->closed_by,
                                     .last_evidence_at = ike_sa->closed_at,
                                     .began_in = ike_sa->closed_in,
                                     .began_at = ike_sa->closed_at,
                                     .evidence = { ike_sa->closed_in } },
                 "%s deleted the IKE SA while traffic was flowing, and nobody started the tunnel again in the %.1f s until the "
                 "capture ended.",
                 tunnel_peer_text(tunnel, ike_sa->closed_by, by), duration_seconds(since));
}

const detector_t delete_no_restart_detector = {
    .finding = FINDING_delete_no_restart,
    .wakes_on = CHANGE_CAPTURE_END,
    .needs_time = true,
    .judge = judge,
};
