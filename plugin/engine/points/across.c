/* across.c - how the two places of a capture (points.h) and what they saw (sightings.h) come into the analysis.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"
#include "engine/parse/cursor.h"

/* A request that was answered, but not where its sender is, may be repeated from a new address (RFC 4555 3.8): one message proves no
 * NAT between two places with two clocks. */
#define MESSAGES_ACROSS_NAT 3u

static bool
tells_where(const packet_t *packet)
{
    return (packet->kind == PACKET_IKE || packet->kind == PACKET_ESP) && capture_point_is_known(&packet->point);
}

static tunnel_t *
tunnel_of(engine_t *engine, const packet_t *packet)
{
    if (packet->kind == PACKET_ESP) {
        cursor_t cursor = cursor_over(packet->bytes, packet->captured);
        uint32_t spi = 0;
        const esp_sa_t *sa = NULL;
        if (cursor_u32(&cursor, &spi))
            sa = engine_find_esp_sa(engine, spi, &packet->source, &packet->destination, FRAME_NONE);
        if (sa != NULL)
            return sa->tunnel;
    }
    return engine_tunnel_for_packet(engine, packet);
}

static void
match(engine_t *engine, const packet_t *packet, const seen_before_t *before)
{
    tunnel_t *tunnel = tunnel_of(engine, packet);

    if (tunnel == NULL)
        return;
    bool had_points = tunnel->points != NULL;
    points_match(tunnel, packet, before);
    engine->tunnels_at_two_points += !had_points && tunnel->points != NULL;
    engine->latest_at_two_points = tunnel->index;
}

static bool
is_between_same(const packet_t *packet, const seen_before_t *before)
{
    return endpoint_equal(&packet->source, &before->source) && endpoint_equal(&packet->destination, &before->destination);
}

/* Is it between the same four addresses as the last message that two places showed with different ones? */
static bool
is_of_other_side(const engine_t *engine, const packet_t *packet, const seen_before_t *before)
{
    const other_side_t *side = &engine->other_side;
    bool is_same = endpoint_same_address(&side->source, &packet->source) &&
                   endpoint_same_address(&side->destination, &packet->destination) &&
                   endpoint_same_address(&side->first_source, &before->source) &&
                   endpoint_same_address(&side->first_destination, &before->destination);
    bool is_reverse = endpoint_same_address(&side->source, &packet->destination) &&
                      endpoint_same_address(&side->destination, &packet->source) &&
                      endpoint_same_address(&side->first_source, &before->destination) &&
                      endpoint_same_address(&side->first_destination, &before->source);
    return is_same || is_reverse;
}

/* Are these two the sides of a NAT, as several messages between them show? */
static bool
is_proved_side(engine_t *engine, const packet_t *packet, uint64_t fingerprint, const seen_before_t *before)
{
    other_side_t *side = &engine->other_side;

    if (packet->kind == PACKET_ESP) /* is never sent twice */
        return true;
    if (!is_of_other_side(engine, packet, before))
        *side = (other_side_t){ .source = packet->source,
                                .destination = packet->destination,
                                .first_source = before->source,
                                .first_destination = before->destination };
    side->messages += side->messages == 0 || side->fingerprint != fingerprint;
    side->fingerprint = fingerprint;
    return side->messages >= MESSAGES_ACROSS_NAT;
}

/* The other sighting came more than a moment before, by the clocks of two places. */
static copy_kind_t
judge_late_copy(engine_t *engine, const packet_t *captured, packet_t *packet, uint64_t fingerprint, const seen_before_t *before)
{
    const tunnel_t *tunnel = tunnel_of(engine, packet);
    bool is_known = tunnel != NULL && tunnel->points != NULL && !tunnel->points->is_doubtful;
    bool is_doubtful = tunnel != NULL && tunnel->points != NULL && tunnel->points->is_doubtful;
    bool is_expected = engine->other_side.messages + 1 >= MESSAGES_ACROSS_NAT && is_of_other_side(engine, packet, before);

    if (is_doubtful || (!before->is_sure && !is_known && !is_expected))
        return COPY_NONE;
    if (is_between_same(packet, before)) {
        match(engine, packet, before);
        return COPY_SAME;
    }
    if (!is_proved_side(engine, packet, fingerprint, before))
        return COPY_ELSEWHERE;
    copies_learn(engine->copies, captured, &before->source, &before->destination);
    packet->source = copies_canonical(engine->copies, &captured->source);
    packet->destination = copies_canonical(engine->copies, &captured->destination);
    match(engine, packet, before);
    return COPY_OTHER_SIDE;
}

/* An answer that the leading place did not get, though it went on to capture: its peer has none. */
static bool
is_answer_in_vain(const engine_t *engine, const tunnel_t *tunnel, const packet_t *packet, capture_ns_t time)
{
    const points_t *points = tunnel->points;
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    int near = points_near(points, sender);
    const interface_t *other =
        points->by_interface && near != SIDE_UNKNOWN ? interfaces_find(engine->interfaces, points->interface[1 - near]) : NULL;

    return sightings_is_answer(packet) && points_side(points, packet, sender) == near && other != NULL && other->last_at > time;
}

static copy_kind_t
judge_new(engine_t *engine, packet_t *packet)
{
    tunnel_t *tunnel = engine->tunnels_at_two_points > 0 ? tunnel_of(engine, packet) : NULL;
    capture_ns_t time = packet->time;

    if (tunnel == NULL || tunnel->points == NULL)
        return COPY_NONE;
    switch (points_judge(tunnel, packet, &time)) {
    case POINTS_LEAVE:
        return COPY_ELSEWHERE;
    case POINTS_TAKE_LATER:
        if (is_answer_in_vain(engine, tunnel, packet, time)) {
            points_note_left(tunnel, packet, time);
            return COPY_ELSEWHERE;
        }
        packet->time = time;
        return COPY_NONE;
    default:
        return COPY_NONE;
    }
}

/* Keepalives all look alike, and ICMP errors have no place in a sequence: the place whose clock the analysis follows shows the same
 * keepalives, and of an error it may be the only one that does not know. */
static copy_kind_t
judge_other(engine_t *engine, packet_t *packet)
{
    const tunnel_t *tunnel = engine->tunnels_at_two_points > 0 ? engine_tunnel_for_packet(engine, packet) : NULL;
    const points_t *points = tunnel != NULL ? tunnel->points : NULL;

    if (points == NULL || points->is_doubtful || packet->time == CAPTURE_TIME_NONE)
        return COPY_NONE;
    duration_ns_t ahead = points_ahead(points, points_side(points, packet, tunnel_peer_at(tunnel, &packet->source)));
    if (ahead == 0)
        return COPY_NONE;
    packet->time = points_shifted(packet->time, -ahead);
    bool is_known = packet->kind == PACKET_NAT_KEEPALIVE || tunnel_has_icmp_about(tunnel, packet);
    return is_known ? COPY_ELSEWHERE : COPY_NONE;
}

/* A log line belongs to no path: its place's clock is known when that place is one of a tunnel's two. */
static void
correct_time_of_line(const engine_t *engine, packet_t *packet)
{
    const tunnel_t *tunnel =
        engine->tunnels_at_two_points > 0 ? g_ptr_array_index(engine->tunnels, engine->latest_at_two_points) : NULL;
    const points_t *points = tunnel != NULL ? tunnel->points : NULL;

    if (points == NULL || !points->by_interface || !points_are_proved(points) || packet->time == CAPTURE_TIME_NONE)
        return;
    int side = points_side_of(points, &packet->point, packet->kind, PEER_UNKNOWN);
    packet->time = points_shifted(packet->time, -points_ahead(points, side));
}

/* Was this ESP packet seen at another place, among the latest or long before? */
static bool
esp_was_seen(const engine_t *engine, const packet_t *packet, const first_copy_t *first, seen_before_t *ret_before)
{
    const seen_packet_t *sample = sightings_sample(engine->sightings, packet, first->fingerprint);

    if (first->earlier != NULL) { /* as captured: what the analysis knows of its endpoints may have changed since */
        seen_packet_t earlier = *first->earlier;
        earlier.source = copies_canonical(engine->copies, &earlier.source);
        earlier.destination = copies_canonical(engine->copies, &earlier.destination);
        if (sightings_of_esp(&earlier, packet, ret_before))
            return true;
    }
    return sample != NULL && sightings_of_esp(sample, packet, ret_before);
}

/* With its own time, between the endpoints that the analysis knows. */
static void
keep_esp(engine_t *engine, const packet_t *captured, const packet_t *packet, uint64_t fingerprint)
{
    packet_t kept = *packet;

    kept.time = captured->time;
    sightings_keep_esp(engine->sightings, &kept, fingerprint);
}

bool
engine_is_seen_once(const engine_t *engine, const packet_t *packet, const first_copy_t *first)
{
    return first->fingerprint != 0 && first->earlier == NULL && engine->tunnels_at_two_points == 0 &&
           sightings_sample(engine->sightings, packet, first->fingerprint) == NULL;
}

void
engine_keep_seen_once(engine_t *engine, const packet_t *packet, const first_copy_t *first)
{
    if (capture_point_is_known(&packet->point))
        sightings_keep_esp(engine->sightings, packet, first->fingerprint);
}

static bool
have_clocks_apart(engine_t *engine, const packet_t *packet)
{
    const tunnel_t *tunnel = engine->tunnels_at_two_points > 0 ? tunnel_of(engine, packet) : NULL;

    return tunnel != NULL && tunnel->points != NULL && points_are_proved(tunnel->points) &&
           (points_ahead(tunnel->points, 0) > 0 || points_ahead(tunnel->points, 1) > 0);
}

copy_kind_t
engine_across_points(engine_t *engine, const packet_t *captured, packet_t *packet, copy_kind_t copy, const first_copy_t *first)
{
    seen_before_t before = { .frame = FRAME_NONE };
    bool is_esp = packet->kind == PACKET_ESP, is_seen = false;
    bool is_elsewhere = copy != COPY_NONE && capture_points_differ(&first->point, &packet->point);

    if (packet->kind == PACKET_SYSLOG) {
        correct_time_of_line(engine, packet);
        return copy;
    }
    if (packet->kind == PACKET_NAT_KEEPALIVE || packet->kind == PACKET_ICMP_ERROR)
        return copy == COPY_NONE ? judge_other(engine, packet) : copy;
    if (!tells_where(packet) || first->fingerprint == 0)
        return copy;
    if (is_elsewhere && !is_esp && have_clocks_apart(engine, packet))
        copy = COPY_NONE; /* a repeat here and an earlier one's copy there fell together: counting tells */
    if (!is_esp)
        is_seen = sightings_of_message(engine->sightings, packet, first->fingerprint, copy != COPY_NONE, &before);
    else if (copy == COPY_NONE)
        is_seen = esp_was_seen(engine, packet, first, &before);
    if (copy != COPY_NONE) {
        before = (seen_before_t){ .frame = first->frame, .time = first->time, .point = first->point, .is_only_one = true };
        if (is_elsewhere)
            match(engine, packet, &before);
        return copy;
    }
    if (is_seen)
        copy = judge_late_copy(engine, captured, packet, first->fingerprint, &before);
    if (copy != COPY_NONE)
        return copy;
    if (is_seen && !is_esp)
        sightings_account(engine->sightings, first->fingerprint);
    copy = judge_new(engine, packet);
    if (copy == COPY_NONE && is_esp)
        keep_esp(engine, captured, packet, first->fingerprint);
    return copy;
}

void
engine_note_point(engine_t *engine, const packet_t *captured, const packet_t *packet)
{
    if (engine->tunnels_at_two_points == 0 || !tells_where(packet))
        return;
    tunnel_t *tunnel = tunnel_of(engine, packet);
    if (tunnel == NULL || tunnel->points == NULL)
        return;
    packet_t seen = *packet;
    seen.time = captured->time;
    points_account(tunnel, &seen);
}

capture_ns_t
engine_points_watched_until(const engine_t *engine, const tunnel_t *tunnel, capture_ns_t end)
{
    const points_t *points = tunnel->points;
    capture_ns_t until = CAPTURE_TIME_NONE;

    if (points == NULL || points->is_doubtful || (points_ahead(points, 0) == 0 && points_ahead(points, 1) == 0))
        return end;
    for (int side = 0; side < SIDES; side++) {
        const interface_t *interface = points->by_interface ? interfaces_find(engine->interfaces, points->interface[side]) : NULL;
        capture_ns_t heard = interface != NULL ? interface->last_at : points->last_heard[side];
        if (heard != CAPTURE_TIME_NONE)
            until = capture_later(until, points_shifted(heard, -points_ahead(points, side)));
    }
    return until == CAPTURE_TIME_NONE ? end : capture_later(MIN(until, end), tunnel->last_time);
}
