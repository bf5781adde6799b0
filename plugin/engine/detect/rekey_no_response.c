/* rekey_no_response.c - was a rekey never answered?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/ike/silence.h"

#define TRIES_AT_THE_END 4u

static void
add(const exchange_t *exchange, const tunnel_t *tunnel, findings_t *out, severity_t severity, const char *how)
{
    char sender[ENDPOINT_TEXT_MAX], destination[ENDPOINT_TEXT_MAX];
    GString *tries = g_string_new(NULL);

    exchange_describe_transmissions(exchange, tries);
    g_string_append_printf(tries, " and %s.", how);
    silence_describe(tunnel, exchange, tries);
    finding_draft_t draft = findings_draft_unanswered(FINDING_rekey_no_response, severity, exchange->kind_confidence, exchange);
    findings_add(out, &draft, "%s sent a %s to %s %s", tunnel_peer_text(tunnel, exchange->requester, sender),
                 exchange->kind == EXCHANGE_QUICK_MODE ? "Quick Mode rekey" : exchange_kind_words(exchange->kind),
                 endpoint_text(&exchange->destination, destination), tries->str);
    g_string_free(tries, TRUE);
}

/* The capture ends while the sender still tries: the answer may yet come. */
static void
judge_end(const tunnel_t *tunnel, findings_t *out)
{
    for (unsigned i = 0; i < tunnel->waiting->len; i++) {
        const exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        if (exchange_is_rekey(exchange) && exchange->transmissions >= TRIES_AT_THE_END)
            add(exchange, tunnel, out, SEVERITY_NOTE, "had no answer when the capture ended");
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;

    if (tunnel_is_one_direction(tunnel))
        return;
    if (change->kind == CHANGE_CAPTURE_END) {
        judge_end(tunnel, out);
        return;
    }
    /* One Quick Mode message may be the last of an exchange that began before the capture. */
    if (exchange->kind == EXCHANGE_QUICK_MODE && exchange->transmissions < 2)
        return;
    if (!exchange_is_rekey(exchange) || exchange->collides || exchange->ike_sa->is_replaced)
        return;
    add(exchange, tunnel, out, SEVERITY_ERROR, "got no answer");
}

const detector_t rekey_no_response_detector = {
    .finding = FINDING_rekey_no_response,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
