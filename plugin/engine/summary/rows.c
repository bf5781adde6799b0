/* rows.c - the per-tunnel answers: what the tables and reports show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"
#include "engine/summary/periods.h"
#include "engine/tables/checks.h"
#include "engine/tables/timers.h"

/* Two-way ESP that ended so long ago has ended, unless it had such gaps before. */
#define SILENCE_LEAST SECONDS(60)

/* A request sent so often without an answer is no accident any more (ike_no_response counts alike). */
#define TRIES_IN_DOUBT 4u

const char *
tunnel_state_text(tunnel_state_t state)
{
    static const char *const texts[] = { "healthy", "degraded", "flapping", "down", "unknown" };
    return texts[state];
}

unsigned
engine_tunnel_count(const engine_t *engine)
{
    return engine->tunnels->len;
}

static const tunnel_t *
tunnel_at(const engine_t *engine, uint32_t index)
{
    return index < engine->tunnels->len ? g_ptr_array_index(engine->tunnels, index) : NULL;
}

bool
engine_tunnel_is_kept(const engine_t *engine, uint32_t index)
{
    return tunnel_at(engine, index) != NULL;
}

unsigned
engine_tunnels_kept(const engine_t *engine)
{
    unsigned kept = 0;

    for (uint32_t tunnel = 0; tunnel < engine->tunnels->len; tunnel++)
        kept += engine_tunnel_is_kept(engine, tunnel);
    return kept;
}

static gint
by_duration(gconstpointer a, gconstpointer b)
{
    duration_ns_t left = *(const duration_ns_t *)a, right = *(const duration_ns_t *)b;
    return (left > right) - (left < right);
}

static double
median_seconds(const GArray *durations)
{
    if (durations->len == 0)
        return -1.0;
    GArray *sorted = g_array_sized_new(FALSE, FALSE, sizeof(duration_ns_t), durations->len);
    g_array_append_vals(sorted, durations->data, durations->len);
    g_array_sort(sorted, by_duration);
    unsigned middle = sorted->len / 2;
    duration_ns_t median = g_array_index(sorted, duration_ns_t, middle);
    if (sorted->len % 2 == 0) {
        duration_ns_t below = g_array_index(sorted, duration_ns_t, middle - 1);
        median = below + (median - below) / 2;
    }
    g_array_free(sorted, TRUE);
    return duration_seconds(median);
}

static const finding_t *
worst_finding(const tunnel_t *tunnel)
{
    const finding_t *worst = NULL;

    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (worst == NULL || finding->severity > worst->severity)
            worst = finding;
    }
    return worst;
}

static bool
has_finding(const tunnel_t *tunnel, finding_id_t id)
{
    return tunnel_latest_finding(tunnel, id, PEER_UNKNOWN) != NULL;
}

/* Without IKE nothing says whether a tunnel was ended, has failed, or has nothing to send. */
static bool
has_fallen_silent(const engine_t *engine, const tunnel_t *tunnel)
{
    duration_ns_t gap = MAX(tunnel->peer[PEER_A].longest_esp_gap, tunnel->peer[PEER_B].longest_esp_gap);

    return tunnel->ike_sas_seen == 0 && !engine->clock_is_unusable &&
           duration_between(tunnel->last_proof_at, engine_watched_until(engine, tunnel)) >
               MAX(SILENCE_LEAST, duration_patience(gap));
}

/* Somebody asks again and again, and has not given up yet: only then is it an outage. */
static bool
is_in_doubt(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->waiting->len; i++) {
        const exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        if (exchange->transmissions >= TRIES_IN_DOUBT && exchange->requester < PEERS &&
            !tunnel_peer_sent_after(tunnel, peer_other(exchange->requester), exchange->first_sent_at))
            return true;
    }
    return false;
}

static bool
has_trouble(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->severity >= SEVERITY_WARN && !finding_did_no_harm(finding))
            return true;
    }
    return false;
}

/* Was it gone while somebody wanted it? A tunnel on demand is deleted when it is idle, and made anew when it is needed. */
static bool
was_missed(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->outages->len; i++) {
        if (!g_array_index(tunnel->outages, outage_t, i).is_unknown)
            return true;
    }
    return false;
}

/* The tunnel's last state in the capture, but a tunnel that flapped stays "flapping": that is what the analyst looks for. */
static tunnel_state_t
state_of(const engine_t *engine, const tunnel_t *tunnel, const finding_t *worst)
{
    if (has_finding(tunnel, FINDING_tunnel_down) || has_finding(tunnel, FINDING_delete_no_restart))
        return TUNNEL_DOWN;
    if (tunnel->flaps > 0 && was_missed(tunnel))
        return TUNNEL_FLAPPING;
    bool came_up = tunnel->was_up || tunnel->had_child;
    bool has_failed =
        (worst != NULL && worst->severity == SEVERITY_ERROR) || (tunnel->incidents->len > 0 && !tunnel_is_seen_one_way(tunnel));
    if (!came_up && has_failed)
        return TUNNEL_DOWN;
    bool has_no_child = !tunnel->had_child && tunnel->refused_in_a_row > 0;
    if (has_trouble(tunnel) || has_no_child)
        return TUNNEL_DEGRADED;
    if (has_fallen_silent(engine, tunnel) || is_in_doubt(tunnel))
        return TUNNEL_UNKNOWN;
    return tunnel->was_up && tunnel->had_child ? TUNNEL_HEALTHY : TUNNEL_UNKNOWN;
}

static void
fill_peer(const tunnel_t *tunnel, peer_t peer, peer_row_t *ret_row)
{
    const peer_state_t *state = &tunnel->peer[peer];

    ret_row->first = state->first;
    ret_row->last = state->last;
    g_strlcpy(ret_row->identity, state->identity, sizeof(ret_row->identity));
    ret_row->nat = tunnel_nat(tunnel, peer);
    ret_row->esp_packets = state->esp_packets;
    ret_row->esp_bytes = state->esp_bytes;
    ret_row->esp_toll = tunnel->forgotten_toll[peer];
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender == peer)
            esp_sa_add_toll(sa, &ret_row->esp_toll);
    }
}

static unsigned
established_ike_sas(const tunnel_t *tunnel)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        count += ike_sa->state != IKE_SA_NEGOTIATING && ike_sa->state != IKE_SA_FAILED;
    }
    return count;
}

const char *
period_state_text(period_state_t state)
{
    static const char *const texts[] = { "unknown", "up", "degraded", "down" };
    return texts[state];
}

GArray *
engine_periods(const engine_t *engine, uint32_t index)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);
    GArray *periods = g_array_new(FALSE, FALSE, sizeof(period_row_t));

    if (tunnel != NULL)
        periods_of(tunnel, engine_watched_until(engine, tunnel), engine->capture.last_frame, periods);
    return periods;
}

/* What is not known counts neither as up nor as down. */
static void
fill_times(const engine_t *engine, const tunnel_t *tunnel, tunnel_row_t *ret_row)
{
    GArray *periods = engine_periods(engine, tunnel->index);
    period_sums_t sums = periods_sum(periods);
    duration_ns_t known = duration_sum(duration_sum(sums.in[PERIOD_UP], sums.in[PERIOD_DEGRADED]), sums.in[PERIOD_DOWN]);

    ret_row->down_seconds = duration_seconds(sums.in[PERIOD_DOWN]);
    ret_row->degraded_seconds = duration_seconds(sums.in[PERIOD_DEGRADED]);
    ret_row->known_seconds = duration_seconds(known);
    if (known > 0 && (tunnel->had_child || !tunnel->was_up))
        ret_row->availability = (double)sums.in[PERIOD_UP] / (double)known;
    g_array_free(periods, TRUE);
}

void
engine_tunnel_row(const engine_t *engine, uint32_t index, tunnel_row_t *ret_row)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);

    *ret_row = (tunnel_row_t){ .tunnel = index, .state = TUNNEL_UNKNOWN, .availability = -1.0, .dpd_median_rtt = -1.0 };
    if (tunnel == NULL)
        return;
    fill_peer(tunnel, PEER_A, &ret_row->peer[PEER_A]);
    fill_peer(tunnel, PEER_B, &ret_row->peer[PEER_B]);
    ret_row->ike_version = tunnel->ike_sas->len > 0 ? ((const ike_sa_t *)g_ptr_array_index(tunnel->ike_sas, 0))->major : 0;
    ret_row->udp_encapsulated = tunnel->udp_encapsulated;
    ret_row->tcp_encapsulated = tunnel->tcp_encapsulated;
    ret_row->worst = worst_finding(tunnel);
    ret_row->state = state_of(engine, tunnel, ret_row->worst);
    ret_row->flaps = tunnel->flaps;
    ret_row->came_up = tunnel->was_up;
    fill_times(engine, tunnel, ret_row);
    ret_row->ike_sas = established_ike_sas(tunnel);
    ret_row->child_sas = children_count(tunnel);
    ret_row->rekeys_ok = tunnel->rekeys_ok;
    ret_row->rekeys_failed = tunnel->rekeys_failed;
    ret_row->dpd_sent = tunnel->dpd_sent;
    ret_row->dpd_unanswered = tunnel->dpd_unanswered;
    ret_row->dpd_median_rtt = median_seconds(tunnel->dpd_rtts);
    for (unsigned i = 0; i < tunnel->findings->len; i++)
        ret_row->port_flips += ((const finding_t *)g_ptr_array_index(tunnel->findings, i))->id == FINDING_nat_port_flip;
    ret_row->first_frame = tunnel->first_frame;
    ret_row->last_frame = tunnel->last_frame;
    ret_row->first_time = tunnel->first_time;
    ret_row->last_time = tunnel->last_time;
}

unsigned
engine_incident_count(const engine_t *engine, uint32_t index)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);
    return tunnel != NULL ? tunnel->incidents->len : 0;
}

static bool
began_with_port_hop(const tunnel_t *tunnel, const incident_t *incident)
{
    for (unsigned i = 0; i < tunnel->flips->len; i++) {
        const flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->is_hop && flip->finding == g_ptr_array_index(incident->chain, 0))
            return true;
    }
    return false;
}

static const char *const *
checks_for(const tunnel_t *tunnel, const incident_t *incident)
{
    if (incident->evictor.tunnel != INDEX_NONE)
        return checks_of_eviction();
    return began_with_port_hop(tunnel, incident) ? checks_of_port_hop() : checks_of(incident->root_cause);
}

void
engine_incident_row(const engine_t *engine, uint32_t index, uint32_t which, incident_row_t *ret_row)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);

    *ret_row = (incident_row_t){ .tunnel = index, .incident = which, .start = CAPTURE_TIME_NONE, .end = CAPTURE_TIME_NONE };
    if (tunnel == NULL || which >= tunnel->incidents->len)
        return;
    const incident_t *incident = g_ptr_array_index(tunnel->incidents, which);
    ret_row->start = incident->start;
    ret_row->end = incident->end;
    ret_row->start_frame = incident->start_frame;
    ret_row->end_frame = incident->end_frame;
    ret_row->is_outage = incident->is_outage;
    ret_row->down_seconds = duration_seconds(incident->down);
    ret_row->down_least_seconds = duration_seconds(incident->down_least);
    ret_row->last_good = incident->is_outage ? incident->loss.last_proof_at : CAPTURE_TIME_NONE;
    ret_row->last_good_frame = incident->is_outage ? incident->loss.last_proof_in : FRAME_NONE;
    ret_row->before = incident_lead_in(incident);
    ret_row->recovered = incident->recovered;
    ret_row->root_cause = incident->root_cause;
    ret_row->root_words = incident->evictor.tunnel != INDEX_NONE ? "Two clients push each other out, perhaps with one identity"
                                                                 : finding_catalogue[incident->root_cause].summary;
    ret_row->chain_length = MIN(incident->chain->len, G_N_ELEMENTS(ret_row->chain));
    for (unsigned i = 0; i < ret_row->chain_length; i++)
        ret_row->chain[i] = g_ptr_array_index(incident->chain, i);
    ret_row->root_confidence = ret_row->chain[0]->confidence;
    ret_row->rivals = MIN(incident->rivals->len, G_N_ELEMENTS(ret_row->rival));
    for (unsigned i = 0; i < ret_row->rivals; i++)
        ret_row->rival[i] = g_ptr_array_index(incident->rivals, i);
    ret_row->would_decide = incident->would_decide;
    ret_row->check_next = checks_for(tunnel, incident);
    ret_row->story = incident->story != NULL ? incident->story : "";
}

uint32_t
engine_incident_at(const engine_t *engine, uint32_t index, frame_t frame)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);
    return tunnel != NULL ? incident_at(tunnel, frame) : INDEX_NONE;
}

/* The `which`th exchange of the tunnel that was repeated and still waits, or NULL. */
static const exchange_t *
waiting_at(const tunnel_t *tunnel, uint32_t which)
{
    for (unsigned i = 0; tunnel != NULL && i < tunnel->waiting->len; i++) {
        const exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        if (exchange->transmissions > 1 && which-- == 0)
            return exchange;
    }
    return NULL;
}

unsigned
engine_waiting_count(const engine_t *engine, uint32_t index)
{
    unsigned count = 0;

    while (waiting_at(tunnel_at(engine, index), count) != NULL)
        count++;
    return count;
}

void
engine_waiting_row(const engine_t *engine, uint32_t index, uint32_t which, waiting_row_t *ret_row)
{
    const exchange_t *exchange = waiting_at(tunnel_at(engine, index), which);
    retransmit_timer_t timer;

    *ret_row = (waiting_row_t){ .exchange = "unknown",
                                .words = "",
                                .requester = PEER_UNKNOWN,
                                .next_try_at = CAPTURE_TIME_NONE,
                                .gives_up_at = CAPTURE_TIME_NONE };
    if (exchange == NULL || !timer_measure(exchange, &timer))
        return;
    *ret_row = (waiting_row_t){ .exchange = exchange_kind_name(exchange->kind),
                                .words = exchange_kind_words(exchange->kind),
                                .requester = exchange->requester,
                                .first_frame = exchange->sent_in[0],
                                .last_frame = exchange_last_sent_in(exchange),
                                .first_time = exchange->first_sent_at,
                                .last_time = exchange->last_sent_at,
                                .transmissions = exchange->transmissions,
                                .first_gap = duration_seconds(timer.first_gap),
                                .ratio = timer.ratio,
                                .next_try_at = timer_next_try_at(exchange),
                                .gives_up_at = timer_gives_up_at(exchange),
                                .family = timer.family };
}
