/* report.h - what is the whole story of the capture, for people and for programs?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_REPORT_H
#define IPSEC_PRESENT_REPORT_H

#include "engine/engine.h"

#include <stdio.h>

/* The version of the JSON document: it grows when a key changes its meaning or goes away. docs/report.schema.json. */
#define REPORT_SCHEMA 1

/* Call engine_finish() first. Freed by the caller. */
GString *report_text(const engine_t *engine);

/* One page for people, complete in itself: it refers to nothing outside, and needs no script to be read. Call engine_finish() first.
 * Freed by the caller. */
GString *report_html(const engine_t *engine);

/* Writes one JSON document to `out`. */
void report_json(const engine_t *engine, FILE *out);

#endif
