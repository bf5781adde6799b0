/* test_words.c - are times written right, also where they are odd?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/words.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
expect_time(capture_ns_t time, const char *date, const char *clock)
{
    GString *out = g_string_new(NULL);

    words_date(out, time);
    assert_string_equal(out->str, date);
    g_string_truncate(out, 0);
    words_clock(out, time);
    assert_string_equal(out->str, clock);
    g_string_free(out, TRUE);
}

static void
times_are_utc_to_the_millisecond(void **state)
{
    (void)state;
    expect_time(SECONDS(1700000000) + MILLISECONDS(7), "2023-11-14 22:13:20.007 UTC", "22:13:20.007");
    expect_time(SECONDS(951782399) + 999999999, "2000-02-28 23:59:59.999 UTC", "23:59:59.999");
    expect_time(SECONDS(951782400), "2000-02-29 00:00:00.000 UTC", "00:00:00.000");
}

static void
times_around_and_before_1970_are_times(void **state)
{
    (void)state;
    expect_time(0, "1970-01-01 00:00:00.000 UTC", "00:00:00.000");
    expect_time(-1, "1969-12-31 23:59:59.999 UTC", "23:59:59.999");
    expect_time(-SECONDS(86400), "1969-12-31 00:00:00.000 UTC", "00:00:00.000");
}

static void
the_first_and_the_last_time_are_times(void **state)
{
    (void)state;
    expect_time(INT64_MAX, "2262-04-11 23:47:16.854 UTC", "23:47:16.854");
    expect_time(INT64_MIN + 1, "1677-09-21 00:12:43.145 UTC", "00:12:43.145");
}

static void
no_time_is_said_to_be_none(void **state)
{
    (void)state;
    expect_time(CAPTURE_TIME_NONE, "no time", "-");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_utc_to_the_millisecond),
        cmocka_unit_test(times_around_and_before_1970_are_times),
        cmocka_unit_test(the_first_and_the_last_time_are_times),
        cmocka_unit_test(no_time_is_said_to_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
