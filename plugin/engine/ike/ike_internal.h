/* ike_internal.h - what ike.c, ike_v1.c and ike_v2.c share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_INTERNAL_H
#define IPSEC_ENGINE_IKE_INTERNAL_H

#include "engine/engine_state.h"

/* One IKE message on its way through the engine. */
typedef struct {
    engine_t *engine;
    const packet_t *packet;
    const ike_message_t *message;
    ike_sa_t *ike_sa;
    tunnel_t *tunnel;
    peer_t sender;
    frame_note_t *note;
} ike_step_t;

/* A change about this step, everything shared filled in. */
change_t step_change(const ike_step_t *step, change_kind_t kind);
void step_judge(const ike_step_t *step, change_kind_t kind, const exchange_t *exchange);

/* The exchange now waits for an answer. */
void step_starts_waiting(const ike_step_t *step, exchange_t *exchange);

/* The waiting request has its answer, or will never get one. */
void exchange_stops_waiting(exchange_t *exchange, exchange_outcome_t outcome);

/* This message is `exchange`'s request once more. False: it is no retransmission, since no timer is so short, or since its IKE SA went elsewhere
 * and the request goes on waiting there. Otherwise it is counted and noted as one. */
bool step_retransmits(const ike_step_t *step, exchange_t *exchange);

/* Where the IKE SA remembers the sender's endpoint, for the encapsulation of this packet. */
endpoint_t *step_source(const ike_step_t *step);

/* Marks the answer and its links; judges nothing. */
void step_mark_answered(const ike_step_t *step, exchange_t *exchange);

/* The exchange has just been answered, which proves that the tunnel works. */
void step_prove(const ike_step_t *step, const exchange_t *exchange);

/* Fills the note's exchange fields. */
void step_note_exchange(const ike_step_t *step, exchange_t *exchange);

/* A refused or successful rekey or child request changes what the tunnel has learnt. */
void step_count_refusal(const ike_step_t *step, exchange_t *exchange);
void step_count_success(const ike_step_t *step, exchange_t *exchange);

/* Remembers the traffic selectors of this step's message: what it asks for, or accepts. */
void step_note_selectors(const ike_step_t *step, selectors_t *selectors);

/* Who are the peers, as far as this message can be read (RFC 7296 3.5, RFC 2407 4.6.2)? */
void step_learn_identities(const ike_step_t *step);

/* RFC 7296 1.4.1: a Delete lists its sender's inbound SPIs; `owner` is that sender. */
void step_mark_deleted_spis(const ike_step_t *step, const uint32_t *spis, unsigned count, peer_t owner);

/* The IKE SA was deleted in an orderly way. */
void step_close_ike_sa(const ike_step_t *step, peer_t by, confidence_t confidence);

/* The request is sent again: if it seemed to have been given up, it was not, and what was told of that becomes a Note. */
void step_tries_on(const ike_step_t *step, exchange_t *exchange);

/* A new negotiation: what its initiator was still waiting for on older SAs of the tunnel is given up. */
void step_abandon_older(const ike_step_t *step);

/* A new negotiation over TCP: what its initiator tried over UDP is given up for it (RFC 9329 5.1). */
void step_fall_back_to_tcp(const ike_step_t *step);

/* ike_v2_auth.c: what a request says about an earlier IKE_AUTH, and the answer to one. */
void ikev2_watch_refused_auth(const ike_step_t *step);
void ikev2_answered_auth(const ike_step_t *step, exchange_t *exchange);
/* This IKE_AUTH has been given up: takes back that its answer made a tunnel, if the initiator never had it. */
void engine_never_came_up(engine_t *engine, const exchange_t *authentication);
bool ikev2_ends_authentication(const tunnel_t *tunnel, const ike_message_t *response);

/* ike_v2_delete.c: the answer to a DELETE, and what a later request says about one. */
void ikev2_ike_sa_deleted(const ike_step_t *step, exchange_t *exchange);
void ikev2_child_deleted(const ike_step_t *step, exchange_t *exchange);
void ikev2_was_no_ike_delete(const ike_step_t *step);

/* Has a rekey or a new negotiation taken the IKE SA's place? */
bool ikev2_is_replaced(const ike_sa_t *ike_sa);

/* unseen.c: a peer's next request shows that those before it were answered. */
void ikev2_older_were_answered(const ike_step_t *step, const exchange_t *next);

/* unseen.c: this message, already accounted for, shows that its sender's IKE_AUTH was answered, if it does. */
void ikev2_authentication_was_answered(const ike_step_t *step);

/* unseen.c: an answered Quick Mode shows that the phase 1 that protects it was completed. */
void ikev1_phase1_was_answered(const ike_step_t *step);

/* ike_v2.c, for the other ike_*.c files. */
void ikev2_child_made(const ike_step_t *step, exchange_t *exchange);
exchange_t *ikev2_new_request(const ike_step_t *step);
void ikev2_repeated_request(const ike_step_t *step, exchange_t *exchange);
void ikev2_response(const ike_step_t *step);

/* ike_fragments.c: accounts for one fragment of a message (RFC 7383 2.5), or the first IP fragment. */
void ikev2_fragment(const ike_step_t *step);

/* Is this the whole of a request of which a piece came before? Then it is accounted for. */
bool ikev2_completes_request(const ike_step_t *step, exchange_t *exchange);

/* The requester went on although the answer is not complete in the capture: what is there has to do. False: nothing is. */
bool ikev2_use_partial_answer(const ike_step_t *step, exchange_t *exchange);
/* lines.c: whose place does an SA take? A negotiation has made a child, which is not yet among the live ones. */
void step_line_of_child_v2(const ike_step_t *step, const exchange_t *exchange);
void step_line_of_child_v1(const ike_step_t *step, const exchange_t *exchange);

/* The line of child SAs for the selectors of a readable Quick Mode that `initiator` began; made if there is none. */
line_t *engine_line_of_quick_mode(tunnel_t *tunnel, const exchange_t *exchange, peer_t initiator, capture_ns_t time);

/* An answered exchange turned out to have been an IKE rekey. */
void engine_line_of_ike_sa(engine_t *engine, tunnel_t *tunnel, const exchange_t *rekey, frame_t frame, capture_ns_t time);

/* announced.c: the lifetimes that the peers tell each other. */
void step_announced_v1(const ike_step_t *step, const exchange_t *exchange);
void step_announced_v2(const ike_step_t *step);

/* lines.c: the SPI of a proposal with this number, or 0. */
uint32_t step_proposal_spi(const proposal_list_t *list, uint8_t number);

/* ike_children.c: the exchange, answered by this step, has made a child SA. */
void step_make_child(const ike_step_t *step, exchange_t *exchange);

/* It made none after all. */
void engine_unmake_child(engine_t *engine, exchange_t *exchange);

/* Its child took the place of the one that the exchange names, or else of the latest on `line`; and is the latest now. */
void step_replaced_child(const ike_step_t *step, const exchange_t *exchange, line_t *line);

/* A DELETE of a child that cannot be read: after a rekey of the same peer the old one is meant. */
void step_delete_replaced_child(const ike_step_t *step, const exchange_t *deletion);

/* ike_trust.c: could anybody have sent this message? */
bool step_is_untrusted(const ike_step_t *step);

/* What such a message is worth: a note on its frame, and perhaps a report. */
void step_untrusted(const ike_step_t *step);

/* A protected message of a peer that, it seemed, had lost the IKE SA takes that back. */
void step_is_known_again(const ike_step_t *step);

/* RFC 7296 2.4: IKE_SA_INIT was answered, and here is another whole answer. */
bool step_is_another_init_answer(const ike_step_t *step, const exchange_t *exchange);

/* True: it counts from now on, for what came before was none that the initiator can use. False: it is kept, what follows will tell. */
bool step_takes_init_answer(const ike_step_t *step, exchange_t *exchange);

/* The IKE SA has the responder's SPI, if this answer is whole. */
void step_init_is_answered(const ike_step_t *step);

/* The IKE SA whose first message after IKE_SA_INIT this is, under another responder's SPI than that of the answer which counts; or NULL. */
ike_sa_t *engine_half_open_ike_sa(const engine_t *engine, const ike_message_t *message);

/* That message shows which answer the initiator took. */
void step_choose_init_answer(const ike_step_t *step);

void ikev2_message(const ike_step_t *step);
void ikev1_message(const ike_step_t *step);

#endif
