/* checks.c - what should an engineer look at next?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/checks.h"

#include <glib.h>

static const struct {
    finding_id_t id;
    const char *what;
} rows[] = {
#define CHECK(name, text) { .id = FINDING_##name, .what = text },
#include "engine/tables/checks.def"
#undef CHECK
};

static const char *checks[FINDING_COUNT][CHECKS_MAX + 1];

static gpointer
sort_by_id(gpointer unused)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char **of_id = checks[rows[i].id];
        unsigned count = 0;
        while (of_id[count] != NULL)
            count++;
        if (count < CHECKS_MAX)
            of_id[count] = rows[i].what;
    }
    return unused;
}

const char *const *
checks_of(finding_id_t id)
{
    static GOnce once = G_ONCE_INIT;

    g_once(&once, sort_by_id, NULL);
    return checks[id];
}

const char *const *
checks_of_eviction(void)
{
    static const char *const eviction[] = {
        "Compare the identities of the two clients (IDi, with the keys or in their configurations): each needs one of its own. "
        "Cloned devices share certificate and identity.",
        "Look in the log of the gateway that they both talk to: does it delete an IKE SA as a duplicate when the other client "
        "comes up?",
        "If several clients are meant to have one identity, allow that on the gateway (strongSwan: unique = never; elsewhere: "
        "simultaneous logins).",
        NULL
    };

    return eviction;
}

const char *const *
checks_of_port_hop(void)
{
    static const char *const port_hop[] = {
        "Look in the device's log why it could not reach its controllers just before: it tries its next port then.",
        "See when its controllers and the other devices learnt of the new port: until then they send to the old one.",
        "Allow all ports of the range (UDP 12346 to 12445) through the firewalls between the devices and their controllers.", NULL
    };

    return port_hop;
}
