/* steady.h - which ESP packets reveal nothing?
 *
 * Nearly every packet of a capture is one more of an SA that works: between the endpoints of the one before, with the other direction heard
 * a moment ago, in a tunnel of which nothing is open. It is counted, and no question is asked. Whoever asks questions about each packet
 * says here when he has none (detector_t.has_no_question): from then on, until something else happens to the tunnel, packets that go on are
 * only counted. A detector that does not say so is asked about every packet, as ever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_STEADY_H
#define IPSEC_ENGINE_STEADY_H

#include "engine/engine_state.h"

/* The SA whose packets before this ESP packet it goes on with: unless it is a copy, it needs only to be counted. NULL: it has to be looked
 * at. */
esp_sa_t *steady_sa(const engine_t *engine, const packet_t *packet);

/* Something happened to the tunnel: whatever was found steady has to be looked at again. */
void steady_end(tunnel_t *tunnel);

#endif
