/* sightings.h - where else was this packet captured, perhaps much earlier or later by that place's clock?
 *
 * copies.h knows second copies that come at once. Two captures put into one file have two clocks: the other copy of a packet may
 * come hours later. ESP is never sent twice (RFC 4303 2.2), so that equal bytes at another place are the same packet; an IKE request
 * is repeated with the same bytes (RFC 7296 2.1), so that every place's repeats are counted. The latest ESP packets are those that copies.h
 * remembers; of older ones a sample is kept here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SIGHTINGS_H
#define IPSEC_ENGINE_SIGHTINGS_H

#include "engine/base.h"
#include "engine/packet.h"
#include "engine/points/copies.h"

#define PLACES_PER_MESSAGE 4u

/* How often and when one place has seen a message, by its own clock. */
typedef struct {
    capture_point_t point;
    unsigned times;
    capture_ns_t first_at, last_at;
} seen_at_t;

/* An IKE message (these bytes), wherever it was captured. Owned by sightings_t. */
typedef struct message_sighting {
    uint64_t fingerprint;
    uint64_t name; /* sightings_request() and the like; not unique */
    frame_t frame; /* where it was seen first */
    endpoint_t source, destination;
    bool is_fragment;   /* RFC 7383: one of several that make the message */
    unsigned accounted; /* transmissions that the analysis has counted */
    unsigned places;
    seen_at_t at[PLACES_PER_MESSAGE];
    struct message_sighting *next; /* others of the same name, later ones first */
} message_sighting_t;

/* The packet's first sighting. */
typedef struct {
    frame_t frame;
    capture_ns_t time;
    capture_point_t point;
    endpoint_t source, destination;
    bool is_only_one;  /* seen once at either place: the difference of times is that of clocks and path */
    bool is_first_one; /* the first of several: so is it, unless a place has missed one */
    bool is_sure;      /* no retransmission that took another way */
} seen_before_t;

typedef struct sightings sightings_t;

sightings_t *sightings_new(void);
void sightings_free(sightings_t *sightings);

/* Is where it was captured known at all? */
bool capture_point_is_known(const capture_point_t *point);

/* Is it certain that these are two places? */
bool capture_points_differ(const capture_point_t *a, const capture_point_t *b);

/* Is it an IKEv2 response? */
bool sightings_is_answer(const packet_t *packet);

/* Enters an IKE message, also one that is a copy. True: it is a transmission that another place has shown before. */
bool sightings_of_message(sightings_t *sightings, const packet_t *packet, uint64_t fingerprint, bool is_copy,
                          seen_before_t *ret_before);

/* This transmission counts after all: it is no copy. */
void sightings_account(sightings_t *sightings, uint64_t fingerprint);

/* Is the ESP packet with these bytes in the sample of those that came long before? Few numbers are, so that this costs next to nothing.
 * NULL: it is not. Borrowed until the next one is kept. */
const seen_packet_t *sightings_sample(const sightings_t *sightings, const packet_t *packet, uint64_t fingerprint);

/* Was this ESP packet seen at another place, as `seen` says, with the endpoints that the analysis knows? */
bool sightings_of_esp(const seen_packet_t *seen, const packet_t *packet, seen_before_t *ret_before);

/* Remembers an ESP packet, if it belongs into the sample. */
void sightings_keep_esp(sightings_t *sightings, const packet_t *packet, uint64_t fingerprint);

/* What is known of the messages of this name; NULL: nothing. */
const message_sighting_t *sightings_named(const sightings_t *sightings, uint64_t name);

/* The name of an IKE message: of all that is repeated under one message ID. `by_original_initiator` and `is_response` as in the flags
 * of RFC 7296 3.1; IKEv1 has neither (false). */
uint64_t sightings_name(uint64_t spi_i, uint32_t message_id, uint8_t exchange_type, bool by_original_initiator, bool is_response);

#endif
