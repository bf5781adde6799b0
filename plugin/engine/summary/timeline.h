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
    int64_t first;    /* number of bin[0]: it begins at `first` * `width` */
    unsigned bins;    /* used; 0: no packet had a time */
    unsigned untimed; /* packets without a time; in no bin */
    activity_bin_t bin[ACTIVITY_BINS];
} timeline_t;

/* What has been counted of late, for one bin, and is not in it yet: nearly every packet is of the same bin as the one before. All zero at
 * first. */
typedef struct {
    capture_ns_t from; /* the bin begins then */
    duration_ns_t width;
    activity_bin_t counted;
    timeline_t *timeline; /* owned; NULL: nothing was counted yet */
} activity_t;

timeline_t *timeline_new(void);
void timeline_free(timeline_t *timeline);

/* An ESP packet of `bytes` was sent by `sender`, one of the two peers. Times may come in any order. */
void timeline_count(timeline_t *timeline, peer_t sender, capture_ns_t time, uint64_t bytes);

/* The same, sooner or later. */
void activity_count(activity_t *activity, peer_t sender, capture_ns_t time, uint64_t bytes);

/* With all that was counted. NULL: nothing was. */
const timeline_t *activity_timeline(activity_t *activity);
void activity_clear(activity_t *activity);

#endif
