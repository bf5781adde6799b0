/* html.h - how does text from a capture get into a page without becoming part of it?
 *
 * Nothing but these functions puts text that is not ours on a page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_HTML_H
#define IPSEC_PRESENT_HTML_H

#include "engine/base.h"

#include <glib.h>

/* All of these append to `out`. */

/* `text` for an element or a quoted attribute. Control characters, and those that change the direction of writing, are shown by their
 * numbers; what is not valid UTF-8 is made so. */
void html_text(GString *out, const char *text);

/* html_text(), with a link on each "frame 17" and "frames 17 to 181" whose number `frames` holds (a set of GUINT_TO_POINTER). */
void html_text_with_frames(GString *out, const char *text, GHashTable *frames);

/* "17", as a link to the place of that frame if `frames` holds it. */
void html_frame(GString *out, frame_t frame, GHashTable *frames);

/* A number with one decimal and a point, whatever the locale: for coordinates and percentages. What is 1e15 or more is none of these: 0.0. */
void html_number(GString *out, double value);

#endif
