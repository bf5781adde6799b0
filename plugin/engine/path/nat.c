/* nat.c - from where does a peer send, and has that changed on an SA that goes on?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"
#include "engine/esp/sdwan.h"
#include "engine/ike/silence.h"
#include "engine/parse/cursor.h"

#ifndef FLIPS_KEPT
#define FLIPS_KEPT 64u
#endif

/* A packet from the old port within this time was merely delayed (RFC 3948 gives no number; one second covers any path). */
#define FLIP_ALLOWANCE SECONDS(1)

/* What begins later than this after the first proof that the new endpoint works is not the flip's doing: until then its NAT may still
 * be changing, as after a failover. */
#define FLIP_SETTLES SECONDS(5)

/* A request that begins within this time of a flip that nothing has overcome meanwhile fell victim to it. */
#define FLIP_HARMS SECONDS(120)

static void
count_sent(peer_state_t *from, const packet_t *packet)
{
    from->packets++;
    from->last_packet_at = capture_later(from->last_packet_at, packet->time);
    from->last_packet_in = packet->frame;
}

void
engine_account_sender(engine_t *engine, tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    if (sender == PEER_UNKNOWN)
        return;
    peer_state_t *from = &tunnel->peer[sender], *to = &tunnel->peer[peer_other(sender)];

    bool has_moved = !endpoint_same_address(&from->last, &packet->source);

    engine_use_mappings(tunnel, sender, packet);
    if (from->packets == 0 || !endpoint_equal(&from->last, &packet->source) || !endpoint_equal(&to->last, &packet->destination))
        engine_note_path(engine, tunnel, &packet->source, &packet->destination);
    count_sent(from, packet);
    from->last = packet->source;
    if (packet->kind == PACKET_IKE)
        from->last_ike_in = packet->frame;
    if (to->packets == 0)
        to->last = packet->destination;
    if (has_moved)
        engine_list_tunnel(engine, tunnel);
}

void
engine_account_steady_sender(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    engine_use_mappings(tunnel, sender, packet);
    count_sent(&tunnel->peer[sender], packet);
}

static flip_t *
add_flip(tunnel_t *tunnel, const flip_t *flip)
{
    if (tunnel->flips->len >= FLIPS_KEPT)
        g_array_remove_index(tunnel->flips, 0);
    g_array_append_val(tunnel->flips, *flip);
    return &g_array_index(tunnel->flips, flip_t, tunnel->flips->len - 1);
}

static bool
is_unexplained_loss(const finding_t *finding, peer_t moved)
{
    bool is_loss = finding->id == FINDING_rekey_no_response || finding->id == FINDING_dpd_loss;

    return is_loss && finding->cause == NULL && finding->incident == INDEX_NONE && finding->culprit != moved;
}

/* What was lost for want of the new port is explained now. */
static void
explain_by(const tunnel_t *tunnel, const finding_t *flip)
{
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (is_unexplained_loss(finding, flip->culprit))
            finding->cause = flip;
    }
}

/* A NAT may have forgotten a mapping that was silent for as long as keepalives are usually apart (RFC 3948 4, RFC 4787 4.3). */
#define IDLE_FOR_A_NAT SECONDS(20)

/* The peer, idle before, sends from another port on the same SA: what was sent to the old one after that silence probably met a mapping
 * that was gone. One that keeps its mapping alive and stops doing so was away itself. */
static void
explain_by_idle_mapping(const tunnel_t *tunnel, const flip_t *flip)
{
    bool sends_keepalives = tunnel->peer[flip->peer].mapping.keepalive_at != CAPTURE_TIME_NONE;

    if (flip->is_return || flip->is_hop || flip->is_other_spi || flip->is_shown_whole || sends_keepalives)
        return;
    for (unsigned i = 0; i < tunnel->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        bool was_idle = duration_between(flip->last_old_time, finding->began_at) >= IDLE_FOR_A_NAT;
        if (is_unexplained_loss(finding, flip->peer) && was_idle)
            finding->cause = flip->finding;
    }
}

static void
tell_kept_flip(engine_t *engine, tunnel_t *tunnel, flip_t *kept, const change_t *context)
{
    change_t change = *context;

    change.kind = CHANGE_PEER_MOVED;
    change.flip = kept;
    engine_judge(engine, tunnel, &change);
    const finding_t *found = tunnel_latest_finding(tunnel, FINDING_nat_port_flip, kept->peer);
    if (found == NULL || found->frame != change.frame)
        return;
    kept->finding = (finding_t *)found; /* the engine owns it; detectors see it const */
    explain_by_idle_mapping(tunnel, kept);
}

static void
tell_flip(engine_t *engine, tunnel_t *tunnel, const flip_t *flip, const change_t *context)
{
    tell_kept_flip(engine, tunnel, add_flip(tunnel, flip), context);
}

/* A port that a device chose itself is worth knowing; if its peer does not follow, it is a fault. */
static void
worsen(flip_t *flip, nat_grade_t grade)
{
    if (flip->finding == NULL || flip->finding->grade >= grade)
        return;
    flip->finding->grade = grade;
    if (grade > NAT_GRADE_RECOVERED)
        flip->finding->severity = SEVERITY_WARN;
}

/* The peer's IKE goes on from one endpoint and its ESP from the other, or one of its SAs from each. */
static bool
is_still_there(const flip_t *flip, packet_kind_t kind)
{
    return flip->is_ike == (kind == PACKET_IKE) ? flip->is_partial : flip->is_split;
}

/* The flip by which `receiver` left this endpoint for good; NULL: it is there. */
static flip_t *
departure_from(const tunnel_t *tunnel, peer_t receiver, const endpoint_t *endpoint)
{
    for (unsigned i = tunnel->flips->len; i-- > 0;) {
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer != receiver)
            continue;
        if (flip->is_announced || endpoint_equal(endpoint, &flip->new_endpoint))
            return NULL;
        if (endpoint_equal(endpoint, &flip->old_endpoint))
            return flip;
    }
    return NULL;
}

/* The flip after which nobody is at this endpoint any more, or NULL. */
static flip_t *
flip_that_left(const tunnel_t *tunnel, peer_t receiver, packet_kind_t kind, const endpoint_t *endpoint)
{
    flip_t *flip = tunnel->flips->len > 0 ? departure_from(tunnel, receiver, endpoint) : NULL;

    return flip != NULL && (!tunnel->both_sides_of_nat || flip->is_far_side) && !is_still_there(flip, kind) ? flip : NULL;
}

static bool
is_past_allowance(const flip_t *flip, capture_ns_t time)
{
    return duration_between(flip->time, time) > FLIP_ALLOWANCE;
}

bool
engine_is_stale(const tunnel_t *tunnel, peer_t receiver, packet_kind_t kind, const endpoint_t *endpoint, capture_ns_t time)
{
    const flip_t *flip = flip_that_left(tunnel, receiver, kind, endpoint);

    return flip != NULL && is_past_allowance(flip, time);
}

static void
is_not_over(flip_t *flip)
{
    flip->recovered_at = CAPTURE_TIME_NONE;
    if (flip->finding != NULL)
        flip->finding->over_at = CAPTURE_TIME_NONE;
}

/* Who had followed a move and then sends to the old endpoint may have seen the peer return, a moment before the capture shows it. */
static bool
knows_better(flip_t *flip, capture_ns_t time)
{
    if (!flip->is_followed)
        return false;
    if (flip->back_at == CAPTURE_TIME_NONE)
        flip->back_at = time;
    return duration_between(flip->back_at, time) < SHORTEST_TIMER;
}

/* The other peer still sends to where the flipped peer no longer is. */
static void
watch_destination(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    peer_t receiver = peer_other(sender);
    flip_t *latest = tunnel->flips->len > 0 ? tunnel_latest_flip(tunnel, receiver) : NULL;

    if (latest != NULL && endpoint_equal(&latest->new_endpoint, &packet->destination))
        latest->is_followed = true;
    flip_t *flip = flip_that_left(tunnel, receiver, packet->kind, &packet->destination);
    bool is_late = flip != NULL && is_past_allowance(flip, packet->time);
    if (flip == NULL || packet->time < flip->time || (is_late && knows_better(flip, packet->time)))
        return;
    if (flip->to_old_packets++ == 0) {
        flip->to_old_began_in = packet->frame;
        flip->to_old_began_at = packet->time;
    }
    if (!is_late)
        return;
    if (flip->to_old_first_frame == FRAME_NONE)
        flip->to_old_first_frame = packet->frame;
    flip->to_old_last_frame = packet->frame;
    worsen(flip, NAT_GRADE_HARMFUL);
    is_not_over(flip);
    is_not_over(latest);
}

void
engine_flip_is_overcome(tunnel_t *tunnel, peer_t peer, const endpoint_t *endpoint, capture_ns_t time)
{
    const flip_t *latest = tunnel->flips->len > 0 ? tunnel_latest_flip(tunnel, peer) : NULL;

    if (latest == NULL || !endpoint_equal(&latest->new_endpoint, endpoint) || time < latest->time)
        return;
    for (unsigned i = tunnel->flips->len; i-- > 0;) { /* those before it are overcome with it */
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer != peer)
            continue;
        if (flip->recovered_at != CAPTURE_TIME_NONE)
            return;
        flip->recovered_at = time;
        worsen(flip, NAT_GRADE_RECOVERED);
        if (flip->finding != NULL)
            flip->finding->over_at = duration_sum(time, FLIP_SETTLES);
    }
}

void
engine_flips_overcome_by_answer(tunnel_t *tunnel, const exchange_t *exchange, const packet_t *answer)
{
    peer_t requester = exchange->requester;

    if (endpoint_equal(&exchange->source, &answer->destination))
        engine_flip_is_overcome(tunnel, requester, &exchange->source, answer->time);
    if (endpoint_equal(&exchange->destination, &answer->source))
        engine_flip_is_overcome(tunnel, peer_other(requester), &exchange->destination, answer->time);
}

/* Sent to where its receiver no longer was, or begun before anything showed that the new endpoint works. */
static bool
is_victim(const flip_t *flip, const exchange_t *exchange)
{
    bool was_sent_to_old = exchange->requester != flip->peer && endpoint_equal(&exchange->destination, &flip->old_endpoint) &&
                           exchange->last_sent_at > flip->time;
    bool is_after = flip->time <= exchange->first_sent_at && duration_between(flip->time, exchange->first_sent_at) < FLIP_HARMS;
    bool is_over =
        flip->recovered_at != CAPTURE_TIME_NONE && duration_between(flip->recovered_at, exchange->first_sent_at) > FLIP_SETTLES;

    return was_sent_to_old || (is_after && !is_over);
}

/* A request that was already waiting when the capture showed the flip: the NAT had changed before. */
static void
explain_waiting(const tunnel_t *tunnel, const flip_t *flip, const exchange_t *exchange)
{
    for (unsigned i = tunnel->findings->len; i-- > 0;) {
        finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        bool is_about = (finding->id == FINDING_rekey_no_response || finding->id == FINDING_dpd_loss) &&
                        finding->began_in == exchange->sent_in[0];
        if (is_about && finding->cause == NULL && flip->finding != NULL)
            finding->cause = flip->finding;
        if (finding->began_at < exchange->first_sent_at)
            return;
    }
}

void
engine_flips_blame(tunnel_t *tunnel, const exchange_t *exchange)
{
    if (tunnel->flips->len == 0 || tunnel_is_one_direction(tunnel) || silence_of(tunnel, exchange).kind == SILENCE_UNSEEN)
        return;
    for (unsigned i = 0; i < tunnel->flips->len; i++) {
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (!is_victim(flip, exchange))
            continue;
        worsen(flip, NAT_GRADE_HARMFUL);
        explain_waiting(tunnel, flip, exchange);
    }
}

void
engine_note_move(tunnel_t *tunnel, peer_t sender, endpoint_t *sa_source, const packet_t *packet)
{
    flip_t flip = { .peer = sender,
                    .is_ike = true,
                    .old_endpoint = *sa_source,
                    .new_endpoint = packet->source,
                    .frame = packet->frame,
                    .time = packet->time,
                    .back_at = CAPTURE_TIME_NONE,
                    .recovered_at = CAPTURE_TIME_NONE,
                    .is_announced = true };

    *sa_source = packet->source;
    add_flip(tunnel, &flip);
}

void
engine_tell_move(engine_t *engine, tunnel_t *tunnel, const flip_t *flip, const packet_t *packet)
{
    change_t change = { .frame = packet->frame, .time = packet->time, .packet = packet, .sender = flip->peer };

    if (tunnel->both_sides_of_nat)
        add_flip(tunnel, flip);
    else
        tell_flip(engine, tunnel, flip, &change);
}

void
engine_check_move(engine_t *engine, tunnel_t *tunnel, peer_t sender, endpoint_t *sa_source, const packet_t *packet,
                  const change_t *context)
{
    flip_t *latest = tunnel_latest_flip(tunnel, sender);

    if (packet->encapsulation == ENCAPSULATION_TCP) { /* RFC 9329 6.1: a new connection may come from anywhere */
        *sa_source = packet->source;
        return;
    }
    watch_destination(tunnel, sender, packet);
    if (sa_source->family == ADDRESS_NONE)
        *sa_source = packet->source;
    if (endpoint_equal(sa_source, &packet->source)) {
        bool still_old = latest != NULL && !latest->is_shown_whole && endpoint_equal(&latest->old_endpoint, &packet->source);
        if (still_old && duration_between(latest->time, packet->time) > FLIP_ALLOWANCE) {
            bool is_same_protocol = latest->is_ike == (packet->kind == PACKET_IKE);
            latest->is_partial |= is_same_protocol;
            latest->is_split |= !is_same_protocol;
            worsen(latest, NAT_GRADE_SPLIT);
        }
        return;
    }
    if (latest != NULL && endpoint_equal(&latest->new_endpoint, &packet->source)) {
        *sa_source = packet->source; /* the same move, now on another SA */
        return;
    }
    if (latest != NULL && endpoint_equal(&latest->old_endpoint, &packet->source) &&
        duration_between(latest->time, packet->time) <= FLIP_ALLOWANCE)
        return; /* a delayed packet from before the move */

    bool moved_address = !endpoint_same_address(sa_source, &packet->source);
    if (moved_address && packet->kind == PACKET_ESP && tunnel->ike_sas->len == 0) {
        engine_note_move(tunnel, sender, sa_source,
                         packet); /* it may have been announced on an IKE SA that is not in the capture */
        return;
    }
    flip_t flip = { .peer = sender,
                    .is_ike = packet->kind == PACKET_IKE,
                    .is_hop = tunnel->ike_sas_seen == 0 && sdwan_is_hop(sa_source, &packet->source),
                    .old_endpoint = *sa_source,
                    .new_endpoint = packet->source,
                    .frame = packet->frame,
                    .time = packet->time,
                    .silence = engine_silence_before_flip(tunnel, sender, &packet->source, packet->time),
                    .back_at = CAPTURE_TIME_NONE,
                    .recovered_at = CAPTURE_TIME_NONE };
    if (context->ike_sa != NULL) {
        flip.last_old_frame = context->ike_sa->last_message_in;
        flip.last_old_time = context->ike_sa->last_message_at;
    } else if (context->esp_sa != NULL) {
        flip.last_old_frame = context->esp_sa->last_frame;
        flip.last_old_time = context->esp_sa->last_time;
    }
    *sa_source = packet->source;
    flip.is_untold = tunnel->both_sides_of_nat;
    if (flip.is_untold)
        add_flip(tunnel, &flip);
    else
        tell_flip(engine, tunnel, &flip, context);
}

/* Did the other peer ask this endpoint in vain, and give up or still try? */
static bool
was_asked_in_vain(const tunnel_t *tunnel, const ike_sa_t *ike_sa, peer_t peer, const endpoint_t *endpoint)
{
    for (unsigned i = ike_sa->exchanges->len; i-- > 0;) {
        const exchange_t *exchange = g_ptr_array_index(ike_sa->exchanges, i);
        bool is_unanswered = exchange_was_abandoned(exchange) || exchange_is_waiting(exchange);
        if (exchange->requester != peer && exchange->transmissions > 1 && is_unanswered &&
            endpoint_equal(&exchange->destination, endpoint))
            return !tunnel_is_one_direction(tunnel);
    }
    return false;
}

void
engine_check_return(engine_t *engine, tunnel_t *tunnel, peer_t sender, const ike_sa_t *ike_sa, const packet_t *packet,
                    const change_t *context)
{
    const ike_sa_t *old = NULL;

    for (unsigned i = tunnel->ike_sas->len; i-- > 0 && old == NULL;) {
        const ike_sa_t *candidate = g_ptr_array_index(tunnel->ike_sas, i);
        if (candidate != ike_sa && candidate->source[sender][ENCAPSULATION_UDP].family != ADDRESS_NONE)
            old = candidate;
    }
    if (old == NULL || tunnel->both_sides_of_nat)
        return;
    const endpoint_t *before = &old->source[sender][ENCAPSULATION_UDP];
    const flip_t *latest = tunnel_latest_flip(tunnel, sender);
    bool is_known = latest != NULL && endpoint_equal(&latest->new_endpoint, &packet->source);
    /* NAT detection proves that the peer has the address itself: it chose another port, as a client that was restarted may. */
    bool has_own_address = nat_detection_is_own_address(&ike_sa->nat, sender);
    if (is_known || has_own_address || !endpoint_same_address(before, &packet->source) || before->port == packet->source.port ||
        !was_asked_in_vain(tunnel, old, sender, before))
        return;
    flip_t flip = { .peer = sender,
                    .is_ike = true,
                    .is_return = true,
                    .old_endpoint = *before,
                    .new_endpoint = packet->source,
                    .frame = packet->frame,
                    .time = packet->time,
                    .back_at = CAPTURE_TIME_NONE,
                    .recovered_at = CAPTURE_TIME_NONE,
                    .last_old_frame = old->last_message_in,
                    .last_old_time = old->last_message_at };
    tell_flip(engine, tunnel, &flip, context);
    const finding_t *found = tunnel_latest_flip(tunnel, sender)->finding;
    if (found != NULL)
        explain_by(tunnel, found);
}

/* The NAT lets a packet in: whatever it did to the receiver's mapping before is overcome. */
static void
let_in(tunnel_t *tunnel, peer_t receiver, capture_ns_t time)
{
    const flip_t *latest = tunnel->flips->len > 0 ? tunnel_latest_flip(tunnel, receiver) : NULL;

    engine_let_in(tunnel, receiver, time);
    if (latest != NULL && latest->is_shown_whole)
        engine_flip_is_overcome(tunnel, receiver, &latest->new_endpoint, time);
}

static uint64_t
spi_of(const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    uint32_t high = 0, low = 0;

    if (cursor_u32(&cursor, &high) && packet->kind == PACKET_IKE && !cursor_u32(&cursor, &low))
        return 0;
    return (uint64_t)high << 32 | low;
}

/* A packet from before the move, on its way when the NAT changed. */
static bool
is_delayed(const flip_t *latest, const far_side_t *before, const endpoint_t *source, capture_ns_t time)
{
    return latest != NULL && endpoint_equal(&latest->old_endpoint, source) && !endpoint_equal(&before->endpoint, source) &&
           duration_between(latest->time, time) <= FLIP_ALLOWANCE;
}

/* The same SA leaves the NAT from another port; with another SA it may be another client. */
static bool
has_moved_beyond(const far_side_t *before, const far_side_t *now)
{
    return before->spi == now->spi && endpoint_same_address(&before->endpoint, &now->endpoint) &&
           before->endpoint.port != now->endpoint.port;
}

void
engine_watch_far_side(engine_t *engine, tunnel_t *tunnel, peer_t sender, const packet_t *copy, const change_t *context)
{
    bool is_traffic = copy->kind == PACKET_IKE || copy->kind == PACKET_ESP;

    if (sender == PEER_UNKNOWN || copy->encapsulation != ENCAPSULATION_UDP || !is_traffic)
        return;
    let_in(tunnel, peer_other(sender), copy->time);
    bool is_ike = copy->kind == PACKET_IKE;
    far_side_t *seen = &tunnel->peer[sender].far_side[is_ike];
    far_side_t before = *seen;
    far_side_t now = { .endpoint = engine->outer_source, .spi = spi_of(copy), .last_in = copy->frame, .last_at = copy->time };
    const flip_t *latest = tunnel->flips->len > 0 ? tunnel_latest_flip(tunnel, sender) : NULL;

    if (is_delayed(latest, &before, &now.endpoint, copy->time))
        return;
    *seen = now;
    flip_t *untold = latest != NULL && latest->is_untold ? tunnel_latest_flip(tunnel, sender) : NULL;
    if (untold != NULL && before.last_in < untold->frame && endpoint_equal(&before.endpoint, &now.endpoint) &&
        before.spi == now.spi) {
        untold->is_untold = false;
        untold->is_shown_whole = untold->is_far_side = true;
        tell_kept_flip(engine, tunnel, untold, context);
        return;
    }
    bool is_known = latest != NULL && endpoint_equal(&latest->new_endpoint, &now.endpoint); /* of the other protocol */
    bool is_flip = !is_known && has_moved_beyond(&before, &now);
    duration_ns_t silence = is_flip ? engine_silence_before_flip(tunnel, sender, &now.endpoint, copy->time) : 0;
    engine_use_far_side(tunnel, sender, &now.endpoint, copy->time);
    if (!is_flip)
        return;
    flip_t flip = { .peer = sender,
                    .is_ike = is_ike,
                    .is_shown_whole = true,
                    .old_endpoint = before.endpoint,
                    .new_endpoint = now.endpoint,
                    .frame = copy->frame,
                    .time = copy->time,
                    .silence = silence,
                    .back_at = CAPTURE_TIME_NONE,
                    .recovered_at = CAPTURE_TIME_NONE,
                    .last_old_frame = before.last_in,
                    .last_old_time = before.last_at };
    tell_flip(engine, tunnel, &flip, context);
}
