/* copies.h - a packet seen twice (mirror port, two interfaces, both sides of a NAT) is one packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_COPIES_H
#define IPSEC_ENGINE_COPIES_H

#include "base.h"
#include "endpoint.h"
#include "packet.h"

typedef struct copies copies_t;

typedef enum {
    COPY_NONE,       /* first time */
    COPY_SAME_FRAME, /* the very same packet, handed over twice (as when its dissector is tried for either port) */
    COPY_SAME,       /* second copy, same addresses and ports */
    COPY_OTHER_SIDE, /* second copy with another address or port: the other side of a NAT */
} copy_kind_t;

copies_t *copies_new(void);
void copies_free(copies_t *copies);

/* Is this packet a second copy of one seen at most SHORTEST_TIMER before? Remembers it if not. Bounded memory. */
copy_kind_t copies_check(copies_t *copies, const packet_t *packet);

/* A hash of the packet that was checked last, by its first bytes. 0: it was not compared, or has no bytes of its own. */
uint64_t copies_fingerprint(const copies_t *copies);

/* Has it enough bytes to be compared? If not, it is never taken for a copy here. */
bool copies_can_tell(const packet_t *packet);

/* The endpoint as the first side of the NAT shows it; `endpoint` itself when nothing else is known. */
endpoint_t copies_canonical(const copies_t *copies, const endpoint_t *endpoint);

#endif
