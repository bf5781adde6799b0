/* tcp_encap.h - where does a message of IKE or IPsec begin and end in a TCP stream (RFC 9329, before it RFC 8229)?
 *
 * Wireshark has no dissector for this; this one shows the framing and hands the messages on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_TCP_ENCAP_H
#define IPSEC_OBSERVE_TCP_ENCAP_H

#include "compat.h"

/* Takes a message from its first byte on: a non-ESP marker, an SPI, or a NAT keepalive. `is_repeat`: TCP brought it before. */
typedef void (*tcp_message_t)(tvbuff_t *message, packet_info *pinfo, proto_tree *tree, bool is_repeat);

/* Registers the protocol "ipsec.tcp" and its fields. Returns its id. */
int tcp_encap_register(void);

/* Dissects a segment, or what TCP has reassembled; `data` is TCP's struct tcpinfo. 0: the stream is of another protocol, as far as
 * has been seen of it. May throw, as the dissectors of the messages do. */
int tcp_encap_dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data, tcp_message_t take);

#endif
