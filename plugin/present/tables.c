/* tables.c - what do the windows Statistics > IPsec Tunnels and IPsec Findings show?
 *
 * A window dissects the capture once more and fills rows from the tap's packets; there is no hook at the end. The engine knows
 * the whole capture by then: all rows are made when that begins, the worst gets rank 1, and a row is shown when a packet of its tunnel,
 * or its frame, comes by. What the user's filter lets through is what comes by.
 *
 * The window sorts by its first column, so that is the rank, and it sorts text as text, so numbers are padded to the width of their column.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/tables.h"

#include "compat.h"

#include "observe/observe.h"
#include "present/listing.h"
#include "present/ranking.h"
#include "present/subtree.h"

#include <epan/tap.h>

#include <string.h>

/* The spaces leave room: at first the window is scrolled to the right a little, and an arrow shows that it is sorted by this column. */
#define RANK "   Rank "

/* A row of the window: its rank, then the cells of listing.h, of which the first is a number. */
enum { RANK_COLUMN, NUMBER_COLUMN };
#define SHOWN_COLUMNS(cells) ((cells) + 1)

/* A row that no packet has asked for yet. */
typedef struct {
    unsigned rank;   /* 1: look here first */
    uint32_t number; /* the cell of NUMBER_COLUMN */
    char **cells;    /* owned; those after the number */
} row_t;

/* One of the two windows. All windows of one title share one table. */
typedef struct {
    const char *title, *command;
    unsigned columns; /* of listing.h */
    const char *const *names;
    bool (*is_number)(unsigned column);
    GPtrArray *(*rows)(const engine_t *engine, GArray *keys); /* the cells of all rows, worst first, and by what each is found */
    tap_packet_cb packet;

    stat_tap_table_item *fields;
    GHashTable *waiting; /* tunnel or frame number: GPtrArray of row_t */
    GPtrArray
        *retired; /* rows that a window still shows while another one begins, and their texts: freed when the last is closed */
} statistic_t;

/* ---- all rows, worst first ---- */

static GPtrArray *
tunnel_rows(const engine_t *engine, GArray *keys)
{
    GPtrArray *rows = g_ptr_array_new();
    GArray *ranking = ranking_worst_first(engine);

    for (unsigned i = 0; i < ranking->len; i++) {
        char **cells = g_new(char *, TUNNEL_COLUMNS);
        tunnel_row_t row;

        engine_tunnel_row(engine, g_array_index(ranking, uint32_t, i), &row);
        tunnel_cells(&row, cells);
        g_ptr_array_add(rows, cells);
    }
    g_array_append_vals(keys, ranking->data, ranking->len);
    g_array_free(ranking, TRUE);
    return rows;
}

/* The most severe first, and of one severity as they happened. */
static GPtrArray *
finding_rows(const engine_t *engine, GArray *keys)
{
    const GPtrArray *findings = engine_findings(engine);
    GPtrArray *rows = g_ptr_array_new();

    for (int severity = SEVERITY_ERROR; severity >= SEVERITY_CHAT; severity--) {
        for (unsigned i = 0; i < findings->len; i++) {
            const finding_t *finding = findings->pdata[i];
            char **cells;

            if (finding->severity != (severity_t)severity)
                continue;
            cells = g_new(char *, FINDING_COLUMNS);
            finding_cells(engine, finding, cells);
            g_ptr_array_add(rows, cells);
            g_array_append_val(keys, finding->frame);
        }
    }
    return rows;
}

/* ---- the rows of a window ---- */

static tap_packet_status tunnels_packet(void *data, packet_info *pinfo, epan_dissect_t *edt, const void *record, tap_flags_t flags);
static tap_packet_status findings_packet(void *data, packet_info *pinfo, epan_dissect_t *edt, const void *record,
                                         tap_flags_t flags);

static statistic_t statistics[] = {
    { .title = "IPsec Tunnels",
      .command = "ipsec,tunnels",
      .columns = TUNNEL_COLUMNS,
      .names = tunnel_columns,
      .is_number = tunnel_column_is_number,
      .rows = tunnel_rows,
      .packet = tunnels_packet },
    { .title = "IPsec Findings",
      .command = "ipsec,findings",
      .columns = FINDING_COLUMNS,
      .names = finding_columns,
      .is_number = finding_column_is_number,
      .rows = finding_rows,
      .packet = findings_packet },
};

static statistic_t *
statistic_of(const stat_tap_table *table)
{
    return strcmp(table->title, statistics[0].title) == 0 ? &statistics[0] : &statistics[1];
}

/* Makes the numbers of one column equally long. */
static void
pad_column(const GPtrArray *rows, unsigned column)
{
    glong width = 0;

    for (unsigned i = 0; i < rows->len; i++)
        width = MAX(width, g_utf8_strlen(((char **)rows->pdata[i])[column], -1));
    for (unsigned i = 0; i < rows->len; i++) {
        char **cell = &((char **)rows->pdata[i])[column];
        char *padded = g_strdup_printf("%*s%s", (int)(width - g_utf8_strlen(*cell, -1)), "", *cell);

        g_free(*cell);
        *cell = padded;
    }
}

static void
free_row(void *data)
{
    row_t *row = data;

    for (unsigned i = 0; row->cells[i]; i++)
        g_free(row->cells[i]);
    g_free(row->cells);
    g_free(row);
}

static void
free_rows(void *rows)
{
    g_ptr_array_free(rows, TRUE);
}

/* Takes the cells. */
static void
add_waiting(statistic_t *statistic, uint32_t key, unsigned rank, char **cells)
{
    GPtrArray *rows = g_hash_table_lookup(statistic->waiting, GUINT_TO_POINTER(key));
    row_t *row = g_new(row_t, 1);

    row->rank = rank;
    row->number = (uint32_t)g_ascii_strtoull(cells[0], NULL, 10);
    g_free(cells[0]);
    row->cells = g_new0(char *, statistic->columns);
    memcpy(row->cells, cells + 1, (statistic->columns - 1) * sizeof(char *));
    g_free(cells);
    if (!rows) {
        rows = g_ptr_array_new_with_free_func(free_row);
        g_hash_table_insert(statistic->waiting, GUINT_TO_POINTER(key), rows);
    }
    g_ptr_array_add(rows, row);
}

static void
prepare_rows(statistic_t *statistic, engine_t *engine)
{
    GArray *keys = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    GPtrArray *rows;

    engine_finish(engine);
    rows = statistic->rows(engine, keys);
    for (unsigned column = 1; column < statistic->columns; column++)
        if (statistic->is_number(column))
            pad_column(rows, column);
    for (unsigned i = 0; i < rows->len; i++)
        add_waiting(statistic, g_array_index(keys, uint32_t, i), i + 1, rows->pdata[i]);
    g_ptr_array_free(rows, TRUE);
    g_array_free(keys, TRUE);
}

static void
reset_table(stat_tap_table *table)
{
    statistic_t *statistic = statistic_of(table);

    for (unsigned row = 0; row < table->num_elements; row++) {
        g_ptr_array_add(statistic->retired, table->elements[row]);
        for (unsigned column = 0; column < table->num_fields; column++)
            if (table->elements[row][column].type == TABLE_ITEM_STRING)
                g_ptr_array_add(statistic->retired, (void *)table->elements[row][column].value.string_value);
    }
    table->num_elements = 0;
    g_hash_table_remove_all(statistic->waiting);
    if (observe_engine())
        prepare_rows(statistic, observe_engine());
}

static void
free_cell(stat_tap_table *table, guint row _U_, guint column _U_, stat_tap_table_item_type *cell)
{
    if (cell->type == TABLE_ITEM_STRING)
        g_free((void *)cell->value.string_value);
    cell->type = TABLE_ITEM_NONE;
    g_ptr_array_set_size(statistic_of(table)->retired, 0);
    g_hash_table_remove_all(statistic_of(table)->waiting);
}

static void
begin_table(stat_tap_table_ui *ui)
{
    if (!stat_tap_find_table(ui, ui->title))
        stat_tap_add_table(ui, stat_tap_init_table(ui->title, (int)ui->nfields, 0, NULL));
}

/* Takes the texts of the row. */
static void
add_row(stat_tap_table *table, unsigned columns, row_t *waiting)
{
    stat_tap_table_item_type *row = g_new0(stat_tap_table_item_type, columns);

    row[RANK_COLUMN].type = TABLE_ITEM_UINT;
    row[RANK_COLUMN].value.uint_value = waiting->rank;
    row[NUMBER_COLUMN].type = TABLE_ITEM_UINT;
    row[NUMBER_COLUMN].value.uint_value = waiting->number;
    for (unsigned i = NUMBER_COLUMN + 1; i < columns; i++) {
        row[i].type = TABLE_ITEM_STRING;
        row[i].value.string_value = waiting->cells[i - NUMBER_COLUMN - 1];
    }
    waiting->cells[0] = NULL;
    stat_tap_init_table_row(table, table->num_elements, columns, row);
    g_free(row);
}

static tap_packet_status
show_rows(void *data, uint32_t key)
{
    const stat_data_t *stat = data;
    stat_tap_table *table = g_array_index(stat->stat_tap_data->tables, stat_tap_table *, 0);
    statistic_t *statistic = statistic_of(table);
    GPtrArray *rows = g_hash_table_lookup(statistic->waiting, GUINT_TO_POINTER(key));

    if (!rows)
        return TAP_PACKET_DONT_REDRAW;
    for (unsigned i = 0; i < rows->len; i++)
        add_row(table, SHOWN_COLUMNS(statistic->columns), rows->pdata[i]);
    g_hash_table_remove(statistic->waiting, GUINT_TO_POINTER(key));
    return TAP_PACKET_REDRAW;
}

static tap_packet_status
tunnels_packet(void *data, packet_info *pinfo _U_, epan_dissect_t *edt _U_, const void *record, tap_flags_t flags _U_)
{
    return show_rows(data, subtree_tunnel_of(record));
}

static tap_packet_status
findings_packet(void *data, packet_info *pinfo, epan_dissect_t *edt _U_, const void *record _U_, tap_flags_t flags _U_)
{
    return show_rows(data, pinfo->num);
}

/* ---- registration ---- */

static void
describe_columns(statistic_t *statistic)
{
    statistic->fields = g_new0(stat_tap_table_item, SHOWN_COLUMNS(statistic->columns));
    statistic->fields[RANK_COLUMN] =
        (stat_tap_table_item){ .type = TABLE_ITEM_UINT, .align = TAP_ALIGN_RIGHT, .column_name = RANK, .field_format = "%u" };
    for (unsigned i = 0; i < statistic->columns; i++)
        statistic->fields[NUMBER_COLUMN + i] =
            (stat_tap_table_item){ .type = i == 0 ? TABLE_ITEM_UINT : TABLE_ITEM_STRING,
                                   .align = statistic->is_number(i) ? TAP_ALIGN_RIGHT : TAP_ALIGN_LEFT,
                                   .column_name = statistic->names[i],
                                   .field_format = i == 0 ? "%u" : "%s" };
}

static void
free_everything(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(statistics); i++) {
        g_clear_pointer(&statistics[i].retired, g_ptr_array_unref);
        g_clear_pointer(&statistics[i].waiting, g_hash_table_destroy);
        g_clear_pointer(&statistics[i].fields, g_free);
    }
}

/* In tshark the commands of these names are already taken by the text reports, which this does not change. */
void
tables_register(void)
{
    static tap_param filter[] = { { PARAM_FILTER, "filter", "Filter", NULL, TRUE } };
    static stat_tap_table_ui uis[G_N_ELEMENTS(statistics)];

    for (unsigned i = 0; i < G_N_ELEMENTS(statistics); i++) {
        statistic_t *statistic = &statistics[i];

        statistic->waiting = g_hash_table_new_full(NULL, NULL, NULL, free_rows);
        statistic->retired = g_ptr_array_new_with_free_func(g_free);
        describe_columns(statistic);
        uis[i] = (stat_tap_table_ui){ .group = REGISTER_PACKET_STAT_GROUP_UNSORTED,
                                      .title = statistic->title,
                                      .tap_name = SUBTREE_TAP,
                                      .cli_string = statistic->command,
                                      .stat_tap_init_cb = begin_table,
                                      .packet_func = statistic->packet,
                                      .stat_tap_reset_table_cb = reset_table,
                                      .stat_tap_free_table_item_cb = free_cell,
                                      .nfields = SHOWN_COLUMNS(statistic->columns),
                                      .fields = statistic->fields,
                                      .nparams = G_N_ELEMENTS(filter),
                                      .params = filter };
        register_stat_tap_table_ui(&uis[i]);
    }
    register_shutdown_routine(free_everything);
}
