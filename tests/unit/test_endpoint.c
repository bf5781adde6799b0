/* test_endpoint.c - which endpoints are the same, and how are they written?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/endpoint.h"

#include "sample.h"

#include <string.h>

static endpoint_t
ipv4(uint8_t last, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { 192, 0, 2, last }, .port = port };
}

static endpoint_t
ipv6(const char *hex, uint16_t port)
{
    endpoint_t endpoint = { .family = ADDRESS_IPV6, .port = port };
    sample_t address = sample_from_hex(hex);

    assert_int_equal(address.length, sizeof(endpoint.address));
    memcpy(endpoint.address, address.bytes, address.length);
    return endpoint;
}

static void
assert_text(endpoint_t endpoint, const char *whole, const char *address)
{
    char buffer[ENDPOINT_TEXT_MAX];

    assert_ptr_equal(endpoint_text(&endpoint, buffer), buffer);
    assert_string_equal(buffer, whole);
    assert_ptr_equal(endpoint_address_text(&endpoint, buffer), buffer);
    assert_string_equal(buffer, address);
}

static void
equality_is_address_and_port(void **state)
{
    endpoint_t a = ipv4(1, 500), b = ipv4(1, 4500), c = ipv4(2, 500), same = ipv4(1, 500);

    (void)state;
    assert_true(endpoint_equal(&a, &same));
    assert_true(endpoint_same_address(&a, &b));
    assert_false(endpoint_equal(&a, &b));
    assert_false(endpoint_same_address(&a, &c));
    assert_false(endpoint_equal(&a, &c));
}

static void
families_with_equal_bytes_differ(void **state)
{
    endpoint_t a = ipv4(1, 500), b = ipv4(1, 500);

    (void)state;
    b.family = ADDRESS_IPV6;
    assert_false(endpoint_same_address(&a, &b));
    assert_false(endpoint_equal(&a, &b));
}

static void
the_last_byte_of_an_ipv6_address_counts(void **state)
{
    endpoint_t a = ipv6("20010db8000000000000000000000001", 0), b = ipv6("20010db8000000000000000000000002", 0);

    (void)state;
    assert_false(endpoint_same_address(&a, &b));
    assert_true(endpoint_address_hash(&a) != endpoint_address_hash(&b));
}

static void
the_hash_ignores_the_port(void **state)
{
    endpoint_t a = ipv4(1, 500), b = ipv4(1, 4500);

    (void)state;
    assert_int_equal(endpoint_address_hash(&a), endpoint_address_hash(&b));
}

static void
the_hash_spreads_a_subnet(void **state)
{
    bool is_used[1024] = { false };
    unsigned distinct = 0;

    (void)state;
    for (unsigned last = 0; last < 256; last++) {
        endpoint_t endpoint = ipv4((uint8_t)last, 0);
        unsigned bucket = endpoint_address_hash(&endpoint) % 1024;

        distinct += is_used[bucket] ? 0 : 1;
        is_used[bucket] = true;
    }
    assert_true(distinct > 150); /* 226 would be the mean of a random function */
}

static void
ipv4_is_dotted(void **state)
{
    (void)state;
    assert_text(ipv4(1, 4500), "192.0.2.1:4500", "192.0.2.1");
    assert_text(ipv4(255, 0), "192.0.2.255", "192.0.2.255");
    assert_text(ipv4(1, 65535), "192.0.2.1:65535", "192.0.2.1");
}

/* RFC 5952 4 and 5, with the examples of its text. */
static void
ipv6_is_canonical(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } rows[] = {
        { "20010db8000000000000000000000001", "2001:db8::1" },
        { "20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1" }, /* 4.2.2: one zero group is not shortened */
        { "20010000000000010000000000000001", "2001:0:0:1::1" },        /* 4.2.3: the longest run */
        { "20010db8000000000001000000000001", "2001:db8::1:0:0:1" },    /* 4.2.3: the first of equal runs */
        { "00000000000000000000000000000000", "::" },
        { "00000000000000000000000000000001", "::1" },
        { "fe800000000000000000000000000000", "fe80::" },
        { "20010db8aaaabbbbccccddddeeee0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1" },
        { "00000001000200030004000500060007", "0:1:2:3:4:5:6:7" },
        { "ffffffffffffffffffffffffffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "00000000000000000000ffffc0000201", "::ffff:192.0.2.1" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char with_port[ENDPOINT_TEXT_MAX];

        g_snprintf(with_port, sizeof(with_port), "[%s]:65535", rows[i].text);
        assert_text(ipv6(rows[i].bytes, 65535), with_port, rows[i].text);
        assert_text(ipv6(rows[i].bytes, 0), rows[i].text, rows[i].text);
    }
}

static void
no_address_is_a_question_mark(void **state)
{
    endpoint_t none = { .family = ADDRESS_NONE };

    (void)state;
    assert_text(none, "?", "?");
}

/* RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 2.5.6: the first and last address of each range, and their neighbours. */
static void
private_addresses_are_known(void **state)
{
    static const uint8_t inside[][4] = { { 10, 0, 0, 0 },    { 10, 255, 255, 255 },  { 172, 16, 0, 0 }, { 172, 31, 255, 255 },
                                         { 192, 168, 0, 0 }, { 192, 168, 255, 255 }, { 100, 64, 0, 0 }, { 100, 127, 255, 255 },
                                         { 169, 254, 0, 0 }, { 169, 254, 255, 255 } };
    static const uint8_t outside[][4] = { { 9, 255, 255, 255 },   { 11, 0, 0, 0 },    { 172, 15, 255, 255 }, { 172, 32, 0, 0 },
                                          { 192, 167, 255, 255 }, { 192, 169, 0, 0 }, { 100, 63, 255, 255 }, { 100, 128, 0, 0 },
                                          { 198, 51, 100, 7 },    { 8, 8, 8, 8 } };
    endpoint_t ipv6_local = { .family = ADDRESS_IPV6, .address = { 0xfd, 0x12 } };
    endpoint_t ipv6_global = { .family = ADDRESS_IPV6, .address = { 10, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        endpoint_t endpoint = { .family = ADDRESS_IPV4 };
        memcpy(endpoint.address, inside[i], 4);
        assert_true(endpoint_is_private(&endpoint));
        memcpy(endpoint.address, outside[i], 4);
        assert_false(endpoint_is_private(&endpoint));
    }
    assert_true(endpoint_is_private(&ipv6_local));
    assert_false(endpoint_is_private(&ipv6_global));
    assert_false(endpoint_is_private(&(endpoint_t){ .family = ADDRESS_NONE }));
}

static void
addresses_are_read_as_they_are_written(void **state)
{
    static const struct {
        const char *text, *canonical;
    } good[] = {
        { "192.0.2.1", "192.0.2.1" },
        { "0.0.0.0", "0.0.0.0" },
        { "255.255.255.255", "255.255.255.255" },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
        { "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
        { "2001:db8::2:0:0:1", "2001:db8::2:0:0:1" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
        { "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201" },
    };
    static const char *const bad[] = { "",
                                       "192.0.2",
                                       "192.0.2.256",
                                       "192.0.2.1.1",
                                       "192.0.2.",
                                       ".192.0.2",
                                       "192..2.1",
                                       "0192.0.2.1",
                                       "192.0.2.1 ",
                                       ":",
                                       ":::",
                                       "1:",
                                       ":1",
                                       "1:2:3:4:5:6:7",
                                       "1:2:3:4:5:6:7:8:9",
                                       "1::2::3",
                                       "1:2:3:4:5:6:7:8::",
                                       "12345::",
                                       "::g",
                                       "1:2:3:4:5:6:7:192.0.2.1",
                                       "192.0.2.1::" };
    char buffer[ENDPOINT_TEXT_MAX];
    endpoint_t endpoint;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(endpoint_read_address(good[i].text, strlen(good[i].text), &endpoint));
        assert_string_equal(endpoint_text(&endpoint, buffer), good[i].canonical);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(endpoint_read_address(bad[i], strlen(bad[i]), &endpoint));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_address_and_port),
        cmocka_unit_test(families_with_equal_bytes_differ),
        cmocka_unit_test(the_last_byte_of_an_ipv6_address_counts),
        cmocka_unit_test(the_hash_ignores_the_port),
        cmocka_unit_test(the_hash_spreads_a_subnet),
        cmocka_unit_test(ipv4_is_dotted),
        cmocka_unit_test(ipv6_is_canonical),
        cmocka_unit_test(no_address_is_a_question_mark),
        cmocka_unit_test(private_addresses_are_known),
        cmocka_unit_test(addresses_are_read_as_they_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
