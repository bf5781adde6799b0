/* page_findings.c - what was found, and on which frames?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/page.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

enum {
    NOTES_OPEN = 6, /* more notes than these are folded away */
};

static void
append_since_start(page_t *page, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE || page->capture.first_time == CAPTURE_TIME_NONE)
        return;
    page_raw(page, "<span class=\"since\">+");
    html_number(page->out, duration_seconds(duration_between(page->capture.first_time, time)));
    page_raw(page, " s</span>");
}

/* The frames that support it, and the same as a display filter to paste. */
static void
append_evidence(page_t *page, const finding_t *finding)
{
    if (finding->evidences == 0)
        return;
    page_raw(page, "<p class=\"evidence\">Evidence: ");
    page_raw(page, finding->evidences == 1 ? "frame " : "frames ");
    for (unsigned i = 0; i < finding->evidences; i++) {
        page_raw(page, i ? ", " : "");
        html_frame(page->out, finding->evidence[i], page->frames);
    }
    page_raw(page, " <code class=\"filter\">frame.number in {");
    for (unsigned i = 0; i < finding->evidences; i++)
        g_string_append_printf(page->out, "%s%u", i ? ", " : "", finding->evidence[i]);
    page_raw(page, "}</code></p>\n");
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
    page_badge(page, severity_text(finding->severity));
    page_raw(page, "<span class=\"clock\">");
    page_clock(page, finding->time);
    page_raw(page, "</span>");
    append_since_start(page, finding->time);
    page_raw(page, "<span class=\"frame\">frame ");
    append_frame_place(page, finding->frame);
    g_string_append_printf(page->out, "</span></div>\n<div class=\"what\"><h4><code>%s</code> ", info->id);
    page_text(page, info->summary);
    g_string_append_printf(page->out, " <span class=\"sure\">%s%s</span></h4>\n<p>", confidence_text(finding->confidence),
                           finding->at_end ? ", seen at the end of the capture" : "");
    html_text_with_frames(page->out, finding->text, page->frames);
    page_raw(page, "</p>\n");
    append_evidence(page, finding);
    if (finding->cause) {
        page_raw(page, "<p class=\"cause\">What led to it: ");
        page_finding_link(page, finding->cause);
        page_raw(page, ", frame ");
        html_frame(page->out, finding->cause->frame, page->frames);
        page_raw(page, "</p>\n");
    }
    page_raw(page, "</div>\n</li>\n");
}

static unsigned
append_findings_of(page_t *page, const GPtrArray *findings, bool is_serious)
{
    unsigned count = 0;

    page_raw(page, "<ol class=\"findings\">\n");
    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];

        if ((finding->severity >= SEVERITY_WARN) != is_serious)
            continue;
        append_finding(page, finding);
        count++;
    }
    page_raw(page, "</ol>\n");
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

void
page_findings(page_t *page, const entry_t *entry)
{
    const unsigned notes = notes_among(entry->shown), serious = entry->shown->len - notes;
    const unsigned left_out = entry->findings->len - entry->shown->len;

    if (entry->shown->len == 0)
        page_raw(page, "<p class=\"small\">No findings.</p>\n");
    if (serious)
        append_findings_of(page, entry->shown, true);
    if (notes) {
        g_string_append_printf(page->out, "<details class=\"print notes\"%s><summary>Notes (%u)</summary>\n",
                               notes > NOTES_OPEN ? "" : " open", notes);
        append_findings_of(page, entry->shown, false);
        page_raw(page, "</details>\n");
    }
    if (left_out) {
        page_raw(page, "<p class=\"small\">");
        page_count(page, left_out, "further finding");
        page_raw(page, " left out here; the JSON report has all of them.</p>\n");
    }
}
