/* periods.h - when did a tunnel work, when not, and when can the capture not tell?
 *
 * Evidence only: what lies between two proofs that it works, with no outage in between, is up; before the first proof and after the last
 * nothing is known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PERIODS_H
#define IPSEC_ENGINE_PERIODS_H

#include "engine/engine.h"
#include "engine/tunnel.h"

/* The periods of a tunnel from its first packet to `end` (capture time), without gaps, oldest first. Appended to `ret_periods`, an array
 * of period_row_t. */
void periods_of(const tunnel_t *tunnel, capture_ns_t end, frame_t end_frame, GArray *ret_periods);

/* The time spent in each state. */
typedef struct {
    duration_ns_t in[PERIOD_STATES];
} period_sums_t;

period_sums_t periods_sum(const GArray *periods);

#endif
