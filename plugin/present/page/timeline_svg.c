/* timeline_svg.c - what did a tunnel do when?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/timeline_svg.h"

#include "present/page/lanes.h"
#include "present/words.h"

enum { AXIS = 22 }; /* its height */

/* The tunnel's own time, and as much again of what the capture has after it, so that silence at the end shows. */
static bool
find_times(drawing_t *drawing)
{
    const tunnel_row_t *row = drawing->source->row;
    const capture_ns_t end = drawing->source->capture->last_time;

    if (row->first_time == CAPTURE_TIME_NONE || row->last_time == CAPTURE_TIME_NONE)
        return false;
    drawing->from = row->first_time;
    drawing->to = capture_later(row->first_time, row->last_time);
    const duration_ns_t active = MAX(duration_between(drawing->from, drawing->to), SECONDS(1));
    const duration_ns_t silent = MIN(duration_between(drawing->to, end), active);
    drawing->to = drawing->to > INT64_MAX - silent ? INT64_MAX : drawing->to + silent;
    drawing->span = MAX(drawing_seconds(drawing->from, drawing->to), 0.001);
    return true;
}

/* ---- the axis ---- */

/* Seconds between two ticks, for at most eight of them: round numbers of the units that people read. */
static duration_ns_t
tick_step(double span)
{
    static const double steps[] = { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,  0.2,  0.5,  1,     2,     5,     10,   15,
                                    30,    60,    120,   300,  600,  900,  1800, 3600, 7200, 10800, 21600, 43200, 86400 };
    double step = steps[G_N_ELEMENTS(steps) - 1];

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (span / steps[i] <= 8)
            return (duration_ns_t)(steps[i] * 1e9 + 0.5);
    while (span / step > 8)
        step *= 2;
    return (duration_ns_t)MIN(step * 1e9, 9e18);
}

/* As much of "2026-11-20 21:04:11.271 UTC" as the step needs. */
static void
append_tick_text(const drawing_t *drawing, double x, capture_ns_t time, duration_ns_t step)
{
    enum { WHOLE = 23, DAY = 5, DAY_LENGTH = 5, CLOCK = 11, MINUTES = 5, TO_SECONDS = 8, MILLIS = 12 };
    GString *date = g_string_new(NULL);
    const bool is_long = drawing->span > 86400;

    words_date(date, time);
    if (date->len >= WHOLE) {
        const int length = step >= SECONDS(60) ? MINUTES : step >= SECONDS(1) ? TO_SECONDS : MILLIS;
        char *text = is_long ? g_strdup_printf("%.*s %.*s", DAY_LENGTH, date->str + DAY, MINUTES, date->str + CLOCK)
                             : g_strndup(date->str + CLOCK, (gsize)length);

        svg_label(drawing->out, x > RIGHT - 28 ? "tick last" : "tick", x, drawing->y + 14, text);
        g_free(text);
    }
    g_string_free(date, TRUE);
}

static void
draw_axis(drawing_t *drawing)
{
    const duration_ns_t step = tick_step(drawing->span);
    capture_ns_t time = drawing->from - drawing->from % step;

    svg_line(drawing->out, "axis", LEFT, drawing->y, RIGHT, drawing->y);
    while (time <= drawing->to) {
        if (time >= drawing->from) {
            const double x = drawing_x(drawing, time);

            svg_line(drawing->out, "grid", x, TOP, x, drawing->y + 4);
            append_tick_text(drawing, x, time, step);
        }
        if (time > INT64_MAX - step)
            break;
        time += step;
    }
    drawing->y += AXIS;
}

/* ---- the whole ---- */

/* Behind everything else: while an incident lasted. */
static void
append_shades(const drawing_t *drawing, GString *out, double bottom)
{
    const timeline_source_t *source = drawing->source;
    const unsigned count = engine_incident_count(source->engine, source->row->tunnel);

    for (uint32_t i = 0; i < MIN(count, INCIDENTS_SHOWN); i++) {
        incident_row_t incident;

        engine_incident_row(source->engine, source->row->tunnel, i, &incident);
        const double x = drawing_x(drawing, incident.start);
        const double end = incident.end == CAPTURE_TIME_NONE ? RIGHT : drawing_x(drawing, incident.end);
        svg_rect(out, "shade", x, TOP - 4, MAX(end - x, NARROWEST_SHAPE), bottom - TOP + 4);
    }
}

static void
append_data(const drawing_t *drawing, GString *out)
{
    /* For the script that shows the time under the pointer: milliseconds since the epoch. */
    g_string_append_printf(
        out, " data-from=\"%" G_GINT64_FORMAT "\" data-to=\"%" G_GINT64_FORMAT "\" data-left=\"%d\" data-right=\"%d\"",
        drawing->from / MILLISECONDS(1), drawing->to / MILLISECONDS(1), LEFT, RIGHT);
}

bool
timeline_svg(GString *out, const timeline_source_t *source)
{
    drawing_t drawing = { .source = source, .y = TOP };

    if (!find_times(&drawing))
        return false;
    drawing.out = g_string_new(NULL);
    draw_state(&drawing);
    draw_incidents(&drawing);
    draw_esp(&drawing);
    draw_children(&drawing);
    draw_ike(&drawing);
    draw_findings(&drawing);
    const double bottom = drawing.y;
    GString *lanes = drawing.out;
    drawing.out = g_string_new(NULL);
    draw_axis(&drawing);
    g_string_append_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"group\" aria-label=\"Timeline of tunnel %u\"", WIDTH,
                           (int)(drawing.y + 1), source->row->tunnel);
    append_data(&drawing, out);
    g_string_append(out, ">\n");
    append_shades(&drawing, out, bottom);
    g_string_append(out, drawing.out->str);
    g_string_append_c(out, '\n');
    g_string_append(out, lanes->str);
    g_string_append(out, "</svg>\n");
    g_string_free(drawing.out, TRUE);
    g_string_free(lanes, TRUE);
    return true;
}
