/* findings.c - the catalogue's texts, and how an observation becomes a finding with evidence and cause.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/findings.h"
#include "engine/ike/silence.h"

#include "engine/engine_state.h"
#include "engine/points/placement.h"
#include "engine/tables/causes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

const finding_info_t finding_catalogue[FINDING_COUNT] = {
#define FINDING(name, worst, family, text) { .id = #name, .severity = SEVERITY_##worst, .group = GROUP_##family, .summary = text },
#include "engine/findings.def"
#undef FINDING
};

const char *
severity_text(severity_t severity)
{
    static const char *const texts[] = { "chat", "note", "warn", "error" };
    return texts[severity];
}

const char *
finding_group_text(finding_group_t group)
{
    static const char *const texts[] = { "ike", "esp", "nat", "life", "capture" };
    return texts[group];
}

const char *
confidence_text(confidence_t confidence)
{
    return confidence == CONFIDENCE_OBSERVED ? "observed" : "inferred";
}

const char *
nat_grade_text(nat_grade_t grade)
{
    static const char *const texts[] = { "", "recovered", "split", "harmful" };
    return texts[grade];
}

static void
add_evidence(finding_t *finding, frame_t frame)
{
    if (frame == FRAME_NONE || finding->evidences == EVIDENCE_MAX)
        return;
    unsigned at = finding->evidences;
    while (at > 0 && finding->evidence[at - 1] >= frame) {
        if (finding->evidence[at - 1] == frame)
            return;
        at--;
    }
    for (unsigned i = finding->evidences; i > at; i--)
        finding->evidence[i] = finding->evidence[i - 1];
    finding->evidence[at] = frame;
    finding->evidences++;
}

static void
add_exchange_evidence(finding_t *finding, const exchange_t *exchange)
{
    unsigned kept = MIN(exchange->transmissions, TRANSMISSIONS_KEPT);
    for (unsigned i = 0; i < kept; i++)
        add_evidence(finding, exchange->sent_in[i]);
    add_evidence(finding, exchange->answered_in);
}

/* What shows the cause may come this long after its effect was last seen. */
#define SOON_AFTER SECONDS(10)

/* What is said of a request began to go wrong with its first transmission, also where giving it up is what is told. */
static capture_ns_t
went_wrong_at(const finding_t *finding)
{
    return finding->exchange_in != FRAME_NONE ? MIN(finding->asked.first_sent_at, finding->began_at) : finding->began_at;
}

static bool
rule_fits(const cause_rule_t *rule, const finding_t *cause, const finding_t *effect)
{
    if (rule->effect != effect->id || rule->cause != cause->id || cause == effect)
        return false;
    if (rule->of_other_peer && cause->culprit == effect->culprit)
        return false;
    if (rule->of_same_peer && cause->culprit != effect->culprit)
        return false;
    if (rule->of_same_exchange && cause->exchange_in != effect->exchange_in)
        return false;
    if (!rule->before_report && cause->began_at > effect->began_at)
        return false;
    if (duration_between(effect->last_at, cause->began_at) > SOON_AFTER)
        return false; /* the effect was over before */
    if (cause->over_at != CAPTURE_TIME_NONE && cause->over_at < went_wrong_at(effect))
        return false;
    return duration_between(cause->last_at, effect->began_at) <= rule->within;
}

/* The outage findings want the first trouble of its kind since the last outage, all others the nearest. */
static bool
wants_the_earliest(finding_id_t id)
{
    return id == FINDING_tunnel_flap || id == FINDING_tunnel_down;
}

/* Notes tell of what did no harm, save those that explain what follows: an orderly DELETE, a router's word that nothing gets through. */
static bool
may_be_a_cause(const finding_t *finding)
{
    return finding->severity >= SEVERITY_WARN || finding->explains;
}

/* A cause must explain: be earlier, on the same tunnel, of a kind that leads to the next, and not belong to an outage that is over. */
static const finding_t *
find_cause(const tunnel_t *tunnel, const finding_t *effect)
{
    const finding_t *best = NULL;
    const bool earliest = wants_the_earliest(effect->id);

    for (unsigned r = 0; r < cause_rule_count; r++) {
        if (cause_rules[r].effect != effect->id)
            continue;
        for (unsigned i = tunnel->findings->len; i-- > 0;) {
            const finding_t *candidate = g_ptr_array_index(tunnel->findings, i);
            if (candidate->incident != INDEX_NONE || !may_be_a_cause(candidate) || !rule_fits(&cause_rules[r], candidate, effect))
                continue;
            if (best == NULL || (earliest && candidate->began_at < best->began_at))
                best = candidate;
            if (!earliest)
                return best;
        }
        if (best != NULL)
            return best;
    }
    return NULL;
}

bool
finding_may_explain(const finding_t *cause, const finding_t *effect)
{
    for (unsigned r = 0; r < cause_rule_count; r++) {
        if (may_be_a_cause(cause) && rule_fits(&cause_rules[r], cause, effect))
            return true;
    }
    return false;
}

static bool
leads_back_to(const finding_t *finding, const finding_t *other)
{
    for (; finding != NULL; finding = finding->cause) {
        if (finding == other)
            return true;
    }
    return false;
}

/* Some causes are found after their consequences: what had no explanation yet may have one now. */
static void
explain_earlier(const tunnel_t *tunnel, const finding_t *cause)
{
    for (unsigned r = 0; r < cause_rule_count; r++) {
        if (cause_rules[r].cause != cause->id || !cause_rules[r].before_report)
            continue;
        for (unsigned i = 0; i < tunnel->findings->len; i++) {
            finding_t *effect = g_ptr_array_index(tunnel->findings, i);
            if (effect->cause == NULL && effect->incident == INDEX_NONE && may_be_a_cause(cause) &&
                rule_fits(&cause_rules[r], cause, effect) && !leads_back_to(cause, effect))
                effect->cause = cause;
        }
    }
}

finding_draft_t
findings_draft_unanswered(finding_id_t id, severity_t severity, confidence_t confidence, const exchange_t *exchange)
{
    /* That answers did not arrive, or that there were none, is a conclusion here: only what the requester did can be seen. */
    bool is_unheard = exchange_is_unheard(exchange);
    bool is_unseen = silence_of(exchange->ike_sa->tunnel, exchange).kind == SILENCE_UNSEEN;
    severity_t limit = is_unseen ? SEVERITY_NOTE : is_unheard ? SEVERITY_WARN : SEVERITY_ERROR;

    return (finding_draft_t){ .id = id,
                              .severity = MIN(severity, limit),
                              .confidence = is_unheard || is_unseen ? CONFIDENCE_INFERRED : confidence,
                              .culprit = exchange->requester,
                              .exchange = exchange,
                              .began_in = exchange->sent_in[0],
                              .began_at = exchange->first_sent_at };
}

finding_draft_t
findings_draft_refused(finding_id_t id, const exchange_t *exchange)
{
    return (finding_draft_t){ .id = id,
                              .severity = exchange->refusal_confidence == CONFIDENCE_OBSERVED ? SEVERITY_ERROR : SEVERITY_WARN,
                              .confidence = exchange->refusal_confidence,
                              .culprit = peer_other(exchange->requester),
                              .exchange = exchange,
                              .began_in = exchange->sent_in[0],
                              .began_at = exchange->first_sent_at };
}

/* What the draft says, and the change where it says nothing. */
static finding_t *
finding_from(const finding_draft_t *draft, const change_t *change)
{
    finding_t *finding = g_new0(finding_t, 1);

    finding->id = draft->id;
    finding->severity = draft->severity;
    finding->confidence = draft->confidence;
    finding->culprit = draft->culprit;
    finding->at_end = change->at_end;
    finding->frame = draft->frame != FRAME_NONE ? draft->frame : change->frame;
    finding->began_in = draft->began_in != FRAME_NONE ? draft->began_in : finding->frame;
    finding->began_at = draft->began_in != FRAME_NONE ? draft->began_at : change->time;
    finding->time = change->time;
    finding->old_port = draft->old_port;
    finding->new_port = draft->new_port;
    finding->grade = draft->grade;
    finding->explains = draft->explains;
    finding->times = MAX(draft->times, 1);
    finding->unit = draft->unit != NULL ? draft->unit : "times";
    finding->incident = INDEX_NONE;
    finding->over_at = CAPTURE_TIME_NONE;
    finding->ending = draft->ending;
    return finding;
}

static void
add_draft_evidence(finding_t *finding, const finding_draft_t *draft)
{
    if (draft->exchange != NULL) {
        add_exchange_evidence(finding, draft->exchange);
        finding->exchange_in = draft->exchange->sent_in[0];
        finding->heard_before_in = draft->exchange->heard_before_in;
        finding->heard_before_at = draft->exchange->heard_before_at;
    }
    for (unsigned i = 0; draft->whole_exchange && i < draft->exchange->frames_kept; i++)
        add_evidence(finding, draft->exchange->frame[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(draft->evidence); i++)
        add_evidence(finding, draft->evidence[i]);
    if (!finding->at_end || finding->evidences == 0)
        add_evidence(finding, finding->frame);
}

/* What only the end of the capture reveals stands where its last evidence is. */
static void
place_on_evidence(finding_t *finding, const finding_draft_t *draft)
{
    finding->frame = finding->evidence[finding->evidences - 1];
    if (draft->last_evidence_at != 0)
        finding->time = draft->last_evidence_at;
    else if (draft->exchange != NULL)
        finding->time = draft->exchange->last_sent_at;
    if (draft->began_in == FRAME_NONE) {
        finding->began_in = finding->frame;
        finding->began_at = finding->time;
    }
}

finding_t *
findings_add(findings_t *findings, const finding_draft_t *draft, const char *text, ...)
{
    const change_t *change = findings->change;
    const exchange_t *asked = draft->exchange != NULL ? draft->exchange : change->exchange;
    tunnel_t *tunnel = findings->tunnel;
    va_list arguments;

    if (tunnel != NULL && tunnel->finding_count[draft->id] >= FINDINGS_PER_ID_MAX) {
        tunnel->findings_left_out++;
        return NULL;
    }
    finding_t *finding = finding_from(draft, change);

    va_start(arguments, text);
    finding->text = g_strdup_vprintf(text, arguments);
    va_end(arguments);
    finding->tunnel = tunnel != NULL ? tunnel->index : INDEX_NONE;
    if (asked != NULL)
        placement_ask(finding, asked);
    add_draft_evidence(finding, draft);
    if (finding->at_end && finding->evidences > 0)
        place_on_evidence(finding, draft);
    finding->last_in = finding->frame;
    finding->last_at = finding->time;
    if (tunnel != NULL) {
        finding->before = tunnel_lead_in(tunnel);
        finding->cause = find_cause(tunnel, finding);
    }
    if (tunnel != NULL && !finding->at_end)
        explain_earlier(tunnel, finding);
    engine_keep_finding(findings->engine, tunnel, finding);
    if (draft->esp_sa != NULL)
        ((esp_sa_t *)draft->esp_sa)->desync = finding; /* the engine owns it; detectors see it const */
    return finding;
}

void
findings_repeat(findings_t *findings, const finding_t *told)
{
    finding_t *finding = (finding_t *)told; /* the engine owns it; detectors see it const */

    finding->times++;
    finding->last_in = findings->change->frame;
    finding->last_at = findings->change->time;
}

/* What is known only at the end, for now. Frees `more`. */
static void
add_for_the_end(finding_t *finding, char *more)
{
    if (finding->text_before_end == 0)
        finding->text_before_end = strlen(finding->text);
    char *longer = g_strdup_printf("%s %s", finding->text, more);
    g_free(finding->text);
    g_free(more);
    finding->text = longer;
}

void
findings_join(findings_t *findings, const finding_t *told, const esp_sa_t *sa)
{
    ((esp_sa_t *)sa)->desync = told;
    findings_repeat(findings, told);
}

void
findings_recount(const finding_t *told, uint64_t times, frame_t last_in, capture_ns_t last_at)
{
    finding_t *finding = (finding_t *)told; /* as above */

    finding->times = times;
    if (last_in > finding->frame) {
        finding->last_in = last_in;
        finding->last_at = last_at;
    }
}

void
findings_conclude(const finding_t *told, const char *text, ...)
{
    finding_t *finding = (finding_t *)told; /* as above */
    va_list arguments;

    va_start(arguments, text);
    char *sentence = g_strdup_vprintf(text, arguments);
    va_end(arguments);
    add_for_the_end(finding, sentence);
}

void
engine_say_how_it_went_on(const GPtrArray *findings)
{
    for (unsigned i = 0; i < findings->len; i++) {
        finding_t *finding = g_ptr_array_index(findings, i);
        if (finding->last_in != finding->frame && !finding->at_end)
            add_for_the_end(finding,
                            g_strdup_printf("It went on until frame %u, %.1f s later: %" PRIu64 " %s in all.", finding->last_in,
                                            duration_seconds(duration_between(finding->time, finding->last_at)), finding->times,
                                            finding->unit));
    }
}

void
engine_say_where_lost(const engine_t *engine, tunnel_t *tunnel)
{
    for (unsigned i = 0; tunnel->points != NULL && i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        char *placed = placement_of(engine, tunnel, finding);
        if (placed != NULL)
            add_for_the_end(finding, placed);
    }
}

void
engine_unsay_how_it_went_on(const GPtrArray *findings)
{
    for (unsigned i = 0; i < findings->len; i++) {
        finding_t *finding = g_ptr_array_index(findings, i);
        if (finding->text_before_end > 0)
            finding->text[finding->text_before_end] = '\0';
        finding->text_before_end = 0;
        finding->lost_from[0] = finding->lost_to[0] = '\0';
    }
}

static void
become_note(finding_t *finding, const char *why)
{
    if (finding->severity <= SEVERITY_NOTE)
        return;
    char *longer = g_strdup_printf("%s %s", finding->text, why);
    g_free(finding->text);
    finding->text = longer;
    finding->severity = SEVERITY_NOTE;
    finding->is_taken_back = true;
}

void
engine_tone_down_exchange(tunnel_t *tunnel, const exchange_t *exchange, const char *why)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->exchange_in == exchange->sent_in[0])
            become_note(finding, why);
    }
}

void
engine_tone_down(engine_t *engine, tunnel_t *tunnel, finding_id_t id, frame_t frame, const char *why)
{
    const frame_note_t *note = engine_note(engine, frame);

    for (unsigned i = 0; note != NULL && note->findings != NULL && i < note->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(note->findings, i);
        if (finding->id == id && finding->tunnel == tunnel->index)
            become_note(finding, why);
    }
}
