/* timeline.c - when was ESP sent, and how much, each way?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/summary/timeline.h"

#include "engine/engine_state.h"

/* Bins are never narrower: 1/64 s, so that doubling makes whole seconds. */
#define NARROWEST (SECONDS(1) / 64)

timeline_t *
timeline_new(void)
{
    timeline_t *timeline = g_new0(timeline_t, 1);

    timeline->width = NARROWEST;
    return timeline;
}

void
timeline_free(timeline_t *timeline)
{
    g_free(timeline);
}

/* Rounds down, also before 1970. */
static int64_t
divide(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

static void
add_bin(activity_bin_t *to, const activity_bin_t *from)
{
    for (unsigned p = 0; p < PEERS; p++) {
        to->packets[p] += from->packets[p];
        to->bytes[p] += from->bytes[p];
    }
}

static void
double_width(timeline_t *timeline)
{
    int64_t first = divide(timeline->first, 2);
    unsigned bins = 0;

    for (unsigned i = 0; i < timeline->bins; i++) {
        activity_bin_t bin = timeline->bin[i];
        unsigned to = (unsigned)(divide(timeline->first + i, 2) - first);
        timeline->bin[i] = (activity_bin_t){ .packets = { 0 } };
        add_bin(&timeline->bin[to], &bin); /* to <= i */
        bins = to + 1;
    }
    timeline->first = first;
    timeline->bins = bins;
    timeline->width *= 2;
}

/* Room for bins before the first: time ran backwards. */
static void
extend_to_the_left(timeline_t *timeline, unsigned by)
{
    for (unsigned i = timeline->bins; i-- > 0;)
        timeline->bin[i + by] = timeline->bin[i];
    for (unsigned i = 0; i < by; i++)
        timeline->bin[i] = (activity_bin_t){ .packets = { 0 } };
    timeline->first -= by;
    timeline->bins += by;
}

static activity_bin_t *
bin_at(timeline_t *timeline, capture_ns_t time)
{
    int64_t number = divide(time, timeline->width);

    if (timeline->bins == 0) {
        timeline->first = number;
        timeline->bins = 1;
    }
    while (MAX(number, timeline->first + timeline->bins - 1) - MIN(number, timeline->first) >= ACTIVITY_BINS) {
        double_width(timeline);
        number = divide(time, timeline->width);
    }
    if (number < timeline->first)
        extend_to_the_left(timeline, (unsigned)(timeline->first - number));
    timeline->bins = MAX(timeline->bins, (unsigned)(number - timeline->first) + 1);
    return &timeline->bin[number - timeline->first];
}

void
timeline_count(timeline_t *timeline, peer_t sender, capture_ns_t time, uint64_t bytes)
{
    if (time == CAPTURE_TIME_NONE) {
        timeline->untimed++;
        return;
    }
    activity_bin_t *bin = bin_at(timeline, time);
    bin->packets[sender]++;
    bin->bytes[sender] += bytes;
}

static void
settle(activity_t *activity)
{
    if (activity->width > 0)
        add_bin(bin_at(activity->timeline, activity->from), &activity->counted);
    activity->width = 0;
    activity->counted = (activity_bin_t){ .packets = { 0 } };
}

/* The first bin of all begins before what a time can say: what is in it is counted at once. */
static void
begin(activity_t *activity, capture_ns_t time)
{
    const timeline_t *timeline = activity->timeline;
    const int64_t number = divide(time, timeline->width);

    if (number < (INT64_MIN + 1) / timeline->width)
        return;
    activity->from = number * timeline->width;
    activity->width = timeline->width;
}

void
activity_count(activity_t *activity, peer_t sender, capture_ns_t time, uint64_t bytes)
{
    if ((uint64_t)time - (uint64_t)activity->from < (uint64_t)activity->width) {
        activity->counted.packets[sender]++;
        activity->counted.bytes[sender] += bytes;
        return;
    }
    if (activity->timeline == NULL)
        activity->timeline = timeline_new();
    settle(activity);
    timeline_count(activity->timeline, sender, time, bytes);
    if (time != CAPTURE_TIME_NONE)
        begin(activity, time);
}

const timeline_t *
activity_timeline(activity_t *activity)
{
    if (activity->timeline != NULL)
        settle(activity);
    return activity->timeline;
}

void
activity_clear(activity_t *activity)
{
    timeline_free(activity->timeline);
}

void
engine_activity_row(const engine_t *engine, uint32_t index, activity_row_t *ret_row)
{
    tunnel_t *tunnel = index < engine->tunnels->len ? g_ptr_array_index(engine->tunnels, index) : NULL;
    const timeline_t *timeline = tunnel != NULL ? activity_timeline(&tunnel->activity) : NULL;

    *ret_row = (activity_row_t){ .from = CAPTURE_TIME_NONE };
    if (timeline == NULL || timeline->bins == 0)
        return;
    bool is_first_of_all = timeline->first < (INT64_MIN + 1) / timeline->width; /* its bin begins before what a time can say */
    *ret_row = (activity_row_t){ .from = is_first_of_all ? INT64_MIN + 1 : timeline->first * timeline->width,
                                 .width = timeline->width,
                                 .bins = timeline->bins,
                                 .bin = timeline->bin };
}
