/* test_ike_hostile.c - can any bytes make the parser read too far, loop, or claim what cannot be? Run under sanitizers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

static void
parse_and_check(const sample_t *sample, const sample_t *decrypted)
{
    ike_message_t message;

    if (sample_parse(sample, decrypted, &message))
        assert_message_is_sane(&message);
}

/* Every message cut at every byte, the packet being no longer than that: not a snaplen, a lie. */
static void
every_shortening_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t sample = sample_from_hex(real_messages[i].message);

        while (sample.length-- > IKE_HEADER_LENGTH) {
            ike_message_t message;

            assert_true(sample_parse(&sample, NULL, &message));
            assert_message_is_sane(&message);
            assert_true(message.is_malformed);
            assert_false(message.is_truncated);
        }
    }
}

static void
every_shortened_decryption_is_rejected(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t sample = sample_from_hex(real_messages[i].message), decrypted;
        ike_message_t message;

        if (!real_messages[i].decrypted)
            continue;
        decrypted = sample_from_hex(real_messages[i].decrypted);
        while (decrypted.length-- > 0) {
            assert_true(sample_parse(&sample, &decrypted, &message));
            assert_message_is_sane(&message);
            assert_false(message.is_decrypted);
        }
    }
}

#define CORRUPTIONS 14u

/* A byte with one bit flipped, or replaced by a value that bounds often get wrong. */
static uint8_t
corrupted(uint8_t byte, unsigned which)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x03, 0x7f, 0x80, 0xff };

    if (which < 8)
        return (uint8_t)(byte ^ 1u << which);
    return values[which - 8];
}

static void
every_corrupted_byte_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t original = sample_from_hex(real_messages[i].message);

        for (size_t at = 0; at < original.length; at++) {
            for (unsigned j = 0; j < CORRUPTIONS; j++) {
                sample_t sample = original;

                sample.bytes[at] = corrupted(sample.bytes[at], j);
                parse_and_check(&sample, NULL);
            }
        }
    }
}

/* A corrupted byte in a field with a structure must be noticed, and no other value may come of it. */
static void
every_corrupted_decryption_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t sample = sample_from_hex(real_messages[i].message), original;

        if (!real_messages[i].decrypted)
            continue;
        original = sample_from_hex(real_messages[i].decrypted);
        for (size_t at = 0; at < original.length; at++) {
            for (unsigned j = 0; j < CORRUPTIONS; j++) {
                sample_t decrypted = original;

                decrypted.bytes[at] = corrupted(decrypted.bytes[at], j);
                parse_and_check(&sample, &decrypted);
            }
        }
    }
}

/* The lengths, counts and types of a decrypted message: change any, and it is not believed. */
static void
corrupted_structure_is_noticed(void **state)
{
    static const size_t structure[] = { 1, 2, 3, 4, 5, 7, 12, 14, 15 };
    sample_t sample = sample_from_hex(real_messages[REAL_DELETE_REQUEST].message);
    sample_t original = sample_from_hex(real_messages[REAL_DELETE_REQUEST].decrypted);
    ike_message_t message;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(structure); i++) {
        sample_t decrypted = original;

        decrypted.bytes[structure[i]] ^= 0x10;
        assert_true(sample_parse(&sample, &decrypted, &message));
        if (structure[i] == 12 || structure[i] == 14) /* padding says nothing */
            assert_true(message.is_decrypted);
        else
            assert_false(message.is_decrypted);
    }
}

/* Each two-byte field in turn holds the lengths that parsers stumble over. */
static void
impossible_lengths_are_survived(void **state)
{
    static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 7, 8, 0x7fff, 0x8000, 0xffff };

    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t original = sample_from_hex(real_messages[i].message), plain = { .length = 0 };

        if (real_messages[i].decrypted)
            plain = sample_from_hex(real_messages[i].decrypted);
        for (size_t at = 0; at + 1 < MAX(original.length, plain.length); at++) {
            for (size_t j = 0; j < G_N_ELEMENTS(lengths); j++) {
                sample_t sample = original, decrypted = plain;

                sample.bytes[at] = (uint8_t)(lengths[j] >> 8);
                sample.bytes[at + 1] = (uint8_t)lengths[j];
                parse_and_check(&sample, &plain);
                decrypted.bytes[at] = (uint8_t)(lengths[j] >> 8);
                decrypted.bytes[at + 1] = (uint8_t)lengths[j];
                parse_and_check(&original, &decrypted);
            }
        }
    }
}

static void
a_payload_length_below_its_header_ends_the_chain(void **state)
{
    static const char *const bodies[] = {
        "29000000 0000000e 00000008 0000000e", "29000001 0000000e 00000008 0000000e", "29000003 0000000e 00000008 0000000e",
        "2900ffff 0000000e 00000008 0000000e", "29000011 0000000e 00000008 0000000e",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        sample_t sample = sample_message(0x20, PAYLOAD_NOTIFY, IKEV2_INFORMATIONAL, 0, 0, bodies[i]);
        ike_message_t message;

        assert_true(sample_parse(&sample, NULL, &message));
        assert_message_is_sane(&message);
        assert_true(message.is_malformed);
        assert_int_equal(message.payloads, 0);
    }
}

/* A message of the greatest size a UDP datagram can have, all of it payload headers, or all of it one byte. */
static void
deep_chains_end(void **state)
{
    static const uint8_t types[] = { 0, 1, 5, 8, 33, 41, 44, 46, 53, 200, 255 };
    size_t length = 65507;
    uint8_t *bytes = malloc(length);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof(types); i++) {
        sample_t header = sample_message(i % 2 == 0 ? 0x20 : 0x10, types[i], IKEV2_SA_INIT, 0, 0, "");
        ike_message_t message;

        memcpy(bytes, header.bytes, header.length);
        bytes[26] = (uint8_t)(length >> 8);
        bytes[27] = (uint8_t)length;
        for (size_t at = header.length; at < length; at++)
            bytes[at] = (at - header.length) % 4 == 0 ? types[i] : (at - header.length) % 4 == 3 ? 4 : 0;
        assert_true(ike_message_parse(bytes, length, length, bytes + 28, length - 28, &message));
        assert_message_is_sane(&message);
        memset(bytes + header.length, types[i], length - header.length);
        assert_true(ike_message_parse(bytes, length, length, bytes + 28, length - 28, &message));
        assert_message_is_sane(&message);
    }
    free(bytes);
}

static void
all_payloads_of_a_deep_chain_are_walked(void **state)
{
    sample_t sample = sample_message(0x20, 200, IKEV2_SA_INIT, 0, 0, "");
    ike_message_t message;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        uint8_t header[4] = { i < 299 ? 200 : PAYLOAD_NONE, 0, 0, 4 };

        memcpy(sample.bytes + sample.length, header, sizeof(header));
        sample.length += sizeof(header);
    }
    sample.bytes[26] = (uint8_t)(sample.length >> 8);
    sample.bytes[27] = (uint8_t)sample.length;
    assert_true(sample_parse(&sample, NULL, &message));
    assert_false(message.is_malformed);
    assert_int_equal(message.payloads, 300);
}

static void
a_header_without_bytes_is_read(void **state)
{
    sample_t sample = sample_message(0x20, PAYLOAD_ENCRYPTED, IKEV2_AUTH, 0, 0, "");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&sample, NULL, &message));
    assert_true(message.is_malformed && message.is_encrypted && !message.is_readable);
    assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
    assert_false(ike_message_parse(NULL, 0, 0, NULL, 0, &message));
    assert_false(ike_message_parse(NULL, 0, 1500, NULL, 0, &message));
}

/* A caller whose captured length is beyond the reported one: what was on the wire counts. */
static void
more_captured_than_reported_is_not_read(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_NO_PROPOSAL_CHOSEN].message);
    ike_message_t message;

    (void)state;
    assert_true(ike_message_parse(sample.bytes, sample.length, 30, NULL, 0, &message));
    assert_true(message.is_malformed);
    assert_int_equal(message.notifies, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shortening_is_survived),
        cmocka_unit_test(every_shortened_decryption_is_rejected),
        cmocka_unit_test(every_corrupted_byte_is_survived),
        cmocka_unit_test(every_corrupted_decryption_is_survived),
        cmocka_unit_test(corrupted_structure_is_noticed),
        cmocka_unit_test(impossible_lengths_are_survived),
        cmocka_unit_test(a_payload_length_below_its_header_ends_the_chain),
        cmocka_unit_test(deep_chains_end),
        cmocka_unit_test(all_payloads_of_a_deep_chain_are_walked),
        cmocka_unit_test(a_header_without_bytes_is_read),
        cmocka_unit_test(more_captured_than_reported_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
