/* story.c - the outage in plain English: what happened first, what followed, how it ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"

#include <string.h>

#define STEPS_MAX 24u

static void
append_clock(GString *out, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE || time < 0) {
        g_string_append(out, "at an unknown time");
        return;
    }
    GDateTime *utc = g_date_time_new_from_unix_utc(time / SECONDS(1));
    g_string_append_printf(out, "%02d:%02d:%02d.%03d", g_date_time_get_hour(utc), g_date_time_get_minute(utc),
                           g_date_time_get_second(utc), (int)(time % SECONDS(1) / MILLISECONDS(1)));
    g_date_time_unref(utc);
}

static gint
by_beginning(gconstpointer a, gconstpointer b)
{
    const finding_t *left = *(const finding_t *const *)a, *right = *(const finding_t *const *)b;

    if (left->began_at != right->began_at)
        return left->began_at < right->began_at ? -1 : 1;
    return (left->frame > right->frame) - (left->frame < right->frame);
}

/* Repeats and events that say nothing beyond their consequences would only make the story longer. */
static bool
belongs_in_story(const finding_t *finding)
{
    return finding->id != FINDING_retransmission && finding->id != FINDING_tunnel_flap && finding->id != FINDING_tunnel_down;
}

/* The same sentence again says only how often. */
static bool
says_the_same(const finding_t *a, const finding_t *b)
{
    return a->id == b->id && a->culprit == b->culprit && strcmp(a->text, b->text) == 0;
}

static bool
is_told(const GPtrArray *told, const finding_t *finding)
{
    for (unsigned i = 0; i < told->len; i++) {
        const finding_t *other = g_ptr_array_index(told, i);
        if ((other->id == finding->id && other->culprit == finding->culprit && other->began_in == finding->began_in) ||
            says_the_same(other, finding))
            return true;
    }
    return false;
}

/* A refusal's reason says more than the refusal. */
static bool
reason_is_told(const GPtrArray *members, const finding_t *finding)
{
    if (finding->id != FINDING_rekey_rejected && finding->id != FINDING_child_rejected)
        return false;
    for (unsigned i = 0; i < members->len; i++) {
        const finding_t *other = g_ptr_array_index(members, i);
        if ((other->id == FINDING_proposal_mismatch || other->id == FINDING_ts_unacceptable) && other->frame == finding->frame)
            return true;
    }
    return false;
}

static void
append_step(GString *out, const finding_t *finding)
{
    append_clock(out, finding->began_at);
    g_string_append_printf(out, " (frame %u): %s", finding->began_in, finding->text);
    if (finding->confidence == CONFIDENCE_INFERRED)
        g_string_append(out, " [inferred]");
    g_string_append(out, " ");
}

static void
append_repeats(GString *out, const GPtrArray *steps, const finding_t *first)
{
    unsigned times = 0;
    frame_t last_in = FRAME_NONE;

    for (unsigned i = 0; i < steps->len; i++) {
        const finding_t *other = g_ptr_array_index(steps, i);
        if (says_the_same(first, other)) {
            times++;
            last_in = MAX(last_in, other->frame);
        }
    }
    if (times > 1)
        g_string_append_printf(out, "(This happened %u times, last in frame %u.) ", times, last_in);
}

static void
append_ending(GString *out, const incident_t *incident)
{
    const finding_t *last = g_ptr_array_index(incident->chain, incident->chain->len - 1);
    if (incident->recovered || last->id == FINDING_tunnel_down) {
        append_clock(out, last->time);
        g_string_append_printf(out, " (frame %u): %s ", last->frame, last->text);
    }
    g_string_append_printf(out, "%s: %s.", incident->chain->len > 1 ? "Most likely root cause" : "Root cause",
                           finding_catalogue[incident->root_cause].summary);
}

char *
story_tell(const incident_t *incident, const GPtrArray *members)
{
    GString *out = g_string_new(NULL);
    GPtrArray *steps = g_ptr_array_new(), *told = g_ptr_array_new();

    for (unsigned i = 0; i < members->len; i++) {
        const finding_t *finding = g_ptr_array_index(members, i);
        if (belongs_in_story(finding) && !reason_is_told(members, finding))
            g_ptr_array_add(steps, (gpointer)finding);
    }
    g_ptr_array_sort(steps, by_beginning);
    unsigned left_out = 0;
    for (unsigned i = 0; i < steps->len; i++) {
        const finding_t *finding = g_ptr_array_index(steps, i);
        if (is_told(told, finding) && finding->id != FINDING_retransmit_exhausted)
            continue;
        if (told->len >= STEPS_MAX) {
            left_out++;
            continue;
        }
        append_step(out, finding);
        append_repeats(out, steps, finding);
        g_ptr_array_add(told, (gpointer)finding);
    }
    if (left_out > 0)
        g_string_append_printf(out, "%u further findings of the same kinds follow. ", left_out);
    append_ending(out, incident);
    g_ptr_array_free(steps, TRUE);
    g_ptr_array_free(told, TRUE);
    return g_string_free(out, FALSE);
}
