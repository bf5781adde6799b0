/* test_ip_packet.c - what is read of IP packets and ICMP errors of which any part may be missing?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/icmp_error.h"

#include "sample.h"

#include <string.h>

/* 192.0.2.10:500 to 198.51.100.1:500, UDP of 12 bytes. */
static const uint8_t UDP_V4[] = { 0x45, 0,    0, 40,   0, 1,  0, 0, 64, 17, 0, 0, 192, 0, 2, 10, 198, 51, 100, 1,
                                  1,    0xf4, 1, 0xf4, 0, 20, 0, 0, 1,  2,  3, 4, 5,   6, 7, 8,  9,   10, 11,  12 };

/* 2001:db8::1 to 2001:db8::2: hop-by-hop options, AH, destination options, ESP of 12 bytes. */
static const uint8_t ESP_V6[] = {
    0x60, 0,    0,    0,    0, 52, 0, 64, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 1,
    0x20, 1,    0x0d, 0xb8, 0, 0,  0, 0,  0,    0, 0,    0,    0, 0, 0, 2, 51, 0, 1, 4, 0, 0, 0, 0, /* hop-by-hop */
    60,   4,    0,    0,    0, 0,  1, 0,  0,    0, 0,    1,    9, 9, 9, 9, 9,  9, 9, 9, 9, 9, 9, 9, /* AH, ICV of 12 */
    50,   0,    1,    4,    0, 0,  0, 0,                                                            /* destination options */
    0xc0, 0xde, 0,    1,    0, 0,  0, 7,  1,    2, 3,    4
};

static void
udp_is_read_as_far_as_it_is_there(void **state)
{
    (void)state;
    for (size_t captured = 0; captured <= sizeof(UDP_V4); captured++) {
        uint8_t *exact = g_memdup2(UDP_V4, captured); /* a read beyond it is seen by the sanitizer */
        ip_packet_t packet;
        udp_datagram_t datagram;

        bool is_read = ip_packet_read(exact, captured, &packet);
        assert_int_equal(is_read, captured >= 20);
        if (is_read) {
            assert_int_equal(packet.length, 40);
            assert_int_equal(packet.payload_length, 20);
            assert_int_equal(packet.payload.left, captured - 20);
            assert_int_equal(ip_packet_read_udp(&packet, &datagram), captured >= 28);
        }
        if (captured >= 28) {
            assert_int_equal(datagram.source.port, 500);
            assert_int_equal(datagram.payload_length, 12);
            assert_int_equal(datagram.payload.left, captured - 28);
        }
        g_free(exact);
    }
}

static void
extension_headers_are_passed_over(void **state)
{
    ip_packet_t packet;

    (void)state;
    for (size_t captured = 0; captured < sizeof(ESP_V6) - 12; captured++) {
        uint8_t *exact = g_memdup2(ESP_V6, captured);
        assert_false(ip_packet_read(exact, captured, &packet));
        g_free(exact);
    }
    assert_true(ip_packet_read(ESP_V6, sizeof(ESP_V6), &packet));
    assert_int_equal(packet.protocol, IP_PROTOCOL_ESP);
    assert_int_equal(packet.payload.left, 12);
    assert_int_equal(packet.payload_length, 12);
    assert_int_equal(packet.length, sizeof(ESP_V6));
}

/* A chain of options that never ends, and lengths that lead out of the packet. */
static void
hostile_extension_headers_end(void **state)
{
    uint8_t bytes[40 + 8 * 64];
    ip_packet_t packet;

    (void)state;
    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, ESP_V6, 40);
    bytes[4] = 2; /* payload of 512 bytes, all of it hop-by-hop options (protocol 0) */
    bytes[5] = 0;
    bytes[6] = 0;
    assert_true(ip_packet_read(bytes, sizeof(bytes), &packet));
    assert_int_equal(packet.protocol, 0);
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        memset(bytes + 40, 0xff, sizeof(bytes) - 40);
        bytes[6] = (uint8_t)protocol;
        if (ip_packet_read(bytes, sizeof(bytes), &packet))
            assert_true(packet.payload.left <= packet.payload_length);
    }
}

static void
what_the_header_says_is_no_more_than_there_is(void **state)
{
    uint8_t bytes[sizeof(UDP_V4)];
    ip_packet_t packet;
    udp_datagram_t datagram;

    (void)state;
    memcpy(bytes, UDP_V4, sizeof(bytes));
    bytes[3] = 19; /* shorter than its own header */
    assert_false(ip_packet_read(bytes, sizeof(bytes), &packet));
    bytes[3] = 24; /* what follows is Ethernet's padding */
    assert_true(ip_packet_read(bytes, sizeof(bytes), &packet));
    assert_int_equal(packet.payload.left, 4);
    assert_false(ip_packet_read_udp(&packet, &datagram));
    bytes[3] = 0; /* segmentation offload */
    assert_true(ip_packet_read(bytes, sizeof(bytes), &packet));
    assert_int_equal(packet.length, sizeof(bytes));
    bytes[0] = 0x44; /* a header of 16 bytes */
    assert_false(ip_packet_read(bytes, sizeof(bytes), &packet));
    bytes[0] = 0x4f;
    assert_false(ip_packet_read(bytes, 59, &packet));
    bytes[0] = 0x45;
    bytes[25] = 7; /* UDP shorter than its header */
    assert_true(ip_packet_read(bytes, sizeof(bytes), &packet));
    assert_false(ip_packet_read_udp(&packet, &datagram));
}

static void
fragments_are_told_apart(void **state)
{
    static const struct {
        uint16_t place;
        bool is_first, is_later;
    } places[] = { { 0x0000, false, false },
                   { 0x4000, false, false },
                   { 0x2000, true, false },
                   { 0x2001, false, true },
                   { 0x0001, false, true } };
    uint8_t bytes[sizeof(UDP_V4)], header[8 + 8] = { 50, 0, 0, 1, 0, 0, 0, 9 };
    ip_packet_t packet;
    udp_datagram_t datagram;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        memcpy(bytes, UDP_V4, sizeof(bytes));
        bytes[6] = (uint8_t)(places[i].place >> 8);
        bytes[7] = (uint8_t)places[i].place;
        assert_true(ip_packet_read(bytes, sizeof(bytes), &packet));
        assert_int_equal(packet.is_first_fragment, places[i].is_first);
        assert_int_equal(packet.is_later_fragment, places[i].is_later);
        assert_int_equal(ip_packet_read_udp(&packet, &datagram), !places[i].is_later);
    }
    assert_true(ip_packet_read_fragment_header(header, sizeof(header), &packet));
    assert_true(packet.is_first_fragment);
    assert_int_equal(packet.protocol, IP_PROTOCOL_ESP);
    assert_int_equal(packet.payload.left, 8);
    header[2] = 1; /* later: what looks like options is none */
    header[0] = 60;
    assert_true(ip_packet_read_fragment_header(header, sizeof(header), &packet));
    assert_true(packet.is_later_fragment);
    assert_int_equal(packet.payload.left, 8);
    for (size_t captured = 0; captured < 8; captured++)
        assert_false(ip_packet_read_fragment_header(header, captured, &packet));
}

static void
icmp_errors_say_what_they_quote(void **state)
{
    uint8_t bytes[8 + sizeof(UDP_V4) + 12] = { 3, 4, 0, 0, 0, 0, 0x05, 0x78 };
    icmp_error_t error = { .mtu = 7 };

    (void)state;
    memcpy(bytes + 8, UDP_V4, sizeof(UDP_V4));
    for (size_t captured = 0; captured <= sizeof(bytes); captured++) {
        uint8_t *exact = g_memdup2(bytes, captured);
        bool is_read = icmp_error_read(ADDRESS_IPV4, exact, captured, &error);
        assert_int_equal(is_read, captured >= 28);
        assert_int_equal(error.mtu, is_read ? 1400 : 7);
        g_free(exact);
    }
    assert_int_equal(error.quoted.payload.left, 20);
    bytes[5] = 6; /* RFC 4884: 24 bytes are quoted */
    assert_true(icmp_error_read(ADDRESS_IPV4, bytes, sizeof(bytes), &error));
    assert_int_equal(error.quoted.payload.left, 4);
    bytes[0] = 8; /* an echo, a redirect */
    assert_false(icmp_error_read(ADDRESS_IPV4, bytes, sizeof(bytes), &error));
    bytes[0] = 5;
    assert_false(icmp_error_read(ADDRESS_IPV4, bytes, sizeof(bytes), &error));
    bytes[0] = 3;
    assert_false(icmp_error_read(ADDRESS_IPV6, bytes, sizeof(bytes), &error));
}

static void
icmpv6_errors_say_what_they_quote(void **state)
{
    uint8_t bytes[8 + sizeof(ESP_V6)] = { 2, 0, 0, 0, 0, 0, 0x05, 0 };
    icmp_error_t error;

    (void)state;
    memcpy(bytes + 8, ESP_V6, sizeof(ESP_V6));
    assert_true(icmp_error_read(ADDRESS_IPV6, bytes, sizeof(bytes), &error));
    assert_int_equal(error.mtu, 1280);
    assert_int_equal(error.quoted.payload.left, 12);
    assert_false(icmp_error_read(ADDRESS_IPV4, bytes, sizeof(bytes), &error));
    bytes[0] = 4; /* its number is a pointer, no length of extensions */
    bytes[4] = 1;
    assert_true(icmp_error_read(ADDRESS_IPV6, bytes, sizeof(bytes), &error));
    bytes[0] = 1; /* here it is: 8 bytes */
    assert_false(icmp_error_read(ADDRESS_IPV6, bytes, sizeof(bytes), &error));
}

static void
every_type_has_words(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned code = 0; code < 256; code++) {
            assert_true(strlen(icmp_words(ADDRESS_IPV4, (uint8_t)type, (uint8_t)code)) > 0);
            assert_true(strlen(icmp_words(ADDRESS_IPV6, (uint8_t)type, (uint8_t)code)) > 0);
            bool has_row = strcmp(icmp_words(ADDRESS_IPV4, (uint8_t)type, (uint8_t)code), "ICMP error") != 0;
            assert_int_equal(icmp_is_error(ADDRESS_IPV4, (uint8_t)type), has_row);
            has_row = strcmp(icmp_words(ADDRESS_IPV6, (uint8_t)type, (uint8_t)code), "ICMP error") != 0;
            assert_int_equal(icmp_is_error(ADDRESS_IPV6, (uint8_t)type), has_row);
        }
    }
    assert_int_equal(icmp_meaning(ADDRESS_IPV4, 3, 3), ICMP_NOT_LISTENING);
    assert_int_equal(icmp_meaning(ADDRESS_IPV4, 3, 200), ICMP_NO_ROUTE);
    assert_int_equal(icmp_meaning(ADDRESS_IPV6, 1, 4), ICMP_NOT_LISTENING);
    assert_int_equal(icmp_meaning(ADDRESS_IPV4, 11, 1), ICMP_PIECES_MISSING);
    assert_false(icmp_meaning_is_undeliverable(ICMP_TOO_BIG));
    assert_true(icmp_meaning_is_undeliverable(ICMP_LOOP));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(udp_is_read_as_far_as_it_is_there), cmocka_unit_test(extension_headers_are_passed_over),
        cmocka_unit_test(hostile_extension_headers_end),     cmocka_unit_test(what_the_header_says_is_no_more_than_there_is),
        cmocka_unit_test(fragments_are_told_apart),          cmocka_unit_test(icmp_errors_say_what_they_quote),
        cmocka_unit_test(icmpv6_errors_say_what_they_quote), cmocka_unit_test(every_type_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
