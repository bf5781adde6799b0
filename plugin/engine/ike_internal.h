/* ike_internal.h - what ike.c, ike_v1.c and ike_v2.c share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_INTERNAL_H
#define IPSEC_ENGINE_IKE_INTERNAL_H

#include "engine_state.h"

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

/* The request came again because its IKE SA went elsewhere: it goes on waiting there. False: an ordinary repeat. */
bool step_carry_over(const ike_step_t *step, exchange_t *exchange);

/* Where the IKE SA remembers the sender's endpoint, for the encapsulation of this packet. */
endpoint_t *step_source(const ike_step_t *step);

/* Marks the answer and its links; judges nothing. */
void step_mark_answered(const ike_step_t *step, exchange_t *exchange);

/* Fills the note's exchange fields. */
void step_note_exchange(const ike_step_t *step, const exchange_t *exchange);

/* A refused or successful rekey or child request changes what the tunnel has learnt. */
void step_count_refusal(const ike_step_t *step, exchange_t *exchange);
void step_count_success(const ike_step_t *step, exchange_t *exchange);

/* RFC 7296 1.4.1: a Delete lists its sender's inbound SPIs; `owner` is that sender. */
void step_mark_deleted_spis(const ike_step_t *step, const uint32_t *spis, unsigned count, peer_t owner);

/* The IKE SA was deleted in an orderly way. */
void step_close_ike_sa(const ike_step_t *step, peer_t by, confidence_t confidence);

/* A new negotiation: what its initiator was still waiting for on older SAs of the tunnel is given up. */
void step_abandon_older(const ike_step_t *step);

void ikev2_message(const ike_step_t *step);
void ikev1_message(const ike_step_t *step);

#endif
