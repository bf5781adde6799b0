/* frame_sightings.h - which IPsec packets does the frame at hand hold?
 *
 * Wireshark dissects one frame at a time. What its packets were is needed once all dissectors are through, and seldom longer: only a frame
 * whose details are shown is asked about afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_FRAME_SIGHTINGS_H
#define IPSEC_FRAME_SIGHTINGS_H

#include "observe/observe.h"

/* `protocol`: the id of this plugin's protocol. */
void frame_sightings_register(int protocol);

/* Here is one more, further in than those before. */
void frame_sightings_add(packet_info *pinfo, const sighting_t *sighting);

/* The latest of them; NULL: there is none. */
const sighting_t *frame_sightings_latest(const packet_info *pinfo);

#endif
