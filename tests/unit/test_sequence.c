/* test_sequence.c - does the model of an anti-replay window decide as RFC 4303 3.4.3 does, and does it tell trouble from its look-alikes?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <glib.h>

#include <cmocka.h>

#define PLENTY ((size_t)1 << 30)
#define TICK MILLISECONDS(1)

/* A sender, the capture of its packets, and what that has revealed so far. */
typedef struct {
    sequence_budget_t budget;
    sequence_t *sequence;
    frame_t frame;
    capture_ns_t now, latest;
    duration_ns_t tick;
    unsigned replay_window, revealed;
    bool is_alone; /* no other frame is in the capture */
} story_t;

static void
begin(story_t *story, uint32_t first, size_t budget)
{
    *story = (story_t){ .budget = { .bytes_left = budget },
                        .frame = 1,
                        .now = SECONDS(1000),
                        .latest = SECONDS(1000),
                        .tick = TICK,
                        .replay_window = 64 };
    story->sequence = sequence_new(first, sequence_mark(first * 7919u), story->now, &story->budget);
}

static void
feed_bytes(story_t *story, uint32_t number, mark_t mark)
{
    frame_t previous = story->frame;

    story->frame++;
    story->now += story->tick;
    arrival_t arrival = { .number = number,
                          .mark = mark,
                          .frame = story->frame,
                          .previous_frame = previous,
                          .at = story->now,
                          .latest = story->latest,
                          .silence = story->is_alone ? MAX(0, story->now - story->latest) : 0,
                          .replay_window = story->replay_window };
    story->latest = MAX(story->latest, story->now);
    story->revealed |= sequence_account(story->sequence, &arrival);
}

static void
feed(story_t *story, uint32_t number)
{
    feed_bytes(story, number, sequence_mark(number * 7919u));
}

/* Of another sender, or with other keys. */
static void
feed_other(story_t *story, uint32_t number)
{
    feed_bytes(story, number, sequence_mark(number * 104729u + 1));
}

static void
feed_range(story_t *story, uint32_t from, uint32_t to)
{
    for (uint32_t number = from; number != to + 1; number++)
        feed(story, number);
}

static void
end(story_t *story)
{
    size_t left = story->budget.bytes_left;

    sequence_free(story->sequence);
    assert_true(story->budget.bytes_left > left); /* all of it is given back */
}

static void
in_order_nothing_is_out_of_order(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 20000);
    assert_null(story.sequence->disorder);
    assert_int_equal(story.sequence->window.slots, WINDOW_SLOTS_MOST);
    assert_int_equal(sequence_lost(story.sequence), 0);
    end(&story);
    assert_int_equal(story.budget.bytes_left, PLENTY);
}

/* RFC 4303 3.4.3: a window of W takes the highest number and the W - 1 below it. */
static void
the_edge_of_each_window_is_exact(void **state)
{
    story_t story;

    (void)state;
    for (unsigned i = 0; i < REPLAY_WINDOWS; i++) {
        uint32_t size = REPLAY_WINDOW_LEAST << i;
        for (unsigned beyond = 0; beyond < 2; beyond++) {
            begin(&story, 1, PLENTY);
            feed_range(&story, 2, 9999);
            feed_range(&story, 10001, 10000 + size - 1 + beyond); /* 10000 is missing */
            feed(&story, 10000);
            feed(&story, 10000 + size + beyond);
            assert_int_equal(sequence_too_old(story.sequence, i), beyond);
            assert_int_equal(sequence_too_old(story.sequence, MIN(i + 1, REPLAY_WINDOWS - 1)), i + 1 < REPLAY_WINDOWS ? 0 : beyond);
            assert_int_equal(sequence_lost(story.sequence), 0);
            if (beyond > 0)
                assert_int_equal(sequence_sufficient_window(story.sequence), size + 1);
            end(&story);
        }
    }
}

static void
the_users_window_is_exact(void **state)
{
    story_t story;

    (void)state;
    for (unsigned beyond = 0; beyond < 2; beyond++) {
        begin(&story, 1, PLENTY);
        story.replay_window = 100;
        feed_range(&story, 2, 199);
        feed_range(&story, 201, 200 + 99 + beyond);
        feed(&story, 200);
        feed_range(&story, 301, 400);
        assert_int_equal(sequence_late_at_end(story.sequence).count, beyond);
        assert_int_equal(story.revealed & SEQUENCE_LATE, beyond > 0 ? SEQUENCE_LATE : 0);
        end(&story);
    }
}

/* RFC 4303 2.2.1: with extended sequence numbers the low half wraps. */
static void
a_wrap_is_no_restart(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 0xfffff000u, PLENTY);
    feed_range(&story, 0xfffff001u, 0xfffffff0u);
    feed_range(&story, 0xfffffff2u, 5); /* 0xfffffff1 is late, across the wrap */
    feed(&story, 0xfffffff1u);
    feed_range(&story, 6, 5000);
    assert_int_equal(story.revealed, 0);
    assert_int_equal(sequence_lost(story.sequence), 0);
    end(&story);
}

static void
gaps_are_lost_unless_filled(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 500, PLENTY);
    feed_range(&story, 501, 600);
    feed_range(&story, 604, 700); /* 3 lost */
    feed_range(&story, 702, 703); /* 701 comes later */
    feed(&story, 701);
    feed_range(&story, 704, 799);
    feed_range(&story, 810, 900); /* 10 lost */
    gaps_t gaps = sequence_gaps(story.sequence);
    assert_int_equal(gaps.lost, 13);
    assert_int_equal(gaps.bursts, 2);
    assert_int_equal(gaps.longest, 10);
    assert_int_equal(story.revealed, 0); /* they are still in the window */
    feed_range(&story, 901, 6000);
    assert_int_equal(sequence_lost(story.sequence), 13);
    assert_int_equal(story.revealed, SEQUENCE_LOST);
    end(&story);
}

static void
the_first_and_the_last_gap_have_their_frames(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 50);
    feed_range(&story, 52, 53); /* 51 is only late */
    feed(&story, 51);
    feed_range(&story, 54, 99);
    feed(&story, 101);
    frame_t first = story.frame, last = 0;
    for (uint32_t i = 1; i < 30; i++) {
        feed_range(&story, 102 + 100 * (i - 1), 99 + 100 * i);
        feed(&story, 101 + 100 * i);
        last = story.frame;
    }
    feed_range(&story, 3002, 3010);
    for (unsigned i = 0; i < 2; i++) { /* in the window, and when they have left it */
        gaps_t gaps = sequence_gaps(story.sequence);
        assert_int_equal(gaps.lost, 30);
        assert_int_equal(gaps.bursts, 30);
        assert_int_equal(gaps.first_in, first);
        assert_int_equal(gaps.last_in, last);
        feed_range(&story, 3011, 12000);
    }
    end(&story);
}

static void
numbers_before_the_capture_are_not_lost(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1005, PLENTY);
    feed(&story, 1003);
    feed(&story, 1006);
    feed_range(&story, 1007, 9000);
    assert_int_equal(sequence_lost(story.sequence), 0);
    assert_int_equal(story.revealed, 0);
    end(&story);
}

static void
loss_is_told_from_three_and_one_in_a_thousand(void **state)
{
    story_t story;

    (void)state;
    for (unsigned lost = 2; lost <= 3; lost++) {
        begin(&story, 1, PLENTY);
        feed_range(&story, 2, 100);
        for (unsigned i = 0; i < lost; i++)
            feed_range(&story, 102 + 100 * i, 200 + 100 * i);
        gaps_t gaps = sequence_gaps(story.sequence);
        assert_int_equal(gaps.lost, lost);
        assert_int_equal(sequence_loss_tells(story.sequence, &gaps), lost >= 3);
        end(&story);
    }
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 20000);
    feed_range(&story, 20011, 30000); /* 10 in 30000 */
    gaps_t gaps = sequence_gaps(story.sequence);
    assert_int_equal(gaps.lost, 10);
    assert_false(sequence_loss_tells(story.sequence, &gaps));
    end(&story);
}

/* RFC 6311: after a failover the counter may go on far ahead. */
static void
a_leap_ahead_is_no_loss(void **state)
{
    static const uint32_t leaps[] = { 1u << 16, 1u << 20, 1u << 30 };
    story_t story;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(leaps); i++) {
        begin(&story, 1, PLENTY);
        feed_range(&story, 2, 1000);
        feed_range(&story, 1000 + leaps[i], 8000 + leaps[i]);
        assert_int_equal(sequence_lost(story.sequence), 0);
        assert_int_equal(story.revealed, 0);
        assert_int_equal(story.sequence->window.highest & UINT32_MAX, 8000 + leaps[i]);
        end(&story);
    }
}

/* 10,000 numbers in as long as the sender needs for them are lost. */
static void
a_gap_that_time_explains_is_loss(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 10000);
    story.now += 10000 * TICK;
    feed_range(&story, 20001, 30000);
    gaps_t gaps = sequence_gaps(story.sequence);
    assert_int_equal(gaps.lost, 10000);
    assert_int_equal(gaps.bursts, 1);
    assert_true(gaps.first_in != FRAME_NONE);
    end(&story);
}

static void
a_pause_of_the_capture_is_no_loss(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    story.is_alone = true;
    feed_range(&story, 2, 1000);
    story.now += SECONDS(2);
    feed_range(&story, 3001, 4000);
    assert_int_equal(sequence_lost(story.sequence), 0);
    end(&story);
}

/* Nobody can tell a damaged or forged number from the sender's own, but the next packets can. */
static void
one_packet_far_ahead_moves_nothing(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 1000);
    feed(&story, 500000000);
    feed_range(&story, 1001, 6000);
    assert_int_equal(story.revealed, 0);
    assert_int_equal(sequence_lost(story.sequence), 0);
    assert_int_equal(story.sequence->window.highest & UINT32_MAX, 6000);
    end(&story);
}

/* RFC 9333: the number is taken from a clock. */
static void
numbers_from_a_clock_are_no_loss(void **state)
{
    story_t story;

    (void)state;
    for (uint32_t stride = 100; stride <= 10000000; stride *= 100) {
        begin(&story, 7, PLENTY);
        story.tick = SECONDS(1);
        for (uint32_t i = 1; i < 300; i++)
            feed(&story, 7 + i * stride);
        gaps_t gaps = sequence_gaps(story.sequence);
        assert_int_equal(sequence_lost(story.sequence), 0);
        assert_false(sequence_loss_tells(story.sequence, &gaps));
        assert_int_equal(story.revealed, 0);
        end(&story);
    }
}

/* One of four paths. */
static void
a_part_of_the_packets_is_recognised(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    for (uint32_t number = 2; number < 10000; number++) {
        if ((number * 2654435761u) >> 30 == 0)
            feed(&story, number);
    }
    gaps_t gaps = sequence_gaps(story.sequence);
    assert_true(sequence_loss_tells(story.sequence, &gaps));
    assert_true(sequence_is_partial(story.sequence, &gaps));
    end(&story);
}

static void
a_repeat_has_the_same_bytes(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 3000);
    feed(&story, 2990);
    feed(&story, 5);
    feed_bytes(&story, 2900, MARK_UNKNOWN); /* cut by the capture: nothing can be said */
    feed_range(&story, 3001, 3050);
    assert_int_equal(story.revealed, SEQUENCE_REPEATED);
    assert_int_equal(sequence_repeated_at_end(story.sequence).count, 2);
    assert_int_equal(sequence_late_at_end(story.sequence).count, 0);
    end(&story);
}

/* Two captures of the same packets whose clocks differ, in one file. */
static void
a_capture_with_every_packet_twice_is_no_replay(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 1000);
    for (uint32_t number = 1; number <= 3000; number++) {
        feed(&story, number);
        feed(&story, 1000 + number);
    }
    assert_int_equal(story.revealed, 0);
    assert_int_equal(sequence_repeated_at_end(story.sequence).count, 0);
    assert_int_equal(sequence_late_at_end(story.sequence).count, 0);
    end(&story);
}

/* The same capture twice in a row, too long ago to remember more than how it began. */
static void
an_old_capture_sent_again_is_no_restart(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 9000);
    feed_range(&story, 1, 9000);
    assert_int_equal(story.revealed, 0);
    end(&story);
}

static void
a_file_out_of_the_order_of_time_is_no_reordering(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    for (uint32_t block = 0; block < 20; block++) { /* queues of 200, written one after the other */
        capture_ns_t from = story.now;
        for (uint32_t i = 0; i < 200; i++)
            feed(&story, 2 + block * 400 + 2 * i);
        story.now = from;
        for (uint32_t i = 0; i < 200; i++)
            feed(&story, 3 + block * 400 + 2 * i);
    }
    assert_int_equal(story.revealed, 0);
    assert_int_equal(sequence_lost(story.sequence), 0);
    assert_int_equal(sequence_too_old(story.sequence, 0), 0);
    end(&story);
}

/* Several CPUs send with one SA; one of them is slow. */
static void
a_slow_queue_is_late_and_the_sufficient_window_is_known(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    for (uint32_t number = 2; number < 3000; number++) {
        if (number % 10 != 0)
            feed(&story, number);
        if (number % 10 == 5 && number > 150)
            feed(&story, (number / 10 - 14) * 10);
    }
    assert_int_equal(story.revealed, SEQUENCE_LATE);
    assert_int_equal(sequence_late_at_end(story.sequence).verdict, VERDICT_FEW);
    assert_int_equal(sequence_sufficient_window(story.sequence), 146);
    assert_int_equal(sequence_too_old(story.sequence, 3), 0);
    assert_true(sequence_too_old(story.sequence, 2) > 280);
    end(&story);
}

/* A group's senders, or two gateways with one key: each counts for itself. */
static void
two_senders_are_told_by_their_numbers(void **state)
{
    static const uint32_t apart[] = { 20, 1000, 100000, 1u << 29 };
    story_t story;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(apart); i++) {
        begin(&story, 1000 + apart[i], PLENTY);
        for (uint32_t n = 1; n < 4000; n++) {
            feed(&story, 1000 + apart[i] + n);
            feed_other(&story, 1000 + n);
        }
        assert_true(story.sequence->disorder->is_shared || apart[i] == 1000);
        assert_int_equal(story.revealed & SEQUENCE_RESTARTED, 0);
        if (apart[i] != 1000)
            assert_int_equal(story.revealed, 0);
        assert_int_equal(sequence_lost(story.sequence), 0);
        end(&story);
    }
}

static void
a_new_count_is_a_restart(void **state)
{
    static const uint32_t highest[] = { 40, 3000, 100000 };
    story_t story;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(highest); i++) {
        begin(&story, 1, PLENTY);
        feed_range(&story, 2, highest[i]);
        feed_other(&story, 1);
        feed_other(&story, 2);
        assert_int_equal(story.revealed, 0);
        feed_other(&story, 3);
        assert_int_equal(story.revealed, SEQUENCE_RESTARTED);
        for (uint32_t number = 4; number <= highest[i] + 10; number++)
            feed_other(&story, number);
        assert_int_equal(story.revealed, SEQUENCE_RESTARTED);
        assert_int_equal(story.sequence->disorder->restart.old_highest, highest[i]);
        assert_int_equal(story.sequence->disorder->restart.count, highest[i]);
        assert_false(story.sequence->disorder->restart.is_below);
        assert_int_equal(sequence_lost(story.sequence), 0);
        assert_int_equal(sequence_late_at_end(story.sequence).count, 0);
        end(&story);
    }
}

/* The capture begins late, so that the numbers of the new count never came before. */
static void
a_restart_needs_more_where_packets_may_be_late(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 500, PLENTY);
    feed_range(&story, 501, 1500);
    for (uint32_t number = 1; number <= 15; number++)
        feed_other(&story, number);
    assert_int_equal(story.revealed & SEQUENCE_RESTARTED, 0);
    feed_other(&story, 16);
    assert_int_equal(story.revealed, SEQUENCE_RESTARTED);
    end(&story);
}

static void
the_old_count_goes_on_after_a_restart(void **state)
{
    story_t story;

    (void)state;
    begin(&story, 1, PLENTY);
    feed_range(&story, 2, 500);
    for (uint32_t number = 1; number <= 20; number++)
        feed_other(&story, number);
    assert_int_equal(story.revealed, SEQUENCE_RESTARTED);
    story.sequence->disorder->restart.told.finding = (const struct finding *)&story; /* somebody has told of it */
    feed_range(&story, 501, 510);
    assert_int_equal(story.revealed & SEQUENCE_SHARED, SEQUENCE_SHARED);
    end(&story);
}

static void
the_budget_bounds_every_window(void **state)
{
    story_t story;

    (void)state;
    for (size_t budget = 0; budget < sizeof(sequence_t) + WINDOW_SLOTS_LEAST * sizeof(mark_t); budget++) {
        begin(&story, 1, budget);
        assert_null(story.sequence);
        assert_int_equal(story.budget.bytes_left, budget);
    }
    begin(&story, 1, sizeof(sequence_t) + sizeof(disorder_t) + 128);
    feed(&story, 1);
    feed_range(&story, 2, 5000);
    assert_in_range(story.sequence->window.slots, WINDOW_SLOTS_LEAST, 64);
    feed_range(&story, 5050, 5200); /* 49 lost */
    feed(&story, 5049);             /* beyond what is remembered: taken for one of them */
    assert_int_equal(sequence_lost(story.sequence), 48);
    end(&story);
}

/* Whatever comes: bounded, and no more is lost than was skipped. */
static void
any_numbers_are_survived(void **state)
{
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);
    story_t story;

    (void)state;
    for (unsigned round = 0; round < 64; round++) {
        begin(&story, (uint32_t)random, PLENTY);
        for (unsigned i = 0; i < 3000; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            uint32_t spread = UINT32_MAX >> (round % 32);
            story.tick = (duration_ns_t)(random >> 60) * TICK - 2 * TICK;
            feed_bytes(&story, (uint32_t)story.sequence->window.highest + ((uint32_t)random & spread) - spread / 3,
                       (mark_t)(random >> 48));
            assert_true(story.sequence->window.highest - story.sequence->window.floor < story.sequence->window.slots);
        }
        (void)sequence_lost(story.sequence);
        (void)sequence_late_at_end(story.sequence);
        end(&story);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_nothing_is_out_of_order),
        cmocka_unit_test(the_edge_of_each_window_is_exact),
        cmocka_unit_test(the_users_window_is_exact),
        cmocka_unit_test(a_wrap_is_no_restart),
        cmocka_unit_test(gaps_are_lost_unless_filled),
        cmocka_unit_test(the_first_and_the_last_gap_have_their_frames),
        cmocka_unit_test(numbers_before_the_capture_are_not_lost),
        cmocka_unit_test(loss_is_told_from_three_and_one_in_a_thousand),
        cmocka_unit_test(a_leap_ahead_is_no_loss),
        cmocka_unit_test(a_gap_that_time_explains_is_loss),
        cmocka_unit_test(a_pause_of_the_capture_is_no_loss),
        cmocka_unit_test(one_packet_far_ahead_moves_nothing),
        cmocka_unit_test(numbers_from_a_clock_are_no_loss),
        cmocka_unit_test(a_part_of_the_packets_is_recognised),
        cmocka_unit_test(a_repeat_has_the_same_bytes),
        cmocka_unit_test(a_capture_with_every_packet_twice_is_no_replay),
        cmocka_unit_test(an_old_capture_sent_again_is_no_restart),
        cmocka_unit_test(a_file_out_of_the_order_of_time_is_no_reordering),
        cmocka_unit_test(a_slow_queue_is_late_and_the_sufficient_window_is_known),
        cmocka_unit_test(two_senders_are_told_by_their_numbers),
        cmocka_unit_test(a_new_count_is_a_restart),
        cmocka_unit_test(a_restart_needs_more_where_packets_may_be_late),
        cmocka_unit_test(the_old_count_goes_on_after_a_restart),
        cmocka_unit_test(the_budget_bounds_every_window),
        cmocka_unit_test(any_numbers_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
