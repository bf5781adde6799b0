/* stock_sequence.h - does Wireshark's own analysis of ESP sequence numbers speak too?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_STOCK_SEQUENCE_H
#define IPSEC_OBSERVE_STOCK_SEQUENCE_H

#include "compat.h"

/* The variable behind the preference that silences it. */
compat_bool_preference_t *stock_sequence_is_silenced(void);

/* Before and after the stock ESP dissector runs. What `before` returns goes to `after`. */
bool stock_sequence_before(void);
void stock_sequence_after(bool was_silenced);

#endif
