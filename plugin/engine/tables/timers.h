/* timers.h - what does the spacing of retransmissions say about the sender's timer (RFC 7296 2.1, 2.4: left to the implementation)?
 *
 * Measured: first gap, ratio, tries. The implementation whose defaults look like that is a hint, never a fact.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_TIMERS_H
#define IPSEC_ENGINE_TIMERS_H

#include "engine/ike/exchange.h"

typedef struct {
    duration_ns_t first_gap;
    double ratio;              /* of each gap to the one before, median; 0: fewer than two gaps */
    const char *family;        /* whose defaults look like this, for a hint: "strongSwan"; NULL: none, or too few gaps */
    bool has_default_settings; /* of that family: first gap and tries too; false: its ratio only */
    double family_ratio;       /* of that family; 0: none */
    unsigned tries;            /* transmissions of that family before it gives up; 0: not known */
} retransmit_timer_t;

/* False: the request was not retransmitted yet. */
bool timer_measure(const exchange_t *exchange, retransmit_timer_t *ret_timer);

/* When the next transmission is due if the sender goes on as before; CAPTURE_TIME_NONE: too few gaps to tell. */
capture_ns_t timer_next_try_at(const exchange_t *exchange);

/* When the sender will give up if it behaves like the family that it looks like; CAPTURE_TIME_NONE: not known. */
capture_ns_t timer_gives_up_at(const exchange_t *exchange);

/* Appends " (timer: 4.0 s, then x1.8, as strongSwan has by default)", or nothing. */
void timer_describe(const exchange_t *exchange, GString *out);

#endif
