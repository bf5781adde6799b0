/* test_steady.c - packets that are only counted leave the same behind as if each had been looked at closely.
 *
 * The same stories are told to two engines. One of them hears of every packet that it was put together from IP fragments, which makes it
 * look closely.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/engine_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CLOSELY, STEADILY, ENGINES };

typedef struct {
    engine_t *engine[ENGINES];
    frame_t frame;
    capture_ns_t time;
} story_t;

static endpoint_t
peer(uint8_t last, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { 192, 0, 2, last }, .port = port };
}

static void
begin(story_t *story)
{
    engine_settings_t settings = engine_default_settings();

    *story = (story_t){ .time = SECONDS(1700000000) };
    for (unsigned e = 0; e < ENGINES; e++)
        story->engine[e] = engine_new(&settings);
}

static void
send_esp(story_t *story, bool is_back, uint16_t port, uint32_t spi, uint32_t number, duration_ns_t after)
{
    uint8_t bytes[64] = { (uint8_t)(spi >> 24),    (uint8_t)(spi >> 16),    (uint8_t)(spi >> 8),    (uint8_t)spi,
                          (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };
    const endpoint_t ends[2] = { peer(1, port), peer(2, 4500) };

    memset(bytes + 8, (int)(number * 7 + is_back), 24);
    story->frame++;
    story->time += after;
    for (unsigned e = 0; e < ENGINES; e++) {
        packet_t packet = { .kind = PACKET_ESP,
                            .frame = story->frame,
                            .time = story->time,
                            .source = ends[is_back],
                            .destination = ends[!is_back],
                            .encapsulation = ENCAPSULATION_UDP,
                            .bytes = bytes,
                            .captured = sizeof(bytes),
                            .reported = sizeof(bytes) + number % 5 * 16,
                            .ip_length = e == STEADILY ? 200 : 0 };
        engine_packet(story->engine[e], &packet);
    }
}

/* A request and a reply each time. */
static void
talk(story_t *story, uint16_t port, uint32_t spi, uint32_t from, uint32_t until)
{
    for (uint32_t number = from; number < until; number++) {
        send_esp(story, false, port, spi, number, MILLISECONDS(50));
        send_esp(story, true, port, spi + 1, number, MILLISECONDS(50));
    }
}

static void
assert_same_row(const story_t *story, uint32_t tunnel)
{
    tunnel_row_t row[ENGINES];

    for (unsigned e = 0; e < ENGINES; e++) {
        memset(&row[e], 0, sizeof(row[e]));
        engine_tunnel_row(story->engine[e], tunnel, &row[e]);
    }
    for (unsigned p = 0; p < PEERS; p++) {
        assert_int_equal(row[CLOSELY].peer[p].esp_packets, row[STEADILY].peer[p].esp_packets);
        assert_int_equal(row[CLOSELY].peer[p].esp_bytes, row[STEADILY].peer[p].esp_bytes);
        assert_memory_equal(&row[CLOSELY].peer[p].esp_toll, &row[STEADILY].peer[p].esp_toll, sizeof(esp_toll_t));
        assert_true(endpoint_equal(&row[CLOSELY].peer[p].last, &row[STEADILY].peer[p].last));
    }
    assert_int_equal(row[CLOSELY].state, row[STEADILY].state);
    assert_int_equal(row[CLOSELY].last_frame, row[STEADILY].last_frame);
    assert_true(row[CLOSELY].known_seconds == row[STEADILY].known_seconds);
    assert_true(row[CLOSELY].availability == row[STEADILY].availability);
    assert_int_equal(row[CLOSELY].child_sas, row[STEADILY].child_sas);
}

static void
assert_same_findings(const story_t *story)
{
    const GPtrArray *closely = engine_findings(story->engine[CLOSELY]), *steadily = engine_findings(story->engine[STEADILY]);

    assert_int_equal(closely->len, steadily->len);
    for (unsigned i = 0; i < closely->len; i++) {
        const finding_t *a = g_ptr_array_index(closely, i), *b = g_ptr_array_index(steadily, i);
        assert_int_equal(a->id, b->id);
        assert_int_equal(a->frame, b->frame);
        assert_string_equal(a->text, b->text);
    }
}

static void
assert_same_and_end(story_t *story)
{
    for (unsigned e = 0; e < ENGINES; e++)
        engine_finish(story->engine[e]);
    assert_int_equal(engine_tunnel_count(story->engine[CLOSELY]), engine_tunnel_count(story->engine[STEADILY]));
    for (uint32_t t = 0; t < engine_tunnel_count(story->engine[CLOSELY]); t++)
        assert_same_row(story, t);
    assert_same_findings(story);
    for (unsigned e = 0; e < ENGINES; e++)
        engine_free(story->engine[e]);
}

static bool
is_steady(const story_t *story, unsigned engine, uint32_t spi)
{
    const esp_sa_t *sa = spi_index_first(story->engine[engine]->esp_sas_by_spi, spi);

    return sa != NULL && sa->steady_since == sa->tunnel->turn;
}

/* Else the others would compare nothing. */
static void
two_way_traffic_is_steady(void **state)
{
    story_t story;

    (void)state;
    begin(&story);
    talk(&story, 4500, 0x1000, 1, 20);
    assert_true(is_steady(&story, STEADILY, 0x1000));
    assert_true(is_steady(&story, STEADILY, 0x1001));
    assert_false(is_steady(&story, CLOSELY, 0x1000));
    assert_same_and_end(&story);
}

static void
loss_and_disorder_are_counted_alike(void **state)
{
    story_t story;

    (void)state;
    begin(&story);
    talk(&story, 4500, 0x1000, 1, 200);
    talk(&story, 4500, 0x1000, 205, 400);
    send_esp(&story, false, 4500, 0x1000, 402, MILLISECONDS(50));
    send_esp(&story, false, 4500, 0x1000, 401, MILLISECONDS(50));
    talk(&story, 4500, 0x1000, 403, 600);
    talk(&story, 4500, 0x1000, 300, 340); /* sent again */
    talk(&story, 4500, 0x1000, 600, 1000);
    assert_same_and_end(&story);
}

static void
silence_of_one_side_is_told_alike(void **state)
{
    story_t story;

    (void)state;
    begin(&story);
    talk(&story, 4500, 0x1000, 1, 100);
    for (uint32_t number = 100; number < 400; number++)
        send_esp(&story, false, 4500, 0x1000, number, MILLISECONDS(100));
    assert_false(is_steady(&story, STEADILY, 0x1000));
    talk(&story, 4500, 0x1000, 400, 500);
    assert_same_and_end(&story);
}

static void
a_new_port_and_a_new_sa_are_seen_alike(void **state)
{
    story_t story;

    (void)state;
    begin(&story);
    talk(&story, 4500, 0x1000, 1, 100);
    talk(&story, 61000, 0x1000, 100, 200);
    talk(&story, 61000, 0x2000, 1, 300);
    talk(&story, 61000, 0x2000, 1, 50); /* the counters begin anew */
    assert_same_and_end(&story);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_way_traffic_is_steady),
        cmocka_unit_test(loss_and_disorder_are_counted_alike),
        cmocka_unit_test(silence_of_one_side_is_told_alike),
        cmocka_unit_test(a_new_port_and_a_new_sa_are_seen_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
