/* decrypted.h - did the stock dissector decrypt the IKE message that it just dissected?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_DECRYPTED_H
#define IPSEC_OBSERVE_DECRYPTED_H

#include "compat.h"

/* How many data sources the frame has now: to be asked before the stock dissector runs. */
unsigned decrypted_mark(const packet_info *pinfo);

/* The bytes that the stock ISAKMP dissector decrypted since `mark`, or NULL. The last one when there are several (IKEv1
 * decrypts one message at a time, IKEv2 reassembles fragments into one). */
tvbuff_t *decrypted_since(const packet_info *pinfo, unsigned mark);

#endif
