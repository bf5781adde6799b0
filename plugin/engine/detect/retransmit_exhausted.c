/* retransmit_exhausted.c - did a sender stop retransmitting and give up (RFC 7296 2.4)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/tables/timers.h"

/* Where UDP is blocked, TCP takes over (RFC 9329 5.1).
 * Asking in vain for the deletion of what was already replaced harms nobody; nor, perhaps, of an SA whose rekey came before the
 * capture. */
static bool
is_harmless(const exchange_t *exchange)
{
    if (exchange->abandoned == ABANDONED_FOR_TCP)
        return true;
    return exchange_is_delete(exchange) && (exchange->deletes_replaced || exchange->ike_sa->is_replaced ||
                                            exchange->ike_sa->is_midstream || exchange->kind == EXCHANGE_DELETE_CHILD);
}

static const char *
how_it_is_known(abandoned_t how)
{
    switch (how) {
    case ABANDONED_NEW_INIT:
        return "then started a new IKE SA";
    case ABANDONED_DELETE:
        return "then deleted the SA";
    case ABANDONED_FOR_TCP:
        return "then went on over TCP";
    default:
        return "then stopped trying";
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX];

    if (exchange->transmissions < 2 || exchange->addresses_changed)
        return;
    if (tunnel_is_one_direction(tunnel) && (exchange->kind != EXCHANGE_IKE_SA_INIT || tunnel->unseen_answers > 0))
        return;
    if (tunnel_peer_lives(tunnel, exchange))
        return;
    GString *timer = g_string_new(NULL);
    timer_describe(exchange, timer);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_retransmit_exhausted,
                                     .severity = is_harmless(exchange) ? SEVERITY_NOTE : SEVERITY_ERROR,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = exchange->requester,
                                     .exchange = exchange,
                                     .ending = how_it_is_known(exchange->abandoned),
                                     .began_in = exchange_last_sent_in(exchange),
                                     .began_at = exchange->last_sent_at },
                 "%s retransmitted its %s %u time%s%s, last in frame %u, %s.",
                 tunnel_peer_text(tunnel, exchange->requester, sender), exchange_kind_words(exchange->kind),
                 exchange->transmissions - 1, exchange->transmissions == 2 ? "" : "s", timer->str, exchange_last_sent_in(exchange),
                 how_it_is_known(exchange->abandoned));
    g_string_free(timer, TRUE);
}

const detector_t retransmit_exhausted_detector = {
    .finding = FINDING_retransmit_exhausted,
    .wakes_on = CHANGE_EXCHANGE_ABANDONED,
    .needs_time = false,
    .judge = judge,
};
