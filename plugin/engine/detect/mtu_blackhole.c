/* mtu_blackhole.c - do large packets of one peer disappear while small ones get through?
 *
 * Two things prove it. A router says that they do not fit (RFC 1191, RFC 4443 3.2), and their sender goes on sending them whole: it does not
 * hear, or does not heed. Or they travel in IP fragments, of which the first is here and the rest never comes. That a large packet is
 * sent anew by someone inside the tunnel cannot be seen: ESP hides it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* One more router on the way (ECMP) or a forger may complain once. */
#define COMPLAINTS_THAT_TELL 2u
#define LARGER_THAT_TELL 3u
#define INCOMPLETE_THAT_TELL 3u

/* Is it told, in either way, of what goes on? */
static const finding_t *
told(const tunnel_t *tunnel, peer_t sender)
{
    const large_packets_t *large = &tunnel->peer[sender].large;
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_mtu_blackhole, sender);
    bool goes_on = latest != NULL && (latest->began_in == large->complained_in || latest->began_in == large->incomplete_in[0]);

    return goes_on ? latest : NULL;
}

/* RFC 1191 6.3: the sender heeds what it is told by sending nothing larger for minutes. */
static bool
takes_no_notice(const large_packets_t *large)
{
    return large->complaints >= COMPLAINTS_THAT_TELL && large->larger >= LARGER_THAT_TELL;
}

static void
judge_too_large(const change_t *change, const tunnel_t *tunnel, const large_packets_t *large, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    const finding_t *before = told(tunnel, change->sender);
    if (before != NULL) {
        findings_repeat(out, before);
        return;
    }
    if (!takes_no_notice(large))
        return;
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_mtu_blackhole,
                            .severity = SEVERITY_NOTE,
                            .confidence = CONFIDENCE_OBSERVED,
                            .culprit = change->sender,
                            .began_in = large->complained_in,
                            .began_at = large->complained_at,
                            .times = large->larger,
                            .unit = "packets",
                            .evidence = { large->complained_in, large->first_larger_in } },
        "ICMP says that packets of %s with more than %u bytes do not get through, and it goes on sending larger ones whole "
        "(%u packets so far, up to %zu bytes): by that word all are lost. Small packets pass, so that a ping works and a transfer "
        "hangs.",
        tunnel_peer_text(tunnel, change->sender, sender), large->limit, large->larger, large->largest);
}

/* A capture filter on ports keeps first fragments only: that the rest is missing tells something where the capture shows such at all.
 * Without UDP each fragment names its protocol, and a filter on that keeps all. */
static bool
capture_shows_later_fragments(const tunnel_t *tunnel)
{
    return !tunnel->udp_encapsulated || tunnel->peer[PEER_A].large.rest_was_seen || tunnel->peer[PEER_B].large.rest_was_seen;
}

static bool
small_ones_pass(const tunnel_t *tunnel, peer_t sender)
{
    return tunnel->peer[sender].last_esp_in > tunnel->peer[sender].large.incomplete_in[0];
}

static void
judge_incomplete(const change_t *change, const tunnel_t *tunnel, const large_packets_t *large, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (large->incomplete < INCOMPLETE_THAT_TELL || !capture_shows_later_fragments(tunnel) ||
        !small_ones_pass(tunnel, change->sender))
        return;
    const finding_t *before = told(tunnel, change->sender);
    if (before != NULL) {
        findings_repeat(out, before);
        return;
    }
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_mtu_blackhole,
                            .severity = SEVERITY_NOTE,
                            .confidence = CONFIDENCE_INFERRED,
                            .culprit = change->sender,
                            .began_in = large->incomplete_in[0],
                            .began_at = large->incomplete_at,
                            .times = large->incomplete,
                            .unit = "packets",
                            .evidence = { large->incomplete_in[0], large->incomplete_in[1], large->incomplete_in[2] } },
        "Of %u large ESP packets of %s in a row only the first IP fragment is here, the rest never comes; small ones arrive. "
        "Something on the way drops fragments, so that a ping works and a transfer hangs.",
        large->incomplete, tunnel_peer_text(tunnel, change->sender, sender));
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const large_packets_t *large = &tunnel->peer[change->sender].large;

    if (change->kind == CHANGE_FRAGMENTS_MISSING)
        judge_incomplete(change, tunnel, large, out);
    else
        judge_too_large(change, tunnel, large, out);
}

const detector_t mtu_blackhole_detector = {
    .finding = FINDING_mtu_blackhole,
    .wakes_on = CHANGE_TOO_LARGE | CHANGE_FRAGMENTS_MISSING,
    .needs_time = true,
    .judge = judge,
};
