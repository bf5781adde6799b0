/* nat_unstable.c - does a NAT change a peer's mapping again and again?
 *
 * A NAT that forgets too soon shows a pattern: short silences survive, longer ones do not (RFC 4787 4.3). Keepalives further apart than
 * that come too late (RFC 3948 4). Where no silence came before a change, no keepalive would have helped. Said once per peer; the count
 * goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define FLIPS_AT_LEAST 3u
#define WITHIN SECONDS(300)

/* Shorter than this is no silence: packets follow each other. */
#define SILENCE_AT_LEAST SECONDS(1)

/* The flip with which the latest FLIPS_AT_LEAST of this peer begin, or NULL: there were not so many so soon. */
static const flip_t *
first_of_many(const tunnel_t *tunnel, const flip_t *latest)
{
    unsigned count = 0;

    for (unsigned i = tunnel->flips->len; i-- > 0;) {
        const flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer != latest->peer || flip->is_announced)
            continue;
        if (duration_between(flip->time, latest->time) > WITHIN)
            return NULL;
        if (++count == FLIPS_AT_LEAST)
            return flip;
    }
    return NULL;
}

static void
describe_keepalives(const mapping_t *mapping, const char *address, GString *out)
{
    bool is_too_late = mapping->keepalive_after >= mapping->shortest_lost;

    if (mapping->keepalive_at == CAPTURE_TIME_NONE)
        g_string_append_printf(out, " No keepalive (0xFF) of %s is in the capture.", address);
    else
        g_string_append_printf(out, " %s sends a keepalive (0xFF) after up to %.1f s of silence%s.", address,
                               duration_seconds(mapping->keepalive_after), is_too_late ? ": too late for this NAT" : "");
}

/* What the silences before the changes say about the reason. */
static void
describe_silences(const mapping_t *mapping, const char *address, GString *out)
{
    double survived = duration_seconds(mapping->longest_survived), lost = duration_seconds(mapping->shortest_lost);

    if (mapping->shortest_lost < SILENCE_AT_LEAST) {
        g_string_append_printf(out, " It changed even after %.1f s without a packet: no keepalive prevents that.", lost);
        return;
    }
    if (mapping->longest_survived < SILENCE_AT_LEAST)
        g_string_append_printf(out, " The shortest silence before a change was %.1f s; none was survived.", lost);
    else
        g_string_append_printf(
            out, " The longest silence that the mapping survived was %.1f s, the shortest after which it had changed %.1f s.",
            survived, lost);
    describe_keepalives(mapping, address, out);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const flip_t *flip = change->flip;
    const flip_t *first = flip != NULL && !flip->is_announced ? first_of_many(tunnel, flip) : NULL;
    char address[ENDPOINT_TEXT_MAX];

    if (first == NULL)
        return;
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_nat_unstable, flip->peer);
    if (told != NULL) {
        findings_repeat(out, told);
        return;
    }
    GString *silences = g_string_new(NULL);
    tunnel_peer_text(tunnel, flip->peer, address);
    describe_silences(&tunnel->peer[flip->peer].mapping, address, silences);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_nat_unstable,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = flip->peer,
                                     .began_in = first->frame,
                                     .began_at = first->time,
                                     .evidence = { first->frame },
                                     .times = FLIPS_AT_LEAST,
                                     .unit = "changes" },
                 "The NAT mapping of %s changed %u times within %.0f s.%s", address, FLIPS_AT_LEAST,
                 duration_seconds(duration_between(first->time, flip->time)), silences->str);
    g_string_free(silences, TRUE);
}

const detector_t nat_unstable_detector = {
    .finding = FINDING_nat_unstable,
    .wakes_on = CHANGE_PEER_MOVED,
    .needs_time = true,
    .judge = judge,
};
