/* copies.h - a packet seen twice (mirror port, two interfaces, both sides of a NAT) is one packet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_COPIES_H
#define IPSEC_ENGINE_COPIES_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/packet.h"

typedef struct copies copies_t;

typedef enum {
    COPY_NONE,       /* first time */
    COPY_SAME_FRAME, /* the very same packet, handed over twice (as when its dissector is tried for either port) */
    COPY_SAME,       /* second copy, same addresses and ports */
    COPY_OTHER_SIDE, /* second copy with another address or port: the other side of a NAT */
    COPY_ELSEWHERE,  /* no copy: another capture point alone has seen it, and shows it too late to be accounted for (points.h) */
} copy_kind_t;

/* A packet that is remembered, as captured. */
typedef struct {
    uint64_t fingerprint; /* of its bytes */
    capture_ns_t time;
    frame_t frame;
    bool is_disowned; /* it was not accounted for */
    encapsulation_t encapsulation;
    endpoint_t source, destination;
    capture_point_t point;
} seen_packet_t;

/* What is known of the packet at hand, and of the first of its copies. */
typedef struct {
    uint64_t fingerprint; /* of its bytes; 0: it has not enough of them, or no time */
    frame_t frame;        /* the first copy; FRAME_NONE: there is none */
    capture_ns_t time;
    capture_point_t point;
    const seen_packet_t
        *earlier; /* not a copy that comes at once, but these bytes were seen some time before; borrowed; NULL: they were not */
} first_copy_t;

copies_t *copies_new(void);
void copies_free(copies_t *copies);

/* Is this packet a second copy of one seen at most SHORTEST_TIMER before? Remembers it if not. Bounded memory. */
copy_kind_t copies_check(copies_t *copies, const packet_t *packet, first_copy_t *ret_first);

/* Remembers a packet that cannot be a copy, as the caller knows otherwise. It must have a time, and enough bytes (copies_can_tell). */
void copies_enter(copies_t *copies, const packet_t *packet, first_copy_t *ret_first);

/* The packet that was checked last is not accounted for, so that nothing can be an earlier sighting of it. */
void copies_disown(copies_t *copies);

/* Copies of one packet, with these addresses, were found elsewhere (sightings.h): the second side's are aliases of the first side's. */
copy_kind_t copies_learn(copies_t *copies, const packet_t *packet, const endpoint_t *first_source,
                         const endpoint_t *first_destination);

/* A hash of the packet that was checked last, by its first bytes. 0: it was not compared, or has no bytes of its own. */
uint64_t copies_fingerprint(const copies_t *copies);

/* Has it enough bytes to be compared? If not, it is never taken for a copy here. */
bool copies_can_tell(const packet_t *packet);

/* The endpoint as the first side of the NAT shows it; `endpoint` itself when nothing else is known. */
endpoint_t copies_canonical(const copies_t *copies, const endpoint_t *endpoint);

/* Is every endpoint what it seems? */
bool copies_have_no_alias(const copies_t *copies);

#endif
