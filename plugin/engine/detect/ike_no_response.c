/* ike_no_response.c - was the set-up of an IKE SA never answered?
 *
 * Told when the initiator gives up, or while it still tries after several tries: the tunnel is not up meanwhile. Giving up in
 * favour of TCP, where UDP is blocked (RFC 9329 5.1), is no failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../silence.h"
#include "detectors.h"

#define TRIES_BEFORE_TOLD 4u

static bool
is_told(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_ike_no_response, exchange->requester);
    return told != NULL && told->began_in == exchange->sent_in[0];
}

/* What may matter about the message that gets no answer. */
static void
describe_message(const exchange_t *exchange, GString *out)
{
    if (exchange->kind == EXCHANGE_MAIN_MODE && exchange->is_encrypted_turn)
        g_string_append(out, " It is the first encrypted message.");
    if (exchange->request_fragments.is_fragmented && exchange->request_fragments.missing == 0 &&
        exchange->request_fragments.total > 0)
        g_string_append_printf(out, " All its %u fragments are in this capture.", exchange->request_fragments.total);
}

/* Who gets no answer repeats its request (RFC 7296 2.1): who starts anew at once may have been refused out of this capture's sight. */
static bool
may_be_answered_unseen(const exchange_t *exchange, const tunnel_t *tunnel)
{
    return tunnel_is_one_direction(tunnel) && exchange->transmissions == 1 && exchange->abandoned == ABANDONED_NEW_INIT;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];

    if (!exchange_is_initiation(exchange) || exchange->outcome == OUTCOME_ANSWERED || is_told(exchange, tunnel))
        return;
    if (change->kind == CHANGE_REQUEST_REPEATED && exchange->transmissions < TRIES_BEFORE_TOLD)
        return;
    /* Past IKE_SA_INIT a peer never seen sending must have answered somewhere: the capture shows one direction. */
    if (tunnel_is_one_direction(tunnel) && (exchange->ike_sa->spi_r != 0 || tunnel->unseen_answers > 0))
        return;
    bool went_over_to_tcp = exchange->abandoned == ABANDONED_FOR_TCP;
    GString *tries = g_string_new(NULL);
    exchange_describe_transmissions(exchange, tries);
    bool is_answered_in_part = exchange->answer_fragments.is_fragmented && exchange->answer_fragments.missing > 0;
    g_string_append_printf(tries, " without %s answer%s.", is_answered_in_part ? "a complete" : "an",
                           change->kind == CHANGE_REQUEST_REPEATED ? " so far"
                           : went_over_to_tcp                      ? " over UDP, and went on over TCP"
                                                                   : "");
    describe_message(exchange, tries);
    bool is_doubtful = may_be_answered_unseen(exchange, tunnel);
    if (is_doubtful)
        g_string_append(tries,
                        " The answer may be missing from this capture, which has no packet of that peer: a request that gets none "
                        "is repeated before another attempt is made.");
    else
        silence_describe(tunnel, exchange, tries);
    finding_draft_t draft =
        findings_draft_unanswered(FINDING_ike_no_response, went_over_to_tcp || is_doubtful ? SEVERITY_NOTE : SEVERITY_ERROR,
                                  is_doubtful ? CONFIDENCE_INFERRED : CONFIDENCE_OBSERVED, exchange);
    findings_add(out, &draft, "%s sent %s to %s %s", tunnel_peer_text(tunnel, exchange->requester, sender),
                 exchange_kind_words(exchange->kind), tunnel_peer_text(tunnel, peer_other(exchange->requester), peer), tries->str);
    g_string_free(tries, TRUE);
}

const detector_t ike_no_response_detector = {
    .finding = FINDING_ike_no_response,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED | CHANGE_REQUEST_REPEATED,
    .needs_time = false,
    .judge = judge,
};
