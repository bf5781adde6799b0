/* by_tunnel.h - which findings does each tunnel have?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_BY_TUNNEL_H
#define IPSEC_PRESENT_BY_TUNNEL_H

#include "engine/engine.h"

/* All findings, sorted into tunnels in one pass, however many of either there are. */
typedef struct by_tunnel by_tunnel_t;

/* Valid until the next packet, as the findings are. Call engine_finish() first. Freed by the caller with by_tunnel_free(). */
by_tunnel_t *by_tunnel_new(const engine_t *engine);
void by_tunnel_free(by_tunnel_t *groups);

/* Those of one tunnel, or with INDEX_NONE those of none, by frame: an array of finding_t * that `groups` owns, empty if there are none. */
const GPtrArray *by_tunnel_findings(const by_tunnel_t *groups, uint32_t tunnel);

#endif
