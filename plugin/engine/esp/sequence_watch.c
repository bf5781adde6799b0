/* sequence_watch.c - when do the sequence numbers of an ESP SA reveal something, and who has told of it already?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

/* RFC 4303 2.1: senders to a group may share an SA, each with a counter of its own. */
static bool
is_group(const endpoint_t *endpoint)
{
    return endpoint->family == ADDRESS_IPV6 ? endpoint->address[0] == 0xff : (endpoint->address[0] & 0xf0) == 0xe0;
}

static mark_t
mark_of(const engine_t *engine)
{
    uint64_t fingerprint = copies_fingerprint(engine->copies);

    return fingerprint != 0 ? sequence_mark(fingerprint) : MARK_UNKNOWN;
}

unsigned
engine_enter_sequence(engine_t *engine, esp_sa_t *sa, const packet_t *packet, uint32_t number)
{
    if (sa->packets == 0)
        sa->first_mark = mark_of(engine);
    if (sa->packets == 1 && !is_group(&packet->destination))
        sa->sequence = sequence_new(sa->first_sequence, sa->first_mark, sa->first_time, &engine->sequence_budget);
    if (sa->sequence == NULL)
        return 0;
    if (sequence_awaits(sa->sequence, number)) { /* nearly all packets */
        sequence_go_on(sa->sequence, mark_of(engine));
        return 0;
    }
    arrival_t arrival = { .number = number,
                          .mark = mark_of(engine),
                          .frame = packet->frame,
                          .previous_frame = sa->last_frame,
                          .at = packet->time,
                          .latest = sa->last_time,
                          .silence = engine->silence,
                          .replay_window = engine->settings.replay_window };
    return sequence_account(sa->sequence, &arrival);
}

static bool
has_new_ike_sa(const tunnel_t *tunnel, frame_t since)
{
    return tunnel->ike_sas->len > 0 &&
           ((const ike_sa_t *)g_ptr_array_index(tunnel->ike_sas, tunnel->ike_sas->len - 1))->first_frame > since;
}

/* Was the SPI negotiated again between the old count and the new one? */
static bool
was_negotiated_again(const esp_sa_t *sa)
{
    const tunnel_t *tunnel = sa->tunnel;
    const restart_t *restart = &sa->sequence->disorder->restart;

    return sa->negotiation != tunnel->lineage || tunnel->lifetimes.has_cut_ike || has_new_ike_sa(tunnel, restart->last_old_in) ||
           sa->announced_in > restart->last_old_in ||
           (tunnel->last_child_success_at != CAPTURE_TIME_NONE && tunnel->last_child_success_at >= restart->last_old_at) ||
           (tunnel->lifetimes.hidden.at != CAPTURE_TIME_NONE && tunnel->lifetimes.hidden.at >= restart->last_old_at);
}

static void
judge(engine_t *engine, esp_sa_t *sa, unsigned bit, const change_t *context, finding_id_t id, told_t *told)
{
    change_t change = *context;

    change.kind = CHANGE_SEQUENCE;
    change.revealed = bit;
    engine_judge(engine, sa->tunnel, &change);
    if (told->is_told)
        return;
    const finding_t *found = tunnel_latest_finding(sa->tunnel, id, sa->sender);
    told->is_told = true;
    if (found != NULL && found->frame == change.frame && !found->at_end)
        told->finding = found;
}

void
engine_judge_sequence(engine_t *engine, esp_sa_t *sa, unsigned revealed, const change_t *context)
{
    disorder_t *disorder = sa->sequence->disorder;

    if ((revealed & SEQUENCE_RESTARTED) != 0 && !disorder->restart.told.is_told && was_negotiated_again(sa)) {
        sequence_excuse_restart(sa->sequence);
        revealed &= ~(unsigned)SEQUENCE_RESTARTED;
    }
    if ((revealed & SEQUENCE_SHARED) != 0)
        engine_tone_down(engine, sa->tunnel, FINDING_esp_sequence_reset, disorder->restart.told.finding->frame,
                         "Later the old numbers went on as well: two senders use this SPI.");
    if ((revealed & SEQUENCE_LATE) != 0)
        judge(engine, sa, SEQUENCE_LATE, context, FINDING_esp_replay, &disorder->late.told);
    if ((revealed & SEQUENCE_REPEATED) != 0)
        judge(engine, sa, SEQUENCE_REPEATED, context, FINDING_esp_replay, &disorder->repeated.told);
    if ((revealed & SEQUENCE_RESTARTED) != 0)
        judge(engine, sa, SEQUENCE_RESTARTED, context, FINDING_esp_sequence_reset, &disorder->restart.told);
    if ((revealed & SEQUENCE_LOST) != 0)
        judge(engine, sa, SEQUENCE_LOST, context, FINDING_esp_loss, &disorder->loss_told);
}
