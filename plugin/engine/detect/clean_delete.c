/* clean_delete.c - was the tunnel's only IKE SA deleted in an orderly way (RFC 7296 1.4.1, RFC 2408 5.15)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge_deleted(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const ike_sa_t *ike_sa = change->ike_sa;
    char by[ENDPOINT_TEXT_MAX];

    if (ike_sa->is_replaced)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_clean_delete,
                                     .severity = SEVERITY_CHAT,
                                     .explains = true,
                                     .confidence = ike_sa->closed_confidence,
                                     .culprit = ike_sa->closed_by,
                                     .exchange = change->exchange,
                                     .began_in = change->exchange->sent_in[0],
                                     .began_at = change->exchange->first_sent_at },
                 "%s deleted the IKE SA in an orderly way%s.", tunnel_peer_text(tunnel, ike_sa->closed_by, by),
                 ike_sa->major == 2 ? ", and the peer acknowledged it" : "");
}

/* IKEv1 without keys: two notices in a row by one peer (IPsec SA, ISAKMP SA), unanswered, and nothing more on the tunnel. */
static void
judge_end(const tunnel_t *tunnel, findings_t *out)
{
    const ike_sa_t *ike_sa = tunnel_current_ike_sa(tunnel);
    char by[ENDPOINT_TEXT_MAX];

    if (ike_sa == NULL || !ike_sa_looks_deleted(ike_sa))
        return;
    const exchange_t *last = g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 1);
    const exchange_t *before = g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 2);
    for (unsigned p = 0; p < PEERS; p++) {
        if (duration_between(last->first_sent_at, tunnel->peer[p].last_esp_at) > SECONDS(1))
            return;
    }
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_clean_delete,
                                     .severity = SEVERITY_CHAT,
                                     .explains = true,
                                     .confidence = CONFIDENCE_INFERRED,
                                     .culprit = last->requester,
                                     .exchange = last,
                                     .evidence = { before->sent_in[0] } },
                 "%s sent two notices in a row and nothing follows: it probably deleted its SAs in an orderly way.",
                 tunnel_peer_text(tunnel, last->requester, by));
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_CAPTURE_END)
        judge_end(tunnel, out);
    else
        judge_deleted(change, tunnel, out);
}

const detector_t clean_delete_detector = {
    .finding = FINDING_clean_delete,
    .wakes_on = CHANGE_IKE_SA_DELETED | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
