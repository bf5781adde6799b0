/* tables.c - what do the windows Statistics > IPsec Tunnels and IPsec Findings show?
 *
 * A window dissects the capture once more and fills rows from the tap's packets; there is no hook at the end. The engine knows
 * the whole capture by then: the first packet of a tunnel brings the tunnel's final row, a frame brings its findings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/tables.h"

#include "compat.h"

#include "observe/observe.h"
#include "present/listing.h"
#include "present/subtree.h"

#include <epan/tap.h>

#include <string.h>

#define TUNNELS_TITLE "IPsec Tunnels"
#define FINDINGS_TITLE "IPsec Findings"

static stat_tap_table_item tunnel_fields[TUNNEL_COLUMNS];
static stat_tap_table_item finding_fields[FINDING_COLUMNS];

/* Rows that a window still shows may not be freed while another window begins: they wait here for the last window to close. */
static GPtrArray *retired_tunnels, *retired_findings;

/* The numbers of the tunnels that have a row. All windows of one title share one table. */
static GHashTable *tunnels_shown;

static GPtrArray *
retired_of(const stat_tap_table *table)
{
    return strcmp(table->title, TUNNELS_TITLE) == 0 ? retired_tunnels : retired_findings;
}

static void
reset_table(stat_tap_table *table)
{
    GPtrArray *retired = retired_of(table);

    for (unsigned row = 0; row < table->num_elements; row++) {
        g_ptr_array_add(retired, table->elements[row]);
        for (unsigned column = 0; column < table->num_fields; column++)
            if (table->elements[row][column].type == TABLE_ITEM_STRING)
                g_ptr_array_add(retired, (void *)table->elements[row][column].value.string_value);
    }
    table->num_elements = 0;
    if (strcmp(table->title, TUNNELS_TITLE) == 0)
        g_hash_table_remove_all(tunnels_shown);
    if (observe_engine())
        engine_finish(observe_engine());
}

static void
free_cell(stat_tap_table *table, guint row _U_, guint column _U_, stat_tap_table_item_type *cell)
{
    if (cell->type == TABLE_ITEM_STRING)
        g_free((void *)cell->value.string_value);
    cell->type = TABLE_ITEM_NONE;
    g_ptr_array_set_size(retired_of(table), 0);
}

static void
begin_table(stat_tap_table_ui *ui)
{
    if (stat_tap_find_table(ui, ui->title))
        return;
    if (strcmp(ui->title, TUNNELS_TITLE) == 0)
        g_hash_table_remove_all(tunnels_shown);
    stat_tap_add_table(ui, stat_tap_init_table(ui->title, (int)ui->nfields, 0, NULL));
}

/* Columns that sort as numbers where all cells are plain numbers: the first of each table. Everything else is text. */
static void
add_row(stat_tap_table *table, unsigned columns, uint32_t number, char *const *cells)
{
    stat_tap_table_item_type *row = g_new0(stat_tap_table_item_type, columns);

    row[0].type = TABLE_ITEM_UINT;
    row[0].value.uint_value = number;
    g_free(cells[0]);
    for (unsigned i = 1; i < columns; i++) {
        row[i].type = TABLE_ITEM_STRING;
        row[i].value.string_value = cells[i];
    }
    stat_tap_init_table_row(table, table->num_elements, columns, row);
    g_free(row);
}

static stat_tap_table *
table_of(void *data)
{
    const stat_data_t *stat = data;

    return g_array_index(stat->stat_tap_data->tables, stat_tap_table *, 0);
}

static tap_packet_status
tunnels_packet(void *data, packet_info *pinfo _U_, epan_dissect_t *edt _U_, const void *record, tap_flags_t flags _U_)
{
    const tap_frame_t *frame = record;
    stat_tap_table *table = table_of(data);
    char *cells[TUNNEL_COLUMNS];
    tunnel_row_t row;

    if (!observe_engine() || !engine_tunnel_is_kept(observe_engine(), frame->tunnel) ||
        !g_hash_table_add(tunnels_shown, GUINT_TO_POINTER(frame->tunnel)))
        return TAP_PACKET_DONT_REDRAW;
    engine_tunnel_row(observe_engine(), frame->tunnel, &row);
    tunnel_cells(&row, cells);
    add_row(table, TUNNEL_COLUMNS, row.tunnel, cells);
    return TAP_PACKET_REDRAW;
}

static tap_packet_status
findings_packet(void *data, packet_info *pinfo _U_, epan_dissect_t *edt _U_, const void *record, tap_flags_t flags _U_)
{
    const tap_frame_t *frame = record;
    const frame_note_t *note = observe_engine() ? engine_note(observe_engine(), frame->frame) : NULL;

    if (!note || !note->findings)
        return TAP_PACKET_DONT_REDRAW;
    for (unsigned i = 0; i < note->findings->len; i++) {
        char *cells[FINDING_COLUMNS];

        finding_cells(observe_engine(), note->findings->pdata[i], cells);
        add_row(table_of(data), FINDING_COLUMNS, frame->frame, cells);
    }
    return TAP_PACKET_REDRAW;
}

static void
describe_columns(stat_tap_table_item *fields, unsigned columns, const char *const *names, bool (*is_number)(unsigned))
{
    for (unsigned i = 0; i < columns; i++)
        fields[i] = (stat_tap_table_item){ .type = i == 0 ? TABLE_ITEM_UINT : TABLE_ITEM_STRING,
                                           .align = is_number(i) ? TAP_ALIGN_RIGHT : TAP_ALIGN_LEFT,
                                           .column_name = names[i],
                                           .field_format = i == 0 ? "%u" : "%s" };
}

/* In tshark the commands of these names are already taken by the text reports, which this does not change. */
static void
free_everything(void)
{
    g_clear_pointer(&retired_tunnels, g_ptr_array_unref);
    g_clear_pointer(&retired_findings, g_ptr_array_unref);
    g_clear_pointer(&tunnels_shown, g_hash_table_destroy);
}

void
tables_register(void)
{
    static tap_param filter[] = { { PARAM_FILTER, "filter", "Filter", NULL, TRUE } };
    static stat_tap_table_ui tunnels = { .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
                                         .title = TUNNELS_TITLE,
                                         .tap_name = SUBTREE_TAP,
                                         .cli_string = "ipsec,tunnels",
                                         .stat_tap_init_cb = begin_table,
                                         .packet_func = tunnels_packet,
                                         .stat_tap_reset_table_cb = reset_table,
                                         .stat_tap_free_table_item_cb = free_cell,
                                         .nfields = TUNNEL_COLUMNS,
                                         .fields = tunnel_fields,
                                         .nparams = G_N_ELEMENTS(filter),
                                         .params = filter };
    static stat_tap_table_ui findings = { .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
                                          .title = FINDINGS_TITLE,
                                          .tap_name = SUBTREE_TAP,
                                          .cli_string = "ipsec,findings",
                                          .stat_tap_init_cb = begin_table,
                                          .packet_func = findings_packet,
                                          .stat_tap_reset_table_cb = reset_table,
                                          .stat_tap_free_table_item_cb = free_cell,
                                          .nfields = FINDING_COLUMNS,
                                          .fields = finding_fields,
                                          .nparams = G_N_ELEMENTS(filter),
                                          .params = filter };

    retired_tunnels = g_ptr_array_new_with_free_func(g_free);
    retired_findings = g_ptr_array_new_with_free_func(g_free);
    tunnels_shown = g_hash_table_new(NULL, NULL);
    register_shutdown_routine(free_everything);
    describe_columns(tunnel_fields, TUNNEL_COLUMNS, tunnel_columns, tunnel_column_is_number);
    describe_columns(finding_fields, FINDING_COLUMNS, finding_columns, finding_column_is_number);
    register_stat_tap_table_ui(&tunnels);
    register_stat_tap_table_ui(&findings);
}
