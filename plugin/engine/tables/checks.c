/* checks.c - what should an engineer look at next?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "checks.h"

#include <glib.h>

static const struct {
    finding_id_t id;
    const char *what;
} rows[] = {
#define CHECK(name, text) { .id = FINDING_##name, .what = text },
#include "checks.def"
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
