/* subtree.h - what does a frame show about its tunnel?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_SUBTREE_H
#define IPSEC_PRESENT_SUBTREE_H

#include "compat.h"

#include "engine/engine.h"

/* What the tap "ipsec" hands to its listeners, once per frame with IPsec in it; valid until the next frame. */
typedef struct {
    frame_t frame;
    uint32_t tunnel; /* INDEX_NONE: belongs to none */
} tap_frame_t;

#define SUBTREE_TAP "ipsec"

/* What is known about the frame that was last dissected into `pinfo`, with its details. False: it has no IPsec. `ret_note->findings` is
 * borrowed. */
bool subtree_note_of(packet_info *pinfo, frame_note_t *ret_note);

/* Registers the tap; call it while protocols are registered. */
void subtree_register(void);

/* Registers the post-dissector. */
void subtree_handoff(void);

#endif
