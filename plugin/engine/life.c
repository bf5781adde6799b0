/* life.c - does the tunnel work, since when not, and did it come back?
 *
 * A loss is kept until something proves the tunnel up again; only then is it known whether it was a flap, a reauthentication or
 * nothing at all. What is still lost at the end of the capture is down.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

/* ESP within this time counts as traffic flowing. */
#define FLOWING SECONDS(5)

/* A DELETE followed by a new negotiation within this time is one act: break-before-make reauthentication (RFC 7296 2.8.3). It is done a few
 * round trips later; one that takes longer than that was an outage. */
#define REAUTHENTICATION_GAP SECONDS(2)
#define REAUTHENTICATION_DONE SECONDS(5)

/* A negotiation's last message is captured within this time of the first traffic. */
#define SETTLING SECONDS(2)

/* This much one-sided ESP before a peer starts anew shows that the old SA had already stopped working. */
#define ONE_SIDED_PACKETS 3u
#define ONE_SIDED_TIME SECONDS(2)

/* A peer that sent ESP so shortly before it began anew was using its SAs. */
#define IN_USE SECONDS(1)

bool
life_traffic_was_flowing(const tunnel_t *tunnel, capture_ns_t time)
{
    for (unsigned p = 0; p < PEERS; p++) {
        capture_ns_t last = tunnel->peer[p].last_esp_at;
        if (last != CAPTURE_TIME_NONE && duration_between(last, time) <= FLOWING)
            return true;
    }
    return false;
}

/* Nothing proves that a tunnel worked on through a new negotiation after so long a silence. */
#define QUIET_BEFORE_NEW_START SECONDS(10)

static void
note_outage(tunnel_t *tunnel, const outage_t *outage)
{
    if (tunnel->outages->len >= OUTAGES_MAX)
        g_array_remove_index(tunnel->outages, 0);
    g_array_append_val(tunnel->outages, *outage);
}

static void
note_unknown(tunnel_t *tunnel, frame_t frame, capture_ns_t time)
{
    outage_t unknown = {
        .from = tunnel->last_proof_at, .from_frame = tunnel->last_proof_in, .to = time, .to_frame = frame, .is_unknown = true
    };

    if (tunnel->was_up)
        note_outage(tunnel, &unknown);
}

static void
recovered(engine_t *engine, tunnel_t *tunnel, frame_t frame, capture_ns_t time)
{
    loss_t loss = tunnel->loss;

    tunnel->loss = (loss_t){ .kind = LOSS_NONE };
    if (!tunnel->was_up)
        return;
    for (unsigned p = 0; p < PEERS; p++) {
        capture_ns_t last = tunnel->peer[p].last_esp_at;
        if (last != CAPTURE_TIME_NONE && last > capture_later(loss.last_proof_at, loss.at))
            loss.traffic = true;
    }
    change_t change = { .kind = CHANGE_TUNNEL_RECOVERED,
                        .frame = frame,
                        .time = time,
                        .sender = PEER_UNKNOWN,
                        .loss = &loss,
                        .ike_sa = tunnel_current_ike_sa(tunnel) };
    engine_judge(engine, tunnel, &change);
    tunnel->flaps++;
    bool was_unwanted = loss.kind == LOSS_DELETED && !loss.traffic; /* nobody missed it */
    outage_t outage = {
        .from = loss.last_proof_at, .from_frame = loss.last_proof_in, .to = time, .to_frame = frame, .is_unknown = was_unwanted
    };
    note_outage(tunnel, &outage);
    if (!was_unwanted)
        incident_close(engine, tunnel, tunnel_latest_finding(tunnel, FINDING_tunnel_flap, PEER_UNKNOWN), &loss, true);
}

void
life_proved(tunnel_t *tunnel, capture_ns_t time, frame_t frame)
{
    if (time <= tunnel->last_proof_at)
        return;
    if (tunnel->was_up && duration_between(tunnel->last_proof_at, time) > INTERRUPTION)
        note_unknown(tunnel, frame, time);
    if (!tunnel->was_up) {
        tunnel->first_proof_at = time;
        tunnel->first_proof_in = frame;
    }
    tunnel->last_proof_at = time;
    tunnel->last_proof_in = frame;
    tunnel->was_up = true;
    /* Some implementations keep an SA after unanswered requests: if it works on, nothing was lost. */
    if (tunnel->loss.kind == LOSS_GAVE_UP && time > tunnel->loss.at)
        tunnel->loss = (loss_t){ .kind = LOSS_NONE };
    /* Two-way traffic long after a DELETE: another IKE SA, not in the capture, had taken over. */
    if (tunnel->loss.kind == LOSS_DELETED && duration_between(tunnel->loss.at, time) > FLOWING)
        tunnel->loss = (loss_t){ .kind = LOSS_NONE };
}

static void
note_two_way(tunnel_t *tunnel, capture_ns_t time, frame_t frame)
{
    tunnel->last_two_way_at = capture_later(tunnel->last_two_way_at, time);
    tunnel->last_two_way_in = frame;
}

void
life_goes_on(tunnel_t *tunnel, capture_ns_t time, frame_t frame)
{
    note_two_way(tunnel, time, frame);
    if (time <= tunnel->last_proof_at)
        return;
    if (!tunnel->was_up || duration_between(tunnel->last_proof_at, time) > INTERRUPTION) {
        life_proved(tunnel, time, frame);
        return;
    }
    tunnel->last_proof_at = time;
    tunnel->last_proof_in = frame;
}

static void established(engine_t *engine, ike_sa_t *ike_sa, frame_t frame, capture_ns_t time);

/* Break before make, and the answer that completed the new negotiation is not in the capture: the traffic shows that there was one. It may
 * have overtaken it, so that is not said at once. */
static void
watch_reauthentication(engine_t *engine, const esp_sa_t *sa, const packet_t *packet)
{
    const loss_t *loss = &sa->tunnel->loss;
    bool is_settled = duration_between(sa->first_time, packet->time) >= SETTLING;
    ike_sa_t *ike_sa = loss->kind == LOSS_DELETED && is_settled ? engine_came_up_unseen(sa) : NULL;

    if (ike_sa == NULL || duration_between(loss->at, ike_sa->first_time) > REAUTHENTICATION_GAP)
        return;
    ike_sa->state = IKE_SA_ESTABLISHED;
    ike_sa->established_at = packet->time;
    ike_sa->established_in = packet->frame;
    established(engine, ike_sa, packet->frame, packet->time);
}

/* On SAs older than the loss, two-way traffic shows that nothing was lost. On newer ones it is the recovery, usually told by the
 * negotiation's last message a moment later; where that is not in the capture, the traffic has to tell. */
void
life_proved_by_esp(engine_t *engine, const esp_sa_t *sa, capture_ns_t time, frame_t frame, const packet_t *packet)
{
    tunnel_t *tunnel = sa->tunnel;
    bool is_new = tunnel->loss.kind != LOSS_NONE && tunnel->loss.kind != LOSS_DELETED && sa->first_time > tunnel->loss.at;

    engine_traffic_shows_answer(sa, packet->frame);
    watch_reauthentication(engine, sa, packet);
    if (is_new && duration_between(sa->first_time, packet->time) < SETTLING) {
        tunnel->loss.seems_over = true;
        return;
    }
    if (is_new)
        recovered(engine, tunnel, packet->frame, packet->time);
    bool was_not_the_last = tunnel->loss.kind == LOSS_CHILD_GONE && duration_between(tunnel->loss.at, time) > SETTLING;
    if (was_not_the_last) { /* the capture did not show how many children there were */
        tunnel->loss = (loss_t){ .kind = LOSS_NONE };
        tunnel->live_children = 1;
    }
    note_two_way(tunnel, time, frame);
    life_proved(tunnel, time, frame);
}

void
life_lost(tunnel_t *tunnel, loss_kind_t kind, peer_t by, confidence_t confidence, frame_t frame, capture_ns_t time)
{
    if (tunnel->loss.kind != LOSS_NONE)
        return;
    tunnel->lost_at = time;
    tunnel->loss = (loss_t){ .kind = kind,
                             .at = time,
                             .frame = frame,
                             .by = by,
                             .confidence = confidence,
                             .last_proof_at = tunnel->last_proof_at,
                             .last_proof_in = tunnel->last_proof_in,
                             .before = tunnel_lead_in(tunnel),
                             .traffic = life_traffic_was_flowing(tunnel, time) };
}

/* Is a peer sending into the void: ESP or requests that nobody answers? */
static bool
was_one_sided(const tunnel_t *tunnel, capture_ns_t now)
{
    if (tunnel_is_one_direction(tunnel))
        return false;
    for (unsigned p = 0; p < PEERS; p++) {
        const peer_state_t *peer = &tunnel->peer[p];
        if (peer->run_packets >= ONE_SIDED_PACKETS && duration_between(peer->run_began_at, peer->last_esp_at) >= ONE_SIDED_TIME &&
            duration_between(peer->last_esp_at, now) <= FLOWING && tunnel->last_answer_at <= peer->run_began_at)
            return true;
    }
    return false;
}

/* The IKE SA whose place a new one may take: not one of other identities, which stands beside it (RFC 7296 2.4). */
static ike_sa_t *
predecessor(const ike_sa_t *ike_sa)
{
    for (unsigned i = ike_sa->tunnel->ike_sas->len; i-- > 0;) {
        ike_sa_t *other = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        if (other != ike_sa && ike_sa_is_usable(other) && !ike_sa_is_of_others(other, ike_sa))
            return other;
    }
    return NULL;
}

/* One of other identities between the same two gateways: what flows may be its own. */
static bool
has_neighbour(const ike_sa_t *ike_sa)
{
    for (unsigned i = 0; i < ike_sa->tunnel->ike_sas->len; i++) {
        const ike_sa_t *other = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        if (other != ike_sa && ike_sa_is_usable(other) && ike_sa_is_of_others(other, ike_sa))
            return true;
    }
    return false;
}

/* Both peers began at once: each IKE SA was being negotiated before the other was established. Neither replaces a lost one. */
static bool
began_at_once(const ike_sa_t *ike_sa, const ike_sa_t *other)
{
    return other->established_at != CAPTURE_TIME_NONE && ike_sa->first_time <= other->established_at;
}

/* RFC 7296 2.4: the peer says that it has no other SA with these identities; so it has lost the one that was still in use. Where the
 * capture does not show whose that one was, only a peer that no longer used it has lost it. */
static bool
has_lost(const ike_sa_t *ike_sa, const ike_sa_t *before)
{
    const peer_state_t *peer = &ike_sa->tunnel->peer[ike_sa->original_initiator];

    if (!ike_sa->initial_contact || before == NULL)
        return false;
    return ike_sa_is_of_same(ike_sa, before) || peer->last_esp_at == CAPTURE_TIME_NONE ||
           duration_between(peer->last_esp_at, ike_sa->first_time) > IN_USE;
}

static bool
is_made_anew_at_once(const tunnel_t *tunnel, const ike_sa_t *ike_sa, capture_ns_t now)
{
    return tunnel->loss.kind == LOSS_DELETED && duration_between(tunnel->loss.at, ike_sa->first_time) <= REAUTHENTICATION_GAP &&
           duration_between(tunnel->loss.at, now) <= REAUTHENTICATION_DONE;
}

/* The DELETE did what it was for: later trouble has another cause. */
static void
reauthenticated(engine_t *engine, ike_sa_t *ike_sa, change_t *change)
{
    tunnel_t *tunnel = ike_sa->tunnel;
    loss_t loss = tunnel->loss;
    finding_t *deletion = (finding_t *)tunnel_latest_finding(tunnel, FINDING_clean_delete, loss.by); /* the engine owns it */

    if (deletion != NULL)
        deletion->over_at = change->time;
    tunnel->loss = (loss_t){ .kind = LOSS_NONE };
    change->kind = CHANGE_REAUTHENTICATED;
    change->loss = &loss;
    engine_judge(engine, tunnel, change);
    change->loss = NULL;
    engine_line_of_reauthentication(engine, tunnel, ike_sa, change->frame, change->time);
}

/* The request by which a peer ended the IKE SA before `next` began, though the capture has no answer: IKEv1 sends none, or it is missing.
 * NULL: there is none. Who deletes an IKE SA and starts anew has not lost it. */
static exchange_t *
farewell_on(const ike_sa_t *ike_sa, const ike_sa_t *next)
{
    exchange_t *last = ike_sa->exchanges->len > 0 ? g_ptr_array_index(ike_sa->exchanges, ike_sa->exchanges->len - 1) : NULL;
    bool is_read = last != NULL && last->kind == EXCHANGE_DELETE_IKE && last->kind_confidence == CONFIDENCE_OBSERVED;

    bool is_unanswered = is_read && exchange_is_waiting(last) && last->transmissions == 1 && last->last_sent_at <= next->first_time;

    return is_unanswered || ike_sa_looks_deleted(ike_sa) ? last : NULL;
}

static void
close_by_farewell(engine_t *engine, ike_sa_t *ike_sa, exchange_t *farewell)
{
    if (farewell->kind != EXCHANGE_DELETE_IKE)
        engine_name_exchange(engine, farewell, EXCHANGE_DELETE_IKE, CONFIDENCE_INFERRED);
    ike_sa_close(ike_sa, farewell->requester, farewell->kind_confidence, ike_sa->last_message_in, ike_sa->last_message_at);
    life_lost(ike_sa->tunnel, LOSS_DELETED, farewell->requester, farewell->kind_confidence, ike_sa->last_message_in,
              ike_sa->last_message_at);
}

/* The tunnel worked until a moment before `next` began, and something that was said in between is not in the capture: the request of
 * IKE_SA_INIT, or one on the old IKE SA of which there is but the answer. So a DELETE may be missing too. */
static bool
may_have_been_deleted_unseen(const ike_sa_t *ike_sa, const ike_sa_t *next)
{
    const exchange_t *first = next->exchanges->len > 0 ? g_ptr_array_index(next->exchanges, 0) : NULL;
    bool began_unseen = next->major == 2 && (first == NULL || !exchange_is_init(first));
    bool ends_with_orphan = ike_sa->early_answer != NULL && ike_sa->early_answer_at == ike_sa->last_message_at;

    return (began_unseen || ends_with_orphan) &&
           duration_between(ike_sa->tunnel->last_proof_at, next->first_time) <= REAUTHENTICATION_GAP;
}

/* What it means for the tunnel that this IKE SA has come up. */
static void
established(engine_t *engine, ike_sa_t *ike_sa, frame_t frame, capture_ns_t time)
{
    tunnel_t *tunnel = ike_sa->tunnel;
    ike_sa_t *before = predecessor(ike_sa);
    change_t change = { .kind = CHANGE_IKE_SA_ESTABLISHED, .frame = frame, .time = time, .sender = PEER_UNKNOWN, .ike_sa = ike_sa };

    engine_judge(engine, tunnel, &change);
    bool stands_beside = has_neighbour(ike_sa);
    bool one_sided = !stands_beside && was_one_sided(tunnel, ike_sa->first_time);
    if (before != NULL && began_at_once(ike_sa, before))
        before = NULL;
    if (!stands_beside) /* what flowed on the old SAs says nothing of the new */
        tunnel->peer[PEER_A].run_packets = tunnel->peer[PEER_B].run_packets = 0;
    exchange_t *farewell = before != NULL ? farewell_on(before, ike_sa) : NULL;
    if (tunnel->loss.kind == LOSS_NONE && farewell != NULL)
        close_by_farewell(engine, before, farewell);
    if (ike_sa->initial_contact && !stands_beside) {
        tunnel->fresh_start[ike_sa->original_initiator].in = frame;
        tunnel->fresh_start[ike_sa->original_initiator].at = time;
        tunnel->fresh_start[ike_sa->original_initiator].lineage = tunnel->lineage;
    }
    if (tunnel->loss.kind == LOSS_NONE && has_lost(ike_sa, before) && !may_have_been_deleted_unseen(before, ike_sa))
        life_lost(tunnel, LOSS_REPLACED, ike_sa->original_initiator, CONFIDENCE_OBSERVED, frame, time);
    if (tunnel->loss.kind == LOSS_NONE && before != NULL && before->is_disowned)
        life_lost(tunnel, LOSS_REPLACED, ike_sa->original_initiator, CONFIDENCE_OBSERVED, frame, time);
    if (tunnel->loss.kind == LOSS_NONE && one_sided && (before != NULL || tunnel->was_up))
        life_lost(tunnel, LOSS_REPLACED, ike_sa->original_initiator, CONFIDENCE_INFERRED, frame, time);

    bool gave_up = tunnel->loss.kind == LOSS_GAVE_UP || tunnel->loss.kind == LOSS_REPLACED;
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        ike_sa_t *other = g_ptr_array_index(tunnel->ike_sas, i);
        if (other == ike_sa || !ike_sa_is_usable(other) || ike_sa_is_of_others(other, ike_sa))
            continue;
        other->is_replaced = true;
        if (gave_up)
            other->state = IKE_SA_ABANDONED;
    }
    if (is_made_anew_at_once(tunnel, ike_sa, time)) {
        reauthenticated(engine, ike_sa, &change);
    } else if (tunnel->loss.kind != LOSS_NONE) {
        recovered(engine, tunnel, frame, time);
    } else if (before != NULL && duration_between(tunnel->last_proof_at, ike_sa->first_time) > QUIET_BEFORE_NEW_START) {
        note_unknown(tunnel, ike_sa->first_frame, ike_sa->first_time);
    }
    life_proved(tunnel, time, frame);
    engine_note_rivals(engine, tunnel, frame, time);
}

void
life_established(engine_t *engine, ike_sa_t *ike_sa, frame_t frame, capture_ns_t time)
{
    tunnel_t *tunnel = ike_sa->tunnel;

    established(engine, ike_sa, frame, time);
    tunnel->last_answer_at = time;
    tunnel->last_answer_in = frame;
    tunnel->last_answer_words = "negotiation of the IKE SA";
}

void
life_child_up(engine_t *engine, tunnel_t *tunnel, frame_t frame, capture_ns_t time)
{
    tunnel->live_children++;
    tunnel->children_made++;
    tunnel->had_child = true;
    tunnel->child_ended_in = FRAME_NONE;
    if (tunnel->loss.kind == LOSS_CHILD_GONE)
        recovered(engine, tunnel, frame, time);
}

void
life_child_down(tunnel_t *tunnel, peer_t by, frame_t frame, capture_ns_t time, confidence_t confidence)
{
    if (tunnel->live_children > 0)
        tunnel->live_children--;
    if (tunnel->live_children > 0 && tunnel->refused_in_a_row > 0) {
        tunnel->child_ended_in = frame;
        tunnel->child_ended_at = time;
    }
    if (tunnel->live_children == 0 && tunnel->refused_in_a_row > 0 && tunnel->had_child)
        life_lost(tunnel, LOSS_CHILD_GONE, by, confidence, frame, time);
}
