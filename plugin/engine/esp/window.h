/* window.h - which of the latest sequence numbers of an ESP SA have been seen, and with which bytes?
 *
 * As the bitmap of an anti-replay window (RFC 4303 3.4.3, A2), but for each number a mark that stands for the packet's bytes: a number
 * seen twice is a repeat only if the bytes are the same. Numbers have 64 bits: the high half is counted here (RFC 4303 2.2.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_WINDOW_H
#define IPSEC_ENGINE_WINDOW_H

#include "engine/base.h"

#define WINDOW_SLOTS_LEAST 32u
#define WINDOW_SLOTS_MOST 4096u

/* Stands for the bytes of the packet with a number. */
typedef uint16_t mark_t;
#define MARK_UNSEEN 0u
#define MARK_UNKNOWN 1u /* seen, but too few of its bytes to tell it from another */

/* What all windows of an engine may use together. */
typedef struct {
    size_t bytes_left;
} sequence_budget_t;

typedef struct {
    uint64_t highest; /* number seen */
    uint64_t floor;   /* the lowest that is remembered; `highest` - `floor` < `slots` */
    mark_t *slot;     /* `slots` of them, number n at n % slots; owned */
    uint32_t slots;   /* a power of two */
    sequence_budget_t *budget;
} window_t;

/* Numbers that were never seen have left the window: `from` to `to`, both included. */
typedef void (*window_left_t)(void *context, uint64_t from, uint64_t to);

/* An empty window but for `first`. False: the budget is used up, and there is no window. */
bool window_init(window_t *window, uint64_t first, mark_t mark, sequence_budget_t *budget);
void window_clear(window_t *window);

/* Forgets everything, and has seen `from` to `to`, whose bytes are not known. */
void window_restart(window_t *window, uint64_t from, uint64_t to);

/* Moves the window up to `number`, above the highest so far. What falls out unseen is told to `left`, lowest first. */
void window_advance(window_t *window, uint64_t number, mark_t mark, window_left_t left, void *context);

/* Doubles it, if it may be larger and the budget has room. Sensible when it is full: what has left it is forgotten. */
void window_grow(window_t *window);

/* Below the highest: is the number remembered? Numbers just below the floor are, from now on, while there is room: nothing was there. */
bool window_reaches(window_t *window, uint64_t number);

/* The mark of a number that is remembered. */
mark_t *window_at(const window_t *window, uint64_t number);

#endif
