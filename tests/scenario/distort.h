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
    capture_point_t point;
} view_t;

/* The two capture points of a distortion. */
two_points_t distortion_points(distortion_t distortion);

/* The frames under `distortion`; `number` is how many packets a midstream capture misses or a cut one keeps.
 * `points`: of a story that was captured at two places; NULL: those of the distortion. Array of view_t, owned by the caller; borrows the shots. */
GArray *distort(const GPtrArray *shots, distortion_t distortion, unsigned number, const two_points_t *points);

/* How the shots of `distortion` are to be played. */
play_options_t distortion_play_options(distortion_t distortion);

#endif
