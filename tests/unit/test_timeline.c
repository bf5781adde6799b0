/* test_timeline.c - does a tunnel's activity stay in its bins, whatever the times, and does none of it get lost?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/summary/timeline.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t
packets_in(const timeline_t *timeline, peer_t sender)
{
    uint64_t packets = 0;

    assert_true(timeline->bins <= ACTIVITY_BINS);
    for (unsigned i = 0; i < timeline->bins; i++)
        packets += timeline->bin[i].packets[sender];
    return packets;
}

static unsigned
bin_of(const timeline_t *timeline, capture_ns_t time)
{
    unsigned bin = 0;

    while (bin < timeline->bins && timeline->width * (timeline->first + bin + 1) <= time)
        bin++;
    return bin;
}

static void
one_packet_takes_one_narrow_bin(void **state)
{
    timeline_t *timeline = timeline_new();

    (void)state;
    timeline_count(timeline, PEER_B, SECONDS(1000), 84);
    assert_int_equal(timeline->bins, 1);
    assert_int_equal(timeline->bin[0].packets[PEER_B], 1);
    assert_int_equal(timeline->bin[0].bytes[PEER_B], 84);
    assert_int_equal(timeline->bin[0].packets[PEER_A], 0);
    timeline_free(timeline);
}

/* An hour at one packet a second each way: 128 bins of 32 s hold it, 64 of them would not. */
static void
bins_widen_and_keep_every_packet(void **state)
{
    timeline_t *timeline = timeline_new();

    (void)state;
    for (int second = 0; second < 3600; second++) {
        timeline_count(timeline, PEER_A, SECONDS(1000000 + second), 100);
        timeline_count(timeline, PEER_B, SECONDS(1000000 + second), 60);
    }
    assert_int_equal(packets_in(timeline, PEER_A), 3600);
    assert_int_equal(packets_in(timeline, PEER_B), 3600);
    assert_int_equal(timeline->width, SECONDS(32));
    assert_true(timeline->bins > ACTIVITY_BINS / 2);
    for (unsigned i = 1; i + 1 < timeline->bins; i++)
        assert_int_equal(timeline->bin[i].packets[PEER_A], 32);
    timeline_free(timeline);
}

static void
a_pause_stays_where_it_was(void **state)
{
    timeline_t *timeline = timeline_new();

    (void)state;
    for (int second = 0; second < 1000; second++) {
        if (second < 400 || second >= 600)
            timeline_count(timeline, PEER_A, SECONDS(second), 100);
    }
    assert_int_equal(packets_in(timeline, PEER_A), 800);
    assert_int_equal(timeline->bin[bin_of(timeline, SECONDS(500))].packets[PEER_A], 0);
    assert_true(timeline->bin[bin_of(timeline, SECONDS(300))].packets[PEER_A] > 0);
    assert_true(timeline->bin[bin_of(timeline, SECONDS(700))].packets[PEER_A] > 0);
    timeline_free(timeline);
}

static void
time_that_runs_backwards_makes_room_before(void **state)
{
    timeline_t *timeline = timeline_new();

    (void)state;
    for (int second = 500; second >= -500; second--)
        timeline_count(timeline, PEER_A, SECONDS(second), 100);
    assert_int_equal(packets_in(timeline, PEER_A), 1001);
    assert_int_equal(bin_of(timeline, SECONDS(-500)), 0);
    assert_int_equal(bin_of(timeline, SECONDS(500)), timeline->bins - 1);
    timeline_free(timeline);
}

static void
any_times_are_survived(void **state)
{
    static const capture_ns_t times[] = { INT64_MAX, INT64_MIN + 1, 0, -1, 1, INT64_MAX, INT64_MIN + 1, SECONDS(1700000000) };
    timeline_t *timeline = timeline_new();

    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(times); i++)
        timeline_count(timeline, PEER_A, times[i], 100);
    assert_int_equal(packets_in(timeline, PEER_A), G_N_ELEMENTS(times));
    timeline_free(timeline);
}

static void
packets_without_a_time_are_in_no_bin(void **state)
{
    timeline_t *timeline = timeline_new();

    (void)state;
    timeline_count(timeline, PEER_A, CAPTURE_TIME_NONE, 100);
    assert_int_equal(timeline->bins, 0);
    assert_int_equal(timeline->untimed, 1);
    timeline_free(timeline);
}

/* Packet by packet the same as without delay, whatever the times. */
static void
activity_ends_in_the_same_bins(void **state)
{
    static const capture_ns_t odd[] = { INT64_MAX, INT64_MIN + 1, CAPTURE_TIME_NONE, 0, -1, 1, SECONDS(1700000000), INT64_MIN + 2 };
    timeline_t *timeline = timeline_new();
    activity_t activity = { .timeline = NULL };
    uint32_t random = 1;

    (void)state;
    assert_null(activity_timeline(&activity));
    for (unsigned i = 0; i < 5000; i++) {
        random = random * 1664525u + 1013904223u;
        capture_ns_t time = SECONDS(1000) + MILLISECONDS(i * 7) - MILLISECONDS(random >> 28 == 0 ? 900 : 0);
        if (i > 4000 && i % 100 == 0)
            time = odd[i / 100 % G_N_ELEMENTS(odd)];
        timeline_count(timeline, random >> 31 != 0 ? PEER_B : PEER_A, time, random >> 20);
        activity_count(&activity, random >> 31 != 0 ? PEER_B : PEER_A, time, random >> 20);
        if (i % 500 == 0)
            (void)activity_timeline(&activity);
    }
    assert_memory_equal(activity_timeline(&activity), timeline, sizeof(timeline_t));
    activity_clear(&activity);
    timeline_free(timeline);
}

/* As the engine shows it: a row per tunnel, none for a tunnel that is not there. */
static void
a_row_shows_the_bins(void **state)
{
    engine_settings_t settings = engine_default_settings();
    engine_t *engine = engine_new(&settings);
    uint8_t bytes[60] = { [3] = 1, [2] = 0x10, [7] = 1 };
    activity_row_t row;

    (void)state;
    for (frame_t frame = 1; frame <= 4; frame++) {
        packet_t packet = { .kind = PACKET_ESP,
                            .frame = frame,
                            .time = SECONDS(1000) + SECONDS(2) * frame,
                            .source = { .family = ADDRESS_IPV4, .address = { 192, 0, 2, 1 } },
                            .destination = { .family = ADDRESS_IPV4, .address = { 198, 51, 100, 1 } },
                            .bytes = bytes,
                            .captured = sizeof(bytes),
                            .reported = 1400 };

        bytes[7] = (uint8_t)frame;
        engine_packet(engine, &packet);
    }
    engine_finish(engine);
    engine_activity_row(engine, 0, &row);
    assert_int_equal(row.bin[0].packets[PEER_A] + row.bin[row.bins - 1].packets[PEER_A], 2);
    assert_int_equal(row.bin[0].bytes[PEER_A], 1400);
    assert_true(row.from <= SECONDS(1002) && row.from + row.width > SECONDS(1002));
    assert_true(row.from + row.width * row.bins > SECONDS(1008));
    engine_activity_row(engine, 1, &row);
    assert_int_equal(row.bins, 0);
    engine_free(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_packet_takes_one_narrow_bin), cmocka_unit_test(bins_widen_and_keep_every_packet),
        cmocka_unit_test(a_pause_stays_where_it_was),      cmocka_unit_test(time_that_runs_backwards_makes_room_before),
        cmocka_unit_test(any_times_are_survived),          cmocka_unit_test(packets_without_a_time_are_in_no_bin),
        cmocka_unit_test(activity_ends_in_the_same_bins),  cmocka_unit_test(a_row_shows_the_bins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
