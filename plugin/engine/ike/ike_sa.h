/* ike_sa.h - one IKE SA (RFC 7296 2.6; IKEv1: ISAKMP SA, RFC 2408 2.1): its SPIs, its exchanges, its life.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_SA_H
#define IPSEC_ENGINE_IKE_SA_H

#include "engine/base.h"
#include "engine/ike/exchange.h"
#include "engine/ike/nat_detection.h"
#include "engine/ike/pieces.h"
#include "engine/ike/pieces_v1.h"
#include "engine/packet.h"
#include "engine/tables/suite.h"

typedef enum {
    IKE_SA_NEGOTIATING,
    IKE_SA_ESTABLISHED,
    IKE_SA_DELETED,   /* orderly */
    IKE_SA_ABANDONED, /* a peer stopped using it without a DELETE */
    IKE_SA_FAILED,    /* never came up */
} ike_sa_state_t;

/* Whole answers to one IKE_SA_INIT beside the one that counts: which of them is the responder's shows only later (RFC 7296 2.4). */
#define INIT_ANSWERS_MAX 4u

typedef struct {
    ike_message_t *message; /* owned */
    frame_t frame;
    capture_ns_t time;
} init_answer_t;

typedef struct {
    init_answer_t answer[INIT_ANSWERS_MAX];
    unsigned count, next; /* slots used; beyond the limit the oldest goes */
} init_answers_t;

void init_answers_clear(init_answers_t *answers);

struct tunnel;

/* Owned by its tunnel. */
typedef struct ike_sa {
    struct tunnel *tunnel;
    uint32_t index;        /* within the tunnel */
    uint64_t spi_i, spi_r; /* host order; spi_r is 0 until the responder chose it */
    uint8_t major;
    peer_t original_initiator; /* RFC 7296 3.1: whose I flag is set */
    ike_sa_state_t state;
    bool is_midstream;           /* first seen after its negotiation, and no rekey in the capture made it */
    struct ike_sa *rekeyed_from; /* NULL: own negotiation */
    bool is_replaced;            /* a rekey or a new negotiation took its place */
    bool hands_on_children;      /* it was deleted after a rekey, whose IKE SA inherits its children (RFC 7296 2.8) */
    frame_t first_frame, established_in, closed_in;
    capture_ns_t first_time, established_at, closed_at; /* CAPTURE_TIME_NONE: not yet */
    peer_t closed_by;
    confidence_t closed_confidence;
    bool traffic_at_close; /* ESP was flowing when it was deleted */
    bool suite_known;      /* sizes of the encrypted payload (IKEv2) */
    suite_t suite;
    payload_sizes_t offered, chosen; /* of the IKE_SA_INIT that was answered: request and response; zeros: not seen */
    unsigned proposals_offered;
    GPtrArray *exchanges;                     /* owned exchange_t, oldest first */
    GHashTable *by_key;                       /* exchange key -> exchange_t, borrowed */
    endpoint_t source[PEERS][ENCAPSULATIONS]; /* last source per peer and encapsulation; family ADDRESS_NONE: not seen */
    bool is_probing[PEERS];                   /* the peer sent an empty request from another address, with this message ID */
    uint32_t probe_id[PEERS];
    frame_t probe_in[PEERS];
    uint32_t next_id[PEERS];       /* IKEv2: message ID of the peer's next request */
    bool initial_contact;          /* N(INITIAL_CONTACT) was read in its IKE_AUTH */
    uint32_t identity_hash[PEERS]; /* of what the peer called itself, as decrypted; 0: not known */
    struct {                       /* what was known before an IKE_AUTH answer seemed to complete the negotiation */
        frame_t answer_in;         /* FRAME_NONE: nothing to take back */
        bool was_up, had_child;
        int live_children;
        unsigned children_made;
        uint32_t lineage;
        capture_ns_t last_proof_at, last_child_success_at;
        frame_t last_proof_in;
    } before_established;
    uint32_t dpd_length[PEERS]; /* IKEv1: length of an answered R-U-THERE of this peer; 0: none yet */
    frame_t disowned_in;
    capture_ns_t disowned_at;
    bool may_be_childless; /* RFC 6023: the responder accepts an IKE_AUTH that asks for no child */
    peer_t disowned_by;
    bool is_disowned;      /* the peer reported that it does not know this SA (INVALID_IKE_SPI) */
    bool has_phase2;       /* IKEv1: a Quick Mode was seen, so phase 1 is over even if its end was not */
    bool has_whole_answer; /* to its IKE_SA_INIT, with an SA payload: the one that counts for now */
    init_answers_t init_answers;
    ike_message_t *early_answer; /* captured just before its request, as a mirror port may do; owned; NULL */
    frame_t early_answer_in;
    capture_ns_t early_answer_at;
    pieces_v1_t pieces_v1[PEERS]; /* IKEv1: by sender */
    GPtrArray *pieces;            /* owned pieces_t: messages that are not complete yet, oldest first */
    nat_detection_t nat;          /* what the hashes in its messages say */
    uint32_t root;                /* index of the IKE SA from whose negotiation it descends by rekeys */
    uint32_t line;                /* id of the line of IKE SAs it is on (lifetime.h); 0: none yet */
    frame_t last_message_in;
    capture_ns_t last_message_at;
} ike_sa_t;

ike_sa_t *ike_sa_new(struct tunnel *tunnel, const ike_message_t *message, peer_t original_initiator, frame_t frame,
                     capture_ns_t time);
void ike_sa_free(ike_sa_t *ike_sa);

/* The exchange with this message ID and requester, or NULL. IKEv1: the requester is ignored (message IDs are random). */
exchange_t *ike_sa_exchange(const ike_sa_t *ike_sa, const ike_message_t *message, peer_t requester);

/* The exchange whose first message is in this frame, or NULL. */
exchange_t *ike_sa_exchange_in(const ike_sa_t *ike_sa, frame_t frame);

/* Takes ownership. A very long-lived SA forgets its oldest finished exchanges. */
void ike_sa_add_exchange(ike_sa_t *ike_sa, exchange_t *exchange);

/* Memory is short: forgets the older half of its exchanges, unless there are few. */
void ike_sa_forget_half(ike_sa_t *ike_sa);

/* A peer deleted it. */
void ike_sa_close(ike_sa_t *ike_sa, peer_t by, confidence_t confidence, frame_t frame, capture_ns_t time);

bool ike_sa_is_usable(const ike_sa_t *ike_sa); /* established and neither deleted nor abandoned */

/* Never 0. */
uint32_t identity_hash(const char *identity);

/* Both are known to be of other identities: each of the two tells nothing of the other (RFC 7296 2.4). */
bool ike_sa_is_of_others(const ike_sa_t *ike_sa, const ike_sa_t *other);
bool ike_sa_is_of_same(const ike_sa_t *ike_sa, const ike_sa_t *other); /* both are known to be of the same identities */

/* Without keys: the IKE_AUTH whose answer was probably a refusal, for the IKE SA did not come up after it; NULL: none. */
exchange_t *ike_sa_refused_auth(const ike_sa_t *ike_sa);

/* IKEv1 without keys: the peer's last word was two unanswered notices, one right after the other. So it deletes the IPsec SA and
 * the ISAKMP SA (RFC 2408 5.15: not acknowledged); that nothing follows is for the caller to see. */
bool ike_sa_looks_deleted(const ike_sa_t *ike_sa);

/* The latest exchange that satisfies `is_wanted`, or NULL. One that lies very many exchanges back does not count. */
exchange_t *ike_sa_latest(const ike_sa_t *ike_sa, bool (*is_wanted)(const exchange_t *));

#endif
