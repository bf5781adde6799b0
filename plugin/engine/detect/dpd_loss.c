/* dpd_loss.c - did a liveness check and all its repeats stay unanswered (RFC 7296 2.4)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/ike/silence.h"

/* The other peer had given the IKE SA up before: that nobody answers on it is a consequence. */
static bool
is_consequence(const exchange_t *exchange, const tunnel_t *tunnel)
{
    const finding_t *given_up = tunnel_latest_finding(tunnel, FINDING_retransmit_exhausted, peer_other(exchange->requester));
    return given_up != NULL && given_up->incident == INDEX_NONE;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];

    if (!exchange_is_liveness(exchange) || exchange->addresses_changed || tunnel_is_one_direction(tunnel) ||
        tunnel_peer_lives(tunnel, exchange))
        return;
    bool is_proved = exchange->kind_confidence == CONFIDENCE_OBSERVED || exchange->abandoned == ABANDONED_NEW_INIT;
    severity_t severity =
        !is_proved || exchange->transmissions < 2 || is_consequence(exchange, tunnel) ? SEVERITY_WARN : SEVERITY_ERROR;
    GString *tries = g_string_new(NULL);
    exchange_describe_transmissions(exchange, tries);
    g_string_append(tries, " and got no answer.");
    silence_describe(tunnel, exchange, tries);
    finding_draft_t draft = findings_draft_unanswered(FINDING_dpd_loss, severity, exchange->kind_confidence, exchange);
    findings_add(out, &draft, "%s asked %s whether it is alive (liveness check) %s",
                 tunnel_peer_text(tunnel, exchange->requester, sender),
                 tunnel_peer_text(tunnel, peer_other(exchange->requester), peer), tries->str);
    g_string_free(tries, TRUE);
}

const detector_t dpd_loss_detector = {
    .finding = FINDING_dpd_loss,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED,
    .needs_time = false,
    .judge = judge,
};
