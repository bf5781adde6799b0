/* test_ike_decrypted.c - is a decryption believed exactly when it is right?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sample.h"

#include <string.h>

/* An IKEv2 message whose first inner payload is `first_inner`, decrypted to `hex`. */
static bool
v2_is_believed(uint8_t first_inner, const char *hex)
{
    sample_t sample = sample_encrypted(first_inner, 400), decrypted = sample_from_hex(hex);
    ike_message_t message;

    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_message_is_sane(&message);
    assert_true(message.is_encrypted);
    assert_false(message.is_malformed);
    assert_true(message.is_readable == message.is_decrypted);
    return message.is_decrypted;
}

/* An encrypted IKEv1 message whose content decrypted to `hex`. */
static bool
v1_is_believed(uint8_t exchange, uint8_t next_payload, const char *hex)
{
    sample_t sample = sample_message(0x10, next_payload, exchange, 0x01, 77, hex), decrypted = sample_from_hex(hex);
    ike_message_t message;

    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_message_is_sane(&message);
    assert_true(message.is_encrypted);
    return message.is_decrypted;
}

/* ---- real messages ---- */

static void
real_decryptions_are_believed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        ike_message_t message = real_parse((real_t)i);

        assert_message_is_sane(&message);
        assert_true(message.is_readable);
        assert_true(message.is_decrypted == (real_messages[i].decrypted != NULL));
    }
}

static void
an_authentication_is_read_completely(void **state)
{
    ike_message_t request = real_parse(REAL_AUTH_REQUEST), response = real_parse(REAL_AUTH_RESPONSE);

    (void)state;
    assert_string_equal(request.identity_i, "email:a@lab.test");
    assert_string_equal(request.identity_r, "email:b@lab.test");
    assert_string_equal(response.identity_i, "");
    assert_string_equal(response.identity_r, "email:b@lab.test");
    assert_string_equal(request.selectors_i, "10.1.0.0/24");
    assert_string_equal(request.selectors_r, "10.2.0.0/24");
    assert_int_equal(request.payloads, 10);
    assert_int_equal(request.sa.proposal[0].protocol, PROTOCOL_ESP);
    assert_true(request.sa.proposal[0].spi == 0xb1c3f884);
    assert_true(response.sa.proposal[0].spi == 0xf2a326ff);
    assert_non_null(ike_message_notify(&request, NOTIFY_INITIAL_CONTACT));
    assert_false(request.has_ke || request.has_eap || request.has_configuration);
    assert_int_equal(request.first_inner, PAYLOAD_IDI);
}

static void
a_rekey_is_read_completely(void **state)
{
    ike_message_t message = real_parse(REAL_REKEY_REQUEST);
    const notify_t *notify = ike_message_notify(&message, NOTIFY_REKEY_SA);

    (void)state;
    assert_non_null(notify);
    assert_true(notify->spi == 0xb2e06aed);
    assert_true(message.has_ke);
    assert_int_equal(message.ke_group, 31);
    assert_true(message.sa.proposal[0].spi == 0x304bfb03);
    assert_int_equal(message.first_inner, PAYLOAD_NOTIFY);
    message = real_parse(REAL_REKEY_REFUSED);
    assert_int_equal(ike_message_error(&message)->type, NOTIFY_NO_PROPOSAL_CHOSEN);
    message = real_parse(REAL_DELETE_REQUEST);
    assert_int_equal(message.delete_protocol, PROTOCOL_ESP);
    assert_int_equal(message.deleted_spis, 1);
    assert_int_equal(message.deleted_spi[0], 0xb2e06aed);
}

static void
an_empty_message_is_read(void **state)
{
    ike_message_t message = real_parse(REAL_EMPTY_GCM);

    (void)state;
    assert_true(message.is_decrypted);
    assert_int_equal(message.payloads, 0);
    assert_int_equal(message.first_inner, PAYLOAD_NONE);
}

/* ---- the chain ---- */

static void
the_chain_must_end_where_the_padding_begins(void **state)
{
    (void)state;
    assert_true(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e 00"));
    assert_true(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e a1b2c3d4e5f6a7 07"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e a1b2c3d4e5f6a7 06"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e a1b2c3d4e5f6a7 08"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e a1b2c3d4e5f6a7 ff"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000008 0000000e"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000009 0000000e 00"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00000007 0000000e 00"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "29000008 0000000e 00"));
}

/* The padding can be as long as a byte can say (RFC 7296 3.14: "recipients MUST accept any length"). */
static void
padding_may_be_long(void **state)
{
    GString *hex = g_string_new("00000008 0000000e ");

    (void)state;
    for (unsigned i = 0; i < 255; i++)
        g_string_append(hex, "5a");
    g_string_append(hex, "ff");
    assert_true(v2_is_believed(PAYLOAD_NOTIFY, hex->str));
    g_string_free(hex, TRUE);
}

static void
an_empty_message_is_padding_only(void **state)
{
    (void)state;
    assert_true(v2_is_believed(PAYLOAD_NONE, "00"));
    assert_true(v2_is_believed(PAYLOAD_NONE, "00112233445566778899aabbccddee0f"));
    assert_false(v2_is_believed(PAYLOAD_NONE, "01"));
    assert_false(v2_is_believed(PAYLOAD_NONE, "00112233445566778899aabbccddee0e"));
    assert_false(v2_is_believed(PAYLOAD_NONE, "00112233445566778899aabbccddee10"));
    assert_false(v2_is_believed(PAYLOAD_NONE, ""));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, ""));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00"));
}

static void
payload_types_must_be_plausible(void **state)
{
    static const struct {
        uint8_t type;
        bool is_believed;
    } rows[] = {
        { 1, false },
        { 32, false },
        { 37, true },
        { 43, true },
        { PAYLOAD_ENCRYPTED, false },
        { PAYLOAD_FRAGMENT, false },
        { 60, true },
        { 61, false },
        { 127, false },
        { 128, true },
        { 255, true },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_true(v2_is_believed(rows[i].type, "0000000a aabbccddeeff 00") == rows[i].is_believed);
    assert_true(v2_is_believed(PAYLOAD_NOTIFY, "2b000008 0000000e 0000000a aabbccddeeff 00"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "20000008 0000000e 0000000a aabbccddeeff 00"));
}

/* RFC 7296 3.2: only the critical bit may be set. */
static void
reserved_bits_are_zero(void **state)
{
    (void)state;
    assert_true(v2_is_believed(PAYLOAD_NOTIFY, "00800008 0000000e 00"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00010008 0000000e 00"));
    assert_false(v2_is_believed(PAYLOAD_NOTIFY, "00400008 0000000e 00"));
}

/* ---- the payloads: each row differs from one that is right in one field ---- */

typedef struct {
    uint8_t type;
    const char *right;
    const char *wrong;
} payload_row_t;

static const payload_row_t payload_rows[] = {
    /* SPI size beyond the payload; beyond what an SPI can be; protocol */
    { PAYLOAD_NOTIFY, "0000000c 03044009 aabbccdd 00", "0000000c 03054009 aabbccdd 00" },
    { PAYLOAD_NOTIFY, "00000014 03004009 000000000000000000000000 00", "00000014 03094009 000000000000000000000000 00" },
    { PAYLOAD_NOTIFY, "00000008 0000000e 00", "00000008 0700000e 00" },
    { PAYLOAD_NOTIFY, "00000008 0600000e 00", "00000007 00000e 00" },
    { PAYLOAD_NOTIFY, "00000010 01084009 0000000000000000 00", "00000011 01094009 000000000000000000 00" },
    /* number and size of SPIs fill the payload */
    { PAYLOAD_DELETE, "0000000c 03040001 aabbccdd 00", "0000000c 03040002 aabbccdd 00" },
    { PAYLOAD_DELETE, "0000000c 03040001 aabbccdd 00", "0000000c 03030001 aabbccdd 00" },
    { PAYLOAD_DELETE, "00000008 01000000 00", "00000008 00000000 00" },
    { PAYLOAD_DELETE, "00000008 01000000 00", "00000008 01040001 00" },
    { PAYLOAD_DELETE, "00000008 06000000 00", "00000008 07000000 00" },
    { PAYLOAD_DELETE, "00000008 01000000 00", "00000007 010000 00" },
    /* a key exchange has data */
    { PAYLOAD_KE, "00000009 001f0000 aa 00", "00000008 001f0000 00" },
    /* RFC 7296 3.9: 16 to 256 bytes */
    { PAYLOAD_NONCE, "00000014 000102030405060708090a0b0c0d0e0f 00", "00000013 000102030405060708090a0b0c0d0e 00" },
    { PAYLOAD_IDI, "0000000c 01000000 c0000201 00", "0000000b 01000000 c00002 00" },
    { PAYLOAD_IDR, "0000000c 01000000 c0000201 00", "0000000c 05000000 c0000201 00" },
    { PAYLOAD_IDI, "00000009 02000000 61 00", "00000007 020000 00" },
    { PAYLOAD_AUTH, "00000008 02000000 00", "00000007 020000 00" },
    /* number, type and length of the selectors */
    { PAYLOAD_TSI, "00000018 01000000 07000010 0000ffff c0000200 c00002ff 00",
      "00000018 02000000 07000010 0000ffff c0000200 c00002ff 00" },
    { PAYLOAD_TSR, "00000018 01000000 07000010 0000ffff c0000200 c00002ff 00",
      "00000018 01000000 08000010 0000ffff c0000200 c00002ff 00" },
    { PAYLOAD_TSR, "00000018 01000000 07000010 0000ffff c0000200 c00002ff 00",
      "00000018 01000000 0700000f 0000ffff c0000200 c00002ff 00" },
    { PAYLOAD_TSR, "00000018 01000000 07000010 0000ffff c0000200 c00002ff 00",
      "00000018 01000000 07000011 0000ffff c0000200 c00002ff 00" },
    { PAYLOAD_TSI, "0000000c 01000000 0a000004 00", "0000000c 01000000 33000004 00" },
    { PAYLOAD_TSI, "0000000c 01000000 0a000004 00", "0000000b 01000000 0a0000 00" },
    { PAYLOAD_TSI, "0000000c 01000000 0a000004 00", "0000000c 01000000 0a000003 00" },
    /* attributes fill the payload */
    { PAYLOAD_CONFIGURATION, "0000000c 01000000 00010000 00", "0000000c 01000000 00010001 00" },
    /* EAP's own length */
    { PAYLOAD_EAP, "00000009 01010005 01 00", "00000009 01010006 01 00" },
    { PAYLOAD_EAP, "00000009 01010005 01 00", "00000009 01010004 01 00" },
    /* SA: proposal length, number of transforms, transform length, both "more" markers, attribute length, emptiness */
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 00000011 01030001 00000008 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 0000000f 01030001 00000008 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 00000010 01030002 00000008 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 00000010 01030001 00000007 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 00000010 01030001 00000009 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 02000010 01030001 00000008 05000000 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000014 00000010 01030001 03000008 05000000 00" },
    { PAYLOAD_SA, "00000018 00000014 01030001 0000000c 0100000c 800e0080 00",
      "00000018 00000014 01030001 0000000c 0100000c 000e0080 00" },
    { PAYLOAD_SA, "0000000c 00000008 01030000 00", "0000000b 00000007 010300 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000012 0000000e 01030001 00000008 0500 00" },
    { PAYLOAD_SA, "00000014 00000010 01030001 00000008 05000000 00", "00000004 00" },
};

static void
the_structure_of_known_payloads_must_be_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(payload_rows); i++) {
        if (!v2_is_believed(payload_rows[i].type, payload_rows[i].right))
            fail_msg("row %zu: right but not believed", i);
        if (v2_is_believed(payload_rows[i].type, payload_rows[i].wrong))
            fail_msg("row %zu: wrong but believed", i);
    }
}

static void
eap_and_configuration_are_noted(void **state)
{
    sample_t sample = sample_encrypted(PAYLOAD_EAP, 100);
    sample_t decrypted = sample_from_hex("2f000009 01010005 01 0000000c 01000000 00010000 00");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_true(message.is_decrypted && message.has_eap && message.has_configuration);
}

/* A rejected decryption leaves nothing behind, however late it fails. */
static void
nothing_is_kept_of_a_rejected_decryption(void **state)
{
    sample_t sample = sample_encrypted(PAYLOAD_NOTIFY, 100);
    sample_t decrypted = sample_from_hex("2a000008 0000000e 2c00000c 03040001 aabbccdd"
                                         "00000018 02000000 07000010 0000ffff c0000200 c00002ff 00");
    ike_message_t message, without;

    (void)state;
    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_true(sample_parse(&sample, NULL, &without));
    assert_memory_equal(&message, &without, sizeof(message));
}

static void
more_than_was_encrypted_is_not_believed(void **state)
{
    sample_t fits = sample_encrypted(PAYLOAD_NOTIFY, 16), short_one = sample_encrypted(PAYLOAD_NOTIFY, 15);
    sample_t decrypted = sample_from_hex("00000008 0000000e a1b2c3d4e5f6a7 07");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&fits, &decrypted, &message));
    assert_true(message.is_decrypted);
    assert_true(sample_parse(&short_one, &decrypted, &message));
    assert_false(message.is_decrypted);
}

static void
a_cut_message_has_no_decryption(void **state)
{
    sample_t sample = sample_encrypted(PAYLOAD_NOTIFY, 100), decrypted = sample_from_hex("00000008 0000000e 00");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse_captured(&sample, sample.length - 1, &decrypted, &message));
    assert_true(message.is_truncated && !message.is_decrypted && !message.is_readable);
}

static void
a_clear_message_does_not_look_at_a_decryption(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_SA_INIT_REQUEST].message), decrypted = sample_from_hex("00");
    ike_message_t with, without;

    (void)state;
    assert_true(sample_parse(&sample, &decrypted, &with));
    assert_true(sample_parse(&sample, NULL, &without));
    assert_memory_equal(&with, &without, sizeof(with));
}

/* A part of a chain proves nothing; a single fragment is the whole chain (RFC 7383 2.5). */
static void
only_a_single_fragment_is_believed(void **state)
{
    sample_t one = sample_message(0x20, PAYLOAD_FRAGMENT, IKEV2_AUTH, 0x08, 1,
                                  "29000028 00010001 0000000000000000000000000000000000000000000000000000000000000000");
    sample_t two = sample_message(0x20, PAYLOAD_FRAGMENT, IKEV2_AUTH, 0x08, 1,
                                  "29000028 00010002 0000000000000000000000000000000000000000000000000000000000000000");
    sample_t decrypted = sample_from_hex("00000008 0000000e 00");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&one, &decrypted, &message));
    assert_true(message.is_decrypted);
    assert_int_equal(message.notifies, 1);
    assert_true(sample_parse(&two, &decrypted, &message));
    assert_false(message.is_decrypted || message.is_readable);
}

/* ---- wrong keys ---- */

static uint32_t
pseudo_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Bytes decrypted with wrong keys are as good as random. An empty message is believed once in 256 times, and says nothing. */
static void
garbage_is_rejected(void **state)
{
    static const uint8_t types[] = { PAYLOAD_SA, PAYLOAD_IDI, PAYLOAD_IDR, PAYLOAD_NOTIFY, PAYLOAD_DELETE, PAYLOAD_EAP };
    uint32_t random = 2463534242u;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        sample_t sample = sample_encrypted(types[round % sizeof(types)], 48), decrypted = { .length = 16 };
        ike_message_t message;

        for (size_t i = 0; i < decrypted.length; i++)
            decrypted.bytes[i] = (uint8_t)(pseudo_random(&random) >> 11);
        assert_true(ike_message_parse(sample.bytes, sample.length, sample.length, decrypted.bytes, decrypted.length, &message));
        assert_false(message.is_decrypted);
    }
}

static void
garbage_is_rejected_in_ikev1(void **state)
{
    uint32_t random = 88172645u;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        sample_t sample = sample_from_hex("1111111111111111 2222222222222222 08 10 05 01 0000004d 0000004c"), decrypted;
        ike_message_t message;

        decrypted.length = 48;
        for (size_t i = 0; i < decrypted.length; i++) {
            decrypted.bytes[i] = (uint8_t)(pseudo_random(&random) >> 11);
            sample.bytes[sample.length++] = 0;
        }
        assert_true(ike_message_parse(sample.bytes, sample.length, sample.length, decrypted.bytes, decrypted.length, &message));
        assert_false(message.is_decrypted);
    }
}

/* ---- IKEv1 ---- */

#define SHA1 "0102030405060708090a0b0c0d0e0f1011121314"
#define NOTIFY "0000000c 00000001 0100000e"
#define ZEROS_16 "00000000000000000000000000000000"

static void
a_hash_begins_phase_2(void **state)
{
    (void)state;
    assert_true(v1_is_believed(IKEV1_INFORMATIONAL, PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY "0000000000000000000000000c"));
    assert_false(v1_is_believed(IKEV1_INFORMATIONAL, PAYLOAD_V1_NOTIFY, NOTIFY "00000000"));
    assert_false(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_NOTIFY, NOTIFY "00000000"));
    assert_true(v1_is_believed(IKEV1_MAIN_MODE, PAYLOAD_V1_ID, "0000000c 01000000 c0000201 00000000"));
}

static void
a_hash_has_the_size_of_one(void **state)
{
    (void)state;
    for (unsigned size = 0; size <= 70; size++) {
        GString *hex = g_string_new(NULL);
        bool is_hash = size == 16 || size == 20 || size == 32 || size == 48 || size == 64;

        g_string_printf(hex, "0000%04x", 4 + size);
        for (unsigned i = 0; i < size; i++)
            g_string_append(hex, "ab");
        assert_true(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_HASH, hex->str) == is_hash);
        g_string_free(hex, TRUE);
    }
}

static void
padding_follows_the_chain(void **state)
{
    (void)state;
    assert_true(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_HASH, "00000018" SHA1));
    assert_true(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_HASH, "00000018" SHA1 "00000000"));
    assert_true(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_HASH, "00000018" SHA1 ZEROS_16 ZEROS_16 ZEROS_16));
    assert_false(v1_is_believed(IKEV1_QUICK_MODE, PAYLOAD_V1_HASH, "00000018" SHA1 ZEROS_16 ZEROS_16 ZEROS_16 "00"));
}

static void
ikev1_chains_must_be_right(void **state)
{
    static const payload_row_t rows[] = {
        /* the greatest values there are; bodies too short for their fixed part */
        { PAYLOAD_V1_HASH, "0b000018" SHA1 "0000001c 00000002 04100001" ZEROS_16, "0b000018" SHA1 "0000000b 00000001 010000" },
        { PAYLOAD_V1_HASH, "0c000018" SHA1 "0000000c 00000001 01000000", "0c000018" SHA1 "0000000b 00000001 010000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "00000014 0000000100000001 00000008 01030000",
          "01000018" SHA1 "00000013 0000000100000001 00000007 010300" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "00000014 0000000100000001 00000008 01030000",
          "01000018" SHA1 "0000000b 00000001000000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001b 0000000100000001 0000000f 01030001 00000007 010c00" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000009 010c0000" },
        /* reserved byte, implausible type, lengths */
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b010018" SHA1 NOTIFY },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "15000018" SHA1 NOTIFY },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "81000018" SHA1 NOTIFY },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "0b00000c 00000001 0100000e" },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "0000000d 00000001 0100000e" },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "00000003 00000001 0100000e" },
        /* notify: DOI, protocol, SPI size */
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "0000000c 00000003 0100000e" },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "0000000c 00000001 0500000e" },
        { PAYLOAD_V1_HASH, "0b000018" SHA1 NOTIFY, "0b000018" SHA1 "0000000c 00000001 0101000e" },
        /* delete: number, protocol */
        { PAYLOAD_V1_HASH, "0c000018" SHA1 "00000010 00000001 03040001 aabbccdd",
          "0c000018" SHA1 "00000010 00000001 03040002 aabbccdd" },
        { PAYLOAD_V1_HASH, "0c000018" SHA1 "00000010 00000001 03040001 aabbccdd",
          "0c000018" SHA1 "00000010 00000001 00040001 aabbccdd" },
        /* nonce: 8 to 256 bytes */
        { PAYLOAD_V1_HASH, "0a000018" SHA1 "0000000c 0102030405060708", "0a000018" SHA1 "0000000b 01020304050607" },
        /* SA: DOI, situation, markers, numbers */
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000500000001 00000010 01030001 00000008 010c0000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000100000009 00000010 01030001 00000008 010c0000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000100000001 02000010 01030001 00000008 010c0000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 03000008 010c0000" },
        { PAYLOAD_V1_HASH, "01000018" SHA1 "0000001c 0000000100000001 00000010 01030001 00000008 010c0000",
          "01000018" SHA1 "0000001c 0000000100000001 00000010 01030002 00000008 010c0000" },
        { PAYLOAD_V1_HASH, "05000018" SHA1 "0000000c 01000000 c0000201", "05000018" SHA1 "0000000b 01000000 c00002" },
        { PAYLOAD_V1_HASH, "04000018" SHA1 "00000005 aa", "04000018" SHA1 "00000004" },
        { PAYLOAD_V1_HASH, "0e000018" SHA1 "00000008 01000001", "0e000018" SHA1 "00000007 010000" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!v1_is_believed(IKEV1_INFORMATIONAL, rows[i].type, rows[i].right))
            fail_msg("row %zu: right but not believed", i);
        if (v1_is_believed(IKEV1_INFORMATIONAL, rows[i].type, rows[i].wrong))
            fail_msg("row %zu: wrong but believed", i);
    }
}

/* With chained IVs a repeated message decrypts to a first block of garbage and the rest as it was (RFC 2409 appendix B). */
static void
a_wrong_first_block_is_rejected(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_V1_R_U_THERE].message);
    sample_t decrypted = sample_from_hex(real_messages[REAL_V1_R_U_THERE].decrypted);
    ike_message_t message;

    (void)state;
    memset(decrypted.bytes, 0xc7, 16);
    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_true(message.is_encrypted && !message.is_decrypted && !message.is_readable);
    assert_int_equal(message.notifies, 0);
}

static void
ikev1_decrypts_to_the_same_length(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_V1_R_U_THERE].message);
    sample_t decrypted = sample_from_hex(real_messages[REAL_V1_R_U_THERE].decrypted);
    ike_message_t message;

    (void)state;
    decrypted.length--;
    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_false(message.is_decrypted);
    decrypted.length += 2;
    assert_true(sample_parse(&sample, &decrypted, &message));
    assert_false(message.is_decrypted);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_decryptions_are_believed),
        cmocka_unit_test(an_authentication_is_read_completely),
        cmocka_unit_test(a_rekey_is_read_completely),
        cmocka_unit_test(an_empty_message_is_read),
        cmocka_unit_test(the_chain_must_end_where_the_padding_begins),
        cmocka_unit_test(padding_may_be_long),
        cmocka_unit_test(an_empty_message_is_padding_only),
        cmocka_unit_test(payload_types_must_be_plausible),
        cmocka_unit_test(reserved_bits_are_zero),
        cmocka_unit_test(the_structure_of_known_payloads_must_be_right),
        cmocka_unit_test(eap_and_configuration_are_noted),
        cmocka_unit_test(nothing_is_kept_of_a_rejected_decryption),
        cmocka_unit_test(more_than_was_encrypted_is_not_believed),
        cmocka_unit_test(a_cut_message_has_no_decryption),
        cmocka_unit_test(a_clear_message_does_not_look_at_a_decryption),
        cmocka_unit_test(only_a_single_fragment_is_believed),
        cmocka_unit_test(garbage_is_rejected),
        cmocka_unit_test(garbage_is_rejected_in_ikev1),
        cmocka_unit_test(a_hash_begins_phase_2),
        cmocka_unit_test(a_hash_has_the_size_of_one),
        cmocka_unit_test(padding_follows_the_chain),
        cmocka_unit_test(ikev1_chains_must_be_right),
        cmocka_unit_test(a_wrong_first_block_is_rejected),
        cmocka_unit_test(ikev1_decrypts_to_the_same_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
