/* periods.c - when did a tunnel work, when not, and when can the capture not tell?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/summary/periods.h"

static void
append(GArray *periods, period_state_t state, capture_ns_t from, frame_t from_frame, capture_ns_t to, frame_t to_frame)
{
    period_row_t *last = periods->len > 0 ? &g_array_index(periods, period_row_t, periods->len - 1) : NULL;

    if (to <= from)
        return;
    if (last != NULL && last->state == state && last->to == from) {
        last->to = to;
        last->to_frame = to_frame;
        return;
    }
    period_row_t period = { .state = state, .from = from, .to = to, .from_frame = from_frame, .to_frame = to_frame };
    g_array_append_val(periods, period);
}

/* ---- trouble while the tunnel is up ---- */

/* The tunnel is there, but traffic of one direction is lost. A request that stays unanswered while traffic flows harms nobody yet. */
static bool
degrades(const finding_t *finding)
{
    if (finding->severity < SEVERITY_WARN)
        return false;
    switch (finding->id) {
    case FINDING_esp_one_way:
    case FINDING_esp_to_stale_port:
    case FINDING_spi_desync:
        return true;
    default:
        return false;
    }
}

/* Puts `state` over the part of each period of state `over` that lies between `from` and `to`. */
static void
overlay(GArray *periods, period_state_t over, period_state_t state, const period_row_t *stretch)
{
    GArray *result = g_array_sized_new(FALSE, FALSE, sizeof(period_row_t), periods->len + 2);

    for (unsigned i = 0; i < periods->len; i++) {
        const period_row_t *period = &g_array_index(periods, period_row_t, i);
        if (period->state != over || stretch->to <= period->from || stretch->from >= period->to) {
            append(result, period->state, period->from, period->from_frame, period->to, period->to_frame);
            continue;
        }
        capture_ns_t from = MAX(period->from, stretch->from), to = MIN(period->to, stretch->to);
        frame_t from_frame = from == period->from ? period->from_frame : stretch->from_frame;
        frame_t to_frame = to == period->to ? period->to_frame : stretch->to_frame;
        append(result, over, period->from, period->from_frame, from, from_frame);
        append(result, state, from, from_frame, to, to_frame);
        append(result, over, to, to_frame, period->to, period->to_frame);
    }
    g_array_set_size(periods, 0);
    g_array_append_vals(periods, result->data, result->len);
    g_array_free(result, TRUE);
}

/* ---- the whole ---- */

/* It never worked, and something severe says why. */
static const finding_t *
reason_not_to_come_up(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->severity == SEVERITY_ERROR)
            return finding;
    }
    return NULL;
}

static void
append_never_up(const tunnel_t *tunnel, GArray *periods)
{
    const finding_t *reason = reason_not_to_come_up(tunnel);

    if (reason == NULL) {
        append(periods, PERIOD_UNKNOWN, tunnel->first_time, tunnel->first_frame, tunnel->last_time, tunnel->last_frame);
        return;
    }
    capture_ns_t since = MAX(reason->began_at, tunnel->first_time);
    append(periods, PERIOD_UNKNOWN, tunnel->first_time, tunnel->first_frame, since, reason->began_in);
    append(periods, PERIOD_DOWN, since, reason->began_in, tunnel->last_time, tunnel->last_frame);
}

/* A tunnel that was deleted in an orderly way is not wanted any more, unless traffic went on. */
static bool
is_down_at_end(const tunnel_t *tunnel)
{
    return tunnel->loss.kind != LOSS_NONE && (tunnel->loss.kind != LOSS_DELETED || tunnel->loss.traffic);
}

static void
append_life(const tunnel_t *tunnel, capture_ns_t end, frame_t end_frame, GArray *periods)
{
    capture_ns_t at = tunnel->first_proof_at;
    frame_t in = tunnel->first_proof_in;

    append(periods, PERIOD_UNKNOWN, tunnel->first_time, tunnel->first_frame, at, in);
    for (unsigned i = 0; i < tunnel->outages->len; i++) {
        const outage_t *outage = &g_array_index(tunnel->outages, outage_t, i);
        append(periods, PERIOD_UP, at, in, outage->from, outage->from_frame);
        append(periods, outage->is_unknown ? PERIOD_UNKNOWN : PERIOD_DOWN, MAX(at, outage->from), outage->from_frame, outage->to,
               outage->to_frame);
        at = MAX(at, outage->to);
        in = outage->to_frame;
    }
    append(periods, PERIOD_UP, at, in, tunnel->last_proof_at, tunnel->last_proof_in);
    at = MAX(at, tunnel->last_proof_at);
    append(periods, is_down_at_end(tunnel) ? PERIOD_DOWN : PERIOD_UNKNOWN, at, tunnel->last_proof_in, end, end_frame);
}

/* An IKE SA alone carries nothing: since a child was refused and none has ever been made, the tunnel is up without traffic. */
static void
degrade_without_child(const tunnel_t *tunnel, GArray *periods)
{
    period_row_t stretch = { .from = tunnel->first_refused_at,
                             .to = tunnel->last_proof_at,
                             .from_frame = tunnel->first_refused_in,
                             .to_frame = tunnel->last_proof_in };

    if (!tunnel->had_child && tunnel->refused_in_a_row > 0)
        overlay(periods, PERIOD_UP, PERIOD_DEGRADED, &stretch);
}

void
periods_of(const tunnel_t *tunnel, capture_ns_t end, frame_t end_frame, GArray *ret_periods)
{
    if (tunnel->first_proof_at == CAPTURE_TIME_NONE) {
        append_never_up(tunnel, ret_periods);
        return;
    }
    append_life(tunnel, end, end_frame, ret_periods);
    degrade_without_child(tunnel, ret_periods);
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        period_row_t stretch = { .from = finding->began_at,
                                 .to = MAX(finding->time, finding->last_at),
                                 .from_frame = finding->began_in,
                                 .to_frame = MAX(finding->frame, finding->last_in) };
        if (!degrades(finding))
            continue;
        overlay(ret_periods, PERIOD_UP, PERIOD_DEGRADED, &stretch);
        overlay(ret_periods, PERIOD_UNKNOWN, PERIOD_DEGRADED, &stretch);
    }
}

period_sums_t
periods_sum(const GArray *periods)
{
    period_sums_t sums = { { 0 } };

    for (unsigned i = 0; i < periods->len; i++) {
        const period_row_t *period = &g_array_index(periods, period_row_t, i);
        sums.in[period->state] = duration_sum(sums.in[period->state], duration_between(period->from, period->to));
    }
    return sums;
}
