/* drawing.h - a timeline while it is drawn: time to places, shapes, and rows within a lane.
 *
 * Each lane appends its shapes at the current height and moves it down. Colours are classes of the style sheet (report.css); what a
 * shape stands for is in its <title>, which a browser shows when the pointer rests on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_PAGE_DRAWING_H
#define IPSEC_PRESENT_PAGE_DRAWING_H

#include "present/page/timeline_svg.h"

/* In the drawing's own units, which are pixels when it is as wide as made. */
enum {
    WIDTH = 1000,
    LEFT = 112, /* where time begins: before it are the lanes' names */
    RIGHT = 992,
    ROW = 15,
    LANE_GAP = 7,
    TOP = 6,
};
#define CHARACTER 5.7 /* width of one in a shape's label, about */
#define NARROWEST_SHAPE 5.0
#define TOGETHER 5.0         /* shapes that begin closer together than this are one */
#define TOGETHER_IF_MANY 2.0 /* the same for what deserves to be seen one by one */
enum { ROWS_MAX = 6, TITLE_LINES = 8 };

typedef struct {
    const timeline_source_t *source;
    GString *out;
    capture_ns_t from, to;
    double span; /* seconds, more than 0 */
    double y;    /* top of the next lane */
} drawing_t;

double drawing_seconds(capture_ns_t from, capture_ns_t to);

/* Times outside the drawing are at its edges. */
double drawing_x(const drawing_t *drawing, capture_ns_t time);

/* `text` and `title` are escaped here. */
void svg_rect(GString *out, const char *class, double x, double y, double width, double height);
void svg_line(GString *out, const char *class, double x1, double y1, double x2, double y2);
void svg_label(GString *out, const char *class, double x, double y, const char *text);
void svg_title(GString *out, const char *title);

/* The name of a lane before it, with a second line or NULL; and the line below a lane so high, after which the next one begins. */
void lane_begin(drawing_t *drawing, const char *name, const char *detail);
void lane_end(drawing_t *drawing, double height);

/* Rows within a lane: shapes and their labels must not cover each other. */
typedef struct {
    double end[ROWS_MAX]; /* up to where a row is taken */
    unsigned limit, used;
} rows_t;

typedef enum { LABEL_NONE, LABEL_AFTER, LABEL_BEFORE } label_place_t;

/* `limit`: at most ROWS_MAX. */
rows_t rows_of(unsigned limit);

/* Finds a row for a shape from `x` to `end` and a label so wide beside it. Where the label has no room it is left out; where the shape
 * has none, it covers others. */
unsigned rows_place(rows_t *rows, double x, double end, double label, label_place_t *ret_label);

/* The label beside a shape from `x` to `end`, where rows_place() has put it. */
void svg_label_beside(GString *out, label_place_t where, double x, double end, double y, const char *text);

#endif
