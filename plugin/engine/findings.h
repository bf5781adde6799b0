/* findings.h - where detectors put what they found, and how a finding gets its cause.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_FINDINGS_H
#define IPSEC_ENGINE_FINDINGS_H

#include "engine/change.h"
#include "engine/finding.h"

/* A sink for the findings of one change: of one tunnel, or of none. */
typedef struct findings findings_t;

/* A finding to be. Set what is known; `id`, `severity` and `confidence` always. */
typedef struct {
    finding_id_t id;
    severity_t severity;
    confidence_t confidence;
    peer_t culprit;                /* PEER_UNKNOWN: about no peer in particular */
    frame_t frame;                 /* FRAME_NONE: the frame of the change */
    frame_t began_in;              /* FRAME_NONE: the frame of the change */
    capture_ns_t began_at;         /* only with `began_in` */
    capture_ns_t last_evidence_at; /* for what only the end of the capture reveals: the time of its last evidence; 0: not set */
    const exchange_t *exchange;    /* its transmissions and answer become evidence */
    const esp_sa_t *esp_sa;        /* its further packets are counted on this finding; NULL */
    bool whole_exchange;           /* all frames of `exchange`, fragments and answers too */
    frame_t evidence[4];           /* further frames, FRAME_NONE: none */
    uint16_t old_port, new_port;
    nat_grade_t grade;
    bool explains;      /* though it did no harm by itself, others may follow from it */
    uint64_t times;     /* how often it has been seen by now; 0: once */
    const char *ending; /* see finding_t; NULL: none */
    const char *unit;   /* what is counted, for a sentence; static; NULL: "times" */
} finding_draft_t;

/* Adds a finding on the frame of the change. `text` is one plain English sentence, copied. NULL: the tunnel has
 * FINDINGS_PER_ID_MAX of this id already, and only counts it. */
finding_t *findings_add(findings_t *findings, const finding_draft_t *draft, const char *text, ...) G_GNUC_PRINTF(3, 4);

/* The same trouble once more, on the frame of the change: counted on the finding that told of it (one of this tunnel's), no new finding. */
void findings_repeat(findings_t *findings, const finding_t *told);

/* The same, and from now on it is what was told of this SA. */
void findings_join(findings_t *findings, const finding_t *told, const esp_sa_t *sa);
/* The same trouble is known to have been seen `times` times by now, for the last time in `last_in`. */
void findings_recount(const finding_t *told, uint64_t times, frame_t last_in, capture_ns_t last_at);

/* At the end of the capture: a last sentence for a finding that was told on its way. Taken back if the capture goes on. */
void findings_conclude(const finding_t *told, const char *text, ...) G_GNUC_PRINTF(2, 3);

/* A draft about an exchange that stayed unanswered: its requester's, since its first transmission. Less severe and sure than asked for
 * where an answer may have escaped the capture, or did not arrive. */
finding_draft_t findings_draft_unanswered(finding_id_t id, severity_t severity, confidence_t confidence,
                                          const exchange_t *exchange);

/* A draft about an exchange that was refused, by the peer of its requester. As sure and as severe as the refusal. */
finding_draft_t findings_draft_refused(finding_id_t id, const exchange_t *exchange);

/* A detector: one finding id, or a tight family. Const input, append-only output, no memory of its own. */
typedef struct {
    finding_id_t finding;
    uint32_t wakes_on; /* change_kind_t bits; some kinds come with no tunnel */
    bool needs_time;   /* asleep while the clock is unusable */
    void (*judge)(const change_t *change, const tunnel_t *tunnel, findings_t *out);
    /* Of detectors that wake on every ESP packet: can packets of this SA that merely go on (steady.h) not make it speak, until something else
     * happens to the tunnel? NULL: they may always. */
    bool (*has_no_question)(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa);
} detector_t;

#endif
