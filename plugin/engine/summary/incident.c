/* incident.c - which findings belong to one trouble, and what was its root cause?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

#define CHAIN_MAX 16u
#define BEGINNING SECONDS(60) /* of a capture: what led to trouble then may lie before it */

/* Any port has to be accepted (RFC 7296 2.23). What came of a new one its grade says; where nothing does, the capture does not show it. */
bool
finding_did_no_harm(const finding_t *finding)
{
    return finding->id == FINDING_nat_port_flip && finding->grade <= NAT_GRADE_RECOVERED;
}

static bool
is_outage(finding_id_t id)
{
    return id == FINDING_tunnel_flap || id == FINDING_tunnel_down || id == FINDING_delete_no_restart;
}

/* From the outage back along the causes. Root cause first, distinct ids. */
static GPtrArray *
chain_to(const finding_t *last)
{
    GPtrArray *chain = g_ptr_array_new();

    unsigned steps = 0;
    for (const finding_t *finding = last; finding != NULL && steps < CHAIN_MAX; finding = finding->cause, steps++) {
        bool is_known = false;
        for (unsigned i = 0; i < chain->len; i++)
            is_known |= ((const finding_t *)g_ptr_array_index(chain, i))->id == finding->id;
        if (!is_known)
            g_ptr_array_insert(chain, 0, (gpointer)finding);
    }
    return chain;
}

static const finding_t *
root_of(const incident_t *incident)
{
    return g_ptr_array_index(incident->chain, 0);
}

static finding_t *
owned(const finding_t *finding)
{
    return (finding_t *)finding; /* the engine owns every finding; detectors and readers see them const */
}

/* The findings between the first trouble, or the last proof that it worked, and the outage's last word. */
static GPtrArray *
members_of(const tunnel_t *tunnel, const GPtrArray *chain, const finding_t *last)
{
    const finding_t *root = g_ptr_array_index(chain, 0);
    capture_ns_t since = MIN(root->began_at, last->began_at);
    GPtrArray *members = g_ptr_array_new();

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        bool is_after_root = finding->began_at >= since || finding == root;
        bool is_before_end = finding->time <= last->time || last->at_end;
        bool counts =
            finding_catalogue[finding->id].group != GROUP_CAPTURE && finding->incident == INDEX_NONE && !finding->is_taken_back;
        bool in_chain = g_ptr_array_find((GPtrArray *)chain, finding, NULL);
        if (counts && (in_chain || (is_after_root && is_before_end)))
            g_ptr_array_add(members, finding);
    }
    return members;
}

static incident_t *
add_incident(tunnel_t *tunnel, const finding_t *last)
{
    GPtrArray *chain = chain_to(last);
    GPtrArray *members = members_of(tunnel, chain, last);
    const finding_t *root = g_ptr_array_index(chain, 0);
    incident_t *incident = g_new0(incident_t, 1);

    incident->index = tunnel->incidents->len;
    incident->chain = chain;
    incident->rivals = g_ptr_array_new();
    incident->root_cause = root->id;
    incident->start = root->began_at;
    incident->start_frame = root->began_in;
    incident->end = CAPTURE_TIME_NONE;
    g_ptr_array_add(tunnel->incidents, incident);
    for (unsigned i = 0; i < members->len; i++)
        owned(g_ptr_array_index(members, i))->incident = incident->index;
    g_ptr_array_free(members, TRUE);
    return incident;
}

/* ---- how long was it down? ---- */

/* Packets to which nothing came back: from the first of them on the tunnel did not work. */
static bool
shows_that_it_is_down(const finding_t *finding)
{
    switch (finding->id) {
    case FINDING_rekey_no_response:
    case FINDING_dpd_loss:
    case FINDING_ike_no_response:
    case FINDING_esp_one_way:
    case FINDING_spi_desync:
    case FINDING_invalid_spi:
    case FINDING_invalid_ike_spi:
        return true;
    case FINDING_syslog_invalid_spi:
        return finding->severity == SEVERITY_ERROR;
    default:
        return false;
    }
}

static capture_ns_t
first_sign(const tunnel_t *tunnel, const incident_t *incident)
{
    capture_ns_t first = incident->loss.at;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == incident->index && shows_that_it_is_down(finding) &&
            finding->began_at >= incident->loss.last_proof_at)
            first = MIN(first, finding->began_at);
    }
    return first;
}

/* ---- what else may have been the cause? ---- */

static bool
explains_the_chain(const incident_t *incident, const finding_t *finding)
{
    for (unsigned i = 0; i < incident->chain->len; i++) {
        if (finding_may_explain(finding, g_ptr_array_index(incident->chain, i)))
            return true;
    }
    return false;
}

static bool
is_of_kind(const GPtrArray *findings, finding_id_t id)
{
    for (unsigned i = 0; i < findings->len; i++) {
        if (((const finding_t *)g_ptr_array_index(findings, i))->id == id)
            return true;
    }
    return false;
}

/* A finding without a cause of its own that may have led to what is in the chain too. The earliest of a kind. */
static void
find_rivals(const tunnel_t *tunnel, incident_t *incident)
{
    g_ptr_array_set_size(incident->rivals, 0);
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == incident->index && finding->cause == NULL && !is_of_kind(incident->chain, finding->id) &&
            !is_of_kind(incident->rivals, finding->id) && explains_the_chain(incident, finding))
            g_ptr_array_add(incident->rivals, (gpointer)finding);
    }
}

/* Nothing came: whether the other peer heard anything, or answered, only a capture at its side can tell. */
static bool
is_absence(finding_id_t id)
{
    switch (id) {
    case FINDING_rekey_no_response:
    case FINDING_dpd_loss:
    case FINDING_ike_no_response:
    case FINDING_retransmit_exhausted:
    case FINDING_esp_one_way:
    case FINDING_fragment_loss:
        return true;
    default:
        return false;
    }
}

/* One sentence each, in the order of their worth. */
static char *
what_would_decide(const tunnel_t *tunnel, const incident_t *incident)
{
    const finding_t *root = root_of(incident);
    /* Where answers are in the capture, what matters is what arrives at who asked. */
    bool is_answered = root->asked.is_set && (root->asked.was_answered || root->asked.is_unheard);
    peer_t silent = is_answered ? root->culprit : peer_other(root->culprit);
    char peer[ENDPOINT_TEXT_MAX];
    GString *out = g_string_new(NULL);

    bool never_answered = root->id == FINDING_ike_no_response; /* a peer that never sent anything need not be left out */
    if (tunnel_is_one_direction(tunnel) && !never_answered)
        g_string_append(out, " A capture of both directions would show what was answered.");
    else if (is_absence(root->id) && silent != PEER_UNKNOWN && tunnel->points == NULL) /* else it was captured at both ends */
        g_string_append_printf(out, " A capture at %s, taken at the same time, would show what arrives there and what it sends.",
                               tunnel_peer_text(tunnel, silent, peer));
    if (root->confidence == CONFIDENCE_INFERRED && finding_catalogue[root->id].group == GROUP_IKE && !is_absence(root->id))
        g_string_append(out, " With the keys of the IKE SA, or in the gateways' logs, the reason can be read.");
    if (tunnel_latest_finding(tunnel, FINDING_capture_midstream, PEER_UNKNOWN) != NULL &&
        duration_between(tunnel->first_time, incident->start) <= BEGINNING)
        g_string_append(out, " A capture that begins earlier would show what came before.");
    bool is_empty = out->len == 0;
    char *sentences = g_string_free(out, FALSE);
    if (is_empty) {
        g_free(sentences);
        return NULL;
    }
    g_strchug(sentences);
    return sentences;
}

/* ---- telling ---- */

/* The story is told again when asked for: later frames may have graded a flip. */
static void
tell(const engine_t *engine, tunnel_t *tunnel, incident_t *incident)
{
    GPtrArray *members = g_ptr_array_new();

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == incident->index)
            g_ptr_array_add(members, finding);
    }
    find_rivals(tunnel, incident);
    incident->evictor = engine_evictor(engine, tunnel, incident);
    g_free(incident->would_decide);
    incident->would_decide = what_would_decide(tunnel, incident);
    g_free(incident->story);
    incident->story = story_tell(tunnel, incident, members);
    g_ptr_array_free(members, TRUE);
}

void
incident_close(engine_t *engine, tunnel_t *tunnel, const finding_t *last, const loss_t *loss, bool recovered)
{
    if (last == NULL || last->incident != INDEX_NONE)
        return;
    incident_t *incident = add_incident(tunnel, last);
    capture_ns_t until = recovered ? last->time : engine_watched_until(engine, tunnel);

    incident->is_outage = true;
    incident->loss = *loss;
    incident->recovered = recovered;
    incident->down = duration_between(loss->last_proof_at, until);
    incident->down_least = duration_between(first_sign(tunnel, incident), until);
    if (last->began_at < incident->start) { /* the tunnel had stopped working before anybody noticed */
        incident->start = last->began_at;
        incident->start_frame = last->began_in;
    }
    if (recovered) {
        incident->end = last->time;
        incident->end_frame = last->frame;
    }
}

/* Something that was asked for does not work, or works worse than it should. Not a mere port flip. */
static bool
is_trouble(const tunnel_t *tunnel, const finding_t *finding)
{
    if (finding->incident != INDEX_NONE || finding_did_no_harm(finding))
        return false;
    /* Without keys a refusal is a Note, for one may be a detour; but a tunnel without any child carries nothing. */
    return finding->severity >= SEVERITY_WARN || (finding->id == FINDING_child_rejected && !tunnel->had_child);
}

/* The worst of the troubles that no outage tells of, the first of these; NULL: there is none. */
static const finding_t *
worst_trouble(const tunnel_t *tunnel)
{
    const finding_t *worst = NULL;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (is_trouble(tunnel, finding) && (worst == NULL || finding->severity > worst->severity))
            worst = finding;
    }
    return worst;
}

/* The trouble that the most others led to, among those with the same root cause: the end of the chain. */
static const finding_t *
last_consequence(const tunnel_t *tunnel, const finding_t *trouble)
{
    GPtrArray *chain = chain_to(trouble);
    const finding_t *root = g_ptr_array_index(chain, 0), *last = trouble;
    unsigned longest = chain->len;

    g_ptr_array_free(chain, TRUE);
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->cause == NULL || !is_trouble(tunnel, finding))
            continue;
        chain = chain_to(finding);
        /* What was found together was found in the order of cause and effect. */
        bool is_later = chain->len > longest || (chain->len == longest && finding->frame == last->frame);
        if (g_ptr_array_index(chain, 0) == root && is_later) {
            longest = chain->len;
            last = finding;
        }
        g_ptr_array_free(chain, TRUE);
    }
    return last;
}

/* All of it is one story: it begins with the first of them. */
static void
gather_loose(tunnel_t *tunnel, incident_t *incident)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (!is_trouble(tunnel, finding))
            continue;
        finding->incident = incident->index;
        if (finding->began_at < incident->start) {
            incident->start = finding->began_at;
            incident->start_frame = finding->began_in;
        }
    }
}

/* What was found only when an outage was over, and began in it, is a part of it. */
static void
gather_late(tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->findings->len && tunnel->incidents->len > 0; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        uint32_t within = finding->incident == INDEX_NONE && finding->severity >= SEVERITY_WARN
                              ? incident_at(tunnel, finding->began_in)
                              : INDEX_NONE;
        if (within != INDEX_NONE)
            finding->incident = within;
    }
}

/* Is it over when ESP flows both ways again? Not what a receiver makes of the packets: that cannot be seen. */
static bool
ends_with_two_way_esp(finding_id_t id)
{
    switch (id) {
    case FINDING_esp_one_way:
    case FINDING_spi_desync:
    case FINDING_invalid_spi:
    case FINDING_syslog_invalid_spi:
    case FINDING_esp_to_stale_port:
    case FINDING_nat_port_flip:
        return true;
    default:
        return false;
    }
}

/* Does it keep a tunnel from coming up? */
static bool
ends_when_it_comes_up(finding_id_t id)
{
    switch (id) {
    case FINDING_ike_no_response:
    case FINDING_auth_failed:
    case FINDING_proposal_mismatch:
    case FINDING_fragment_loss:
    case FINDING_retransmission:
    case FINDING_retransmit_exhausted:
    case FINDING_icmp_unreachable:
        return true;
    default:
        return false;
    }
}

/* What kept a tunnel from coming up is over when it has come up. Traffic trouble in a tunnel that goes on is over when ESP flows both
 * ways again; for anything else the capture does not say. */
static void
end_loose(const tunnel_t *tunnel, incident_t *incident)
{
    const finding_t *last = root_of(incident);
    bool is_traffic_only = true, is_setup_only = true;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident != incident->index)
            continue;
        is_setup_only = is_setup_only && ends_when_it_comes_up(finding->id);
        is_traffic_only = is_traffic_only && ends_with_two_way_esp(finding->id);
        if (finding->last_at > last->last_at)
            last = finding;
    }
    if (is_setup_only && tunnel->was_up && tunnel->first_proof_at > last->last_at) {
        incident->recovered = true;
        incident->end = tunnel->first_proof_at;
        incident->end_frame = tunnel->first_proof_in;
        return;
    }
    if (!is_traffic_only || tunnel->last_two_way_at <= last->last_at)
        return;
    incident->recovered = true;
    incident->end = last->last_at;
    incident->end_frame = last->last_in;
}

void
incidents_finish(engine_t *engine, tunnel_t *tunnel)
{
    unsigned first = tunnel->incidents->len;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        bool was_missed = finding->severity >= SEVERITY_WARN; /* else it was deleted while nobody needed it */
        if (is_outage(finding->id) && was_missed && finding->incident == INDEX_NONE)
            incident_close(engine, tunnel, finding, &tunnel->loss, false);
    }
    gather_late(tunnel);
    const finding_t *trouble = worst_trouble(tunnel);
    if (trouble != NULL) {
        incident_t *incident = add_incident(tunnel, last_consequence(tunnel, trouble));
        gather_loose(tunnel, incident);
        end_loose(tunnel, incident);
    }
    for (unsigned i = first; i < tunnel->incidents->len; i++)
        ((incident_t *)g_ptr_array_index(tunnel->incidents, i))->at_end = true;
    for (unsigned i = 0; i < tunnel->incidents->len; i++)
        tell(engine, tunnel, g_ptr_array_index(tunnel->incidents, i));
}

void
incidents_reopen(tunnel_t *tunnel)
{
    for (unsigned i = tunnel->incidents->len; i-- > 0;) {
        const incident_t *incident = g_ptr_array_index(tunnel->incidents, i);
        if (!incident->at_end)
            break;
        for (unsigned f = 0; f < tunnel->findings->len; f++) {
            finding_t *finding = g_ptr_array_index(tunnel->findings, f);
            if (finding->incident == incident->index)
                finding->incident = INDEX_NONE;
        }
        g_ptr_array_set_size(tunnel->incidents, (int)i);
    }
}

/* ---- questions ---- */

static uint32_t
latest_at(const tunnel_t *tunnel, frame_t frame, bool is_outage)
{
    for (unsigned i = tunnel->incidents->len; i-- > 0;) {
        const incident_t *incident = g_ptr_array_index(tunnel->incidents, i);
        frame_t last = incident->end_frame != FRAME_NONE ? incident->end_frame : tunnel->last_frame;
        if (incident->is_outage == is_outage && frame >= incident->start_frame && frame <= last)
            return incident->index;
    }
    return INDEX_NONE;
}

/* Outages of a tunnel do not begin before the one before has ended, but a frame may be the end of one and the beginning of the next:
 * it belongs to the later one. Trouble besides may have gone on all the time. */
uint32_t
incident_at(const tunnel_t *tunnel, frame_t frame)
{
    uint32_t outage = latest_at(tunnel, frame, true);

    return outage != INDEX_NONE ? outage : latest_at(tunnel, frame, false);
}

lead_in_t
incident_lead_in(const incident_t *incident)
{
    const finding_t *root = g_ptr_array_index(incident->chain, 0);
    bool has_proof = incident->is_outage && incident->loss.last_proof_in != FRAME_NONE;
    capture_ns_t until = has_proof ? incident->loss.at : root->began_at;
    lead_in_t before = has_proof ? incident->loss.before : root->before;

    if (before.answer_words == NULL || before.answer_at > until || (has_proof && before.answer_in == incident->loss.frame)) {
        before.answer_words = NULL;
        before.answer_at = CAPTURE_TIME_NONE;
        before.answer_in = FRAME_NONE;
    }
    if (before.two_way_at == CAPTURE_TIME_NONE || before.two_way_at > until) {
        before.two_way_at = CAPTURE_TIME_NONE;
        before.two_way_in = FRAME_NONE;
    }
    return before;
}
