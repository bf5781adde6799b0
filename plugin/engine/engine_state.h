/* engine_state.h - the engine's own state, shared by its .c files and by nobody else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_STATE_H
#define IPSEC_ENGINE_STATE_H

#include "engine/change.h"
#include "engine/engine.h"
#include "engine/esp/spi_index.h"
#include "engine/findings.h"
#include "engine/points/copies.h"
#include "engine/points/interfaces.h"
#include "engine/points/sightings.h"
#include "engine/tunnel.h"

/* No tunnel in use is silent for so long: a capture without any frame meanwhile was interrupted. */
#define INTERRUPTION SECONDS(86400)

/* More of them in one file are not told apart from one long silence. */
#define INTERRUPTIONS_MAX 256u

/* Of so many lines about unknown SPIs it is remembered that the SA may come next. */
#define RECENT_STRAYS 16u

/* For the sequence numbers of all ESP SAs together: 7,000 SAs with the largest window each. */
#ifndef SEQUENCE_BYTES_MAX
#define SEQUENCE_BYTES_MAX (64u << 20)
#endif
/* IKE messages that came again long after, between other addresses: a NAT and two clocks, or a peer that moves? */
typedef struct {
    endpoint_t source, destination, first_source, first_destination;
    uint64_t fingerprint; /* of the last one */
    unsigned messages;
} other_side_t;

struct engine {
    engine_settings_t settings;
    GPtrArray *tunnels;             /* owned tunnel_t; index = position; an evicted one is NULL */
    GHashTable *free_numbers;       /* indices of tunnels that turned out to be part of others; the last ones are given again */
    GPtrArray *kept_tunnels;        /* those that are not evicted, in any order; borrowed */
    GHashTable *paths;              /* number of a pair of endpoints -> index + 1 of the tunnel that used them last */
    GHashTable *tunnels_by_address; /* address pair hash -> GSList of tunnel_t, borrowed */
    GHashTable *forgotten_pairs;    /* of endpoints, by number (register.c) */
    GHashTable *redirections;       /* address hash of a client -> where and when it was sent last (neighbours.c) */
    GHashTable *ike_sas_by_spi;     /* SPIi -> GSList of ike_sa_t, borrowed */
    spi_index_t *esp_sas_by_spi;    /* newest first, borrowed */
    GHashTable *notes;              /* frame -> frame_note_t, owned */
    frame_t latest_noted;           /* the latest frame that has one */
    GPtrArray *findings;            /* owned finding_t, in order of discovery */
    GPtrArray *sorted_findings;     /* borrowed, by frame */
    bool findings_changed;
    unsigned packets_since_room, tunnels_since_limit;
    unsigned findings_wanted; /* more of them than this, and those of evicted tunnels go */
    copies_t *copies;
    sequence_budget_t sequence_budget;
    sightings_t *sightings;
    interfaces_t *interfaces;
    unsigned tunnels_at_two_points; /* so many have been seen at two places */
    uint32_t latest_at_two_points;  /* index of the one that was last */
    other_side_t other_side;
    capture_row_t capture;

    /* the clock (only capture time counts, and it may be useless) */
    capture_ns_t latest;      /* latest time seen */
    frame_t same_time_frames; /* frames in a row with the very same time */
    capture_ns_t previous_time;
    bool clock_is_unusable;
    duration_ns_t silence; /* between the present frame and the one before */
    GArray *interruptions; /* capture_ns_t of the last frame before each, in capture order; at most INTERRUPTIONS_MAX */

    GPtrArray *sleepers[CHANGE_KINDS]; /* borrowed detector_t that wake on the change of this bit, in order of judgement */

    bool is_finished;
    GPtrArray *abandoned_at_end;  /* borrowed exchange_t that only the end of the capture showed as given up */
    unsigned findings_before_end; /* findings in `findings` when engine_finish() began */
    GHashTable *strays;           /* of lines about SPIs that are not in the capture (syslog_line.c) */
    syslog_line_t recent_strays[RECENT_STRAYS];
    unsigned strays_seen;    /* the next goes into the slot of this number */
    GPtrArray *untied;       /* borrowed finding_t of no tunnel, in order of discovery */
    endpoint_t outer_source; /* of the packet being handled, as captured: no alias of copies.h replaced */
    endpoint_t outer_destination;
};

struct findings {
    engine_t *engine;
    tunnel_t *tunnel; /* NULL: of none */
    const change_t *change;
};

/* across.c: is this packet, new or a copy so far, the copy of one that another place has shown long before, or has it come too late
 * to count? `packet` may be given another time then. */
copy_kind_t engine_across_points(engine_t *engine, const packet_t *captured, packet_t *packet, copy_kind_t copy,
                                 const first_copy_t *first);

/* across.c: could the ESP packet have been captured elsewhere, or does it matter where it was? */
bool engine_is_seen_once(const engine_t *engine, const packet_t *packet, const first_copy_t *first);

/* across.c: remembers it as such. */
void engine_keep_seen_once(engine_t *engine, const packet_t *packet, const first_copy_t *first);

/* across.c: the packet has been dealt with: notes at which place it was seen. `captured`: with its own time. */
void engine_note_point(engine_t *engine, const packet_t *captured, const packet_t *packet);

/* across.c: until when would the place have shown another packet of the tunnel, by the clock that the analysis follows? */
capture_ns_t engine_points_watched_until(const engine_t *engine, const tunnel_t *tunnel, capture_ns_t end);

/* findings.c -> engine.c; `tunnel` NULL: a finding of none */
void engine_keep_finding(engine_t *engine, tunnel_t *tunnel, finding_t *finding);

/* findings.c: at the end of the capture the texts of findings that went on say for how long; taken back when the capture goes on. */
void engine_say_how_it_went_on(const GPtrArray *findings);
void engine_unsay_how_it_went_on(const GPtrArray *findings);

/* findings.c: and, where two places captured the tunnel, between which of them something was lost; taken back with the rest. */
void engine_say_where_lost(const engine_t *engine, tunnel_t *tunnel);

/* findings.c: is `cause` of a kind, and of a time, that leads to `effect`? */
bool finding_may_explain(const finding_t *cause, const finding_t *effect);

/* findings.c: findings of this id on this frame turned out not to have counted: they become Notes, and say why. */
void engine_tone_down(engine_t *engine, tunnel_t *tunnel, finding_id_t id, frame_t frame, const char *why);

/* findings.c: the same for all that was found about this exchange. */
void engine_tone_down_exchange(tunnel_t *tunnel, const exchange_t *exchange, const char *why);

/* Runs every detector that wakes on this change. Fills in what all changes share. `tunnel` may be NULL where the kind says so. */
void engine_judge(engine_t *engine, tunnel_t *tunnel, change_t *change);

/* Until when would the capture have shown another packet of this tunnel? Its end, or the first interruption after the tunnel's last
 * packet: a capture may be put together from several. */
capture_ns_t engine_watched_until(const engine_t *engine, const tunnel_t *tunnel);
void engine_free_finding(gpointer finding);

/* The note of a frame, made if it has none. */
frame_note_t *engine_note_for(engine_t *engine, frame_t frame);

/* naming.c: gives an exchange another name, on all its frames. */
void engine_name_exchange(engine_t *engine, exchange_t *exchange, exchange_kind_t kind, confidence_t confidence);

/* A CREATE_CHILD_SA turned out, in this frame, to have replaced the IKE SA. */
void engine_was_ike_rekey(engine_t *engine, exchange_t *exchange, frame_t frame, capture_ns_t time);

/* What a later request on the same IKE SA, or a new ESP SA, says about an answered CREATE_CHILD_SA that is not told apart yet. */
void engine_name_by_next(engine_t *engine, const exchange_t *next);
void engine_name_by_child_delete(engine_t *engine, const exchange_t *deletion);
void engine_name_by_new_esp(engine_t *engine, const tunnel_t *tunnel, capture_ns_t time);

/* ike.c: accounts for an IKE message. NULL: not IKE after all. */
tunnel_t *engine_ike_packet(engine_t *engine, const packet_t *packet, frame_note_t **ret_note);

/* ike.c: the copy of an IKE message from the other side of a NAT. */
void engine_ike_copy(engine_t *engine, const packet_t *packet, frame_note_t *note);

/* esp.c: accounts for an ESP packet. */
tunnel_t *engine_esp_packet(engine_t *engine, const packet_t *packet);

/* esp.c: the same for a packet of `sa` that needs only to be counted (steady.h). */
void engine_esp_goes_on(engine_t *engine, esp_sa_t *sa, const packet_t *packet);
esp_sa_t *engine_find_esp_sa(const engine_t *engine, uint32_t spi, const endpoint_t *source, const endpoint_t *destination,
                             frame_t frame);
esp_sa_t *engine_add_esp_sa(engine_t *engine, tunnel_t *tunnel, uint32_t spi, peer_t sender);

/* associate.c: the tunnel that was last seen between these very endpoints, or NULL. */
tunnel_t *engine_tunnel_between_endpoints(const engine_t *engine, const endpoint_t *source, const endpoint_t *destination);

/* sdwan.c: a tunnel without IKE has begun between endpoints that were not seen before: it may be another one on new ports. */
void engine_watch_path(tunnel_t *tunnel);

/* Is it? Call it when a packet of the tunnel is accounted for. Returns the tunnel that the packet belongs to now; if that is another one,
 * `tunnel` is no more. */
tunnel_t *engine_settle_path(engine_t *engine, tunnel_t *tunnel, const packet_t *packet);

/* syslog_line.c: holds log lines against the capture. */
GHashTable *syslog_strays_new(void);
void engine_syslog_packet(engine_t *engine, const packet_t *packet);

/* This packet is the first of its SA: a line right before it may have been about it. */
void engine_claim_strays(engine_t *engine, esp_sa_t *sa, const packet_t *packet);

/* A packet of this SA was seen: a line about the pair may turn out not to have counted. */
void engine_doubt_syslog(engine_t *engine, const esp_sa_t *seen);
/* path.c: what the path says about a tunnel's packets, and what it does to large ones. */
tunnel_t *engine_icmp_error(engine_t *engine, const packet_t *packet);
tunnel_t *engine_esp_fragment(engine_t *engine, const packet_t *packet);
void engine_path_of_esp(engine_t *engine, esp_sa_t *sa, const packet_t *packet);

/* ike.c: the IKE SA of a message of which there is the header only, perhaps in part; or NULL. */
ike_sa_t *engine_find_quoted_ike_sa(const engine_t *engine, const packet_t *packet);

/* associate.c: which tunnel? */
typedef enum { SOURCE_UNKNOWN, SOURCE_OF_HOST } source_owner_t; /* perhaps a NAT's, or the initiator's own as its hash proves */
tunnel_t *engine_tunnel_for_initiation(engine_t *engine, const packet_t *packet, source_owner_t owner);
tunnel_t *engine_tunnel_for_packet(engine_t *engine, const packet_t *packet);
bool engine_has_endpoints(const tunnel_t *tunnel, const packet_t *packet);

/* The only tunnel between these addresses that has just made a child SA, or may have done so unseen, whatever the ports: the NAT may have changed them meanwhile. For
 * ESP whose SPI and ports nobody knows; or NULL. */
tunnel_t *engine_tunnel_with_new_child(const engine_t *engine, const packet_t *packet);

/* Forgets what all tunnels together have too much of. Call it between packets. */
void engine_make_room(engine_t *engine);

/* ike.c: forgets IKE SAs until `left` are left, first those that are no longer in use. */
void engine_forget_ike_sas(engine_t *engine, tunnel_t *tunnel, unsigned left);

/* A packet of the tunnel went between these endpoints. */
void engine_note_path(engine_t *engine, const tunnel_t *tunnel, const endpoint_t *a, const endpoint_t *b);

/* SAs whose SPI too many have, looked for by addresses; or NULL. */
esp_sa_t *engine_esp_sa_between(const engine_t *engine, uint32_t spi, const endpoint_t *source, const endpoint_t *destination);
ike_sa_t *engine_ike_sa_between(const engine_t *engine, const packet_t *packet, const ike_message_t *message);

/* SAs with one SPI that are looked at one by one. */
#ifndef NAMESAKES
#define NAMESAKES 256u
#endif
void engine_adopt_by_endpoint(engine_t *engine, ike_sa_t *ike_sa, const packet_t *packet);
/* An IKE SA has come up: it may push out that of another client between the same addresses. */
void engine_note_rivals(engine_t *engine, const tunnel_t *tunnel, frame_t frame, capture_ns_t time);

/* The client between the same addresses that seems to have pushed this one out when `incident` began; its tunnel is INDEX_NONE: none. */
rival_t engine_evictor(const engine_t *engine, const tunnel_t *tunnel, const incident_t *incident);

/* This IKE_SA_INIT says that another gateway sent its sender here: the sender's other tunnels end on purpose. That is recalled when the capture
 * ends, for there may be many of them. */
void engine_note_redirected(engine_t *engine, const tunnel_t *tunnel, peer_t client, capture_ns_t time);
void engine_recall_redirection(const engine_t *engine, tunnel_t *tunnel);

/* Of more tunnels between two addresses (clients behind one NAT, a flood of ports), only so many are looked at one by one. */
#ifndef CROWD
#define CROWD 256u
#endif

/* register.c: the tunnels between two addresses, of tunnel_t, the latest first. There may be others among them: whoever looks up
 * compares. Borrowed. */
GSList *engine_tunnels_between(const engine_t *engine, const endpoint_t *a, const endpoint_t *b);

/* The tunnel is no longer found by its addresses. */
void engine_unlist_tunnel(engine_t *engine, tunnel_t *tunnel);

/* The tunnel turned out to be part of another one, its heir, which has taken its SAs and findings. Frees it. */
void engine_forget_tunnel(engine_t *engine, tunnel_t *tunnel, const tunnel_t *heir);

/* A peer has moved: the tunnel is found by its new addresses too. */
void engine_list_tunnel(engine_t *engine, tunnel_t *tunnel);

bool engine_has_successor_over_tcp(const engine_t *engine, const ike_sa_t *ike_sa, const packet_t *packet);
tunnel_t *engine_add_tunnel(engine_t *engine, const endpoint_t *a, const endpoint_t *b, frame_t frame, capture_ns_t time);

/* Takes an SA out of the look-up tables; its tunnel frees it. */
void engine_unlink_ike_sa(engine_t *engine, ike_sa_t *ike_sa);
void engine_unlink_esp_sa(engine_t *engine, esp_sa_t *sa);

/* nat.c: where peers send from. */
void engine_account_sender(engine_t *engine, tunnel_t *tunnel, peer_t sender, const packet_t *packet);

/* The same for a packet that only needs to be counted (steady.h): everybody is where he was. */
void engine_account_steady_sender(tunnel_t *tunnel, peer_t sender, const packet_t *packet);
void engine_check_move(engine_t *engine, tunnel_t *tunnel, peer_t sender, endpoint_t *sa_source, const packet_t *packet,
                       const change_t *context);

/* Keeps a move that was found out afterwards, and tells the detectors. */
void engine_tell_move(engine_t *engine, tunnel_t *tunnel, const flip_t *flip, const packet_t *packet);

/* A client that was silent while its NAT mapping changed shows the change only when it comes back with a new IKE SA. */
void engine_check_return(engine_t *engine, tunnel_t *tunnel, peer_t sender, const ike_sa_t *ike_sa, const packet_t *packet,
                         const change_t *context);

/* Does this endpoint of `receiver` lie behind a mapping that it left more than a moment before `time`, for IKE or ESP (`kind`)? */
bool engine_is_stale(const tunnel_t *tunnel, peer_t receiver, packet_kind_t kind, const endpoint_t *endpoint, capture_ns_t time);

/* The IKE exchange was answered, or ESP went both ways, with `peer` at this endpoint: if it moved there, the move is overcome. */
void engine_flip_is_overcome(tunnel_t *tunnel, peer_t peer, const endpoint_t *endpoint, capture_ns_t time);
void engine_flips_overcome_by_answer(tunnel_t *tunnel, const exchange_t *exchange, const packet_t *answer);

/* The request was never answered: a flip that it fell victim to was harmful. Call it when the detectors have judged. */
void engine_flips_blame(tunnel_t *tunnel, const exchange_t *exchange);

/* A packet of `sender` was captured on both sides of a NAT: does it still leave from the same port there, or get in from there? */
void engine_watch_far_side(engine_t *engine, tunnel_t *tunnel, peer_t sender, const packet_t *copy, const change_t *context);

/* nat_mapping.c: an IKE or ESP packet, or a NAT keepalive, used the mappings of the peers' NATs. */
void engine_use_mappings(tunnel_t *tunnel, peer_t sender, const packet_t *packet);
void engine_use_far_side(tunnel_t *tunnel, peer_t sender, const endpoint_t *source, capture_ns_t time);
void engine_let_in(tunnel_t *tunnel, peer_t receiver, capture_ns_t time);
void engine_keepalive_sent(tunnel_t *tunnel, peer_t sender, const packet_t *packet);

/* nat_mapping.c: the peer has another endpoint: for how long had its old mapping been silent? */
duration_ns_t engine_silence_before_flip(tunnel_t *tunnel, peer_t peer, const endpoint_t *new_endpoint, capture_ns_t time);

/* An announced move: the peer's other SAs will follow, and that is no flip. */
void engine_note_move(tunnel_t *tunnel, peer_t sender, endpoint_t *sa_source, const packet_t *packet);

/* lines.c: a new IKE SA took over from a live one. */
void engine_line_of_reauthentication(engine_t *engine, tunnel_t *tunnel, const ike_sa_t *successor, frame_t frame,
                                     capture_ns_t time);

/* lines.c: enters a replacement and tells the detectors. `context`: what is known about the moment. */
void engine_replaced(engine_t *engine, tunnel_t *tunnel, line_t *line, const replacement_t *replacement, const change_t *context);

/* sequence_watch.c: enters the sequence number of an SA's next packet, before the packet is counted. Returns what that reveals, as bits
 * of sequence.h; then lets the detectors judge it. `context`: what is known about the moment. */
unsigned engine_enter_sequence(engine_t *engine, esp_sa_t *sa, const packet_t *packet, uint32_t number);
void engine_judge_sequence(engine_t *engine, esp_sa_t *sa, unsigned revealed, const change_t *context);

/* succession.c: an ESP packet may show that one SPI took over from another. Call it when the packet is accounted for. */
void engine_follow_spis(engine_t *engine, esp_sa_t *sa, const packet_t *packet, bool is_first);

/* life.c: up or down. */
void life_proved(tunnel_t *tunnel, capture_ns_t time, frame_t frame);
void life_goes_on(tunnel_t *tunnel, capture_ns_t time, frame_t frame); /* by two-way ESP while nothing is lost (steady.h) */
void life_proved_by_esp(engine_t *engine, const esp_sa_t *sa, capture_ns_t time, frame_t frame, const packet_t *packet);
void life_lost(tunnel_t *tunnel, loss_kind_t kind, peer_t by, confidence_t confidence, frame_t frame, capture_ns_t time);
void life_established(engine_t *engine, ike_sa_t *ike_sa, frame_t frame, capture_ns_t time);
void life_child_up(engine_t *engine, tunnel_t *tunnel, frame_t frame, capture_ns_t time);
void life_child_down(tunnel_t *tunnel, peer_t by, frame_t frame, capture_ns_t time, confidence_t confidence);
bool life_traffic_was_flowing(const tunnel_t *tunnel, capture_ns_t time);

/* abandon.c: what time alone reveals: requests whose sender has stopped trying. Not those of `spared` (NULL: none), the IKE SA of a
 * message that is yet to be looked at: it may be the answer, another try, or proof that there was an answer. */
void engine_advance(engine_t *engine, tunnel_t *tunnel, const ike_sa_t *spared, frame_t frame, capture_ns_t now, bool at_end);
void engine_abandon(engine_t *engine, exchange_t *exchange, abandoned_t how, frame_t frame, capture_ns_t time, bool at_end);

/* unseen.c: a packet of this SA came while the other direction of its pair flows. If they began after an IKE_AUTH that nothing answered,
 * its answer is just not in the capture. */
void engine_traffic_shows_answer(const esp_sa_t *sa, frame_t frame);

/* unseen.c: the latest IKE SA, if nothing but the traffic on this SA shows that it came up; or NULL. */
ike_sa_t *engine_came_up_unseen(const esp_sa_t *sa);

/* incident.c: groups the findings of an outage and tells its story. */
bool finding_did_no_harm(
    const finding_t *finding); /* as far as the capture shows: a port flip that is worth knowing, for the NAT may do it again */
void incident_close(engine_t *engine, tunnel_t *tunnel, const finding_t *last, const loss_t *loss, bool recovered);
void incidents_finish(engine_t *engine, tunnel_t *tunnel);
void incidents_reopen(tunnel_t *tunnel);
uint32_t incident_at(const tunnel_t *tunnel, frame_t frame); /* INDEX_NONE: in none */

/* What had worked before it; not the DELETE that ended the tunnel. */
lead_in_t incident_lead_in(const incident_t *incident);

/* story.c */
char *story_tell(const tunnel_t *tunnel, const incident_t *incident, const GPtrArray *members);

#endif
