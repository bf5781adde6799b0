/* ike_no_response.c - was the set-up of an IKE SA never answered?
 *
 * Told when the initiator gives up, or while it still tries after several tries: the tunnel is not up meanwhile. Giving up in
 * favour of TCP, where UDP is blocked (RFC 9329 5.1), is no failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/ike/silence.h"

#define TRIES_BEFORE_TOLD 4u

/* What was told of this exchange last; NULL: nothing. Another attempt may have been told of in between. */
static const finding_t *
told_of(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_ike_no_response, exchange->requester);

    if (latest == NULL || latest->exchange_in == exchange->sent_in[0])
        return latest;
    for (unsigned i = tunnel->findings->len; i-- > 0;) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->time < exchange->first_sent_at && !finding->at_end)
            break;
        if (finding->id == FINDING_ike_no_response && finding->exchange_in == exchange->sent_in[0])
            return finding;
    }
    return NULL;
}

static bool
is_told(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const finding_t *told = told_of(exchange, tunnel);

    return told != NULL &&
           (told->severity > SEVERITY_NOTE || exchange->abandoned == ABANDONED_FOR_TCP); /* else it was taken back */
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

/* The set-up floats from port 500 to 4500 (RFC 7296 2.23, RFC 3947 4), and there nobody was ever heard: the classic firewall rule. */
static void
describe_port(const tunnel_t *tunnel, const exchange_t *exchange, GString *out)
{
    peer_t receiver = peer_other(exchange->requester);
    const endpoint_t *heard = exchange->ike_sa->source[receiver];
    char peer[ENDPOINT_TEXT_MAX];

    if (exchange->encapsulation != ENCAPSULATION_UDP || heard[ENCAPSULATION_NONE].family == ADDRESS_NONE ||
        heard[ENCAPSULATION_UDP].family != ADDRESS_NONE || tunnel->peer[receiver].esp_packets > 0 || tunnel->was_up)
        return;
    g_string_append_printf(
        out,
        " What went to port %u was answered; this went to port %u, from where this capture has nothing of %s: see "
        "whether UDP %u is let through, both ways.",
        heard[ENCAPSULATION_NONE].port, exchange->destination.port, tunnel_peer_text(tunnel, receiver, peer),
        exchange->destination.port);
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
    silence_describe(tunnel, exchange, tries);
    describe_port(tunnel, exchange, tries);
    finding_draft_t draft = findings_draft_unanswered(FINDING_ike_no_response, went_over_to_tcp ? SEVERITY_NOTE : SEVERITY_ERROR,
                                                      CONFIDENCE_OBSERVED, exchange);
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
