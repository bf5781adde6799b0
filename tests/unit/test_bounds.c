/* test_bounds.c - does a flood of addresses, cookies or SPIs stay within the engine's limits?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static endpoint_t
ipv4(uint32_t address, uint16_t port)
{
    return (
        endpoint_t){ .family = ADDRESS_IPV4,
                     .address = { (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address },
                     .port = port };
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void
feed_esp(engine_t *engine, frame_t frame, uint32_t from, uint32_t spi)
{
    uint8_t bytes[60] = { 0 };
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = frame,
                        .time = SECONDS(1000) + MILLISECONDS(10) * (capture_ns_t)frame,
                        .source = ipv4(from, 0),
                        .destination = ipv4(0xc6336401, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, spi);
    put_u32(bytes + 4, 1);
    engine_packet(engine, &packet);
}

static void
feed_init(engine_t *engine, frame_t frame, uint32_t cookie)
{
    uint8_t bytes[36] = { 0 };
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = frame,
                        .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                        .source = ipv4(0xc0000201, 500),
                        .destination = ipv4(0xc6336401, 500),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, cookie);
    bytes[16] = 40; /* Nonce first */
    bytes[17] = 0x20;
    bytes[18] = 34; /* IKE_SA_INIT */
    bytes[19] = 0x08;
    put_u32(bytes + 24, sizeof(bytes));
    bytes[31] = 8;
    engine_packet(engine, &packet);
}

static unsigned
kept_tunnels(const engine_t *engine)
{
    unsigned kept = 0;
    for (uint32_t i = 0; i < engine_tunnel_count(engine); i++)
        kept += engine_tunnel_is_kept(engine, i);
    return kept;
}

static void
addresses_beyond_the_limit_evict_the_oldest(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    settings.max_tunnels = 8;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 100; i++)
        feed_esp(engine, i, 0xc0000200 + i, 0x10000 + i);
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_in_range(kept_tunnels(engine), 1, 8);
    assert_int_equal(capture.tunnels_evicted, engine_tunnel_count(engine) - kept_tunnels(engine));
    assert_false(engine_tunnel_is_kept(engine, 0));
    assert_true(engine_tunnel_is_kept(engine, 99));
    engine_free(engine);
}

static void
spis_beyond_the_limit_stay_one_tunnel_and_every_packet_counts(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 3 * ESP_SAS_PER_TUNNEL_MAX; i++)
        feed_esp(engine, i, 0xc0000201, 0x10000 + i);
    engine_finish(engine);
    assert_int_equal(engine_tunnel_count(engine), 1);
    engine_tunnel_row(engine, 0, &row);
    assert_int_equal(row.peer[PEER_A].esp_packets, 3 * ESP_SAS_PER_TUNNEL_MAX);
    engine_free(engine);
}

static void
findings_beyond_the_limit_are_counted(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= FINDINGS_PER_ID_MAX + IKE_SAS_PER_TUNNEL_MAX + 100; i++)
        feed_init(engine, i, i);
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_true(capture.findings_left_out > 0);
    unsigned unanswered = 0;
    for (unsigned i = 0; i < engine_findings(engine)->len; i++)
        unanswered += ((const finding_t *)g_ptr_array_index(engine_findings(engine), i))->id == FINDING_ike_no_response;
    assert_int_equal(unanswered, FINDINGS_PER_ID_MAX);
    engine_free(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_beyond_the_limit_evict_the_oldest),
        cmocka_unit_test(spis_beyond_the_limit_stay_one_tunnel_and_every_packet_counts),
        cmocka_unit_test(findings_beyond_the_limit_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
