/* point.h - where was a packet captured: on which interface, how many routers away?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_POINT_H
#define IPSEC_OBSERVE_POINT_H

#include "compat.h"

#include "engine/engine.h"

/* The frame's interface as the engine numbers them, from 1; 0: the capture does not say. */
uint32_t point_interface(const packet_info *pinfo);

/* TTL or hop limit of the packet that carries `tvb`, whose bytes are `bytes` (NULL: none), `between` bytes behind its IP header. 0: the
 * header is not right before them in the same bytes, or is no plain one (IP fragments, extension headers, options). */
uint8_t point_hop_limit(tvbuff_t *tvb, const packet_info *pinfo, const uint8_t *bytes, size_t between);

/* Tells the engine of a frame's interface, with its name when it is new. */
void point_heard(engine_t *engine, const packet_info *pinfo);

#endif
