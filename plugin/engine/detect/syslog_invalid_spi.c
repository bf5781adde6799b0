/* syslog_invalid_spi.c - does a syslog line in the capture report a received packet with an invalid SPI?
 *
 * Whoever reads the log knows that there were such packets; whoever sees the capture knows which, and whether they matter: a packet
 * that overtakes the SA's installation or comes after its end is normal (RFC 7296 2.8). A line is no proof, anybody may have sent it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static const char *
protocol_words(const syslog_report_t *report)
{
    return report->protocol == 50 ? "ESP" : report->protocol == 51 ? "AH" : "a packet";
}

/* The other half of the sentence. `buffer` is used where it has numbers. */
static const char *
judgement(const change_t *change, char *buffer, size_t size)
{
    const esp_sa_t *sa = change->esp_sa;

    switch (change->syslog_line->verdict) {
    case SYSLOG_STRAY:
        return "no packet with that SPI between these addresses came in the minute before the line";
    case SYSLOG_UNUSED:
        g_snprintf(buffer, size, "that SPI was negotiated in frame %u, but the capture has no packet with it", sa->announced_in);
        return buffer;
    case SYSLOG_NEW_SA:
        return "the SA had just been made, and its first packets may arrive before the receiver has installed it";
    case SYSLOG_OLD_SA:
        return "the SA had just been deleted or replaced, and a late packet of it is normal";
    case SYSLOG_UNTIMED:
        return "without a usable clock nothing tells whether the SA was still in use";
    case SYSLOG_INVALID:
    default:
        if (sa->deleted_in != FRAME_NONE)
            g_snprintf(buffer, size, "such packets came until frame %u, though frame %u had deleted the SA", sa->last_frame,
                       sa->deleted_in);
        else
            g_snprintf(buffer, size, "such packets came from frame %u to frame %u, on an SA that seems to be in use",
                       sa->first_frame, sa->last_frame);
        return buffer;
    }
}

static void
tell(const change_t *change, const tunnel_t *tunnel, findings_t *out, severity_t severity)
{
    const syslog_line_t *line = change->syslog_line;
    const syslog_report_t *report = &line->report;
    const esp_sa_t *sa = change->esp_sa;
    const peer_t receiver = sa != NULL ? peer_other(sa->sender) : PEER_UNKNOWN;
    char logger[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX], from[ENDPOINT_TEXT_MAX], words[160];
    bool says_from = report->source.family != ADDRESS_NONE;

    if (report->destination.family == ADDRESS_NONE)
        tunnel_peer_text(tunnel, receiver, to);
    else
        endpoint_address_text(&report->destination, to);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_syslog_invalid_spi,
                                     .severity = severity,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = receiver,
                                     .unit = "lines",
                                     .evidence = { line->in, sa != NULL ? sa->first_frame : FRAME_NONE,
                                                   sa != NULL ? sa->last_frame : FRAME_NONE } },
                 "A syslog line from %s says that %s received %s with the invalid SPI 0x%08x%s%s; %s.",
                 endpoint_address_text(&line->logger, logger),
                 endpoint_same_address(&report->destination, &line->logger) ? "it" : to, protocol_words(report), report->spi,
                 says_from ? " from " : "", says_from ? endpoint_address_text(&report->source, from) : "",
                 judgement(change, words, sizeof(words)));
}

/* `tunnel` is NULL for a line about an SPI that is not in the capture. */
static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const syslog_line_t *line = change->syslog_line;
    const severity_t severity = line->verdict == SYSLOG_INVALID ? SEVERITY_ERROR : SEVERITY_NOTE;

    if (line->told != NULL && line->told->severity >= severity)
        findings_repeat(out, line->told);
    else
        tell(change, tunnel, out, severity);
}

const detector_t syslog_invalid_spi_detector = {
    .finding = FINDING_syslog_invalid_spi,
    .wakes_on = CHANGE_SYSLOG_LINE,
    .needs_time = false,
    .judge = judge,
};
