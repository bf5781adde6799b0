/* test_lifetime.c - the arithmetic of lines: medians, sides, and what ends an SA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/lifetime.h"

#include "sample.h"

#define BEGIN SECONDS(1000)
#define MEGABYTE UINT64_C(1000000)

typedef struct {
    unsigned seconds; /* since the one before */
    peer_t by;
    uint64_t bytes;
} step_t;

static line_t
line_with(capture_ns_t born_at, const step_t *steps, unsigned count)
{
    line_t line = { .kind = LINE_CHILD, .born_at = born_at };
    capture_ns_t at = BEGIN;

    for (unsigned i = 0; i < count; i++) {
        at += SECONDS(steps[i].seconds);
        line_add_replacement(&line, (replacement_t){ .at = at, .frame = i + 1, .by = steps[i].by, .bytes = steps[i].bytes });
    }
    return line;
}

#define LINE(...) line_with(BEGIN, (const step_t[]){ __VA_ARGS__ }, sizeof((const step_t[]){ __VA_ARGS__ }) / sizeof(step_t))

static void
the_median_is_in_the_middle(void **state)
{
    line_t odd = LINE({ 30, PEER_A, 0 }, { 600, PEER_A, 0 }, { 40, PEER_A, 0 });
    line_t even = LINE({ 30, PEER_A, 0 }, { 600, PEER_A, 0 }, { 40, PEER_A, 0 }, { 50, PEER_A, 0 });

    (void)state;
    assert_true(line_period(&odd).median == SECONDS(40));
    assert_true(line_period(&even).median == SECONDS(45));
    assert_true(line_period(&even).least == SECONDS(30));
    assert_true(line_period(&even).most == SECONDS(600));
    assert_int_equal(line_period(&even).count, 4);
}

/* The first SA is older than the capture: nobody knows how long it lived. */
static void
an_unknown_birth_gives_no_age(void **state)
{
    line_t line = line_with(CAPTURE_TIME_NONE, (const step_t[]){ { 5, PEER_A, 0 }, { 60, PEER_A, 0 } }, 2);

    (void)state;
    assert_int_equal(line_replacements_kept(&line), 2);
    assert_int_equal(line_period(&line).count, 1);
    assert_true(line_period(&line).median == SECONDS(60));
}

static void
each_side_has_its_own_period(void **state)
{
    line_t line = LINE({ 60, PEER_A, 0 }, { 600, PEER_B, 0 }, { 62, PEER_A, 0 }, { 700, PEER_B, 0 });

    (void)state;
    assert_true(line_period_of(&line, PEER_A).median == SECONDS(61));
    assert_true(line_period_of(&line, PEER_B).median == SECONDS(650));
    assert_int_equal(line_replacements_by(&line, PEER_A), 2);
    assert_int_equal(line_replacements_by(&line, PEER_UNKNOWN), 0);
}

static void
what_was_disturbed_is_nobodys_period(void **state)
{
    line_t line = LINE({ 60, PEER_A, 0 });

    (void)state;
    line_add_replacement(&line, (replacement_t){ .at = BEGIN + SECONDS(360), .by = PEER_A, .is_disturbed = true });
    assert_int_equal(line_period(&line).count, 2);
    assert_int_equal(line_period_of(&line, PEER_A).count, 1);
}

static void
only_the_latest_are_kept_in_order(void **state)
{
    line_t line = { .kind = LINE_CHILD, .born_at = BEGIN };

    (void)state;
    for (unsigned i = 1; i <= REPLACEMENTS_KEPT + 5; i++)
        line_add_replacement(&line, (replacement_t){ .at = BEGIN + SECONDS(i * i), .frame = i, .by = PEER_A });
    assert_int_equal(line_replacements_kept(&line), REPLACEMENTS_KEPT);
    for (unsigned i = 0; i < REPLACEMENTS_KEPT; i++)
        assert_int_equal(line_replacement(&line, i)->frame, i + 6);
}

/* Times of a capture may run backwards. */
static void
time_that_runs_backwards_is_no_age(void **state)
{
    line_t line = { .kind = LINE_CHILD, .born_at = BEGIN };

    (void)state;
    line_add_replacement(&line, (replacement_t){ .at = BEGIN - SECONDS(60), .by = PEER_A });
    assert_int_equal(line_period(&line).count, 0);
    line_add_replacement(&line, (replacement_t){ .at = INT64_MAX, .by = PEER_A });
    line_add_replacement(&line, (replacement_t){ .at = INT64_MIN + 1, .by = PEER_A });
    line_add_replacement(&line, (replacement_t){ .at = INT64_MAX, .by = PEER_A });
    assert_true(line_period(&line).median > 0);
    assert_true(line_period(&line).most == INT64_MAX);
}

static void
bytes_or_seconds(void **state)
{
    line_t by_bytes = LINE({ 20, PEER_A, 50 * MEGABYTE }, { 60, PEER_A, 51 * MEGABYTE }, { 35, PEER_A, 50 * MEGABYTE });
    line_t by_time = LINE({ 60, PEER_A, 5 * MEGABYTE }, { 62, PEER_A, 90 * MEGABYTE }, { 61, PEER_A, 30 * MEGABYTE });
    line_t steady = LINE({ 60, PEER_A, 50 * MEGABYTE }, { 62, PEER_A, 51 * MEGABYTE }, { 61, PEER_A, 50 * MEGABYTE });
    line_t neither = LINE({ 20, PEER_A, 5 * MEGABYTE }, { 60, PEER_A, 90 * MEGABYTE }, { 35, PEER_A, 30 * MEGABYTE });
    line_t idle = LINE({ 60, PEER_A, 0 }, { 62, PEER_A, 0 }, { 61, PEER_A, 0 });
    line_t too_few = LINE({ 20, PEER_A, 50 * MEGABYTE }, { 60, PEER_A, 51 * MEGABYTE });

    (void)state;
    assert_int_equal(line_limit(&by_bytes), LIMIT_BYTES);
    assert_true(line_median_bytes(&by_bytes) == 50 * MEGABYTE);
    assert_int_equal(line_limit(&by_time), LIMIT_TIME);
    assert_int_equal(line_limit(&steady), LIMIT_EITHER);
    assert_int_equal(line_limit(&neither), LIMIT_UNKNOWN);
    assert_int_equal(line_limit(&idle), LIMIT_UNKNOWN);
    assert_int_equal(line_limit(&too_few), LIMIT_UNKNOWN);
}

/* What one peer's SAs carried, whatever those of the other did. */
static void
bytes_of_one_side(void **state)
{
    line_t line = LINE({ 50, PEER_B, 50 * MEGABYTE }, { 600, PEER_A, 9 * MEGABYTE }, { 51, PEER_B, 51 * MEGABYTE });
    line_t idle = LINE({ 50, PEER_B, 1000 }, { 50, PEER_B, 1000 });

    (void)state;
    assert_true(line_may_end_by_bytes(&line, PEER_B));
    assert_false(line_may_end_by_bytes(&idle, PEER_B)); /* keepalives, no limit */
    assert_false(line_may_end_by_bytes(&idle, PEER_A));
}

static void
lines_are_bounded(void **state)
{
    lifetimes_t lifetimes = { .lines_made = 0 };

    (void)state;
    lifetimes_init(&lifetimes);
    for (unsigned i = 0; i < LINES_PER_TUNNEL_MAX + 8; i++)
        (void)lifetimes_add_line(&lifetimes, LINE_CHILD, BEGIN + SECONDS(i));
    assert_int_equal(lifetimes.lines->len, LINES_PER_TUNNEL_MAX);
    assert_null(lifetimes_line(&lifetimes, 8));
    assert_non_null(lifetimes_line(&lifetimes, 9)); /* the eight that were not used for longest are gone */
    lifetimes_clear(&lifetimes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_is_in_the_middle),
        cmocka_unit_test(an_unknown_birth_gives_no_age),
        cmocka_unit_test(each_side_has_its_own_period),
        cmocka_unit_test(what_was_disturbed_is_nobodys_period),
        cmocka_unit_test(only_the_latest_are_kept_in_order),
        cmocka_unit_test(time_that_runs_backwards_is_no_age),
        cmocka_unit_test(bytes_or_seconds),
        cmocka_unit_test(bytes_of_one_side),
        cmocka_unit_test(lines_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
