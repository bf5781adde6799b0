/* rekey_rejected.c - was a rekey refused?
 *
 * With keys the notify tells. Without, one refusal may be a passing one (TEMPORARY_FAILURE, RFC 7296 2.25, or a key exchange group to
 * retry with): only a second one in a row is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define REFUSALS_WITHOUT_KEYS 2u
#define BUSY_FOR SECONDS(180)

/* Legal moments of a simultaneous rekey (RFC 7296 2.25.1, 2.25.2), or a detour that goes on (1.3). */
static bool
may_pass(const exchange_t *exchange, const tunnel_t *tunnel)
{
    if (exchange->collides)
        return true;
    switch (exchange->error) {
    case NOTIFY_TEMPORARY_FAILURE: /* a peer that is busy: the other one is to try again over several minutes (RFC 7296 2.25) */
        return duration_between(tunnel->first_refused_at, exchange->answered_at) < BUSY_FOR;
    case NOTIFY_CHILD_SA_NOT_FOUND: /* the peer has just deleted or rekeyed it */
        return tunnel->refused_in_a_row < REFUSALS_WITHOUT_KEYS;
    case NOTIFY_INVALID_KE_PAYLOAD:
        return tunnel_may_agree_on_group(tunnel, exchange);
    default:
        return !exchange->error_is_exact && tunnel->refused_in_a_row < REFUSALS_WITHOUT_KEYS;
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || !exchange_is_rekey(exchange) || may_pass(exchange, tunnel))
        return;
    if (exchange->kind == EXCHANGE_CREATE_CHILD_SA) /* a new child as likely: child_rejected tells */
        return;
    bool is_read = exchange->error_is_exact;
    bool is_second_hidden = !is_read && tunnel->refused_in_a_row == REFUSALS_WITHOUT_KEYS; /* told with the first one */
    finding_draft_t draft = findings_draft_refused(FINDING_rekey_rejected, exchange);
    if (is_second_hidden) {
        draft.began_in = draft.evidence[0] = tunnel->first_refused_in;
        draft.began_at = tunnel->first_refused_at;
    }
    findings_add(out, &draft, "%s refused the %s%s%s (%u in a row without success).",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser),
                 exchange->kind == EXCHANGE_QUICK_MODE ? "Quick Mode rekey" : exchange_kind_words(exchange->kind),
                 is_read ? " with " : "", is_read ? notify_name(exchange->ike_sa->major, exchange->error) : "",
                 tunnel->refused_in_a_row);
}

const detector_t rekey_rejected_detector = {
    .finding = FINDING_rekey_rejected,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
