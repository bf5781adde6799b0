/* distort.h - the same packets as a worse capture shows them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_DISTORT_H
#define SCENARIO_DISTORT_H

#include "play.h"

/* One frame of the capture. The frame number is its index plus 1. */
typedef struct {
    const shot_t *shot; /* borrowed */
    capture_ns_t time;
    endpoint_t source, destination;
    size_t captured; /* bytes kept of shot->bytes */
} view_t;

/* The frames under `distortion`; `number` is how many packets a midstream capture misses or a cut one keeps.
 * Array of view_t, owned by the caller; borrows the shots. */
GArray *distort(const GPtrArray *shots, distortion_t distortion, unsigned number);

/* How the shots of `distortion` are to be played. */
play_options_t distortion_play_options(distortion_t distortion);

#endif
