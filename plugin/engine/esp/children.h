/* children.h - child SA generations: which two SPIs are a pair, what made it, what replaced it (RFC 4301 4.1, RFC 7296 1.3).
 *
 * A readable negotiation names both SPIs. One that cannot be read still shows that a pair was made: the next SPI that begins in a
 * direction is its own, if no other pair waits for one there. Where the negotiation is not in the capture, SPIs that begin together are a
 * pair, if there is one of them each way. Wherever two could be meant the generation stays unknown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CHILDREN_H
#define IPSEC_ENGINE_CHILDREN_H

#include "engine/base.h"
#include "engine/esp/esp_sa.h"
#include "engine/ike/exchange.h"
#include "engine/ike/ike_sa.h"

#ifndef CHILD_SAS_PER_TUNNEL_MAX
#define CHILD_SAS_PER_TUNNEL_MAX 2048u
#endif

/* One pair of SAs. Owned by its tunnel. */
typedef struct {
    uint32_t index;          /* `ipsec.child_sa` */
    bool is_void;            /* taken back: it was something else, or its SPIs turned out to be no certain pair */
    confidence_t confidence; /* observed: the negotiation was read */
    esp_sa_t *sa[PEERS];     /* by sender, borrowed; NULL: not seen, not known, or forgotten */
    bool is_taken[PEERS];    /* no new SPI of this sender can be its: it is known, or one of several that nobody can tell apart */

    /* the exchange that made it; `made_in` is FRAME_NONE where it is not in the capture */
    frame_t asked_in, made_in; /* request and answer */
    capture_ns_t made_at;
    peer_t made_by; /* who asked */
    exchange_kind_t kind;
    confidence_t kind_confidence;
    uint32_t ike_sa, ike_root; /* index of the IKE SA, and of the one it descends from by rekeys; INDEX_NONE */
    unsigned ike_version;      /* 0: no IKE */

    uint32_t replaces, replaced_by; /* INDEX_NONE: none, or not known */
    frame_t deleted_in;             /* FRAME_NONE: no DELETE of it seen */
    capture_ns_t deleted_at;
    confidence_t deleted_confidence;
    peer_t deleted_by;
} child_sa_t;

struct tunnel;

/* What a tunnel knows about its children. Part of tunnel_t. */
typedef struct {
    GArray *list;                     /* child_sa_t; number i has the index forgotten + i */
    uint32_t forgotten;               /* so many went when there were too many */
    unsigned loose[PEERS];            /* SPIs by sender that belong to one of several open pairs */
    unsigned births[PEERS];           /* SPIs that began in traffic, by sender */
    unsigned strays_forgotten[PEERS]; /* SPIs of no known pair that went when there were too many, by sender */
} children_t;

void children_init(children_t *children);
void children_clear(children_t *children);

/* The child with this index, or NULL: void, forgotten, INDEX_NONE. Borrowed until the next one is made. */
child_sa_t *tunnel_child(const struct tunnel *tunnel, uint32_t index);

/* This exchange made a child with its answer in `frame`. Returns its index. */
uint32_t children_made_by(struct tunnel *tunnel, const exchange_t *exchange, frame_t frame, capture_ns_t time);

/* ESP may overtake the answer that made its SA: the one SPI of this sender that began since the request is this child's. */
void children_adopt_early(struct tunnel *tunnel, uint32_t index, const exchange_t *exchange, peer_t sender);

/* It made none after all. */
void children_take_back(struct tunnel *tunnel, uint32_t index);

/* The SA belongs to this child, as was announced. */
void children_announce(struct tunnel *tunnel, uint32_t index, esp_sa_t *sa);

/* An SA that nobody announced has its first packet. */
void children_place(struct tunnel *tunnel, esp_sa_t *sa);

/* Does a pair, made at or after `since`, wait for a new SPI of this sender? */
bool children_expect(const struct tunnel *tunnel, peer_t sender, capture_ns_t since);

/* `successor` took the place of `predecessor` (indices). */
void children_replaced(struct tunnel *tunnel, uint32_t predecessor, uint32_t successor);

/* That was wrong. */
void children_not_replaced(struct tunnel *tunnel, uint32_t predecessor);

/* A DELETE of it was seen. */
void children_deleted(struct tunnel *tunnel, uint32_t index, peer_t by, frame_t frame, capture_ns_t time, confidence_t confidence);

/* The other SA of its pair, or NULL: not seen, or not known. Borrowed. */
esp_sa_t *children_way_back(const esp_sa_t *sa);

/* Are they a pair, or may they be one for all that is known? */
bool children_may_be_pair(const esp_sa_t *a, const esp_sa_t *b);

/* The SA is about to be freed. */
void children_forget_sa(struct tunnel *tunnel, const esp_sa_t *sa);

/* The DELETE of the IKE SA that had the child in the end: rekeys of it hand their children on (RFC 7296 2.8). NULL: there is none. */
const ike_sa_t *child_deleted_with(const struct tunnel *tunnel, const child_sa_t *child);

/* Pairs so far, those included of which only the SPIs are known. */
unsigned children_count(const struct tunnel *tunnel);

#endif
