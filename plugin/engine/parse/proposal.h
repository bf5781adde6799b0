/* proposal.h - what a peer offered, in words, and how two offers differ (RFC 7296 2.7, 3.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PROPOSAL_H
#define IPSEC_ENGINE_PROPOSAL_H

#include "engine/parse/ike_message.h"

/* Appends one proposal: "AES-CBC-128/HMAC-SHA2-256-128/MODP-2048". `major` selects the number space. */
void proposal_describe(const proposal_t *proposal, unsigned major, GString *out);

/* Appends all proposals, separated by ", "; at most the first four, then "and N more". */
void proposal_list_describe(const proposal_list_t *list, unsigned major, GString *out);

/* Does `list` hold a transform of `type` in any of its proposals (a DH group NONE, id 0, does not count)? */
bool proposal_list_has(const proposal_list_t *list, transform_type_t type);

/* Would `offer` still be satisfied by `accepted` (one proposal, as chosen before), leaving KE groups and ESN aside?
 * True when one proposal of the offer has the accepted encryption (with key length) and integrity. */
bool proposal_list_contains_but_ke(const proposal_list_t *offer, const proposal_t *accepted);

/* Appends in words how `offer` differs from what was `accepted` before: "no DH group (PFS) offered",
 * "encryption AES-CBC-256 is offered, AES-CBC-128 was accepted before". Nothing is appended when they agree.
 * `accepted` may be NULL: nothing is appended. */
void proposal_difference(const proposal_list_t *offer, const proposal_t *accepted, unsigned major, GString *out);

#endif
