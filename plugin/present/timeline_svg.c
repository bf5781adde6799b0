/* timeline_svg.c - what did a tunnel do when?
 *
 * Each lane appends its shapes at the current height and moves it down. Colours are classes of the style sheet (report.css); what a
 * shape stands for is in its <title>, which a browser shows when the pointer rests on it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/timeline_svg.h"

#include "present/html.h"
#include "present/phrases.h"
#include "present/words.h"

#include <string.h>

/* In the drawing's own units, which are pixels when it is as wide as made. */
enum {
    WIDTH = 1000,
    LEFT = 112, /* where time begins: before it are the lanes' names */
    RIGHT = 992,
    ROW = 15,
    LANE_GAP = 7,
    BARS = 34, /* height of an ESP lane */
    TOP = 6,
    AXIS = 22,
};
#define CHARACTER 5.7 /* width of one in a shape's label, about */
#define NARROWEST_SHAPE 5.0
#define TOGETHER 5.0         /* shapes that begin closer together than this are one */
#define TOGETHER_IF_MANY 2.0 /* the same for what deserves to be seen one by one */
enum { ROWS_MAX = 6, TITLE_LINES = 8, NAMES_SHOWN = 2, FRAMES_SHOWN = 8 };

typedef struct {
    const timeline_source_t *source;
    GString *out;
    capture_ns_t from, to;
    double span; /* seconds, more than 0 */
    double y;    /* top of the next lane */
} drawing_t;

/* ---- time to places ---- */

static double
seconds_between(capture_ns_t from, capture_ns_t to)
{
    return duration_seconds(duration_between(from, to));
}

static double
x_of(const drawing_t *drawing, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE)
        return LEFT;
    return LEFT + CLAMP(seconds_between(drawing->from, time) / drawing->span, 0.0, 1.0) * (RIGHT - LEFT);
}

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
    drawing->span = MAX(seconds_between(drawing->from, drawing->to), 0.001);
    return true;
}

/* ---- shapes ---- */

static void
append_attribute(GString *out, const char *name, double value)
{
    g_string_append_printf(out, " %s=\"", name);
    html_number(out, value);
    g_string_append_c(out, '"');
}

static void
append_rect(GString *out, const char *class, double x, double y, double width, double height)
{
    g_string_append_printf(out, "<rect class=\"%s\"", class);
    append_attribute(out, "x", x);
    append_attribute(out, "y", y);
    append_attribute(out, "width", width);
    append_attribute(out, "height", height);
    g_string_append(out, "/>");
}

static void
append_line(GString *out, const char *class, double x1, double y1, double x2, double y2)
{
    g_string_append_printf(out, "<line class=\"%s\"", class);
    append_attribute(out, "x1", x1);
    append_attribute(out, "y1", y1);
    append_attribute(out, "x2", x2);
    append_attribute(out, "y2", y2);
    g_string_append(out, "/>");
}

static void
append_label(GString *out, const char *class, double x, double y, const char *text)
{
    g_string_append_printf(out, "<text class=\"%s\"", class);
    append_attribute(out, "x", x);
    append_attribute(out, "y", y);
    g_string_append_c(out, '>');
    html_text(out, text);
    g_string_append(out, "</text>");
}

static void
append_title(GString *out, const char *title)
{
    g_string_append(out, "<title>");
    html_text(out, title);
    g_string_append(out, "</title>");
}

/* ---- rows within a lane: shapes and their labels must not cover each other ---- */

typedef struct {
    double end[ROWS_MAX]; /* up to where a row is taken */
    unsigned limit, used;
} rows_t;

static rows_t
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

typedef enum { LABEL_NONE, LABEL_AFTER, LABEL_BEFORE } label_place_t;

/* Finds a row for a shape from `x` to `end` and a label so wide beside it. Where the label has no room it is left out; where the shape
 * has none, it covers others. */
static unsigned
place(rows_t *rows, double x, double end, double label, label_place_t *ret_label)
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

/* Beside a shape from `x` to `end`. */
static void
append_label_beside(GString *out, label_place_t where, double x, double end, double y, const char *text)
{
    if (where == LABEL_AFTER)
        append_label(out, "mark", end + 3, y, text);
    else if (where == LABEL_BEFORE)
        append_label(out, "mark before", x - 3, y, text);
}

static void
append_lane_name(drawing_t *drawing, const char *name, const char *detail)
{
    append_label(drawing->out, "lane", 2, drawing->y + 11, name);
    if (detail)
        append_label(drawing->out, "detail", 2, drawing->y + 23, detail);
}

static void
end_lane(drawing_t *drawing, double height)
{
    drawing->y += height + LANE_GAP;
    append_line(drawing->out, "rule", 0, drawing->y - LANE_GAP / 2.0, WIDTH, drawing->y - LANE_GAP / 2.0);
}

/* ---- the state ---- */

static void
describe_period(GString *out, const period_row_t *period)
{
    g_string_printf(out, "%s, ", period_state_text(period->state));
    words_clock(out, period->from);
    g_string_append(out, " to ");
    words_clock(out, period->to);
    g_string_append(out, ", ");
    words_duration(out, seconds_between(period->from, period->to));
    g_string_append_printf(out, ", frames %u to %u", period->from_frame, period->to_frame);
}

/* Where it has room, a period is named: colours alone do not tell everybody. */
static void
append_period_label(drawing_t *drawing, const period_row_t *period, double x, double end)
{
    GString *label = g_string_new(period_state_text(period->state));

    if (period->state == PERIOD_DOWN || period->state == PERIOD_DEGRADED) {
        g_string_append_c(label, ' ');
        words_duration(label, seconds_between(period->from, period->to));
    }
    if (CHARACTER * (double)label->len + 6 > end - x)
        g_string_assign(label, period_state_text(period->state));
    if (CHARACTER * (double)label->len + 6 <= end - x)
        append_label(drawing->out, period->state == PERIOD_UNKNOWN ? "mark" : "inside", x + 4, drawing->y + 9.5, label->str);
    g_string_free(label, TRUE);
}

/* Shorter ones than a pixel are left out, unless they are down: that must be seen. */
static void
draw_period(drawing_t *drawing, const period_row_t *period)
{
    const double x = x_of(drawing, period->from), wide = x_of(drawing, period->to) - x;
    const double end = period->state == PERIOD_DOWN ? MAX(x + wide, x + 2) : x + wide;
    GString *title = g_string_new(NULL);

    if (end - x >= 1 && period->from <= drawing->to) {
        describe_period(title, period);
        g_string_append_printf(drawing->out, "<g class=\"period %s\">", period_state_text(period->state));
        append_title(drawing->out, title->str);
        append_rect(drawing->out, "stretch", x, drawing->y, end - x, ROW - 3);
        append_period_label(drawing, period, x, end);
        g_string_append(drawing->out, "</g>\n");
    }
    g_string_free(title, TRUE);
}

static void
draw_state(drawing_t *drawing)
{
    GArray *periods = engine_periods(drawing->source->engine, drawing->source->row->tunnel);

    if (periods->len)
        append_lane_name(drawing, "State", NULL);
    for (unsigned i = 0; i < periods->len; i++)
        draw_period(drawing, &g_array_index(periods, period_row_t, i));
    if (periods->len)
        end_lane(drawing, ROW);
    g_array_free(periods, TRUE);
}

/* ---- incidents ---- */

static void
describe_incident(GString *out, const incident_row_t *incident)
{
    g_string_printf(out, "Incident %u: %s\n", incident->incident, finding_catalogue[incident->root_cause].summary);
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
    const double x = x_of(drawing, incident->start);
    const double end = MAX(incident->end == CAPTURE_TIME_NONE ? RIGHT : x_of(drawing, incident->end), x + NARROWEST_SHAPE);
    const double wide = CHARACTER * (double)strlen(label);
    const bool fits_inside = wide + 8 <= end - x;
    label_place_t where;
    const double y = drawing->y + ROW * place(rows, x, end, fits_inside ? 0 : wide, &where);

    describe_incident(title, incident);
    g_string_append_printf(drawing->out, "<a href=\"#tunnel-%u-incident-%u\"><g class=\"incident\">", incident->tunnel,
                           incident->incident);
    append_title(drawing->out, title->str);
    append_rect(drawing->out, incident->recovered ? "outage" : "outage open", x, y, end - x, ROW - 3);
    if (fits_inside)
        append_label(drawing->out, "inside", x + 4, y + 9.5, label);
    else
        append_label_beside(drawing->out, where, x, end, y + 9.5, label);
    g_string_append(drawing->out, "</g></a>\n");
    g_string_free(title, TRUE);
    g_free(label);
}

static void
draw_incidents(drawing_t *drawing)
{
    const timeline_source_t *source = drawing->source;
    rows_t rows = rows_of(3);
    const unsigned count = engine_incident_count(source->engine, source->row->tunnel);

    if (count == 0)
        return;
    append_lane_name(drawing, "Incidents", NULL);
    for (uint32_t i = 0; i < MIN(count, INCIDENTS_SHOWN); i++) {
        incident_row_t incident;

        engine_incident_row(source->engine, source->row->tunnel, i, &incident);
        draw_incident(drawing, &rows, &incident);
    }
    end_lane(drawing, rows.used * ROW);
}

/* ---- ESP ---- */

/* What the bars show: the bins, or several of them put together. A bin that is hardly longer than the time between two packets is now and
 * then empty, and would look like a pause. */
typedef struct {
    capture_ns_t from;
    duration_ns_t width;
    unsigned bars;
    activity_bin_t bar[ACTIVITY_BINS];
} bars_t;
enum { PACKETS_WANTED = 3, TOGETHER_MOST = 8 }; /* in a typical bar; bins in one */

static bool
is_empty(const activity_bin_t *bin)
{
    return bin->packets[PEER_A] == 0 && bin->packets[PEER_B] == 0;
}

static void
put_together(const activity_row_t *activity, unsigned together, bars_t *bars)
{
    *bars = (bars_t){ .from = activity->from,
                      .width = activity->width > INT64_MAX / together ? INT64_MAX : activity->width * together };
    for (unsigned i = 0; i < activity->bins; i++) {
        activity_bin_t *bar = &bars->bar[i / together];

        for (peer_t peer = PEER_A; peer < PEERS; peer++) {
            bar->packets[peer] += activity->bin[i].packets[peer];
            bar->bytes[peer] += activity->bin[i].bytes[peer];
        }
        bars->bars = i / together + 1;
    }
}

/* Of the direction with more, in bars that are not empty. */
static double
typical_packets(const bars_t *bars)
{
    uint64_t packets[PEERS] = { 0 };
    unsigned used = 0;

    for (unsigned i = 0; i < bars->bars; i++) {
        packets[PEER_A] += bars->bar[i].packets[PEER_A];
        packets[PEER_B] += bars->bar[i].packets[PEER_B];
        used += !is_empty(&bars->bar[i]);
    }
    return used ? (double)MAX(packets[PEER_A], packets[PEER_B]) / used : 0;
}

static void
choose_bars(const activity_row_t *activity, bars_t *bars)
{
    unsigned together = 1;

    put_together(activity, together, bars);
    while (together < TOGETHER_MOST && typical_packets(bars) < PACKETS_WANTED) {
        together *= 2;
        put_together(activity, together, bars);
    }
}

static uint32_t
most_of(const bars_t *bars, peer_t sender)
{
    uint32_t most = 0;

    for (unsigned i = 0; i < bars->bars; i++)
        most = MAX(most, bars->bar[i].packets[sender]);
    return most;
}

static capture_ns_t
bar_begins(const bars_t *bars, unsigned i)
{
    const duration_ns_t after = i > 0 && bars->width > INT64_MAX / i ? INT64_MAX : bars->width * i;

    return bars->from > INT64_MAX - after ? INT64_MAX : bars->from + after;
}

static void
describe_bar(GString *out, const bars_t *bars, unsigned i, peer_t sender)
{
    g_string_truncate(out, 0);
    words_clock(out, bar_begins(bars, i));
    g_string_append(out, ", for ");
    words_duration(out, duration_seconds(bars->width));
    g_string_append(out, ": ");
    words_count(out, bars->bar[i].packets[sender], "packet");
    g_string_append(out, ", ");
    words_bytes(out, bars->bar[i].bytes[sender]);
}

static void
draw_bars(drawing_t *drawing, const bars_t *bars, peer_t sender, uint32_t most)
{
    GString *title = g_string_new(NULL);

    for (unsigned i = 0; i < bars->bars; i++) {
        const uint32_t packets = bars->bar[i].packets[sender];
        const double x = x_of(drawing, bar_begins(bars, i)), end = x_of(drawing, bar_begins(bars, i + 1));
        const double height = MAX((double)BARS * packets / most, 2.0);

        if (packets == 0)
            continue;
        describe_bar(title, bars, i, sender);
        g_string_append(drawing->out, "<g>");
        append_title(drawing->out, title->str);
        append_rect(drawing->out, sender == PEER_A ? "from-a" : "from-b", x, drawing->y + BARS - height, MAX(end - x - 0.5, 1.5),
                    height);
        g_string_append(drawing->out, "</g>\n");
    }
    g_string_free(title, TRUE);
}

/* A rate is spoken of for a second or more; a burst by itself. */
static char *
peak_text(uint32_t packets, duration_ns_t width)
{
    const double seconds = duration_seconds(width), rate = packets / seconds;
    GString *out = g_string_new("peak ");

    if (seconds < 1) {
        g_string_append_printf(out, "%u in ", packets);
        words_duration(out, seconds);
    } else {
        html_number(out, rate < 1 ? rate * 60 : rate);
        g_string_append(out, rate < 1 ? " packets/min" : " packets/s");
    }
    return g_string_free(out, FALSE);
}

/* Both directions have one scale, so that they can be compared. */
static void
draw_esp(drawing_t *drawing)
{
    static const char *const names[PEERS] = { [PEER_A] = "ESP A \xe2\x86\x92 B", [PEER_B] = "ESP B \xe2\x86\x92 A" };
    activity_row_t activity;
    bars_t bars;

    engine_activity_row(drawing->source->engine, drawing->source->row->tunnel, &activity);
    if (activity.bins == 0)
        return;
    choose_bars(&activity, &bars);
    for (peer_t sender = PEER_A; sender < PEERS; sender++) {
        const uint32_t most = most_of(&bars, sender);
        char *peak = most ? peak_text(most, bars.width) : NULL;

        append_lane_name(drawing, names[sender], peak);
        if (most)
            draw_bars(drawing, &bars, sender, MAX(most_of(&bars, PEER_A), most_of(&bars, PEER_B)));
        else
            append_label(drawing->out, "nothing", LEFT + 4, drawing->y + BARS / 2.0 + 4, "none in the capture");
        append_line(drawing->out, "base", LEFT, drawing->y + BARS, RIGHT, drawing->y + BARS);
        end_lane(drawing, BARS);
        g_free(peak);
    }
}

/* ---- generations of child SAs ---- */

/* One child SA, or several that begin so close together that they are drawn as one. */
typedef struct {
    double x, end;
    unsigned count;
    const child_sa_row_t *first;
    GString *title;
} pair_t;

static void
append_spi(GString *out, uint32_t spi)
{
    if (spi)
        g_string_append_printf(out, "%08x", spi);
    else
        g_string_append_c(out, '-');
}

static void
append_spis(GString *out, const child_sa_row_t *row)
{
    if (row->child_sa == INDEX_NONE)
        g_string_append(out, "? ");
    else
        g_string_append_printf(out, "%u: ", row->child_sa);
    append_spi(out, row->from[PEER_A].spi);
    g_string_append_c(out, '/');
    append_spi(out, row->from[PEER_B].spi);
}

static void
describe_child(GString *out, const child_sa_row_t *row)
{
    g_string_append(out, "child SA ");
    append_spis(out, row);
    g_string_append(out, " (SPI from A/from B); made: ");
    phrase_child_made(out, row);
    g_string_append(out, "; ");
    phrase_child_end(out, row);
    g_string_append_printf(out, "; packets %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, row->from[PEER_A].packets,
                           row->from[PEER_B].packets);
}

static bool
has_ended(const child_sa_row_t *row)
{
    return row->end == CHILD_REPLACED || row->end == CHILD_DELETED || row->end == CHILD_GONE_WITH_IKE_SA;
}

/* From its birth, or the left where that is not in the capture, to its last packet or, if later, its end. */
static void
pair_add(const drawing_t *drawing, pair_t *pair, const child_sa_row_t *row)
{
    const capture_ns_t end = capture_later(row->last_at, has_ended(row) ? row->ended_at : row->born_at);

    pair->end = MAX(pair->end, x_of(drawing, end));
    pair->count++;
    if (pair->count > TITLE_LINES)
        return;
    if (pair->title->len)
        g_string_append_c(pair->title, '\n');
    describe_child(pair->title, row);
}

/* SAs that carried nothing and of which no birth is known have no place in time. */
static bool
has_time(const child_sa_row_t *row)
{
    return row->last_at != CAPTURE_TIME_NONE || (row->born_in != FRAME_NONE && row->born_at != CAPTURE_TIME_NONE);
}

static void
draw_pair(drawing_t *drawing, rows_t *rows, const pair_t *pair)
{
    const bool is_cut = pair->first->born_in == FRAME_NONE;
    const double end = MAX(pair->end, pair->x + NARROWEST_SHAPE);
    GString *label = g_string_new(NULL);
    label_place_t where;

    append_spis(label, pair->first);
    if (pair->count > 1)
        g_string_append_printf(label, " +%u", pair->count - 1);
    const double wide = CHARACTER * (double)label->len;
    const bool fits_inside = wide + 8 <= end - pair->x;
    const double y = drawing->y + ROW * place(rows, pair->x, end, fits_inside ? 0 : wide, &where);

    if (pair->count > TITLE_LINES)
        g_string_append_printf(pair->title, "\nand %u more", pair->count - TITLE_LINES);
    g_string_append_printf(drawing->out, "<g class=\"child%s\">", is_cut ? " cut" : "");
    append_title(drawing->out, pair->title->str);
    append_rect(drawing->out, "life", pair->x, y, end - pair->x, ROW - 3);
    if (has_ended(pair->first))
        append_line(drawing->out, "end", end, y - 1, end, y + ROW - 2);
    if (fits_inside)
        append_label(drawing->out, "mark", pair->x + 4, y + 9.5, label->str);
    else
        append_label_beside(drawing->out, where, pair->x, end, y + 9.5, label->str);
    g_string_append(drawing->out, "</g>\n");
    g_string_free(label, TRUE);
}

static gint
by_begin(gconstpointer a, gconstpointer b)
{
    const double left = ((const pair_t *)a)->x, right = ((const pair_t *)b)->x;

    return (left > right) - (left < right);
}

/* Shapes for child SAs, from left to right. They come in the order in which they were made. */
static GArray *
pairs_of(const drawing_t *drawing, const GArray *children)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(pair_t));

    for (unsigned i = 0; i < children->len; i++) {
        const child_sa_row_t *row = &g_array_index(children, child_sa_row_t, i);
        const double x = row->born_in == FRAME_NONE ? LEFT : x_of(drawing, row->born_at);

        if (!has_time(row))
            continue;
        if (!pairs->len || ABS(x - g_array_index(pairs, pair_t, pairs->len - 1).x) >= TOGETHER_IF_MANY ||
            children->len < ROWS_MAX) {
            const pair_t pair = { .x = x, .first = row, .title = g_string_new(NULL) };

            g_array_append_val(pairs, pair);
        }
        pair_add(drawing, &g_array_index(pairs, pair_t, pairs->len - 1), row);
    }
    g_array_sort(pairs, by_begin);
    return pairs;
}

static void
draw_children(drawing_t *drawing)
{
    GArray *children = engine_child_sas(drawing->source->engine, drawing->source->row->tunnel);
    GArray *pairs = pairs_of(drawing, children);
    rows_t rows = rows_of(ROWS_MAX);

    if (pairs->len)
        append_lane_name(drawing, "Child SAs", "SPI from A/from B");
    for (unsigned i = 0; i < pairs->len; i++) {
        const pair_t *pair = &g_array_index(pairs, pair_t, i);

        draw_pair(drawing, &rows, pair);
        g_string_free(pair->title, TRUE);
    }
    if (pairs->len)
        end_lane(drawing, MAX(rows.used, 2) * ROW);
    g_array_free(pairs, TRUE);
    g_array_free(children, TRUE);
}

/* ---- IKE exchanges ---- */

/* One exchange, or several with the same result that begin so close together that they are drawn as one. */
typedef struct {
    double x, end;
    unsigned count;
    unsigned transmissions; /* of all of them */
    exchange_result_t result;
    const exchange_row_t *first;
    const char *names[NAMES_SHOWN + 1]; /* different ones; the last place only says that there are more */
    unsigned names_used;
    GString *title;
    frame_t place; /* a frame of it that has a place on the page; FRAME_NONE: none has */
} pin_t;

static const char *const result_classes[EXCHANGE_RESULTS] = {
    [RESULT_ANSWERED] = "answered", [RESULT_REFUSED] = "refused",      [RESULT_UNANSWERED] = "unanswered",
    [RESULT_WAITING] = "waiting",   [RESULT_ANSWER_UNSEEN] = "unseen", [RESULT_NOTHING_DUE] = "oneway",
};

static void
describe_frames(GString *out, const exchange_row_t *row)
{
    const unsigned shown = MIN(row->sendings, FRAMES_SHOWN);

    g_string_append_printf(out, row->sendings > 1 ? "sent %u times, frames" : "frame", row->transmissions);
    for (unsigned i = 0; i < shown; i++)
        g_string_append_printf(out, "%s %u", i ? "," : "", row->sent_in[i]);
    if (row->sendings > shown)
        g_string_append(out, ", ...");
    if (row->answer_frame != FRAME_NONE)
        g_string_append_printf(out, ", answer in frame %u", row->answer_frame);
}

static void
describe_exchange(GString *out, const exchange_row_t *row)
{
    words_clock(out, row->first_time);
    g_string_append_printf(out, " %s%s: %s", row->exchange, row->confidence == CONFIDENCE_INFERRED ? " (inferred)" : "",
                           exchange_result_text(row->result));
    if (row->result == RESULT_ANSWERED && row->last_time > row->first_time) {
        g_string_append(out, " after ");
        words_duration(out, seconds_between(row->first_time, row->last_time));
    }
    g_string_append(out, "; ");
    describe_frames(out, row);
}

static bool
has_place(const drawing_t *drawing, frame_t frame)
{
    return g_hash_table_contains(drawing->source->frames, GUINT_TO_POINTER(frame));
}

static frame_t
place_of(const drawing_t *drawing, const exchange_row_t *row)
{
    for (unsigned i = row->sendings; i-- > 0;)
        if (has_place(drawing, row->sent_in[i]))
            return row->sent_in[i];
    return row->answer_frame != FRAME_NONE && has_place(drawing, row->answer_frame) ? row->answer_frame : FRAME_NONE;
}

static void
mark_name(pin_t *mark, const char *name)
{
    for (unsigned i = 0; i < mark->names_used; i++)
        if (strcmp(mark->names[i], name) == 0)
            return;
    if (mark->names_used < G_N_ELEMENTS(mark->names))
        mark->names[mark->names_used++] = name;
}

static void
mark_add(const drawing_t *drawing, pin_t *mark, const exchange_row_t *row)
{
    const bool is_open = row->result == RESULT_WAITING;

    mark->end = MAX(mark->end, is_open ? RIGHT : x_of(drawing, row->last_time));
    mark->count++;
    mark->transmissions += row->transmissions;
    mark_name(mark, row->exchange);
    if (mark->place == FRAME_NONE)
        mark->place = place_of(drawing, row);
    if (mark->count > TITLE_LINES)
        return;
    if (mark->title->len)
        g_string_append_c(mark->title, '\n');
    describe_exchange(mark->title, row);
}

static pin_t
mark_begin(const drawing_t *drawing, const exchange_row_t *row)
{
    const double x = x_of(drawing, row->first_time);

    return (pin_t){
        .x = x, .end = x + NARROWEST_SHAPE, .result = row->result, .first = row, .title = g_string_new(NULL), .place = FRAME_NONE
    };
}

static gint
by_x(gconstpointer a, gconstpointer b)
{
    const double left = ((const pin_t *)a)->x, right = ((const pin_t *)b)->x;

    return (left > right) - (left < right);
}

/* Shapes for the exchanges that `initiator` began, from left to right. */
static GArray *
marks_of(const drawing_t *drawing, peer_t initiator)
{
    const GArray *rows = drawing->source->exchanges;
    GArray *marks = g_array_new(FALSE, FALSE, sizeof(pin_t));
    int latest[EXCHANGE_RESULTS];

    for (unsigned i = 0; i < EXCHANGE_RESULTS; i++)
        latest[i] = -1;
    for (unsigned i = 0; i < rows->len; i++) {
        const exchange_row_t *row = &g_array_index(rows, exchange_row_t, i);
        const double near = row->transmissions > 1 ? TOGETHER_IF_MANY : TOGETHER;
        const int before = row->initiator == initiator ? latest[row->result] : -1;

        if (row->initiator != initiator)
            continue;
        if (before < 0 || ABS(x_of(drawing, row->first_time) - g_array_index(marks, pin_t, before).x) >= near) {
            const pin_t mark = mark_begin(drawing, row);

            latest[row->result] = (int)marks->len;
            g_array_append_val(marks, mark);
        }
        mark_add(drawing, &g_array_index(marks, pin_t, latest[row->result]), row);
    }
    g_array_sort(marks, by_x);
    return marks;
}

/* Liveness checks that were answered are the background; the others are named. */
static char *
mark_label(const pin_t *mark)
{
    const bool is_background = mark->names_used == 1 && strcmp(mark->names[0], "dpd") == 0 && mark->result == RESULT_ANSWERED &&
                               mark->transmissions == mark->count;
    GString *label = g_string_new(NULL);

    if (is_background)
        return g_string_free(label, FALSE);
    if (mark->names_used > NAMES_SHOWN)
        g_string_printf(label, "%u exchanges", mark->count);
    for (unsigned i = 0; i < mark->names_used && mark->names_used <= NAMES_SHOWN; i++)
        g_string_append_printf(label, "%s%s", i ? ", " : "", mark->names[i]);
    if (mark->transmissions > mark->count)
        g_string_append_printf(label, " \xc3\x97%u", mark->transmissions);
    return g_string_free(label, FALSE);
}

/* Where each transmission was, if the shape is one exchange. */
static void
append_sendings(const drawing_t *drawing, const pin_t *mark, double y)
{
    if (mark->count != 1)
        return;
    for (unsigned i = 1; i < mark->first->sendings; i++) {
        const double x = x_of(drawing, mark->first->sent_at[i]);

        append_line(drawing->out, "sending", x, y, x, y + ROW - 5);
    }
}

/* A result is shown by more than a colour: an unanswered or refused request ends with a cross. */
static void
append_cross(GString *out, double x, double y)
{
    append_line(out, "cross", x - 3, y + 2, x + 3, y + ROW - 7);
    append_line(out, "cross", x - 3, y + ROW - 7, x + 3, y + 2);
}

static void
draw_mark(drawing_t *drawing, rows_t *rows, const pin_t *mark)
{
    const bool ends_in_vain = mark->result == RESULT_UNANSWERED || mark->result == RESULT_REFUSED;
    const double end = MIN(MAX(mark->end, mark->x + NARROWEST_SHAPE), RIGHT + NARROWEST_SHAPE);
    char *label = mark_label(mark);
    label_place_t where;
    const double wide = CHARACTER * (double)g_utf8_strlen(label, -1);
    const double y = drawing->y + ROW * place(rows, mark->x, end + (ends_in_vain ? 7 : 0), wide, &where);

    if (mark->count > TITLE_LINES)
        g_string_append_printf(mark->title, "\nand %u more", mark->count - TITLE_LINES);
    if (mark->place != FRAME_NONE)
        g_string_append_printf(drawing->out, "<a href=\"#frame-%u\">", mark->place);
    g_string_append_printf(drawing->out, "<g class=\"%s\">", result_classes[mark->result]);
    append_title(drawing->out, mark->title->str);
    append_rect(drawing->out, "exchange", mark->x, y + 1, end - mark->x, ROW - 6);
    append_sendings(drawing, mark, y + 0.5);
    if (ends_in_vain)
        append_cross(drawing->out, end + 4, y);
    append_label_beside(drawing->out, where, mark->x, end + (ends_in_vain ? 7 : 0), y + 9, label);
    g_string_append(drawing->out, mark->place != FRAME_NONE ? "</g></a>\n" : "</g>\n");
    g_free(label);
}

static void
draw_ike(drawing_t *drawing)
{
    static const char *const names[PEERS] = { [PEER_A] = "IKE from A", [PEER_B] = "IKE from B" };

    if (drawing->source->exchanges->len == 0)
        return;
    for (peer_t peer = PEER_A; peer < PEERS; peer++) {
        GArray *marks = marks_of(drawing, peer);
        rows_t rows = rows_of(4);

        append_lane_name(drawing, names[peer], NULL);
        if (marks->len == 0)
            append_label(drawing->out, "nothing", LEFT + 4, drawing->y + 11, "began no exchange in the capture");
        for (unsigned i = 0; i < marks->len; i++) {
            pin_t *mark = &g_array_index(marks, pin_t, i);

            draw_mark(drawing, &rows, mark);
            g_string_free(mark->title, TRUE);
        }
        end_lane(drawing, rows.used * ROW);
        g_array_free(marks, TRUE);
    }
}

/* ---- findings ---- */

/* One finding, or several of like severity on nearly the same place. */
typedef struct {
    double x;
    severity_t severity;
    const finding_t *first;
    unsigned count;
    bool is_one_id;
    GString *title;
} flag_t;

static void
flag_add(flag_t *flag, const finding_t *finding)
{
    flag->count++;
    flag->is_one_id &= finding->id == flag->first->id;
    if (flag->count > TITLE_LINES)
        return;
    if (flag->title->len)
        g_string_append_c(flag->title, '\n');
    words_clock(flag->title, finding->time);
    g_string_append_printf(flag->title, ", frame %u, %s, %s: %s", finding->frame, severity_text(finding->severity),
                           confidence_text(finding->confidence), finding_catalogue[finding->id].id);
}

/* Those that deserve a name (warnings and errors), or the others. */
static GArray *
flags_of(const drawing_t *drawing, bool is_serious)
{
    const GPtrArray *findings = drawing->source->findings;
    GArray *flags = g_array_new(FALSE, FALSE, sizeof(flag_t));

    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];
        const double x = x_of(drawing, finding->time == CAPTURE_TIME_NONE ? drawing->from : finding->time);
        const flag_t *before = flags->len ? &g_array_index(flags, flag_t, flags->len - 1) : NULL;

        if ((finding->severity >= SEVERITY_WARN) != is_serious)
            continue;
        if (!before || before->severity != finding->severity ||
            ABS(x - before->x) >= (is_serious ? TOGETHER_IF_MANY : 2 * TOGETHER)) {
            const flag_t flag = {
                .x = x, .severity = finding->severity, .first = finding, .is_one_id = true, .title = g_string_new(NULL)
            };

            g_array_append_val(flags, flag);
        }
        flag_add(&g_array_index(flags, flag_t, flags->len - 1), finding);
    }
    return flags;
}

/* Each severity has a shape of its own. */
static void
append_flag_shape(GString *out, severity_t severity, double x, double y)
{
    static const char *const shapes[] = {
        [SEVERITY_CHAT] = "<circle cx=\"0\" cy=\"0\" r=\"2.5\"/>",
        [SEVERITY_NOTE] = "<rect x=\"-3.5\" y=\"-3.5\" width=\"7\" height=\"7\"/>",
        [SEVERITY_WARN] = "<path d=\"M0-5.5 5.5 4.5H-5.5Z\"/>",
        [SEVERITY_ERROR] = "<path d=\"M-2.3-5.5H2.3L5.5-2.3V2.3L2.3 5.5H-2.3L-5.5 2.3V-2.3Z\"/>",
    };

    g_string_append(out, "<g transform=\"translate(");
    html_number(out, x);
    g_string_append_c(out, ' ');
    html_number(out, y);
    g_string_append_printf(out, ")\">%s</g>", shapes[severity]);
}

static void
draw_flag(drawing_t *drawing, rows_t *rows, const flag_t *flag, bool is_named)
{
    const char *id = finding_catalogue[flag->first->id].id;
    char *label = flag->count == 1  ? g_strdup(id)
                  : flag->is_one_id ? g_strdup_printf("%s \xc3\x97%u", id, flag->count)
                                    : g_strdup_printf("%s +%u", id, flag->count - 1);
    label_place_t where;
    const double wide = is_named ? CHARACTER * (double)g_utf8_strlen(label, -1) : 0;
    const double y = drawing->y + ROW * place(rows, flag->x - 6, flag->x + 6, wide, &where);
    const gpointer number = g_hash_table_lookup(drawing->source->places, flag->first);

    if (flag->count > TITLE_LINES)
        g_string_append_printf(flag->title, "\nand %u more", flag->count - TITLE_LINES);
    if (number)
        g_string_append_printf(drawing->out, "<a href=\"#finding-%u\">", GPOINTER_TO_UINT(number));
    g_string_append_printf(drawing->out, "<g class=\"flag %s\">", severity_text(flag->severity));
    append_title(drawing->out, flag->title->str);
    append_flag_shape(drawing->out, flag->severity, flag->x, y + 6.5);
    append_label_beside(drawing->out, where, flag->x - 6, flag->x + 6, y + 10, label);
    g_string_append(drawing->out, number ? "</g></a>\n" : "</g>\n");
    g_free(label);
}

static void
draw_flags(drawing_t *drawing, const char *name, bool is_serious)
{
    GArray *flags = flags_of(drawing, is_serious);
    rows_t rows = rows_of(is_serious ? ROWS_MAX : 1);

    if (flags->len)
        append_lane_name(drawing, name, NULL);
    for (unsigned i = 0; i < flags->len; i++) {
        flag_t *flag = &g_array_index(flags, flag_t, i);

        draw_flag(drawing, &rows, flag, is_serious);
        g_string_free(flag->title, TRUE);
    }
    if (flags->len)
        end_lane(drawing, rows.used * ROW);
    g_array_free(flags, TRUE);
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

        append_label(drawing->out, x > RIGHT - 28 ? "tick last" : "tick", x, drawing->y + 14, text);
        g_free(text);
    }
    g_string_free(date, TRUE);
}

static void
draw_axis(drawing_t *drawing)
{
    const duration_ns_t step = tick_step(drawing->span);
    capture_ns_t time = drawing->from - drawing->from % step;

    append_line(drawing->out, "axis", LEFT, drawing->y, RIGHT, drawing->y);
    while (time <= drawing->to) {
        if (time >= drawing->from) {
            const double x = x_of(drawing, time);

            append_line(drawing->out, "grid", x, TOP, x, drawing->y + 4);
            append_tick_text(drawing, x, time, step);
        }
        if (time > INT64_MAX - step)
            break;
        time += step;
    }
    drawing->y += AXIS;
}

/* Behind everything else: while an incident lasted. */
static void
append_shades(const drawing_t *drawing, GString *out, double bottom)
{
    const timeline_source_t *source = drawing->source;
    const unsigned count = engine_incident_count(source->engine, source->row->tunnel);

    for (uint32_t i = 0; i < MIN(count, INCIDENTS_SHOWN); i++) {
        incident_row_t incident;

        engine_incident_row(source->engine, source->row->tunnel, i, &incident);
        const double x = x_of(drawing, incident.start);
        const double end = incident.end == CAPTURE_TIME_NONE ? RIGHT : x_of(drawing, incident.end);
        append_rect(out, "shade", x, TOP - 4, MAX(end - x, NARROWEST_SHAPE), bottom - TOP + 4);
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
    draw_flags(&drawing, "Findings", true);
    draw_flags(&drawing, "Notes", false);
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
