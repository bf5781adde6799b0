/* fuzz_report.c - does text from a hostile capture stay text in all reports? A libFuzzer entry point.
 *
 * Input: a length and so many bytes, twice: the names of two interfaces; then a story as world.h has it, in which peers call themselves what
 * they like. Whatever they do, JSON is JSON, a page has no markup but its own, text moves no cursor, and the size of all follows that of
 * what they tell.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream() */

#include "require.h"
#include "well_formed.h"
#include "world.h"

#include "present/listing.h"
#include "present/page/page_parts.h"
#include "present/report.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bytes of a report: for itself, per tunnel, per finding. */
enum { FOR_ITSELF = 100000, PER_TUNNEL = 150000, PER_FINDING = 6000 };

static size_t
size_max(const engine_t *engine)
{
    return FOR_ITSELF + (size_t)PER_TUNNEL * engine_tunnel_count(engine) + (size_t)PER_FINDING * engine_findings(engine)->len;
}

static void
require_plain(const engine_t *engine, GString *text)
{
    require(text->len <= size_max(engine));
    require(is_plain_text(text->str, text->len));
    g_string_free(text, TRUE);
}

/* One line of text per row: no cell breaks it. */
static void
require_listing(const engine_t *engine, GString *text, unsigned rows)
{
    unsigned lines = 0;

    for (size_t i = 0; i < text->len; i++)
        lines += text->str[i] == '\n';
    require(lines == rows + 1);
    require_plain(engine, text);
}

static void
require_json(const engine_t *engine)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    require(out != NULL);
    report_json(engine, out);
    fclose(out);
    require(length <= size_max(engine));
    require(is_json(text, length));
    free(text);
}

static void
require_html(const engine_t *engine)
{
    GString *page = report_html(engine);

    require(page->len <= size_max(engine));
    require(is_html_report(page->str, page->len, (const char *)page_script, page_script_length, (const char *)page_style,
                           page_style_length));
    g_string_free(page, TRUE);
}

static void
read_reports(const engine_t *engine, frame_t last)
{
    const selection_t everything = { .everything = true };

    (void)last;
    require_plain(engine, report_text(engine));
    require_json(engine);
    require_html(engine);
    require_listing(engine, listing_tunnels(engine, &everything), engine_tunnels_kept(engine));
    require_listing(engine, listing_findings(engine, &everything), engine_findings(engine)->len);
}

/* A string of any bytes but 0, to be freed. */
static char *
take_name(cursor_t *input)
{
    uint8_t length;
    cursor_t bytes;

    if (!cursor_u8(input, &length) || !cursor_cut(input, MIN(length, input->left), &bytes))
        return NULL;
    return g_strndup((const char *)bytes.next, bytes.left);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cursor_t input = cursor_over(data, size);
    char *first = take_name(&input), *second = take_name(&input);
    const world_watcher_t watcher = { .interface_name = { first, second }, .ask = read_reports };

    world_play(input, &watcher);
    g_free(first);
    g_free(second);
    return 0;
}
