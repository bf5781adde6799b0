/* child_rejected.c - was a new child SA refused?
 *
 * States the exchange. Where a more specific finding on the same frame states the reason, or an earlier one tells the same trouble, a
 * Note says enough. Inferred, it is a Note as well, for others tell what it leads to; unless it is the last child that does not come
 * back, and no refused rekey was told before: then nothing but this tells why.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static bool
is_about_a_child(const exchange_t *exchange)
{
    return exchange_is_child_create(exchange) ||
           (exchange->kind == EXCHANGE_IKE_AUTH && exchange->error != NOTIFY_AUTHENTICATION_FAILED);
}

static bool
reason_is_told(const exchange_t *exchange)
{
    if (exchange->ike_sa->major == 1)
        return exchange->error == NOTIFY_NO_PROPOSAL_CHOSEN || exchange->error == NOTIFY_V1_INVALID_ID_INFORMATION;
    return exchange->error == NOTIFY_NO_PROPOSAL_CHOSEN || exchange->error == NOTIFY_TS_UNACCEPTABLE;
}

/* Nothing but this refusal tells why the tunnel has no child left. */
static bool
leaves_none(const tunnel_t *tunnel, const exchange_t *exchange)
{
    peer_t refuser = peer_other(exchange->requester);
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_child_rejected, refuser);

    return !exchange->error_is_exact && tunnel->loss.kind == LOSS_CHILD_GONE &&
           tunnel_latest_finding(tunnel, FINDING_rekey_rejected, refuser) == NULL &&
           (told == NULL || told->last_at < tunnel->loss.at);
}

/* Another peer may ask later or with another group; nothing is lost yet. */
static bool
may_pass(const tunnel_t *tunnel, const exchange_t *exchange)
{
    return exchange->collides || exchange->error == NOTIFY_TEMPORARY_FAILURE || tunnel_may_agree_on_group(tunnel, exchange);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || !is_about_a_child(exchange) || may_pass(tunnel, exchange))
        return;
    bool is_read = exchange->error_is_exact;
    bool stands_alone = is_read && !reason_is_told(exchange) && !exchange->repeats_a_refusal;
    finding_draft_t draft = findings_draft_refused(FINDING_child_rejected, exchange);
    draft.severity = stands_alone ? SEVERITY_ERROR : SEVERITY_NOTE;
    if (leaves_none(tunnel, exchange)) {
        draft.severity = SEVERITY_WARN;
        draft.began_in = draft.evidence[0] = tunnel->first_refused_in;
        draft.began_at = tunnel->first_refused_at;
    }
    findings_add(out, &draft, "%s refused a new child SA (%s)%s%s.",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser), exchange_kind_words(exchange->kind),
                 is_read ? ": " : ", reason not readable", is_read ? notify_name(exchange->ike_sa->major, exchange->error) : "");
}

const detector_t child_rejected_detector = {
    .finding = FINDING_child_rejected,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
