/* lanes.h - the lanes of a timeline, from top to bottom. One of which nothing is known is left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_PAGE_LANES_H
#define IPSEC_PRESENT_PAGE_LANES_H

#include "present/page/drawing.h"

void draw_state(drawing_t *drawing);
void draw_incidents(drawing_t *drawing);
void draw_esp(drawing_t *drawing); /* a lane for each direction */
void draw_children(drawing_t *drawing);
void draw_ike(drawing_t *drawing);      /* a lane for each initiator */
void draw_findings(drawing_t *drawing); /* one for warnings and errors, one for the rest */

#endif
