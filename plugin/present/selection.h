/* selection.h - which frames and tunnels passed the user's display filter?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_SELECTION_H
#define IPSEC_PRESENT_SELECTION_H

#include "engine/base.h"

#include <glib.h>

/* Begins empty; `everything` selects all without being told of any frame. */
typedef struct {
    bool everything;
    GByteArray *frames;  /* one bit per frame number */
    GByteArray *tunnels; /* one bit per index */
} selection_t;

void selection_init(selection_t *selection);
void selection_clear(selection_t *selection);

/* A frame of `tunnel` (INDEX_NONE: of none) passed the filter. */
void selection_add(selection_t *selection, frame_t frame, uint32_t tunnel);

bool selection_has_frame(const selection_t *selection, frame_t frame);
bool selection_has_tunnel(const selection_t *selection, uint32_t tunnel);

#endif
