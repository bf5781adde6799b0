/* finding.h - what was found: an id of the catalogue, on a frame, with its evidence, confidence and cause.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_FINDING_H
#define IPSEC_ENGINE_FINDING_H

#include "engine/base.h"
#include "engine/endpoint.h"

typedef enum {
#define FINDING(id, severity, group, summary) FINDING_##id,
#include "engine/findings.def"
#undef FINDING
    FINDING_COUNT
} finding_id_t;

typedef enum { SEVERITY_CHAT, SEVERITY_NOTE, SEVERITY_WARN, SEVERITY_ERROR } severity_t;

typedef enum { GROUP_IKE, GROUP_ESP, GROUP_NAT, GROUP_LIFE, GROUP_CAPTURE } finding_group_t;

/* How sure: the bytes say so, or the best explanation of encrypted traffic. A finding is never surer than its weakest evidence. */
typedef enum { CONFIDENCE_INFERRED, CONFIDENCE_OBSERVED } confidence_t;

/* Grade of a nat_port_flip, worse last. */
typedef enum { NAT_GRADE_NONE, NAT_GRADE_RECOVERED, NAT_GRADE_SPLIT, NAT_GRADE_HARMFUL } nat_grade_t;

/* One row of the catalogue. Static. */
typedef struct {
    const char *id;      /* "nat_port_flip" */
    severity_t severity; /* the most severe form */
    finding_group_t group;
    const char *summary; /* constant text of the expert item */
} finding_info_t;

extern const finding_info_t finding_catalogue[FINDING_COUNT];

#define EVIDENCE_MAX 24
#define LOSS_POINT_MAX 64

/* What a finding is about, when it is about an IKE exchange: enough to ask what every capture point has seen of it (sightings.h). */
typedef struct {
    bool is_set;
    uint64_t request, answer; /* names of the messages; IKEv1: both the same */
    peer_t requester;
    endpoint_t source; /* of the request */
    unsigned transmissions;
    bool was_answered;
    bool is_unheard; /* the answers are in the capture, but the requester goes on asking */
    capture_ns_t first_sent_at, last_sent_at;
} asked_t;

/* What a tunnel had done last, at some moment: the first question about the time before a trouble. */
typedef struct {
    capture_ns_t answer_at; /* the last answered exchange; CAPTURE_TIME_NONE: there was none */
    frame_t answer_in;
    const char *answer_words; /* what it was, for a sentence; static; NULL: there was none */
    capture_ns_t two_way_at;  /* the last ESP in both directions; CAPTURE_TIME_NONE: there was none */
    frame_t two_way_in;
    capture_ns_t keepalive_at[PEERS]; /* the last NAT keepalive of each peer; CAPTURE_TIME_NONE: none */
    frame_t keepalive_in[PEERS];
    duration_ns_t keepalive_after[PEERS]; /* the longest silence of the peer that one of them ended */
} lead_in_t;

/* One finding. Owned by the engine, at a stable address until the engine is freed (end-of-capture findings: until the next
 * packet is fed after engine_finish()). `grade` may get worse and `cause` may be set while the capture goes on, and what turns out not to
 * have counted, a forgery or a silence that was none, becomes a Note with a longer text; the rest is final. */
typedef struct finding {
    finding_id_t id;
    severity_t severity;
    confidence_t confidence;
    uint32_t tunnel;   /* index of the tunnel; INDEX_NONE: of none, a finding about the capture */
    frame_t frame;     /* the frame that reveals it; for `at_end` the last frame of its evidence */
    capture_ns_t time; /* of `frame` */
    bool at_end;       /* only the end of the capture revealed it: not on any frame in a single pass */
    frame_t began_in;  /* the first frame of the trouble; FRAME_NONE: `frame` */
    capture_ns_t began_at;
    char *text;       /* plain sentences with the numbers, owned by the finding */
    uint64_t times;   /* how often it was seen: a trouble that goes on is one finding with a count */
    const char *unit; /* what `times` counts: "times", "packets"; static */
    frame_t last_in;  /* where it was seen for the last time */
    capture_ns_t last_at;
    size_t text_before_end;         /* length of `text` before engine_finish() said how it went on; 0: it said nothing */
    unsigned evidences;             /* used in `evidence` */
    frame_t evidence[EVIDENCE_MAX]; /* ascending */
    frame_t exchange_in;            /* first transmission of the exchange that it is about; FRAME_NONE: about none */
    frame_t heard_before_in;        /* the receiver's last packet before that; FRAME_NONE: there is none */
    capture_ns_t heard_before_at;
    lead_in_t before;   /* as known when it was found */
    const char *ending; /* how the exchange ended, where a story has told of it before: "then stopped trying"; static; NULL */
    bool is_taken_back; /* what came later showed that it did not count: it became a Note, and belongs to no incident */
    bool explains;      /* may be the cause of others even where it is a mere Note */
    const struct finding *cause; /* an earlier finding of the same tunnel that led to this one, or NULL */
    capture_ns_t over_at; /* what it tells of was over then, and led to nothing that began later; CAPTURE_TIME_NONE: not known */
    peer_t culprit;       /* which peer it is about (who sent the unanswered request, whose port moved); may be PEER_UNKNOWN */
    uint16_t old_port, new_port; /* nat_port_flip only */
    nat_grade_t grade;           /* nat_port_flip only */
    uint32_t incident;           /* index within the tunnel, INDEX_NONE: in none */
    asked_t asked;
    char lost_from[LOSS_POINT_MAX],
        lost_to[LOSS_POINT_MAX]; /* the capture points between which it was lost; empty: not known to be */
} finding_t;

const char *severity_text(severity_t severity);        /* "error", "warn", "note", "chat" */
const char *finding_group_text(finding_group_t group); /* "ike", "esp", "nat", "life", "capture" */
const char *confidence_text(confidence_t confidence);  /* "observed", "inferred" */
const char *nat_grade_text(nat_grade_t grade);         /* "recovered", "split", "harmful"; "" for NAT_GRADE_NONE */

#endif
