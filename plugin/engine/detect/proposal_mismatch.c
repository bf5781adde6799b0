/* proposal_mismatch.c - did a peer find no proposal that it accepts (NO_PROPOSAL_CHOSEN, 14)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#include "engine/parse/proposal.h"

static void
describe_offer(const change_t *change, const tunnel_t *tunnel, GString *text)
{
    const exchange_t *exchange = change->exchange;
    bool is_ike = exchange->kind == EXCHANGE_IKE_SA_INIT || exchange->kind == EXCHANGE_IKE_REKEY ||
                  exchange->kind == EXCHANGE_MAIN_MODE || exchange->kind == EXCHANGE_AGGRESSIVE_MODE;
    const proposal_t *accepted = is_ike ? tunnel->accepted_ike : tunnel->accepted_child;
    unsigned major = exchange->ike_sa->major;

    if (exchange->offer == NULL)
        return;
    g_string_append(text, " Offered: ");
    proposal_list_describe(exchange->offer, major, text);
    g_string_append_c(text, '.');
    if (accepted == NULL)
        return;
    g_string_append(text, " Last accepted by this tunnel: ");
    proposal_describe(accepted, major, text);
    g_string_append_c(text, '.');
    GString *difference = g_string_new(NULL);
    proposal_difference(exchange->offer, accepted, major, difference);
    if (difference->len > 0)
        g_string_append_printf(text, " Difference: %s.", difference->str);
    g_string_free(difference, TRUE);
}

static void
judge_refusal(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || !exchange->error_is_exact || exchange->error != NOTIFY_NO_PROPOSAL_CHOSEN)
        return;
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s refused the %s: no proposal chosen.",
                    tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser), exchange_kind_words(exchange->kind));
    describe_offer(change, tunnel, text);
    finding_draft_t draft = findings_draft_refused(FINDING_proposal_mismatch, exchange);
    findings_add(out, &draft, "%s", text->str);
    g_string_free(text, TRUE);
}

/* IKEv1: the initiator says in the clear that it does not accept what was chosen. Anybody could have sent that. */
static void
judge_notice(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (change->notify->type != NOTIFY_NO_PROPOSAL_CHOSEN || change->exchange == NULL ||
        change->exchange->refusal_hint_in != change->frame)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_proposal_mismatch,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .evidence = { change->exchange->sent_in[0] } },
                 "A clear notice of %s says that it accepts no proposal of the %s (NO_PROPOSAL_CHOSEN); whether it is meant, what "
                 "follows tells.",
                 tunnel_peer_text(tunnel, change->sender, sender), exchange_kind_words(change->exchange->kind));
}

static void
judge_abandoned(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char refuser[ENDPOINT_TEXT_MAX];

    if (exchange->hinted_error != NOTIFY_NO_PROPOSAL_CHOSEN || exchange->refusal_hint_in == FRAME_NONE)
        return;
    finding_draft_t draft = findings_draft_unanswered(FINDING_proposal_mismatch, SEVERITY_WARN, CONFIDENCE_INFERRED, exchange);
    draft.culprit = peer_other(exchange->requester);
    draft.evidence[0] = exchange->refusal_hint_in;
    findings_add(out, &draft,
                 "%s probably refused the %s: it said in a clear notice that it accepts no proposal, and did not go on.",
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), refuser), exchange_kind_words(exchange->kind));
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_NOTIFY)
        judge_notice(change, tunnel, out);
    else if (change->kind == CHANGE_EXCHANGE_ABANDONED)
        judge_abandoned(change, tunnel, out);
    else
        judge_refusal(change, tunnel, out);
}

const detector_t proposal_mismatch_detector = {
    .finding = FINDING_proposal_mismatch,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED | CHANGE_NOTIFY | CHANGE_EXCHANGE_ABANDONED,
    .needs_time = false,
    .judge = judge,
};
