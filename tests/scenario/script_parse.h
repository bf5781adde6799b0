/* script_parse.h - the parts of the script reader: ladder lines and expectations.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_SCRIPT_PARSE_H
#define SCENARIO_SCRIPT_PARSE_H

#include "scan.h"

/* A ladder line, "+30s I -> R ..." or "quiet 30s", ...; appends a step to `scenario`. */
void parse_step(scan_t *scan, scenario_t *scenario, const char *text);

/* What follows `expect` or `allow`; appends an expectation. */
void parse_expectation(scan_t *scan, scenario_t *scenario, const char *text, bool is_allowance, where_t where, keys_t keys);

/* A finding id; false after complaining. */
bool parse_finding_id(scan_t *scan, const char *word, finding_id_t *ret_id);

bool scenario_has_peer(const scenario_t *scenario, const char *name);

#endif
