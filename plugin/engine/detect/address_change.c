/* address_change.c - did a peer move to a new address and say so (MOBIKE, RFC 4555 3.5)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char before[ENDPOINT_TEXT_MAX], now[ENDPOINT_TEXT_MAX];
    const exchange_t *exchange = change->exchange;
    const peer_state_t *mover = &tunnel->peer[exchange->requester];

    if (endpoint_same_address(&mover->last, &exchange->source) && endpoint_same_address(&mover->first, &exchange->source))
        return;
    const flip_t *move = tunnel_latest_flip(tunnel, exchange->requester);
    bool is_known = move != NULL && move->is_announced && endpoint_equal(&move->new_endpoint, &exchange->source);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_address_change,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = exchange->kind_confidence,
                                     .culprit = exchange->requester,
                                     .exchange = exchange,
                                     .evidence = { change->ike_sa->probe_in[exchange->requester] } },
                 "%s moved to %s and was answered there.", is_known ? endpoint_text(&move->old_endpoint, before) : "A peer",
                 endpoint_text(&exchange->source, now));
}

const detector_t address_change_detector = {
    .finding = FINDING_address_change,
    .wakes_on = CHANGE_ADDRESS_UPDATED,
    .needs_time = false,
    .judge = judge,
};
