/* esp_replay.c - would a receiver's anti-replay window drop these packets (RFC 4303 3.4.3)?
 *
 * They come too late, or they come again. One finding per SA and cause, once several packets more have shown that it is not the whole
 * capture that looks like this.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#include <glib.h>
#include <inttypes.h>

/* "32: 20, 64: 12, 128: 0", up to the first window that drops none. Returns `out`. */
static GString *
windows_text(const sequence_t *sequence, GString *out)
{
    for (unsigned i = 0; i < REPLAY_WINDOWS; i++) {
        uint64_t dropped = sequence_too_old(sequence, i);
        g_string_append_printf(out, "%s%u: %" PRIu64, i > 0 ? ", " : "", REPLAY_WINDOW_LEAST << i, dropped);
        if (dropped == 0)
            break;
    }
    unsigned enough = sequence_sufficient_window(sequence);
    if (enough <= REPLAY_WINDOW_MOST)
        g_string_append_printf(out, "; a window of %u would be enough", enough);
    return out;
}

static void
tell_late(const change_t *change, const esp_sa_t *sa, const dropped_t *late, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];
    GString *windows = windows_text(sa->sequence, g_string_new(NULL));
    bool are_many = late->verdict == VERDICT_MANY;

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_replay,
                                     .severity = are_many ? SEVERITY_NOTE : SEVERITY_WARN,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = sa->sender,
                                     .began_in = late->first_in,
                                     .began_at = late->first_at,
                                     .last_evidence_at = late->last_at,
                                     .times = late->count,
                                     .unit = "packets",
                                     .evidence = { late->first_in, late->last_in } },
                 "ESP from %s on SPI 0x%08x is reordered too far for an anti-replay window of %u: %" PRIu64
                 " of its packets, the first in frame %u, would be dropped as too old. Dropped by size of the window: %s.%s",
                 tunnel_peer_text(sa->tunnel, sa->sender, sender), sa->spi, change->settings->replay_window, late->count,
                 late->first_in, windows->str,
                 are_many ? " They are so many that the file may be merged from captures whose clocks differ; several queues or "
                            "paths look the same."
                          : "");
    g_string_free(windows, TRUE);
}

static void
tell_repeated(const esp_sa_t *sa, const dropped_t *repeated, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_replay,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = sa->sender,
                                     .began_in = repeated->first_in,
                                     .began_at = repeated->first_at,
                                     .last_evidence_at = repeated->last_at,
                                     .times = repeated->count,
                                     .unit = "packets",
                                     .evidence = { repeated->first_in, repeated->last_in } },
                 "ESP from %s on SPI 0x%08x comes again with the same number and bytes: %" PRIu64
                 " of its packets, the first in frame %u, long after any second copy that a capture makes. A receiver drops them, "
                 "whatever its window: the network duplicates packets, or somebody replays them.",
                 tunnel_peer_text(sa->tunnel, sa->sender, sender), sa->spi, repeated->count, repeated->first_in);
}

static void
judge_packet(const change_t *change, findings_t *out)
{
    const esp_sa_t *sa = change->esp_sa;
    bool is_late = change->revealed == SEQUENCE_LATE;
    const dropped_t *dropped = is_late ? &sa->sequence->disorder->late : &sa->sequence->disorder->repeated;

    if (dropped->told.is_told) {
        if (dropped->told.finding != NULL)
            findings_recount(dropped->told.finding, dropped->count, dropped->last_in, dropped->last_at);
    } else if (is_late) {
        tell_late(change, sa, dropped, out);
    } else {
        tell_repeated(sa, dropped, out);
    }
}

static void
conclude(const esp_sa_t *sa, const dropped_t *late)
{
    GString *windows = windows_text(sa->sequence, g_string_new(NULL));

    findings_recount(late->told.finding, late->count, late->last_in, late->last_at);
    findings_conclude(late->told.finding, "By the end, dropped by size of the window: %s.", windows->str);
    g_string_free(windows, TRUE);
}

static void
judge_end(const change_t *change, const esp_sa_t *sa, findings_t *out)
{
    dropped_t late = sequence_late_at_end(sa->sequence), repeated = sequence_repeated_at_end(sa->sequence);

    if (late.told.finding != NULL)
        conclude(sa, &late);
    else if (late.count > 0 && !late.told.is_told)
        tell_late(change, sa, &late, out);
    if (repeated.count > 0 && !repeated.told.is_told && repeated.verdict == VERDICT_FEW)
        tell_repeated(sa, &repeated, out);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_SEQUENCE) {
        if (change->revealed == SEQUENCE_LATE || change->revealed == SEQUENCE_REPEATED)
            judge_packet(change, out);
        return;
    }
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sequence != NULL && sa->sequence->disorder != NULL)
            judge_end(change, sa, out);
    }
}

const detector_t esp_replay_detector = {
    .finding = FINDING_esp_replay,
    .wakes_on = CHANGE_SEQUENCE | CHANGE_CAPTURE_END,
    .needs_time = true,
    .judge = judge,
};
