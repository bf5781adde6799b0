/* timers.c - what does the spacing of retransmissions say about the sender's timer?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/timers.h"

#define GAP_TOLERANCE 0.12   /* of the first gap: jitter, and the path's delay */
#define RATIO_TOLERANCE 0.06 /* strongSwan's 1.8 and a doubling differ by 0.11 */
#define GAPS_THAT_TELL 2u
#define GAPS_USED (TRANSMISSIONS_KEPT - 1)

typedef struct {
    const char *family;
    double first_gap; /* seconds; 0: any (other settings), where the ratio is telling enough */
    double ratio;
    unsigned tries; /* transmissions before it gives up; 0: varies */
} timer_row_t;

/* Defaults, most telling first. */
static const timer_row_t timer_rows[] = {
    { .family = "strongSwan", .first_gap = 4.0, .ratio = 1.8, .tries = 6 },
    { .family = "strongSwan", .ratio = 1.8 },
    { .family = "FortiOS", .first_gap = 3.0, .ratio = 2.0, .tries = 5 },
    { .family = "Cisco or OpenIKED", .first_gap = 2.0, .ratio = 2.0, .tries = 6 },
    { .family = "Windows", .first_gap = 1.0, .ratio = 2.0, .tries = 8 },
    { .family = "libreswan", .first_gap = 0.5, .ratio = 2.0 },
    { .family = "Palo Alto Networks", .first_gap = 5.0, .ratio = 1.0, .tries = 11 },
    { .family = "Cisco IOS (IKEv1)", .first_gap = 10.0, .ratio = 1.0, .tries = 6 },
};

static bool
is_about(double value, double wanted, double tolerance)
{
    return value >= wanted * (1 - tolerance) && value <= wanted * (1 + tolerance);
}

static int
by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static unsigned
gaps_of(const exchange_t *exchange)
{
    return exchange->transmissions > 0 ? MIN(exchange->transmissions - 1, GAPS_USED) : 0;
}

/* The median leaves out one odd gap, such as libreswan's second one, which is as long as the first. */
static double
ratio_of(const exchange_t *exchange)
{
    double ratios[GAPS_USED];
    unsigned used = 0;

    for (unsigned i = 0; i + 1 < gaps_of(exchange); i++) {
        if (exchange->gap[i] > 0)
            ratios[used++] = (double)exchange->gap[i + 1] / (double)exchange->gap[i];
    }
    if (used == 0)
        return 0;
    qsort(ratios, used, sizeof(ratios[0]), by_value);
    return ratios[used / 2];
}

static bool
fits(const timer_row_t *row, const exchange_t *exchange, const retransmit_timer_t *timer)
{
    if (row->tries > 0 && exchange->transmissions > row->tries)
        return false;
    if (row->tries > 0 && exchange->abandoned == ABANDONED_SILENCE && exchange->transmissions < row->tries)
        return false;
    return is_about(timer->ratio, row->ratio, RATIO_TOLERANCE) &&
           (row->first_gap <= 0 || is_about(duration_seconds(timer->first_gap), row->first_gap, GAP_TOLERANCE));
}

bool
timer_measure(const exchange_t *exchange, retransmit_timer_t *ret_timer)
{
    retransmit_timer_t timer = { .first_gap = exchange->gap[0], .ratio = ratio_of(exchange) };

    if (gaps_of(exchange) == 0)
        return false;
    for (unsigned i = 0; gaps_of(exchange) >= GAPS_THAT_TELL && i < G_N_ELEMENTS(timer_rows) && timer.family == NULL; i++) {
        const timer_row_t *row = &timer_rows[i];
        if (!fits(row, exchange, &timer))
            continue;
        timer.family = row->family;
        timer.has_default_settings = row->first_gap > 0;
        timer.family_ratio = row->ratio;
        timer.tries = row->tries;
    }
    *ret_timer = timer;
    return true;
}

/* Seconds from the last transmission to the one that is `tries` later. */
static double
seconds_until(const exchange_t *exchange, double ratio, unsigned tries)
{
    double gap = duration_seconds(exchange->last_gap), seconds = 0;

    for (unsigned i = 0; i < tries; i++) {
        gap *= ratio;
        seconds += gap;
    }
    return seconds;
}

static capture_ns_t
time_after(const exchange_t *exchange, double seconds)
{
    /* A capture may claim any times: what lies beyond a year is no prediction. */
    const double year = 365.0 * 86400.0;

    if (exchange->last_sent_at == CAPTURE_TIME_NONE || seconds <= 0 || seconds > year ||
        exchange->last_sent_at > INT64_MAX - SECONDS(366 * 86400))
        return CAPTURE_TIME_NONE;
    return exchange->last_sent_at + (duration_ns_t)(seconds * 1e9);
}

/* What is known is better than what was measured over a path that delays. */
static double
best_ratio(const retransmit_timer_t *timer)
{
    return timer->family != NULL ? timer->family_ratio : timer->ratio;
}

capture_ns_t
timer_next_try_at(const exchange_t *exchange)
{
    retransmit_timer_t timer;

    if (!timer_measure(exchange, &timer) || timer.ratio <= 0)
        return CAPTURE_TIME_NONE;
    return time_after(exchange, seconds_until(exchange, best_ratio(&timer), 1));
}

capture_ns_t
timer_gives_up_at(const exchange_t *exchange)
{
    retransmit_timer_t timer;

    if (!timer_measure(exchange, &timer) || timer.tries == 0)
        return CAPTURE_TIME_NONE;
    return time_after(exchange, seconds_until(exchange, best_ratio(&timer), timer.tries - exchange->transmissions + 1));
}

void
timer_describe(const exchange_t *exchange, GString *out)
{
    retransmit_timer_t timer;

    if (!timer_measure(exchange, &timer) || timer.ratio <= 0)
        return;
    g_string_append_printf(out, " (timer: %.1f s", duration_seconds(timer.first_gap));
    if (is_about(timer.ratio, 1.0, RATIO_TOLERANCE))
        g_string_append(out, ", always the same");
    else
        g_string_append_printf(out, ", then x%.1f", timer.ratio);
    if (timer.family != NULL)
        g_string_append_printf(out, timer.has_default_settings ? ", like the defaults of %s" : ", like %s with other settings",
                               timer.family);
    g_string_append_c(out, ')');
}
