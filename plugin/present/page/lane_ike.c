/* lane_ike.c - who began which exchange, and what became of it?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/lanes.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

#include <string.h>

enum { NAMES_SHOWN = 2, FRAMES_SHOWN = 8 };

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
        words_duration(out, drawing_seconds(row->first_time, row->last_time));
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

    mark->end = MAX(mark->end, is_open ? RIGHT : drawing_x(drawing, row->last_time));
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
    const double x = drawing_x(drawing, row->first_time);

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
        if (before < 0 || ABS(drawing_x(drawing, row->first_time) - g_array_index(marks, pin_t, before).x) >= near) {
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
        const double x = drawing_x(drawing, mark->first->sent_at[i]);

        svg_line(drawing->out, "sending", x, y, x, y + ROW - 5);
    }
}

/* A result is shown by more than a colour: an unanswered or refused request ends with a cross. */
static void
append_cross(GString *out, double x, double y)
{
    svg_line(out, "cross", x - 3, y + 2, x + 3, y + ROW - 7);
    svg_line(out, "cross", x - 3, y + ROW - 7, x + 3, y + 2);
}

static void
draw_mark(drawing_t *drawing, rows_t *rows, const pin_t *mark)
{
    const bool ends_in_vain = mark->result == RESULT_UNANSWERED || mark->result == RESULT_REFUSED;
    const double end = MIN(MAX(mark->end, mark->x + NARROWEST_SHAPE), RIGHT + NARROWEST_SHAPE);
    char *label = mark_label(mark);
    label_place_t where;
    const double wide = CHARACTER * (double)g_utf8_strlen(label, -1);
    const double y = drawing->y + ROW * rows_place(rows, mark->x, end + (ends_in_vain ? 7 : 0), wide, &where);

    if (mark->count > TITLE_LINES)
        g_string_append_printf(mark->title, "\nand %u more", mark->count - TITLE_LINES);
    if (mark->place != FRAME_NONE)
        g_string_append_printf(drawing->out, "<a href=\"#frame-%u\">", mark->place);
    g_string_append_printf(drawing->out, "<g class=\"%s\">", result_classes[mark->result]);
    svg_title(drawing->out, mark->title->str);
    svg_rect(drawing->out, "exchange", mark->x, y + 1, end - mark->x, ROW - 6);
    append_sendings(drawing, mark, y + 0.5);
    if (ends_in_vain)
        append_cross(drawing->out, end + 4, y);
    svg_label_beside(drawing->out, where, mark->x, end + (ends_in_vain ? 7 : 0), y + 9, label);
    g_string_append(drawing->out, mark->place != FRAME_NONE ? "</g></a>\n" : "</g>\n");
    g_free(label);
}

void
draw_ike(drawing_t *drawing)
{
    static const char *const names[PEERS] = { [PEER_A] = "IKE from A", [PEER_B] = "IKE from B" };

    if (drawing->source->exchanges->len == 0)
        return;
    for (peer_t peer = PEER_A; peer < PEERS; peer++) {
        GArray *marks = marks_of(drawing, peer);
        rows_t rows = rows_of(4);

        lane_begin(drawing, names[peer], NULL);
        if (marks->len == 0)
            svg_label(drawing->out, "nothing", LEFT + 4, drawing->y + 11, "began no exchange in the capture");
        for (unsigned i = 0; i < marks->len; i++) {
            pin_t *mark = &g_array_index(marks, pin_t, i);

            draw_mark(drawing, &rows, mark);
            g_string_free(mark->title, TRUE);
        }
        lane_end(drawing, rows.used * ROW);
        g_array_free(marks, TRUE);
    }
}
