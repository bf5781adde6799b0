/* esp_loss.c - are there ESP packets that never came?
 *
 * Said when a gap has left the window that still could have been filled, or at the end. The capture point sees no more than that a
 * number is missing: lost before it, or missed by the capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#include <inttypes.h>

static const char *
hint(const sequence_t *sequence, const gaps_t *gaps)
{
    return sequence_is_partial(sequence, gaps)
               ? "So many and so regular that the capture rather shows only part of the packets, as on one of several paths."
               : "They were lost before the capture point, or the capture missed them, which looks the same.";
}

static void
tell(const esp_sa_t *sa, findings_t *out)
{
    gaps_t gaps = sequence_gaps(sa->sequence);
    uint64_t sent = gaps.lost + sa->sequence->packets;
    char sender[ENDPOINT_TEXT_MAX];

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_loss,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = sa->sender,
                                     .began_in = gaps.first_in,
                                     .began_at = gaps.first_at,
                                     .last_evidence_at = gaps.last_at,
                                     .times = gaps.lost,
                                     .unit = "packets",
                                     .evidence = { gaps.first_in, gaps.last_in } },
                 "About %" PRIu64 " of %" PRIu64 " ESP packets (%.2g %%) from %s on SPI 0x%08x are missing, in %" PRIu64
                 " place%s, at most %" PRIu64 " in a row; the first just before frame %u, the last just before frame %u. %s",
                 gaps.lost, sent, 100.0 * (double)gaps.lost / (double)sent, tunnel_peer_text(sa->tunnel, sa->sender, sender),
                 sa->spi, gaps.bursts, gaps.bursts == 1 ? "" : "s", gaps.longest, gaps.first_in, gaps.last_in,
                 hint(sa->sequence, &gaps));
}

static void
conclude(const sequence_t *sequence)
{
    gaps_t gaps = sequence_gaps(sequence);
    const finding_t *told = sequence->disorder->loss_told.finding;

    findings_recount(told, gaps.lost, gaps.last_in, gaps.last_at);
    findings_conclude(told, "By the end %.2g %% are missing, in %" PRIu64 " place%s.",
                      100.0 * (double)gaps.lost / (double)(gaps.lost + sequence->packets), gaps.bursts,
                      gaps.bursts == 1 ? "" : "s");
}

static void
judge_end(const tunnel_t *tunnel, findings_t *out)
{
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sequence == NULL || sa->sequence->disorder == NULL)
            continue;
        gaps_t gaps = sequence_gaps(sa->sequence);
        if (sa->sequence->disorder->loss_told.finding != NULL)
            conclude(sa->sequence);
        else if (!sa->sequence->disorder->loss_told.is_told && sequence_loss_tells(sa->sequence, &gaps))
            tell(sa, out);
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_CAPTURE_END) {
        judge_end(tunnel, out);
        return;
    }
    if (change->revealed != SEQUENCE_LOST)
        return;
    const disorder_t *disorder = change->esp_sa->sequence->disorder;
    const finding_t *told = disorder->loss_told.finding;
    if (!disorder->loss_told.is_told)
        tell(change->esp_sa, out);
    else if (told != NULL && told->times < disorder->gaps.lost)
        findings_recount(told, disorder->gaps.lost, disorder->gaps.last_in, disorder->gaps.last_at);
}

const detector_t esp_loss_detector = {
    .finding = FINDING_esp_loss,
    .wakes_on = CHANGE_SEQUENCE | CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
