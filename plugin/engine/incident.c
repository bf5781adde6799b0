/* incident.c - which findings belong to one outage, and what was its root cause?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"

#define CHAIN_MAX 16u

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

static finding_t *
owned(const finding_t *finding)
{
    return (finding_t *)finding; /* the engine owns every finding; detectors and readers see them const */
}

/* The findings between the first trouble and the outage's last word. */
static GPtrArray *
members_of(const tunnel_t *tunnel, const GPtrArray *chain, const finding_t *last)
{
    const finding_t *root = g_ptr_array_index(chain, 0);
    GPtrArray *members = g_ptr_array_new();

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        bool is_after_root = finding->began_at >= root->began_at || finding == root;
        bool is_before_end = finding->time <= last->time || last->at_end;
        bool counts = finding_catalogue[finding->id].group != GROUP_CAPTURE && finding->incident == INDEX_NONE;
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

/* The story is told again when asked for: later frames may have graded a flip. */
static void
tell(tunnel_t *tunnel, incident_t *incident)
{
    GPtrArray *members = g_ptr_array_new();

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == incident->index)
            g_ptr_array_add(members, finding);
    }
    g_free(incident->story);
    incident->story = story_tell(incident, members);
    g_ptr_array_free(members, TRUE);
}

void
incident_close(engine_t *engine, tunnel_t *tunnel, const finding_t *last, const loss_t *loss, bool recovered)
{
    if (last == NULL || last->incident != INDEX_NONE)
        return;
    incident_t *incident = add_incident(tunnel, last);

    incident->recovered = recovered;
    incident->down = duration_between(loss->last_proof_at, recovered ? last->time : engine_watched_until(engine, tunnel));
    if (last->began_at < incident->start) { /* the tunnel had stopped working before anybody noticed */
        incident->start = last->began_at;
        incident->start_frame = last->began_in;
    }
    if (recovered) {
        incident->end = last->time;
        incident->end_frame = last->frame;
    }
}

/* Severe findings that led to no outage the capture proves: a tunnel that never came up, or trouble still going on. */
static const finding_t *
loose_trouble(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == INDEX_NONE && finding->severity == SEVERITY_ERROR)
            return finding;
    }
    return NULL;
}

/* All of it is one story. */
static void
gather_loose(tunnel_t *tunnel, const incident_t *incident)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->incident == INDEX_NONE && finding->severity >= SEVERITY_WARN && finding->began_at >= incident->start)
            finding->incident = incident->index;
    }
}

void
incidents_finish(engine_t *engine, tunnel_t *tunnel)
{
    unsigned first = tunnel->incidents->len;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (is_outage(finding->id) && finding->incident == INDEX_NONE)
            incident_close(engine, tunnel, finding, &tunnel->loss, false);
    }
    const finding_t *trouble = loose_trouble(tunnel);
    if (trouble != NULL) {
        incident_t *incident = add_incident(tunnel, trouble);
        gather_loose(tunnel, incident);
    }
    for (unsigned i = first; i < tunnel->incidents->len; i++)
        ((incident_t *)g_ptr_array_index(tunnel->incidents, i))->at_end = true;
    for (unsigned i = 0; i < tunnel->incidents->len; i++)
        tell(tunnel, g_ptr_array_index(tunnel->incidents, i));
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
