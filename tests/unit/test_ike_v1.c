/* test_ike_v1.c - is an IKEv1 message read as it was sent, and its attributes mapped (RFC 2407, 2408, 2409, 3706)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/proposal.h"

#include "sample.h"

#include <string.h>

static ike_message_t
parse_clear(uint8_t exchange, uint8_t next_payload, const char *body)
{
    sample_t sample = sample_message(0x10, next_payload, exchange, 0, 0, body);
    ike_message_t message;

    assert_true(sample_parse(&sample, NULL, &message));
    assert_message_is_sane(&message);
    return message;
}

static void
assert_transform(const proposal_t *proposal, uint8_t type, uint16_t id, uint16_t key_length)
{
    for (unsigned i = 0; i < proposal->transforms; i++) {
        if (proposal->transform[i].type == type) {
            assert_int_equal(proposal->transform[i].id, id);
            assert_int_equal(proposal->transform[i].key_length, key_length);
            return;
        }
    }
    fail_msg("no transform of type %u", type);
}

static void
main_mode_is_read(void **state)
{
    ike_message_t message = real_parse(REAL_V1_MAIN_1);
    const proposal_t *proposal = &message.sa.proposal[0];

    (void)state;
    assert_int_equal(message.major, 1);
    assert_int_equal(message.exchange_type, IKEV1_MAIN_MODE);
    assert_true(message.is_readable && message.has_sa);
    assert_false(message.is_encrypted || message.is_malformed || message.from_original_initiator || message.is_response);
    assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
    assert_int_equal(message.payloads, 6);
    assert_int_equal(message.sa.proposals, 1);
    assert_int_equal(proposal->protocol, PROTOCOL_IKE);
    assert_transform(proposal, TRANSFORM_ENCR, 7, 128);
    assert_transform(proposal, TRANSFORM_INTEG, 4, 0);
    assert_transform(proposal, TRANSFORM_KE, 14, 0);
    assert_transform(proposal, TRANSFORM_V1_AUTH_METHOD, 1, 0);
    assert_int_equal(proposal->life_seconds, 0);
}

#define SIXTEEN(first) first "000000000000000000000000000000"

/* RFC 3947 3.2: the first hash is of the remote end, the others are the sender's; 130 is the number of the drafts. */
static void
nat_d_payloads_are_kept_in_order(void **state)
{
    ike_message_t message =
        parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_NAT_D, "14000014" SIXTEEN("0a") "14000014" SIXTEEN("0b") "00000014" SIXTEEN("0c"));

    (void)state;
    assert_int_equal(message.nat.destination.length, 16);
    assert_int_equal(message.nat.destination.bytes[0], 0x0a);
    assert_int_equal(message.nat.sources, 2);
    assert_int_equal(message.nat.source[0].bytes[0], 0x0b);
    assert_int_equal(message.nat.source[1].bytes[0], 0x0c);
    message =
        parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_NAT_D_DRAFT,
                    "82000024" SIXTEEN("0a") SIXTEEN("00") "00000044" SIXTEEN("0b") SIXTEEN("00") SIXTEEN("00") SIXTEEN("00"));
    assert_int_equal(message.nat.destination.length, 32);
    assert_int_equal(message.nat.source[0].length, 64);
}

static void
nat_d_payloads_of_wrong_length_are_not_kept(void **state)
{
    /* 17 bytes, nothing, 65 bytes. The second payload is the sender's, whatever the first was worth. */
    ike_message_t message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_NAT_D,
                                        "14000015" SIXTEEN("0a") "00"
                                                                 "14000014" SIXTEEN("0b") "00000004");
    ike_message_t too_long =
        parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_NAT_D, "00000045" SIXTEEN("0a") SIXTEEN("00") SIXTEEN("00") SIXTEEN("00") "00");

    (void)state;
    assert_int_equal(message.nat.destination.length, 0);
    assert_int_equal(message.nat.sources, 1);
    assert_true(message.nat.is_incomplete);
    assert_int_equal(message.nat.source[0].bytes[0], 0x0b);
    assert_int_equal(too_long.nat.destination.length, 0);
    assert_false(message.is_malformed || too_long.is_malformed);
}

/* The initiator's and the responder's flag bits of IKEv2 are other flags here (RFC 2408 3.1). */
static void
ikev2_flags_mean_nothing_in_ikev1(void **state)
{
    sample_t sample = sample_message(0x10, PAYLOAD_NONE, IKEV1_INFORMATIONAL, 0x28, 0, "");
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&sample, NULL, &message));
    assert_false(message.from_original_initiator || message.is_response || message.is_encrypted);
}

static void
an_encrypted_message_is_not_readable(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_V1_QUICK_1].message);
    ike_message_t message;

    (void)state;
    assert_true(sample_parse(&sample, NULL, &message));
    assert_message_is_sane(&message);
    assert_true(message.is_encrypted && !message.is_readable && !message.is_malformed);
    assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
    assert_int_equal(message.next_payload, PAYLOAD_V1_HASH);
    assert_true(message.message_id == 0xd374fc4c);
}

static void
quick_mode_is_read(void **state)
{
    ike_message_t message = real_parse(REAL_V1_QUICK_1);
    const proposal_t *proposal = &message.sa.proposal[0];

    (void)state;
    assert_true(message.is_decrypted && message.has_ke);
    assert_int_equal(message.ke_group, 0);
    assert_int_equal(message.payloads, 6);
    assert_int_equal(proposal->protocol, PROTOCOL_ESP);
    assert_int_equal(proposal->spi_size, 4);
    assert_true(proposal->spi == 0x0c35f4c1);
    assert_transform(proposal, TRANSFORM_ENCR, 12, 128);
    assert_transform(proposal, TRANSFORM_INTEG, 5, 0);
    assert_transform(proposal, TRANSFORM_KE, 14, 0);
    assert_string_equal(message.selectors_i, "10.1.0.0/24");
    assert_string_equal(message.selectors_r, "10.2.0.0/24");
    assert_string_equal(message.identity_i, "");
}

static void
dead_peer_detection_is_read(void **state)
{
    ike_message_t message = real_parse(REAL_V1_R_U_THERE);
    const notify_t *notify = ike_message_notify(&message, NOTIFY_V1_R_U_THERE);

    (void)state;
    assert_non_null(notify);
    assert_int_equal(notify->protocol, PROTOCOL_IKE);
    assert_int_equal(notify->spi_size, 16);
    assert_true(notify->spi == 0);
    assert_int_equal(notify->data_length, 4);
    assert_int_equal(notify->data, 0x35307fc0);
    assert_null(ike_message_error(&message));
}

static void
errors_are_types_1_to_31(void **state)
{
    ike_message_t message = real_parse(REAL_V1_NO_PROPOSAL);

    (void)state;
    assert_int_equal(ike_message_error(&message)->type, NOTIFY_NO_PROPOSAL_CHOSEN);
    message = parse_clear(IKEV1_INFORMATIONAL, PAYLOAD_V1_NOTIFY,
                          "0b00000c 00000001 01000020  0b00000c 00000001 01006002"
                          "0000000c 00000001 0100001f");
    assert_int_equal(message.notifies, 3);
    assert_int_equal(ike_message_error(&message)->type, 31);
}

static void
the_identity_is_the_senders(void **state)
{
    ike_message_t message = real_parse(REAL_V1_MAIN_6);

    (void)state;
    assert_true(message.is_decrypted);
    assert_string_equal(message.identity_i, "email:b@lab.test");
    assert_string_equal(message.identity_r, "");
    message = parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "0000000c 011101f4 c0000201");
    assert_string_equal(message.identity_i, "ipv4:192.0.2.1");
    message = parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "0000000d 021101f4 612e746573");
    assert_string_equal(message.identity_i, "fqdn:a.tes");
    message = parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "00000018 051101f4 20010db8000000000000000000000001");
    assert_string_equal(message.identity_i, "ipv6:2001:db8::1");
    message = parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "0000000a 0b000000 6772");
    assert_string_equal(message.identity_i, "keyid:gr");
    message = parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "00000008 0a000000");
    assert_string_equal(message.identity_i, "type 10");
    message =
        parse_clear(IKEV1_AGGRESSIVE, PAYLOAD_V1_ID, "00000023 09000000 3019310b3009060355040613024348310a300806035504030c0161");
    assert_string_equal(message.identity_i, "dn:C=CH, CN=a");
    assert_false(message.is_malformed || message.has_ke);
}

/* RFC 2407 4.6.2: the forms of traffic selectors. The first is IDci, the second IDcr (RFC 2409 5.5). */
static void
quick_mode_identities_are_selectors(void **state)
{
    static const struct {
        const char *id;
        const char *text;
    } rows[] = {
        { "10 04000000 c0000200 ffffff00", "192.0.2.0/24" },
        { "10 04060050 c0000200 ffffff00", "192.0.2.0/24 [proto 6 port 80]" },
        { "10 04110000 c0000205 ffffffff", "192.0.2.5/32 [proto 17]" },
        { "10 04000000 c00002ff ffffff00", "192.0.2.0/24" }, /* host bits set: the subnet counts */
        { "10 04000000 00000000 00000000", "0.0.0.0/0" },
        { "10 04000000 c0000200 ff00ff00", "192.0.2.0/255.0.255.0" },
        { "0c 01000000 c0000201", "192.0.2.1/32" },
        { "10 07000000 c0000201 c0000209", "192.0.2.1-192.0.2.9" },
        { "10 07000000 c0000200 c00002ff", "192.0.2.0/24" },
        { "28 06000000 20010db8000000000000000000000000 ffffffffffffffff0000000000000000", "2001:db8::/64" },
        { "18 05000000 20010db8000000000000000000000001", "2001:db8::1/128" },
        { "28 08000000 20010db8000000000000000000000001 20010db8000000000000000000000003", "2001:db8::1-2001:db8::3" },
        { "0c 02000000 61626364", "fqdn:abcd" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char body[256];
        ike_message_t message;

        g_snprintf(body, sizeof(body), "050000%s 00000010 04000000 0a000000 ff000000", rows[i].id);
        message = parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_ID, body);
        assert_false(message.is_malformed);
        assert_string_equal(message.selectors_i, rows[i].text);
        assert_string_equal(message.selectors_r, "10.0.0.0/8");
        assert_string_equal(message.identity_i, "");
    }
}

static void
an_address_of_the_wrong_size_is_malformed(void **state)
{
    static const char *const bodies[] = {
        "0000000b 01000000 c00002",
        "0000000d 01000000 c000020100",
        "0000000c 04000000 c0000200",
        "00000007 010000",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        ike_message_t message = parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_ID, bodies[i]);

        assert_true(message.is_malformed);
        assert_string_equal(message.selectors_i, "");
    }
}

/* ---- SA payloads: DOI 1, situation 1, one proposal ---- */

#define SA_HEAD "00000001 00000001"

static void
a_lifetime_may_be_short_or_long(void **state)
{
    ike_message_t message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_SA,
                                        "00000054" SA_HEAD "00000048 01010003"
                                        "03000010 01010000 800b0001 800c7080"          /* seconds, 28800 */
                                        "03000014 02010000 800b0001 000c0004 00015180" /* seconds, 86400 */
                                        "0000001c 03010000 800b0002 800c0400 800b0001 000c0004 00000e10");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.sa.proposals, 3);
    assert_int_equal(message.sa.proposal[0].life_seconds, 28800);
    assert_int_equal(message.sa.proposal[1].life_seconds, 86400);
    assert_int_equal(message.sa.proposal[2].life_seconds, 3600); /* not the 1024 kilobytes */
    assert_int_equal(message.sa.proposal[2].life_kilobytes, 1024);
    assert_int_equal(message.sa.proposal[0].life_kilobytes, 0);
}

static void
a_lifetime_in_kilobytes_is_no_time(void **state)
{
    ike_message_t message =
        parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_SA,
                    "0000002c" SA_HEAD "00000020 01030401 c0ffee01 00000014 010c0000 80010002 00020004 00465000");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.sa.proposal[0].life_seconds, 0);
    assert_int_equal(message.sa.proposal[0].life_kilobytes, 4608000);
}

/* RFC 2407 4.6.3.1: DOI, protocol, SPI size, type 24576, SPI, attributes. */
static void
a_responder_lifetime_is_read(void **state)
{
    ike_message_t message = parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_NOTIFY,
                                        "00000024 00000001 03046000 c0ffee01 80010001 80020e10 80010002 00020004 00465000");
    const notify_t *notify = ike_message_notify(&message, NOTIFY_V1_RESPONDER_LIFETIME);

    (void)state;
    assert_false(message.is_malformed);
    assert_non_null(notify);
    assert_true(notify->spi == 0xc0ffee01);
    assert_int_equal(notify->life_seconds, 3600);
    assert_int_equal(notify->life_kilobytes, 4608000);
}

/* About the ISAKMP SA (protocol 1, both cookies as SPI) the attributes have phase 1's numbers (RFC 2409 A). */
static void
a_responder_lifetime_of_phase_1_has_its_own_attributes(void **state)
{
    ike_message_t message = parse_clear(IKEV1_INFORMATIONAL, PAYLOAD_V1_NOTIFY,
                                        "00000028 00000001 01106000 0102030405060708 1112131415161718 800b0001 000c0004 00015180");
    const notify_t *notify = ike_message_notify(&message, NOTIFY_V1_RESPONDER_LIFETIME);

    (void)state;
    assert_non_null(notify);
    assert_int_equal(notify->life_seconds, 86400);
    assert_int_equal(notify->life_kilobytes, 0);
}

/* What is not an attribute list names no lifetime, and leaves the notify as it is. */
static void
a_broken_responder_lifetime_says_nothing(void **state)
{
    static const char *const bodies[] = {
        "00000010 00000001 03046000 c0ffee01",                   /* nothing */
        "00000017 00000001 03046000 c0ffee01 80010001 80020e",   /* cut within the duration */
        "00000018 00000001 03046000 c0ffee01 80010001 00020400", /* a duration of 1024 bytes that are not there */
        "00000018 00000001 03046000 c0ffee01 80010003 80020e10", /* in no known unit */
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        ike_message_t message = parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_NOTIFY, bodies[i]);
        const notify_t *notify = ike_message_notify(&message, NOTIFY_V1_RESPONDER_LIFETIME);

        assert_non_null(notify);
        assert_int_equal(notify->life_seconds, 0);
        assert_int_equal(notify->life_kilobytes, 0);
    }
}

static void
a_huge_lifetime_is_capped(void **state)
{
    ike_message_t message =
        parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_SA,
                    "0000002c" SA_HEAD "00000020 01010001 00000018 01010000 800b0001 000c0008 0000000100000000");

    (void)state;
    assert_false(message.is_malformed);
    assert_true(message.sa.proposal[0].life_seconds == UINT32_MAX);
}

/* The numbers of the two phases differ: attribute 1 is the cipher in phase 1 and the life type in phase 2. */
static void
phases_have_their_own_attributes(void **state)
{
    ike_message_t message = parse_clear(IKEV1_QUICK_MODE, PAYLOAD_V1_SA,
                                        "00000040" SA_HEAD "00000034 01030401 c0ffee01 00000028 030c0000"
                                        "80010001 80020e10 80030005 80040001 80050002 80060100 800b0001 800c0007");
    const proposal_t *proposal = &message.sa.proposal[0];

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(proposal->life_seconds, 3600);
    assert_true(proposal->spi == 0xc0ffee01);
    assert_transform(proposal, TRANSFORM_ENCR, 12, 256);
    assert_transform(proposal, TRANSFORM_INTEG, 2, 0);
    assert_transform(proposal, TRANSFORM_KE, 5, 0);
    assert_transform(proposal, TRANSFORM_ESN, 1, 0);
    assert_int_equal(proposal->transforms, 4);
}

static void
the_key_length_may_come_before_its_cipher(void **state)
{
    ike_message_t message =
        parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_SA, "00000024" SA_HEAD "00000018 01010001 00000010 01010000 800e0100 80010007");

    (void)state;
    assert_false(message.is_malformed);
    assert_transform(&message.sa.proposal[0], TRANSFORM_ENCR, 7, 256);
}

/* RFC 2408 4.2: transforms are alternatives, each stands alone. */
static void
each_transform_stands_alone(void **state)
{
    ike_message_t message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_SA,
                                        "0000002c" SA_HEAD "00000020 07010002"
                                        "0300000c 01010000 80010007 0000000c 02010000 80010005");

    (void)state;
    assert_int_equal(message.sa.proposals, 2);
    assert_int_equal(message.sa.proposal[0].number, 7);
    assert_int_equal(message.sa.proposal[1].number, 7);
    assert_int_equal(message.sa.proposal[0].transforms, 1);
    assert_transform(&message.sa.proposal[0], TRANSFORM_ENCR, 7, 0);
    assert_transform(&message.sa.proposal[1], TRANSFORM_ENCR, 5, 0);
}

static void
another_doi_is_not_read(void **state)
{
    ike_message_t message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_SA, "00000014 00000002 00000001 ffffffff ffffffff");

    (void)state;
    assert_true(message.has_sa && !message.is_malformed);
    assert_int_equal(message.sa.proposals, 0);
}

static void
deletes_are_collected(void **state)
{
    ike_message_t message = parse_clear(IKEV1_INFORMATIONAL, PAYLOAD_V1_DELETE,
                                        "0c000010 00000001 03040001 aabbccdd"
                                        "0000001c 00000001 01100001 11111111111111112222222222222222");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.delete_protocol, PROTOCOL_IKE);
    assert_int_equal(message.deleted_spis, 1);
    assert_int_equal(message.deleted_spi[0], 0xaabbccdd);
}

static void
a_key_exchange_has_data(void **state)
{
    ike_message_t message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_KE, "00000004");

    (void)state;
    assert_true(message.is_malformed && !message.has_ke);
    message = parse_clear(IKEV1_MAIN_MODE, PAYLOAD_V1_KE, "00000005 aa");
    assert_true(!message.is_malformed && message.has_ke);
}

/* Clear messages may be padded to four bytes; more is not padding. */
static void
alignment_after_the_chain_is_accepted(void **state)
{
    (void)state;
    assert_false(parse_clear(IKEV1_MAIN_MODE, 13, "00000005 aa 000000").is_malformed);
    assert_true(parse_clear(IKEV1_MAIN_MODE, 13, "00000005 aa 00000000").is_malformed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(main_mode_is_read),
        cmocka_unit_test(nat_d_payloads_are_kept_in_order),
        cmocka_unit_test(nat_d_payloads_of_wrong_length_are_not_kept),
        cmocka_unit_test(ikev2_flags_mean_nothing_in_ikev1),
        cmocka_unit_test(an_encrypted_message_is_not_readable),
        cmocka_unit_test(quick_mode_is_read),
        cmocka_unit_test(dead_peer_detection_is_read),
        cmocka_unit_test(errors_are_types_1_to_31),
        cmocka_unit_test(the_identity_is_the_senders),
        cmocka_unit_test(quick_mode_identities_are_selectors),
        cmocka_unit_test(an_address_of_the_wrong_size_is_malformed),
        cmocka_unit_test(a_lifetime_may_be_short_or_long),
        cmocka_unit_test(a_lifetime_in_kilobytes_is_no_time),
        cmocka_unit_test(a_huge_lifetime_is_capped),
        cmocka_unit_test(a_responder_lifetime_is_read),
        cmocka_unit_test(a_responder_lifetime_of_phase_1_has_its_own_attributes),
        cmocka_unit_test(a_broken_responder_lifetime_says_nothing),
        cmocka_unit_test(phases_have_their_own_attributes),
        cmocka_unit_test(the_key_length_may_come_before_its_cipher),
        cmocka_unit_test(each_transform_stands_alone),
        cmocka_unit_test(another_doi_is_not_read),
        cmocka_unit_test(deletes_are_collected),
        cmocka_unit_test(a_key_exchange_has_data),
        cmocka_unit_test(alignment_after_the_chain_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
