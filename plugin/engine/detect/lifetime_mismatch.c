/* lifetime_mismatch.c - do the two peers hold different opinions of how long an SA lives?
 *
 * IKEv1 negotiates lifetimes, so they can be read (RFC 2409 5, RFC 2407 4.5.4). In IKEv2 each end has its own (RFC 7296 2.8), which is
 * legal, and shows only in who replaces the SA and when: measured on one line, with a wide margin for randomised timers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define SHORT_SIDE_LEAST 3u /* replacements of the peer with the short lifetime */
#define LONG_SIDE_LEAST 2u  /* and of the other one */
#define FAR_EARLIER 3       /* times */

/* ---- announced ---- */

static bool
both_differ(uint32_t a, uint32_t b)
{
    return a != 0 && b != 0 && a != b;
}

static void
append_announced(GString *text, const tunnel_t *tunnel, peer_t peer, const announced_t *announced, bool in_seconds)
{
    static const char *const how[] = {
        [ANNOUNCED_NOT] = "has",
        [ANNOUNCED_BY_OFFER] = "offers",
        [ANNOUNCED_BY_CHOICE] = "answers with",
        [ANNOUNCED_BY_NOTIFY] = "announces (RESPONDER-LIFETIME)",
    };
    char address[ENDPOINT_TEXT_MAX];

    g_string_append_printf(text, "%s %s %u %s", tunnel_peer_text(tunnel, peer, address), how[announced->how],
                           in_seconds ? announced->seconds : announced->kilobytes, in_seconds ? "s" : "kilobytes");
}

static void
judge_announced(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const announced_t *a = &change->announced[PEER_A], *b = &change->announced[PEER_B];
    bool in_seconds = both_differ(a->seconds, b->seconds);

    if (!in_seconds && !both_differ(a->kilobytes, b->kilobytes))
        return;
    const announced_t *earlier = a->frame < b->frame ? a : b;
    GString *text = g_string_new(NULL);
    append_announced(text, tunnel, PEER_A, a, in_seconds);
    g_string_append(text, ", ");
    append_announced(text, tunnel, PEER_B, b, in_seconds);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_lifetime_mismatch,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN,
                                     .began_in = earlier->frame,
                                     .began_at = earlier->at,
                                     .evidence = { a->frame, b->frame } },
                 "The peers' phase %u lifetimes differ: %s.", change->phase, text->str);
    g_string_free(text, TRUE);
}

/* ---- measured ---- */

static bool
is_told_of(const tunnel_t *tunnel, peer_t peer)
{
    return tunnel_latest_finding(tunnel, FINDING_lifetime_mismatch, peer) != NULL;
}

/* Randomised timers (RFC 7296 2.8: "jitter") spread over a part of the lifetime; one that spreads more is not understood. */
static bool
is_steady(const period_t *period)
{
    return period->most - period->least <= period->least / 2;
}

static bool
is_far_earlier(duration_ns_t early, duration_ns_t late)
{
    return early < late / FAR_EARLIER;
}

static const char *
words_of(line_kind_t kind)
{
    return kind == LINE_IKE_SA ? "IKE SA" : "child SA";
}

static void
add_measured(findings_t *out, const line_t *line, peer_t early, frame_t evidence, const char *text)
{
    const replacement_t *first = line_replacement(line, 0), *last = line_replacement(line, line_replacements_kept(line) - 1);

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_lifetime_mismatch,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_INFERRED,
                                     .culprit = early,
                                     .began_in = first->frame,
                                     .began_at = first->at,
                                     .evidence = { first->frame, last->frame, evidence } },
                 "%s.", text);
}

static void
judge_sides(const tunnel_t *tunnel, const line_t *line, peer_t early, findings_t *out)
{
    peer_t late = peer_other(early);
    period_t short_one = line_period_of(line, early), long_one = line_period_of(line, late);
    char early_text[ENDPOINT_TEXT_MAX], late_text[ENDPOINT_TEXT_MAX];

    if (short_one.count < SHORT_SIDE_LEAST || long_one.count < LONG_SIDE_LEAST || is_told_of(tunnel, early))
        return;
    if (!is_steady(&short_one) || !is_far_earlier(short_one.most, long_one.least) || line_may_end_by_bytes(line, early))
        return;
    char *text = g_strdup_printf("%s rekeys the %s after %.1f s (%u times), %s only after %.1f s (%u times)",
                                 tunnel_peer_text(tunnel, early, early_text), words_of(line->kind),
                                 duration_seconds(short_one.median), short_one.count, tunnel_peer_text(tunnel, late, late_text),
                                 duration_seconds(long_one.median), long_one.count);
    add_measured(out, line, early, FRAME_NONE, text);
    g_free(text);
}

/* RFC 4478: the responder says how long an authentication lasts, and the initiator repeats it far earlier. */
static void
judge_reauthentication(const tunnel_t *tunnel, const line_t *line, peer_t early, findings_t *out)
{
    peer_t late = peer_other(early);
    period_t period = line_period_of(line, early);
    uint32_t announced = tunnel->lifetimes.auth_lifetime[late];
    char early_text[ENDPOINT_TEXT_MAX], late_text[ENDPOINT_TEXT_MAX];

    if (announced == 0 || period.count < SHORT_SIDE_LEAST || is_told_of(tunnel, early))
        return;
    if (!is_steady(&period) || !is_far_earlier(period.most, SECONDS(announced)))
        return;
    char *text = g_strdup_printf("%s reauthenticates after %.1f s (%u times), %s announced an authentication lifetime of %u s",
                                 tunnel_peer_text(tunnel, early, early_text), duration_seconds(period.median), period.count,
                                 tunnel_peer_text(tunnel, late, late_text), announced);
    add_measured(out, line, early, tunnel->lifetimes.auth_lifetime_in[late], text);
    g_free(text);
}

static void
judge_measured(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const line_t *line = change->line;

    if (line->is_parallel || change->clock_is_unusable)
        return;
    for (unsigned p = 0; p < PEERS; p++) {
        if (line->kind == LINE_REAUTHENTICATION)
            judge_reauthentication(tunnel, line, (peer_t)p, out);
        else if (line->kind != LINE_SPI)
            judge_sides(tunnel, line, (peer_t)p, out);
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_LIFETIME_ANNOUNCED)
        judge_announced(change, tunnel, out);
    else
        judge_measured(change, tunnel, out);
}

const detector_t lifetime_mismatch_detector = {
    .finding = FINDING_lifetime_mismatch,
    .wakes_on = CHANGE_LIFETIME_ANNOUNCED | CHANGE_SA_REPLACED,
    .needs_time = false,
    .judge = judge,
};
