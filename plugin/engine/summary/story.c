/* story.c - the trouble in plain English: until when it worked, what happened first, what followed, how it ended.
 *
 * One paragraph that can be put into a ticket. "Probably" stands exactly where a finding is inferred.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

#include <string.h>

#define STEPS_MAX 24u

/* One thing that happened, told once however often it did. */
typedef struct {
    const finding_t *finding; /* the first of its kind, or the one that says most */
    const finding_t *last;    /* the latest */
    unsigned times;
} step_t;

typedef struct {
    GString *out;
    const tunnel_t *tunnel;
    const incident_t *incident;
    const GPtrArray *members; /* const finding_t *, in order of discovery */
    gint64 day;               /* of the time said last; a date is said when it changes */
} telling_t;

static const finding_t *
root_of(const telling_t *telling)
{
    return g_ptr_array_index(telling->incident->chain, 0);
}

static const finding_t *
end_of_chain(const telling_t *telling)
{
    return g_ptr_array_index(telling->incident->chain, telling->incident->chain->len - 1);
}

/* ---- words ---- */

static void
append_clock(telling_t *telling, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE || time < 0) {
        g_string_append(telling->out, "at an unknown time");
        return;
    }
    GDateTime *utc = g_date_time_new_from_unix_utc(time / SECONDS(1));
    gint64 day = time / SECONDS(86400);
    if (day != telling->day)
        g_string_append_printf(telling->out, "%04d-%02d-%02d ", g_date_time_get_year(utc), g_date_time_get_month(utc),
                               g_date_time_get_day_of_month(utc));
    g_string_append_printf(telling->out, "%02d:%02d:%02d.%03d", g_date_time_get_hour(utc), g_date_time_get_minute(utc),
                           g_date_time_get_second(utc), (int)(time % SECONDS(1) / MILLISECONDS(1)));
    if (day != telling->day)
        g_string_append(telling->out, " UTC");
    telling->day = day;
    g_date_time_unref(utc);
}

static void
append_when(telling_t *telling, capture_ns_t time, frame_t frame)
{
    append_clock(telling, time);
    g_string_append_printf(telling->out, " (frame %u)", frame);
}

static void
append_duration(GString *out, duration_ns_t duration)
{
    if (duration < MILLISECONDS(100))
        g_string_append_printf(out, "%.1f ms", duration_seconds(duration) * 1000.0);
    else
        g_string_append_printf(out, "%.1f s", duration_seconds(duration));
}

static bool
says_that_it_guesses(const char *text)
{
    return strstr(text, "robabl") != NULL || strstr(text, "likely") != NULL;
}

/* Skips a number, decimal or 0x hexadecimal; false: there is none. */
static bool
skip_number(const char **text)
{
    const char *at = *text;

    if (!g_ascii_isdigit(*at))
        return false;
    if (at[0] == '0' && at[1] == 'x')
        for (at += 2; g_ascii_isxdigit(*at);)
            at++;
    while (g_ascii_isdigit(*at))
        at++;
    *text = at;
    return true;
}

/* Are two texts the same but for their numbers? */
static bool
differ_in_numbers_only(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        bool is_number = skip_number(&a);
        if (is_number != skip_number(&b))
            return false;
        if (!is_number && *a++ != *b++)
            return false;
    }
    return *a == *b;
}

/* ---- which findings are steps of the story? ---- */

/* A tunnel that stays down is told of when that became certain, after what led to it. */
static capture_ns_t
time_of(const finding_t *finding)
{
    return finding->id == FINDING_tunnel_down ? finding->time : finding->began_at;
}

static frame_t
frame_of(const finding_t *finding)
{
    return finding->id == FINDING_tunnel_down ? finding->frame : finding->began_in;
}

static unsigned
place_in_chain(const incident_t *incident, const finding_t *finding)
{
    unsigned i = 0;

    while (i < incident->chain->len && g_ptr_array_index(incident->chain, i) != finding)
        i++;
    return i;
}

/* What began at once is told in the order of cause and effect. */
static gint
by_beginning(gconstpointer a, gconstpointer b, gpointer incident)
{
    const finding_t *left = *(const finding_t *const *)a, *right = *(const finding_t *const *)b;
    capture_ns_t left_at = time_of(left), right_at = time_of(right);

    if (left_at != right_at)
        return left_at < right_at ? -1 : 1;
    unsigned left_place = place_in_chain(incident, left), right_place = place_in_chain(incident, right);
    if (left_place != right_place)
        return left_place < right_place ? -1 : 1;
    return (left->frame > right->frame) - (left->frame < right->frame);
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

/* Repeats, and events that say nothing beyond their consequences, would only make the story longer. */
static bool
belongs_in_story(const telling_t *telling, const finding_t *finding)
{
    if (finding->id == FINDING_tunnel_down)
        return !telling->incident->recovered;
    return finding->id != FINDING_retransmission && finding->id != FINDING_tunnel_flap &&
           !reason_is_told(telling->members, finding);
}

/* What became of an exchange that another finding tells of is one more short sentence there. */
static bool
is_ending_of_another(const GPtrArray *members, const finding_t *finding)
{
    for (unsigned i = 0; i < members->len && finding->ending != NULL; i++) {
        const finding_t *other = g_ptr_array_index(members, i);
        if (other->ending == NULL && other->exchange_in == finding->exchange_in && other->culprit == finding->culprit)
            return true;
    }
    return false;
}

static bool
is_same_trouble(const finding_t *a, const finding_t *b)
{
    return a->id == b->id && a->culprit == b->culprit && a->began_in == b->began_in && b->ending == NULL;
}

/* The same sentence again says only how often, also where its numbers differ: each is in the list of findings. */
static bool
is_repeat(const finding_t *a, const finding_t *b)
{
    return a->id == b->id && a->culprit == b->culprit && a->ending == b->ending && differ_in_numbers_only(a->text, b->text);
}

/* False: there are too many steps already. */
static bool
add_step(GArray *steps, const finding_t *finding)
{
    for (unsigned i = 0; i < steps->len; i++) {
        step_t *step = &g_array_index(steps, step_t, i);
        if (is_same_trouble(step->finding, finding)) {
            if (finding->severity > step->finding->severity)
                step->finding = finding;
            return true;
        }
        if (is_repeat(step->finding, finding)) {
            step->times++;
            step->last = finding;
            return true;
        }
    }
    if (steps->len >= STEPS_MAX)
        return false;
    step_t step = { .finding = finding, .last = finding, .times = 1 };
    g_array_append_val(steps, step);
    return true;
}

static GArray *
steps_of(const telling_t *telling, unsigned *ret_left_out)
{
    GPtrArray *findings = g_ptr_array_new();
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(step_t));

    for (unsigned i = 0; i < telling->members->len; i++) {
        const finding_t *finding = g_ptr_array_index(telling->members, i);
        if (belongs_in_story(telling, finding) && !is_ending_of_another(telling->members, finding))
            g_ptr_array_add(findings, (gpointer)finding);
    }
    g_ptr_array_sort_with_data(findings, by_beginning, (gpointer)telling->incident);
    for (unsigned i = 0; i < findings->len; i++)
        *ret_left_out += !add_step(steps, g_ptr_array_index(findings, i));
    g_ptr_array_free(findings, TRUE);
    return steps;
}

/* ---- before ---- */

/* The IKE SA that was in trouble, not the one that came after. */
static const ike_sa_t *
ike_sa_of(const telling_t *telling)
{
    const incident_t *incident = telling->incident;
    capture_ns_t until = incident->is_outage ? incident->loss.last_proof_at : incident->start;

    for (unsigned i = telling->tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(telling->tunnel->ike_sas, i);
        if (ike_sa->first_time <= until)
            return ike_sa;
    }
    return tunnel_current_ike_sa(telling->tunnel);
}

static void
append_role(const telling_t *telling, const ike_sa_t *ike_sa, peer_t peer)
{
    char address[ENDPOINT_TEXT_MAX];

    g_string_append(telling->out, tunnel_peer_text(telling->tunnel, peer, address));
    if (ike_sa != NULL && ike_sa->original_initiator != PEER_UNKNOWN)
        g_string_append(telling->out, ike_sa->original_initiator == peer ? " (initiator)" : " (responder)");
}

static void
append_what_worked(telling_t *telling)
{
    lead_in_t before = incident_lead_in(telling->incident);

    if (before.answer_words != NULL) {
        g_string_append_printf(telling->out, " Last answered exchange before that: %s, ", before.answer_words);
        append_when(telling, before.answer_at, before.answer_in);
        g_string_append_c(telling->out, '.');
    }
    if (before.two_way_at != CAPTURE_TIME_NONE) {
        g_string_append(telling->out, " Last ESP both ways: ");
        append_when(telling, before.two_way_at, before.two_way_in);
        g_string_append_c(telling->out, '.');
    }
}

/* What did the receiver of the first unanswered request do before it: was there a silence in which a NAT could forget it? */
static void
append_silence_before(const telling_t *telling)
{
    char receiver[ENDPOINT_TEXT_MAX];

    for (unsigned i = 0; i < telling->incident->chain->len; i++) {
        const finding_t *finding = g_ptr_array_index(telling->incident->chain, i);
        bool is_unanswered = finding->id == FINDING_rekey_no_response || finding->id == FINDING_dpd_loss ||
                             (finding->id == FINDING_retransmit_exhausted && i == 0);
        capture_ns_t asked_at = finding->asked.is_set ? finding->asked.first_sent_at : finding->began_at;
        if (!is_unanswered || finding->heard_before_in == FRAME_NONE || finding->culprit == PEER_UNKNOWN)
            continue;
        g_string_append_printf(telling->out, " %s had last been heard ",
                               tunnel_peer_text(telling->tunnel, peer_other(finding->culprit), receiver));
        append_duration(telling->out, duration_between(finding->heard_before_at, asked_at));
        g_string_append_printf(telling->out, " before the first request without an answer (frame %u).", finding->heard_before_in);
        return;
    }
}

static bool
is_about_a_mapping(finding_id_t id)
{
    return id == FINDING_nat_port_flip || id == FINDING_nat_unstable || id == FINDING_esp_to_stale_port;
}

/* A keepalive is what holds a NAT's mapping while nothing else is sent (RFC 3948 4). That there is none says something only where a
 * mapping changed. */
static void
append_keepalives(telling_t *telling)
{
    const finding_t *root = root_of(telling);
    char name[ENDPOINT_TEXT_MAX];

    for (unsigned p = 0; p < PEERS && telling->tunnel->udp_encapsulated; p++) {
        capture_ns_t last = root->before.keepalive_at[p];
        const char *sender = tunnel_peer_text(telling->tunnel, (peer_t)p, name);
        if (last == CAPTURE_TIME_NONE) {
            if (is_about_a_mapping(root->id) && root->culprit == (peer_t)p)
                g_string_append_printf(telling->out, " No NAT keepalive of %s had been seen.", sender);
            continue;
        }
        g_string_append_printf(telling->out,
                               last <= root->began_at ? " Last NAT keepalive of %s before the trouble: "
                                                      : " NAT keepalives of %s came until ",
                               sender);
        append_when(telling, last, root->before.keepalive_in[p]);
        g_string_append_c(telling->out, '.');
    }
}

/* What is worth mending before it does harm. */
static bool
is_harmless_so_far(finding_id_t id)
{
    switch (id) {
    case FINDING_lifetime_mismatch:
    case FINDING_rekey_too_frequent:
    case FINDING_nat_unstable:
    case FINDING_esp_replay:
        return true;
    default:
        return false;
    }
}

static const char *
how_it_was(const tunnel_t *tunnel, const incident_t *incident)
{
    bool is_older = tunnel_latest_finding(tunnel, FINDING_capture_midstream, PEER_UNKNOWN) != NULL ||
                    tunnel_latest_finding(tunnel, FINDING_capture_no_ike, PEER_UNKNOWN) != NULL;

    if (tunnel->was_up && !tunnel->had_child)
        return " has an IKE SA and no child SA: it carries no traffic.";
    if (!tunnel->was_up && !is_older && tunnel_is_seen_one_way(tunnel))
        return " is in this capture in one direction only, so that nothing in it proves that it works.";
    if (!tunnel->was_up)
        return is_older ? " is older than this capture, which never shows that it works." : " did not come up in this capture.";
    if (incident->recovered && incident->end == tunnel->first_proof_at)
        return is_older ? " was in trouble when the capture began." : " did not come up at once.";
    return is_harmless_so_far(incident->root_cause) ? " was up, and the capture shows no outage." : " was up, but in trouble.";
}

static void
append_before(telling_t *telling)
{
    const incident_t *incident = telling->incident;
    const finding_t *root = root_of(telling);
    const ike_sa_t *ike_sa = ike_sa_of(telling);
    bool is_unheard = root->id == FINDING_ike_no_response && root->asked.is_unheard; /* its initiator never learnt of it */

    g_string_append(telling->out, "The tunnel between ");
    append_role(telling, ike_sa, PEER_A);
    g_string_append(telling->out, " and ");
    append_role(telling, ike_sa, PEER_B);
    if (incident->is_outage && incident->loss.last_proof_in != FRAME_NONE) {
        g_string_append(telling->out, is_unheard ? " came up, as seen from the capture point, " : " worked until ");
        append_when(telling, incident->loss.last_proof_at, incident->loss.last_proof_in);
        g_string_append_c(telling->out, '.');
        append_what_worked(telling);
        append_silence_before(telling);
        append_keepalives(telling);
    } else {
        g_string_append(telling->out, how_it_was(telling->tunnel, incident));
        append_what_worked(telling);
    }
    g_string_append_c(telling->out, ' ');
}

/* Two clients that push each other out explain all that follows. */
static void
append_evictor(telling_t *telling)
{
    const rival_t *evictor = &telling->incident->evictor;

    if (evictor->tunnel == INDEX_NONE)
        return;
    append_when(telling, evictor->at, evictor->in);
    g_string_append_printf(telling->out,
                           ": Another client behind the same address%s set up its IKE SA (tunnel %u). Probably the two push each "
                           "other out: a gateway that keeps one IKE SA for an identity drops the older one without a word. ",
                           evictor->same_identity ? ", with the same identity," : "", evictor->tunnel);
}

/* ---- the steps ---- */

/* How an exchange that this step tells of ended; each is told once. */
static const finding_t *
ending_of(const telling_t *telling, const finding_t *about, GPtrArray *told)
{
    for (unsigned i = 0; i < telling->members->len && about->exchange_in != FRAME_NONE && about->ending == NULL; i++) {
        const finding_t *other = g_ptr_array_index(telling->members, i);
        bool is_of_it = other->ending != NULL && other->exchange_in == about->exchange_in && other->culprit == about->culprit;
        if (is_of_it && !g_ptr_array_find(told, other, NULL)) {
            g_ptr_array_add(told, (gpointer)other);
            return other;
        }
    }
    return NULL;
}

static void
append_step(telling_t *telling, const step_t *step, GPtrArray *endings)
{
    const finding_t *finding = step->finding;
    bool is_guess = finding->confidence == CONFIDENCE_INFERRED && !says_that_it_guesses(finding->text);
    char sender[ENDPOINT_TEXT_MAX];

    append_when(telling, time_of(finding), frame_of(finding));
    bool counts_itself = finding->id == FINDING_rekey_rejected; /* the latest says how often it was in a row */
    g_string_append_printf(telling->out, ": %s%s ", is_guess ? "Probably: " : "", counts_itself ? step->last->text : finding->text);
    if (step->times > 1 && !counts_itself)
        g_string_append_printf(telling->out, "(This happened %u times, last in frame %u.) ", step->times, step->last->frame);
    const finding_t *ending = ending_of(telling, step->last, endings);
    if (ending != NULL)
        g_string_append_printf(telling->out, "%s %s. ", tunnel_peer_text(telling->tunnel, ending->culprit, sender), ending->ending);
}

static void
append_steps(telling_t *telling)
{
    unsigned left_out = 0;
    GArray *steps = steps_of(telling, &left_out);
    GPtrArray *endings = g_ptr_array_new();

    for (unsigned i = 0; i < steps->len; i++)
        append_step(telling, &g_array_index(steps, step_t, i), endings);
    if (left_out > 0)
        g_string_append_printf(telling->out, "%u further findings follow. ", left_out);
    g_ptr_array_free(endings, TRUE);
    g_array_free(steps, TRUE);
}

/* ---- the end, and the cause ---- */

static void
append_proof(GString *out, const incident_t *incident)
{
    if (incident->down - incident->down_least <= SECONDS(1))
        return;
    if (incident->down_least < MILLISECONDS(100)) {
        g_string_append(out, "It may have stopped working at any time in between: the capture shows no sign of it before. ");
        return;
    }
    g_string_append(out, "The capture proves ");
    append_duration(out, incident->down_least);
    g_string_append(out, " of that: the first sign that it no longer worked came ");
    append_duration(out, incident->down - incident->down_least);
    g_string_append(out, " after the last that it did. ");
}

static void
append_ending(telling_t *telling)
{
    const incident_t *incident = telling->incident;
    const finding_t *last = end_of_chain(telling);

    if (!incident->recovered) {
        if (incident->is_outage)
            append_proof(telling->out, incident);
        return;
    }
    append_when(telling, incident->end, incident->end_frame);
    if (incident->is_outage) {
        g_string_append_printf(telling->out, ": %s ", last->text);
        append_proof(telling->out, incident);
    } else if (incident->end == telling->tunnel->first_proof_at) {
        g_string_append(telling->out, ": The tunnel works from here on. ");
    } else {
        g_string_append(telling->out, ": This was the last of it; ESP flowed both ways afterwards. ");
    }
}

static void
append_rivals(GString *out, const GPtrArray *rivals)
{
    for (unsigned i = 0; i < rivals->len; i++) {
        const finding_t *rival = g_ptr_array_index(rivals, i);
        g_string_append_printf(out, "%s %s (frame %u)", i == 0 ? " It may also have been:" : ";",
                               finding_catalogue[rival->id].summary, rival->began_in);
    }
    if (rivals->len > 0)
        g_string_append_c(out, '.');
}

static void
append_cause(telling_t *telling)
{
    const incident_t *incident = telling->incident;
    const finding_t *root = root_of(telling);
    const char *summary = finding_catalogue[incident->root_cause].summary;
    bool is_plain = incident->chain->len == 1 && root->confidence == CONFIDENCE_OBSERVED && incident->rivals->len == 0;

    if (root->id == FINDING_tunnel_flap || root->id == FINDING_tunnel_down)
        g_string_append(telling->out, "The capture does not show the cause.");
    else if (incident->evictor.tunnel != INDEX_NONE)
        g_string_append_printf(telling->out, "Most likely root cause: two clients push each other out. What shows of it: %s.",
                               summary);
    else
        g_string_append_printf(telling->out, "%s: %s.", is_plain ? "Root cause" : "Most likely root cause", summary);
    append_rivals(telling->out, incident->rivals);
    if (incident->would_decide != NULL)
        g_string_append_printf(telling->out, " %s", incident->would_decide);
}

char *
story_tell(const tunnel_t *tunnel, const incident_t *incident, const GPtrArray *members)
{
    telling_t telling = { .out = g_string_new(NULL), .tunnel = tunnel, .incident = incident, .members = members, .day = -1 };

    append_before(&telling);
    append_evictor(&telling);
    append_steps(&telling);
    append_ending(&telling);
    append_cause(&telling);
    return g_string_free(telling.out, FALSE);
}
