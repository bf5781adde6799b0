/* checks.h - what should an engineer look at next?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CHECKS_H
#define IPSEC_ENGINE_CHECKS_H

#include "engine/finding.h"

#define CHECKS_MAX 5u

/* The checks for a finding that is a root cause, the most telling first; NULL-terminated, perhaps empty. Static. */
const char *const *checks_of(finding_id_t id);

/* The checks where two clients push each other out, whatever shows of it. */
const char *const *checks_of_eviction(void);

/* The checks where an SD-WAN device has chosen another port: no NAT had a part in it. */
const char *const *checks_of_port_hop(void);

#endif
