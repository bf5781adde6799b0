/* tunnel.h - a tunnel: two gateways, across IKE SA generations, rekeys, re-initiations and NAT moves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_TUNNEL_H
#define IPSEC_ENGINE_TUNNEL_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/engine.h"
#include "engine/esp/children.h"
#include "engine/esp/esp_sa.h"
#include "engine/esp/lifetime.h"
#include "engine/ike/exchange.h"
#include "engine/ike/ike_sa.h"
#include "engine/path/path.h"
#include "engine/points/points.h"
#include "engine/summary/timeline.h"

/* What the NAT in front of a peer did with the mapping of its endpoint while nothing was sent over it. A NAT forgets a mapping that is
 * silent for too long (RFC 4787 4.3); NAT keepalives are there to prevent that (RFC 3948 4). */
typedef struct {
    capture_ns_t used_at;           /* last packet over the mapping, either way */
    duration_ns_t silence;          /* the longest since the peer's last packet */
    duration_ns_t longest_survived; /* the longest silence after which the peer still had its endpoint; 0: none yet */
    endpoint_t endpoint;            /* the peer's, with UDP encapsulation; ADDRESS_NONE: none yet */
    duration_ns_t shortest_lost;    /* the shortest after which it had another one; 0: none yet */
    endpoint_t keepalive_source;    /* of the peer's last NAT keepalive; ADDRESS_NONE: it sent none */
    capture_ns_t keepalive_since;   /* its first one from there */
    capture_ns_t keepalive_at;      /* its last one */
    frame_t keepalive_in;
    duration_ns_t keepalive_after; /* the longest silence of the peer that one of them ended; 0: none yet */
} mapping_t;

/* Where a peer's packets of one protocol leave a NAT, in a capture that shows both sides of it. */
typedef struct {
    endpoint_t endpoint; /* ADDRESS_NONE: not seen */
    uint64_t spi;        /* of the SA: that of ESP, or the IKE initiator's */
    frame_t last_in;
    capture_ns_t last_at;
} far_side_t;

/* One peer as an observer sees it. */
typedef struct {
    /* what every packet needs comes first */
    uint64_t packets; /* sent, of any kind; 0: this peer was never seen sending */
    uint64_t esp_packets, esp_bytes;
    capture_ns_t last_packet_at, last_esp_at;
    capture_ns_t run_began_at; /* first ESP packet since the other peer's last ESP packet */
    frame_t run_began_in;
    unsigned run_packets;          /* ESP packets since then */
    duration_ns_t longest_esp_gap; /* between two of its ESP packets, but for silences that were found to be faults */
    frame_t last_packet_in, last_esp_in;
    mapping_t mapping; /* of its endpoint at a NAT, if there is one */

    frame_t last_ike_in;
    endpoint_t first;       /* where it was first seen */
    endpoint_t last;        /* where it last sent from, or, before it sent anything, where it was sent to */
    far_side_t far_side[2]; /* of its ESP; of its IKE */
    large_packets_t large;
    char identity[IDENTITY_TEXT_MAX];
} peer_state_t;

/* The traffic selectors (proxy IDs) of a child, as its negotiation named them. */
typedef struct {
    char initiator[SELECTOR_TEXT_MAX], responder[SELECTOR_TEXT_MAX]; /* TSi and TSr, IDci and IDcr; empty: none seen */
    frame_t frame;
} selectors_t;

/* Another client between the same two addresses, the latest that set up an IKE SA after this one's. A headend that allows one IKE SA
 * for an identity drops the older one without a word. */
typedef struct {
    uint32_t tunnel; /* its index; INDEX_NONE: there is none */
    frame_t in;      /* where its IKE SA came up */
    capture_ns_t at;
    bool same_identity; /* both clients have the same one, as decrypted */
    bool takes_turns;   /* it had been lost itself after this one came up */
} rival_t;

/* A peer's source endpoint changed on an SA that went on. */
typedef struct {
    peer_t peer;
    bool is_ike;         /* the IKE SA moved; else an ESP SA */
    bool is_split;       /* the peer still uses the old endpoint for the other protocol (IKE or ESP) */
    bool is_shown_whole; /* the capture shows both sides of the NAT: on the near side nothing has moved */
    bool is_untold;      /* the same, where the far side came first: the near side's copy will tell */
    bool is_far_side;    /* it was: the endpoints are those of the far side, which the analysis goes by */
    bool is_partial;     /* the peer still uses the old endpoint for another SA of the same protocol */
    bool is_announced;   /* by MOBIKE (RFC 4555 3.5): no NAT flip */
    bool is_hop;         /* a device without IKE chose its next port (sdwan.h): no NAT flip */
    bool is_other_spi;   /* a new SPI began there, and the old one was no longer used */
    bool is_return; /* seen only when the peer came back with a new IKE SA, after requests to the old endpoint stayed unanswered */
    endpoint_t old_endpoint, new_endpoint;
    frame_t frame; /* first packet from the new endpoint */
    capture_ns_t time;
    frame_t last_old_frame; /* the peer's last packet from the old endpoint */
    capture_ns_t last_old_time;
    unsigned to_old_packets; /* of the other peer to the old endpoint since the flip */
    frame_t to_old_began_in; /* the first of them */
    capture_ns_t to_old_began_at;
    frame_t to_old_first_frame; /* first packet of the other peer to the old endpoint later than the allowance; FRAME_NONE */
    frame_t to_old_last_frame;  /* the latest of them */
    bool is_followed;           /* the other peer has sent to the new endpoint */
    capture_ns_t back_at;       /* it had, and then sent to the old one; CAPTURE_TIME_NONE */
    duration_ns_t silence;      /* before it: nothing went over the old endpoint's mapping for so long */
    /* First answered exchange or two-way ESP with the new endpoint since the other peer last sent to the old one;
     * CAPTURE_TIME_NONE: none. What begins later than a moment after it has another reason. */
    capture_ns_t recovered_at;
    finding_t *finding; /* its nat_port_flip, to grade; borrowed; NULL: none */
    nat_grade_t grade_before_end;
} flip_t;

/* Why a tunnel no longer works, before anybody knows whether it comes back. */
typedef enum {
    LOSS_NONE,
    LOSS_GAVE_UP,    /* a peer gave up its IKE SA: a request stayed unanswered */
    LOSS_DELETED,    /* the only IKE SA was deleted in an orderly way */
    LOSS_REPLACED,   /* a peer started anew while the other still used the old SA */
    LOSS_CHILD_GONE, /* the last child SA ended after its rekey was refused */
} loss_kind_t;

typedef struct {
    loss_kind_t kind;
    capture_ns_t at; /* when it became certain, not when it began */
    frame_t frame;
    peer_t by; /* who gave up, deleted, started anew */
    confidence_t confidence;
    capture_ns_t last_proof_at; /* last proof before it that the tunnel worked both ways */
    frame_t last_proof_in;
    lead_in_t before;
    bool traffic;    /* ESP was flowing when it began, or was sent in the gap */
    bool seems_over; /* ESP in both directions has just begun on SAs that are newer */
} loss_t;

/* A stretch between two proofs that the tunnel works, in which it did not, or in which nobody can tell. */
typedef struct {
    capture_ns_t from, to;
    frame_t from_frame, to_frame;
    bool is_unknown;
} outage_t;

/* Trouble: from its beginning to the recovery. */
typedef struct {
    uint32_t index;
    capture_ns_t start, end;
    frame_t start_frame, end_frame;
    bool is_outage;           /* the tunnel did not work, as `loss` says */
    loss_t loss;              /* with what is known of the time before it */
    duration_ns_t down;       /* from the last proof that it worked to the first proof after */
    duration_ns_t down_least; /* from the first sign that it did not */
    bool recovered;
    finding_id_t root_cause;
    GPtrArray *chain;   /* const finding_t *, root cause first, borrowed */
    GPtrArray *rivals;  /* const finding_t *: what else may have been the root cause, the likeliest first, borrowed */
    rival_t evictor;    /* another client that pushes this one out, and is pushed out by it */
    char *would_decide; /* what would tell more about the cause; NULL: nothing */
    char *story;
    bool at_end; /* made by engine_finish(), taken back when the capture goes on */
} incident_t;

/* One tunnel never remembers more than this; beyond it the oldest goes. A gateway that rekeys hourly stays far below in a year.
 * The fuzzers set these and other limits low, for what lies beyond them. */
#ifndef IKE_SAS_PER_TUNNEL_MAX
#define IKE_SAS_PER_TUNNEL_MAX 512u
#endif
#ifndef ESP_SAS_PER_TUNNEL_MAX
#define ESP_SAS_PER_TUNNEL_MAX 2048u
#endif
#ifndef FINDINGS_PER_ID_MAX
#define FINDINGS_PER_ID_MAX 500u
#endif
#ifndef EXCHANGES_PER_TUNNEL_MAX
#define EXCHANGES_PER_TUNNEL_MAX 8192u
#endif
#ifndef WAITING_MAX
#define WAITING_MAX 256u
#endif
#ifndef OUTAGES_MAX
#define OUTAGES_MAX 512u
#endif
#define ADDRESS_KEYS_MAX 16u
#define DPD_RTTS_KEPT 4096u

/* Owned by the engine. */
typedef struct tunnel {
    /* what every packet needs comes first */
    uint32_t turn; /* counts what may have changed more than counts (steady.h); never 0 */
    frame_t last_frame;
    capture_ns_t last_time;
    activity_t activity;          /* its ESP over time */
    capture_ns_t births_due;      /* when lifetimes_t.birth can be judged; CAPTURE_TIME_NONE: there are none */
    capture_ns_t last_two_way_at; /* last ESP in both directions */
    capture_ns_t last_proof_at;   /* last packet that proves the tunnel worked both ways */
    frame_t last_two_way_in, last_proof_in;
    bool was_up;    /* the capture proved once that the tunnel works both ways */
    bool had_child; /* a child SA worked: two-way ESP, or a negotiation that made one */

    uint32_t index;
    uint32_t address_keys[ADDRESS_KEYS_MAX]; /* under which the engine finds it, by the addresses that its peers had */
    unsigned address_keys_used;
    bool is_evicted;   /* it is about to be forgotten, with others */
    bool has_returned; /* it was forgotten when little had been seen of it */
    peer_state_t peer[PEERS];
    GPtrArray *ike_sas;                                        /* owned ike_sa_t, oldest first */
    GPtrArray *esp_sas;                                        /* owned esp_sa_t, oldest first */
    GPtrArray *findings;                                       /* borrowed finding_t, in order of discovery */
    const finding_t *latest_finding[FINDING_COUNT][PEERS + 1]; /* by id and culprit (peer_t; PEER_UNKNOWN: of any), borrowed */
    unsigned finding_count[FINDING_COUNT];
    uint64_t findings_left_out;       /* not kept because one id had FINDINGS_PER_ID_MAX already */
    unsigned exchanges;               /* of all its IKE SAs */
    uint64_t exchanges_forgotten;     /* that are no longer remembered */
    uint32_t ike_sas_seen;            /* the next IKE SA's index; forgotten ones keep theirs */
    esp_toll_t forgotten_toll[PEERS]; /* of ESP SAs that are no longer remembered, by sender */
    GPtrArray *incidents;             /* owned incident_t */
    GArray *flips;                    /* flip_t, oldest first */
    GPtrArray *waiting;               /* borrowed exchange_t that wait for an answer */
    bool has_unreachable;             /* an ESP SA of it has `unreachable_in` set */

    frame_t first_frame;
    capture_ns_t first_time;
    bool udp_encapsulated, tcp_encapsulated; /* some packet was */
    unsigned path_tries_left;                /* it may be another one on new ports (sdwan.c): so often is that still looked at */

    /* children */
    children_t children; /* pairs of ESP SAs */
    struct {             /* a peer negotiated anew and said that it had no other IKE SA (INITIAL_CONTACT) */
        frame_t in;      /* FRAME_NONE: never */
        capture_ns_t at;
        uint32_t lineage; /* of that negotiation */
    } fresh_start[PEERS];
    bool has_unread_ike;                /* some negotiation may have been missed: not decrypted, cut, or not in the capture */
    uint32_t lineage;                   /* counts IKE SAs that were negotiated anew (not by rekey) */
    int live_children;                  /* pairs established and not deleted, as far as can be seen */
    proposal_t *accepted_child;         /* last child proposal chosen, when readable; owned; NULL */
    proposal_t *accepted_ike;           /* last IKE proposal chosen; owned; NULL */
    capture_ns_t last_child_success_at; /* last negotiation that made a child */
    selectors_t accepted_selectors;     /* of the last child made, when readable */
    selectors_t asked_selectors[PEERS]; /* what each peer asked for last, as initiator of the negotiation */
    unsigned ke_refused_in_a_row;       /* requests refused for their DH group since the last success */
    unsigned refused_in_a_row;          /* rekeys and child requests refused since the last success */
    frame_t first_refused_in;           /* the request that met the first of them */
    capture_ns_t first_refused_at;
    frame_t child_ended_in; /* a child ended after refusals while others went on, and was not made again; FRAME_NONE */
    capture_ns_t child_ended_at;

    lifetimes_t lifetimes;

    /* life */
    capture_ns_t redirected_at; /* the client was sent to another gateway (RFC 5685); CAPTURE_TIME_NONE: never */
    bool uses_eap;              /* a client of it authenticates by EAP: IKE_AUTH takes several rounds (RFC 7296 2.16) */
    rival_t rival;
    capture_ns_t lost_at;        /* when it was last found to be lost; CAPTURE_TIME_NONE: never */
    capture_ns_t first_proof_at; /* first packet that proves the tunnel worked both ways */
    frame_t first_proof_in;
    capture_ns_t last_answer_at; /* last answered exchange */
    frame_t last_answer_in;
    const char *last_answer_words;   /* what it was, for a sentence; static; NULL: none yet */
    capture_ns_t last_unanswered_at; /* last time a request was found unanswered */
    loss_t loss;                     /* LOSS_NONE while the tunnel works, as far as is known */
    GArray *outages;                 /* outage_t, oldest first; at most OUTAGES_MAX */
    unsigned flaps;

    GArray *icmp_reports; /* of icmp_report_t: ICMP errors about its packets, at most ICMP_REPORTS_MAX */

    bool is_in_syslog; /* of an SA of it `syslog.believed_in` may be set */

    /* what the capture shows of it */
    unsigned unseen_answers; /* requests evidently answered, though the answer is not in the capture */
    unsigned orphan_answers; /* answers to requests that are not in the capture */
    bool both_sides_of_nat;
    points_t *points;    /* the two places where its packets were captured; owned; NULL: one place, as far as is known */
    nat_detection_t nat; /* of the latest IKE SA in which both peers sent hashes, or of the latest with any */

    /* as it was before engine_finish() concluded from the end alone: restored when the capture goes on */
    struct {
        loss_t loss;
        capture_ns_t last_unanswered_at;
        unsigned rekeys_failed, dpd_unanswered;
    } before_end;

    /* counters for the tables */
    unsigned children_made;   /* negotiations that made a child SA */
    unsigned child_rekeys_ok; /* of `rekeys_ok`, those of a child */
    unsigned rekeys_ok, rekeys_failed, dpd_sent, dpd_unanswered;
    GArray *dpd_rtts; /* duration_ns_t */
} tunnel_t;

tunnel_t *tunnel_new(uint32_t index, const endpoint_t *a, const endpoint_t *b, frame_t frame, capture_ns_t time);
void tunnel_free(tunnel_t *tunnel);

/* What it has done last, up to now. */
lead_in_t tunnel_lead_in(const tunnel_t *tunnel);

/* Which peer has this address (ports are ignored)? PEER_UNKNOWN when neither or both. */
peer_t tunnel_peer_at(const tunnel_t *tunnel, const endpoint_t *endpoint);

/* Did its peers last send from these addresses, whoever from which? Ports are ignored. */
bool tunnel_is_between(const tunnel_t *tunnel, const endpoint_t *source, const endpoint_t *destination);

/* Its latest ESP SA with this SPI and sender, or NULL. A peer may choose a number again. */
esp_sa_t *tunnel_esp_sa(const tunnel_t *tunnel, uint32_t spi, peer_t sender);

/* The latest flip of `peer`, or NULL. */
flip_t *tunnel_latest_flip(const tunnel_t *tunnel, peer_t peer);

/* The IKE SA in use: the latest established one, else the latest; NULL: no IKE seen. */
ike_sa_t *tunnel_current_ike_sa(const tunnel_t *tunnel);

/* Enters a finding into the tunnel's list, and rebuilds what is derived from the list after findings were taken back. */
void tunnel_keep_finding(tunnel_t *tunnel, finding_t *finding);
void tunnel_recount_findings(tunnel_t *tunnel);

/* The latest finding of `id`, or NULL; with `culprit` other than PEER_UNKNOWN only one about that peer. */
const finding_t *tunnel_latest_finding(const tunnel_t *tunnel, finding_id_t id, peer_t culprit);

/* Was this peer ever seen sending? If not, its silence proves nothing: the capture may show one direction only. */
bool tunnel_shows_peer(const tunnel_t *tunnel, peer_t peer);

/* Does the capture show one direction only? Then an answer that is not there proves nothing. */
bool tunnel_is_one_direction(const tunnel_t *tunnel);

/* It carries traffic one way; that it works both ways such a capture could not show. */
bool tunnel_is_seen_one_way(const tunnel_t *tunnel);

/* A request for a child was accepted, or may have been unseen: what was refused before need not be what ends later. */
void tunnel_forget_refusals(tunnel_t *tunnel);

/* Has this peer sent anything, IKE or ESP, after `time`? */
bool tunnel_peer_sent_after(const tunnel_t *tunnel, peer_t peer, capture_ns_t time);

/* A request met silence, but its receiver was heard after the last try: it lives, and only this request was lost. */
bool tunnel_peer_lives(const tunnel_t *tunnel, const exchange_t *unanswered);

/* The latest ICMP error at or after `since` that says that what is sent to this address (ports are ignored) does not arrive; or NULL. */
const icmp_report_t *tunnel_undeliverable(const tunnel_t *tunnel, const endpoint_t *destination, capture_ns_t since);

/* Has an error like this ICMP error been seen at about its time? */
bool tunnel_has_icmp_about(const tunnel_t *tunnel, const packet_t *error);

/* Keeps what an IKE SA has shown about NATs. */
void tunnel_learn_nat(tunnel_t *tunnel, const nat_detection_t *nat);

/* What NAT detection says about this peer, and what its packets add to that. */
peer_nat_t tunnel_nat(const tunnel_t *tunnel, peer_t peer);

/* Refused for its DH group only, and not for ever: the requester may still agree to the wanted group (RFC 7296 1.3). */
bool tunnel_may_agree_on_group(const tunnel_t *tunnel, const exchange_t *refused);

/* The peer's address for a sentence: "192.0.2.1". Returns `buffer`. */
const char *tunnel_peer_text(const tunnel_t *tunnel, peer_t peer, char buffer[ENDPOINT_TEXT_MAX]);

#endif
