/* page_incidents.c - what happened, in which order, and what should be looked at next?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/page.h"

#include "present/page/html.h"
#include "present/page/timeline_svg.h"
#include "present/phrases.h"
#include "present/words.h"

#include <string.h>

static void
append_chain(page_t *page, const incident_row_t *incident)
{
    page_raw(page, "<ol class=\"chain\" aria-label=\"From cause to consequence\">\n");
    for (unsigned i = 0; i < incident->chain_length; i++) {
        g_string_append_printf(page->out, "<li class=\"%s\">", severity_text(incident->chain[i]->severity));
        page_finding_link(page, incident->chain[i]);
        page_raw(page, "</li>\n");
    }
    page_raw(page, "</ol>\n");
}

/* A step of a story begins like this: "22:15:35.587 (frame 17): ". */
/* The text after this pattern, in which 0 stands for a digit; NULL: it does not begin with it. */
static const char *
after_pattern(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++)
        if (*pattern == '0' ? !g_ascii_isdigit(*text) : *text != *pattern)
            return NULL;
    return text;
}

static bool
begins_step(const char *text)
{
    const char *frame = after_pattern(text, "00:00:00.000 (frame ");

    if (!frame) /* the first one of a day */
        frame = after_pattern(text, "0000-00-00 00:00:00.000 UTC (frame ");
    return frame && g_str_has_prefix(frame + strspn(frame, "0123456789"), "): ");
}

static bool
begins_paragraph(const char *text)
{
    return begins_step(text) || g_str_has_prefix(text, "Most likely root cause: ") || g_str_has_prefix(text, "Root cause: ") ||
           g_str_has_prefix(text, "The capture does not show the cause.");
}

static void
append_paragraph(page_t *page, const char *from, const char *to)
{
    char *text = g_strstrip(g_strndup(from, (gsize)(to - from)));

    if (*text) {
        page_raw(page, "<p>");
        html_text_with_frames(page->out, text, page->frames);
        page_raw(page, "</p>\n");
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

    page_clock(page, incident->start);
    if (incident->end != CAPTURE_TIME_NONE) {
        page_raw(page, " to ");
        page_clock(page, incident->end);
        page_raw(page, ", frames ");
        html_frame(page->out, incident->start_frame, page->frames);
        page_raw(page, " to ");
        html_frame(page->out, incident->end_frame, page->frames);
    } else {
        page_raw(page, ", from frame ");
        html_frame(page->out, incident->start_frame, page->frames);
    }
    page_raw(page, "<strong>");
    phrase_down(down, incident);
    page_phrase(page, down);
    page_raw(page, "</strong>");
}

static void
append_rivals(page_t *page, const incident_row_t *incident)
{
    if (!incident->rivals)
        return;
    page_raw(page, "<p class=\"rivals\">It may also have been: ");
    for (unsigned i = 0; i < incident->rivals; i++) {
        page_raw(page, i ? ", " : "");
        page_finding_link(page, incident->rival[i]);
    }
    page_raw(page, "</p>\n");
}

static void
append_checks(page_t *page, const incident_row_t *incident)
{
    if (!incident->check_next || !incident->check_next[0])
        return;
    page_raw(page, "<h5>Check next</h5>\n<ul class=\"checks\">\n");
    for (unsigned i = 0; incident->check_next[i]; i++) {
        page_raw(page, "<li>");
        page_text(page, incident->check_next[i]);
        page_raw(page, "</li>\n");
    }
    page_raw(page, "</ul>\n");
}

static void
append_incident(page_t *page, const incident_row_t *incident)
{
    g_string_append_printf(page->out,
                           "<article class=\"incident%s\" id=\"tunnel-%u-incident-%u\">\n<h4>Incident %u: %s <span "
                           "class=\"sure\">%s</span></h4>\n<p class=\"when\">",
                           incident->recovered ? "" : " open", incident->tunnel, incident->incident, incident->incident,
                           incident->root_words, confidence_text(incident->root_confidence));
    append_when(page, incident);
    page_raw(page, "</p>\n");
    append_chain(page, incident);
    append_rivals(page, incident);
    page_raw(page, "<div class=\"story\">\n");
    append_story(page, incident->story);
    page_raw(page, "</div>\n");
    append_checks(page, incident);
    page_raw(page, "</article>\n");
}

void
page_incidents(page_t *page, const entry_t *entry)
{
    const unsigned shown = MIN(entry->incidents, INCIDENTS_SHOWN);

    if (shown == 0)
        return;
    page_raw(page, "<h3>Incidents</h3>\n");
    for (uint32_t i = 0; i < shown; i++) {
        incident_row_t incident;

        engine_incident_row(page->engine, entry->row.tunnel, i, &incident);
        append_incident(page, &incident);
    }
    if (shown < entry->incidents)
        g_string_append_printf(page->out, "<p class=\"small\">%u further incidents are left out here.</p>\n",
                               entry->incidents - shown);
}

void
page_waiting(page_t *page, const tunnel_row_t *row)
{
    uint32_t count = engine_waiting_count(page->engine, row->tunnel);

    for (uint32_t i = 0; i < MIN(count, WAITING_SHOWN); i++) {
        GString *phrase = g_string_new(NULL);
        waiting_row_t waiting;

        engine_waiting_row(page->engine, row->tunnel, i, &waiting);
        phrase_waiting(phrase, row, &waiting);
        page_raw(page, "<p class=\"waiting-note\">");
        html_text_with_frames(page->out, phrase->str, page->frames);
        page_raw(page, "</p>\n");
        g_string_free(phrase, TRUE);
    }
    if (count > WAITING_SHOWN)
        g_string_append_printf(page->out, "<p class=\"small\">%u further requests waited; the JSON report has all of them.</p>\n",
                               count - WAITING_SHOWN);
}
