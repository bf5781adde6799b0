/* points.c - one tunnel captured at two places: which is which, and how far apart are their clocks?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/points.h"

#include "engine/tunnel.h"

#include <stdlib.h>

/* One packet with another hop limit may have taken another way; several are a place. */
#define MATCHES_THAT_PROVE 3u

/* ESP with longer pauses is several runs. */
#define ESP_PAUSE SECONDS(5)

/* Packets of a peer that are seen far from it must have passed the side next to it. A capture may miss some. */
#define STRAYS_MAX 16u

static duration_ns_t
difference_of(capture_ns_t from, capture_ns_t to)
{
    return to >= from ? duration_between(from, to) : -duration_between(to, from);
}

static int
compare_durations(const void *left, const void *right)
{
    duration_ns_t a = *(const duration_ns_t *)left, b = *(const duration_ns_t *)right;

    return (a > b) - (a < b);
}

static duration_ns_t
median_difference(const points_t *points, peer_t sender)
{
    unsigned count = MIN(points->differences[sender], OFFSETS_KEPT);
    duration_ns_t sorted[OFFSETS_KEPT];

    memcpy(sorted, points->difference[sender], count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), compare_durations);
    return sorted[count / 2];
}

/* One way the difference is offset plus delay, the other way offset less delay. */
static void
compute_offset(points_t *points)
{
    bool has_a = points->differences[PEER_A] > 0, has_b = points->differences[PEER_B] > 0;
    duration_ns_t a = has_a ? median_difference(points, PEER_A) : 0, b = has_b ? median_difference(points, PEER_B) : 0;

    points->offset_is_known = has_a || has_b;
    points->delay_is_known = has_a && has_b;
    points->offset = has_a && has_b ? a / 2 + b / 2 : has_a ? a : b;
    points->delay = points->delay_is_known ? llabs(a / 2 - b / 2) : 0;
}

static void
note_difference(points_t *points, peer_t sender, int side, const seen_before_t *before, capture_ns_t time)
{
    duration_ns_t between = difference_of(before->time, time);

    if (before->is_only_one && !points->differences_are_sure) {
        points->differences[PEER_A] = points->differences[PEER_B] = 0;
        points->differences_are_sure = true;
    }
    if (!before->is_only_one && (points->differences_are_sure || !before->is_first_one))
        return;
    points->difference[sender][points->differences[sender]++ % OFFSETS_KEPT] = side == 1 ? between : -between;
    compute_offset(points);
}

static unsigned
kind_index(packet_kind_t kind)
{
    return kind == PACKET_ESP ? 1 : 0;
}

int
points_side_of(const points_t *points, const capture_point_t *point, packet_kind_t kind, peer_t sender)
{
    if (points->by_interface) {
        for (int side = 0; side < SIDES; side++) {
            if (point->interface == points->interface[side])
                return side;
        }
        return SIDE_UNKNOWN;
    }
    if (sender == PEER_UNKNOWN || point->hop_limit == 0)
        return SIDE_UNKNOWN;
    for (unsigned i = 0; i < 2; i++) { /* its own kind first */
        unsigned k = i == 0 ? kind_index(kind) : 1 - kind_index(kind);
        if (point->hop_limit == points->hops[sender][k].near_hops)
            return (int)sender;
        if (point->hop_limit == points->hops[sender][k].far_hops)
            return (int)peer_other(sender);
    }
    return SIDE_UNKNOWN;
}

int
points_side(const points_t *points, const packet_t *packet, peer_t sender)
{
    return points_side_of(points, &packet->point, packet->kind, sender);
}

int
points_near(const points_t *points, peer_t peer)
{
    if (peer == PEER_UNKNOWN)
        return SIDE_UNKNOWN;
    if (!points->by_interface)
        return (int)peer;
    int of_a = SIDE_UNKNOWN;
    if (points->nearer_to_a != 0) {
        of_a = points->nearer_to_a > 0 ? 0 : 1;
    } else if (points->delay_is_known) { /* what A sends passes A's side first */
        duration_ns_t a = median_difference(points, PEER_A), b = median_difference(points, PEER_B);
        of_a = a > b ? 0 : a < b ? 1 : SIDE_UNKNOWN;
    }
    return of_a == SIDE_UNKNOWN ? SIDE_UNKNOWN : peer == PEER_A ? of_a : 1 - of_a;
}

bool
points_are_proved(const points_t *points)
{
    return points->matched >= MATCHES_THAT_PROVE && !points->is_doubtful;
}

duration_ns_t
points_ahead(const points_t *points, int side)
{
    if (side == SIDE_UNKNOWN || !points->offset_is_known)
        return 0;
    duration_ns_t ahead = side == 1 ? points->offset : -points->offset;
    return ahead >= SHORTEST_TIMER ? ahead : 0;
}

static points_t *
points_new(const capture_point_t *first, const packet_t *packet, frame_t first_frame)
{
    points_t *points = g_new0(points_t, 1);

    points->by_interface = first->interface != packet->point.interface;
    points->interface[0] = first->interface;
    points->interface[1] = packet->point.interface;
    points->first_match_of = first_frame;
    points->first_match_in = packet->frame;
    for (int side = 0; side < SIDES; side++)
        points->first_heard[side] = points->last_heard[side] = CAPTURE_TIME_NONE;
    return points;
}

/* Every router on the way takes one off (RFC 791 3.1): the greater one is nearer to the sender. */
static void
learn_hops(points_t *points, const packet_t *packet, const capture_point_t *first, peer_t sender)
{
    uint8_t near_hops = MAX(first->hop_limit, packet->point.hop_limit), far_hops = MIN(first->hop_limit, packet->point.hop_limit);

    if (far_hops == 0 || near_hops == far_hops)
        return;
    if (points->by_interface) {
        bool first_is_near = first->hop_limit == near_hops;
        int near_side = points_side_of(points, first_is_near ? first : &packet->point, packet->kind, sender);
        if (near_side != SIDE_UNKNOWN)
            points->nearer_to_a = (near_side == 0) == (sender == PEER_A) ? 1 : -1;
        return;
    }
    unsigned kind = kind_index(packet->kind);
    bool is_new = points->hops[sender][kind].near_hops == 0;
    bool is_same = points->hops[sender][kind].near_hops == near_hops && points->hops[sender][kind].far_hops == far_hops;
    points->mismatched += !is_new && !is_same;
    if (is_new) {
        points->hops[sender][kind].near_hops = near_hops;
        points->hops[sender][kind].far_hops = far_hops;
    }
    if (points->mismatched > points->matched / 2)
        points->is_doubtful = true;
}

static peer_t
sender_of(const tunnel_t *tunnel, const packet_t *packet)
{
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);

    return sender != PEER_UNKNOWN ? sender : peer_other(tunnel_peer_at(tunnel, &packet->destination));
}

/* Until now all that was seen of the tunnel was seen at one place, as far as anybody could tell. */
static void
take_over(const tunnel_t *tunnel, points_t *points, int side)
{
    points->first_heard[side] = tunnel->first_time;
    points->last_heard[side] = tunnel->last_time;
    for (unsigned peer = 0; peer < PEERS; peer++) {
        const peer_state_t *state = &tunnel->peer[peer];
        esp_at_side_t *esp = &points->esp[peer][side];
        if (state->esp_packets == 0)
            continue;
        esp->runs = 1;
        esp->run[0] = (esp_run_t){ .packets = state->esp_packets,
                                   .first_at = tunnel->first_time,
                                   .last_at = state->last_esp_at,
                                   .first_in = tunnel->first_frame,
                                   .last_in = state->last_esp_in,
                                   .is_vague = true };
    }
}

void
points_match(tunnel_t *tunnel, const packet_t *packet, const seen_before_t *before)
{
    points_t *points = tunnel->points;
    peer_t sender = sender_of(tunnel, packet);
    bool is_first = points == NULL;

    if (sender == PEER_UNKNOWN)
        return;
    if (is_first)
        points = tunnel->points = points_new(&before->point, packet, before->frame);
    learn_hops(points, packet, &before->point, sender);
    int side = points_side(points, packet, sender);
    int first_side = points_side_of(points, &before->point, packet->kind, sender);
    if (side == SIDE_UNKNOWN || first_side == SIDE_UNKNOWN || side == first_side)
        return;
    if (is_first)
        take_over(tunnel, points, first_side);
    points->matched += before->is_only_one || before->is_first_one; /* repeats of one message prove no more */
    points->strays = 0;
    note_difference(points, sender, side, before, packet->time);
}

/* A capture that begins later than the other, or has gaps, lacks some of what passed it. A path that has changed lacks all. */
static points_verdict_t
judge_stray(points_t *points, capture_ns_t time, int leader)
{
    if (points->first_heard[leader] != CAPTURE_TIME_NONE && time < points->first_heard[leader])
        return POINTS_LEAVE;
    if (++points->strays < STRAYS_MAX)
        return POINTS_LEAVE;
    points->is_doubtful = true;
    return POINTS_TAKE;
}

void
points_note_left(tunnel_t *tunnel, const packet_t *packet, capture_ns_t time)
{
    points_t *points = tunnel->points;
    peer_t sender = sender_of(tunnel, packet);
    int other = 1 - points_near(points, sender);

    if (time < points->first_heard[other]) /* nobody listened there */
        return;
    if (points->left[sender].first_in == FRAME_NONE)
        points->left[sender].first_in = packet->frame;
    points->left[sender].last_in = packet->frame;
    points->left[sender].messages += packet->kind == PACKET_IKE;
    points->left[sender].esp_packets += packet->kind == PACKET_ESP;
}

points_verdict_t
points_judge(tunnel_t *tunnel, const packet_t *packet, capture_ns_t *ret_time)
{
    points_t *points = tunnel->points;
    peer_t sender = sender_of(tunnel, packet);

    if (points == NULL || !points_are_proved(points) || packet->time == CAPTURE_TIME_NONE)
        return POINTS_TAKE;
    int side = points_side(points, packet, sender);
    duration_ns_t ahead = points_ahead(points, side);
    if (ahead == 0)
        return POINTS_TAKE;
    *ret_time = points_shifted(packet->time, -ahead);
    if (*ret_time > tunnel->last_time)
        return POINTS_TAKE_LATER;
    if (points_near(points, sender) != side)
        return judge_stray(points, *ret_time, 1 - side);
    points_note_left(tunnel, packet, *ret_time);
    return POINTS_LEAVE;
}

static void
account_esp(esp_at_side_t *esp, const packet_t *packet)
{
    esp_run_t *run = esp->runs > 0 ? &esp->run[esp->runs - 1] : NULL;

    if (run == NULL || run->is_vague || duration_between(run->last_at, packet->time) > ESP_PAUSE) {
        if (esp->runs == ESP_RUNS_KEPT)
            memmove(&esp->run[0], &esp->run[1], --esp->runs * sizeof(esp->run[0]));
        run = &esp->run[esp->runs++];
        *run = (esp_run_t){ .first_at = packet->time, .last_at = packet->time, .first_in = packet->frame };
    }
    run->packets++;
    run->last_at = capture_later(run->last_at, packet->time);
    run->last_in = packet->frame;
}

const esp_run_t *
points_esp_run(const points_t *points, peer_t sender, int side, capture_ns_t from, capture_ns_t until, bool or_vague)
{
    const esp_at_side_t *esp = &points->esp[sender][side];

    for (unsigned i = 0; i < esp->runs; i++) {
        const esp_run_t *run = &esp->run[i];
        if (run->last_at > from && run->first_at < until && (or_vague || !run->is_vague))
            return run;
    }
    return NULL;
}

bool
points_esp_missing(const points_t *points, peer_t sender, esp_missing_t *ret_missing)
{
    int from = points_near(points, sender), to = points_near(points, peer_other(sender));

    if (!points_are_proved(points) || from == SIDE_UNKNOWN || to == SIDE_UNKNOWN || points->esp[sender][from].runs == 0 ||
        points->esp[sender][to].runs == 0)
        return false;
    const esp_run_t *left = &points->esp[sender][from].run[points->esp[sender][from].runs - 1];
    const esp_run_t *arrived = &points->esp[sender][to].run[points->esp[sender][to].runs - 1];
    if (left->is_vague || points_converted(points, left->last_at, from, to) > points->last_heard[to])
        return false;
    *ret_missing = (esp_missing_t){ .since = points_shifted(arrived->last_at, -points_ahead(points, to)),
                                    .until = points_shifted(left->last_at, -points_ahead(points, from)),
                                    .first_in = left->first_in,
                                    .last_in = left->last_in,
                                    .packets = left->packets };
    return ret_missing->until > ret_missing->since;
}

capture_ns_t
points_converted(const points_t *points, capture_ns_t time, int from, int to)
{
    if (from == to || !points->offset_is_known)
        return time;
    return points_shifted(time, to == 1 ? points->offset : -points->offset);
}

capture_ns_t
points_time_at(const points_t *points, capture_ns_t time, int side)
{
    return points_shifted(time, points_ahead(points, side));
}

void
points_account(tunnel_t *tunnel, const packet_t *packet)
{
    points_t *points = tunnel->points;
    peer_t sender = sender_of(tunnel, packet);
    int side = points_side(points, packet, sender);

    if (side == SIDE_UNKNOWN || packet->time == CAPTURE_TIME_NONE)
        return;
    if (points->first_heard[side] == CAPTURE_TIME_NONE)
        points->first_heard[side] = packet->time;
    points->last_heard[side] = capture_later(points->last_heard[side], packet->time);
    if (packet->kind == PACKET_ESP && sender != PEER_UNKNOWN)
        account_esp(&points->esp[sender][side], packet);
}
