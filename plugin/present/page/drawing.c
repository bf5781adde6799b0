/* drawing.c - how do the lanes of a timeline draw?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/drawing.h"

#include "present/page/html.h"

double
drawing_seconds(capture_ns_t from, capture_ns_t to)
{
    return duration_seconds(duration_between(from, to));
}

double
drawing_x(const drawing_t *drawing, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE)
        return LEFT;
    return LEFT + CLAMP(drawing_seconds(drawing->from, time) / drawing->span, 0.0, 1.0) * (RIGHT - LEFT);
}

static void
svg_attribute(GString *out, const char *name, double value)
{
    g_string_append_c(out, ' ');
    g_string_append(out, name);
    g_string_append(out, "=\"");
    html_number(out, value);
    g_string_append_c(out, '"');
}

void
svg_rect(GString *out, const char *class, double x, double y, double width, double height)
{
    g_string_append_printf(out, "<rect class=\"%s\"", class);
    svg_attribute(out, "x", x);
    svg_attribute(out, "y", y);
    svg_attribute(out, "width", width);
    svg_attribute(out, "height", height);
    g_string_append(out, "/>");
}

void
svg_line(GString *out, const char *class, double x1, double y1, double x2, double y2)
{
    g_string_append_printf(out, "<line class=\"%s\"", class);
    svg_attribute(out, "x1", x1);
    svg_attribute(out, "y1", y1);
    svg_attribute(out, "x2", x2);
    svg_attribute(out, "y2", y2);
    g_string_append(out, "/>");
}

void
svg_label(GString *out, const char *class, double x, double y, const char *text)
{
    g_string_append_printf(out, "<text class=\"%s\"", class);
    svg_attribute(out, "x", x);
    svg_attribute(out, "y", y);
    g_string_append_c(out, '>');
    html_text(out, text);
    g_string_append(out, "</text>");
}

void
svg_title(GString *out, const char *title)
{
    g_string_append(out, "<title>");
    html_text(out, title);
    g_string_append(out, "</title>");
}

rows_t
rows_of(unsigned limit)
{
    rows_t rows = { .limit = limit, .used = 1 };

    for (unsigned i = 0; i < ROWS_MAX; i++)
        rows.end[i] = LEFT - 1;
    return rows;
}

/* A row with room from `x` on, or `limit`. */
static unsigned
free_row(const rows_t *rows, double x)
{
    unsigned row = 0;

    while (row < rows->limit && rows->end[row] > x)
        row++;
    return row;
}

static void
take_row(rows_t *rows, unsigned row, double end)
{
    rows->end[row] = MAX(rows->end[row], end);
    rows->used = MAX(rows->used, row + 1);
}

unsigned
rows_place(rows_t *rows, double x, double end, double label, label_place_t *ret_label)
{
    const bool is_after = label > 0 && end + label <= RIGHT + 6;
    unsigned row = free_row(rows, is_after || label <= 0 ? x : x - label - 6);

    *ret_label = label <= 0 ? LABEL_NONE : is_after ? LABEL_AFTER : LABEL_BEFORE;
    if (row == rows->limit) {
        *ret_label = LABEL_NONE;
        row = MIN(free_row(rows, x), rows->limit - 1);
    }
    take_row(rows, row, end + (*ret_label == LABEL_AFTER ? label + 6 : 1));
    return row;
}

void
svg_label_beside(GString *out, label_place_t where, double x, double end, double y, const char *text)
{
    if (where == LABEL_AFTER)
        svg_label(out, "mark", end + 3, y, text);
    else if (where == LABEL_BEFORE)
        svg_label(out, "mark before", x - 3, y, text);
}

void
lane_begin(drawing_t *drawing, const char *name, const char *detail)
{
    svg_label(drawing->out, "lane", 2, drawing->y + 11, name);
    if (detail)
        svg_label(drawing->out, "detail", 2, drawing->y + 23, detail);
}

void
lane_end(drawing_t *drawing, double height)
{
    drawing->y += height + LANE_GAP;
    svg_line(drawing->out, "rule", 0, drawing->y - LANE_GAP / 2.0, WIDTH, drawing->y - LANE_GAP / 2.0);
}
