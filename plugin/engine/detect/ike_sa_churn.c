/* ike_sa_churn.c - is one IKE SA after the other negotiated, and none of them used (RFC 7296 1.2)?
 *
 * Each of these negotiations looks well. A peer that cannot use what it has negotiated (its kernel refuses the keys, a script fails, its
 * table is full) drops it without a word and begins again; to count only DELETEs and silence would call that healthy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define IN_A_ROW 6u               /* a gateway with several identities may bring up a few side by side, */
#define LASTS_AT_LEAST SECONDS(8) /* but it does so at once */
#define APART_AT_MOST SECONDS(60) /* so soon nobody replaces an IKE SA that works */
#define APART_AT_LEAST SECONDS(1) /* on average; closer together they may be a gateway's many identities, where none can be read */

/* Answers on an IKE SA beyond those that made and ended it. */
static bool
has_answered_more(const ike_sa_t *ike_sa)
{
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        const exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        if (exchange->outcome == OUTCOME_ANSWERED && !exchange_is_initiation(exchange) && !exchange_is_delete(exchange))
            return true;
    }
    return false;
}

static bool
has_esp_since(const tunnel_t *tunnel, capture_ns_t time)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (tunnel->peer[p].last_esp_at != CAPTURE_TIME_NONE && tunnel->peer[p].last_esp_at >= time)
            return true;
    }
    return false;
}

/* How many were established in a row, the newest included, with nothing on them? The oldest of them in `ret_oldest`. */
static unsigned
count_unused(const tunnel_t *tunnel, const ike_sa_t *newest, const ike_sa_t **ret_oldest)
{
    const ike_sa_t *later = newest;
    unsigned count = 1;

    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa == newest || ike_sa->established_at == CAPTURE_TIME_NONE || ike_sa->state == IKE_SA_FAILED ||
            ike_sa->original_initiator != newest->original_initiator || ike_sa_is_of_others(ike_sa, newest))
            continue;
        if (ike_sa->rekeyed_from != NULL || ike_sa->is_midstream || ike_sa->major != 2 || has_answered_more(ike_sa) ||
            has_esp_since(tunnel, ike_sa->established_at) ||
            duration_between(ike_sa->established_at, later->established_at) > APART_AT_MOST)
            break;
        later = ike_sa;
        count++;
    }
    *ret_oldest = later;
    return count;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const ike_sa_t *newest = change->ike_sa, *oldest = NULL;
    char initiator[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];

    if (newest->major != 2 || tunnel_is_one_direction(tunnel))
        return;
    unsigned count = count_unused(tunnel, newest, &oldest);
    duration_ns_t span = duration_between(oldest->established_at, newest->established_at);
    bool is_read = newest->identity_hash[newest->original_initiator] != 0;
    if (count < IN_A_ROW || span < LASTS_AT_LEAST || (!is_read && span < (count - 1) * APART_AT_LEAST))
        return;
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_ike_sa_churn, newest->original_initiator);
    if (told != NULL && told->last_at >= oldest->established_at) {
        findings_repeat(out, told);
        return;
    }
    peer_t by = newest->original_initiator;
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_ike_sa_churn,
                            .severity = SEVERITY_WARN,
                            .confidence = is_read ? CONFIDENCE_OBSERVED : CONFIDENCE_INFERRED,
                            .culprit = by,
                            .began_in = oldest->first_frame,
                            .began_at = oldest->first_time,
                            .times = count,
                            .unit = "IKE SAs",
                            .evidence = { oldest->established_in, newest->established_in } },
        "%s set up %u IKE SAs with %s within %.1f s, and this capture shows no use of any of them: no ESP, and no answer on any "
        "after its set-up. Probably one of the two drops each as soon as it is made.",
        tunnel_peer_text(tunnel, by, initiator), count, tunnel_peer_text(tunnel, peer_other(by), peer), duration_seconds(span));
}

const detector_t ike_sa_churn_detector = {
    .finding = FINDING_ike_sa_churn,
    .wakes_on = CHANGE_IKE_SA_ESTABLISHED,
    .needs_time = true,
    .judge = judge,
};
