/* fragment_loss.c - does a fragment of an IKE message get lost at every try (RFC 7383)?
 *
 * Large messages (IKE_AUTH with certificates, key exchanges of post-quantum methods) travel in fragments; firewalls and small MTUs lose
 * some of them every time, while small messages get through.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define TRIES_THAT_TELL 2u      /* of a request that was given up */
#define TRIES_BEFORE_THE_END 3u /* of one that still waits when the capture ends */

static bool
is_incomplete(const fragmented_t *fragmented)
{
    return fragmented->is_fragmented && fragmented->missing > 0;
}

static void
describe(const fragmented_t *fragmented, GString *out)
{
    if (fragmented->total == 0)
        g_string_append(out, "only its first IP fragment is here");
    else
        g_string_append_printf(out, "fragment %u of %u is missing here", fragmented->missing, fragmented->total);
}

static void
judge_exchange(const exchange_t *exchange, const tunnel_t *tunnel, unsigned tries_that_tell, findings_t *out)
{
    bool is_request = is_incomplete(&exchange->request_fragments);
    char sender[ENDPOINT_TEXT_MAX];

    if ((!is_request && !is_incomplete(&exchange->answer_fragments)) || exchange->transmissions < tries_that_tell)
        return;
    peer_t culprit = is_request ? exchange->requester : peer_other(exchange->requester);
    GString *what = g_string_new(NULL);
    describe(is_request ? &exchange->request_fragments : &exchange->answer_fragments, what);
    finding_draft_t draft = findings_draft_unanswered(FINDING_fragment_loss, SEVERITY_ERROR, CONFIDENCE_OBSERVED, exchange);
    draft.culprit = culprit;
    draft.whole_exchange = true;
    findings_add(out, &draft, "%s sent %s %s %u times; %s each time.", tunnel_peer_text(tunnel, culprit, sender),
                 is_request ? "its" : "its answer to the", exchange_kind_words(exchange->kind), exchange->transmissions, what->str);
    g_string_free(what, TRUE);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (tunnel_is_one_direction(tunnel))
        return;
    if (change->kind == CHANGE_EXCHANGE_ABANDONED)
        judge_exchange(change->exchange, tunnel, TRIES_THAT_TELL, out);
    for (unsigned i = 0; change->kind == CHANGE_CAPTURE_END && i < tunnel->waiting->len; i++)
        judge_exchange(g_ptr_array_index(tunnel->waiting, i), tunnel, TRIES_BEFORE_THE_END, out);
}

const detector_t fragment_loss_detector = {
    .finding = FINDING_fragment_loss,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
