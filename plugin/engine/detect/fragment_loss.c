/* fragment_loss.c - does a fragment of an IKE message get lost at every try (RFC 7383)?
 *
 * Large messages (IKE_AUTH with certificates, key exchanges of post-quantum methods) travel in fragments; firewalls and small MTUs lose
 * some of them every time, while small messages get through.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

#define TRIES_THAT_TELL 2u

static void
describe(const fragmented_t *fragmented, GString *out)
{
    if (fragmented->total == 0)
        g_string_append(out, "of which only the first IP fragment arrives here");
    else
        g_string_append_printf(out, "of which fragment %u of %u never arrives here", fragmented->missing, fragmented->total);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    bool is_request = exchange->request_fragments.is_fragmented && exchange->request_fragments.missing > 0;
    bool is_answer = exchange->answer_fragments.is_fragmented && exchange->answer_fragments.missing > 0;
    char sender[ENDPOINT_TEXT_MAX];

    if ((!is_request && !is_answer) || exchange->transmissions < TRIES_THAT_TELL || tunnel_is_one_direction(tunnel))
        return;
    peer_t culprit = is_request ? exchange->requester : peer_other(exchange->requester);
    GString *what = g_string_new(NULL);
    describe(is_request ? &exchange->request_fragments : &exchange->answer_fragments, what);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_fragment_loss,
                                     .severity = SEVERITY_ERROR,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = culprit,
                                     .exchange = exchange,
                                     .began_in = exchange->sent_in[0],
                                     .began_at = exchange->first_sent_at },
                 "%s sends %s %s %s, in %u tries.", tunnel_peer_text(tunnel, culprit, sender),
                 is_request ? "its" : "its answer to the", exchange_kind_words(exchange->kind), what->str, exchange->transmissions);
    g_string_free(what, TRUE);
}

const detector_t fragment_loss_detector = {
    .finding = FINDING_fragment_loss,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED,
    .needs_time = false,
    .judge = judge,
};
