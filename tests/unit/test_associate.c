/* test_associate.c - do packets with equal SPIs and other addresses stay apart?
 *
 * Test vectors and manual keys repeat SPIs that a real peer would have drawn by chance (RFC 7296 2.6, RFC 4303 2.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ESP_HEADER 8u /* SPI and sequence number (RFC 4303 2) */
#define MANUAL_SPI 123u

static endpoint_t
host(uint8_t number, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { 192, 0, 2, number }, .port = port };
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static const frame_note_t *
feed(engine_t *engine, packet_kind_t kind, frame_t frame, endpoint_t from, endpoint_t to, const uint8_t *bytes, size_t length)
{
    packet_t packet = { .kind = kind,
                        .frame = frame,
                        .time = SECONDS(1000) + MILLISECONDS(1) * (capture_ns_t)frame,
                        .source = from,
                        .destination = to,
                        .bytes = bytes,
                        .captured = length,
                        .reported = length };

    return engine_packet(engine, &packet);
}

static engine_t *
new_engine(void)
{
    engine_settings_t settings = engine_default_settings();

    return engine_new(&settings);
}

/* The first packet on an SPI to each of two hosts. `length` bytes from the SPI on, the payload all alike. */
static void
feed_esp_to_two_hosts(engine_t *engine, size_t length)
{
    uint8_t bytes[ESP_HEADER + 64] = { 0 };

    put_u32(bytes, MANUAL_SPI);
    put_u32(bytes + 4, 1);
    feed(engine, PACKET_ESP, 1, host(1, 0), host(2, 0), bytes, length);
    feed(engine, PACKET_ESP, 2, host(1, 0), host(3, 0), bytes, length);
}

static void
an_esp_header_alone_is_no_copy_beyond_a_nat(void **state)
{
    engine_t *engine = new_engine();
    capture_row_t row;

    (void)state;
    feed_esp_to_two_hosts(engine, ESP_HEADER);
    engine_capture_row(engine, &row);
    assert_int_equal(row.copies, 0);
    assert_int_equal(row.esp_packets, 2);
    assert_int_equal(engine_tunnel_count(engine), 2);
    engine_free(engine);
}

static void
equal_ciphertext_is_a_copy_beyond_a_nat(void **state)
{
    engine_t *engine = new_engine();
    capture_row_t row;

    (void)state;
    feed_esp_to_two_hosts(engine, ESP_HEADER + 64);
    engine_capture_row(engine, &row);
    assert_int_equal(row.copies, 1);
    assert_int_equal(engine_tunnel_count(engine), 1);
    engine_free(engine);
}

/* IKE_SA_INIT with initiator SPI 1122334455667788: a header and a Nonce payload of 8 bytes that `salt` tells apart. */
static uint32_t
feed_init(engine_t *engine, frame_t frame, endpoint_t from, endpoint_t to, uint32_t spi_r, uint8_t salt)
{
    uint8_t bytes[36] = { 0 };

    put_u32(bytes, 0x11223344);
    put_u32(bytes + 4, 0x55667788);
    put_u32(bytes + 12, spi_r);
    bytes[16] = 40; /* Nonce first */
    bytes[17] = 0x20;
    bytes[18] = 34; /* IKE_SA_INIT */
    bytes[19] = spi_r != 0 ? 0x20 : 0x08;
    put_u32(bytes + 24, sizeof(bytes));
    bytes[31] = 8;
    bytes[35] = salt;
    const frame_note_t *note = feed(engine, PACKET_IKE, frame, from, to, bytes, sizeof(bytes));
    assert_non_null(note);
    return note->tunnel;
}

static void
an_initiator_spi_alone_does_not_join_strangers(void **state)
{
    engine_t *engine = new_engine();

    (void)state;
    uint32_t first = feed_init(engine, 1, host(2, 500), host(1, 500), 0xaabb, 1);
    uint32_t second = feed_init(engine, 2, host(3, 500), host(4, 500), 0, 2);
    assert_int_not_equal(first, second);
    assert_int_equal(feed_init(engine, 3, host(4, 500), host(3, 500), 0xccdd, 3), second);
    assert_int_equal(engine_tunnel_count(engine), 2);
    engine_free(engine);
}

/* RFC 7296 2.23: a NAT changes the address of one side; the answer's SPI belongs to the request all the same. */
static void
an_initiator_spi_joins_what_shares_an_address(void **state)
{
    engine_t *engine = new_engine();

    (void)state;
    uint32_t first = feed_init(engine, 1, host(1, 500), host(2, 500), 0, 1);
    assert_int_equal(feed_init(engine, 2, host(2, 500), host(9, 1024), 0xaabb, 2), first);
    engine_free(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_esp_header_alone_is_no_copy_beyond_a_nat),
        cmocka_unit_test(equal_ciphertext_is_a_copy_beyond_a_nat),
        cmocka_unit_test(an_initiator_spi_alone_does_not_join_strangers),
        cmocka_unit_test(an_initiator_spi_joins_what_shares_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
