/* nat_detection.h - what do the hashes of NAT detection prove about the way between a peer and the capture point, and beyond it
 * (RFC 7296 2.23; RFC 3947 3.2; RFC 4555 3.5, 3.8)?
 *
 * A sender hashes the address and port that it believes its packet to have. The capture holds both the hash and the packet as it was
 * at the capture point. Where they agree, nothing translated the packet in between. Where they do not, a NAT did, or the sender
 * hashed something else on purpose to have ESP carried in UDP ("forced encapsulation").
 *
 *     peer ------------------ capture point ------------------ other peer
 *          before:                           beyond:
 *          the peer's SOURCE hash            the other peer's DESTINATION hash
 *          against its outer address         against the outer address that it answers to
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_NAT_DETECTION_H
#define IPSEC_ENGINE_NAT_DETECTION_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/finding.h"
#include "engine/parse/ike_message.h"

/* A hash against the address and port of the packet that carries it, as captured. */
typedef enum {
    NAT_HASH_NONE,       /* there is no hash, or not all of them could be compared */
    NAT_HASH_UNCHANGED,  /* it is of this address and port */
    NAT_HASH_PORT,       /* of this address with port 500 or 4500: only the port was translated */
    NAT_HASH_MANGLED,    /* of this address with port 0, which no packet has: not translated, and its sender forces encapsulation */
    NAT_HASH_OTHER,      /* of something else */
    NAT_HASH_TRANSLATED, /* of something else, and the other copy of the packet has what it is of: a NAT, not a made-up hash */
    NAT_HASHES
} nat_hash_t;

/* What is known of one side of the capture point. */
typedef enum {
    NAT_SIDE_UNKNOWN,
    NAT_SIDE_UNCHANGED,            /* the peer's address and port pass there as they are */
    NAT_SIDE_PORT_TRANSLATED,      /* the port is translated, the address is not */
    NAT_SIDE_TRANSLATED,           /* translated */
    NAT_SIDE_TRANSLATED_OR_FORCED, /* translated, or whoever sent the hash forces encapsulation */
    NAT_SIDE_FORCED,               /* the address is not translated; whoever sent the hash forces encapsulation */
    NAT_SIDES
} nat_side_t;

/* The answer for one peer. */
typedef enum {
    NAT_UNKNOWN,
    NAT_NONE,              /* nothing translates the peer's address on the whole way */
    NAT_BEFORE,            /* a NAT between the peer and the capture point */
    NAT_BEYOND,            /* a NAT between the capture point and the other peer */
    NAT_BEFORE_AND_BEYOND, /* one on either side */
    NAT_BETWEEN,           /* the capture shows both sides of the NAT */
    NAT_FORCED,            /* not translated before the capture point; the peer forces encapsulation */
    NAT_BEFORE_OR_FORCED,  /* as NAT_BEFORE, or the peer forces encapsulation */
    NAT_BEYOND_OR_FORCED,  /* as NAT_BEYOND, or the other peer forces encapsulation */
    NAT_STATES
} nat_state_t;

typedef struct {
    nat_state_t state;
    confidence_t confidence; /* of `state`; nothing is said about NAT_UNKNOWN */
    nat_side_t before;       /* between the peer and the capture point */
    nat_side_t beyond;       /* between the capture point and the other peer */
    frame_t before_in;       /* the message that says so; FRAME_NONE */
    frame_t beyond_in;
} peer_nat_t;

/* For JSON: "before_or_forced", "translated_or_forced". Static. */
const char *nat_state_text(nat_state_t state);
const char *nat_side_text(nat_side_t side);

/* The answer as a sentence without its full stop, "192.0.2.2 is behind a NAT (the capture point is outside of it)"; empty when
 * nothing is known. Appends to `out`. */
void nat_describe(const peer_nat_t *nat, const endpoint_t *peer, GString *out);

/* ---- evidence: of one IKE SA ---- */

typedef struct {
    nat_hash_t own;  /* the peer's SOURCE hash; against its address, the latest of its kind */
    nat_hash_t told; /* the other peer's DESTINATION hash, likewise */
    frame_t own_in, told_in;
    endpoint_t seen; /* the address that they were compared with */
    bool is_between; /* the same packet was captured with another address of this peer */
} nat_evidence_t;

/* What the two kinds of hashes of one message say. */
typedef struct {
    nat_hash_t source, destination;
} nat_hashes_t;

/* The latest message of a peer that carried hashes. */
typedef struct {
    uint64_t fingerprint;           /* a repeat is not computed again; 0: none yet */
    endpoint_t source, destination; /* around it */
    nat_hashes_t hashes;
} nat_message_t;

typedef struct {
    nat_evidence_t peer[PEERS];
    nat_message_t latest[PEERS];
    bool is_refuted; /* the initiator went on as one does whom the hashes fit: those that do not fit here prove nothing */
} nat_detection_t;

/* A message and the packet around it, as captured. */
typedef struct {
    const ike_message_t *message;
    peer_t sender;
    const endpoint_t *source, *destination;
    bool source_has_other_side; /* the capture shows this endpoint with another address too: both sides of its NAT */
    bool destination_has_other_side;
    frame_t frame;
} nat_sighting_t;

/* Compares the hashes that a message carries. At most eight digests. */
nat_hashes_t nat_detection_compare(const nat_sighting_t *sighting);

/* Is one of the source hashes of this packet's address and port? One digest. */
bool nat_detection_source_fits(const ike_message_t *message, const endpoint_t *source);

/* Adds a message to the evidence. A repeat of the latest one adds nothing; on the same addresses it says the same, on others nothing.
 * False: it carries no hashes that may be believed, or says nothing. */
bool nat_detection_learn(nat_detection_t *detection, const nat_sighting_t *sighting, nat_hashes_t *ret_hashes);

/* Adds the second copy of the message learnt last, captured on the other side of a NAT: what either copy proves holds. False: it is
 * no such copy. */
bool nat_detection_learn_copy(nat_detection_t *detection, const nat_sighting_t *sighting, nat_hashes_t *ret_hashes);

/* The initiator goes on without UDP encapsulation, which hashes that do not fit forbid (RFC 7296 2.23, RFC 3947 4): so they do fit where
 * it is, and the capture has other addresses, for instance because somebody replaced them. False: that was known. */
bool nat_detection_refute(nat_detection_t *detection);

/* Forgets what is known of a peer that has moved (RFC 4555 3.5). */
void nat_detection_forget(nat_detection_t *detection, peer_t peer);

/* Have both peers sent hashes? */
bool nat_detection_is_complete(const nat_detection_t *detection);

/* Has the host itself this address where the capture saw it: nothing translates it, nor the port, before the capture point? */
bool nat_detection_is_own_address(const nat_detection_t *detection, peer_t peer);

peer_nat_t nat_detection_conclude(const nat_detection_t *detection, peer_t peer);

/* What a message says about its own addresses, for the protocol tree: "unchanged", "translated before the capture point, or forced
 * encapsulation"; NULL: nothing. Static. */
const char *nat_source_text(const nat_hashes_t *hashes);
const char *nat_destination_text(const nat_hashes_t *hashes);

#endif
