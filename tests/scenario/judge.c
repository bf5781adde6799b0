/* judge.c - which expectations are unmet, and which findings are unexpected?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"

#include <string.h>

typedef struct {
    const scenario_t *scenario;
    const GArray *views;
    const outcome_t *outcome;
    keys_mode_t keys;
    bool *taken; /* per finding: an expectation stands for it */
    GString *complaints;
} judge_t;

static bool
applies(const expectation_t *expectation, keys_mode_t keys)
{
    return expectation->keys == KEYS_EITHER || (expectation->keys == KEYS_WITH) == (keys == WITH_KEYS);
}

static void complain(judge_t *judge, const place_t *place, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void
complain(judge_t *judge, const place_t *place, const char *format, ...)
{
    va_list arguments;

    g_string_append_printf(judge->complaints, "  %s:%u: ", place->file, place->line);
    va_start(arguments, format);
    g_string_append_vprintf(judge->complaints, format, arguments);
    va_end(arguments);
    g_string_append_c(judge->complaints, '\n');
}

/* The step whose packet is on this frame; UINT_MAX: none. */
static unsigned
step_of_frame(const GArray *views, frame_t frame)
{
    if (frame == FRAME_NONE || frame > views->len)
        return UINT32_MAX;
    return g_array_index(views, view_t, frame - 1).shot->step;
}

static bool
is_in_place(const judge_t *judge, const expectation_t *expectation, const finding_t *finding)
{
    if (expectation->where == WHERE_ANYWHERE)
        return true;
    if (expectation->where == WHERE_END)
        return finding->at_end;
    return step_of_frame(judge->views, finding->frame) == expectation->step;
}

/* "FROM > TO", or "nothing". */
static bool
is_lost_between(const finding_t *finding, const char *between)
{
    char *got =
        finding->lost_from[0] != '\0' ? g_strdup_printf("%s > %s", finding->lost_from, finding->lost_to) : g_strdup("nothing");
    bool is_equal = g_str_equal(got, between);

    g_free(got);
    return is_equal;
}

static bool
is_as_described(const expectation_t *expectation, const finding_t *finding, int cause)
{
    return finding->id == expectation->id && (expectation->severity == UNSAID || expectation->severity == (int)finding->severity) &&
           (expectation->confidence == UNSAID || expectation->confidence == (int)finding->confidence) &&
           (expectation->grade == UNSAID || expectation->grade == (int)finding->grade) &&
           (expectation->cause == UNSAID || expectation->cause == cause) &&
           (expectation->word == NULL || (finding->text != NULL && strstr(finding->text, expectation->word) != NULL)) &&
           (expectation->between == NULL || is_lost_between(finding, expectation->between));
}

static void
describe_candidates(judge_t *judge, const expectation_t *expectation)
{
    for (unsigned i = 0; i < judge->outcome->findings->len; i++) {
        const finding_t *finding = &g_array_index(judge->outcome->findings, finding_t, i);

        if (finding->id == expectation->id)
            g_string_append_printf(judge->complaints, "      got: frame %u%s %s %s%s%s: %s\n", finding->frame,
                                   finding->at_end ? " (end)" : "", severity_text(finding->severity),
                                   confidence_text(finding->confidence), finding->grade != NAT_GRADE_NONE ? " " : "",
                                   nat_grade_text(finding->grade), finding->text != NULL ? finding->text : "");
    }
}

static void
judge_finding(judge_t *judge, const expectation_t *expectation)
{
    const outcome_t *outcome = judge->outcome;
    unsigned matched = 0;

    for (unsigned i = 0; i < outcome->findings->len; i++) {
        const finding_t *finding = &g_array_index(outcome->findings, finding_t, i);

        if (judge->taken[i] || matched >= expectation->count || !is_in_place(judge, expectation, finding) ||
            !is_as_described(expectation, finding, g_array_index(outcome->causes, int, i)))
            continue;
        judge->taken[i] = true;
        matched++;
    }
    if (matched == 0 || (expectation->count != MANY && matched < expectation->count)) {
        complain(judge, &expectation->place, "missing: %s", expectation->text);
        describe_candidates(judge, expectation);
    }
}

static void
judge_incident(judge_t *judge, const expectation_t *expectation)
{
    for (unsigned i = 0; i < judge->outcome->incidents->len; i++) {
        const incident_t *incident = &g_array_index(judge->outcome->incidents, incident_t, i);
        unsigned met = 0;

        if (expectation->id != FINDING_COUNT && incident->root_cause != expectation->id)
            continue;
        for (unsigned k = 0; k < incident->chain_length && met < expectation->chain_length; k++)
            if (incident->chain[k] == expectation->chain[met])
                met++;
        if (met == expectation->chain_length)
            return;
    }
    complain(judge, &expectation->place, "missing: %s", expectation->text);
    for (unsigned i = 0; i < judge->outcome->incidents->len; i++) {
        const incident_t *incident = &g_array_index(judge->outcome->incidents, incident_t, i);

        g_string_append_printf(judge->complaints, "      got: root=%s chain=",
                               incident->root_cause < FINDING_COUNT ? finding_catalogue[incident->root_cause].id : "none");
        for (unsigned k = 0; k < incident->chain_length; k++)
            g_string_append_printf(judge->complaints, "%s%s", k > 0 ? "," : "", finding_catalogue[incident->chain[k]].id);
        g_string_append_c(judge->complaints, '\n');
    }
}

static void
judge_incident_story(judge_t *judge, const expectation_t *expectation)
{
    bool is_told = false;

    for (unsigned i = 0; i < judge->outcome->incidents->len; i++)
        is_told |= strstr(g_array_index(judge->outcome->incidents, incident_t, i).story, expectation->word) != NULL;
    if (is_told == (expectation->kind == EXPECT_STORY))
        return;
    complain(judge, &expectation->place, "%s: %s", is_told ? "told" : "missing", expectation->text);
    for (unsigned i = 0; i < judge->outcome->incidents->len; i++)
        g_string_append_printf(judge->complaints, "      story: %s\n",
                               g_array_index(judge->outcome->incidents, incident_t, i).story);
}

/* "flaps=1" against the tunnel's row. False: no such field, or another value. */
static bool
row_has(const tunnel_row_t *row, const char *word, char **ret_got)
{
    const struct {
        const char *name;
        unsigned value;
    } fields[] = {
        { "flaps", row->flaps },
        { "ike_sas", row->ike_sas },
        { "child_sas", row->child_sas },
        { "rekeys_ok", row->rekeys_ok },
        { "rekeys_failed", row->rekeys_failed },
        { "dpd_sent", row->dpd_sent },
        { "dpd_unanswered", row->dpd_unanswered },
        { "port_flips", row->port_flips },
        { "ike_version", row->ike_version },
        { "udp", row->udp_encapsulated },
        { "tcp", row->tcp_encapsulated },
    };
    const char *equals = strchr(word, '=');

    for (size_t i = 0; equals != NULL && i < G_N_ELEMENTS(fields); i++) {
        if (strncmp(fields[i].name, word, (size_t)(equals - word)) == 0 && fields[i].name[equals - word] == 0) {
            *ret_got = g_strdup_printf("%s=%u", fields[i].name, fields[i].value);
            return fields[i].value == (unsigned)g_ascii_strtoull(equals + 1, NULL, 10);
        }
    }
    *ret_got = g_strdup("no such field");
    return false;
}

static void
judge_tunnel_word(judge_t *judge, const expectation_t *expectation)
{
    const tunnel_row_t *row;
    char *got = NULL;
    bool ok;

    if (expectation->number >= judge->outcome->rows->len) {
        complain(judge, &expectation->place, "missing: %s (there are %u tunnels)", expectation->text, judge->outcome->rows->len);
        return;
    }
    row = &g_array_index(judge->outcome->rows, tunnel_row_t, expectation->number);
    if (expectation->kind == EXPECT_STATE) {
        got = g_strdup(tunnel_state_text(row->state));
        ok = g_str_equal(got, expectation->word);
    } else if (expectation->kind == EXPECT_NAT) {
        const peer_nat_t *nat = &row->peer[expectation->peer].nat;

        got = g_strdup_printf("%s %s", nat_state_text(nat->state), confidence_text(nat->confidence));
        ok = g_str_equal(nat_state_text(nat->state), expectation->word) &&
             (expectation->confidence == UNSAID || expectation->confidence == (int)nat->confidence);
    } else {
        ok = row_has(row, expectation->word, &got);
    }
    if (!ok)
        complain(judge, &expectation->place, "missing: %s (got %s)", expectation->text, got);
    g_free(got);
}

/* `expect source unchanged`, `expect destination nothing`: every frame of the step; `A / B`: the first frame and its copy. */
static void
judge_words(judge_t *judge, const expectation_t *expectation)
{
    const GArray *words = expectation->kind == EXPECT_SOURCE ? judge->outcome->sources : judge->outcome->destinations;
    char **expected = g_strsplit(expectation->word, " / ", -1);
    unsigned at = 0;

    for (unsigned i = 0; i < judge->views->len; i++) {
        const char *got = g_array_index(words, const char *, i + 1);

        if (step_of_frame(judge->views, i + 1) != expectation->step)
            continue;
        if (!g_str_equal(got != NULL ? got : "nothing", expected[at]))
            complain(judge, &expectation->place, "missing: %s (frame %u: %s)", expectation->text, i + 1,
                     got != NULL ? got : "nothing");
        if (expected[at + 1] != NULL)
            at++;
    }
    g_strfreev(expected);
}

/* `expect exchange dpd`, `expect tunnel 0`: every frame of the step. */
static void
judge_frames(judge_t *judge, const expectation_t *expectation)
{
    for (unsigned i = 0; i < judge->views->len; i++) {
        const char *exchange = g_array_index(judge->outcome->exchanges, const char *, i + 1);
        uint32_t tunnel = g_array_index(judge->outcome->tunnels, uint32_t, i + 1);

        if (step_of_frame(judge->views, i + 1) != expectation->step)
            continue;
        if (expectation->kind == EXPECT_EXCHANGE && (exchange == NULL || !g_str_equal(exchange, expectation->word)))
            complain(judge, &expectation->place, "missing: %s (frame %u is %s)", expectation->text, i + 1,
                     exchange != NULL ? exchange : "no exchange");
        else if (expectation->kind == EXPECT_TUNNEL && tunnel != expectation->number)
            complain(judge, &expectation->place, "missing: %s (frame %u is of tunnel %d)", expectation->text, i + 1, (int)tunnel);
        else
            continue;
        return;
    }
}

/* Places first, the end next, anywhere last: the exact expectation gets the finding that it describes. */
static void
judge_expectations(judge_t *judge, where_t where)
{
    for (unsigned i = 0; i < judge->scenario->expectations->len; i++) {
        const expectation_t *expectation = &g_array_index(judge->scenario->expectations, expectation_t, i);

        if (expectation->where != where || !applies(expectation, judge->keys))
            continue;
        switch (expectation->kind) {
        case EXPECT_FINDING:
            judge_finding(judge, expectation);
            break;
        case EXPECT_INCIDENT:
            judge_incident(judge, expectation);
            break;
        case EXPECT_STORY:
        case EXPECT_UNTOLD:
            judge_incident_story(judge, expectation);
            break;
        case EXPECT_TUNNELS:
            if (judge->outcome->rows->len != expectation->number)
                complain(judge, &expectation->place, "missing: %s (got %u)", expectation->text, judge->outcome->rows->len);
            break;
        case EXPECT_STATE:
        case EXPECT_ROW:
        case EXPECT_NAT:
            judge_tunnel_word(judge, expectation);
            break;
        case EXPECT_SOURCE:
        case EXPECT_DESTINATION:
            judge_words(judge, expectation);
            break;
        case EXPECT_EXCHANGE:
        case EXPECT_TUNNEL:
            judge_frames(judge, expectation);
            break;
        case EXPECT_NO:
        case EXPECT_ALLOW:
            break;
        }
    }
}

/* The world is closed for findings of weight and for ids that the script names. */
static bool
is_unexpected(const judge_t *judge, const finding_t *finding)
{
    bool is_named = false;

    for (unsigned i = 0; i < judge->scenario->expectations->len; i++) {
        const expectation_t *expectation = &g_array_index(judge->scenario->expectations, expectation_t, i);

        if (expectation->kind == EXPECT_ALLOW && expectation->id == finding->id && applies(expectation, judge->keys) &&
            (expectation->severity == UNSAID || expectation->severity == (int)finding->severity))
            return false;
        if ((expectation->kind == EXPECT_FINDING || expectation->kind == EXPECT_NO) && expectation->id == finding->id)
            is_named = true;
    }
    return is_named || finding->severity >= SEVERITY_WARN;
}

/* Notes alone are no incident, but for one: without keys the refusal of a tunnel's only child is a Note. */
static bool
has_trouble(const judge_t *judge, const incident_t *incident)
{
    for (unsigned k = 0; k < incident->chain_length; k++) {
        for (unsigned i = 0; i < judge->outcome->findings->len; i++) {
            const finding_t *finding = &g_array_index(judge->outcome->findings, finding_t, i);

            if (finding->id == incident->chain[k] && (finding->severity >= SEVERITY_WARN || finding->id == FINDING_child_rejected))
                return true;
        }
    }
    return false;
}

bool
judge_story(const scenario_t *scenario, const GArray *views, const outcome_t *outcome, keys_mode_t keys, GString *complaints)
{
    judge_t judge = { scenario, views, outcome, keys, g_new0(bool, outcome->findings->len + 1), complaints };
    gsize before = complaints->len;

    judge_expectations(&judge, WHERE_STEP);
    judge_expectations(&judge, WHERE_END);
    judge_expectations(&judge, WHERE_ANYWHERE);
    for (unsigned i = 0; i < outcome->findings->len; i++) {
        const finding_t *finding = &g_array_index(outcome->findings, finding_t, i);
        unsigned step = step_of_frame(views, finding->frame);

        if (judge.taken[i] || !is_unexpected(&judge, finding))
            continue;
        complain(&judge, step != UINT32_MAX ? &g_array_index(scenario->steps, step_t, step).place : &scenario->place,
                 "unexpected: %s %s %s on frame %u%s: %s", finding_catalogue[finding->id].id, severity_text(finding->severity),
                 confidence_text(finding->confidence), finding->frame, finding->at_end ? " (end)" : "",
                 finding->text != NULL ? finding->text : "");
    }
    for (unsigned i = 0; i < outcome->incidents->len; i++) {
        const incident_t *incident = &g_array_index(outcome->incidents, incident_t, i);

        if (!has_trouble(&judge, incident))
            complain(&judge, &scenario->place, "an incident of nothing that is a Warn or Error: %s", incident->story);
    }
    g_free(judge.taken);
    return complaints->len == before;
}

/* How many findings of this id, at least of this severity? */
static unsigned
count_findings(const outcome_t *outcome, unsigned id, severity_t at_least)
{
    unsigned count = 0;

    for (unsigned i = 0; i < outcome->findings->len; i++) {
        const finding_t *finding = &g_array_index(outcome->findings, finding_t, i);

        count += finding->id == id && finding->severity >= at_least;
    }
    return count;
}

bool
judge_same(const outcome_t *plain, const outcome_t *distorted, const under_t *under, GString *complaints)
{
    bool same = true;

    for (unsigned id = 0; id < FINDING_COUNT; id++) {
        unsigned expected = count_findings(plain, id, SEVERITY_CHAT), got = count_findings(distorted, id, SEVERITY_CHAT);

        if (finding_catalogue[id].group == GROUP_CAPTURE || under->may_also[id] || expected == got)
            continue;
        g_string_append_printf(complaints, "    %s: %u, undistorted %u\n", finding_catalogue[id].id, got, expected);
        same = false;
    }
    return same;
}

bool
is_false_alarm(const outcome_t *plain, const finding_t *finding, const under_t *under)
{
    return finding->severity >= SEVERITY_WARN && !under->may_also[finding->id] &&
           count_findings(plain, finding->id, SEVERITY_WARN) == 0;
}

bool
judge_no_worse(const outcome_t *plain, const outcome_t *distorted, const under_t *under, GString *complaints)
{
    bool ok = true;

    for (unsigned i = 0; i < distorted->findings->len; i++) {
        const finding_t *finding = &g_array_index(distorted->findings, finding_t, i);

        if (!is_false_alarm(plain, finding, under))
            continue;
        g_string_append_printf(complaints, "    false alarm: %s %s %s on frame %u%s: %s\n", finding_catalogue[finding->id].id,
                               severity_text(finding->severity), confidence_text(finding->confidence), finding->frame,
                               finding->at_end ? " (end)" : "", finding->text != NULL ? finding->text : "");
        ok = false;
    }
    return ok;
}

static bool
is_left_open(const char *exchange)
{
    static const char *const open[] = { "unknown", "create_child_sa", "delete", "informational" };

    for (unsigned i = 0; i < G_N_ELEMENTS(open); i++) {
        if (exchange == NULL || g_str_equal(exchange, open[i]))
            return true;
    }
    return false;
}

bool
judge_names(const outcome_t *without_keys, const outcome_t *with_keys, GString *complaints)
{
    bool ok = true;

    for (unsigned frame = 1; frame < with_keys->exchanges->len; frame++) {
        const char *inferred = g_array_index(without_keys->exchanges, const char *, frame);
        const char *true_name = g_array_index(with_keys->exchanges, const char *, frame);

        if (is_left_open(inferred) || is_left_open(true_name) || g_str_equal(inferred, true_name))
            continue;
        g_string_append_printf(complaints, "    frame %u is %s, without keys it is called %s\n", frame, true_name, inferred);
        ok = false;
    }
    return ok;
}
