/* nat_hash.h - the hashes of NAT detection (RFC 7296 2.23; RFC 3947 3.2) as the peers of a story compute them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_NAT_HASH_H
#define SCENARIO_NAT_HASH_H

#include "payloads.h"

typedef enum { HASH_OF_SOURCE, HASH_OF_DESTINATION } nat_hash_of_t;

/* Appends a hash of `size` bytes: of the sender's own address, or of the one that it knows of its peer. `argument` may name another
 * address ("198.51.100.7:61000"), "forced" (a made-up hash) or "port0" (the address with port 0). False: it means nothing. */
bool put_nat_hash(const payload_context_t *context, nat_hash_of_t of, const char *argument, unsigned size, GByteArray *out);

#endif
