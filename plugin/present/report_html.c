/* report_html.c - what is the whole story of the capture, as one page to send to somebody?
 *
 * First a table, the worst tunnel first; then a section per tunnel with its timeline, its incidents and its findings. Frame numbers are
 * links to the findings on these frames. All text that may come from a capture goes through html.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/report.h"

#include "present/by_tunnel.h"
#include "present/page/html.h"
#include "present/page/page_parts.h"
#include "present/phrases.h"
#include "present/ranking.h"
#include "present/page/timeline_svg.h"
#include "present/words.h"

#include <string.h>

/* What a page has at most, so that a browser can show it: beyond it, it says how much was left out. */
enum {
    SECTIONS_MAX = 40,      /* tunnels with a timeline */
    SECTIONS_OPEN = 3,      /* of so few tunnels all sections are open, else those with trouble */
    QUIET_BESIDE_LOUD = 12, /* more healthy tunnels than these are folded away, */
    QUIET_ALONE = 100,      /* or than these if all are */
    FINDINGS_MAX = 300,     /* per tunnel */
    NOTES_OPEN = 6,         /* more notes than these are folded away */
    EXCHANGES_MAX = 60,     /* listed per tunnel */
    CHILDREN_MAX = 60,
};

/* Where a frame has its place on the page: at its first finding, else at its exchange. */
enum { PLACE_NONE, PLACE_FINDING, PLACE_EXCHANGE };

/* One tunnel, and what of it is on the page. */
typedef struct {
    tunnel_row_t row;
    const GPtrArray *findings; /* all of it, by frame */
    GPtrArray *shown;          /* those on the page, by frame */
    unsigned incidents;
    bool has_section;
} entry_t;

typedef struct {
    const engine_t *engine;
    by_tunnel_t *groups;
    GString *out;
    capture_row_t capture;
    entry_t *entries; /* worst first */
    unsigned count;
    entry_t loose;        /* the findings of no tunnel; nothing else in it */
    GHashTable *frames;   /* with a place on the page: frame -> PLACE_... */
    GHashTable *anchored; /* whose place has been written */
    GHashTable *places;   /* const finding_t * -> number of its place */
} page_t;

/* ---- which tunnels, in which order? ---- */

static severity_t
severity_of(const entry_t *entry)
{
    return entry->row.worst ? entry->row.worst->severity : SEVERITY_CHAT;
}

/* Tunnels of which there is nothing to say but figures. */
static bool
is_quiet(const entry_t *entry)
{
    const tunnel_state_t state = entry->row.state;

    return (state == TUNNEL_HEALTHY || state == TUNNEL_UNKNOWN) && severity_of(entry) < SEVERITY_WARN && entry->incidents == 0;
}

/* As everywhere, but those of which there is nothing to say come last: the table may fold them away. */
static int
by_rank(const void *a, const void *b)
{
    const entry_t *left = a, *right = b;
    const int order = is_quiet(left) - is_quiet(right);

    return order ? order : ranking_compare(&left->row, &right->row);
}

static void
entry_init(entry_t *entry, const GPtrArray *findings)
{
    entry->findings = findings;
    entry->shown = g_ptr_array_new();
}

static void
entry_clear(entry_t *entry)
{
    g_ptr_array_free(entry->shown, TRUE);
}

static void
page_add(page_t *page, uint32_t tunnel)
{
    entry_t *entry = &page->entries[page->count++];

    engine_tunnel_row(page->engine, tunnel, &entry->row);
    entry_init(entry, by_tunnel_findings(page->groups, tunnel));
    entry->incidents = engine_incident_count(page->engine, tunnel);
}

/* Those that matter more come first when not all can be shown. */
static void
choose_findings(page_t *page, entry_t *entry)
{
    unsigned serious = 0, notes = 0, taken = 0;

    for (unsigned i = 0; i < entry->findings->len; i++)
        serious += ((const finding_t *)entry->findings->pdata[i])->severity >= SEVERITY_WARN;
    const unsigned room_for_notes = FINDINGS_MAX - MIN(serious, FINDINGS_MAX);

    for (unsigned i = 0; i < entry->findings->len; i++) {
        finding_t *finding = entry->findings->pdata[i];
        const bool is_note = finding->severity < SEVERITY_WARN;

        if (is_note ? notes >= room_for_notes : taken >= FINDINGS_MAX)
            continue;
        notes += is_note;
        taken += !is_note;
        g_ptr_array_add(entry->shown, finding);
        g_hash_table_insert(page->frames, GUINT_TO_POINTER(finding->frame), GUINT_TO_POINTER(PLACE_FINDING));
        g_hash_table_insert(page->places, finding, GUINT_TO_POINTER(g_hash_table_size(page->places) + 1));
    }
}

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

static void
add_exchange_places(page_t *page, uint32_t tunnel)
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

static void
page_init(page_t *page, const engine_t *engine)
{
    const unsigned tunnels = engine_tunnel_count(engine);

    *page = (page_t){ .engine = engine,
                      .groups = by_tunnel_new(engine),
                      .out = g_string_new(NULL),
                      .entries = g_new0(entry_t, MAX(tunnels, 1)),
                      .frames = g_hash_table_new(NULL, NULL),
                      .anchored = g_hash_table_new(NULL, NULL),
                      .places = g_hash_table_new(NULL, NULL) };
    engine_capture_row(engine, &page->capture);
    for (uint32_t tunnel = 0; tunnel < tunnels; tunnel++) {
        if (engine_tunnel_is_kept(engine, tunnel))
            page_add(page, tunnel);
    }
    entry_init(&page->loose, by_tunnel_findings(page->groups, INDEX_NONE));
    choose_findings(page, &page->loose);
    qsort(page->entries, page->count, sizeof *page->entries, by_rank);
    for (unsigned i = 0; i < MIN(page->count, SECTIONS_MAX); i++) {
        page->entries[i].has_section = true;
        choose_findings(page, &page->entries[i]);
    }
    for (unsigned i = 0; i < page->count && page->entries[i].has_section; i++)
        add_exchange_places(page, page->entries[i].row.tunnel);
}

/* Returns the page's text. */
static GString *
page_end(page_t *page)
{
    for (unsigned i = 0; i < page->count; i++)
        entry_clear(&page->entries[i]);
    entry_clear(&page->loose);
    g_free(page->entries);
    by_tunnel_free(page->groups);
    g_hash_table_destroy(page->frames);
    g_hash_table_destroy(page->anchored);
    g_hash_table_destroy(page->places);
    return page->out;
}

/* ---- small pieces ---- */

static void
append_raw(page_t *page, const char *html)
{
    g_string_append(page->out, html);
}

static void
append_text(page_t *page, const char *text)
{
    html_text(page->out, text);
}

/* A phrase as text of the page. Frees it. */
static void
append_and_free(page_t *page, GString *phrase)
{
    html_text(page->out, phrase->str);
    g_string_free(phrase, TRUE);
}

static void
append_clock(page_t *page, capture_ns_t time)
{
    GString *text = g_string_new(NULL);

    words_clock(text, time);
    append_and_free(page, text);
}

static void
append_duration(page_t *page, double seconds)
{
    GString *text = g_string_new(NULL);

    words_duration(text, seconds);
    append_and_free(page, text);
}

static void
append_count(page_t *page, uint64_t count, const char *noun)
{
    GString *text = g_string_new(NULL);

    words_count(text, count, noun);
    append_and_free(page, text);
}

static void
append_badge(page_t *page, const char *class)
{
    g_string_append_printf(page->out, "<span class=\"badge %s\">%s</span>", class, class);
}

static void
append_endpoint(page_t *page, const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    append_raw(page, endpoint->family == ADDRESS_IPV4 ? "<span class=\"short\">" : "<span>");
    append_text(page, endpoint->family == ADDRESS_NONE ? "?" : endpoint_text(endpoint, text));
    append_raw(page, "</span>");
}

static void
append_address(page_t *page, const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    append_text(page, endpoint->family == ADDRESS_NONE ? "?" : endpoint_address_text(endpoint, text));
}

/* ---- the head ---- */

/* The page allows itself its own style and its own script, and nothing else: text that slipped through could do nothing. */
static void
append_hash(page_t *page, const unsigned char *part, size_t length)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize digest_length = sizeof digest;

    g_checksum_update(checksum, part, (gssize)length);
    g_checksum_get_digest(checksum, digest, &digest_length);
    char *text = g_base64_encode(digest, digest_length);
    g_string_append_printf(page->out, "'sha256-%s'", text);
    g_free(text);
    g_checksum_free(checksum);
}

static void
append_head(page_t *page)
{
    append_raw(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n"
                     "<meta name=\"referrer\" content=\"no-referrer\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    append_hash(page, page_style, page_style_length);
    append_raw(page, "; script-src ");
    append_hash(page, page_script, page_script_length);
    append_raw(page, "; base-uri 'none'; form-action 'none'\">\n<title>IPsec tunnel report</title>\n<style>");
    g_string_append_len(page->out, (const char *)page_style, (gssize)page_style_length);
    append_raw(page, "</style>\n</head>\n<body>\n");
}

/* ---- the capture ---- */

static void
append_left_out(page_t *page)
{
    if (page->capture.copies) {
        append_raw(page, "<li>");
        append_count(page, page->capture.copies, "packet");
        append_raw(page, " captured twice and counted once</li>\n");
    }
    if (page->capture.elsewhere) {
        append_raw(page, "<li>");
        append_count(page, page->capture.elsewhere, "packet");
        append_raw(page, " that only the other capture point has seen, not counted</li>\n");
    }
    if (page->capture.malformed) {
        append_raw(page, "<li>");
        append_count(page, page->capture.malformed, "malformed IPsec packet");
        append_raw(page, "</li>\n");
    }
    if (page->capture.tunnels_evicted) {
        append_raw(page, "<li>");
        append_count(page, page->capture.tunnels_evicted, "idle tunnel");
        append_raw(page, " forgotten, to stay within the preference \xe2\x80\x9cTunnels remembered\xe2\x80\x9d</li>\n");
    }
    if (page->capture.findings_left_out) {
        append_raw(page, "<li>");
        append_count(page, page->capture.findings_left_out, "finding");
        append_raw(page, " left out, of tunnels that have hundreds of the same kind</li>\n");
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
    append_raw(page, "<p class=\"verdict\"><strong>");
    append_count(page, page->count, "tunnel");
    append_raw(page, "</strong>");
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
        if (!in_state[order[i]])
            continue;
        g_string_append_printf(page->out, "%s%u ", separator, in_state[order[i]]);
        append_badge(page, tunnel_state_text(order[i]));
        separator = ", ";
    }
    append_raw(page, " \xc2\xb7 ");
    append_count(page, incidents, "incident");
    append_raw(page, "</p>\n");
}

static void
append_capture(page_t *page)
{
    GString *phrase = g_string_new(NULL);

    append_raw(page, "<header>\n<h1>IPsec tunnel report</h1>\n<ul class=\"capture\">\n<li>");
    phrase_capture(phrase, &page->capture);
    append_and_free(page, phrase);
    append_raw(page, "</li>\n<li>");
    phrase = g_string_new(NULL);
    phrase_ipsec(phrase, &page->capture);
    append_and_free(page, phrase);
    append_raw(page, "</li>\n");
    append_left_out(page);
    append_raw(page, "</ul>\n");
    if (page->count)
        append_verdict(page);
    append_raw(page, "</header>\n");
}

/* ---- the table ---- */

static void
append_identity(page_t *page, const peer_row_t *peer)
{
    if (!peer->identity[0])
        return;
    append_raw(page, " <span class=\"identity\">");
    append_text(page, peer->identity);
    append_raw(page, "</span>");
}

static void
append_worst(page_t *page, const entry_t *entry)
{
    const finding_t *worst = entry->row.worst;
    const gpointer place = worst ? g_hash_table_lookup(page->places, worst) : NULL;

    if (!worst || worst->severity < SEVERITY_NOTE) {
        append_raw(page, "<td class=\"none\">\xe2\x80\x93</td>");
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
append_pair_cell(page_t *page, uint64_t first, uint64_t second)
{
    g_string_append_printf(page->out, "<td class=\"n\">%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "</td>", first, second);
}

static void
append_availability_cell(page_t *page, const tunnel_row_t *row)
{
    if (row->availability < 0) {
        append_raw(page, "<td class=\"n none\">\xe2\x80\x93</td>");
        return;
    }
    append_raw(page, "<td class=\"n\">");
    html_number(page->out, row->availability * 100);
    append_raw(page, " %</td>");
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
    append_endpoint(page, &a->last);
    append_identity(page, a);
    append_raw(page, "</td><td>");
    append_endpoint(page, &b->last);
    append_identity(page, b);
    append_raw(page, "</td><td>");
    append_badge(page, tunnel_state_text(row->state));
    append_raw(page, "</td>");
    append_worst(page, entry);
    append_number_cell(page, entry->incidents);
    append_number_cell(page, row->flaps);
    append_availability_cell(page, row);
    g_string_append_printf(page->out, "<td class=\"n%s\">", row->down_seconds > 0 ? "" : " zero");
    append_duration(page, row->down_seconds);
    append_raw(page, "</td>");
    append_pair_cell(page, row->rekeys_ok, row->rekeys_failed);
    append_pair_cell(page, row->dpd_sent, row->dpd_unanswered);
    append_pair_cell(page, a->esp_packets, b->esp_packets);
    append_raw(page, "</tr>\n");
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

    append_raw(page, "<div class=\"scroll\"><table class=\"tunnels\">\n<thead><tr>");
    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++)
        g_string_append_printf(page->out, columns[i].is_number ? "<th class=\"n\">%s</th>" : "<th>%s</th>", columns[i].name);
    append_raw(page, "</tr></thead>\n<tbody>\n");
    for (unsigned i = from; i < to; i++)
        append_tunnel_row(page, &page->entries[i]);
    append_raw(page, "</tbody></table></div>\n");
}

static void
append_tables(page_t *page)
{
    unsigned loud = 0;

    while (loud < page->count && !is_quiet(&page->entries[loud]))
        loud++;
    const unsigned quiet = page->count - loud;
    const bool fold = quiet > (loud ? QUIET_BESIDE_LOUD : QUIET_ALONE);
    const unsigned first = fold ? loud : page->count;

    append_raw(page, "<section id=\"tunnels\">\n<h2>Tunnels</h2>\n");
    if (first)
        append_table(page, 0, first);
    if (fold) {
        append_raw(page, "<details class=\"quiet\"><summary>");
        append_count(page, quiet, first ? "other tunnel" : "tunnel");
        append_raw(page, ", without warnings or errors</summary>\n");
        append_table(page, first, page->count);
        append_raw(page, "</details>\n");
    }
    append_raw(page, "<p class=\"small\">Worst first. Rekeys: ok/failed. DPD: sent/unanswered. ESP: packets from A/from B.");
    if (page->count > SECTIONS_MAX)
        g_string_append_printf(page->out, " The %d worst have a timeline below, the other %u are in this table only.", SECTIONS_MAX,
                               page->count - SECTIONS_MAX);
    append_raw(page, "</p>\n</section>\n");
}

/* ---- how to read a timeline ---- */

static void
append_legend(page_t *page)
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

    append_raw(page, "<ul class=\"legend\" aria-label=\"Legend\">\n");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_string_append_printf(page->out,
                               "<li><svg viewBox=\"0 0 24 15\" aria-hidden=\"true\"><g class=\"%s\">%s</g></svg>%s</li>\n",
                               rows[i].class, rows[i].shape, rows[i].words);
    append_raw(page, "</ul>\n");
}

/* ---- facts ---- */

static void
append_fact(page_t *page, const char *name, GString *phrase)
{
    g_string_append_printf(page->out, "<div><dt>%s</dt><dd>", name);
    append_and_free(page, phrase);
    append_raw(page, "</dd></div>\n");
}

static void
append_peer_fact(page_t *page, const char *name, const peer_row_t *peer)
{
    GString *phrase = g_string_new(NULL), *nat = g_string_new(NULL);

    phrase_peer(phrase, peer);
    nat_describe(&peer->nat, &peer->last, nat);
    if (nat->len)
        g_string_append_printf(phrase, "; %s", nat->str);
    g_string_free(nat, TRUE);
    append_fact(page, name, phrase);
}

static void
append_row_fact(page_t *page, const char *name, void (*put)(GString *, const tunnel_row_t *), const tunnel_row_t *row)
{
    GString *phrase = g_string_new(NULL);

    put(phrase, row);
    append_fact(page, name, phrase);
}

static void
append_esp_fact(page_t *page, const char *name, const peer_row_t *peer)
{
    GString *phrase = g_string_new(NULL);

    phrase_esp(phrase, peer);
    append_fact(page, name, phrase);
}

static void
append_facts(page_t *page, const tunnel_row_t *row)
{
    append_raw(page, "<dl class=\"facts\">\n");
    append_peer_fact(page, "Peer A", &row->peer[PEER_A]);
    append_peer_fact(page, "Peer B", &row->peer[PEER_B]);
    append_row_fact(page, "Protocol", phrase_protocol, row);
    append_row_fact(page, "Availability", phrase_availability, row);
    append_esp_fact(page, "ESP from A", &row->peer[PEER_A]);
    append_esp_fact(page, "ESP from B", &row->peer[PEER_B]);
    append_row_fact(page, "Rekeys", phrase_rekeys, row);
    append_row_fact(page, "Liveness checks (DPD)", phrase_dpd, row);
    append_raw(page, "</dl>\n");
}

/* ---- incidents ---- */

static void
append_finding_link(page_t *page, const finding_t *finding)
{
    const gpointer place = g_hash_table_lookup(page->places, finding);
    const char *id = finding_catalogue[finding->id].id;

    if (place)
        g_string_append_printf(page->out, "<a href=\"#finding-%u\">%s</a>", GPOINTER_TO_UINT(place), id);
    else
        append_text(page, id);
}

static void
append_chain(page_t *page, const incident_row_t *incident)
{
    append_raw(page, "<ol class=\"chain\" aria-label=\"From cause to consequence\">\n");
    for (unsigned i = 0; i < incident->chain_length; i++) {
        g_string_append_printf(page->out, "<li class=\"%s\">", severity_text(incident->chain[i]->severity));
        append_finding_link(page, incident->chain[i]);
        append_raw(page, "</li>\n");
    }
    append_raw(page, "</ol>\n");
}

/* A step of a story begins like this: "22:15:35.587 (frame 17): ". */
static bool
begins_step(const char *text)
{
    static const char clock[] = "00:00:00.000 (frame ";
    size_t i = 0;

    for (; clock[i]; i++)
        if (clock[i] == '0' ? !g_ascii_isdigit(text[i]) : text[i] != clock[i])
            return false;
    i += strspn(text + i, "0123456789");
    return g_str_has_prefix(text + i, "): ");
}

static bool
begins_paragraph(const char *text)
{
    return begins_step(text) || g_str_has_prefix(text, "Most likely root cause: ") || g_str_has_prefix(text, "Root cause: ");
}

static void
append_paragraph(page_t *page, const char *from, const char *to)
{
    char *text = g_strstrip(g_strndup(from, (gsize)(to - from)));

    if (*text) {
        append_raw(page, "<p>");
        html_text_with_frames(page->out, text, page->frames);
        append_raw(page, "</p>\n");
    }
    g_free(text);
}

/* What came before, each step, and the cause: a paragraph each. */
static void
append_story(page_t *page, const char *story)
{
    const char *begin = story, *at = story;

    for (; *at; at++) {
        if (at > begin && at[-1] == ' ' && begins_paragraph(at)) {
            append_paragraph(page, begin, at);
            begin = at;
        }
    }
    append_paragraph(page, begin, at);
}

static void
append_when(page_t *page, const incident_row_t *incident)
{
    GString *down = g_string_new(NULL);

    append_clock(page, incident->start);
    if (incident->end != CAPTURE_TIME_NONE) {
        append_raw(page, " to ");
        append_clock(page, incident->end);
        append_raw(page, ", frames ");
        html_frame(page->out, incident->start_frame, page->frames);
        append_raw(page, " to ");
        html_frame(page->out, incident->end_frame, page->frames);
    } else {
        append_raw(page, ", from frame ");
        html_frame(page->out, incident->start_frame, page->frames);
    }
    append_raw(page, "<strong>");
    phrase_down(down, incident);
    append_and_free(page, down);
    append_raw(page, "</strong>");
}

static void
append_rivals(page_t *page, const incident_row_t *incident)
{
    if (!incident->rivals)
        return;
    append_raw(page, "<p class=\"rivals\">It may also have been: ");
    for (unsigned i = 0; i < incident->rivals; i++) {
        append_raw(page, i ? ", " : "");
        append_finding_link(page, incident->rival[i]);
    }
    append_raw(page, "</p>\n");
}

static void
append_checks(page_t *page, const incident_row_t *incident)
{
    if (!incident->check_next || !incident->check_next[0])
        return;
    append_raw(page, "<h5>Check next</h5>\n<ul class=\"checks\">\n");
    for (unsigned i = 0; incident->check_next[i]; i++) {
        append_raw(page, "<li>");
        append_text(page, incident->check_next[i]);
        append_raw(page, "</li>\n");
    }
    append_raw(page, "</ul>\n");
}

static void
append_incident(page_t *page, const incident_row_t *incident)
{
    g_string_append_printf(page->out,
                           "<article class=\"incident%s\" id=\"tunnel-%u-incident-%u\">\n<h4>Incident %u: %s <span "
                           "class=\"sure\">%s</span></h4>\n<p class=\"when\">",
                           incident->recovered ? "" : " open", incident->tunnel, incident->incident, incident->incident,
                           finding_catalogue[incident->root_cause].summary, confidence_text(incident->root_confidence));
    append_when(page, incident);
    append_raw(page, "</p>\n");
    append_chain(page, incident);
    append_rivals(page, incident);
    append_raw(page, "<div class=\"story\">\n");
    append_story(page, incident->story);
    append_raw(page, "</div>\n");
    append_checks(page, incident);
    append_raw(page, "</article>\n");
}

static void
append_incidents(page_t *page, const entry_t *entry)
{
    const unsigned shown = MIN(entry->incidents, INCIDENTS_SHOWN);

    if (shown == 0)
        return;
    append_raw(page, "<h3>Incidents</h3>\n");
    for (uint32_t i = 0; i < shown; i++) {
        incident_row_t incident;

        engine_incident_row(page->engine, entry->row.tunnel, i, &incident);
        append_incident(page, &incident);
    }
    if (shown < entry->incidents)
        g_string_append_printf(page->out, "<p class=\"small\">%u further incidents are left out here.</p>\n",
                               entry->incidents - shown);
}

static void
append_waiting(page_t *page, const tunnel_row_t *row)
{
    for (uint32_t i = 0; i < engine_waiting_count(page->engine, row->tunnel); i++) {
        GString *phrase = g_string_new(NULL);
        waiting_row_t waiting;

        engine_waiting_row(page->engine, row->tunnel, i, &waiting);
        phrase_waiting(phrase, row, &waiting);
        append_raw(page, "<p class=\"waiting-note\">");
        html_text_with_frames(page->out, phrase->str, page->frames);
        append_raw(page, "</p>\n");
        g_string_free(phrase, TRUE);
    }
}

/* ---- findings ---- */

static void
append_since_start(page_t *page, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE || page->capture.first_time == CAPTURE_TIME_NONE)
        return;
    append_raw(page, "<span class=\"since\">+");
    html_number(page->out, duration_seconds(duration_between(page->capture.first_time, time)));
    append_raw(page, " s</span>");
}

/* The frames that support it, and the same as a display filter to paste. */
static void
append_evidence(page_t *page, const finding_t *finding)
{
    if (finding->evidences == 0)
        return;
    append_raw(page, "<p class=\"evidence\">Evidence: ");
    append_raw(page, finding->evidences == 1 ? "frame " : "frames ");
    for (unsigned i = 0; i < finding->evidences; i++) {
        append_raw(page, i ? ", " : "");
        html_frame(page->out, finding->evidence[i], page->frames);
    }
    append_raw(page, " <code class=\"filter\">frame.number in {");
    for (unsigned i = 0; i < finding->evidences; i++)
        g_string_append_printf(page->out, "%s%u", i ? ", " : "", finding->evidence[i]);
    append_raw(page, "}</code></p>\n");
}

/* A frame's place on the page is its first finding. */
static void
append_frame_place(page_t *page, frame_t frame)
{
    if (g_hash_table_add(page->anchored, GUINT_TO_POINTER(frame)))
        g_string_append_printf(page->out, "<b id=\"frame-%u\">%u</b>", frame, frame);
    else
        g_string_append_printf(page->out, "<b>%u</b>", frame);
}

static void
append_finding(page_t *page, const finding_t *finding)
{
    const finding_info_t *info = &finding_catalogue[finding->id];

    g_string_append_printf(page->out, "<li class=\"finding %s\" id=\"finding-%u\">\n<div class=\"when\">",
                           severity_text(finding->severity), GPOINTER_TO_UINT(g_hash_table_lookup(page->places, finding)));
    append_badge(page, severity_text(finding->severity));
    append_raw(page, "<span class=\"clock\">");
    append_clock(page, finding->time);
    append_raw(page, "</span>");
    append_since_start(page, finding->time);
    append_raw(page, "<span class=\"frame\">frame ");
    append_frame_place(page, finding->frame);
    g_string_append_printf(page->out, "</span></div>\n<div class=\"what\"><h4><code>%s</code> ", info->id);
    append_text(page, info->summary);
    g_string_append_printf(page->out, " <span class=\"sure\">%s%s</span></h4>\n<p>", confidence_text(finding->confidence),
                           finding->at_end ? ", seen at the end of the capture" : "");
    html_text_with_frames(page->out, finding->text, page->frames);
    append_raw(page, "</p>\n");
    append_evidence(page, finding);
    if (finding->cause) {
        append_raw(page, "<p class=\"cause\">What led to it: ");
        append_finding_link(page, finding->cause);
        append_raw(page, ", frame ");
        html_frame(page->out, finding->cause->frame, page->frames);
        append_raw(page, "</p>\n");
    }
    append_raw(page, "</div>\n</li>\n");
}

static unsigned
append_findings_of(page_t *page, const GPtrArray *findings, bool is_serious)
{
    unsigned count = 0;

    append_raw(page, "<ol class=\"findings\">\n");
    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];

        if ((finding->severity >= SEVERITY_WARN) != is_serious)
            continue;
        append_finding(page, finding);
        count++;
    }
    append_raw(page, "</ol>\n");
    return count;
}

static unsigned
notes_among(const GPtrArray *findings)
{
    unsigned notes = 0;

    for (unsigned i = 0; i < findings->len; i++)
        notes += ((const finding_t *)findings->pdata[i])->severity < SEVERITY_WARN;
    return notes;
}

static void
append_findings(page_t *page, const entry_t *entry)
{
    const unsigned notes = notes_among(entry->shown), serious = entry->shown->len - notes;
    const unsigned left_out = entry->findings->len - entry->shown->len;

    if (entry->shown->len == 0)
        append_raw(page, "<p class=\"small\">No findings.</p>\n");
    if (serious)
        append_findings_of(page, entry->shown, true);
    if (notes) {
        g_string_append_printf(page->out, "<details class=\"print notes\"%s><summary>Notes (%u)</summary>\n",
                               notes > NOTES_OPEN ? "" : " open", notes);
        append_findings_of(page, entry->shown, false);
        append_raw(page, "</details>\n");
    }
    if (left_out) {
        append_raw(page, "<p class=\"small\">");
        append_count(page, left_out, "further finding");
        append_raw(page, " left out here; the JSON report has all of them.</p>\n");
    }
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
    append_raw(page, "<tr><td>");
    append_clock(page, row->first_time);
    g_string_append_printf(
        page->out,
        "</td><td>%s</td><td><code>%s</code>%s</td><td class=\"n\">%u</td><td class=\"result-%s\">%s</td><td class=\"n\">",
        row->initiator == PEER_A   ? "A"
        : row->initiator == PEER_B ? "B"
                                   : "?",
        row->exchange, row->confidence == CONFIDENCE_INFERRED ? " <span class=\"sure\">inferred</span>" : "", row->transmissions,
        is_plain(row) ? "plain" : "special", exchange_result_text(row->result));
    if (row->answer_frame != FRAME_NONE)
        append_duration(page, duration_seconds(duration_between(row->first_time, row->last_time)));
    append_raw(page, "</td><td>");
    for (unsigned i = 0; i < row->sendings; i++) {
        append_raw(page, i ? ", " : "");
        append_exchange_frame(page, row->sent_in[i]);
    }
    if (row->answer_frame != FRAME_NONE) {
        append_raw(page, " \xe2\x86\x92 ");
        append_exchange_frame(page, row->answer_frame);
    }
    append_raw(page, "</td></tr>\n");
}

static void
append_exchanges(page_t *page, const tunnel_row_t *tunnel, const GArray *rows)
{
    const uint64_t forgotten = engine_exchanges_forgotten(page->engine, tunnel->tunnel);
    unsigned listed = 0, special = 0;

    for (unsigned i = 0; i < rows->len; i++)
        special += !is_plain(&g_array_index(rows, exchange_row_t, i));
    if (rows->len == 0)
        return;
    append_raw(page, "<details class=\"exchanges\"><summary>");
    append_count(page, rows->len, "IKE exchange");
    g_string_append_printf(page->out, ", %u of them repeated, refused or without an answer", special);
    append_raw(page, "</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th>Time (UTC)</th><th>From</th><th>Exchange</th>"
                     "<th class=\"n\">Sent</th><th>Result</th><th class=\"n\">Took</th><th>Frames</th></tr></thead>\n<tbody>\n");
    for (unsigned i = next_listed(rows, 0); i < rows->len && listed < EXCHANGES_MAX; i = next_listed(rows, i + 1), listed++)
        append_exchange_row(page, &g_array_index(rows, exchange_row_t, i));
    append_raw(page, "</tbody></table></div>\n");
    if (listed < rows->len)
        g_string_append_printf(page->out,
                               "<p class=\"small\">%u of %u listed: those that were repeated, refused or not answered.</p>\n",
                               listed, rows->len);
    if (forgotten)
        g_string_append_printf(
            page->out, "<p class=\"small\">%" G_GUINT64_FORMAT " earlier exchanges are no longer remembered.</p>\n", forgotten);
    append_raw(page, "</details>\n");
}

/* ---- child SAs ---- */

static void
append_spi_cell(page_t *page, uint32_t spi)
{
    if (spi)
        g_string_append_printf(page->out, "<td><code>%08x</code></td>", spi);
    else
        append_raw(page, "<td class=\"none\">\xe2\x80\x93</td>");
}

/* A phrase with frame numbers in it. */
static void
append_child_cell(page_t *page, const child_sa_row_t *row, void (*put)(GString *, const child_sa_row_t *))
{
    GString *phrase = g_string_new(NULL);

    put(phrase, row);
    append_raw(page, "<td>");
    html_text_with_frames(page->out, phrase->str, page->frames);
    append_raw(page, "</td>");
    g_string_free(phrase, TRUE);
}

static void
append_child_row(page_t *page, const child_sa_row_t *row)
{
    if (row->child_sa == INDEX_NONE)
        append_raw(page, "<tr><td class=\"n\">?</td>");
    else
        g_string_append_printf(page->out, "<tr><td class=\"n\">%u</td>", row->child_sa);
    append_spi_cell(page, row->from[PEER_A].spi);
    append_spi_cell(page, row->from[PEER_B].spi);
    append_raw(page, "<td>");
    if (row->born_in == FRAME_NONE)
        append_raw(page, "earlier");
    else
        append_clock(page, row->born_at);
    append_raw(page, "</td><td class=\"n\">");
    if (row->lifetime >= 0)
        append_duration(page, row->lifetime);
    append_raw(page, "</td>");
    append_pair_cell(page, row->from[PEER_A].packets, row->from[PEER_B].packets);
    append_child_cell(page, row, phrase_child_made);
    append_child_cell(page, row, phrase_child_end);
    append_raw(page, "</tr>\n");
}

/* The latest are of more interest than the first. */
static void
append_children(page_t *page, const tunnel_row_t *tunnel)
{
    GArray *rows = engine_child_sas(page->engine, tunnel->tunnel);
    const unsigned left_out = rows->len > CHILDREN_MAX ? rows->len - CHILDREN_MAX : 0;

    if (rows->len) {
        append_raw(page, "<details class=\"children\"><summary>");
        append_count(page, rows->len, "child SA");
        append_raw(
            page,
            "</summary>\n<div class=\"scroll\"><table>\n<thead><tr><th class=\"n\">SA</th><th>SPI from A</th><th>SPI from B</th>"
            "<th>Born</th><th class=\"n\">Lived</th><th class=\"n\">Packets A/B</th><th>Made by</th><th>End</th></tr></thead>\n"
            "<tbody>\n");
        for (unsigned i = left_out; i < rows->len; i++)
            append_child_row(page, &g_array_index(rows, child_sa_row_t, i));
        append_raw(page, "</tbody></table></div>\n");
        if (left_out)
            g_string_append_printf(page->out, "<p class=\"small\">The first %u are left out here; the JSON report has them.</p>\n",
                                   left_out);
        append_raw(page, "</details>\n");
    }
    g_array_free(rows, TRUE);
}

/* ---- a tunnel ---- */

static void
append_timeline(page_t *page, const entry_t *entry, const GArray *exchanges)
{
    const timeline_source_t source = { .engine = page->engine,
                                       .row = &entry->row,
                                       .capture = &page->capture,
                                       .findings = entry->findings,
                                       .exchanges = exchanges,
                                       .frames = page->frames,
                                       .places = page->places };

    append_raw(page, "<figure class=\"timeline\">\n");
    if (!timeline_svg(page->out, &source))
        append_raw(page, "<p class=\"small\">No timeline: the capture has no times.</p>\n");
    append_raw(page, "</figure>\n");
}

static void
append_section(page_t *page, const entry_t *entry)
{
    const tunnel_row_t *row = &entry->row;
    const bool is_open = page->count <= SECTIONS_OPEN || !is_quiet(entry);
    GArray *exchanges = engine_exchanges(page->engine, row->tunnel);

    g_string_append_printf(page->out, "<details class=\"tunnel\" id=\"tunnel-%u\"%s>\n<summary><h2>Tunnel %u: ", row->tunnel,
                           is_open ? " open" : "", row->tunnel);
    append_address(page, &row->peer[PEER_A].first);
    append_raw(page, " \xe2\x87\x84 ");
    append_address(page, &row->peer[PEER_B].first);
    append_raw(page, "</h2> ");
    append_badge(page, tunnel_state_text(row->state));
    append_raw(page, "</summary>\n");
    append_facts(page, row);
    append_timeline(page, entry, exchanges);
    append_incidents(page, entry);
    append_waiting(page, row);
    append_raw(page, "<h3>Findings</h3>\n");
    append_findings(page, entry);
    append_children(page, row);
    append_exchanges(page, row, exchanges);
    append_raw(page, "</details>\n");
    g_array_free(exchanges, TRUE);
}

/* What log lines say about SPIs that are not in the capture, for example. */
static void
append_loose(page_t *page)
{
    if (page->loose.shown->len == 0)
        return;
    append_raw(page, "<section id=\"no-tunnel\">\n<h2>Of no tunnel in this capture</h2>\n");
    append_findings(page, &page->loose);
    append_raw(page, "</section>\n");
}

static void
append_foot(page_t *page)
{
    append_raw(page, "<footer><p>Times are UTC; frames are numbered as in the capture. <em>Observed</em>: the bytes say so. "
                     "<em>Inferred</em>: the best explanation of encrypted packets. Made by IPsec Tunnel Analysis for "
                     "Wireshark " IPSEC_PLUGIN_VERSION ".</p></footer>\n<script>");
    g_string_append_len(page->out, (const char *)page_script, (gssize)page_script_length);
    append_raw(page, "</script>\n</body>\n</html>\n");
}

GString *
report_html(const engine_t *engine)
{
    page_t page;

    page_init(&page, engine);
    append_head(&page);
    append_capture(&page);
    append_raw(&page, "<main>\n");
    if (!phrase_has_ipsec(engine, &page.capture))
        append_raw(&page, "<p>No IPsec traffic found.</p>\n");
    if (page.count) {
        append_tables(&page);
        append_legend(&page);
    }
    for (unsigned i = 0; i < page.count && page.entries[i].has_section; i++)
        append_section(&page, &page.entries[i]);
    append_loose(&page);
    append_raw(&page, "</main>\n");
    append_foot(&page);
    return page_end(&page);
}
