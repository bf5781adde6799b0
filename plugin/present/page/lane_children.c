/* lane_children.c - which child SAs were there, from when to when?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/lanes.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

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

    pair->end = MAX(pair->end, drawing_x(drawing, end));
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
    const double y = drawing->y + ROW * rows_place(rows, pair->x, end, fits_inside ? 0 : wide, &where);

    if (pair->count > TITLE_LINES)
        g_string_append_printf(pair->title, "\nand %u more", pair->count - TITLE_LINES);
    g_string_append_printf(drawing->out, "<g class=\"child%s\">", is_cut ? " cut" : "");
    svg_title(drawing->out, pair->title->str);
    svg_rect(drawing->out, "life", pair->x, y, end - pair->x, ROW - 3);
    if (has_ended(pair->first))
        svg_line(drawing->out, "end", end, y - 1, end, y + ROW - 2);
    if (fits_inside)
        svg_label(drawing->out, "mark", pair->x + 4, y + 9.5, label->str);
    else
        svg_label_beside(drawing->out, where, pair->x, end, y + 9.5, label->str);
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
        const double x = row->born_in == FRAME_NONE ? LEFT : drawing_x(drawing, row->born_at);

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

void
draw_children(drawing_t *drawing)
{
    GArray *children = engine_child_sas(drawing->source->engine, drawing->source->row->tunnel);
    GArray *pairs = pairs_of(drawing, children);
    rows_t rows = rows_of(ROWS_MAX);

    if (pairs->len)
        lane_begin(drawing, "Child SAs", "SPI from A/from B");
    for (unsigned i = 0; i < pairs->len; i++) {
        const pair_t *pair = &g_array_index(pairs, pair_t, i);

        draw_pair(drawing, &rows, pair);
        g_string_free(pair->title, TRUE);
    }
    if (pairs->len)
        lane_end(drawing, MAX(rows.used, 2) * ROW);
    g_array_free(pairs, TRUE);
    g_array_free(children, TRUE);
}
