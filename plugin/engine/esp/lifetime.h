/* lifetime.h - how long SAs live before they are replaced: measured, and announced by the peers.
 *
 * A line is a row of SAs, each of which takes the place of the one before: the child SAs of the same selectors, the SPIs of one
 * direction, the IKE SAs of a tunnel. Intervals are measured along a line, never between the rekeys of different children.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_LIFETIME_H
#define IPSEC_ENGINE_LIFETIME_H

#include "engine/base.h"
#include "engine/finding.h"
#include "engine/parse/ike_message.h"

#include <glib.h>

typedef enum {
    LINE_CHILD,            /* child SAs that IKE replaced by a rekey, or by a Quick Mode for the same selectors */
    LINE_SPI,              /* the SPIs of one direction: what the traffic shows where IKE cannot be read or is not there */
    LINE_IKE_SA,           /* IKE SAs, by rekey */
    LINE_REAUTHENTICATION, /* IKE SAs, each negotiated anew */
} line_kind_t;

#define LINES_PER_TUNNEL_MAX 32u
#define REPLACEMENTS_KEPT 16u
#define SPIS_PER_LINE 4u /* per direction: the present one, the one before, and what a collision leaves */

/* An SA was replaced: the exchange was answered, or the traffic moved. */
typedef struct {
    capture_ns_t at;
    frame_t frame;
    peer_t by;         /* who asked for it; PEER_UNKNOWN: nobody can be named */
    duration_ns_t age; /* of the SA that was replaced; 0: its beginning is not in the capture */
    uint64_t bytes;    /* ESP it carried in its busier direction; 0: none, or not known */
    bool is_disturbed; /* a rekey was refused or stayed unanswered meanwhile: the age is not what its owner had set */
} replacement_t;

/* How a peer announced a lifetime of its own. */
typedef enum {
    ANNOUNCED_NOT,
    ANNOUNCED_BY_OFFER,  /* it proposed it as initiator */
    ANNOUNCED_BY_CHOICE, /* it answered an offer with another lifetime */
    ANNOUNCED_BY_NOTIFY, /* RESPONDER-LIFETIME (RFC 2407 4.6.3.1) */
} announced_how_t;

/* The lifetime that a peer announced last, for one phase (IKEv1). */
typedef struct {
    announced_how_t how;
    uint32_t seconds, kilobytes; /* 0: not given */
    frame_t frame;
    capture_ns_t at;
} announced_t;

/* Owned by its tunnel. */
typedef struct {
    line_kind_t kind;
    uint32_t id; /* from 1 */
    confidence_t confidence;
    capture_ns_t last_used_at;
    capture_ns_t born_at;                     /* the SA in use; CAPTURE_TIME_NONE: before the capture, or in an unknown moment */
    unsigned flaps;                           /* of the tunnel, when that SA was made */
    uint64_t bytes_before[PEERS];             /* ESP of the tunnel, by sender, when that SA was made */
    uint32_t child;                           /* index of the child SA in use; INDEX_NONE: not known */
    uint32_t spi[PEERS][SPIS_PER_LINE];       /* by receiver, newest first; 0: none, or not readable */
    char selectors[PEERS][SELECTOR_TEXT_MAX]; /* IKEv1: each peer's side; empty: not readable, or the peer itself */
    bool is_parallel;                         /* its SAs turned out to be in use side by side: it says nothing about lifetimes */
    unsigned replacements;                    /* so far */
    replacement_t recent[REPLACEMENTS_KEPT];  /* the latest; number i is at i % REPLACEMENTS_KEPT */
    announced_t announced[PEERS];             /* phase 2 */
} line_t;

/* A negotiation that made a child, and whose line cannot be read. */
typedef struct {
    capture_ns_t at; /* CAPTURE_TIME_NONE: none */
    peer_t by;
} hidden_t;

/* The latest first packet of an SPI. */
typedef struct {
    frame_t frame; /* FRAME_NONE: there was none yet */
    capture_ns_t at;
    uint32_t spi;    /* 0: its predecessor is known, or will never be */
    unsigned tries;  /* to find that predecessor */
    hidden_t hidden; /* the latest before it */
} birth_t;

/* What a tunnel knows about lifetimes. Part of tunnel_t. */
typedef struct {
    GPtrArray *lines;        /* owned line_t */
    uint32_t lines_made;     /* the latest id */
    unsigned children_begun; /* since the last IKE_AUTH, that replaced none, or may have replaced none; 0: no IKE_AUTH seen */
    uint32_t begun_on;       /* the IKE SA of that IKE_AUTH: ike_sa_t.root */
    capture_ns_t refused_at; /* the latest rekey that was refused */

    hidden_t hidden;  /* the latest */
    bool has_cut_ike; /* there is IKE, but too little of it was captured to say what it did */

    birth_t birth[PEERS]; /* by sender */

    announced_t phase1[PEERS];
    uint32_t auth_lifetime[PEERS]; /* seconds, RFC 4478; 0: not announced */
    frame_t auth_lifetime_in[PEERS];
} lifetimes_t;

void lifetimes_init(lifetimes_t *lifetimes);
void lifetimes_clear(lifetimes_t *lifetimes);

/* A new line that began at `at` (CAPTURE_TIME_NONE: unknown). The one that was not used for longest makes room. Borrowed. */
line_t *lifetimes_add_line(lifetimes_t *lifetimes, line_kind_t kind, capture_ns_t at);

/* The line with this id, or NULL. Borrowed. */
line_t *lifetimes_line(const lifetimes_t *lifetimes, uint32_t id);

/* The latest line of this kind, or NULL. Borrowed. */
line_t *lifetimes_latest_line(const lifetimes_t *lifetimes, line_kind_t kind);

void line_add_spi(line_t *line, peer_t receiver, uint32_t spi);

/* Enters a replacement; `age` is filled in from the line's birth, and the successor is born. */
void line_add_replacement(line_t *line, replacement_t replacement);

/* Forgets what was measured. */
void line_restart(line_t *line, capture_ns_t at);

/* Replacements kept, and each of them, oldest first. */
unsigned line_replacements_kept(const line_t *line);
const replacement_t *line_replacement(const line_t *line, unsigned number);

/* The ages of SAs on a line, as far as known. */
typedef struct {
    unsigned count;
    duration_ns_t least, median, most;
} period_t;

/* Of all that were replaced. */
period_t line_period(const line_t *line);

/* Of those that `peer` replaced, without disturbance. */
period_t line_period_of(const line_t *line, peer_t peer);

/* How many of the kept replacements `peer` asked for. */
unsigned line_replacements_by(const line_t *line, peer_t peer);

/* What puts an end to the SAs of a line? */
typedef enum {
    LIMIT_UNKNOWN,
    LIMIT_TIME,   /* they live equally long, whatever they carry */
    LIMIT_BYTES,  /* they carry equally much, however long it takes */
    LIMIT_EITHER, /* both are alike: a steady flow */
} limit_t;

limit_t line_limit(const line_t *line);

/* Have the SAs that `peer` replaced carried so nearly the same that a limit in bytes may have ended them? */
bool line_may_end_by_bytes(const line_t *line, peer_t peer);

/* The median of what the SAs of a line carried. */
uint64_t line_median_bytes(const line_t *line);

#endif
