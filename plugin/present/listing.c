/* listing.c - how do tunnels and findings look as rows, one line each?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/listing.h"

#include "present/ranking.h"
#include "present/words.h"

enum {
    TUNNEL_CELL_INDEX,
    TUNNEL_CELL_PEER_A,
    TUNNEL_CELL_PEER_B,
    TUNNEL_CELL_VERSION,
    TUNNEL_CELL_NAT,
    TUNNEL_CELL_STATE,
    TUNNEL_CELL_FLAPS,
    TUNNEL_CELL_DOWN,
    TUNNEL_CELL_AVAILABILITY,
    TUNNEL_CELL_REKEYS,
    TUNNEL_CELL_DPD,
    TUNNEL_CELL_DPD_TIME,
    TUNNEL_CELL_FLIPS,
    TUNNEL_CELL_PACKETS_A,
    TUNNEL_CELL_PACKETS_B,
    TUNNEL_CELL_BYTES_A,
    TUNNEL_CELL_BYTES_B,
    TUNNEL_CELL_LOST,
    TUNNEL_CELL_WORST,
};

const char *const tunnel_columns[TUNNEL_COLUMNS] = {
    [TUNNEL_CELL_INDEX] = "Tunnel",
    [TUNNEL_CELL_PEER_A] = "Peer A",
    [TUNNEL_CELL_PEER_B] = "Peer B",
    [TUNNEL_CELL_VERSION] = "IKE",
    [TUNNEL_CELL_NAT] = "NAT-T",
    [TUNNEL_CELL_STATE] = "State",
    [TUNNEL_CELL_FLAPS] = "Flaps",
    [TUNNEL_CELL_DOWN] = "Down s",
    [TUNNEL_CELL_AVAILABILITY] = "Avail %",
    [TUNNEL_CELL_REKEYS] = "Rekeys ok/failed",
    [TUNNEL_CELL_DPD] = "DPD sent/unanswered",
    [TUNNEL_CELL_DPD_TIME] = "DPD ms",
    [TUNNEL_CELL_FLIPS] = "Port flips",
    [TUNNEL_CELL_PACKETS_A] = "ESP A>B",
    [TUNNEL_CELL_PACKETS_B] = "ESP B>A",
    [TUNNEL_CELL_BYTES_A] = "Bytes A>B",
    [TUNNEL_CELL_BYTES_B] = "Bytes B>A",
    [TUNNEL_CELL_LOST] = "Lost A>B/B>A",
    [TUNNEL_CELL_WORST] = "Worst finding",
};

enum {
    FINDING_CELL_FRAME,
    FINDING_CELL_TIME,
    FINDING_CELL_SINCE,
    FINDING_CELL_TUNNEL,
    FINDING_CELL_SEVERITY,
    FINDING_CELL_CONFIDENCE,
    FINDING_CELL_ID,
    FINDING_CELL_TEXT,
};

const char *const finding_columns[FINDING_COLUMNS] = {
    [FINDING_CELL_FRAME] = "Frame",   [FINDING_CELL_TIME] = "Time (UTC)",    [FINDING_CELL_SINCE] = "Since start s",
    [FINDING_CELL_TUNNEL] = "Tunnel", [FINDING_CELL_SEVERITY] = "Severity",  [FINDING_CELL_CONFIDENCE] = "Confidence",
    [FINDING_CELL_ID] = "Finding",    [FINDING_CELL_TEXT] = "What happened",
};

bool
tunnel_column_is_number(unsigned column)
{
    return column == TUNNEL_CELL_INDEX || (column >= TUNNEL_CELL_FLAPS && column <= TUNNEL_CELL_LOST);
}

bool
finding_column_is_number(unsigned column)
{
    return column <= FINDING_CELL_TUNNEL;
}

static char *
number_cell(uint64_t value)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

static char *
endpoint_cell(const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    return g_strdup(endpoint->family == ADDRESS_NONE ? "?" : endpoint_text(endpoint, text));
}

/* The version of the key exchange; nothing seen of it: "none". */
static char *
version_cell(unsigned version)
{
    return version ? g_strdup_printf("v%u", version) : g_strdup("none");
}

/* TCP goes through a NAT by itself (RFC 9329 6.5), so that NAT traversal in UDP is used beside it or not at all. */
static char *
encapsulation_cell(const tunnel_row_t *row)
{
    if (row->tcp_encapsulated)
        return g_strdup(row->udp_encapsulated ? "yes, TCP" : "TCP");
    return g_strdup(!row->udp_encapsulated ? "no" : row->ike_version ? "yes" : "UDP");
}

static char *
state_cell(const tunnel_row_t *row)
{
    GString *words = g_string_new(NULL);

    words_state(words, row);
    return g_string_free(words, FALSE);
}

void
tunnel_cells(const tunnel_row_t *row, char *ret_cells[TUNNEL_COLUMNS])
{
    const peer_row_t *a = &row->peer[PEER_A], *b = &row->peer[PEER_B];

    ret_cells[TUNNEL_CELL_INDEX] = number_cell(row->tunnel);
    ret_cells[TUNNEL_CELL_PEER_A] = endpoint_cell(&a->last);
    ret_cells[TUNNEL_CELL_PEER_B] = endpoint_cell(&b->last);
    ret_cells[TUNNEL_CELL_VERSION] = version_cell(row->ike_version);
    ret_cells[TUNNEL_CELL_NAT] = encapsulation_cell(row);
    ret_cells[TUNNEL_CELL_STATE] = state_cell(row);
    ret_cells[TUNNEL_CELL_FLAPS] = number_cell(row->flaps);
    ret_cells[TUNNEL_CELL_DOWN] = g_strdup_printf("%.1f", row->down_seconds);
    ret_cells[TUNNEL_CELL_AVAILABILITY] = row->availability < 0 ? g_strdup("-") : g_strdup_printf("%.1f", row->availability * 100);
    ret_cells[TUNNEL_CELL_REKEYS] = g_strdup_printf("%u/%u", row->rekeys_ok, row->rekeys_failed);
    ret_cells[TUNNEL_CELL_DPD] = g_strdup_printf("%u/%u", row->dpd_sent, row->dpd_unanswered);
    ret_cells[TUNNEL_CELL_DPD_TIME] = row->dpd_median_rtt < 0 ? g_strdup("-") : g_strdup_printf("%.1f", row->dpd_median_rtt * 1000);
    ret_cells[TUNNEL_CELL_FLIPS] = number_cell(row->port_flips);
    ret_cells[TUNNEL_CELL_PACKETS_A] = number_cell(a->esp_packets);
    ret_cells[TUNNEL_CELL_PACKETS_B] = number_cell(b->esp_packets);
    ret_cells[TUNNEL_CELL_BYTES_A] = number_cell(a->esp_bytes);
    ret_cells[TUNNEL_CELL_BYTES_B] = number_cell(b->esp_bytes);
    ret_cells[TUNNEL_CELL_LOST] = g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, a->esp_toll.lost, b->esp_toll.lost);
    ret_cells[TUNNEL_CELL_WORST] =
        row->worst ? g_strdup_printf("%s (%s)", finding_catalogue[row->worst->id].id, severity_text(row->worst->severity))
                   : g_strdup("-");
}

static char *
clock_cell(capture_ns_t time)
{
    GString *text = g_string_new(NULL);

    words_clock(text, time);
    return g_string_free(text, FALSE);
}

static char *
since_start_cell(const engine_t *engine, capture_ns_t time)
{
    capture_row_t capture;

    engine_capture_row(engine, &capture);
    if (time == CAPTURE_TIME_NONE || capture.first_time == CAPTURE_TIME_NONE)
        return g_strdup("-");
    return g_strdup_printf("%.3f", duration_seconds(duration_between(capture.first_time, time)));
}

void
finding_cells(const engine_t *engine, const finding_t *finding, char *ret_cells[FINDING_COLUMNS])
{
    ret_cells[FINDING_CELL_FRAME] = number_cell(finding->frame);
    ret_cells[FINDING_CELL_TIME] = clock_cell(finding->time);
    ret_cells[FINDING_CELL_SINCE] = since_start_cell(engine, finding->time);
    ret_cells[FINDING_CELL_TUNNEL] = finding->tunnel == INDEX_NONE ? g_strdup("-") : number_cell(finding->tunnel);
    ret_cells[FINDING_CELL_SEVERITY] = g_strdup(severity_text(finding->severity));
    ret_cells[FINDING_CELL_CONFIDENCE] = g_strdup(confidence_text(finding->confidence));
    ret_cells[FINDING_CELL_ID] = g_strdup(finding_catalogue[finding->id].id);
    ret_cells[FINDING_CELL_TEXT] = g_utf8_make_valid(finding->text ? finding->text : "", -1);
}

/* ---- a table in fixed-width text: the columns are as wide as their widest cell ---- */

typedef struct {
    unsigned columns;
    const char *const *names;
    bool (*is_number)(unsigned column);
    GPtrArray *cells; /* row by row, of char * */
} table_t;

static void
table_init(table_t *table, unsigned columns, const char *const *names, bool (*is_number)(unsigned))
{
    table->columns = columns;
    table->names = names;
    table->is_number = is_number;
    table->cells = g_ptr_array_new_with_free_func(g_free);
}

static void
table_add(table_t *table, char *const *cells)
{
    for (unsigned column = 0; column < table->columns; column++)
        g_ptr_array_add(table->cells, cells[column]);
}

static glong
column_width(const table_t *table, unsigned column)
{
    glong width = g_utf8_strlen(table->names[column], -1);

    for (unsigned i = column; i < table->cells->len; i += table->columns)
        width = MAX(width, g_utf8_strlen(table->cells->pdata[i], -1));
    return width;
}

static void
append_cell(GString *out, const char *text, glong width, bool is_number, bool is_last)
{
    const int fill = (int)(width - g_utf8_strlen(text, -1));

    if (is_number)
        g_string_append_printf(out, "%*s%s", fill, "", text);
    else if (is_last)
        g_string_append(out, text);
    else
        g_string_append_printf(out, "%s%*s", text, fill, "");
    g_string_append(out, is_last ? "\n" : "  ");
}

static GString *
table_text(table_t *table)
{
    GString *out = g_string_new(NULL);
    glong *widths = g_new(glong, table->columns);

    for (unsigned column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);
    for (unsigned column = 0; column < table->columns; column++)
        append_cell(out, table->names[column], widths[column], table->is_number(column), column + 1 == table->columns);
    for (unsigned i = 0; i < table->cells->len; i++) {
        const unsigned column = i % table->columns;

        append_cell(out, table->cells->pdata[i], widths[column], table->is_number(column), column + 1 == table->columns);
    }
    g_free(widths);
    g_ptr_array_free(table->cells, TRUE);
    return out;
}

GString *
listing_tunnels(const engine_t *engine, const selection_t *selection)
{
    table_t table;

    if (engine_tunnel_count(engine) == 0)
        return g_string_new("no IPsec traffic found\n");
    table_init(&table, TUNNEL_COLUMNS, tunnel_columns, tunnel_column_is_number);
    GArray *ranking = ranking_worst_first(engine);
    for (unsigned i = 0; i < ranking->len; i++) {
        const uint32_t tunnel = g_array_index(ranking, uint32_t, i);
        char *cells[TUNNEL_COLUMNS];
        tunnel_row_t row;

        if (!selection_has_tunnel(selection, tunnel))
            continue;
        engine_tunnel_row(engine, tunnel, &row);
        tunnel_cells(&row, cells);
        table_add(&table, cells);
    }
    g_array_free(ranking, TRUE);
    return table_text(&table);
}

GString *
listing_findings(const engine_t *engine, const selection_t *selection)
{
    const GPtrArray *findings = engine_findings(engine);
    table_t table;

    if (engine_tunnel_count(engine) == 0 && findings->len == 0)
        return g_string_new("no IPsec traffic found\n");
    table_init(&table, FINDING_COLUMNS, finding_columns, finding_column_is_number);
    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];
        char *cells[FINDING_COLUMNS];

        if (!selection_has_frame(selection, finding->frame))
            continue;
        finding_cells(engine, finding, cells);
        table_add(&table, cells);
    }
    return table_text(&table);
}
