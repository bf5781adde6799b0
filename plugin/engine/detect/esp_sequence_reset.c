/* esp_sequence_reset.c - does a sender count from 1 again on an SA that goes on?
 *
 * A counter must not repeat within the life of a key (RFC 4303 3.3.3). A peer that came back with its old keys, or another that took
 * over for it, is dropped by its receiver until its numbers are where they were.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* RFC 4303 2.1: no IKE has chosen such an SPI. */
static const char *
explanation(uint32_t spi)
{
    return spi <= SPI_RESERVED_MAX ? "the keys were set by hand and their owner has restarted"
                                   : "the peer restarted, or another took over for it, with the old keys";
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const esp_sa_t *sa = change->esp_sa;
    const restart_t *restart = &sa->sequence->disorder->restart;
    char sender[ENDPOINT_TEXT_MAX];

    if (change->revealed != SEQUENCE_RESTARTED)
        return;
    if (restart->told.is_told) {
        if (restart->told.finding != NULL)
            findings_recount(restart->told.finding, restart->count, change->frame, change->time);
        return;
    }
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_esp_sequence_reset,
                            .severity = SEVERITY_WARN,
                            .confidence = CONFIDENCE_OBSERVED,
                            .culprit = sa->sender,
                            .began_in = restart->first_in,
                            .began_at = restart->first_at,
                            .times = restart->count,
                            .unit = "packets",
                            .evidence = { restart->last_old_in, restart->first_in } },
        "%s counts from %u again on SPI 0x%08x, since frame %u, after %u in frame %u: %s. A receiver that checks for replays "
        "drops every packet until the numbers are above %u again.",
        tunnel_peer_text(tunnel, sa->sender, sender), restart->first, sa->spi, restart->first_in, restart->old_highest,
        restart->last_old_in, explanation(sa->spi), restart->old_highest);
}

const detector_t esp_sequence_reset_detector = {
    .finding = FINDING_esp_sequence_reset,
    .wakes_on = CHANGE_SEQUENCE,
    .needs_time = false,
    .judge = judge,
};
