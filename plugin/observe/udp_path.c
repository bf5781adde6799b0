/* udp_path.c - both directions between two UDP endpoints, as the key of a map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/udp_path.h"

#include <string.h>

static int
compare_endpoints(const endpoint_t *a, const endpoint_t *b)
{
    const int order = memcmp(a->address, b->address, sizeof a->address);

    if (order != 0 || a->family != b->family)
        return order != 0 ? order : (int)a->family - (int)b->family;
    return (int)a->port - (int)b->port;
}

udp_path_t
udp_path_of(const endpoint_t *source, const endpoint_t *destination)
{
    const bool is_ordered = compare_endpoints(source, destination) <= 0;

    return (udp_path_t){ .low = is_ordered ? *source : *destination, .high = is_ordered ? *destination : *source };
}

bool
udp_path_is_up(const udp_path_t *path, const endpoint_t *source)
{
    return endpoint_equal(&path->low, source);
}

guint
udp_path_hash(gconstpointer path)
{
    const udp_path_t *key = path;

    return endpoint_hash(&key->low) * 31u + endpoint_hash(&key->high);
}

gboolean
udp_path_equal(gconstpointer a, gconstpointer b)
{
    const udp_path_t *left = a, *right = b;

    return endpoint_equal(&left->low, &right->low) && endpoint_equal(&left->high, &right->high);
}
