/* report_html.c - what is the whole story of the capture, as one page to send to somebody?
 *
 * First a table, the worst tunnel first; then a section per tunnel with its timeline, its incidents and its findings. Frame numbers are
 * links to the findings on these frames. All text that may come from a capture goes through html.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/report.h"

#include "present/page/page.h"
#include "present/page/page_parts.h"
#include "present/page/timeline_svg.h"
#include "present/phrases.h"
#include "present/words.h"

/* Of so few tunnels all sections are open, else those with trouble. */
#define SECTIONS_OPEN 3u

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
    page_raw(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    append_hash(page, page_style, page_style_length);
    page_raw(page, "; script-src ");
    append_hash(page, page_script, page_script_length);
    page_raw(page, "; base-uri 'none'; form-action 'none'\">\n<title>IPsec tunnel report</title>\n<style>");
    g_string_append_len(page->out, (const char *)page_style, (gssize)page_style_length);
    page_raw(page, "</style>\n</head>\n<body>\n");
}

/* ---- facts ---- */

static void
append_fact(page_t *page, const char *name, GString *phrase)
{
    g_string_append_printf(page->out, "<div><dt>%s</dt><dd>", name);
    page_phrase(page, phrase);
    page_raw(page, "</dd></div>\n");
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
    page_raw(page, "<dl class=\"facts\">\n");
    append_peer_fact(page, "Peer A", &row->peer[PEER_A]);
    append_peer_fact(page, "Peer B", &row->peer[PEER_B]);
    append_row_fact(page, "Protocol", phrase_protocol, row);
    append_row_fact(page, "Availability", phrase_availability, row);
    append_esp_fact(page, "ESP from A", &row->peer[PEER_A]);
    append_esp_fact(page, "ESP from B", &row->peer[PEER_B]);
    append_row_fact(page, "Rekeys", phrase_rekeys, row);
    append_row_fact(page, "Liveness checks (DPD)", phrase_dpd, row);
    page_raw(page, "</dl>\n");
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

    page_raw(page, "<figure class=\"timeline\">\n");
    if (!timeline_svg(page->out, &source))
        page_raw(page, "<p class=\"small\">No timeline: the capture has no times.</p>\n");
    page_raw(page, "</figure>\n");
}

static void
append_section(page_t *page, const entry_t *entry)
{
    const tunnel_row_t *row = &entry->row;
    const bool is_open = page->count <= SECTIONS_OPEN || !entry_is_quiet(entry);
    GArray *exchanges = engine_exchanges(page->engine, row->tunnel);

    g_string_append_printf(page->out, "<details class=\"tunnel\" id=\"tunnel-%u\"%s>\n<summary><h2>Tunnel %u: ", row->tunnel,
                           is_open ? " open" : "", row->tunnel);
    page_address(page, &row->peer[PEER_A].first);
    page_raw(page, " \xe2\x87\x84 ");
    page_address(page, &row->peer[PEER_B].first);
    page_raw(page, "</h2> ");
    page_badge(page, tunnel_state_text(row->state));
    page_raw(page, "</summary>\n");
    append_facts(page, row);
    append_timeline(page, entry, exchanges);
    page_incidents(page, entry);
    page_waiting(page, row);
    page_raw(page, "<h3>Findings</h3>\n");
    page_findings(page, entry);
    page_children(page, row);
    page_exchanges(page, row, exchanges);
    page_raw(page, "</details>\n");
    g_array_free(exchanges, TRUE);
}

/* What log lines say about SPIs that are not in the capture, for example. */
static void
append_loose(page_t *page)
{
    if (page->loose.shown->len == 0)
        return;
    page_raw(page, "<section id=\"no-tunnel\">\n<h2>Of no tunnel in this capture</h2>\n");
    page_findings(page, &page->loose);
    page_raw(page, "</section>\n");
}

static void
append_foot(page_t *page)
{
    page_raw(page, "<footer><p>Times are UTC; frames are numbered as in the capture. <em>Observed</em>: the bytes say so. "
                   "<em>Inferred</em>: the best explanation of encrypted packets. Made by IPsec Tunnel Analysis for "
                   "Wireshark " IPSEC_PLUGIN_VERSION ".</p></footer>\n<script>");
    g_string_append_len(page->out, (const char *)page_script, (gssize)page_script_length);
    page_raw(page, "</script>\n</body>\n</html>\n");
}

GString *
report_html(const engine_t *engine)
{
    page_t page;

    page_init(&page, engine);
    append_head(&page);
    page_capture(&page);
    page_raw(&page, "<main>\n");
    if (!phrase_has_ipsec(engine, &page.capture))
        page_raw(&page, "<p>No IPsec traffic found.</p>\n");
    if (page.count) {
        page_tables(&page);
        page_legend(&page);
    }
    for (unsigned i = 0; i < page.count && page.entries[i].has_section; i++)
        append_section(&page, &page.entries[i]);
    append_loose(&page);
    page_raw(&page, "</main>\n");
    append_foot(&page);
    return page_end(&page);
}
