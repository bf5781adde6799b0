/* test_ike_message.c - is an IKEv2 message read as it was sent, and does it say so when it is cut or contradicts itself?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sample.h"

#include <string.h>

static ike_message_t
parse(sample_t sample)
{
    ike_message_t message;

    assert_true(sample_parse(&sample, NULL, &message));
    assert_message_is_sane(&message);
    return message;
}

static ike_message_t
parse_clear(uint8_t next_payload, const char *body)
{
    return parse(sample_message(0x20, next_payload, IKEV2_SA_INIT, 0x20, 0, body));
}

/* ---- header ---- */

static void
the_header_is_read(void **state)
{
    ike_message_t request = real_parse(REAL_SA_INIT_REQUEST), response = real_parse(REAL_SA_INIT_RESPONSE);

    (void)state;
    assert_true(request.spi_i == UINT64_C(0xb1a5097c9cbbe525));
    assert_true(request.spi_r == 0);
    assert_true(response.spi_r == UINT64_C(0xa6ddac4177ff2a23));
    assert_int_equal(request.major, 2);
    assert_int_equal(request.exchange_type, IKEV2_SA_INIT);
    assert_int_equal(request.next_payload, PAYLOAD_SA);
    assert_int_equal(request.length, 240);
    assert_true(request.from_original_initiator && !request.is_response);
    assert_true(!response.from_original_initiator && response.is_response);
    assert_int_equal(real_parse(REAL_REKEY_REQUEST).message_id, 4);
    assert_false(request.is_truncated || request.is_malformed || request.is_encrypted || request.is_decrypted);
    assert_true(request.is_readable);
    assert_int_equal(request.first_inner, PAYLOAD_UNKNOWN);
}

static void
other_versions_and_short_packets_are_not_accounted_for(void **state)
{
    static const uint8_t versions[] = { 0x00, 0x0f, 0x30, 0xa0, 0xf0 };
    ike_message_t message;
    sample_t sample;

    (void)state;
    for (size_t i = 0; i < sizeof(versions); i++) {
        sample = sample_message(versions[i], PAYLOAD_NONE, IKEV2_INFORMATIONAL, 0, 0, "");
        assert_false(sample_parse(&sample, NULL, &message));
    }
    sample = sample_message(0x20, PAYLOAD_NONE, IKEV2_INFORMATIONAL, 0, 0, "");
    for (size_t captured = 0; captured < IKE_HEADER_LENGTH; captured++)
        assert_false(sample_parse_captured(&sample, captured, NULL, &message));
    assert_true(sample_parse(&sample, NULL, &message));
    assert_int_equal(message.major, 2);
}

/* RFC 7296 3.1: a higher minor version is accepted. */
static void
the_minor_version_does_not_matter(void **state)
{
    (void)state;
    assert_int_equal(parse(sample_message(0x25, PAYLOAD_NONE, IKEV2_INFORMATIONAL, 0, 0, "")).major, 2);
}

/* ---- clear payloads ---- */

static void
an_ike_sa_init_is_read_completely(void **state)
{
    ike_message_t message = real_parse(REAL_SA_INIT_REQUEST);
    const proposal_t *proposal = &message.sa.proposal[0];

    (void)state;
    assert_int_equal(message.payloads, 8);
    assert_true(message.has_sa && message.has_ke);
    assert_int_equal(message.ke_group, 31);
    assert_int_equal(message.sa.proposals, 1);
    assert_int_equal(proposal->number, 1);
    assert_int_equal(proposal->protocol, PROTOCOL_IKE);
    assert_int_equal(proposal->transforms, 4);
    assert_int_equal(proposal->transform[0].type, TRANSFORM_ENCR);
    assert_int_equal(proposal->transform[0].id, 12);
    assert_int_equal(proposal->transform[0].key_length, 128);
    assert_int_equal(proposal->transform[3].type, TRANSFORM_KE);
    assert_int_equal(proposal->transform[3].id, 31);
    assert_int_equal(message.notifies, 5);
    assert_int_equal(message.notify[0].type, NOTIFY_NAT_DETECTION_SOURCE_IP);
    assert_int_equal(message.notify[0].data_length, 20);
    assert_int_equal(message.notify[0].data, 0x4992edc2);
    assert_non_null(ike_message_notify(&message, NOTIFY_NAT_DETECTION_DESTINATION_IP));
    assert_null(ike_message_notify(&message, NOTIFY_COOKIE));
    assert_null(ike_message_error(&message));
}

/* RFC 7296 2.23: the data of the notify is a SHA-1 hash. */
static void
nat_detection_hashes_are_kept(void **state)
{
    ike_message_t message = real_parse(REAL_SA_INIT_REQUEST);

    (void)state;
    assert_int_equal(message.nat.sources, 1);
    assert_int_equal(message.nat.source[0].length, 20);
    assert_memory_equal(message.nat.source[0].bytes, "\x49\x92\xed\xc2", 4);
    assert_int_equal(message.nat.destination.length, 20);
    assert_false(message.nat.is_incomplete);
    message = real_parse(REAL_NO_PROPOSAL_CHOSEN);
    assert_int_equal(message.nat.sources, 0);
    assert_int_equal(message.nat.destination.length, 0);
}

#define HASH(first) first "00000000000000000000000000000000000000"
#define NAT_NOTIFY(next, type, first) next "00001c0000" type HASH(first)

static void
at_most_four_nat_detection_sources_are_kept(void **state)
{
    const char *four = NAT_NOTIFY("29", "4004", "01") NAT_NOTIFY("29", "4004", "02") NAT_NOTIFY("29", "4005", "99")
        NAT_NOTIFY("29", "4005", "98") NAT_NOTIFY("29", "4004", "03") NAT_NOTIFY("00", "4004", "04");
    const char *five = NAT_NOTIFY("29", "4004", "01") NAT_NOTIFY("29", "4004", "02") NAT_NOTIFY("29", "4004", "03")
        NAT_NOTIFY("29", "4004", "04") NAT_NOTIFY("00", "4004", "05");
    ike_message_t message = parse_clear(PAYLOAD_NOTIFY, four);

    (void)state;
    assert_int_equal(message.nat.sources, 4);
    assert_false(message.nat.is_incomplete);
    assert_int_equal(message.nat.source[3].bytes[0], 4);
    assert_int_equal(message.nat.destination.bytes[0], 0x99);
    message = parse_clear(PAYLOAD_NOTIFY, five);
    assert_int_equal(message.nat.sources, 4);
    assert_true(message.nat.is_incomplete);
    assert_int_equal(message.notifies, 5);
}

static void
nat_detection_hashes_of_wrong_length_are_not_kept(void **state)
{
    static const char *const sources[] = {
        "000000080000"
        "4004", /* empty */
        "0000001b0000"
        "4004"
        "00000000000000000000000000000000000000", /* 19 bytes */
        "0000001d0000"
        "4004"
        "000000000000000000000000000000000000000000", /* 21 bytes */
        "000000280000"
        "4004"
        "0000000000000000000000000000000000000000000000000000000000000000", /* IKEv2 knows SHA-1 only */
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        ike_message_t message = parse_clear(PAYLOAD_NOTIFY, sources[i]);
        assert_int_equal(message.notifies, 1);
        assert_int_equal(message.nat.sources, 0);
        assert_true(message.nat.is_incomplete);
        assert_false(message.is_malformed);
    }
    assert_int_equal(parse_clear(PAYLOAD_NOTIFY, "000000100000"
                                                 "4005"
                                                 "0000000000000000")
                         .nat.destination.length,
                     0);
    /* One with an SPI is no NAT detection. */
    assert_int_equal(parse_clear(PAYLOAD_NOTIFY, "000000200304"
                                                 "4004"
                                                 "00000001" HASH("01"))
                         .nat.sources,
                     0);
}

static void
a_clear_error_is_found(void **state)
{
    ike_message_t message = real_parse(REAL_NO_PROPOSAL_CHOSEN);

    (void)state;
    assert_int_equal(message.length, 36);
    assert_non_null(ike_message_error(&message));
    assert_int_equal(ike_message_error(&message)->type, NOTIFY_NO_PROPOSAL_CHOSEN);
    assert_ptr_equal(ike_message_error(&message), ike_message_notify(&message, NOTIFY_NO_PROPOSAL_CHOSEN));
}

static void
the_first_error_is_behind_status_notifies(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_NOTIFY, "29000008 00004004  29000008 00003fff  00000008 0000000e");

    (void)state;
    assert_int_equal(message.notifies, 3);
    assert_int_equal(ike_message_error(&message)->type, NOTIFY_ERROR_MAX);
    message = parse_clear(PAYLOAD_NOTIFY, "29000008 00004000 00000008 00000000");
    assert_null(ike_message_error(&message));
}

static void
notify_data_is_the_number_that_it_starts_with(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_NOTIFY, "2900000a 00000011 000e"     /* INVALID_KE_PAYLOAD: group 14 */
                                                        "2900000c 0000000b c0ffee01" /* INVALID_SPI */
                                                        "29000009 00004006 aa"       /* COOKIE of one byte */
                                                        "29000010 00004006 0102030405060708"
                                                        "2900000c 03044009 deadbeef" /* REKEY_SA */
                                                        "00000008 00000018");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.notifies, 6);
    assert_int_equal(message.notify[0].data, 14);
    assert_int_equal(message.notify[0].data_length, 2);
    assert_int_equal(message.notify[1].data, 0xc0ffee01);
    assert_int_equal(message.notify[2].data, 0xaa);
    assert_int_equal(message.notify[3].data, 0x01020304);
    assert_int_equal(message.notify[3].data_length, 8);
    assert_int_equal(message.notify[4].protocol, PROTOCOL_ESP);
    assert_int_equal(message.notify[4].spi_size, 4);
    assert_true(message.notify[4].spi == 0xdeadbeef);
    assert_int_equal(message.notify[4].data_length, 0);
    assert_int_equal(message.notify[5].data_length, 0);
    assert_int_equal(message.notify[5].data, 0);
}

static void
deletes_are_collected(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_DELETE, "2a000010 03040002 aabbccdd 11223344  2a00000c 02040001 55667788"
                                                        "00000008 01000000");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.delete_protocol, PROTOCOL_IKE);
    assert_int_equal(message.deleted_spis, 3);
    assert_int_equal(message.deleted_spi[0], 0xaabbccdd);
    assert_int_equal(message.deleted_spi[1], 0x11223344);
    assert_int_equal(message.deleted_spi[2], 0x55667788);
    message = parse_clear(PAYLOAD_DELETE, "2a00000c 03040001 aabbccdd 0000000c 02040001 55667788");
    assert_int_equal(message.delete_protocol, PROTOCOL_ESP);
}

/* RFC 7296 3.11: SPIs of protocols other than AH and ESP are not IPsec SPIs. */
static void
a_deleted_ike_spi_is_no_ipsec_spi(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_DELETE, "0000000c 01040001 aabbccdd");

    (void)state;
    assert_int_equal(message.delete_protocol, PROTOCOL_IKE);
    assert_int_equal(message.deleted_spis, 0);
}

static void
spis_of_up_to_eight_bytes_are_numbers(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_SA, "00000025 02000010 01010800 0102030405060708"
                                                    "00000011 02010900 010203040506070809");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.sa.proposals, 2);
    assert_int_equal(message.sa.proposal[0].spi_size, 8);
    assert_true(message.sa.proposal[0].spi == UINT64_C(0x0102030405060708));
    assert_int_equal(message.sa.proposal[1].spi_size, 9);
    assert_true(message.sa.proposal[1].spi == 0);
}

static void
identities_are_text(void **state)
{
    static const struct {
        const char *body;
        const char *text;
    } rows[] = {
        { "0000000c 01000000 c0000201", "ipv4:192.0.2.1" },
        { "0000000f 02000000 612e7465737400", "fqdn:a.test?" },
        { "0000000d 03000000 6140746573", "email:a@tes" },
        { "00000018 05000000 20010db8000000000000000000000001", "ipv6:2001:db8::1" },
        { "0000000a 0b000000 6b65", "keyid:ke" },
        { "00000008 0d000000", "null" },
        { "00000008 63000000", "type 99" },
        { "00000008 09000000", "dn:?" },
        { "00000023 09000000 3019310b3009060355040613024348310a300806035504030c0161", "dn:C=CH, CN=a" },
        { "00000023 09000000 301a310b3009060355040613024348310a300806035504030c0161", "dn:?" }, /* a length beyond the end */
        { "00000025 09000000 30811a310b3009060355040613024348310b300906035504030c026162", "dn:C=CH, CN=ab" }, /* long form */
        { "0000000a 09000000 3000", "dn:?" },
        { "00000012 09000000 300831063004060055ff", "dn:?" }, /* a value beyond its attribute */
        { "00000023 09000000 3019310b3009060355040613ff4348310a300806035504030c0161", "dn:?" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ike_message_t message = parse_clear(PAYLOAD_IDI, rows[i].body);

        assert_string_equal(message.identity_i, rows[i].text);
        assert_string_equal(message.identity_r, "");
        message = parse_clear(PAYLOAD_IDR, rows[i].body);
        assert_string_equal(message.identity_r, rows[i].text);
        assert_string_equal(message.identity_i, "");
    }
}

static void
an_address_of_the_wrong_size_is_no_identity(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_IDI, "0000000b 01000000 c00002");

    (void)state;
    assert_true(message.is_malformed);
    assert_string_equal(message.identity_i, "");
    message = parse_clear(PAYLOAD_IDI, "0000000d 01000000 c000020101");
    assert_true(message.is_malformed);
    assert_string_equal(message.identity_i, "");
}

static void
selectors_are_prefixes_where_they_are(void **state)
{
    ike_message_t message =
        parse_clear(PAYLOAD_TSI, "2d000048 04000000"
                                 "07000010 0000ffff c0000200 c00002ff" /* a prefix */
                                 "07060010 00500050 c0000205 c0000209" /* a range, TCP port 80 */
                                 "07110010 0001ffff 00000000 ffffffff" /* everything, UDP ports from 1 */
                                 "07000010 ffff0000 c0000201 c0000201" /* one address, opaque ports */
                                 "00000030 01000000"
                                 "08000028 0000ffff 20010db8000000000000000000000000 20010db800000000ffffffffffffffff");

    (void)state;
    assert_false(message.is_malformed);
    assert_string_equal(message.selectors_i, "192.0.2.0/24 192.0.2.5-192.0.2.9 [proto 6 port 80]"
                                             " 0.0.0.0/0 [proto 17 port 1-65535] 192.0.2.1/32 [port opaque]");
    assert_string_equal(message.selectors_r, "2001:db8::/64");
}

static void
a_single_port_is_not_opaque(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_TSI, "00000028 02000000 07000010 ffffffff c0000201 c0000201"
                                                     "07000010 00000000 c0000201 c0000201");

    (void)state;
    assert_false(message.is_malformed);
    assert_string_equal(message.selectors_i, "192.0.2.1/32 [port 65535] 192.0.2.1/32 [port 0]");
}

/* RFC 7296 3.13: the number of selectors is announced. */
static void
selectors_must_be_as_many_as_announced(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_TSI, "00000018 02000000 07000010 0000ffff c0000200 c00002ff");

    (void)state;
    assert_true(message.is_malformed);
    assert_string_equal(message.selectors_i, "");
}

static void
long_texts_end_in_dots(void **state)
{
    ike_message_t message;
    GString *body = g_string_new("00000108 02000000");

    (void)state;
    for (unsigned i = 0; i < 256; i++)
        g_string_append(body, "61");
    message = parse_clear(PAYLOAD_IDI, body->str);
    assert_int_equal(strlen(message.identity_i), IDENTITY_TEXT_MAX - 1);
    assert_string_equal(message.identity_i + IDENTITY_TEXT_MAX - 5, "a...");
    g_string_assign(body, "00000148 14000000");
    for (unsigned i = 0; i < 20; i++)
        g_string_append(body, "07000010 0000ffff c0000205 c0000209");
    message = parse_clear(PAYLOAD_TSR, body->str);
    assert_int_equal(strlen(message.selectors_r), SELECTOR_TEXT_MAX - 1);
    assert_string_equal(message.selectors_r + SELECTOR_TEXT_MAX - 4, "...");
    g_string_free(body, TRUE);
}

static void
unknown_payloads_are_skipped(void **state)
{
    ike_message_t message = parse_clear(200, "fa80000c 0102030405060708 29000004 00000008 0000000e");

    (void)state;
    assert_false(message.is_malformed);
    assert_int_equal(message.payloads, 3);
    assert_int_equal(message.notifies, 1);
}

static void
what_is_too_much_is_counted_not_kept(void **state)
{
    GString *body = g_string_new(NULL);
    ike_message_t message;

    (void)state;
    for (unsigned i = 0; i < NOTIFIES_MAX + 5; i++)
        g_string_append_printf(body, "%s000008 0000%04x", i < NOTIFIES_MAX + 4 ? "29" : "00", 0x4000 + i);
    message = parse_clear(PAYLOAD_NOTIFY, body->str);
    assert_int_equal(message.payloads, NOTIFIES_MAX + 5);
    assert_int_equal(message.notifies, NOTIFIES_MAX);
    assert_int_equal(message.notify[NOTIFIES_MAX - 1].type, 0x4000 + NOTIFIES_MAX - 1);
    g_string_printf(body, "0000%04x 0304%04x", 8 + 4 * (DELETED_SPIS_MAX + 3), DELETED_SPIS_MAX + 3);
    for (unsigned i = 0; i < DELETED_SPIS_MAX + 3; i++)
        g_string_append_printf(body, "%08x", 0x100 + i);
    message = parse_clear(PAYLOAD_DELETE, body->str);
    assert_false(message.is_malformed);
    assert_int_equal(message.deleted_spis, DELETED_SPIS_MAX);
    assert_int_equal(message.deleted_spi[DELETED_SPIS_MAX - 1], 0x100 + DELETED_SPIS_MAX - 1);
    g_string_free(body, TRUE);
}

static void
what_is_too_much_in_an_sa_is_not_kept(void **state)
{
    GString *body = g_string_new(NULL);
    ike_message_t message;

    (void)state;
    g_string_printf(body, "0000%04x 0000%04x 010100%02x", 12 + 8 * 50, 8 + 8 * 50, 50);
    for (unsigned i = 0; i < 50; i++)
        g_string_append_printf(body, "%s000008 0100%04x", i < 49 ? "03" : "00", i + 1);
    message = parse_clear(PAYLOAD_SA, body->str);
    assert_false(message.is_malformed);
    assert_int_equal(message.sa.proposal[0].transforms, TRANSFORMS_MAX);
    assert_int_equal(message.sa.proposal[0].transform[TRANSFORMS_MAX - 1].id, TRANSFORMS_MAX);
    g_string_printf(body, "0000%04x", 4 + 8 * (PROPOSALS_MAX + 2));
    for (unsigned i = 0; i < PROPOSALS_MAX + 2; i++)
        g_string_append_printf(body, "%s000008 %02x010000", i < PROPOSALS_MAX + 1 ? "02" : "00", i + 1);
    message = parse_clear(PAYLOAD_SA, body->str);
    assert_false(message.is_malformed);
    assert_int_equal(message.sa.proposals, PROPOSALS_MAX);
    assert_int_equal(message.sa.proposal[PROPOSALS_MAX - 1].number, PROPOSALS_MAX);
    g_string_free(body, TRUE);
}

static void
only_the_first_sa_is_kept(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_SA, "2100000c 00000008 07010000  0000000c 00000008 08010000");

    (void)state;
    assert_int_equal(message.sa.proposals, 1);
    assert_int_equal(message.sa.proposal[0].number, 7);
}

/* ---- what encryption leaves visible ---- */

static void
the_first_inner_payload_is_visible(void **state)
{
    static const uint8_t types[] = { PAYLOAD_NONE, PAYLOAD_SA, PAYLOAD_IDI, PAYLOAD_NOTIFY, PAYLOAD_DELETE, PAYLOAD_EAP };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        ike_message_t message = parse(sample_encrypted(types[i], 48));

        assert_true(message.is_encrypted);
        assert_false(message.is_readable || message.is_decrypted || message.is_malformed || message.is_truncated);
        assert_int_equal(message.first_inner, types[i]);
        assert_int_equal(message.fragment_number, 0);
    }
}

static void
payloads_before_the_encrypted_one_do_not_count(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_NOTIFY, "2e000008 0000000e 2a000010 000000000000000000000000");

    (void)state;
    assert_true(message.is_encrypted && !message.is_readable && !message.is_malformed);
    assert_int_equal(message.first_inner, PAYLOAD_DELETE);
    assert_int_equal(message.notifies, 0);
    assert_int_equal(message.payloads, 0);
}

/* RFC 7383 2.5. */
static void
only_the_first_fragment_tells_the_first_payload(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_FRAGMENT, "24000018 00010003 00000000000000000000000000000000");

    (void)state;
    assert_true(message.is_encrypted && !message.is_malformed);
    assert_int_equal(message.fragment_number, 1);
    assert_int_equal(message.fragment_total, 3);
    assert_int_equal(message.first_inner, PAYLOAD_IDR);
    message = parse_clear(PAYLOAD_FRAGMENT, "00000018 00030003 00000000000000000000000000000000");
    assert_int_equal(message.fragment_number, 3);
    assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
}

static void
impossible_fragments_are_malformed(void **state)
{
    static const char *const bodies[] = {
        "24000018 00000003 00000000000000000000000000000000", /* numbers start at 1 */
        "24000018 00040003 00000000000000000000000000000000", /* the fourth of three */
        "24000018 00010000 00000000000000000000000000000000",
        "24000006 0001",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        ike_message_t message = parse_clear(PAYLOAD_FRAGMENT, bodies[i]);

        assert_true(message.is_malformed && message.is_encrypted);
        assert_int_equal(message.fragment_number, 0);
        assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
    }
}

/* RFC 7296 3.14: the encrypted payload must be the last one. */
static void
bytes_after_the_encrypted_payload_are_malformed(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_ENCRYPTED, "2a000010 000000000000000000000000 00000008 0000000e");

    (void)state;
    assert_true(message.is_malformed && message.is_encrypted && !message.is_readable);
    assert_int_equal(message.first_inner, PAYLOAD_DELETE);
}

/* ---- lengths ---- */

static void
bytes_after_the_message_are_ignored(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_SA_INIT_REQUEST].message);
    ike_message_t whole = parse(sample), longer;

    (void)state;
    memset(sample.bytes + sample.length, 0xab, 20);
    sample.length += 20;
    longer = parse(sample);
    assert_memory_equal(&whole, &longer, sizeof(whole));
}

static void
a_header_length_beyond_the_packet_is_malformed(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_NO_PROPOSAL_CHOSEN].message);
    ike_message_t message;

    (void)state;
    sample.bytes[27]++;
    message = parse(sample);
    assert_true(message.is_malformed);
    assert_false(message.is_truncated);
    assert_int_equal(message.notifies, 1);
}

static void
a_header_length_below_the_header_is_malformed(void **state)
{
    static const uint8_t lengths[] = { 0, 1, 3, 27 };

    (void)state;
    for (size_t i = 0; i < sizeof(lengths); i++) {
        sample_t sample = sample_from_hex(real_messages[REAL_NO_PROPOSAL_CHOSEN].message);
        ike_message_t message;

        sample.bytes[27] = lengths[i];
        message = parse(sample);
        assert_true(message.is_malformed);
        assert_int_equal(message.payloads, 0);
    }
}

/* What the capture cut off is unknown, never wrong. */
static void
cut_messages_are_truncated_not_malformed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REAL_MESSAGES; i++) {
        sample_t sample = sample_from_hex(real_messages[i].message);

        for (size_t captured = IKE_HEADER_LENGTH; captured < sample.length; captured++) {
            ike_message_t message;

            assert_true(sample_parse_captured(&sample, captured, NULL, &message));
            assert_message_is_sane(&message);
            assert_true(message.is_truncated);
            assert_false(message.is_malformed);
            assert_int_equal(message.length, sample.length);
        }
    }
}

/* A payload of a header only, at the very end: the least that a chain can miss. */
static void
a_cut_in_the_last_bare_header_is_no_contradiction(void **state)
{
    sample_t sample = sample_message(0x20, 200, IKEV2_SA_INIT, 0, 0, "00000004");
    ike_message_t message;

    (void)state;
    assert_false(parse(sample).is_malformed);
    for (size_t captured = IKE_HEADER_LENGTH; captured < sample.length; captured++) {
        assert_true(sample_parse_captured(&sample, captured, NULL, &message));
        assert_true(message.is_truncated && !message.is_malformed);
    }
}

static void
a_bare_header_is_a_message(void **state)
{
    ike_message_t message = parse_clear(PAYLOAD_NONE, "");

    (void)state;
    assert_int_equal(message.length, IKE_HEADER_LENGTH);
    assert_true(message.is_readable);
    assert_false(message.is_malformed || message.is_truncated);
}

/* The capture cut only what follows the message: nothing is missing. */
static void
a_cut_behind_the_message_is_no_truncation(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_NO_PROPOSAL_CHOSEN].message);
    ike_message_t message;
    size_t length = sample.length;

    (void)state;
    sample.length += 10;
    assert_true(sample_parse_captured(&sample, length, NULL, &message));
    assert_false(message.is_truncated || message.is_malformed);
}

static void
whole_payloads_of_a_cut_message_are_read(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_SA_INIT_REQUEST].message);
    ike_message_t message;

    (void)state;
    assert_true(sample_parse_captured(&sample, IKE_HEADER_LENGTH + 48 + 20, NULL, &message));
    assert_true(message.is_readable && message.has_sa && !message.has_ke);
    assert_true(sample_parse_captured(&sample, IKE_HEADER_LENGTH + 48 + 40, NULL, &message));
    assert_true(message.has_ke);
}

static void
the_first_inner_payload_of_a_cut_message_is_visible(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_DELETE_REQUEST].message);
    ike_message_t message;

    (void)state;
    assert_true(sample_parse_captured(&sample, IKE_HEADER_LENGTH + 4, NULL, &message));
    assert_true(message.is_encrypted);
    assert_int_equal(message.first_inner, PAYLOAD_DELETE);
    assert_true(sample_parse_captured(&sample, IKE_HEADER_LENGTH + 3, NULL, &message));
    assert_true(message.is_encrypted);
    assert_int_equal(message.first_inner, PAYLOAD_UNKNOWN);
}

/* ---- fingerprint ---- */

static uint64_t
fingerprint_of(const sample_t *sample)
{
    ike_message_t message;

    assert_true(sample_parse(sample, NULL, &message));
    return message.fingerprint;
}

static void
the_fingerprint_depends_on_every_bit(void **state)
{
    sample_t sample = sample_from_hex(real_messages[REAL_DELETE_REQUEST].message);
    uint64_t original = fingerprint_of(&sample), previous = original;

    (void)state;
    assert_true(fingerprint_of(&sample) == original);
    for (size_t bit = 0; bit < sample.length * 8; bit++) {
        uint8_t one = (uint8_t)(1u << bit % 8);
        uint64_t changed;

        if (bit / 8 == 17 || (bit / 8 >= 24 && bit / 8 < 28)) /* version and length decide whether and what is hashed */
            continue;
        sample.bytes[bit / 8] ^= one;
        changed = fingerprint_of(&sample);
        assert_true(changed != original && changed != previous);
        previous = changed;
        sample.bytes[bit / 8] ^= one;
    }
}

static void
the_fingerprint_tells_zeros_of_different_number_apart(void **state)
{
    sample_t a = sample_encrypted(PAYLOAD_NONE, 16), b = sample_encrypted(PAYLOAD_NONE, 17);

    (void)state;
    memcpy(b.bytes + 24, a.bytes + 24, 8); /* same lengths in the headers: only the bytes themselves differ */
    b.bytes[27] = (uint8_t)b.length;
    a.bytes[27] = (uint8_t)b.length;
    assert_true(fingerprint_of(&a) != fingerprint_of(&b));
}

/* ---- names ---- */

static void
notifies_have_their_versions_names(void **state)
{
    const char *unknown = notify_name(2, 1234), *other = notify_name(1, 4321);

    (void)state;
    assert_string_equal(notify_name(2, 14), "NO_PROPOSAL_CHOSEN");
    assert_string_equal(notify_name(1, 14), "NO-PROPOSAL-CHOSEN");
    assert_string_equal(notify_name(2, 24), "AUTHENTICATION_FAILED");
    assert_string_equal(notify_name(2, 44), "CHILD_SA_NOT_FOUND");
    assert_string_equal(notify_name(2, 16400), "UPDATE_SA_ADDRESSES");
    assert_string_equal(notify_name(1, 36136), "R-U-THERE");
    assert_string_equal(unknown, "notify 1234");
    assert_string_equal(other, "notify 4321");
    assert_string_equal(notify_name(2, 65535), "notify 65535");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_read),
        cmocka_unit_test(other_versions_and_short_packets_are_not_accounted_for),
        cmocka_unit_test(the_minor_version_does_not_matter),
        cmocka_unit_test(an_ike_sa_init_is_read_completely),
        cmocka_unit_test(nat_detection_hashes_are_kept),
        cmocka_unit_test(at_most_four_nat_detection_sources_are_kept),
        cmocka_unit_test(nat_detection_hashes_of_wrong_length_are_not_kept),
        cmocka_unit_test(a_clear_error_is_found),
        cmocka_unit_test(the_first_error_is_behind_status_notifies),
        cmocka_unit_test(notify_data_is_the_number_that_it_starts_with),
        cmocka_unit_test(deletes_are_collected),
        cmocka_unit_test(a_deleted_ike_spi_is_no_ipsec_spi),
        cmocka_unit_test(spis_of_up_to_eight_bytes_are_numbers),
        cmocka_unit_test(identities_are_text),
        cmocka_unit_test(an_address_of_the_wrong_size_is_no_identity),
        cmocka_unit_test(selectors_are_prefixes_where_they_are),
        cmocka_unit_test(a_single_port_is_not_opaque),
        cmocka_unit_test(selectors_must_be_as_many_as_announced),
        cmocka_unit_test(long_texts_end_in_dots),
        cmocka_unit_test(unknown_payloads_are_skipped),
        cmocka_unit_test(what_is_too_much_is_counted_not_kept),
        cmocka_unit_test(what_is_too_much_in_an_sa_is_not_kept),
        cmocka_unit_test(only_the_first_sa_is_kept),
        cmocka_unit_test(the_first_inner_payload_is_visible),
        cmocka_unit_test(payloads_before_the_encrypted_one_do_not_count),
        cmocka_unit_test(only_the_first_fragment_tells_the_first_payload),
        cmocka_unit_test(impossible_fragments_are_malformed),
        cmocka_unit_test(bytes_after_the_encrypted_payload_are_malformed),
        cmocka_unit_test(bytes_after_the_message_are_ignored),
        cmocka_unit_test(a_header_length_beyond_the_packet_is_malformed),
        cmocka_unit_test(a_header_length_below_the_header_is_malformed),
        cmocka_unit_test(cut_messages_are_truncated_not_malformed),
        cmocka_unit_test(a_cut_in_the_last_bare_header_is_no_contradiction),
        cmocka_unit_test(a_bare_header_is_a_message),
        cmocka_unit_test(a_cut_behind_the_message_is_no_truncation),
        cmocka_unit_test(whole_payloads_of_a_cut_message_are_read),
        cmocka_unit_test(the_first_inner_payload_of_a_cut_message_is_visible),
        cmocka_unit_test(the_fingerprint_depends_on_every_bit),
        cmocka_unit_test(the_fingerprint_tells_zeros_of_different_number_apart),
        cmocka_unit_test(notifies_have_their_versions_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
