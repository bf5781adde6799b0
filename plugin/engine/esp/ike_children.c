/* ike_children.c - a negotiation has made a child SA, or a DELETE has ended one: which SPIs are meant?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* Later than this before its announcement an SPI was another SA's: the peer has chosen the same number again, say after a restart. */
#define OVERTAKES_BY SECONDS(1)

/* Who replaced a child deletes the old one at once, but for the time of a round trip or two (RFC 7296 2.8). */
#define OLD_CHILD_DELETED_WITHIN SECONDS(5)

/* A packet may overtake the announcement of its SPI, or be captured before it. */
static bool
is_announced_now(const esp_sa_t *known, const exchange_t *exchange)
{
    return known->announced_in == FRAME_NONE && duration_between(known->first_time, exchange->first_sent_at) <= OVERTAKES_BY;
}

/* RFC 7296 3.3, RFC 2408 3.5: each peer names the SPI on which it wants to receive. */
static void
announce(const ike_step_t *step, const exchange_t *exchange, uint32_t spi, peer_t sender, frame_t frame)
{
    esp_sa_t *sa = spi != 0 ? tunnel_esp_sa(step->tunnel, spi, sender) : NULL;

    if (spi == 0)
        return;
    if (sa == NULL || !is_announced_now(sa, exchange))
        sa = engine_add_esp_sa(step->engine, step->tunnel, spi, sender);
    sa->announced_in = frame;
    children_announce(step->tunnel, exchange->child_sa, sa);
}

static void
note_child(const ike_step_t *step, const exchange_t *exchange)
{
    for (unsigned i = 0; i < exchange->frames_kept; i++)
        engine_note_for(step->engine, exchange->frame[i])->child_sa = exchange->child_sa;
    step->note->child_sa = exchange->child_sa;
}

void
step_make_child(const ike_step_t *step, exchange_t *exchange)
{
    const ike_message_t *answer = step->message;
    bool is_readable = answer->is_readable && answer->has_sa && answer->sa.proposals > 0 && exchange->offer != NULL;

    exchange->creates_child = true;
    exchange->child_sa = children_made_by(step->tunnel, exchange, step->packet->frame, step->packet->time);
    note_child(step, exchange);
    if (!is_readable) {
        children_adopt_early(step->tunnel, exchange->child_sa, exchange, PEER_A);
        children_adopt_early(step->tunnel, exchange->child_sa, exchange, PEER_B);
        return;
    }
    uint8_t chosen = answer->sa.proposal[0].number;
    announce(step, exchange, step_proposal_spi(exchange->offer, chosen), step->sender, exchange->sent_in[0]);
    announce(step, exchange, step_proposal_spi(&answer->sa, chosen), peer_other(step->sender), step->packet->frame);
}

void
engine_unmake_child(engine_t *engine, exchange_t *exchange)
{
    exchange->creates_child = false;
    if (exchange->child_sa == INDEX_NONE)
        return;
    children_take_back(exchange->ike_sa->tunnel, exchange->child_sa);
    exchange->child_sa = INDEX_NONE;
    for (unsigned i = 0; i < exchange->frames_kept; i++)
        engine_note_for(engine, exchange->frame[i])->child_sa = INDEX_NONE;
}

void
step_replaced_child(const ike_step_t *step, const exchange_t *exchange, line_t *line)
{
    tunnel_t *tunnel = step->tunnel;
    const esp_sa_t *named =
        exchange->rekeyed_spi != 0 ? tunnel_esp_sa(tunnel, exchange->rekeyed_spi, peer_other(exchange->requester)) : NULL;

    if (named != NULL)
        children_replaced(tunnel, named->generation, exchange->child_sa);
    else if (!exchange->collides) /* of two that cross nobody can tell, without keys, which one stays */
        children_replaced(tunnel, line->child, exchange->child_sa);
    line->child = exchange->child_sa;
}

void
step_delete_replaced_child(const ike_step_t *step, const exchange_t *deletion)
{
    const GArray *list = step->tunnel->children.list;
    const child_sa_t *latest = list->len > 0 ? &g_array_index(list, child_sa_t, list->len - 1) : NULL;

    if (latest != NULL && !latest->is_void && latest->made_by == deletion->requester &&
        duration_between(latest->made_at, deletion->first_sent_at) <= OLD_CHILD_DELETED_WITHIN)
        children_deleted(step->tunnel, latest->replaces, deletion->requester, step->packet->frame, step->packet->time,
                         CONFIDENCE_INFERRED);
}
