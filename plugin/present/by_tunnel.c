/* by_tunnel.c - which findings does each tunnel have?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/by_tunnel.h"

struct by_tunnel {
    unsigned tunnels;
    GPtrArray **findings; /* a list per tunnel, and behind these the list of no tunnel; NULL: no finding */
};

by_tunnel_t *
by_tunnel_new(const engine_t *engine)
{
    const GPtrArray *findings = engine_findings(engine);
    by_tunnel_t *groups = g_new(by_tunnel_t, 1);

    groups->tunnels = engine_tunnel_count(engine);
    groups->findings = g_new0(GPtrArray *, (gsize)groups->tunnels + 1);
    for (unsigned i = 0; i < findings->len; i++) {
        finding_t *finding = findings->pdata[i];
        GPtrArray **list = &groups->findings[MIN(finding->tunnel, groups->tunnels)];

        if (!*list)
            *list = g_ptr_array_new();
        g_ptr_array_add(*list, finding);
    }
    return groups;
}

void
by_tunnel_free(by_tunnel_t *groups)
{
    for (unsigned i = 0; i <= groups->tunnels; i++)
        if (groups->findings[i])
            g_ptr_array_free(groups->findings[i], TRUE);
    g_free(groups->findings);
    g_free(groups);
}

const GPtrArray *
by_tunnel_findings(const by_tunnel_t *groups, uint32_t tunnel)
{
    static const GPtrArray none = { NULL, 0 };
    const GPtrArray *list = groups->findings[MIN(tunnel, groups->tunnels)];

    return list ? list : &none;
}
