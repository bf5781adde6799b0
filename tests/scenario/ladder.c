/* ladder.c - prints a story with the frames it took and what was found on them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"

/* The first and last frame of a step; FRAME_NONE: none is in the capture. */
static void
step_frames(const GArray *views, unsigned step, frame_t *ret_first, frame_t *ret_last)
{
    *ret_first = *ret_last = FRAME_NONE;
    for (unsigned i = 0; i < views->len; i++) {
        if (g_array_index(views, view_t, i).shot->step != step)
            continue;
        if (*ret_first == FRAME_NONE)
            *ret_first = i + 1;
        *ret_last = i + 1;
    }
}

static void
print_findings(const GArray *views, const outcome_t *outcome, unsigned step, GString *out)
{
    for (unsigned i = 0; i < outcome->findings->len; i++) {
        const finding_t *finding = &g_array_index(outcome->findings, finding_t, i);

        if (finding->frame == FRAME_NONE || finding->frame > views->len ||
            g_array_index(views, view_t, finding->frame - 1).shot->step != step)
            continue;
        g_string_append_printf(out, "                     ^ %u%s %s %s %s: %s\n", finding->frame, finding->at_end ? " (end)" : "",
                               finding_catalogue[finding->id].id, severity_text(finding->severity),
                               confidence_text(finding->confidence), finding->text != NULL ? finding->text : "");
    }
}

void
print_ladder(const scenario_t *scenario, const GArray *views, const outcome_t *outcome, GString *out)
{
    capture_ns_t start = views->len > 0 ? g_array_index(views, view_t, 0).time : 0;

    for (unsigned i = 0; i < scenario->steps->len; i++) {
        const step_t *step = &g_array_index(scenario->steps, step_t, i);
        char range[32] = "";
        frame_t first, last;

        step_frames(views, i, &first, &last);
        if (first != FRAME_NONE && first == last)
            g_snprintf(range, sizeof range, "%u", first);
        else if (first != FRAME_NONE)
            g_snprintf(range, sizeof range, "%u-%u", first, last);
        if (first != FRAME_NONE)
            g_string_append_printf(out, "  %9s %9.3f  %s\n", range,
                                   duration_seconds(g_array_index(views, view_t, first - 1).time - start), step->text);
        else
            g_string_append_printf(out, "  %9s %9s  %s\n", "-", "", step->text);
        print_findings(views, outcome, i, out);
    }
}
