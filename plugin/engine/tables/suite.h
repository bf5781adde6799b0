/* suite.h - how long an encrypted IKEv2 message is, and what its length says about its content (RFC 7296 3.14).
 *
 * One formula, one table row per transform:  length = 28 + 4 + IV + C + ICV,  C the plaintext padded to the block. IKEv1: length = 28 + C.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SUITE_H
#define IPSEC_ENGINE_SUITE_H

#include "engine/parse/ike_message.h"

/* Sizes that the negotiated IKE transforms imply. All in bytes. */
typedef struct {
    uint8_t iv;
    uint8_t block; /* to which the plaintext is padded: 1 for AEAD and counter modes, more if its senders are known to pad more */
    uint8_t icv;   /* 0: unknown suite */
} suite_t;

/* Sizes for the proposal that the responder chose in IKE_SA_INIT (IKEv2). False: a transform is not in the tables. */
G_GNUC_WARN_UNUSED_RESULT bool suite_from_proposal(const proposal_t *chosen, suite_t *ret_suite);

/* Sizes as an empty message of this header length gives them away (49, 53, 57, 60, 64, 72, 76, 80, 88, 96).
 * False: no suite has an empty message of that length. */
G_GNUC_WARN_UNUSED_RESULT bool suite_from_empty_message(uint32_t length, suite_t *ret_suite);

/* Senders may pad more than they must: an empty message shows how much (`length`: its header length), and widens the block of `suite`
 * when it was padded to 4, 8 or 16 bytes. */
void suite_learn_padding(suite_t *suite, uint32_t length);

/* Bounds of the plaintext payload bytes in a message of header length `length` (bytes, no more padding assumed than the block asks for).
 * False: no such message exists in this suite. */
G_GNUC_WARN_UNUSED_RESULT bool suite_plaintext(const suite_t *suite, uint32_t length, uint32_t *ret_least, uint32_t *ret_most);

/* Sizes that IKEv1's phase 1 implies, in bytes. */
typedef struct {
    uint8_t hash;
    uint8_t block;
} suite_v1_t;

/* Sizes for the phase 1 proposal that the responder chose (IKEv1). False: an attribute is not in the tables. */
G_GNUC_WARN_UNUSED_RESULT bool suite_v1_from_proposal(const proposal_t *chosen, suite_v1_t *ret_suite);

/* Can an encrypted IKEv1 message of header length `length` hold a HASH payload and `inner` bytes of payloads after it? Senders pad to
 * the block; some add a whole block where none is needed (RFC 2409 B leaves it open). */
bool suite_v1_may_hold(const suite_v1_t *suite, uint32_t length, uint32_t inner);

/* The most plaintext that any suite could hold in a message of this length: an upper bound when the suite is unknown. */
uint32_t suite_plaintext_upper_bound(uint32_t length);

#endif
