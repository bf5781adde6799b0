/* exchange.h - an IKE exchange as captured: a request, its repeats and its answer (RFC 7296 2.1, 2.2; RFC 2409 5).
 *
 * IKEv2: request and response. IKEv1: the messages of a phase take turns; the exchange holds the turn that waits for an answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_EXCHANGE_H
#define IPSEC_ENGINE_EXCHANGE_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/finding.h"
#include "engine/packet.h"
#include "engine/parse/ike_message.h"

/* A repeat that comes sooner is a copy made by the capture, not by a timer (the shortest real timers are 300 to 500 ms). */
#define SHORTEST_TIMER MILLISECONDS(200)

typedef enum {
    EXCHANGE_UNKNOWN,
    EXCHANGE_IKE_SA_INIT,
    EXCHANGE_IKE_AUTH,
    EXCHANGE_INTERMEDIATE,
    EXCHANGE_FOLLOWUP_KE,
    EXCHANGE_SESSION_RESUME,
    EXCHANGE_CREATE_CHILD_SA, /* a new child or an IKE rekey: not told apart yet */
    EXCHANGE_CHILD_CREATE,
    EXCHANGE_CHILD_REKEY,
    EXCHANGE_IKE_REKEY,
    EXCHANGE_DPD,
    EXCHANGE_DELETE, /* of the IKE SA or a child: not told apart yet */
    EXCHANGE_DELETE_IKE,
    EXCHANGE_DELETE_CHILD,
    EXCHANGE_MOBIKE,
    EXCHANGE_CONFIG,
    EXCHANGE_NOTIFY,
    EXCHANGE_MAIN_MODE,
    EXCHANGE_AGGRESSIVE_MODE,
    EXCHANGE_QUICK_MODE,
    EXCHANGE_TRANSACTION,
    EXCHANGE_NEW_GROUP,
    EXCHANGE_INFORMATIONAL, /* IKEv1: what it carries cannot be seen */
    EXCHANGE_KINDS
} exchange_kind_t;

typedef enum {
    OUTCOME_WAITING,
    OUTCOME_ANSWERED,
    OUTCOME_ANSWERED_UNSEEN, /* the requester went on as if answered: the answer is not in the capture */
    OUTCOME_ABANDONED,       /* the requester gave up */
    OUTCOME_ONE_WAY,         /* IKEv1 informational: no answer is due */
} exchange_outcome_t;

/* How it is known that the requester gave up. */
typedef enum {
    ABANDONED_NOT,
    ABANDONED_SILENCE,  /* more than twice the last gap without another try */
    ABANDONED_NEW_INIT, /* the requester started a new IKE SA */
    ABANDONED_DELETE,   /* the requester deleted the SA */
    ABANDONED_FOR_TCP,  /* nothing came back over UDP: the requester started anew over TCP (RFC 9329 5.1) */
} abandoned_t;

/* A message that came in pieces, as far as the capture shows it. */
typedef struct {
    bool is_fragmented;
    uint16_t total;   /* 0: IP fragments */
    uint16_t missing; /* the lowest number that was never seen; 0: none is missing */
} fragmented_t;

#define TRANSMISSIONS_KEPT 16
#define FRAMES_KEPT 32

struct ike_sa;

/* Owned by its ike_sa_t. */
typedef struct exchange {
    struct ike_sa *ike_sa;
    uint8_t exchange_type; /* wire value */
    uint32_t message_id;   /* unique per IKE SA and requester only (RFC 7296 2.2) */
    peer_t requester;      /* who sent the message that waits, or waited, for an answer */
    exchange_kind_t kind;
    confidence_t kind_confidence;
    frame_t frame[FRAMES_KEPT]; /* the first frames that belong to it: requests, answers, fragments */
    unsigned frames_kept;

    /* the first message; IKEv1: of the phase, whose messages take turns in being the request below */
    peer_t initiator;
    frame_t began_in; /* FRAME_NONE: nothing sent yet */
    capture_ns_t began_at;

    /* the request and its repeats */
    uint64_t fingerprint;
    bool is_rebuilt;                     /* a repeat had other bytes: no bitwise identical retransmission (RFC 7296 2.1) */
    uint32_t request_length;             /* IKE header length field, bytes */
    uint8_t request_inner;               /* first inner payload type; PAYLOAD_UNKNOWN */
    payload_sizes_t request_sizes;       /* when readable */
    unsigned transmissions;              /* the first and every repeat after a real timer */
    frame_t sent_in[TRANSMISSIONS_KEPT]; /* first ones; the last slot is the latest */
    capture_ns_t first_sent_at, last_sent_at;
    duration_ns_t gap[TRANSMISSIONS_KEPT]; /* gap[i]: between transmission i and i + 1 */
    duration_ns_t last_gap;
    frame_t heard_before_in; /* the receiver's last packet before the first transmission; FRAME_NONE: there is none */
    capture_ns_t heard_before_at;
    endpoint_t source, destination; /* of the latest transmission */
    encapsulation_t encapsulation;
    bool addresses_changed; /* repeats came from or went to other addresses: MOBIKE path probing (RFC 4555 3.10) */

    /* the answer */
    exchange_outcome_t outcome;
    abandoned_t abandoned;
    frame_t abandoned_in; /* what showed that; FRAME_NONE: it never seemed so */
    frame_t answered_in;
    capture_ns_t answered_at;
    unsigned repeats_after_answer; /* the request came again although it had been answered */
    frame_t answered_elsewhere_in; /* an answer that went to another port than the request came from; FRAME_NONE */
    uint16_t answered_elsewhere_port;
    bool is_refused;
    confidence_t refusal_confidence;
    uint16_t error;        /* notify type of the refusal; 0: refused, reason not readable */
    bool error_is_exact;   /* `error` was read, not concluded from a size */
    uint16_t wanted_group; /* INVALID_KE_PAYLOAD: the group asked for; 0: unknown */
    bool is_eap_round;     /* the answer goes on with EAP (RFC 7296 2.16) */
    bool is_eap_failure;   /* refused by EAP (RFC 7296 2.16), not by a notify */
    /* What may be a refusal, as what follows will show. IKEv1: an informational of the other peer instead of the next message, unreadable or forgeable. IKE_AUTH:
     * a bare notification, or an EAP message that may be a Failure. FRAME_NONE: nothing like that. */
    frame_t refusal_hint_in;
    capture_ns_t refusal_hint_at;
    uint16_t hinted_error; /* IKEv1: notify type of a clear notice that may be forged; 0: none */

    /* messages in pieces (RFC 7383, IP fragments) */
    fragmented_t request_fragments, answer_fragments;

    /* content, when readable */
    proposal_list_t *offer; /* owned; NULL: not readable */
    uint16_t request_group; /* of its key exchange payload; 0: none, or not readable */
    uint32_t rekeyed_spi;   /* N(REKEY_SA)'s SPI: the requester's inbound SPI; 0: not readable */
    char selectors_i[SELECTOR_TEXT_MAX], selectors_r[SELECTOR_TEXT_MAX];
    unsigned deleted_spis;
    uint32_t deleted_spi[DELETED_SPIS_MAX];

    bool collides;          /* crossed with a like request of the other peer */
    bool repeats_a_refusal; /* asks again for what was refused before in the same trouble */
    bool deletes_replaced;  /* asks to delete an IKE SA that a rekey or a new negotiation has replaced */
    bool creates_child;     /* success made an SPI pair */
    uint32_t child_sa;      /* its index; INDEX_NONE: none */
    /* IKEv1 */
    bool is_encrypted_turn; /* the message that waits is encrypted: of Main Mode the fifth is the first one (RFC 2409 5.4) */
    unsigned messages;      /* distinct messages so far */
    uint64_t last_fingerprint[PEERS]; /* the last distinct message of each peer */
    capture_ns_t last_repeat_at[PEERS];
} exchange_t;

exchange_t *exchange_new(struct ike_sa *ike_sa, const ike_message_t *message, peer_t requester);
void exchange_free(exchange_t *exchange);

/* Notes another transmission of the waiting request. The first call is the first transmission. */
void exchange_sent(exchange_t *exchange, const packet_t *packet);

/* Does this repeat of the request only follow its IKE SA to a new TCP connection, or from UDP to TCP or back? It must (RFC 9329 6.2,
 * 7.1), and shows no loss. */
bool exchange_is_carried_over(const exchange_t *exchange, const packet_t *packet);

/* The request waits there from now on; it counts as one transmission all the same. */
void exchange_carry_over(exchange_t *exchange, const packet_t *packet);

/* This frame holds a message of the exchange. */
void exchange_note_frame(exchange_t *exchange, frame_t frame);

/* The frame of the latest transmission. */
frame_t exchange_last_sent_in(const exchange_t *exchange);

/* Does the exchange wait for an answer? */
bool exchange_is_waiting(const exchange_t *exchange);

/* Did the requester give up without an answer? */
bool exchange_was_abandoned(const exchange_t *exchange);

/* Was it answered here, and repeated all the same: do its answers get lost between the capture point and the requester? */
bool exchange_is_unheard(const exchange_t *exchange);

/* Is it a liveness check (RFC 7296 2.4; RFC 3706)? */
bool exchange_is_liveness(const exchange_t *exchange);

/* Does it begin an IKEv2 IKE SA: IKE_SA_INIT or IKE_SESSION_RESUME? */
bool exchange_is_init(const exchange_t *exchange);

/* Does it set up the IKE SA itself: IKE_SA_INIT, IKE_AUTH, IKE_INTERMEDIATE, Main or Aggressive Mode? */
bool exchange_is_initiation(const exchange_t *exchange);

/* Does it replace an SA (child or IKE), or may it (np=33 without keys)? Quick Mode counts once the tunnel had a child. */
bool exchange_is_rekey(const exchange_t *exchange);

/* Does it ask for a child SA that replaces none? */
bool exchange_is_child_create(const exchange_t *exchange);

bool exchange_is_delete(const exchange_t *exchange);

/* The name of findings.md's `ipsec.exchange`. Static. */
const char *exchange_kind_name(exchange_kind_t kind);

/* The exchange in words for a sentence: "child SA rekey", "liveness check (DPD)". Static. */
const char *exchange_kind_words(exchange_kind_t kind);

/* Appends "3 times, 1.0, 1.5 s apart" (or "once") to `out`. */
void exchange_describe_transmissions(const exchange_t *exchange, GString *out);

#endif
