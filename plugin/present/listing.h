/* listing.h - how do tunnels and findings look as rows, one line each?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_LISTING_H
#define IPSEC_PRESENT_LISTING_H

#include "engine/engine.h"
#include "present/selection.h"

/* One row per tunnel or finding that `selection` holds. Call engine_finish() first. Freed by the caller. */
GString *listing_tunnels(const engine_t *engine, const selection_t *selection);
GString *listing_findings(const engine_t *engine, const selection_t *selection);

/* The cells of a row as text, in the order of the column names; freed by the caller, each and the array. */
enum { TUNNEL_COLUMNS = 19, FINDING_COLUMNS = 8 };
extern const char *const tunnel_columns[TUNNEL_COLUMNS];
extern const char *const finding_columns[FINDING_COLUMNS];
void tunnel_cells(const tunnel_row_t *row, char *ret_cells[TUNNEL_COLUMNS]);
void finding_cells(const engine_t *engine, const finding_t *finding, char *ret_cells[FINDING_COLUMNS]);

/* Which columns hold numbers: they are aligned to the right. */
bool tunnel_column_is_number(unsigned column);
bool finding_column_is_number(unsigned column);

#endif
