/* handles.h - which dissector handles of this plugin stand where, and what is behind them?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_HANDLES_H
#define IPSEC_OBSERVE_HANDLES_H

#include "compat.h"

#include <epan/range.h>

/* The last one has no stock dissector behind it: Wireshark does not know IKE and IPsec in TCP. */
typedef enum {
    HANDLE_ESP,
    HANDLE_AH,
    HANDLE_UDPENCAP,
    HANDLE_ISAKMP,
    HANDLE_SYSLOG,
    HANDLE_SYSLOG_TCP,
    HANDLE_ICMP,
    HANDLE_ICMPV6,
    HANDLE_IPV6_FRAGMENT,
    STOCK_HANDLES,
    HANDLE_TCP = STOCK_HANDLES,
    HANDLES
} handle_t;

/* Registers the protocols in name only under which the handles run; call it while protocols are registered. */
void handles_register(void);

/* Makes the handles and takes the stock dissectors' places. `looks` are the functions behind them, by handle_t; `look_first` stands at
 * UDP port 4500 while that comes before lower ports; `tcp_protocol` is the protocol of HANDLE_TCP. */
void handles_handoff(const dissector_t looks[HANDLES], dissector_t look_first, int tcp_protocol);

/* Shall UDP port 4500 come before lower ports? A port 4500 that the user decodes as something else is left alone. */
void handles_set_claiming(bool claims);

/* Whose would a packet between UDP port 4500 and `port` be without handles_set_claiming()? */
typedef enum {
    RIVAL_NONE,    /* 4500's: nobody stands at the other port, or it is the higher one */
    RIVAL_BY_RANK, /* the other port's, because it is the lower one */
    RIVAL_BY_WILL, /* the other port's, because the user decodes it so */
} rival_claim_t;
rival_claim_t handles_rival_at(uint16_t port);

/* The filter name of the protocol whose dissector stands at this UDP port, unless it is one of the plugin's; NULL: none. Static. */
const char *handles_protocol_at(uint16_t port);

/* Calls the dissector that stands at the other port, as UDP would. 0: it does not want the packet. */
int handles_call_rival(uint16_t port, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree);

/* Has `watch` see UDP datagrams that no port decides about; it must not claim them. Those of a conversation given to it by
 * handles_claim_conversation() go to `look`. */
void handles_add_heuristic(heur_dissector_t watch, dissector_t look);

/* From now on, and for all its frames when they are visited again, the conversation of this frame is looked at first. */
void handles_claim_conversation(packet_info *pinfo);

/* Takes the stock dissectors' places again where preferences or the user put them since. */
void handles_adopt(void);

/* Makes these ports, and no longer those of the last call, UDP-encapsulated and TCP-encapsulated IPsec; ports that the user decodes
 * as something else are left alone. TCP port 4500 is TCP-encapsulated IPsec anyway, unless it belongs to another dissector. */
void handles_set_ports(const range_t *udp_ports, const range_t *tcp_ports);

/* Which handle stands at a UDP port now? HANDLES: none of this plugin's. */
handle_t handles_at_udp_port(uint16_t port);

/* Is this a TCP port where IPsec is looked for? */
bool handles_are_for_tcp_port(uint16_t port);

/* Calls the stock dissector behind a handle below STOCK_HANDLES, with its arguments. */
int handles_call_stock(handle_t handle, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data);

#endif
