/* timeline_svg.h - what did a tunnel do when? A drawing for the HTML report: one lane per kind of thing, time from left to right.
 *
 * The number of shapes has a limit however long the capture is: what lies too close together to be told apart is one shape.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_TIMELINE_SVG_H
#define IPSEC_PRESENT_TIMELINE_SVG_H

#include "engine/engine.h"

/* Of one tunnel, on the page. */
#define INCIDENTS_SHOWN 50u

/* What is drawn, and where on the page it is told. */
typedef struct {
    const engine_t *engine;
    const tunnel_row_t *row;
    const capture_row_t *capture;
    const GPtrArray *findings; /* const finding_t * of this tunnel, by frame */
    const GArray *exchanges;   /* exchange_row_t, by first frame */
    GHashTable *frames;        /* frames that have a place on the page: GUINT_TO_POINTER(frame) */
    GHashTable *places;        /* const finding_t * -> number of its place on the page, "#finding-NUMBER" */
} timeline_source_t;

/* Appends an <svg>. False, and nothing appended: the tunnel's packets have no times. */
bool timeline_svg(GString *out, const timeline_source_t *source);

#endif
