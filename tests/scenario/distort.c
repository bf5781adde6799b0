/* distort.c - mirror ports, one-way taps, snaplens, both sides of a NAT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "distort.h"

#include "bytes.h"

#define COPY_DELAY (MILLISECONDS(1) / 50) /* 20 us */
#define NAT_DELAY (MILLISECONDS(3) / 100) /* 30 us */
#define REORDER_SPAN MILLISECONDS(1)

enum { ETHERNET_HEADER = 14, IPV4_HEADER = 20, UDP_HEADER = 8, NON_ESP_MARKER = 4 };

/* A view with the place it takes in the file, which need not be that of its time. */
typedef struct {
    view_t view;
    capture_ns_t place;
    unsigned order;
} placed_t;

play_options_t
distortion_play_options(distortion_t distortion)
{
    return (play_options_t){ .force_nat = distortion == DISTORTION_BOTH_SIDES, .ipv6 = distortion == DISTORTION_IPV6 };
}

static void
add_view(GArray *placed, const shot_t *shot, capture_ns_t time, capture_ns_t place, bool is_inside)
{
    placed_t item = { .place = place, .order = placed->len };

    item.view.shot = shot;
    item.view.time = time;
    item.view.source = is_inside ? shot->inside_source : shot->source;
    item.view.destination = is_inside ? shot->inside_destination : shot->destination;
    item.view.captured = shot->bytes != NULL ? shot->bytes->len : 0;
    g_array_append_val(placed, item);
}

enum { POINTS = 2, NEAR_HOPS = 64, FAR_HOPS = 61 };

two_points_t
distortion_points(distortion_t distortion)
{
    switch (distortion) {
    case DISTORTION_TWO_POINTS_AHEAD:
        return (two_points_t){ .offset = SECONDS(3600), .by_hops = true };
    case DISTORTION_TWO_POINTS_BEHIND:
        return (two_points_t){ .offset = -SECONDS(2) };
    default:
        return (two_points_t){ .offset = 0 };
    }
}

/* Near the first peers and near the last; a NAT is between the two. What is lost has been seen where it was sent only. */
static void
add_two_points(GArray *placed, const shot_t *shot, const two_points_t *points)
{
    for (unsigned point = 0; point < POINTS; point++) {
        bool is_near = shot->is_foreign || (point == 0) == shot->towards_later;
        bool is_inside = !points->both_outside && !shot->is_foreign && shot->is_natted && is_near == shot->sent_from_inside;
        capture_ns_t time = shot->time + (is_near ? 0 : NAT_DELAY) + (point == 1 ? points->offset : 0);
        if (!is_near && (shot->is_lost || (is_inside && shot->dies_at_nat)))
            continue;
        add_view(placed, shot, time, time, is_inside);
        view_t *view = &g_array_index(placed, placed_t, placed->len - 1).view;
        view->point.interface = points->by_hops ? 1 : 1 + point;
        view->point.hop_limit = is_near ? NEAR_HOPS : FAR_HOPS;
    }
}

/* Both sides of the NAT, in the order in which the packet passes them. */
static void
add_both_sides(GArray *placed, const shot_t *shot)
{
    bool inside_first = shot->sent_from_inside;
    capture_ns_t later = shot->time + NAT_DELAY;

    if (shot->is_foreign || !shot->is_natted) {
        add_view(placed, shot, shot->time, shot->time, false);
        return;
    }
    if (inside_first)
        add_view(placed, shot, shot->time, shot->time, true);
    add_view(placed, shot, inside_first ? later : shot->time, inside_first ? later : shot->time, false);
    if (!inside_first && !shot->dies_at_nat)
        add_view(placed, shot, later, later, true);
}

static size_t
snapped(const shot_t *shot, size_t snaplen)
{
    size_t headers = ETHERNET_HEADER + IPV4_HEADER;
    size_t length = shot->bytes != NULL ? shot->bytes->len : 0;

    bool is_esp = shot->kind == PACKET_ESP || shot->kind == PACKET_ESP_FRAGMENT;
    if (!is_esp || shot->encapsulation != ENCAPSULATION_NONE)
        headers += UDP_HEADER;
    if (shot->kind == PACKET_IKE && shot->encapsulation != ENCAPSULATION_NONE)
        headers += NON_ESP_MARKER;
    return MIN(length, snaplen - headers);
}

static bool
is_left_out(const shot_t *shot, distortion_t distortion)
{
    if (shot->is_foreign)
        return false;
    return (distortion == DISTORTION_ONLY_FORWARD && !shot->towards_last) ||
           (distortion == DISTORTION_ONLY_BACK && shot->towards_last);
}

static void
add_distorted(GArray *placed, const shot_t *shot, distortion_t distortion)
{
    capture_ns_t time = distortion == DISTORTION_CLOCKLESS ? 0 : shot->time;
    capture_ns_t place = shot->time;

    if (is_left_out(shot, distortion))
        return;
    if (distortion == DISTORTION_BOTH_SIDES) {
        add_both_sides(placed, shot);
        return;
    }
    if (distortion == DISTORTION_REORDERED)
        place += (capture_ns_t)(seed_from("reordered", shot->order) % (uint64_t)REORDER_SPAN);
    add_view(placed, shot, time, place, false);
    if (distortion == DISTORTION_DOUBLED && !shot->is_foreign)
        add_view(placed, shot, time + COPY_DELAY, place + COPY_DELAY, false);
    if (distortion == DISTORTION_SNAPLEN_64 || distortion == DISTORTION_SNAPLEN_96)
        g_array_index(placed, placed_t, placed->len - 1).view.captured =
            snapped(shot, distortion == DISTORTION_SNAPLEN_64 ? 64 : 96);
}

static int
compare_placed(const void *left, const void *right)
{
    const placed_t *a = left, *b = right;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool
is_at_two_points(distortion_t distortion)
{
    return distortion == DISTORTION_TWO_POINTS || distortion == DISTORTION_TWO_POINTS_AHEAD ||
           distortion == DISTORTION_TWO_POINTS_BEHIND;
}

GArray *
distort(const GPtrArray *shots, distortion_t distortion, unsigned number, const two_points_t *points)
{
    two_points_t usual = distortion_points(distortion);
    GArray *placed = g_array_new(FALSE, TRUE, sizeof(placed_t));
    GArray *views = g_array_new(FALSE, TRUE, sizeof(view_t));
    unsigned from = distortion == DISTORTION_MIDSTREAM ? number : 0;
    unsigned until = distortion == DISTORTION_CUT ? MIN(number, shots->len) : shots->len;

    for (unsigned i = from; i < until; i++)
        if (is_at_two_points(distortion))
            add_two_points(placed, g_ptr_array_index(shots, i), points != NULL ? points : &usual);
        else
            add_distorted(placed, g_ptr_array_index(shots, i), distortion);
    g_array_sort(placed, compare_placed);
    for (unsigned i = 0; i < placed->len; i++)
        g_array_append_val(views, g_array_index(placed, placed_t, i).view);
    g_array_free(placed, TRUE);
    return views;
}
