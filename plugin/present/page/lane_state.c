/* lane_state.c - how was the tunnel, and when was there trouble?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/lanes.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

#include <string.h>

/* ---- the state ---- */

static void
describe_period(GString *out, const period_row_t *period)
{
    g_string_printf(out, "%s, ", period_state_text(period->state));
    words_clock(out, period->from);
    g_string_append(out, " to ");
    words_clock(out, period->to);
    g_string_append(out, ", ");
    words_duration(out, drawing_seconds(period->from, period->to));
    g_string_append_printf(out, ", frames %u to %u", period->from_frame, period->to_frame);
}

/* Where it has room, a period is named: colours alone do not tell everybody. */
static void
append_period_label(drawing_t *drawing, const period_row_t *period, double x, double end)
{
    GString *label = g_string_new(period_state_text(period->state));

    if (period->state == PERIOD_DOWN || period->state == PERIOD_DEGRADED) {
        g_string_append_c(label, ' ');
        words_duration(label, drawing_seconds(period->from, period->to));
    }
    if (CHARACTER * (double)label->len + 6 > end - x)
        g_string_assign(label, period_state_text(period->state));
    if (CHARACTER * (double)label->len + 6 <= end - x)
        svg_label(drawing->out, period->state == PERIOD_UNKNOWN ? "mark" : "inside", x + 4, drawing->y + 9.5, label->str);
    g_string_free(label, TRUE);
}

/* Shorter ones than a pixel are left out, unless they are down: that must be seen. */
static void
draw_period(drawing_t *drawing, const period_row_t *period)
{
    const double x = drawing_x(drawing, period->from), wide = drawing_x(drawing, period->to) - x;
    const double end = period->state == PERIOD_DOWN ? MAX(x + wide, x + 2) : x + wide;
    GString *title = g_string_new(NULL);

    if (end - x >= 1 && period->from <= drawing->to) {
        describe_period(title, period);
        g_string_append_printf(drawing->out, "<g class=\"period %s\">", period_state_text(period->state));
        svg_title(drawing->out, title->str);
        svg_rect(drawing->out, "stretch", x, drawing->y, end - x, ROW - 3);
        append_period_label(drawing, period, x, end);
        g_string_append(drawing->out, "</g>\n");
    }
    g_string_free(title, TRUE);
}

void
draw_state(drawing_t *drawing)
{
    GArray *periods = engine_periods(drawing->source->engine, drawing->source->row->tunnel);

    if (periods->len)
        lane_begin(drawing, "State", NULL);
    for (unsigned i = 0; i < periods->len; i++)
        draw_period(drawing, &g_array_index(periods, period_row_t, i));
    if (periods->len)
        lane_end(drawing, ROW);
    g_array_free(periods, TRUE);
}

/* ---- incidents ---- */

static void
describe_incident(GString *out, const incident_row_t *incident)
{
    g_string_printf(out, "Incident %u: %s\n", incident->incident, incident->root_words);
    words_clock(out, incident->start);
    if (incident->end != CAPTURE_TIME_NONE) {
        g_string_append(out, " to ");
        words_clock(out, incident->end);
    }
    phrase_down(out, incident);
}

static void
draw_incident(drawing_t *drawing, rows_t *rows, const incident_row_t *incident)
{
    GString *title = g_string_new(NULL);
    char *label = g_strdup_printf("Incident %u: %s", incident->incident, finding_catalogue[incident->root_cause].id);
    const double x = drawing_x(drawing, incident->start);
    const double end = MAX(incident->end == CAPTURE_TIME_NONE ? RIGHT : drawing_x(drawing, incident->end), x + NARROWEST_SHAPE);
    const double wide = CHARACTER * (double)strlen(label);
    const bool fits_inside = wide + 8 <= end - x;
    label_place_t where;
    const double y = drawing->y + ROW * rows_place(rows, x, end, fits_inside ? 0 : wide, &where);

    describe_incident(title, incident);
    g_string_append_printf(drawing->out, "<a href=\"#tunnel-%u-incident-%u\"><g class=\"incident\">", incident->tunnel,
                           incident->incident);
    svg_title(drawing->out, title->str);
    svg_rect(drawing->out, incident->recovered ? "outage" : "outage open", x, y, end - x, ROW - 3);
    if (fits_inside)
        svg_label(drawing->out, "inside", x + 4, y + 9.5, label);
    else
        svg_label_beside(drawing->out, where, x, end, y + 9.5, label);
    g_string_append(drawing->out, "</g></a>\n");
    g_string_free(title, TRUE);
    g_free(label);
}

void
draw_incidents(drawing_t *drawing)
{
    const timeline_source_t *source = drawing->source;
    rows_t rows = rows_of(3);
    const unsigned count = engine_incident_count(source->engine, source->row->tunnel);

    if (count == 0)
        return;
    lane_begin(drawing, "Incidents", NULL);
    for (uint32_t i = 0; i < MIN(count, INCIDENTS_SHOWN); i++) {
        incident_row_t incident;

        engine_incident_row(source->engine, source->row->tunnel, i, &incident);
        draw_incident(drawing, &rows, &incident);
    }
    lane_end(drawing, rows.used * ROW);
}
