/* handles.h - which dissector handles of this plugin stand where, and what is behind them?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_HANDLES_H
#define IPSEC_OBSERVE_HANDLES_H

#include "compat.h"

#include <epan/range.h>

typedef enum { HANDLE_ESP, HANDLE_UDPENCAP, HANDLE_ISAKMP, HANDLES } handle_t;

/* Registers the protocols in name only under which the handles run; call it while protocols are registered. */
void handles_register(void);

/* Makes the handles and takes the stock dissectors' places. `looks` are the functions behind them, by handle_t. */
void handles_handoff(const dissector_t looks[HANDLES]);

/* Takes the stock dissectors' places again where preferences or the user put them since. */
void handles_adopt(void);

/* Makes the UDP ports of `ports`, and no longer those of the last call, UDP-encapsulated IPsec; ports that the user decodes as
 * something else are left alone. */
void handles_set_ports(const range_t *ports);

/* Which handle stands at a UDP port now? HANDLES: none of this plugin's. */
handle_t handles_at_udp_port(uint16_t port);

/* Calls the stock dissector behind a handle, with its arguments. */
int handles_call_stock(handle_t handle, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data);

#endif
