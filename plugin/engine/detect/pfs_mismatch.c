/* pfs_mismatch.c - does the first child work while each rekey is refused?
 *
 * The first child is made in IKE_AUTH without a key exchange of its own (RFC 7296 1.2); a rekey may bring one. A DH group that one
 * peer demands and the other does not offer therefore shows in the rekeys only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#include "engine/parse/proposal.h"

#define REFUSALS_THAT_MAKE_A_PATTERN 2u

/* With keys: the offer is what was accepted before, apart from the DH group. Then only the group can be the reason. */
static bool
only_the_group_differs(const exchange_t *exchange, const tunnel_t *tunnel)
{
    return exchange->error_is_exact && exchange->error == NOTIFY_NO_PROPOSAL_CHOSEN && exchange->offer != NULL &&
           tunnel->accepted_child != NULL && proposal_list_contains_but_ke(exchange->offer, tunnel->accepted_child);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || !exchange_is_rekey(exchange) || exchange->kind == EXCHANGE_CREATE_CHILD_SA ||
        exchange->kind == EXCHANGE_IKE_REKEY || !tunnel->had_child || tunnel->child_rekeys_ok > 0)
        return;
    if (tunnel_latest_finding(tunnel, FINDING_pfs_mismatch, PEER_UNKNOWN) != NULL)
        return;
    bool is_proved = only_the_group_differs(exchange, tunnel);
    bool is_pattern = !exchange->ike_sa->is_midstream && !exchange->error_is_exact && exchange->error == 0 && !exchange->collides &&
                      tunnel->refused_in_a_row >= REFUSALS_THAT_MAKE_A_PATTERN;
    if (!is_proved && !is_pattern)
        return;
    finding_draft_t draft = { .id = FINDING_pfs_mismatch,
                              .severity = is_proved ? SEVERITY_ERROR : SEVERITY_WARN,
                              .confidence = is_proved ? CONFIDENCE_OBSERVED : CONFIDENCE_INFERRED,
                              .culprit = peer_other(exchange->requester),
                              .exchange = exchange,
                              .began_in = is_proved ? exchange->sent_in[0] : tunnel->first_refused_in,
                              .began_at = is_proved ? exchange->first_sent_at : tunnel->first_refused_at,
                              .evidence = { is_proved ? FRAME_NONE : tunnel->first_refused_in } };
    tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser);
    if (is_proved)
        findings_add(out, &draft,
                     "%s accepted the same algorithms for the first child SA and refuses them for the rekey: "
                     "the offer has %s, so the PFS settings (DH group of the child SA) differ.",
                     refuser,
                     proposal_list_has(exchange->offer, TRANSFORM_KE) ? "a DH group that it does not accept" : "no DH group");
    else
        findings_add(out, &draft,
                     "The first child SA works, but %s has refused every rekey (%u so far): the DH group for child SAs "
                     "(PFS) is the likely difference.",
                     refuser, tunnel->refused_in_a_row);
}

const detector_t pfs_mismatch_detector = {
    .finding = FINDING_pfs_mismatch,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
