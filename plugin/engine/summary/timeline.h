/* timeline.h - when was ESP sent, and how much, each way? Enough of it to draw, in a fixed amount of memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_TIMELINE_H
#define IPSEC_ENGINE_TIMELINE_H

#include "engine/engine.h"

/* Of a tunnel, from its first ESP packet on. Bins begin at whole multiples of their width since the epoch, so that two of them become
 * one of twice the width: that happens whenever time runs out of the bins, in either direction. */
typedef struct {
    duration_ns_t width;
    int64_t first;            /* number of bin[0]: it begins at `first` * `width` */
    unsigned bins;            /* used; 0: no packet had a time */
    unsigned untimed;         /* packets without a time; in no bin */
    capture_ns_t latest_from; /* when the bin begins that was counted in last */
    activity_bin_t *latest;   /* that bin; NULL: look it up */
    activity_bin_t bin[ACTIVITY_BINS];
} timeline_t;

timeline_t *timeline_new(void);
void timeline_free(timeline_t *timeline);

/* An ESP packet of `bytes` was sent by `sender`, one of the two peers. Times may come in any order. */
void timeline_count(timeline_t *timeline, peer_t sender, capture_ns_t time, uint64_t bytes);

#endif
