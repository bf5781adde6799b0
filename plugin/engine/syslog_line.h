/* syslog_line.h - a log line that reports a packet with an invalid SPI, and what the capture says to it.
 *
 * A line speaks of the past, may come from a relay, and over UDP anybody can send one. So it changes no state: it is held against what
 * the capture shows of that SPI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SYSLOG_LINE_H
#define IPSEC_ENGINE_SYSLOG_LINE_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/finding.h"
#include "engine/parse/syslog.h"

typedef enum {
    SYSLOG_STRAY,   /* no packet with that SPI between these addresses came within a minute before the line */
    SYSLOG_UNUSED,  /* the SPI was negotiated, the capture has no packet with it */
    SYSLOG_NEW_SA,  /* the first packets overtook the SA's installation, which is normal (RFC 7296 2.8) */
    SYSLOG_OLD_SA,  /* the last packets came after its deletion or replacement, which is normal for a while */
    SYSLOG_UNTIMED, /* the capture has no clock that could tell any of this */
    SYSLOG_INVALID, /* in the middle of the SA's life */
} syslog_verdict_t;

/* One line, for the detectors. */
typedef struct {
    syslog_report_t report;
    endpoint_t logger; /* who sent the line: the receiver itself, or a relay; port 0 */
    frame_t in;        /* the line's frame */
    capture_ns_t at;
    syslog_verdict_t verdict;
    const finding_t *told; /* the finding that told of this SPI before, or NULL */
} syslog_line_t;

/* What lines say of one ESP SA. */
typedef struct {
    frame_t last_in; /* the latest line; FRAME_NONE: none */
    capture_ns_t last_at;
    frame_t believed_in; /* the first line with the verdict SYSLOG_INVALID that the capture does not belie; FRAME_NONE */
    capture_ns_t believed_at;
    uint64_t packets_then;  /* of the SA when that line came */
    unsigned invalid_lines; /* lines with that verdict */
    finding_t *told;        /* borrowed; NULL: none */
} syslog_of_sa_t;

struct esp_sa;

/* Does the capture bear out what lines say of this SA: its sender went on, and its receiver has not used the pair since, for so long? */
bool syslog_is_borne_out(const struct esp_sa *sa, capture_ns_t now, duration_ns_t silence);

#endif
