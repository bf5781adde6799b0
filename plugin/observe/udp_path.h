/* udp_path.h - both directions between two UDP endpoints, as the key of a map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_UDP_PATH_H
#define IPSEC_OBSERVE_UDP_PATH_H

#include "engine/endpoint.h"

/* The same for both directions. */
typedef struct {
    endpoint_t low, high; /* in the order of their bytes */
} udp_path_t;

udp_path_t udp_path_of(const endpoint_t *source, const endpoint_t *destination);

/* Is a packet of `source` on its way from `low` to `high`? */
bool udp_path_is_up(const udp_path_t *path, const endpoint_t *source);

/* For hash tables with udp_path_t as keys. */
guint udp_path_hash(gconstpointer path);
gboolean udp_path_equal(gconstpointer a, gconstpointer b);

#endif
