/* page.c - what is on the page, and of which pieces are all its parts made?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/page.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/ranking.h"
#include "present/words.h"

#include <stdlib.h>

/* Per tunnel, so that a browser can show it: beyond it, the page says how much was left out. */
#define FINDINGS_MAX 300u

/* ---- which tunnels, in which order? ---- */

static severity_t
severity_of(const entry_t *entry)
{
    return entry->row.worst ? entry->row.worst->severity : SEVERITY_CHAT;
}

bool
entry_is_quiet(const entry_t *entry)
{
    const tunnel_state_t state = entry->row.state;

    return (state == TUNNEL_HEALTHY || state == TUNNEL_UNKNOWN) && severity_of(entry) < SEVERITY_WARN && entry->incidents == 0;
}

/* As everywhere, but those of which there is nothing to say come last: the table may fold them away. */
static int
by_rank(const void *a, const void *b)
{
    const entry_t *left = a, *right = b;
    const int order = entry_is_quiet(left) - entry_is_quiet(right);

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

void
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
        page_add_exchange_places(page, page->entries[i].row.tunnel);
}

/* Returns the page's text. */
GString *
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

void
page_raw(page_t *page, const char *html)
{
    g_string_append(page->out, html);
}

void
page_text(page_t *page, const char *text)
{
    html_text(page->out, text);
}

/* A phrase as text of the page. Frees it. */
void
page_phrase(page_t *page, GString *phrase)
{
    html_text(page->out, phrase->str);
    g_string_free(phrase, TRUE);
}

void
page_clock(page_t *page, capture_ns_t time)
{
    GString *text = g_string_new(NULL);

    words_clock(text, time);
    page_phrase(page, text);
}

void
page_duration(page_t *page, double seconds)
{
    GString *text = g_string_new(NULL);

    words_duration(text, seconds);
    page_phrase(page, text);
}

void
page_count(page_t *page, uint64_t count, const char *noun)
{
    GString *text = g_string_new(NULL);

    words_count(text, count, noun);
    page_phrase(page, text);
}

void
page_badge(page_t *page, const char *class)
{
    g_string_append_printf(page->out, "<span class=\"badge %s\">%s</span>", class, class);
}

void
page_endpoint(page_t *page, const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    page_raw(page, endpoint->family == ADDRESS_IPV4 ? "<span class=\"short\">" : "<span>");
    page_text(page, endpoint->family == ADDRESS_NONE ? "?" : endpoint_text(endpoint, text));
    page_raw(page, "</span>");
}

void
page_address(page_t *page, const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    page_text(page, endpoint->family == ADDRESS_NONE ? "?" : endpoint_address_text(endpoint, text));
}

void
page_pair_cell(page_t *page, uint64_t first, uint64_t second)
{
    g_string_append_printf(page->out, "<td class=\"n\">%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "</td>", first, second);
}

void
page_finding_link(page_t *page, const finding_t *finding)
{
    const gpointer place = g_hash_table_lookup(page->places, finding);
    const char *id = finding_catalogue[finding->id].id;

    if (place)
        g_string_append_printf(page->out, "<a href=\"#finding-%u\">%s</a>", GPOINTER_TO_UINT(place), id);
    else
        page_text(page, id);
}
