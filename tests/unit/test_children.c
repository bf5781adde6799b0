/* test_children.c - which two SPIs are a pair, and where is that not known?
 *
 * RFC 4301 4.1: a child SA is a pair of SAs. RFC 7296 1.3, 2.8: rekeys overlap, and children stand side by side; RFC 9611: many of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/children.h"
#include "engine/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OLD 5000u /* a sequence number of an SA that is older than the capture */

static frame_t now; /* one frame per 100 ms */

static capture_ns_t
time_of(frame_t frame)
{
    return SECONDS(1000) + MILLISECONDS(100) * (capture_ns_t)frame;
}

static tunnel_t *
new_tunnel(void)
{
    endpoint_t a = { .family = ADDRESS_IPV4, .address = { 192, 0, 2, 1 } },
               b = { .family = ADDRESS_IPV4, .address = { 192, 0, 2, 2 } };

    now = 1;
    return tunnel_new(0, &a, &b, now, time_of(now));
}

/* An established IKE SA with a negotiation of its own. */
static ike_sa_t *
add_ike_sa(tunnel_t *tunnel)
{
    ike_message_t message = { .major = 2 };
    ike_sa_t *ike_sa = ike_sa_new(tunnel, &message, PEER_A, now, time_of(now));

    ike_sa->state = IKE_SA_ESTABLISHED;
    ike_sa->index = ike_sa->root = tunnel->ike_sas->len;
    g_ptr_array_add(tunnel->ike_sas, ike_sa);
    return ike_sa;
}

/* A request of A, sent now. To be freed with exchange_free(). */
static exchange_t *
ask(ike_sa_t *ike_sa)
{
    ike_message_t message = { .major = 2, .exchange_type = IKEV2_CREATE_CHILD_SA };
    exchange_t *exchange = exchange_new(ike_sa, &message, PEER_A);

    exchange->first_sent_at = time_of(now);
    return exchange;
}

/* A negotiation that makes a child and cannot be read. Returns the child's index. */
static uint32_t
negotiate(ike_sa_t *ike_sa)
{
    exchange_t *exchange = ask(ike_sa);
    now++;
    uint32_t index = children_made_by(ike_sa->tunnel, exchange, now, time_of(now));

    exchange_free(exchange);
    return index;
}

static esp_sa_t *
new_sa(tunnel_t *tunnel, peer_t sender, uint32_t sequence)
{
    static uint32_t spi = 0x10000;
    esp_sa_t *sa = esp_sa_new(tunnel, ++spi, sender);

    g_ptr_array_add(tunnel->esp_sas, sa);
    sa->packets = 1;
    sa->first_sequence = sequence;
    sa->first_frame = sa->last_frame = ++now;
    sa->first_time = sa->last_time = time_of(now);
    return sa;
}

/* The first packet on an SPI that nobody announced. */
static esp_sa_t *
begins(tunnel_t *tunnel, peer_t sender, uint32_t sequence)
{
    esp_sa_t *sa = new_sa(tunnel, sender, sequence);

    children_place(tunnel, sa);
    return sa;
}

static void
a_negotiation_gets_the_next_spi_of_each_direction(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    for (uint32_t generation = 0; generation < 3; generation++) {
        assert_int_equal(negotiate(ike_sa), generation);
        assert_int_equal(begins(tunnel, PEER_B, 1)->generation, generation);
        now += 600; /* the other direction is idle for a minute */
        assert_int_equal(begins(tunnel, PEER_A, 2)->generation, generation);
    }
    assert_int_equal(children_count(tunnel), 3);
    tunnel_free(tunnel);
}

static void
two_open_negotiations_leave_both_pairs_unknown(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    negotiate(ike_sa);
    negotiate(ike_sa);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(begins(tunnel, PEER_A, 1)->generation, INDEX_NONE);
        assert_int_equal(begins(tunnel, PEER_B, 1)->generation, INDEX_NONE);
    }
    assert_int_equal(children_count(tunnel), 2);
    uint32_t rekeyed = negotiate(ike_sa);
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, rekeyed);
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, rekeyed);
    tunnel_free(tunnel);
}

static void
rekeys_that_overlap_stay_apart(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    uint32_t first = negotiate(ike_sa);
    esp_sa_t *old_a = begins(tunnel, PEER_A, 1), *old_b = begins(tunnel, PEER_B, 1);
    uint32_t second = negotiate(ike_sa);
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, second); /* B still uses the old one */
    now += 200;
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, second);
    assert_int_equal(old_a->generation, first);
    assert_int_equal(old_b->generation, first);
    tunnel_free(tunnel);
}

static void
a_direction_that_was_never_used_does_not_shift_the_next(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    uint32_t first = negotiate(ike_sa);
    begins(tunnel, PEER_A, 1);
    uint32_t second = negotiate(ike_sa);
    begins(tunnel, PEER_A, 1);
    now++;
    children_deleted(tunnel, first, PEER_A, now, time_of(now), CONFIDENCE_INFERRED);
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, second);
    tunnel_free(tunnel);
}

static void
without_the_delete_a_direction_that_starts_late_is_unknown(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    negotiate(ike_sa);
    begins(tunnel, PEER_A, 1);
    negotiate(ike_sa);
    begins(tunnel, PEER_A, 1);
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, INDEX_NONE);
    tunnel_free(tunnel);
}

static void
children_of_a_deleted_ike_sa_wait_for_nothing(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *before = add_ike_sa(tunnel);

    (void)state;
    negotiate(before);
    before->state = IKE_SA_DELETED;
    uint32_t second = negotiate(add_ike_sa(tunnel));
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, second);
    tunnel_free(tunnel);
}

static void
esp_may_overtake_the_answer(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);
    exchange_t *exchange = ask(ike_sa);

    (void)state;
    esp_sa_t *early = begins(tunnel, PEER_B, 1);
    now++;
    uint32_t index = children_made_by(tunnel, exchange, now, time_of(now));
    children_adopt_early(tunnel, index, exchange, PEER_A);
    children_adopt_early(tunnel, index, exchange, PEER_B);
    assert_int_equal(early->generation, index);
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, index);
    assert_int_equal(children_count(tunnel), 1);
    exchange_free(exchange);
    tunnel_free(tunnel);
}

static void
what_made_no_child_leaves_its_spi_to_the_other(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    uint32_t child = negotiate(ike_sa), rekey_of_ike_sa = negotiate(ike_sa);
    esp_sa_t *sa = begins(tunnel, PEER_A, 1);
    assert_int_equal(sa->generation, INDEX_NONE);
    children_take_back(tunnel, rekey_of_ike_sa);
    assert_int_equal(sa->generation, child);
    assert_int_equal(negotiate(ike_sa), rekey_of_ike_sa); /* its number is free again */
    tunnel_free(tunnel);
}

static void
spis_that_begin_together_are_a_pair(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    for (uint32_t generation = 0; generation < 3; generation++) {
        assert_int_equal(begins(tunnel, PEER_A, 1)->generation, generation);
        assert_int_equal(begins(tunnel, PEER_B, 1)->generation, generation);
        now += 600;
    }
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, 3);
    now += 600; /* each direction changes for itself */
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, 4);
    tunnel_free(tunnel);
}

static void
two_that_begin_together_each_way_are_no_pairs(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    const esp_sa_t *sa[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        sa[i] = begins(tunnel, i % 2 == 0 ? PEER_A : PEER_B, OLD);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sa[i]->generation, INDEX_NONE);
    assert_int_equal(children_count(tunnel), 2);
    tunnel_free(tunnel);
}

static void
the_first_of_each_direction_are_a_pair_if_both_are_old(void **state)
{
    tunnel_t *tunnel = new_tunnel();

    (void)state;
    begins(tunnel, PEER_A, OLD);
    now += 6000;
    assert_int_equal(begins(tunnel, PEER_B, OLD)->generation, 0);
    tunnel_free(tunnel);
    tunnel = new_tunnel();
    begins(tunnel, PEER_A, OLD);
    now += 6000;
    assert_int_equal(begins(tunnel, PEER_B, 1)->generation, 1); /* the SA of A is another one's by now, or will be */
    tunnel_free(tunnel);
}

static void
an_old_sa_is_not_what_was_just_negotiated(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    uint32_t made = negotiate(add_ike_sa(tunnel));

    (void)state;
    assert_int_not_equal(begins(tunnel, PEER_A, OLD)->generation, made);
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, made);
    tunnel_free(tunnel);
}

static void
one_spi_too_many_leaves_all_of_them_unknown(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    uint32_t made = negotiate(add_ike_sa(tunnel)); /* and another one, which the capture has lost */
    esp_sa_t *sa[4];

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        sa[i] = begins(tunnel, i < 2 ? PEER_A : PEER_B, 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(sa[i]->generation, INDEX_NONE);
    assert_non_null(tunnel_child(tunnel, made));
    assert_int_equal(children_count(tunnel), 2);
    tunnel_free(tunnel);
}

static void
an_announcement_decides(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);

    (void)state;
    esp_sa_t *early = begins(tunnel, PEER_A, 1);
    uint32_t other = negotiate(ike_sa), index = negotiate(ike_sa);
    esp_sa_t *later = esp_sa_new(tunnel, 0x5555, PEER_B);
    g_ptr_array_add(tunnel->esp_sas, later);
    children_announce(tunnel, index, early);
    children_announce(tunnel, index, later);
    assert_int_equal(early->generation, index);
    assert_int_equal(tunnel_child(tunnel, index)->confidence, CONFIDENCE_OBSERVED);
    assert_ptr_equal(tunnel_child(tunnel, index)->sa[PEER_B], later);
    assert_int_equal(begins(tunnel, PEER_A, 1)->generation, other); /* the only one that is open now */
    assert_int_equal(children_count(tunnel), 2);
    tunnel_free(tunnel);
}

static void
there_is_an_end_to_what_is_remembered(void **state)
{
    tunnel_t *tunnel = new_tunnel();
    ike_sa_t *ike_sa = add_ike_sa(tunnel);
    uint32_t last = 0;

    (void)state;
    for (unsigned i = 0; i < 3 * CHILD_SAS_PER_TUNNEL_MAX; i++) {
        last = negotiate(ike_sa);
        assert_true(tunnel->children.list->len <= CHILD_SAS_PER_TUNNEL_MAX);
    }
    assert_int_equal(last, 3 * CHILD_SAS_PER_TUNNEL_MAX - 1);
    assert_int_equal(tunnel_child(tunnel, last)->index, last);
    assert_null(tunnel_child(tunnel, 0));
    assert_null(tunnel_child(tunnel, last + 1));
    assert_null(tunnel_child(tunnel, INDEX_NONE));
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(begins(tunnel, PEER_A, 1)->generation, INDEX_NONE);
    tunnel_free(tunnel);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_negotiation_gets_the_next_spi_of_each_direction),
        cmocka_unit_test(two_open_negotiations_leave_both_pairs_unknown),
        cmocka_unit_test(rekeys_that_overlap_stay_apart),
        cmocka_unit_test(a_direction_that_was_never_used_does_not_shift_the_next),
        cmocka_unit_test(without_the_delete_a_direction_that_starts_late_is_unknown),
        cmocka_unit_test(children_of_a_deleted_ike_sa_wait_for_nothing),
        cmocka_unit_test(esp_may_overtake_the_answer),
        cmocka_unit_test(what_made_no_child_leaves_its_spi_to_the_other),
        cmocka_unit_test(spis_that_begin_together_are_a_pair),
        cmocka_unit_test(two_that_begin_together_each_way_are_no_pairs),
        cmocka_unit_test(the_first_of_each_direction_are_a_pair_if_both_are_old),
        cmocka_unit_test(an_old_sa_is_not_what_was_just_negotiated),
        cmocka_unit_test(one_spi_too_many_leaves_all_of_them_unknown),
        cmocka_unit_test(an_announcement_decides),
        cmocka_unit_test(there_is_an_end_to_what_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
