/* engine.h - the analysis as a whole: feed it packets in capture order, ask it what it found.
 *
 * Pure C11 and GLib. No clock of its own: only capture time counts. The caller feeds each packet once (its first visit)
 * and may ask at any time, any number of times, and always gets the same answer for a frame already fed, but for what
 * later frames add (response_in, retransmission_next, grades, end-of-capture findings).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_ENGINE_H
#define IPSEC_ENGINE_ENGINE_H

#include "engine/base.h"
#include "engine/esp/esp_sa.h"
#include "engine/finding.h"
#include "engine/ike/nat_detection.h"
#include "engine/packet.h"

#include <glib.h>

typedef struct engine engine_t;

/* Preferences. Seconds here and in the preference dialog only; the engine computes in nanoseconds. */
typedef struct {
    unsigned delete_grace_seconds;   /* ESP on a deleted SA is normal for this long (default 10) */
    unsigned one_way_seconds;        /* ESP in one direction only for longer than this is a finding (default 10) */
    unsigned restart_wait_seconds;   /* a tunnel deleted under traffic should be back within this (default 10) */
    unsigned rekey_interval_seconds; /* child SAs replaced more often than this, in the median, are churn (default 120) */
    unsigned replay_window;          /* of the receivers, in packets (RFC 4303 3.4.3; default 64, from 32 to 4096) */
    unsigned max_tunnels;            /* the oldest idle tunnel is evicted beyond this (default 131072) */
} engine_settings_t;

engine_settings_t engine_default_settings(void);

/* What is known about one frame: for the protocol subtree. Flat values and borrowed constant strings; owned by the engine,
 * valid until it is freed. Unused members: INDEX_NONE, FRAME_NONE, NULL, 0. */
typedef struct {
    frame_t frame;
    uint32_t tunnel;
    uint32_t ike_sa;      /* index within the tunnel */
    uint32_t child_sa;    /* index of the ESP SA generation within the tunnel */
    const char *exchange; /* "ike_sa_init", "child_rekey", ...; static */
    confidence_t exchange_confidence;
    frame_t request_in;               /* on a response */
    frame_t response_in;              /* on a request; becomes known later */
    duration_ns_t exchange_time;      /* first transmission of the request to the response; on both; 0: unknown */
    frame_t retransmission_of;        /* the first transmission */
    frame_t retransmission_next;      /* on every transmission but the last; becomes known later */
    unsigned retransmission_count;    /* 1 for the first repeat */
    duration_ns_t retransmission_rto; /* since the previous transmission */
    frame_t spi_first_seen_in;        /* ESP only */
    frame_t spi_announced_in;
    frame_t spi_deleted_in;
    const char *nat_source; /* what the message's NAT detection hashes say about its addresses; static */
    const char *nat_destination;
    bool is_copy; /* the capture holds this packet twice; this is the second copy */
    bool is_malformed;
    GPtrArray *findings; /* of const finding_t *, borrowed; NULL: none */
} frame_note_t;

engine_t *engine_new(const engine_settings_t *settings);
void engine_free(engine_t *engine);

/* Says that the capture goes on: call it for every frame, IPsec or not, before its packets. */
void engine_frame(engine_t *engine, frame_t frame, capture_ns_t time);

/* Says on which interface a frame was captured (capture_point_t), of whatever protocol. True: the first of that interface, which may
 * be given its number and name (NULL: it has none) then. */
bool engine_interface_heard(engine_t *engine, uint32_t interface, capture_ns_t time);
void engine_interface_name(engine_t *engine, uint32_t interface, unsigned number, const char *name);

/* Feeds one packet. Returns the frame's note (IKE, keepalive, ICMP errors, flagged ESP), or NULL for an unflagged ESP
 * packet and for one that is not IPsec after all. Several packets in one frame share the note of the first. */
const frame_note_t *engine_packet(engine_t *engine, const packet_t *packet);

/* The note of a frame fed before, or NULL. */
const frame_note_t *engine_note(const engine_t *engine, frame_t frame);

/* Fills `ret_note` for an ESP packet of a frame fed before (flagged or not), from its SPI and addresses.
 * False: not known. `ret_note->findings` is borrowed or NULL. */
bool engine_note_esp(const engine_t *engine, frame_t frame, const endpoint_t *source, const endpoint_t *destination, uint32_t spi,
                     frame_note_t *ret_note);

/* The capture has ended here for now: judges what only the end reveals and closes incidents. May be called again; what the
 * last call added is taken back when another packet is fed. */
void engine_finish(engine_t *engine);

/* All findings, by frame, then in order of discovery. Borrowed array of const finding_t *, valid until the next packet. */
const GPtrArray *engine_findings(const engine_t *engine);

/* ---- per-tunnel answers; call engine_finish() first ---- */

typedef enum { TUNNEL_HEALTHY, TUNNEL_DEGRADED, TUNNEL_FLAPPING, TUNNEL_DOWN, TUNNEL_UNKNOWN } tunnel_state_t;
const char *tunnel_state_text(tunnel_state_t state); /* "healthy", "degraded", "flapping", "down", "unknown" */

typedef struct {
    endpoint_t first;     /* where the peer was first seen (IKE or ESP) */
    endpoint_t last;      /* where it was last seen sending */
    char identity[64];    /* IKE identity when decrypted; empty: not known */
    uint64_t esp_packets; /* sent by this peer */
    uint64_t esp_bytes;   /* ESP bytes from the SPI on, as reported on the wire */
    esp_toll_t esp_toll;  /* of what this peer sent */
    peer_nat_t nat;
} peer_row_t;

/* One tunnel as a row of the table. */
typedef struct {
    uint32_t tunnel;
    peer_row_t peer[PEERS];
    unsigned ike_version;  /* 1, 2; 0: no IKE seen */
    bool udp_encapsulated; /* NAT traversal in use */
    bool tcp_encapsulated; /* at least some of it came over TCP (RFC 9329) */
    tunnel_state_t state;
    unsigned flaps;
    double down_seconds;
    double availability;         /* 0 to 1: time up of the time known; negative: unknown */
    double degraded_seconds;     /* up, but traffic of one direction was lost */
    double known_seconds;        /* the time of which the capture proves something */
    bool came_up;                /* the capture proves once that it works both ways */
    unsigned ike_sas, child_sas; /* seen */
    unsigned rekeys_ok, rekeys_failed;
    unsigned dpd_sent, dpd_unanswered;
    double dpd_median_rtt; /* seconds; negative: none answered */
    unsigned port_flips;
    frame_t first_frame, last_frame;
    capture_ns_t first_time, last_time;
    const finding_t *worst; /* the most severe, then first finding; NULL: none */
} tunnel_row_t;

/* Tunnels seen; their indices are below this. */
unsigned engine_tunnel_count(const engine_t *engine);
unsigned engine_tunnels_kept(const engine_t *engine); /* how many of them still are: engine_tunnel_is_kept() */

/* False: the tunnel was evicted (settings.max_tunnels) and has no row any more. */
bool engine_tunnel_is_kept(const engine_t *engine, uint32_t tunnel);

void engine_tunnel_row(const engine_t *engine, uint32_t tunnel, tunnel_row_t *ret_row);

/* What the capture proves of a stretch of time. PERIOD_DEGRADED: the tunnel is there, but traffic of one direction is
 * lost. */
typedef enum { PERIOD_UNKNOWN, PERIOD_UP, PERIOD_DEGRADED, PERIOD_DOWN, PERIOD_STATES } period_state_t;
const char *period_state_text(period_state_t state); /* "unknown", "up", "degraded", "down" */

typedef struct {
    period_state_t state;
    capture_ns_t from, to;
    frame_t from_frame, to_frame;
} period_row_t;

/* The tunnel's periods from its first packet to the end of the capture, oldest first: an array of period_row_t that the caller frees. */
GArray *engine_periods(const engine_t *engine, uint32_t tunnel);

/* An outage, or trouble that led to one: from the first trouble to the recovery. */
typedef struct {
    uint32_t tunnel, incident;
    capture_ns_t start, end; /* `end` is CAPTURE_TIME_NONE while it lasts */
    frame_t start_frame, end_frame;
    bool is_outage;            /* the tunnel did not work; else it was up, but in trouble */
    double down_seconds;       /* between the last and the first proof that the tunnel works both ways: at most so long */
    double down_least_seconds; /* from the first sign that it does not: at least so long */
    frame_t last_good_frame;   /* the last proof before it; FRAME_NONE: there is none in the capture */
    capture_ns_t last_good;
    lead_in_t before; /* what the tunnel had done last, before the trouble */
    bool recovered;
    finding_id_t root_cause;
    const char *root_words; /* what it is; where two clients push each other out, that. Static */
    unsigned chain_length;
    const finding_t *chain[16]; /* root cause first; distinct ids; borrowed */
    confidence_t root_confidence;
    const finding_t *rival[4]; /* what else may have been the root cause, the likeliest first; borrowed */
    unsigned rivals;
    const char *would_decide;      /* what would tell more about the cause, a sentence; NULL: nothing */
    const char *const *check_next; /* of the root cause, NULL-terminated; static */
    const char *story;             /* one paragraph, borrowed */
} incident_row_t;

unsigned engine_incident_count(const engine_t *engine, uint32_t tunnel);
void engine_incident_row(const engine_t *engine, uint32_t tunnel, uint32_t incident, incident_row_t *ret_row);

/* Which incident of the tunnel does a frame of it belong to? INDEX_NONE: none. Its time before the first trouble does not count. */
uint32_t engine_incident_at(const engine_t *engine, uint32_t tunnel, frame_t frame);

/* How a child SA ended, as far as the capture shows. */
typedef enum {
    CHILD_IN_USE,   /* until the capture ends */
    CHILD_IDLE,     /* nothing for a minute before that */
    CHILD_UNUSED,   /* no packet in the capture */
    CHILD_REPLACED, /* by a rekey, or another one took over; no DELETE seen */
    CHILD_DELETED,
    CHILD_GONE_WITH_IKE_SA, /* the IKE SA that had it was deleted */
    CHILD_UNKNOWN,          /* without keys: which of several SPIs are its cannot be told */
} child_end_t;
const char *child_end_text(child_end_t end); /* "in_use", "idle", "unused", "replaced", "deleted", "ike_sa_deleted", "unknown" */

/* One direction of a child SA. */
typedef struct {
    uint32_t spi; /* 0: not seen, or not known */
    uint64_t packets, bytes;
    frame_t first_frame, last_frame, announced_in, deleted_in;
} child_sa_direction_t;

/* One generation of child SAs: two SPIs, one each way. */
typedef struct {
    uint32_t child_sa;                /* `ipsec.child_sa`; INDEX_NONE: an SPI of which nobody can tell to which pair it belongs */
    confidence_t confidence;          /* observed: the negotiation was read */
    child_sa_direction_t from[PEERS]; /* by sender */
    frame_t made_in;                  /* the answer of the exchange that made it; FRAME_NONE: not in the capture, or not known */
    const char *exchange;             /* "ike_auth", "child_rekey", ...; NULL: not known. Static */
    confidence_t exchange_confidence;
    peer_t asked_by;                /* of that exchange: who made or rekeyed it */
    uint32_t ike_sa;                /* on which it was made; INDEX_NONE */
    uint32_t replaces, replaced_by; /* INDEX_NONE: none, or not known */
    peer_t replacement_asked_by;
    frame_t born_in;               /* the answer, else the first packet; FRAME_NONE: before the capture */
    capture_ns_t born_at, last_at; /* last_at: of its latest packet; CAPTURE_TIME_NONE: none */
    frame_t last_frame;
    child_end_t end;
    frame_t ended_in; /* FRAME_NONE: it has not ended, or no frame says so */
    capture_ns_t ended_at;
    peer_t ended_by;
    confidence_t end_confidence;
    double lifetime; /* seconds from its birth to its end, or else to its last packet; negative: not known */
} child_sa_row_t;

/* The tunnel's generations, oldest first, then SPIs of unknown pairs. An array of child_sa_row_t, to be freed by the caller. */
GArray *engine_child_sas(const engine_t *engine, uint32_t tunnel);

/* A request that was repeated and still waits for its answer where the capture ends. */
typedef struct {
    const char *exchange; /* "dpd", "child_rekey", ...; static */
    const char *words;    /* for a sentence: "liveness check (DPD)"; static */
    peer_t requester;
    frame_t first_frame, last_frame; /* of its transmissions */
    capture_ns_t first_time, last_time;
    unsigned transmissions;
    double first_gap;                      /* seconds from the first transmission to the second */
    double ratio;                          /* of each gap to the one before; 0: unknown */
    capture_ns_t next_try_at, gives_up_at; /* as its timer has it; CAPTURE_TIME_NONE: not known */
    const char *family;                    /* of implementations whose defaults look like this timer: a hint. Static; NULL: none */
} waiting_row_t;

unsigned engine_waiting_count(const engine_t *engine, uint32_t tunnel);
void engine_waiting_row(const engine_t *engine, uint32_t tunnel, uint32_t which, waiting_row_t *ret_row);

/* ---- what a timeline of a tunnel shows; call engine_finish() first ---- */

/* ESP packets and bytes (from the SPI on) that each peer sent in one bin of time. */
typedef struct {
    uint64_t bytes[PEERS];
    uint32_t packets[PEERS];
} activity_bin_t;

#define ACTIVITY_BINS 128u

/* The ESP of a tunnel over time: at most ACTIVITY_BINS bins of equal width, as narrow as its length allows. */
typedef struct {
    capture_ns_t from; /* where bin[0] begins; CAPTURE_TIME_NONE: no ESP, or none with a time */
    duration_ns_t width;
    unsigned bins;
    const activity_bin_t *bin; /* borrowed, until the next packet */
} activity_row_t;

void engine_activity_row(const engine_t *engine, uint32_t tunnel, activity_row_t *ret_row);

/* How an exchange ended, as far as the capture shows it. */
typedef enum {
    RESULT_ANSWERED,
    RESULT_REFUSED,
    RESULT_UNANSWERED,    /* its requester gave up */
    RESULT_WAITING,       /* when the capture ended */
    RESULT_ANSWER_UNSEEN, /* its requester went on as if answered */
    RESULT_NOTHING_DUE,   /* IKEv1: no answer is due */
    EXCHANGE_RESULTS
} exchange_result_t;
const char *exchange_result_text(exchange_result_t result); /* "answered", "refused", "unanswered", ...; static */

#define SENDINGS_SHOWN 16u

/* A request, its repeats and its answer. IKEv1: a phase, whose messages take turns; its sendings are those of the last turn. */
typedef struct {
    const char *exchange; /* "dpd", "child_rekey", ...; static */
    const char *words;    /* for a sentence; static */
    confidence_t confidence;
    peer_t initiator; /* who sent its first message */
    exchange_result_t result;
    frame_t first_frame;
    capture_ns_t first_time;
    unsigned transmissions;
    unsigned sendings; /* used in these two */
    frame_t sent_in[SENDINGS_SHOWN];
    capture_ns_t sent_at[SENDINGS_SHOWN];
    frame_t answer_frame;   /* FRAME_NONE: no answer in the capture */
    capture_ns_t last_time; /* of its answer, or of its last transmission */
} exchange_row_t;

/* The exchanges of a tunnel in the order in which they began: an array of exchange_row_t that the caller frees. */
GArray *engine_exchanges(const engine_t *engine, uint32_t tunnel);

/* Exchanges of the tunnel that are no longer remembered. */
uint64_t engine_exchanges_forgotten(const engine_t *engine, uint32_t tunnel);

/* Figures about the capture as a whole. */
typedef struct {
    uint64_t frames, ike_messages, esp_packets, keepalives, icmp_errors, copies, elsewhere, malformed;
    uint64_t syslog_lines; /* that report a packet with an invalid SPI */
    uint64_t tunnels_evicted;
    uint64_t findings_left_out; /* of tunnels that have too many of one id, or of too many SPIs that are not in the capture */
    frame_t first_frame, last_frame;
    capture_ns_t first_time, last_time; /* CAPTURE_TIME_NONE: no frame had a time */
} capture_row_t;

void engine_capture_row(const engine_t *engine, capture_row_t *ret_row);

#endif
