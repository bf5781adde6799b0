/* test_suite.c - do the size tables agree with what real peers send (RFC 7296 3.14)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/suite.h"

#include "sample.h"

enum { AES_CBC = 12, TRIPLE_DES = 3, AES_CTR = 13, CCM_8 = 14, CCM_12, CCM_16, GCM_8 = 18, GCM_12, GCM_16, CHACHA20 = 28 };
enum { INTEG_NONE = 0, MD5_96 = 1, SHA1_96 = 2, XCBC_96 = 5, CMAC_96 = 8, SHA2_256_128 = 12, SHA2_384_192, SHA2_512_256 };

#define CONTENTS 6

/* Plaintext bytes of the messages that matter: nothing; an error or a Delete of the IKE SA; INVALID_KE_PAYLOAD; a Delete of
 * one ESP SA, or a notify with an SPI; a Delete of two; two NAT detection notifies. */
static const uint32_t contents[CONTENTS] = { 0, 8, 10, 12, 16, 56 };

typedef struct {
    uint16_t encr;
    uint16_t integ;
    uint32_t length[CONTENTS];
} size_row_t;

static const size_row_t rows[] = {
    { .encr = AES_CBC, .integ = MD5_96, .length = { 76, 76, 76, 76, 92, 124 } },
    { .encr = AES_CBC, .integ = SHA1_96, .length = { 76, 76, 76, 76, 92, 124 } },
    { .encr = AES_CBC, .integ = XCBC_96, .length = { 76, 76, 76, 76, 92, 124 } },
    { .encr = AES_CBC, .integ = CMAC_96, .length = { 76, 76, 76, 76, 92, 124 } },
    { .encr = AES_CBC, .integ = SHA2_256_128, .length = { 80, 80, 80, 80, 96, 128 } },
    { .encr = AES_CBC, .integ = SHA2_384_192, .length = { 88, 88, 88, 88, 104, 136 } },
    { .encr = AES_CBC, .integ = SHA2_512_256, .length = { 96, 96, 96, 96, 112, 144 } },
    { .encr = TRIPLE_DES, .integ = SHA1_96, .length = { 60, 68, 68, 68, 76, 116 } },
    { .encr = TRIPLE_DES, .integ = SHA2_256_128, .length = { 64, 72, 72, 72, 80, 120 } },
    { .encr = GCM_16, .integ = INTEG_NONE, .length = { 57, 65, 67, 69, 73, 113 } },
    { .encr = CCM_16, .integ = INTEG_NONE, .length = { 57, 65, 67, 69, 73, 113 } },
    { .encr = CHACHA20, .integ = INTEG_NONE, .length = { 57, 65, 67, 69, 73, 113 } },
    { .encr = GCM_12, .integ = INTEG_NONE, .length = { 53, 61, 63, 65, 69, 109 } },
    { .encr = CCM_12, .integ = INTEG_NONE, .length = { 53, 61, 63, 65, 69, 109 } },
    { .encr = GCM_8, .integ = INTEG_NONE, .length = { 49, 57, 59, 61, 65, 105 } },
    { .encr = CCM_8, .integ = INTEG_NONE, .length = { 49, 57, 59, 61, 65, 105 } },
    { .encr = AES_CTR, .integ = SHA1_96, .length = { 53, 61, 63, 65, 69, 109 } },
};

static proposal_t
chosen(uint16_t encr, uint16_t integ)
{
    proposal_t proposal = { .number = 1, .protocol = PROTOCOL_IKE, .transforms = 3 };

    proposal.transform[0] = (transform_t){ .type = TRANSFORM_ENCR, .id = encr, .key_length = 128 };
    proposal.transform[1] = (transform_t){ .type = TRANSFORM_PRF, .id = 5 };
    proposal.transform[2] = (transform_t){ .type = TRANSFORM_KE, .id = 14 };
    if (integ != INTEG_NONE)
        proposal.transform[proposal.transforms++] = (transform_t){ .type = TRANSFORM_INTEG, .id = integ };
    return proposal;
}

static suite_t
suite_of(const size_row_t *row)
{
    proposal_t proposal = chosen(row->encr, row->integ);
    suite_t suite;

    assert_true(suite_from_proposal(&proposal, &suite));
    return suite;
}

static void
every_size_of_the_table_holds_its_content(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        suite_t suite = suite_of(&rows[i]);

        for (unsigned j = 0; j < CONTENTS; j++) {
            uint32_t least, most;

            assert_true(suite_plaintext(&suite, rows[i].length[j], &least, &most));
            assert_in_range(contents[j], least, most);
            assert_int_equal(most - least, suite.block - 1);
        }
    }
}

/* The bounds are tight: one block more or less is another message. */
static void
content_outside_the_bounds_has_another_size(void **state)
{
    suite_t cbc = suite_of(&rows[4]), gcm = suite_of(&rows[9]);
    uint32_t least, most;

    (void)state;
    assert_true(suite_plaintext(&cbc, 80, &least, &most));
    assert_int_equal(least, 0);
    assert_int_equal(most, 15);
    assert_true(suite_plaintext(&cbc, 96, &least, &most));
    assert_int_equal(least, 16);
    assert_int_equal(most, 31);
    assert_true(suite_plaintext(&gcm, 69, &least, &most));
    assert_int_equal(least, 12);
    assert_int_equal(most, 12);
}

static void
sizes_that_no_sender_makes_are_refused(void **state)
{
    suite_t cbc = suite_of(&rows[4]), gcm = suite_of(&rows[9]), unknown = { .iv = 8, .block = 1, .icv = 0 };
    uint32_t least = 1234, most = 5678;

    (void)state;
    assert_false(suite_plaintext(&cbc, 79, &least, &most));
    assert_false(suite_plaintext(&cbc, 81, &least, &most));
    assert_false(suite_plaintext(&cbc, 64, &least, &most)); /* no room for a block */
    assert_false(suite_plaintext(&cbc, 0, &least, &most));
    assert_false(suite_plaintext(&gcm, 56, &least, &most)); /* no room for the pad length */
    assert_true(suite_plaintext(&gcm, 57, &least, &most));
    least = 1234;
    most = 5678;
    assert_false(suite_plaintext(&unknown, 200, &least, &most));
    assert_int_equal(least, 1234);
    assert_int_equal(most, 5678);
}

static void
an_empty_message_names_its_suite(void **state)
{
    static const uint32_t lengths[] = { 49, 53, 57, 60, 64, 72, 76, 80, 88, 96 };
    suite_t suite;
    unsigned found = 0;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        uint32_t least, most;

        assert_true(suite_from_empty_message(lengths[i], &suite));
        assert_true(suite_plaintext(&suite, lengths[i], &least, &most));
        assert_int_equal(least, 0);
    }
    for (uint32_t length = 0; length < 2000; length++)
        found += suite_from_empty_message(length, &suite) ? 1 : 0;
    assert_int_equal(found, G_N_ELEMENTS(lengths));
}

/* What the empty message says is what the negotiation says: for each suite of the table. */
static void
both_ways_to_a_suite_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        suite_t negotiated = suite_of(&rows[i]), seen;

        assert_true(suite_from_empty_message(rows[i].length[0], &seen));
        assert_int_equal(seen.iv, negotiated.iv);
        assert_int_equal(seen.block, negotiated.block);
        assert_int_equal(seen.icv, negotiated.icv);
    }
}

static void
unknown_transforms_give_no_suite(void **state)
{
    proposal_t no_integrity = chosen(AES_CBC, INTEG_NONE), unknown_encr = chosen(999, SHA1_96);
    proposal_t unknown_integ = chosen(AES_CBC, 999), nothing = { .transforms = 0 };
    suite_t suite = { .iv = 77 };

    (void)state;
    assert_false(suite_from_proposal(&no_integrity, &suite));
    assert_false(suite_from_proposal(&unknown_encr, &suite));
    assert_false(suite_from_proposal(&unknown_integ, &suite));
    assert_false(suite_from_proposal(&nothing, &suite));
    assert_int_equal(suite.iv, 77);
}

/* An offer with alternatives was not chosen by anybody. */
static void
two_ciphers_are_no_choice(void **state)
{
    proposal_t offer = chosen(AES_CBC, SHA1_96);
    suite_t suite;

    (void)state;
    assert_true(suite_from_proposal(&offer, &suite));
    offer.transform[offer.transforms++] = (transform_t){ .type = TRANSFORM_ENCR, .id = TRIPLE_DES };
    assert_false(suite_from_proposal(&offer, &suite));
}

static void
the_upper_bound_is_above_every_suite(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned j = 0; j < CONTENTS; j++)
            assert_true(suite_plaintext_upper_bound(rows[i].length[j]) >= contents[j]);
    }
    assert_int_equal(suite_plaintext_upper_bound(48), 0);
    assert_int_equal(suite_plaintext_upper_bound(49), 0);
    assert_int_equal(suite_plaintext_upper_bound(50), 1); /* AEAD with an 8-byte ICV is the leanest */
    assert_int_equal(suite_plaintext_upper_bound(80), 31);
    assert_int_equal(suite_plaintext_upper_bound(0), 0);
    assert_true(suite_plaintext_upper_bound(UINT32_MAX) > 0);
}

/* Measured: the messages of the samples have the sizes of their suites. */
static void
real_messages_fit(void **state)
{
    static const struct {
        real_t message;
        size_t row;
        uint32_t plaintext;
    } real[] = {
        { .message = REAL_EMPTY_GCM, .row = 9, .plaintext = 0 },
        { .message = REAL_DELETE_GCM, .row = 9, .plaintext = 12 },
        { .message = REAL_DELETE_REQUEST, .row = 4, .plaintext = 12 },
        { .message = REAL_REKEY_REFUSED, .row = 4, .plaintext = 8 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(real); i++) {
        ike_message_t message = real_parse(real[i].message);
        suite_t suite = suite_of(&rows[real[i].row]);
        uint32_t least, most;

        assert_true(suite_plaintext(&suite, message.length, &least, &most));
        assert_in_range(real[i].plaintext, least, most);
    }
}

/* Header lengths of encrypted IKEv1 notices, by what the IPsec SA's and the ISAKMP SA's senders put into them. */
static void
ikev1_sizes_hold_what_is_sent_in_them(void **state)
{
    enum { AES = 7, DES3 = 5, SHA1 = 2, SHA2_256 = 4, SHA2_384 = 5 };
    enum { DPD = 32, D_ESP = 16, D_ISAKMP = 28, NOTIFY_NO_SPI = 12 };
    static const struct {
        uint16_t encr, hash;
        uint32_t length, inner;
        bool holds;
    } v1_rows[] = {
        { AES, SHA1, 92, DPD, true },           { AES, SHA1, 76, D_ESP, true },
        { AES, SHA1, 92, D_ISAKMP, true },      { AES, SHA1, 76, NOTIFY_NO_SPI, true },
        { AES, SHA1, 76, D_ISAKMP, false },     { AES, SHA1, 76, DPD, false },
        { DES3, SHA1, 92, DPD, true },          { DES3, SHA1, 84, DPD, true },
        { DES3, SHA1, 76, D_ESP, true },        { DES3, SHA1, 68, D_ESP, true },
        { DES3, SHA1, 84, D_ISAKMP, true },     { DES3, SHA1, 76, DPD, false },
        { AES, SHA2_256, 108, DPD, true },      { AES, SHA2_256, 92, D_ESP, true },
        { AES, SHA2_256, 108, D_ISAKMP, true }, /* a whole block of padding */
        { AES, SHA2_256, 92, D_ISAKMP, true },  /* none */
        { AES, SHA2_384, 124, DPD, true },      { AES, SHA2_384, 108, D_ESP, true },
        { AES, SHA1, 93, D_ESP, false },        { AES, SHA1, 28, NOTIFY_NO_SPI, false },
        { AES, SHA1, 0, NOTIFY_NO_SPI, false },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(v1_rows); i++) {
        proposal_t proposal = { .protocol = PROTOCOL_IKE, .transforms = 2 };
        suite_v1_t suite;

        proposal.transform[0] = (transform_t){ .type = TRANSFORM_ENCR, .id = v1_rows[i].encr };
        proposal.transform[1] = (transform_t){ .type = TRANSFORM_INTEG, .id = v1_rows[i].hash };
        assert_true(suite_v1_from_proposal(&proposal, &suite));
        assert_int_equal(suite_v1_may_hold(&suite, v1_rows[i].length, v1_rows[i].inner), v1_rows[i].holds);
    }
}

static void
an_empty_message_shows_more_padding_than_needed(void **state)
{
    suite_t gcm = suite_of(&rows[9]), cbc = suite_of(&rows[4]);
    uint32_t least = 0, most = 0;

    (void)state;
    suite_learn_padding(&gcm, 57); /* one byte: the pad length */
    assert_int_equal(gcm.block, 1);
    suite_learn_padding(&gcm, 0);
    suite_learn_padding(&gcm, 71); /* 15: nobody's padding */
    assert_int_equal(gcm.block, 1);
    suite_learn_padding(&gcm, 64);
    assert_int_equal(gcm.block, 8);
    assert_true(suite_plaintext(&gcm, 72, &least, &most));
    assert_int_equal(least, 8);
    assert_int_equal(most, 15);
    suite_learn_padding(&gcm, 57); /* the other peer may pad less */
    assert_int_equal(gcm.block, 8);
    suite_learn_padding(&cbc, 80);
    assert_int_equal(cbc.block, 16);
}

static void
an_unknown_ikev1_attribute_gives_no_suite(void **state)
{
    proposal_t proposal = { .protocol = PROTOCOL_IKE, .transforms = 2 };
    suite_v1_t suite;

    (void)state;
    proposal.transform[0] = (transform_t){ .type = TRANSFORM_ENCR, .id = 4 };
    proposal.transform[1] = (transform_t){ .type = TRANSFORM_INTEG, .id = 9999 };
    assert_false(suite_v1_from_proposal(&proposal, &suite));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_the_table_holds_its_content),
        cmocka_unit_test(content_outside_the_bounds_has_another_size),
        cmocka_unit_test(sizes_that_no_sender_makes_are_refused),
        cmocka_unit_test(an_empty_message_names_its_suite),
        cmocka_unit_test(both_ways_to_a_suite_agree),
        cmocka_unit_test(unknown_transforms_give_no_suite),
        cmocka_unit_test(two_ciphers_are_no_choice),
        cmocka_unit_test(the_upper_bound_is_above_every_suite),
        cmocka_unit_test(real_messages_fit),
        cmocka_unit_test(ikev1_sizes_hold_what_is_sent_in_them),
        cmocka_unit_test(an_empty_message_shows_more_padding_than_needed),
        cmocka_unit_test(an_unknown_ikev1_attribute_gives_no_suite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
