/* exchange_rows.c - which exchanges did a tunnel have, and how did each end?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

const char *
exchange_result_text(exchange_result_t result)
{
    static const char *const texts[EXCHANGE_RESULTS] = {
        [RESULT_ANSWERED] = "answered",
        [RESULT_REFUSED] = "refused",
        [RESULT_UNANSWERED] = "unanswered",
        [RESULT_WAITING] = "still waiting",
        [RESULT_ANSWER_UNSEEN] = "answer not in the capture",
        [RESULT_NOTHING_DUE] = "no answer due",
    };
    return texts[result];
}

static exchange_result_t
result_of(const exchange_t *exchange)
{
    if (exchange->is_refused)
        return RESULT_REFUSED;
    switch (exchange->outcome) {
    case OUTCOME_ANSWERED:
        return RESULT_ANSWERED;
    case OUTCOME_ANSWERED_UNSEEN:
        return RESULT_ANSWER_UNSEEN;
    case OUTCOME_ABANDONED:
        return RESULT_UNANSWERED;
    case OUTCOME_ONE_WAY:
        return RESULT_NOTHING_DUE;
    case OUTCOME_WAITING:
    default:
        return RESULT_WAITING;
    }
}

/* What is known of each transmission: the first ones, and the latest in the last place. */
static void
fill_sendings(const exchange_t *exchange, exchange_row_t *row)
{
    capture_ns_t at = exchange->first_sent_at;

    G_STATIC_ASSERT(SENDINGS_SHOWN == TRANSMISSIONS_KEPT);
    row->sendings = MIN(exchange->transmissions, SENDINGS_SHOWN);
    for (unsigned i = 0; i < row->sendings; i++) {
        bool is_latest = i + 1 == row->sendings;
        row->sent_in[i] = exchange->sent_in[i];
        row->sent_at[i] = is_latest ? exchange->last_sent_at : at;
        if (at != CAPTURE_TIME_NONE)
            at = at > INT64_MAX - exchange->gap[i] ? INT64_MAX : at + exchange->gap[i];
    }
}

static exchange_row_t
row_of(const exchange_t *exchange)
{
    exchange_row_t row = { .exchange = exchange_kind_name(exchange->kind),
                           .words = exchange_kind_words(exchange->kind),
                           .confidence = exchange->kind_confidence,
                           .initiator = exchange->initiator,
                           .result = result_of(exchange),
                           .first_frame = exchange->began_in,
                           .first_time = exchange->began_at,
                           .transmissions = exchange->transmissions,
                           .answer_frame = exchange->answered_in };

    fill_sendings(exchange, &row);
    row.last_time =
        capture_later(exchange->last_sent_at, exchange->answered_in != FRAME_NONE ? exchange->answered_at : row.first_time);
    return row;
}

static gint
by_first_frame(gconstpointer a, gconstpointer b)
{
    const exchange_row_t *left = a, *right = b;

    return (left->first_frame > right->first_frame) - (left->first_frame < right->first_frame);
}

static const tunnel_t *
tunnel_at(const engine_t *engine, uint32_t index)
{
    return index < engine->tunnels->len ? g_ptr_array_index(engine->tunnels, index) : NULL;
}

GArray *
engine_exchanges(const engine_t *engine, uint32_t index)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(exchange_row_t));

    for (unsigned s = 0; tunnel != NULL && s < tunnel->ike_sas->len; s++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, s);
        for (unsigned i = 0; i < ike_sa->exchanges->len; i++) {
            const exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
            exchange_row_t row = row_of(exchange);
            if (exchange->began_in != FRAME_NONE)
                g_array_append_val(rows, row);
        }
    }
    g_array_sort(rows, by_first_frame);
    return rows;
}

uint64_t
engine_exchanges_forgotten(const engine_t *engine, uint32_t index)
{
    const tunnel_t *tunnel = tunnel_at(engine, index);
    return tunnel != NULL ? tunnel->exchanges_forgotten : 0;
}
