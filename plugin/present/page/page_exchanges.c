/* page_exchanges.c - which exchanges and which child SAs were there?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/page.h"

#include "present/page/html.h"
#include "present/phrases.h"

/* Listed per tunnel, so that a browser can show it: beyond it, the page says how much was left out. */
enum { EXCHANGES_MAX = 60, CHILDREN_MAX = 60 };

/* ---- which exchanges? All of them if they are few; else those that did not go as they should ---- */

static bool
is_plain(const exchange_row_t *row)
{
    return row->transmissions <= 1 && (row->result == RESULT_ANSWERED || row->result == RESULT_NOTHING_DUE);
}

/* The next one to list from `i` on, or the number of rows. */
static unsigned
next_listed(const GArray *rows, unsigned i)
{
    while (i < rows->len && rows->len > EXCHANGES_MAX && is_plain(&g_array_index(rows, exchange_row_t, i)))
        i++;
    return i;
}

static void
add_exchange_place(page_t *page, frame_t frame)
{
    if (frame != FRAME_NONE && !g_hash_table_contains(page->frames, GUINT_TO_POINTER(frame)))
        g_hash_table_insert(page->frames, GUINT_TO_POINTER(frame), GUINT_TO_POINTER(PLACE_EXCHANGE));
}

void
page_add_exchange_places(page_t *page, uint32_t tunnel)
{
    GArray *rows = engine_exchanges(page->engine, tunnel);
    unsigned listed = 0;

    for (unsigned i = next_listed(rows, 0); i < rows->len && listed < EXCHANGES_MAX; i = next_listed(rows, i + 1), listed++) {
        const exchange_row_t *row = &g_array_index(rows, exchange_row_t, i);

        for (unsigned sending = 0; sending < row->sendings; sending++)
            add_exchange_place(page, row->sent_in[sending]);
        add_exchange_place(page, row->answer_frame);
    }
    g_array_free(rows, TRUE);
}

/* ---- exchanges ---- */

/* The place of a frame that has no finding. */
static void
append_exchange_frame(page_t *page, frame_t frame)
{
    const gpointer place = g_hash_table_lookup(page->frames, GUINT_TO_POINTER(frame));

    if (place == GUINT_TO_POINTER(PLACE_EXCHANGE) && g_hash_table_add(page->anchored, GUINT_TO_POINTER(frame)))
        g_string_append_printf(page->out, "<span id=\"frame-%u\">%u</span>", frame, frame);
    else
        html_frame(page->out, frame, page->frames);
}

static void
append_exchange_row(page_t *page, const exchange_row_t *row)
{
    page_raw(page, "<tr><td>");
    page_clock(page, row->first_time);
    g_string_append_printf(
        page->out,
        "</td><td>%s</td><td><code>%s</code>%s</td><td class=\"n\">%u</td><td class=\"result-%s\">%s</td><td class=\"n\">",
        row->initiator == PEER_A   ? "A"
        : row->initiator == PEER_B ? "B"
                                   : "?",
        row->exchange, row->confidence == CONFIDENCE_INFERRED ? " <span class=\"sure\">inferred</span>" : "", row->transmissions,
        is_plain(row) ? "plain" : "special", exchange_result_text(row->result));
    if (row->answer_frame != FRAME_NONE)
        page_duration(page, duration_seconds(duration_between(row->first_time, row->last_time)));
    page_raw(page, "</td><td>");
    for (unsigned i = 0; i < row->sendings; i++) {
        page_raw(page, i ? ", " : "");
        append_exchange_frame(page, row->sent_in[i]);
    }
    if (row->answer_frame != FRAME_NONE) {
        page_raw(page, " \xe2\x86\x92 ");
        append_exchange_frame(page, row->answer_frame);
    }
    page_raw(page, "</td></tr>\n");
}

void
page_exchanges(page_t *page, const tunnel_row_t *tunnel, const GArray *rows)
{
    const uint64_t forgotten = engine_exchanges_forgotten(page->engine, tunnel->tunnel);
    unsigned listed = 0, special = 0;

    for (unsigned i = 0; i < rows->len; i++)
        special += !is_plain(&g_array_index(rows, exchange_row_t, i));
    if (rows->len == 0)
        return;
    page_raw(page, "<details class=\"exchanges\"><summary>");
    page_count(page, rows->len, "IKE exchange");
    g_string_append_printf(page->out, ", %u of them repeated, refused or without an answer", special);
    page_raw(page, "</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th>Time (UTC)</th><th>From</th><th>Exchange</th>"
                   "<th class=\"n\">Sent</th><th>Result</th><th class=\"n\">Took</th><th>Frames</th></tr></thead>\n<tbody>\n");
    for (unsigned i = next_listed(rows, 0); i < rows->len && listed < EXCHANGES_MAX; i = next_listed(rows, i + 1), listed++)
        append_exchange_row(page, &g_array_index(rows, exchange_row_t, i));
    page_raw(page, "</tbody></table></div>\n");
    if (listed < rows->len)
        g_string_append_printf(page->out,
                               "<p class=\"small\">%u of %u listed: those that were repeated, refused or not answered.</p>\n",
                               listed, rows->len);
    if (forgotten)
        g_string_append_printf(
            page->out, "<p class=\"small\">%" G_GUINT64_FORMAT " earlier exchanges are no longer remembered.</p>\n", forgotten);
    page_raw(page, "</details>\n");
}

/* ---- child SAs ---- */

static void
append_spi_cell(page_t *page, uint32_t spi)
{
    if (spi)
        g_string_append_printf(page->out, "<td><code>%08x</code></td>", spi);
    else
        page_raw(page, "<td class=\"none\">\xe2\x80\x93</td>");
}

/* A phrase with frame numbers in it. */
static void
append_child_cell(page_t *page, const child_sa_row_t *row, void (*put)(GString *, const child_sa_row_t *))
{
    GString *phrase = g_string_new(NULL);

    put(phrase, row);
    page_raw(page, "<td>");
    html_text_with_frames(page->out, phrase->str, page->frames);
    page_raw(page, "</td>");
    g_string_free(phrase, TRUE);
}

static void
append_child_row(page_t *page, const child_sa_row_t *row)
{
    if (row->child_sa == INDEX_NONE)
        page_raw(page, "<tr><td class=\"n\">?</td>");
    else
        g_string_append_printf(page->out, "<tr><td class=\"n\">%u</td>", row->child_sa);
    append_spi_cell(page, row->from[PEER_A].spi);
    append_spi_cell(page, row->from[PEER_B].spi);
    page_raw(page, "<td>");
    if (row->born_in == FRAME_NONE)
        page_raw(page, "earlier");
    else
        page_clock(page, row->born_at);
    page_raw(page, "</td><td class=\"n\">");
    if (row->lifetime >= 0)
        page_duration(page, row->lifetime);
    page_raw(page, "</td>");
    page_pair_cell(page, row->from[PEER_A].packets, row->from[PEER_B].packets);
    append_child_cell(page, row, phrase_child_made);
    append_child_cell(page, row, phrase_child_end);
    page_raw(page, "</tr>\n");
}

/* The latest are of more interest than the first. */
void
page_children(page_t *page, const tunnel_row_t *tunnel)
{
    GArray *rows = engine_child_sas(page->engine, tunnel->tunnel);
    const unsigned left_out = rows->len > CHILDREN_MAX ? rows->len - CHILDREN_MAX : 0;

    if (rows->len) {
        page_raw(page, "<details class=\"children\"><summary>");
        page_count(page, rows->len, "child SA");
        page_raw(
            page,
            "</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th class=\"n\">SA</th><th>SPI from A</th><th>SPI from B</th>"
            "<th>Born</th><th class=\"n\">Lived</th><th class=\"n\">Packets A/B</th><th>Made by</th><th>End</th></tr></thead>\n"
            "<tbody>\n");
        for (unsigned i = left_out; i < rows->len; i++)
            append_child_row(page, &g_array_index(rows, child_sa_row_t, i));
        page_raw(page, "</tbody></table></div>\n");
        if (left_out)
            g_string_append_printf(page->out, "<p class=\"small\">The first %u are left out here; the JSON report has them.</p>\n",
                                   left_out);
        page_raw(page, "</details>\n");
    }
    g_array_free(rows, TRUE);
}
