/* payloads.h - turns the payload lists of a script into wire bytes (RFC 7296 3, RFC 2408 3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_PAYLOADS_H
#define SCENARIO_PAYLOADS_H

#include "world.h"

/* Who says what in which SA: all that a payload's content depends on. */
typedef struct {
    world_t *world;
    const message_spec_t *message;
    unsigned sender, receiver;
    uint64_t spi_i, spi_r; /* of the IKE SA that carries the message */
    uint64_t seed;         /* differs from message to message */
    place_t place;
} payload_context_t;

/* One payload's body, without the generic header. Appends to `out`. False: the word or its argument means nothing. */
bool payload_v2_body(const payload_context_t *context, const payload_spec_t *payload, GByteArray *out);
bool payload_v1_body(const payload_context_t *context, const payload_spec_t *payload, GByteArray *out);

/* The whole chain. `ret_first` is the type of the first payload, 0 when the list is empty. NULL after complaining on stderr. */
GByteArray *payload_chain(const payload_context_t *context, uint8_t *ret_first);

#endif
