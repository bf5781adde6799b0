/* story.c - the trouble in plain English: until when it worked, what happened first, what followed, how it ended.
 *
 * One paragraph that can be put into a ticket. "Probably" stands exactly where a finding is inferred.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"

#include <string.h>

#define STEPS_MAX 24u

/* ---- words ---- */

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

static void
append_when(GString *out, capture_ns_t time, frame_t frame)
{
    append_clock(out, time);
    g_string_append_printf(out, " (frame %u)", frame);
}

/* ---- which findings are steps of the story? ---- */

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
        bool is_same_trouble = other->id == finding->id && other->culprit == finding->culprit &&
                               other->began_in == finding->began_in && finding->ending == NULL;
        if (is_same_trouble || says_the_same(other, finding))
            return true;
    }
    return false;
}

/* What became of an exchange of which the story has told already is one more short sentence there. */
static const finding_t *
ending_of(const GPtrArray *steps, const finding_t *about)
{
    for (unsigned i = 0; i < steps->len && about->exchange_in != FRAME_NONE && about->ending == NULL; i++) {
        const finding_t *other = g_ptr_array_index(steps, i);
        if (other->ending != NULL && other->exchange_in == about->exchange_in && other->culprit == about->culprit)
            return other;
    }
    return NULL;
}

static bool
is_ending_of_another(const GPtrArray *steps, const finding_t *finding)
{
    for (unsigned i = 0; i < steps->len && finding->ending != NULL; i++) {
        const finding_t *other = g_ptr_array_index(steps, i);
        if (other->ending == NULL && other->exchange_in == finding->exchange_in && other->culprit == finding->culprit)
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

static GPtrArray *
steps_of(const GPtrArray *members)
{
    GPtrArray *steps = g_ptr_array_new();

    for (unsigned i = 0; i < members->len; i++) {
        const finding_t *finding = g_ptr_array_index(members, i);
        if (belongs_in_story(finding) && !reason_is_told(members, finding))
            g_ptr_array_add(steps, (gpointer)finding);
    }
    g_ptr_array_sort(steps, by_beginning);
    return steps;
}

/* ---- before ---- */

static void
append_role(GString *out, const tunnel_t *tunnel, peer_t peer)
{
    const ike_sa_t *ike_sa = tunnel_current_ike_sa(tunnel);
    char address[ENDPOINT_TEXT_MAX];

    g_string_append(out, tunnel_peer_text(tunnel, peer, address));
    if (ike_sa != NULL && ike_sa->original_initiator != PEER_UNKNOWN)
        g_string_append(out, ike_sa->original_initiator == peer ? " (initiator)" : " (responder)");
}

static void
append_what_worked(GString *out, const loss_t *loss)
{
    if (loss->last_answer_words != NULL) {
        g_string_append_printf(out, " Last answered exchange before that: %s, ", loss->last_answer_words);
        append_when(out, loss->last_answer_at, loss->last_answer_in);
        g_string_append_c(out, '.');
    }
    if (loss->last_two_way_at != CAPTURE_TIME_NONE) {
        g_string_append(out, " Last ESP both ways: ");
        append_when(out, loss->last_two_way_at, loss->last_two_way_in);
        g_string_append_c(out, '.');
    }
}

/* What did the receiver of the first unanswered request do before it: was there a silence in which a NAT could forget it? */
static void
append_silence_before(GString *out, const tunnel_t *tunnel, const finding_t *root)
{
    char receiver[ENDPOINT_TEXT_MAX];

    bool is_unanswered =
        root->id == FINDING_rekey_no_response || root->id == FINDING_dpd_loss || root->id == FINDING_retransmit_exhausted;

    if (!is_unanswered || root->heard_before_in == FRAME_NONE || root->culprit == PEER_UNKNOWN)
        return;
    g_string_append_printf(out, " When the first request without an answer was sent, %s had been silent for %.1f s (frame %u).",
                           tunnel_peer_text(tunnel, peer_other(root->culprit), receiver),
                           duration_seconds(duration_between(root->heard_before_at, root->began_at)), root->heard_before_in);
}

static void
append_before(GString *out, const tunnel_t *tunnel, const incident_t *incident)
{
    const finding_t *root = g_ptr_array_index(incident->chain, 0);

    g_string_append(out, "The tunnel between ");
    append_role(out, tunnel, PEER_A);
    g_string_append(out, " and ");
    append_role(out, tunnel, PEER_B);
    if (incident->is_outage && incident->loss.last_proof_in != FRAME_NONE) {
        g_string_append(out, " worked until ");
        append_when(out, incident->loss.last_proof_at, incident->loss.last_proof_in);
        g_string_append_c(out, '.');
        append_what_worked(out, &incident->loss);
        append_silence_before(out, tunnel, root);
    } else {
        g_string_append(out, tunnel->was_up ? " was up, but in trouble." : " did not come up in this capture.");
    }
    g_string_append_c(out, ' ');
}

/* ---- the steps ---- */

static void
append_step(GString *out, const finding_t *finding)
{
    append_when(out, finding->began_at, finding->began_in);
    g_string_append_printf(out, ": %s%s ", finding->confidence == CONFIDENCE_INFERRED ? "Probably: " : "", finding->text);
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
append_steps(GString *out, const tunnel_t *tunnel, const GPtrArray *steps)
{
    char sender[ENDPOINT_TEXT_MAX];
    GPtrArray *told = g_ptr_array_new();
    unsigned left_out = 0;

    for (unsigned i = 0; i < steps->len; i++) {
        const finding_t *finding = g_ptr_array_index(steps, i);
        if (is_told(told, finding) || is_ending_of_another(steps, finding))
            continue;
        if (told->len >= STEPS_MAX) {
            left_out++;
            continue;
        }
        append_step(out, finding);
        append_repeats(out, steps, finding);
        const finding_t *ending = ending_of(steps, finding);
        if (ending != NULL)
            g_string_append_printf(out, "%s %s. ", tunnel_peer_text(tunnel, ending->culprit, sender), ending->ending);
        g_ptr_array_add(told, (gpointer)finding);
    }
    if (left_out > 0)
        g_string_append_printf(out, "%u further findings of the same kinds follow. ", left_out);
    g_ptr_array_free(told, TRUE);
}

/* ---- the end, and the cause ---- */

static void
append_ending(GString *out, const incident_t *incident)
{
    const finding_t *last = g_ptr_array_index(incident->chain, incident->chain->len - 1);

    if (!incident->is_outage || (!incident->recovered && last->id != FINDING_tunnel_down))
        return;
    append_when(out, last->time, last->frame);
    g_string_append_printf(out, ": %s ", last->text);
    if (incident->recovered && incident->down - incident->down_least > SECONDS(1))
        g_string_append_printf(
            out,
            "The capture proves %.1f s of that: the first sign that it no longer worked came %.1f s after the last that it did. ",
            duration_seconds(incident->down_least), duration_seconds(incident->down - incident->down_least));
}

static void
append_cause(GString *out, const incident_t *incident)
{
    const finding_t *root = g_ptr_array_index(incident->chain, 0);
    bool is_plain = incident->chain->len == 1 && root->confidence == CONFIDENCE_OBSERVED && incident->rivals->len == 0;

    g_string_append_printf(out, "%s: %s.", is_plain ? "Root cause" : "Most likely root cause",
                           finding_catalogue[incident->root_cause].summary);
    for (unsigned i = 0; i < incident->rivals->len; i++) {
        const finding_t *rival = g_ptr_array_index(incident->rivals, i);
        g_string_append_printf(out, "%s %s (frame %u)", i == 0 ? " It may also have been:" : ";",
                               finding_catalogue[rival->id].summary, rival->began_in);
    }
    if (incident->rivals->len > 0)
        g_string_append_c(out, '.');
    if (incident->would_decide != NULL)
        g_string_append_printf(out, " %s", incident->would_decide);
}

char *
story_tell(const tunnel_t *tunnel, const incident_t *incident, const GPtrArray *members)
{
    GString *out = g_string_new(NULL);
    GPtrArray *steps = steps_of(members);

    append_before(out, tunnel, incident);
    append_steps(out, tunnel, steps);
    append_ending(out, incident);
    append_cause(out, incident);
    g_ptr_array_free(steps, TRUE);
    return g_string_free(out, FALSE);
}
