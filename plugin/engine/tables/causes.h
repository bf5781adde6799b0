/* causes.h - which kind of trouble leads to which (the incident rules).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CAUSES_H
#define IPSEC_ENGINE_CAUSES_H

#include "engine/finding.h"

/* One edge. For one effect, an edge further up in the table is the better explanation. */
typedef struct {
    finding_id_t cause, effect;
    duration_ns_t within;  /* the effect begins at most this long after the cause */
    bool before_report;    /* the cause may begin after the effect began, as long as it is found no later */
    bool of_same_peer;     /* cause and effect are about the same peer */
    bool of_same_exchange; /* both are about one exchange */
    bool of_other_peer;    /* cause and effect are about different peers */
    const char *why;       /* source of the edge */
} cause_rule_t;

extern const cause_rule_t cause_rules[];
extern const unsigned cause_rule_count;

#endif
