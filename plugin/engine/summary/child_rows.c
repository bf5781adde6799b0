/* child_rows.c - the generations of child SAs as rows: born, used, replaced, ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

/* Silence at the end of the capture that is worth a word. */
#define IDLE_FOR SECONDS(60)

const char *
child_end_text(child_end_t end)
{
    static const char *const texts[] = { "in_use", "idle", "unused", "replaced", "deleted", "ike_sa_deleted", "unknown" };
    return texts[end];
}

static child_sa_row_t
empty_row(void)
{
    return (child_sa_row_t){ .child_sa = INDEX_NONE,
                             .asked_by = PEER_UNKNOWN,
                             .replacement_asked_by = PEER_UNKNOWN,
                             .ended_by = PEER_UNKNOWN,
                             .ike_sa = INDEX_NONE,
                             .replaces = INDEX_NONE,
                             .replaced_by = INDEX_NONE,
                             .born_at = CAPTURE_TIME_NONE,
                             .last_at = CAPTURE_TIME_NONE,
                             .ended_at = CAPTURE_TIME_NONE,
                             .lifetime = -1.0 };
}

static void
fill_direction(child_sa_row_t *row, const esp_sa_t *sa)
{
    row->from[sa->sender] = (child_sa_direction_t){ .spi = sa->spi,
                                                    .packets = sa->packets,
                                                    .bytes = sa->bytes,
                                                    .first_frame = sa->first_frame,
                                                    .last_frame = sa->last_frame,
                                                    .announced_in = sa->announced_in,
                                                    .deleted_in = sa->deleted_in };
    if (sa->packets == 0)
        return;
    row->last_at = capture_later(row->last_at, sa->last_time);
    row->last_frame = MAX(row->last_frame, sa->last_frame);
    if (row->made_in == FRAME_NONE && esp_sa_saw_birth(sa) && (row->born_in == FRAME_NONE || sa->first_frame < row->born_in)) {
        row->born_in = sa->first_frame;
        row->born_at = sa->first_time;
    }
}

static void
fill_end(const tunnel_t *tunnel, const child_sa_t *child, child_sa_row_t *row)
{
    const child_sa_t *successor = tunnel_child(tunnel, child->replaced_by);
    const ike_sa_t *owner = child_deleted_with(tunnel, child);

    if (successor != NULL)
        row->replacement_asked_by = successor->made_by;
    if (child->deleted_in != FRAME_NONE) {
        row->end = CHILD_DELETED;
        row->ended_in = child->deleted_in;
        row->ended_at = child->deleted_at;
        row->ended_by = child->deleted_by;
        row->end_confidence = child->deleted_confidence;
    } else if (successor != NULL) {
        row->end = CHILD_REPLACED;
        row->ended_in = successor->made_in;
        row->ended_at = successor->made_at;
        row->ended_by = successor->made_by;
        row->end_confidence = MIN(child->confidence, successor->confidence);
    } else if (owner != NULL) {
        row->end = CHILD_GONE_WITH_IKE_SA;
        row->ended_in = owner->closed_in;
        row->ended_at = owner->closed_at;
        row->ended_by = owner->closed_by;
        row->end_confidence = owner->closed_confidence;
    }
}

static void
fill_use(const engine_t *engine, const tunnel_t *tunnel, child_sa_row_t *row)
{
    capture_ns_t until = row->ended_at != CAPTURE_TIME_NONE ? row->ended_at : row->last_at;

    if (row->end == CHILD_IN_USE && row->last_at == CAPTURE_TIME_NONE)
        row->end = CHILD_UNUSED;
    else if (row->end == CHILD_IN_USE && duration_between(row->last_at, engine_watched_until(engine, tunnel)) > IDLE_FOR)
        row->end = CHILD_IDLE;
    if (row->born_at != CAPTURE_TIME_NONE && until != CAPTURE_TIME_NONE && !engine->clock_is_unusable)
        row->lifetime = duration_seconds(duration_between(row->born_at, until));
}

/* One of the SPIs that are in use may be its: nobody can tell which. */
static bool
may_be_in_use(const tunnel_t *tunnel, const child_sa_t *child)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (child->sa[p] == NULL && (child->is_taken[p] || tunnel->children.loose[p] > 0))
            return true;
    }
    return false;
}

static child_sa_row_t
row_of(const engine_t *engine, const tunnel_t *tunnel, const child_sa_t *child)
{
    child_sa_row_t row = empty_row();

    row.child_sa = child->index;
    row.confidence = child->confidence;
    row.made_in = row.born_in = child->made_in;
    row.born_at = child->made_at;
    row.exchange = child->made_in != FRAME_NONE ? exchange_kind_name(child->kind) : NULL;
    row.exchange_confidence = child->kind_confidence;
    row.asked_by = child->made_by;
    row.ike_sa = child->ike_sa;
    row.replaces = child->replaces;
    row.replaced_by = child->replaced_by;
    for (unsigned p = 0; p < PEERS; p++) {
        if (child->sa[p] != NULL)
            fill_direction(&row, child->sa[p]);
    }
    fill_end(tunnel, child, &row);
    fill_use(engine, tunnel, &row);
    if (row.end == CHILD_UNUSED && may_be_in_use(tunnel, child))
        row.end = CHILD_UNKNOWN;
    return row;
}

static child_sa_row_t
row_of_spi(const engine_t *engine, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    child_sa_row_t row = empty_row();

    fill_direction(&row, sa);
    if (sa->deleted_in != FRAME_NONE) {
        row.end = CHILD_DELETED;
        row.ended_in = sa->deleted_in;
        row.ended_at = sa->deleted_at;
        row.end_confidence = sa->deleted_confidence;
    }
    fill_use(engine, tunnel, &row);
    return row;
}

GArray *
engine_child_sas(const engine_t *engine, uint32_t index)
{
    const tunnel_t *tunnel = index < engine->tunnels->len ? g_ptr_array_index(engine->tunnels, index) : NULL;
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(child_sa_row_t));

    for (unsigned i = 0; tunnel != NULL && i < tunnel->children.list->len; i++) {
        const child_sa_t *child = &g_array_index(tunnel->children.list, child_sa_t, i);
        if (child->is_void)
            continue;
        child_sa_row_t row = row_of(engine, tunnel, child);
        g_array_append_val(rows, row);
    }
    for (unsigned i = 0; tunnel != NULL && i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (tunnel_child(tunnel, sa->generation) != NULL || sa->packets == 0)
            continue;
        child_sa_row_t row = row_of_spi(engine, tunnel, sa);
        g_array_append_val(rows, row);
    }
    return rows;
}
