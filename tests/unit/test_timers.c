/* test_timers.c - is a sender's retransmission timer measured right, and its family named only where it can be told?
 *
 * Spacings as documented by the implementations, not measured by this code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/timers.h"

#include "sample.h"

#define START SECONDS(1000)

static exchange_t
sent_with_gaps(const double *gaps, unsigned count)
{
    exchange_t exchange = { .transmissions = count + 1, .first_sent_at = START, .last_sent_at = START };

    for (unsigned i = 0; i < count; i++) {
        exchange.gap[i] = (duration_ns_t)(gaps[i] * 1e9);
        exchange.last_gap = exchange.gap[i];
        exchange.last_sent_at += exchange.gap[i];
    }
    return exchange;
}

#define SENT(...) sent_with_gaps((const double[]){ __VA_ARGS__ }, G_N_ELEMENTS(((const double[]){ __VA_ARGS__ })))

static const char *
family_of(exchange_t exchange)
{
    retransmit_timer_t timer;

    if (!timer_measure(&exchange, &timer))
        return NULL;
    return timer.family != NULL && !timer.has_default_settings ? "strongSwan with other settings" : timer.family;
}

static void
known_defaults_are_recognised(void **state)
{
    (void)state;
    assert_string_equal(family_of(SENT(4.0, 7.2, 13.0, 23.3, 42.0)), "strongSwan");
    assert_string_equal(family_of(SENT(4.02, 7.19)), "strongSwan");
    assert_string_equal(family_of(SENT(30, 54, 97)), "strongSwan with other settings");
    assert_string_equal(family_of(SENT(2, 4, 8, 16, 32)), "Cisco or OpenIKED");
    assert_string_equal(family_of(SENT(3, 6, 12, 24)), "FortiOS");
    assert_string_equal(family_of(SENT(0.5, 0.5, 1, 2, 4, 8, 16)), "libreswan");
    assert_string_equal(family_of(SENT(1, 2, 4, 8)), "Windows");
    assert_string_equal(family_of(SENT(5, 5, 5, 5)), "Palo Alto Networks");
    assert_string_equal(family_of(SENT(10, 10, 10)), "Cisco IOS (IKEv1)");
}

static void
what_is_not_known_has_no_family(void **state)
{
    (void)state;
    assert_null(family_of(SENT(4.0))); /* one gap tells nothing */
    assert_null(family_of(SENT(7, 14, 28)));
    assert_null(family_of(SENT(1, 1.5, 2.25)));
    assert_null(family_of(SENT(4, 4, 4)));
    assert_null(family_of(SENT(0, 0, 0)));
    exchange_t once = { .transmissions = 1 };
    retransmit_timer_t timer;
    assert_false(timer_measure(&once, &timer));
}

/* Windows tries eight times; who stopped after five only has the same spacing. Who deleted the SA may have been about to go on. */
static void
the_number_of_tries_speaks_too(void **state)
{
    exchange_t exchange = SENT(1, 2, 4, 8);

    (void)state;
    exchange.abandoned = ABANDONED_DELETE;
    assert_string_equal(family_of(exchange), "Windows");
    exchange.abandoned = ABANDONED_SILENCE;
    assert_null(family_of(exchange));
    exchange = SENT(2, 4, 8, 16, 32);
    exchange.abandoned = ABANDONED_SILENCE;
    assert_string_equal(family_of(exchange), "Cisco or OpenIKED");
    assert_null(family_of(SENT(2, 4, 8, 16, 32, 64)));
    assert_string_equal(family_of(SENT(4.0, 7.2, 13.0, 23.3, 42.0, 75.6)), "strongSwan with other settings");
}

static void
assert_seconds(capture_ns_t time, double seconds)
{
    assert_true(time != CAPTURE_TIME_NONE);
    assert_true(time > START + (capture_ns_t)((seconds - 1.0) * 1e9) && time < START + (capture_ns_t)((seconds + 1.0) * 1e9));
}

/* strongSwan: 4, 7.2, 13, 23.3, 42, and gives up 75.6 s after the last, 165 s after the first. */
static void
the_end_is_foretold(void **state)
{
    exchange_t exchange = SENT(4.0, 7.2, 13.0);

    (void)state;
    assert_seconds(timer_next_try_at(&exchange), 24.2 + 23.4);
    assert_seconds(timer_gives_up_at(&exchange), 165);
    exchange = SENT(2, 4, 8);
    assert_seconds(timer_next_try_at(&exchange), 30);
    assert_seconds(timer_gives_up_at(&exchange), 2 + 4 + 8 + 16 + 32 + 64);
}

static void
nothing_is_foretold_without_ground(void **state)
{
    exchange_t exchange = SENT(4.0);

    (void)state;
    assert_true(timer_next_try_at(&exchange) == CAPTURE_TIME_NONE);
    exchange = SENT(7, 14, 28);
    assert_seconds(timer_next_try_at(&exchange), 49 + 56);
    assert_true(timer_gives_up_at(&exchange) == CAPTURE_TIME_NONE);
    exchange = SENT(4.0, 7.2, 13.0, 23.3, 42.0, 75.6); /* more tries than by default */
    assert_true(timer_gives_up_at(&exchange) == CAPTURE_TIME_NONE);
}

/* A capture may claim any times. */
static void
absurd_times_overflow_nothing(void **state)
{
    exchange_t exchange = { .transmissions = TRANSMISSIONS_KEPT + 5,
                            .first_sent_at = INT64_MAX - 1,
                            .last_sent_at = INT64_MAX - 1 };

    (void)state;
    for (unsigned i = 0; i < TRANSMISSIONS_KEPT; i++)
        exchange.gap[i] = i % 2 == 0 ? INT64_MAX : 1;
    exchange.last_gap = INT64_MAX;
    assert_true(timer_next_try_at(&exchange) == CAPTURE_TIME_NONE);
    assert_true(timer_gives_up_at(&exchange) == CAPTURE_TIME_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_defaults_are_recognised),      cmocka_unit_test(what_is_not_known_has_no_family),
        cmocka_unit_test(the_number_of_tries_speaks_too),     cmocka_unit_test(the_end_is_foretold),
        cmocka_unit_test(nothing_is_foretold_without_ground), cmocka_unit_test(absurd_times_overflow_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
