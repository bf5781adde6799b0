/* sdwan.h - tunnels whose keys come from a controller, so that there is no IKE: which ports do they use, and when do they change them?
 *
 * Cisco SD-WAN sends ESP in UDP from port 12346 + 20 n + offset. A device that cannot reach its controllers tries the next n ("port hop"); the
 * offset, 0 to 19, is set by hand for each of several devices behind one address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SDWAN_H
#define IPSEC_ENGINE_SDWAN_H

#include "engine/endpoint.h"

bool sdwan_is_port(uint32_t port);

/* Could these be the UDP endpoints of such a tunnel? One of them is enough, for a NAT may stand before the other; with an IKE port there is
 * IKE. */
bool sdwan_is_path(const endpoint_t *source, const endpoint_t *destination);

/* From one endpoint to another of the same address: did the device choose its next port? */
bool sdwan_is_hop(const endpoint_t *from, const endpoint_t *to);

#endif
