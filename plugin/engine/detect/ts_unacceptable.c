/* ts_unacceptable.c - do the traffic selectors (proxy IDs) differ?
 *
 * TS_UNACCEPTABLE (RFC 7296 2.9), INVALID-ID-INFORMATION in IKEv1 (RFC 2409 5.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || !exchange->error_is_exact)
        return;
    uint16_t wanted = exchange->ike_sa->major == 1 ? NOTIFY_V1_INVALID_ID_INFORMATION : NOTIFY_TS_UNACCEPTABLE;
    if (exchange->error != wanted)
        return;
    GString *offered = g_string_new(NULL);
    if (exchange->selectors_i[0] != '\0')
        g_string_printf(offered, " Proposed: %s to %s.", exchange->selectors_i, exchange->selectors_r);
    finding_draft_t draft = findings_draft_refused(FINDING_ts_unacceptable, exchange);
    findings_add(out, &draft, "%s does not accept the traffic selectors (proxy IDs) of the %s.%s",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser), exchange_kind_words(exchange->kind),
                 offered->str);
    g_string_free(offered, TRUE);
}

const detector_t ts_unacceptable_detector = {
    .finding = FINDING_ts_unacceptable,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
