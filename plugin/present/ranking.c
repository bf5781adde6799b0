/* ranking.c - which tunnels should be looked at first?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/ranking.h"

static unsigned
badness(tunnel_state_t state)
{
    static const unsigned ranks[] = {
        [TUNNEL_DOWN] = 4, [TUNNEL_FLAPPING] = 3, [TUNNEL_DEGRADED] = 2, [TUNNEL_UNKNOWN] = 1, [TUNNEL_HEALTHY] = 0,
    };

    return ranks[state];
}

static severity_t
severity_of(const tunnel_row_t *row)
{
    return row->worst ? row->worst->severity : SEVERITY_CHAT;
}

static int
compare(double left, double right)
{
    return (left > right) - (left < right);
}

int
ranking_compare(const tunnel_row_t *a, const tunnel_row_t *b)
{
    int order = compare(badness(b->state), badness(a->state));

    if (!order)
        order = compare(b->down_seconds, a->down_seconds);
    if (!order)
        order = compare(severity_of(b), severity_of(a));
    return order ? order : compare(a->tunnel, b->tunnel);
}

static int
by_rank(const void *a, const void *b)
{
    return ranking_compare(a, b);
}

GArray *
ranking_worst_first(const engine_t *engine)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(tunnel_row_t)), *ranking = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++) {
        tunnel_row_t row;

        if (!engine_tunnel_is_kept(engine, tunnel))
            continue;
        engine_tunnel_row(engine, tunnel, &row);
        g_array_append_val(rows, row);
    }
    g_array_sort(rows, by_rank);
    for (unsigned i = 0; i < rows->len; i++)
        g_array_append_val(ranking, g_array_index(rows, tunnel_row_t, i).tunnel);
    g_array_free(rows, TRUE);
    return ranking;
}
