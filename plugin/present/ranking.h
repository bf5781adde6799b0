/* ranking.h - which tunnels should be looked at first?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_RANKING_H
#define IPSEC_PRESENT_RANKING_H

#include "engine/engine.h"

/* Worse first: state (down, flapping, degraded, unknown, healthy), down time, severity of the worst finding, number. Like qsort's comparison. */
int ranking_compare(const tunnel_row_t *a, const tunnel_row_t *b);

/* The indices (uint32_t) of all tunnels that are kept, the worst first. Call engine_finish() first. Freed by the caller. */
GArray *ranking_worst_first(const engine_t *engine);

#endif
