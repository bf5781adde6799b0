/* flows.h - is a UDP flow between port 4500 and another dissector's port IPsec?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_FLOWS_H
#define IPSEC_OBSERVE_FLOWS_H

#include "compat.h"

#include "engine/packet.h"

/* To be called once, when protocols are registered. */
void flows_register(void);

/* Is this UDP payload (`bytes` with the non-ESP marker, if there is one) UDP-encapsulated IPsec, by itself or by what came before it in its
 * flow? `is_first_visit`: it may tell something about those after it. The answer is the same on every visit. */
bool flows_is_ipsec(const packet_t *packet, bool is_first_visit);

#endif
