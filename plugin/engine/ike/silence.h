/* silence.h - a request stayed without an answer: what did the capture show of its receiver meanwhile?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SILENCE_H
#define IPSEC_ENGINE_SILENCE_H

#include "engine/tunnel.h"

typedef enum {
    SILENCE_TOTAL,           /* not a packet of the receiver since the request */
    SILENCE_OTHERWISE_HEARD, /* the receiver sent other things */
    SILENCE_ICMP,            /* an ICMP error quotes what was sent to it */
    SILENCE_DISOWNED,        /* it said that it does not know the IKE SA (INVALID_IKE_SPI) */
    SILENCE_OTHER_PORT,      /* it answered, but to another port than the request came from */
    SILENCE_INCOMPLETE,      /* it answers in fragments, of which one never comes (fragment_loss) */
    SILENCE_UNSEEN,          /* it may have answered all the same: the request was sent once, and its sender made a new start */
    SILENCE_UNHEARD,         /* its answers are in the capture, and evidently did not arrive */
} silence_kind_t;

typedef struct {
    silence_kind_t kind;
    frame_t frame; /* the latest packet that shows it; FRAME_NONE: none does */
    uint16_t port; /* SILENCE_OTHER_PORT: where the answer went */
} silence_t;

silence_t silence_of(const tunnel_t *tunnel, const exchange_t *exchange);

/* Appends a sentence: " 198.51.100.1 sent nothing at all meanwhile." Starts with a space. */
void silence_describe(const tunnel_t *tunnel, const exchange_t *exchange, GString *out);

#endif
