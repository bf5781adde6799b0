/* rekey_too_frequent.c - are the child SAs of a tunnel replaced again and again (SPI churn)?
 *
 * Only completed replacements along one line of children count (lifetime.h), so neither refused rekeys nor those of different children,
 * and of a collision neither of the two.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define INTERVALS_LEAST 3u

static bool
is_told(const tunnel_t *tunnel)
{
    return tunnel_latest_finding(tunnel, FINDING_rekey_too_frequent, PEER_UNKNOWN) != NULL;
}

/* RFC 7296 2.18: an IKE rekey leaves the children as they are. */
static bool
is_of_children(const line_t *line)
{
    return line->kind == LINE_CHILD || line->kind == LINE_SPI;
}

static void
append_side(GString *text, const tunnel_t *tunnel, const line_t *line, peer_t peer)
{
    unsigned count = line_replacements_by(line, peer);
    period_t period = line_period_of(line, peer);
    char address[ENDPOINT_TEXT_MAX];

    g_string_append_printf(text, "%s %s ", peer == PEER_A ? ";" : ",", tunnel_peer_text(tunnel, peer, address));
    if (count == 0)
        g_string_append(text, "asked for none");
    else
        g_string_append_printf(text, "asked for %u", count);
    if (period.count > 0)
        g_string_append_printf(text, " (after %.1f s)", duration_seconds(period.median));
}

static void
append_limit(GString *text, const line_t *line)
{
    switch (line_limit(line)) {
    case LIMIT_BYTES:
        g_string_append_printf(text, "; each carried about %.1f MB, however long it took: a limit in bytes fits",
                               (double)line_median_bytes(line) / 1e6);
        break;
    case LIMIT_TIME:
        g_string_append(text, "; they live equally long, whatever they carry: a limit in seconds fits");
        break;
    default:
        break;
    }
}

/* Who asks for all of them, if it is one peer. */
static peer_t
requester_of(const line_t *line)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (line_replacements_by(line, (peer_t)p) == line_replacements_kept(line))
            return (peer_t)p;
    }
    return PEER_UNKNOWN;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const line_t *line = change->line;
    period_t period = line_period(line);
    unsigned kept = line_replacements_kept(line);

    if (!is_of_children(line) || line->is_parallel || is_told(tunnel))
        return;
    if (period.count < INTERVALS_LEAST || period.median >= SECONDS(change->settings->rekey_interval_seconds))
        return;
    GString *text = g_string_new(NULL);
    g_string_append(text, "The child SA ");
    if (line->selectors[PEER_A][0] != '\0')
        g_string_append_printf(text, "for %s and %s ", line->selectors[PEER_A], line->selectors[PEER_B]);
    g_string_append_printf(text, "was replaced %u times, after %.1f s in the median (less than %u s)", kept,
                           duration_seconds(period.median), change->settings->rekey_interval_seconds);
    if (line_replacements_by(line, PEER_UNKNOWN) == 0) {
        append_side(text, tunnel, line, PEER_A);
        append_side(text, tunnel, line, PEER_B);
    }
    append_limit(text, line);
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_rekey_too_frequent,
                            .severity = SEVERITY_WARN,
                            .confidence = line->confidence,
                            .culprit = requester_of(line),
                            .exchange = change->exchange,
                            .began_in = line_replacement(line, 0)->frame,
                            .began_at = line_replacement(line, 0)->at,
                            .evidence = { line_replacement(line, 0)->frame,
                                          kept > 2 ? line_replacement(line, kept - 3)->frame : FRAME_NONE,
                                          line_replacement(line, kept - 2)->frame, line_replacement(line, kept - 1)->frame } },
        "%s.", text->str);
    g_string_free(text, TRUE);
}

const detector_t rekey_too_frequent_detector = {
    .finding = FINDING_rekey_too_frequent,
    .wakes_on = CHANGE_SA_REPLACED,
    .needs_time = true,
    .judge = judge,
};
