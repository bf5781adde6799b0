/* ts_unacceptable.c - do the traffic selectors (proxy IDs) differ?
 *
 * TS_UNACCEPTABLE (RFC 7296 2.9), INVALID-ID-INFORMATION in IKEv1 (RFC 2409 5.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static bool
are_same(const selectors_t *a, const char *initiator, const char *responder)
{
    return g_str_equal(a->initiator, initiator) && g_str_equal(a->responder, responder);
}

/* Both sides' words, as far as they can be read: what is proposed, what the refuser asks for itself, what was agreed before. */
static void
describe_selectors(const exchange_t *exchange, const tunnel_t *tunnel, GString *out)
{
    peer_t refuser = peer_other(exchange->requester);
    const selectors_t *own = &tunnel->asked_selectors[refuser], *agreed = &tunnel->accepted_selectors;
    char address[ENDPOINT_TEXT_MAX];

    if (exchange->selectors_i[0] != '\0')
        g_string_printf(out, " Proposed: %s to %s.", exchange->selectors_i, exchange->selectors_r);
    if (own->frame != FRAME_NONE && !are_same(own, exchange->selectors_r, exchange->selectors_i))
        g_string_append_printf(out, " %s itself asked for %s to %s (frame %u).", tunnel_peer_text(tunnel, refuser, address),
                               own->initiator, own->responder, own->frame);
    if (agreed->frame != FRAME_NONE && !are_same(agreed, exchange->selectors_i, exchange->selectors_r))
        g_string_append_printf(out, " Last agreed by this tunnel: %s to %s (frame %u).", agreed->initiator, agreed->responder,
                               agreed->frame);
}

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
    describe_selectors(exchange, tunnel, offered);
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
