/* test_periods.c - when did a tunnel work, when not, and when can the capture not tell?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/summary/periods.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define AT(s) SECONDS(1000 + (s))

static tunnel_t *
new_tunnel(void)
{
    const uint8_t a[4] = { 192, 0, 2, 1 }, b[4] = { 198, 51, 100, 1 };
    endpoint_t from = endpoint_from_bytes(ADDRESS_IPV4, a, 500), to = endpoint_from_bytes(ADDRESS_IPV4, b, 500);

    return tunnel_new(0, &from, &to, 1, AT(0));
}

/* Proved to work from second `from` to second `to`; frame numbers are the seconds. */
static void
prove(tunnel_t *tunnel, unsigned from, unsigned to)
{
    tunnel->was_up = tunnel->had_child = true;
    tunnel->first_proof_at = AT(from);
    tunnel->first_proof_in = from;
    tunnel->last_proof_at = AT(to);
    tunnel->last_proof_in = to;
}

static void
add_outage(tunnel_t *tunnel, unsigned from, unsigned to, bool is_unknown)
{
    outage_t outage = { .from = AT(from), .from_frame = from, .to = AT(to), .to_frame = to, .is_unknown = is_unknown };
    g_array_append_val(tunnel->outages, outage);
}

/* "unknown 0-5 up 5-20": with seconds. */
static void
expect_periods(const tunnel_t *tunnel, unsigned end, const char *expected)
{
    GArray *periods = g_array_new(FALSE, FALSE, sizeof(period_row_t));
    GString *got = g_string_new(NULL);

    periods_of(tunnel, AT(end), end, periods);
    for (unsigned i = 0; i < periods->len; i++) {
        const period_row_t *period = &g_array_index(periods, period_row_t, i);
        static const char *const names[] = { "unknown", "up", "degraded", "down" };
        g_string_append_printf(got, "%s%s %u-%u", i ? " " : "", names[period->state],
                               (unsigned)(duration_between(AT(0), period->from) / SECONDS(1)),
                               (unsigned)(duration_between(AT(0), period->to) / SECONDS(1)));
    }
    assert_string_equal(got->str, expected);
    g_string_free(got, TRUE);
    g_array_free(periods, TRUE);
}

static void
test_up_between_proofs(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    prove(tunnel, 5, 20);
    expect_periods(tunnel, 60, "unknown 0-5 up 5-20 unknown 20-60");
    tunnel_free(tunnel);
}

static void
test_outage_between_proofs(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    prove(tunnel, 0, 100);
    add_outage(tunnel, 20, 50, false);
    add_outage(tunnel, 70, 80, true);
    expect_periods(tunnel, 100, "up 0-20 down 20-50 up 50-70 unknown 70-80 up 80-100");
    tunnel_free(tunnel);
}

static void
test_down_at_end(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    prove(tunnel, 0, 30);
    tunnel->loss = (loss_t){ .kind = LOSS_GAVE_UP, .at = AT(50), .last_proof_at = AT(30) };
    expect_periods(tunnel, 90, "up 0-30 down 30-90");
    tunnel->loss.kind = LOSS_DELETED; /* on purpose, and nobody missed it */
    expect_periods(tunnel, 90, "up 0-30 unknown 30-90");
    tunnel->loss.traffic = true;
    expect_periods(tunnel, 90, "up 0-30 down 30-90");
    tunnel_free(tunnel);
}

static void
test_degraded_inside_up(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    finding_t one_way = { .id = FINDING_esp_one_way,
                          .severity = SEVERITY_ERROR,
                          .frame = 30,
                          .time = AT(30),
                          .began_in = 20,
                          .began_at = AT(20),
                          .last_in = 45,
                          .last_at = AT(45) };

    (void)state;
    prove(tunnel, 0, 60);
    add_outage(tunnel, 40, 50, false);
    g_ptr_array_add(tunnel->findings, &one_way);
    expect_periods(tunnel, 70, "up 0-20 degraded 20-40 down 40-50 up 50-60 unknown 60-70");
    one_way.severity = SEVERITY_NOTE;
    expect_periods(tunnel, 70, "up 0-40 down 40-50 up 50-60 unknown 60-70");
    tunnel_free(tunnel);
}

static void
test_degraded_without_child(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    prove(tunnel, 5, 60);
    tunnel->first_refused_at = AT(10);
    tunnel->first_refused_in = 10;
    tunnel->refused_in_a_row = 2;
    expect_periods(tunnel, 60, "unknown 0-5 up 5-60"); /* another child carries traffic */
    tunnel->had_child = false;
    expect_periods(tunnel, 60, "unknown 0-5 up 5-10 degraded 10-60");
    tunnel->refused_in_a_row = 0;
    expect_periods(tunnel, 60, "unknown 0-5 up 5-60"); /* childless, and nobody asked */
    tunnel_free(tunnel);
}

static void
test_never_up(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    finding_t silence = {
        .id = FINDING_ike_no_response, .severity = SEVERITY_ERROR, .frame = 9, .time = AT(9), .began_in = 2, .began_at = AT(2)
    };

    (void)state;
    tunnel->last_time = AT(10);
    expect_periods(tunnel, 60, "unknown 0-10");
    g_ptr_array_add(tunnel->findings, &silence);
    expect_periods(tunnel, 60, "unknown 0-2 down 2-10");
    tunnel_free(tunnel);
}

static void
test_times_that_run_backwards(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    prove(tunnel, 50, 20);
    add_outage(tunnel, 40, 10, false);
    expect_periods(tunnel, 5, "unknown 0-50");
    tunnel_free(tunnel);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_up_between_proofs),
        cmocka_unit_test(test_outage_between_proofs),
        cmocka_unit_test(test_down_at_end),
        cmocka_unit_test(test_degraded_inside_up),
        cmocka_unit_test(test_degraded_without_child),
        cmocka_unit_test(test_never_up),
        cmocka_unit_test(test_times_that_run_backwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
