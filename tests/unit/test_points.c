/* test_points.c - two places, or one place and a path that changes?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/points/sightings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { REQUEST = 0x08, RESPONSE = 0x20, INFORMATIONAL = 37, LENGTH = 76 };

#define START SECONDS(1000)

typedef struct {
    engine_t *engine;
    frame_t frame;
} bench_t;

static endpoint_t
ipv4(uint8_t last, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { 192, 0, 2, last }, .port = port };
}

static bench_t
bench_new(void)
{
    engine_settings_t settings = engine_default_settings();

    return (bench_t){ .engine = engine_new(&settings) };
}

static packet_t
ike_packet(uint8_t bytes[LENGTH], uint8_t flags, uint8_t id)
{
    bool is_back = flags == RESPONSE;

    memset(bytes, 0, LENGTH);
    memset(bytes, 0x11, 8);
    memset(bytes + 8, 0x22, 8);
    bytes[16] = 46; /* SK */
    bytes[17] = 0x20;
    bytes[18] = INFORMATIONAL;
    bytes[19] = flags;
    bytes[23] = id;
    bytes[27] = LENGTH;
    bytes[31] = LENGTH - 28;
    bytes[40] = (uint8_t)(id + flags); /* ciphertext */
    return (packet_t){ .kind = PACKET_IKE,
                       .source = ipv4(is_back ? 2 : 1, 500),
                       .destination = ipv4(is_back ? 1 : 2, 500),
                       .bytes = bytes,
                       .captured = LENGTH,
                       .reported = LENGTH };
}

static void
feed(bench_t *bench, packet_t *packet, capture_ns_t time, capture_point_t point)
{
    packet->frame = ++bench->frame;
    packet->time = time;
    packet->point = point;
    engine_frame(bench->engine, packet->frame, time);
    if (point.interface != 0)
        engine_interface_heard(bench->engine, point.interface, time);
    engine_packet(bench->engine, packet);
}

static void
feed_ike(bench_t *bench, uint8_t flags, uint8_t id, capture_ns_t time, uint32_t interface, uint8_t hops)
{
    uint8_t bytes[LENGTH];
    packet_t packet = ike_packet(bytes, flags, id);

    feed(bench, &packet, time, (capture_point_t){ interface, hops });
}

static void
feed_esp(bench_t *bench, bool is_back, uint32_t sequence, capture_ns_t time, uint32_t interface, uint8_t hops)
{
    uint8_t bytes[64] = { 1, 2, 3, is_back };
    packet_t packet = { .kind = PACKET_ESP,
                        .source = ipv4(is_back ? 2 : 1, 0),
                        .destination = ipv4(is_back ? 1 : 2, 0),
                        .bytes = bytes,
                        .captured = sizeof bytes,
                        .reported = sizeof bytes };

    bytes[6] = (uint8_t)(sequence >> 8);
    bytes[7] = (uint8_t)sequence;
    bytes[20] = (uint8_t)(sequence * 31);
    feed(bench, &packet, time, (capture_point_t){ interface, hops });
}

static unsigned
count_of(bench_t *bench, finding_id_t id)
{
    const GPtrArray *findings;
    unsigned count = 0;

    engine_finish(bench->engine);
    findings = engine_findings(bench->engine);
    for (unsigned i = 0; i < findings->len; i++)
        count += ((const finding_t *)g_ptr_array_index(findings, i))->id == id;
    return count;
}

static uint64_t
esp_of(const bench_t *bench)
{
    capture_row_t row;

    engine_capture_row(bench->engine, &row);
    return row.esp_packets;
}

/* An interface fails while a request waits: its repeats leave by another one, and so does all that follows. */
static void
test_repeats_by_another_interface(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint8_t id = 0; id < 4; id++) {
        feed_ike(&bench, REQUEST, id, START + SECONDS(10) * id, 1, 64);
        feed_ike(&bench, RESPONSE, id, START + SECONDS(10) * id + MILLISECONDS(20), 1, 60);
    }
    feed_ike(&bench, REQUEST, 4, START + SECONDS(40), 1, 64);
    feed_ike(&bench, REQUEST, 4, START + SECONDS(42), 1, 64);
    feed_ike(&bench, REQUEST, 4, START + SECONDS(46), 2, 64);
    feed_ike(&bench, RESPONSE, 4, START + SECONDS(46) + MILLISECONDS(20), 2, 60);
    for (uint32_t i = 0; i < 200; i++)
        feed_esp(&bench, i % 2 == 1, 1 + i / 2, START + SECONDS(47) + MILLISECONDS(100) * i, 2, i % 2 == 1 ? 60 : 64);
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 0);
    assert_int_equal(count_of(&bench, FINDING_retransmission), 2);
    assert_int_equal(count_of(&bench, FINDING_dpd_unanswered), 1);
    assert_int_equal(count_of(&bench, FINDING_dpd_loss), 0);
    assert_int_equal(esp_of(&bench), 200);
    engine_free(bench.engine);
}

/* A router more on the way: nothing is seen twice. */
static void
test_path_changes(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint32_t i = 0; i < 400; i++)
        feed_esp(&bench, i % 2 == 1, 1 + i / 2, START + MILLISECONDS(100) * i, 1, i < 200 ? 64 : 61);
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 0);
    assert_int_equal(esp_of(&bench), 400);
    engine_free(bench.engine);
}

/* An answer lost behind the capture point is repeated over a new path, with everything after it. */
static void
test_path_changes_with_an_answered_request(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint8_t id = 0; id < 20; id++) {
        uint8_t hops = id < 4 ? 64 : 61;
        feed_ike(&bench, REQUEST, id, START + SECONDS(10) * id, 1, hops);
        feed_ike(&bench, RESPONSE, id, START + SECONDS(10) * id + MILLISECONDS(20), 1, (uint8_t)(hops - 10));
        if (id == 3) {
            feed_ike(&bench, REQUEST, id, START + SECONDS(34), 1, 61);
            feed_ike(&bench, RESPONSE, id, START + SECONDS(34) + MILLISECONDS(20), 1, 51);
        }
    }
    for (uint32_t i = 0; i < 200; i++)
        feed_esp(&bench, i % 2 == 1, 1 + i / 2, START + SECONDS(300) + MILLISECONDS(100) * i, 1, i % 2 == 1 ? 51 : 61);
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 0);
    assert_int_equal(count_of(&bench, FINDING_retransmit_exhausted), 0);
    assert_int_equal(count_of(&bench, FINDING_dpd_loss), 0);
    assert_int_equal(esp_of(&bench), 200);
    engine_free(bench.engine);
}

/* A routing loop brings each packet back again and again, with a smaller hop limit. */
static void
test_routing_loop(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        for (uint8_t turn = 0; turn < 10; turn++)
            feed_esp(&bench, false, 1 + i, START + MILLISECONDS(100) * i + MILLISECONDS(1) * turn, 1, (uint8_t)(64 - 2 * turn));
    }
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 0);
    assert_int_equal(esp_of(&bench), 100);
    engine_free(bench.engine);
}

/* The second capture ends early: what it no longer shows was not lost. */
static void
test_one_capture_ends_early(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint8_t id = 0; id < 4; id++) {
        capture_ns_t sent = START + SECONDS(10) * id;
        feed_ike(&bench, REQUEST, id, sent, 1, 64);
        feed_ike(&bench, REQUEST, id, sent + MILLISECONDS(10), 2, 61);
        feed_ike(&bench, RESPONSE, id, sent + MILLISECONDS(20), 2, 64);
        feed_ike(&bench, RESPONSE, id, sent + MILLISECONDS(30), 1, 61);
    }
    for (unsigned i = 0; i < 4; i++)
        feed_ike(&bench, REQUEST, 4, START + SECONDS(60) + SECONDS(4) * i, 1, 64);
    engine_frame(bench.engine, ++bench.frame, START + SECONDS(300));
    engine_interface_heard(bench.engine, 1, START + SECONDS(300));
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 1);
    assert_int_equal(count_of(&bench, FINDING_dpd_loss), 1);
    const GPtrArray *findings = engine_findings(bench.engine);
    for (unsigned i = 0; i < findings->len; i++)
        assert_string_equal(((const finding_t *)g_ptr_array_index(findings, i))->lost_from, "");
    engine_free(bench.engine);
}

/* The first copies come from the second place, and its capture begins later: what it lacks is no reason to doubt. */
static void
test_clock_behind_begins_later(void **state)
{
    bench_t bench = bench_new();

    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        if (i >= 20)
            feed_esp(&bench, false, 1 + i, START + SECONDS(i) - SECONDS(2), 2, 61);
        feed_esp(&bench, false, 1 + i, START + SECONDS(i), 1, 64);
    }
    assert_int_equal(count_of(&bench, FINDING_capture_two_points), 1);
    assert_int_equal(esp_of(&bench), 60);
    engine_free(bench.engine);
}

static void
test_points_differ(void **state)
{
    const capture_point_t nowhere = { 0, 0 }, first = { 1, 64 }, second = { 2, 64 }, further = { 1, 61 }, pcap = { 0, 64 };

    (void)state;
    assert_true(capture_points_differ(&first, &second));
    assert_true(capture_points_differ(&first, &further));
    assert_true(capture_points_differ(&further, &pcap));
    assert_false(capture_points_differ(&first, &first));
    assert_false(capture_points_differ(&first, &pcap));
    assert_false(capture_points_differ(&first, &nowhere));
    assert_false(capture_point_is_known(&nowhere));
}

/* However many messages: those of the latest are known. */
static void
test_sightings_are_bounded(void **state)
{
    sightings_t *sightings = sightings_new();
    uint8_t bytes[LENGTH];
    seen_before_t before;

    (void)state;
    for (uint64_t i = 1; i <= 50000; i++) {
        packet_t packet = ike_packet(bytes, REQUEST, (uint8_t)(i % 3));
        packet.frame = (frame_t)i;
        packet.time = START + SECONDS(i);
        packet.point = (capture_point_t){ (uint32_t)(1 + i % 7), 64 };
        assert_false(sightings_of_message(sightings, &packet, i, false, &before));
    }
    packet_t again = ike_packet(bytes, RESPONSE, 1);
    again.time = START;
    again.point = (capture_point_t){ 100, 64 };
    assert_true(sightings_of_message(sightings, &again, 50000, false, &before));
    assert_int_equal(before.frame, 50000);
    assert_false(sightings_of_message(sightings, &again, 1, false, &before));
    sightings_free(sightings);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_by_another_interface),
        cmocka_unit_test(test_path_changes),
        cmocka_unit_test(test_path_changes_with_an_answered_request),
        cmocka_unit_test(test_routing_loop),
        cmocka_unit_test(test_one_capture_ends_early),
        cmocka_unit_test(test_clock_behind_begins_later),
        cmocka_unit_test(test_points_differ),
        cmocka_unit_test(test_sightings_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
