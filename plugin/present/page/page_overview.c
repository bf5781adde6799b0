/* page_overview.c - what was captured, and how are its tunnels?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/page.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

enum {
    QUIET_BESIDE_LOUD = 12, /* more healthy tunnels than these are folded away, */
    QUIET_ALONE = 100,      /* or than these if all are */
};

/* ---- the capture ---- */

static void
append_left_out(page_t *page)
{
    const struct {
        uint64_t count;
        const char *noun, *fate;
    } lines[] = {
        { page->capture.copies, "packet", " captured twice and counted once" },
        { page->capture.elsewhere, "packet", " that only the other capture point has seen, not counted" },
        { page->capture.malformed, "malformed IPsec packet", "" },
        { page->capture.tunnels_evicted, "idle tunnel",
          " forgotten, to stay within the preference \xe2\x80\x9cTunnels remembered\xe2\x80\x9d" },
        { page->capture.findings_left_out, "finding", " left out, of tunnels that have hundreds of the same kind" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        if (lines[i].count == 0)
            continue;
        page_raw(page, "<li>");
        page_count(page, lines[i].count, lines[i].noun);
        page_raw(page, lines[i].fate);
        page_raw(page, "</li>\n");
    }
}

/* "3 tunnels: 1 down, 2 healthy" */
static void
append_verdict(page_t *page)
{
    static const tunnel_state_t order[] = { TUNNEL_DOWN, TUNNEL_FLAPPING, TUNNEL_DEGRADED, TUNNEL_UNKNOWN, TUNNEL_HEALTHY };
    unsigned in_state[G_N_ELEMENTS(order)] = { 0 }, incidents = 0;
    const char *separator = ": ";

    for (unsigned i = 0; i < page->count; i++) {
        in_state[page->entries[i].row.state]++;
        incidents += page->entries[i].incidents;
    }
    page_raw(page, "<p class=\"verdict\"><strong>");
    page_count(page, page->count, "tunnel");
    page_raw(page, "</strong>");
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        if (!in_state[order[i]])
            continue;
        g_string_append_printf(page->out, "%s%u ", separator, in_state[order[i]]);
        page_badge(page, tunnel_state_text(order[i]));
        separator = ", ";
    }
    page_raw(page, " \xc2\xb7 ");
    page_count(page, incidents, "incident");
    page_raw(page, "</p>\n");
}

void
page_capture(page_t *page)
{
    GString *phrase = g_string_new(NULL);

    page_raw(page, "<header>\n<h1>IPsec tunnel report</h1>\n<ul class=\"capture\">\n<li>");
    phrase_capture(phrase, &page->capture);
    page_phrase(page, phrase);
    page_raw(page, "</li>\n<li>");
    phrase = g_string_new(NULL);
    phrase_ipsec(phrase, &page->capture);
    page_phrase(page, phrase);
    page_raw(page, "</li>\n");
    append_left_out(page);
    page_raw(page, "</ul>\n");
    if (page->count)
        append_verdict(page);
    page_raw(page, "</header>\n");
}

/* ---- the table ---- */

static void
append_identity(page_t *page, const peer_row_t *peer)
{
    if (!peer->identity[0])
        return;
    page_raw(page, " <span class=\"identity\">");
    page_text(page, peer->identity);
    page_raw(page, "</span>");
}

static void
append_worst(page_t *page, const entry_t *entry)
{
    const finding_t *worst = entry->row.worst;
    const gpointer place = worst ? g_hash_table_lookup(page->places, worst) : NULL;

    if (!worst || worst->severity < SEVERITY_NOTE) {
        page_raw(page, "<td class=\"none\">\xe2\x80\x93</td>");
        return;
    }
    g_string_append_printf(page->out, "<td><span class=\"dot %s\"></span>", severity_text(worst->severity));
    if (place)
        g_string_append_printf(page->out, "<a href=\"#finding-%u\">%s</a></td>", GPOINTER_TO_UINT(place),
                               finding_catalogue[worst->id].id);
    else
        g_string_append_printf(page->out, "%s</td>", finding_catalogue[worst->id].id);
}

static void
append_number_cell(page_t *page, uint64_t number)
{
    g_string_append_printf(page->out, "<td class=\"n%s\">%" G_GUINT64_FORMAT "</td>", number ? "" : " zero", number);
}

static void
append_availability_cell(page_t *page, const tunnel_row_t *row)
{
    if (row->availability < 0) {
        page_raw(page, "<td class=\"n none\">\xe2\x80\x93</td>");
        return;
    }
    page_raw(page, "<td class=\"n\">");
    html_number(page->out, row->availability * 100);
    page_raw(page, " %</td>");
}

static void
append_tunnel_row(page_t *page, const entry_t *entry)
{
    const tunnel_row_t *row = &entry->row;
    const peer_row_t *a = &row->peer[PEER_A], *b = &row->peer[PEER_B];

    if (entry->has_section)
        g_string_append_printf(page->out, "<tr><td class=\"n\"><a href=\"#tunnel-%u\">%u</a></td><td>", row->tunnel, row->tunnel);
    else
        g_string_append_printf(page->out, "<tr><td class=\"n\">%u</td><td>", row->tunnel);
    page_endpoint(page, &a->last);
    append_identity(page, a);
    page_raw(page, "</td><td>");
    page_endpoint(page, &b->last);
    append_identity(page, b);
    page_raw(page, "</td><td>");
    page_badge(page, tunnel_state_text(row->state));
    page_raw(page, "</td>");
    append_worst(page, entry);
    append_number_cell(page, entry->incidents);
    append_number_cell(page, row->flaps);
    append_availability_cell(page, row);
    g_string_append_printf(page->out, "<td class=\"n%s\">", row->down_seconds > 0 ? "" : " zero");
    page_duration(page, row->down_seconds);
    page_raw(page, "</td>");
    page_pair_cell(page, row->rekeys_ok, row->rekeys_failed);
    page_pair_cell(page, row->dpd_sent, row->dpd_unanswered);
    page_pair_cell(page, a->esp_packets, b->esp_packets);
    page_raw(page, "</tr>\n");
}

static void
append_table(page_t *page, unsigned from, unsigned to)
{
    static const struct {
        const char *name;
        bool is_number;
    } columns[] = {
        { "#", true },         { "Peer A", false }, { "Peer B", false },   { "State", false }, { "Worst finding", false },
        { "Incidents", true }, { "Flaps", true },   { "Available", true }, { "Down", true },   { "Rekeys", true },
        { "DPD", true },       { "ESP", true },
    };

    page_raw(page, "<div class=\"scroll\"><table class=\"tunnels\">\n<thead><tr>");
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(page->out, columns[i].is_number ? "<th class=\"n\">%s</th>" : "<th>%s</th>", columns[i].name);
    page_raw(page, "</tr></thead>\n<tbody>\n");
    for (unsigned i = from; i < to; i++)
        append_tunnel_row(page, &page->entries[i]);
    page_raw(page, "</tbody></table></div>\n");
}

void
page_tables(page_t *page)
{
    unsigned loud = 0;

    while (loud < page->count && !entry_is_quiet(&page->entries[loud]))
        loud++;
    const unsigned quiet = page->count - loud;
    const bool fold = quiet > (loud ? QUIET_BESIDE_LOUD : QUIET_ALONE);
    const unsigned first = fold ? loud : page->count;

    page_raw(page, "<section id=\"tunnels\">\n<h2>Tunnels</h2>\n");
    if (first)
        append_table(page, 0, first);
    if (fold) {
        page_raw(page, "<details class=\"quiet\"><summary>");
        page_count(page, quiet, first ? "other tunnel" : "tunnel");
        page_raw(page, ", without warnings or errors</summary>\n");
        append_table(page, first, page->count);
        page_raw(page, "</details>\n");
    }
    page_raw(page, "<p class=\"small\">Worst first. Rekeys: ok/failed. DPD: sent/unanswered. ESP: packets from A/from B.");
    if (page->count > SECTIONS_MAX)
        g_string_append_printf(page->out, " The %d worst have a timeline below, the other %u are in this table only.", SECTIONS_MAX,
                               page->count - SECTIONS_MAX);
    page_raw(page, "</p>\n</section>\n");
}

/* ---- how to read a timeline ---- */

void
page_legend(page_t *page)
{
    static const struct {
        const char *class, *shape, *words;
    } rows[] = {
        { "answered", "<rect class=\"exchange\" x=\"1\" y=\"3\" width=\"14\" height=\"9\"/>", "answered" },
        { "unanswered",
          "<rect class=\"exchange\" x=\"1\" y=\"3\" width=\"12\" height=\"9\"/><line class=\"sending\" x1=\"7\" y1=\"2\" x2=\"7\" "
          "y2=\"12\"/>"
          "<line class=\"cross\" x1=\"16\" y1=\"4\" x2=\"22\" y2=\"10\"/><line class=\"cross\" x1=\"16\" y1=\"10\" x2=\"22\" "
          "y2=\"4\"/>",
          "repeated, never answered" },
        { "refused",
          "<rect class=\"exchange\" x=\"1\" y=\"3\" width=\"12\" height=\"9\"/>"
          "<line class=\"cross\" x1=\"16\" y1=\"4\" x2=\"22\" y2=\"10\"/><line class=\"cross\" x1=\"16\" y1=\"10\" x2=\"22\" "
          "y2=\"4\"/>",
          "refused" },
        { "waiting", "<rect class=\"exchange\" x=\"1\" y=\"3\" width=\"14\" height=\"9\"/>", "still waiting at the end" },
        { "unseen", "<rect class=\"exchange\" x=\"1\" y=\"3\" width=\"14\" height=\"9\"/>",
          "answer not in the capture, or none due" },
        { "flag error", "<g transform=\"translate(8 7.5)\"><path d=\"M-2.3-5.5H2.3L5.5-2.3V2.3L2.3 5.5H-2.3L-5.5 2.3V-2.3Z\"/></g>",
          "error" },
        { "flag warn", "<g transform=\"translate(8 7.5)\"><path d=\"M0-5.5 5.5 4.5H-5.5Z\"/></g>", "warning" },
        { "flag note", "<g transform=\"translate(8 7.5)\"><rect x=\"-3.5\" y=\"-3.5\" width=\"7\" height=\"7\"/></g>", "note" },
    };

    page_raw(page, "<ul class=\"legend\" aria-label=\"Legend\">\n");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_string_append_printf(page->out,
                               "<li><svg viewBox=\"0 0 24 15\" aria-hidden=\"true\"><g class=\"%s\">%s</g></svg>%s</li>\n",
                               rows[i].class, rows[i].shape, rows[i].words);
    page_raw(page, "</ul>\n");
}
