/* pieces_v1.h - an IKEv1 message that comes in the fragments that Cisco introduced (payload type 132; no RFC, widely spoken).
 *
 * Each fragment is an ISAKMP message of its own: packet ID, number from 1, a flag on the last one, and a part of the real message with
 * its header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PIECES_V1_H
#define IPSEC_ENGINE_PIECES_V1_H

#include "engine/packet.h"
#include "engine/parse/ike_message.h"

#define V1_FRAGMENT_PAYLOAD 132u
#define V1_FRAGMENTS_MAX 32u

/* The fragments of the message that one peer is sending. Zero-initialised; owned by its IKE SA. */
typedef struct {
    uint16_t packet_id;
    uint8_t last; /* number of the last fragment; 0: not seen yet */
    GBytes *part[V1_FRAGMENTS_MAX];
} pieces_v1_t;

void pieces_v1_clear(pieces_v1_t *pieces);

/* Adds the fragment in `packet`. True: the message is complete, and `ret_message` is what it says; the pieces are forgotten then. */
G_GNUC_WARN_UNUSED_RESULT bool pieces_v1_add(pieces_v1_t *pieces, const packet_t *packet, ike_message_t *ret_message);

#endif
