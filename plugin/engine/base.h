/* base.h - the units every other engine header speaks in: capture time, frame numbers, the two peers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_BASE_H
#define IPSEC_ENGINE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A point in capture time, nanoseconds since the epoch. Later frames may carry earlier times (merged files, clock steps). */
typedef int64_t capture_ns_t;
#define CAPTURE_TIME_NONE INT64_MIN

/* A length of time in nanoseconds, never negative. */
typedef int64_t duration_ns_t;

#define MILLISECONDS(n) ((duration_ns_t)(n)*INT64_C(1000000))
#define SECONDS(n) ((duration_ns_t)(n)*INT64_C(1000000000))

/* A frame number as Wireshark shows it, from 1. */
typedef uint32_t frame_t;
#define FRAME_NONE 0u

/* A list that holds this index holds nothing there. */
#define INDEX_NONE UINT32_MAX

/* The two peers of a tunnel, as an observer names them: the capture has no local and no remote end. */
typedef enum { PEER_A = 0, PEER_B = 1, PEER_UNKNOWN = 2 } peer_t;
#define PEERS 2

static inline peer_t
peer_other(peer_t peer)
{
    return peer == PEER_A ? PEER_B : peer == PEER_B ? PEER_A : PEER_UNKNOWN;
}

/* How long after `from` is `to`? 0 when time ran backwards or one of them is CAPTURE_TIME_NONE. */
static inline duration_ns_t
duration_between(capture_ns_t from, capture_ns_t to)
{
    if (to <= from || from == CAPTURE_TIME_NONE) /* which is earlier than any time */
        return 0;
    const uint64_t between = (uint64_t)to - (uint64_t)from;
    return between > INT64_MAX ? INT64_MAX : (duration_ns_t)between;
}

/* Both together, at most INT64_MAX: a capture may claim any times. */
static inline duration_ns_t
duration_sum(duration_ns_t a, duration_ns_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* So long may somebody be silent who, as a rule, is for `gap` at most: three times that. At most INT64_MAX. */
static inline duration_ns_t
duration_patience(duration_ns_t gap)
{
    return gap > INT64_MAX / 3 ? INT64_MAX : gap * 3;
}

/* The later of two times; CAPTURE_TIME_NONE is earlier than any time. */
static inline capture_ns_t
capture_later(capture_ns_t a, capture_ns_t b)
{
    return a > b ? a : b;
}

/* `duration` in seconds, for display only. */
static inline double
duration_seconds(duration_ns_t duration)
{
    return (double)duration / 1e9;
}

#endif
