/* pieces.h - an IKEv2 message that comes in pieces: SKF fragments (RFC 7383), or IP fragments of which only the first can be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PIECES_H
#define IPSEC_ENGINE_PIECES_H

#include "engine/packet.h"
#include "engine/parse/ike_message.h"

#define FRAGMENTS_MAX 64u          /* a message in more fragments is taken as complete with its first */
#define PLAINTEXT_MAX (64u * 1024) /* bytes kept of one message */

/* Owned by its IKE SA. */
typedef struct {
    /* which message */
    bool is_response;
    bool from_original_initiator;
    uint8_t exchange_type;
    uint32_t message_id;

    uint16_t total;                   /* fragments; 0: IP fragments, whose number cannot be known */
    uint64_t seen;                    /* bit n - 1: fragment n */
    GBytes *plaintext[FRAGMENTS_MAX]; /* decrypted and without padding; NULL: not there */
    size_t plaintext_length;          /* bytes of all */
    uint64_t seen_in_try;             /* the same since the sender last began */
    unsigned latest_number;
    uint8_t first_inner;  /* PAYLOAD_UNKNOWN until fragment 1 was seen */
    ike_message_t latest; /* the fragment seen last */
    frame_t latest_in;
    capture_ns_t latest_at;
} pieces_t;

pieces_t *pieces_new(const ike_message_t *fragment);
void pieces_free(pieces_t *pieces);

bool pieces_are_of(const pieces_t *pieces, const ike_message_t *message);

/* Adds a fragment. True: it is the first of a try, that is, the sender (re)transmits the message. A fragment with another total starts
 * over (RFC 7383 2.5.2: fragmented anew). */
bool pieces_add(pieces_t *pieces, const packet_t *packet, const ike_message_t *fragment);

/* The lowest number not seen yet; 0: none is missing. */
uint16_t pieces_missing(const pieces_t *pieces);

/* Is this message one of several fragments that are to be put together? */
bool pieces_is_fragment(const packet_t *packet, const ike_message_t *message);

/* The message as a whole, as far as it is there: readable when all fragments were decrypted. Its length is that of all fragments. */
void pieces_whole(const pieces_t *pieces, ike_message_t *ret_message);

#endif
