/* test_nat_detection.c - is a hash compared with the right bytes, and does the conclusion go no further than the hashes do?
 *
 * The digests come from `sha1sum` and the like over SPIi, SPIr, address and port (RFC 7296 2.23; RFC 3947 3.2):
 *
 *     printf '\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0\12\11\0\1\1\364' | sha1sum       (10.9.0.1 port 500 in a request)
 *
 * SPIi is 0102030405060708; SPIr is 0 in a request, 1112131415161718 in an answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/nat_detection.h"

#include "sample.h"

#include <string.h>

#define REQUEST_CLIENT_OWN "fdca76ee7b7791e9fbc0cde98927b09ae06e9733"    /* 10.9.0.1 port 500 */
#define REQUEST_CLIENT_500 "b7e5085007db5ba8d2612c7d4a637c23ff7c6712"    /* 198.51.100.7 port 500 */
#define REQUEST_CLIENT_MAPPED "7b0b757293bd8d7b63b38009acfc95c598a60148" /* 198.51.100.7 port 61000 */
#define REQUEST_CLIENT_PORT_0 "7a919c7831242f48fa6929eecc84fc18530b45f7" /* 198.51.100.7 port 0 */
#define REQUEST_HEADEND "e0c70401fefab4f692c6c16b9b46c8a1ba727aaa"       /* 203.0.113.2 port 500 */
#define REQUEST_HEADEND_4500 "cf28415f443f4bce87a92b68677e14551c716a90"  /* 203.0.113.2 port 4500 */
#define REQUEST_IPV6 "7fa12a60a3a27ef1b3fed26cc6d5b8fbf553292f"          /* 2001:db8::1 port 500 */
#define ANSWER_HEADEND "30038253100151b10fe1e07071f0ed24706203c9"        /* 203.0.113.2 port 500 */
#define ANSWER_HEADEND_PORT_0 "1d6b1baeb6647e6929d5c9fa1bff5aa800f3dd00" /* 203.0.113.2 port 0 */
#define ANSWER_CLIENT_MAPPED "c3e226e0f70bec6e171418239b20c8a76a6f3b23"  /* 198.51.100.7 port 61000 */
#define ANSWER_CLIENT_500 "c976c162c65968d5db6d65c0be81abc67f5b937e"     /* 198.51.100.7 port 500 */
#define ANSWER_CLIENT_OWN "6ae498b656c9a75b0340909aecfd2c57d649b840"     /* 10.9.0.1 port 500 */
#define ANSWER_CLIENT_PORT_0 "856b1693fe0335286594ee0100cb2ea2511dcc92"  /* 198.51.100.7 port 0 */
#define NOBODY "0000000000000000000000000000000000000001"
#define NOBODY_ELSE "0000000000000000000000000000000000000002"

static nat_digest_t
digest(const char *hex)
{
    sample_t sample = sample_from_hex(hex);
    nat_digest_t digest = { .length = (uint8_t)sample.length };

    memcpy(digest.bytes, sample.bytes, sample.length);
    return digest;
}

/* Every message has bytes of its own. */
static ike_message_t
message_with(const char *source, const char *destination, bool is_answer)
{
    static uint64_t messages;
    ike_message_t message = { .major = 2,
                              .exchange_type = IKEV2_SA_INIT,
                              .spi_i = UINT64_C(0x0102030405060708),
                              .spi_r = is_answer ? UINT64_C(0x1112131415161718) : 0,
                              .is_readable = true,
                              .is_response = is_answer,
                              .fingerprint = ++messages };

    if (source)
        message.nat.source[message.nat.sources++] = digest(source);
    if (destination)
        message.nat.destination = digest(destination);
    return message;
}

static endpoint_t
ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port)
{
    return (endpoint_t){ .family = ADDRESS_IPV4, .address = { a, b, c, d }, .port = port };
}

#define CLIENT_INSIDE ipv4(10, 9, 0, 1, 500)
#define CLIENT_OUTSIDE ipv4(198, 51, 100, 7, 61000)
#define CLIENT_UNMAPPED ipv4(198, 51, 100, 7, 500)
#define HEADEND ipv4(203, 0, 113, 2, 500)

static nat_hashes_t
compare(const ike_message_t *message, endpoint_t source, endpoint_t destination)
{
    return nat_detection_compare(
        &(nat_sighting_t){ .message = message, .sender = PEER_A, .source = &source, .destination = &destination, .frame = 1 });
}

static bool
learn(nat_detection_t *detection, const ike_message_t *message, peer_t sender, endpoint_t source, endpoint_t destination)
{
    nat_hashes_t hashes;

    return nat_detection_learn(
        detection,
        &(nat_sighting_t){
            .message = message, .sender = sender, .source = &source, .destination = &destination, .frame = 1 + sender },
        &hashes);
}

/* ---- one message ---- */

static void
a_hash_is_of_spis_address_and_port(void **state)
{
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);
    ike_message_t answer = message_with(ANSWER_HEADEND, ANSWER_CLIENT_MAPPED, true);

    (void)state;
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).source, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).destination, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&answer, HEADEND, CLIENT_OUTSIDE).source, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&answer, HEADEND, CLIENT_OUTSIDE).destination, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&answer, HEADEND, CLIENT_INSIDE).destination, NAT_HASH_OTHER);
    request.spi_r = answer.spi_r; /* the header's SPIs count, whatever they are */
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).source, NAT_HASH_OTHER);
}

static void
an_ipv6_address_has_sixteen_bytes(void **state)
{
    ike_message_t request = message_with(REQUEST_IPV6, NULL, false);
    endpoint_t endpoint = { .family = ADDRESS_IPV6, .address = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, .port = 500 };

    (void)state;
    assert_int_equal(compare(&request, endpoint, HEADEND).source, NAT_HASH_UNCHANGED);
    endpoint.address[15] = 2;
    assert_int_equal(compare(&request, endpoint, HEADEND).source, NAT_HASH_OTHER);
    assert_int_equal(compare(&request, endpoint, HEADEND).destination, NAT_HASH_NONE);
}

/* RFC 3947 3.2: the hash of phase 1. */
static void
ikev1_hashes_are_known_by_their_length(void **state)
{
    static const char *const digests[] = {
        "5be165600739042d9cdf25af8369203d",
        ANSWER_HEADEND,
        "1e5d19a394e0c79f73a8d0a63ea77151f6a0b7524facaac18be33265b24e8c91",
        "b068c81115063ef7c50a93aec816a1d88bba3091b681e93409ba0f8cf52527411bd323183eac7bb85e065203163f9de7",
        "beda7c654067bc635b1bf0e2aedaac6d19e3dcf84ba5ac17e5100688451ac8bbc71e67038d8eae67feb032faf8ffa976f0778abf1eff132916dcc861"
        "100baacf",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(digests); i++) {
        ike_message_t message = message_with(digests[i], digests[i], true);
        assert_int_equal(compare(&message, HEADEND, HEADEND).source, NAT_HASH_UNCHANGED);
        assert_int_equal(compare(&message, HEADEND, CLIENT_INSIDE).destination, NAT_HASH_OTHER);
    }
}

static void
only_the_port_was_translated(void **state)
{
    ike_message_t request = message_with(REQUEST_CLIENT_500, REQUEST_HEADEND, false);
    ike_message_t mistaken = message_with(REQUEST_CLIENT_500, REQUEST_HEADEND_4500, false);

    (void)state;
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_PORT);
    /* No NAT turns port 4500 into 500: that is a sender which hashed the other one of its two ports. */
    assert_int_equal(compare(&mistaken, CLIENT_UNMAPPED, HEADEND).destination, NAT_HASH_NONE);
}

static void
port_0_is_forced_encapsulation(void **state)
{
    ike_message_t request = message_with(REQUEST_CLIENT_PORT_0, REQUEST_HEADEND, false);

    (void)state;
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_MANGLED);
    assert_int_equal(compare(&request, CLIENT_UNMAPPED, HEADEND).source, NAT_HASH_MANGLED);
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).source, NAT_HASH_OTHER);
}

/* RFC 7296 2.23: a sender that does not know which address a packet will have hashes them all. */
static void
one_of_several_sources_may_fit(void **state)
{
    ike_message_t request = message_with(NOBODY, REQUEST_HEADEND, false);

    (void)state;
    request.nat.source[request.nat.sources++] = digest(NOBODY_ELSE);
    request.nat.source[request.nat.sources++] = digest(REQUEST_CLIENT_OWN);
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).source, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_OTHER);
}

/* The hash that fits may be among those that are not there. */
static void
missing_sources_prove_nothing_but_a_fit(void **state)
{
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);

    (void)state;
    request.nat.is_incomplete = true;
    assert_int_equal(compare(&request, CLIENT_INSIDE, HEADEND).source, NAT_HASH_UNCHANGED);
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_NONE);
    request.nat.is_incomplete = false;
    request.is_truncated = true;
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_NONE);
    request.is_truncated = false;
    request.is_malformed = true;
    assert_int_equal(compare(&request, CLIENT_OUTSIDE, HEADEND).source, NAT_HASH_NONE);
}

/* ---- both messages ---- */

typedef struct {
    const char *what;
    endpoint_t client; /* as captured; the client is peer A */
    const char *request_source, *request_destination, *answer_source, *answer_destination;
    nat_state_t client_state, headend_state;
    nat_side_t client_before, client_beyond;
    confidence_t client_confidence;
} story_t;

static void
assert_story(const story_t *story)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(story->request_source, story->request_destination, false);
    ike_message_t answer = message_with(story->answer_source, story->answer_destination, true);
    peer_nat_t client, headend;

    assert_true(learn(&detection, &request, PEER_A, story->client, HEADEND));
    assert_false(nat_detection_is_complete(&detection));
    assert_true(learn(&detection, &answer, PEER_B, HEADEND, story->client));
    assert_true(nat_detection_is_complete(&detection));
    client = nat_detection_conclude(&detection, PEER_A);
    headend = nat_detection_conclude(&detection, PEER_B);
    if (client.state != story->client_state || headend.state != story->headend_state || client.before != story->client_before ||
        client.beyond != story->client_beyond || client.confidence != story->client_confidence)
        fail_msg("%s: client %s (%s, %s), headend %s", story->what, nat_state_text(client.state), nat_side_text(client.before),
                 nat_side_text(client.beyond), nat_state_text(headend.state));
}

static void
both_messages_together_tell_where_the_nat_is(void **state)
{
    const story_t stories[] = {
        { "no NAT", CLIENT_INSIDE, REQUEST_CLIENT_OWN, REQUEST_HEADEND, ANSWER_HEADEND, ANSWER_CLIENT_OWN, NAT_NONE, NAT_NONE,
          NAT_SIDE_UNCHANGED, NAT_SIDE_UNCHANGED, CONFIDENCE_OBSERVED },
        /* The headend fits, so that what it says of the client counts. */
        { "captured inside of the client's NAT", CLIENT_INSIDE, REQUEST_CLIENT_OWN, REQUEST_HEADEND, ANSWER_HEADEND,
          ANSWER_CLIENT_MAPPED, NAT_BEYOND, NAT_NONE, NAT_SIDE_UNCHANGED, NAT_SIDE_TRANSLATED, CONFIDENCE_OBSERVED },
        /* Forced encapsulation with a made-up hash looks the same outside. */
        { "captured outside of the client's NAT", CLIENT_OUTSIDE, REQUEST_CLIENT_OWN, REQUEST_HEADEND, ANSWER_HEADEND,
          ANSWER_CLIENT_MAPPED, NAT_BEFORE_OR_FORCED, NAT_NONE, NAT_SIDE_TRANSLATED_OR_FORCED, NAT_SIDE_UNCHANGED,
          CONFIDENCE_OBSERVED },
        { "a NAT that keeps the address", CLIENT_OUTSIDE, REQUEST_CLIENT_500, REQUEST_HEADEND, ANSWER_HEADEND, ANSWER_CLIENT_MAPPED,
          NAT_BEFORE, NAT_NONE, NAT_SIDE_PORT_TRANSLATED, NAT_SIDE_UNCHANGED, CONFIDENCE_OBSERVED },
        { "NATs on both sides", CLIENT_OUTSIDE, REQUEST_CLIENT_500, REQUEST_HEADEND, ANSWER_HEADEND, NOBODY, NAT_BEFORE_AND_BEYOND,
          NAT_NONE, NAT_SIDE_PORT_TRANSLATED, NAT_SIDE_TRANSLATED, CONFIDENCE_OBSERVED },
        { "port 0", CLIENT_UNMAPPED, REQUEST_CLIENT_PORT_0, REQUEST_HEADEND, ANSWER_HEADEND, ANSWER_CLIENT_500, NAT_FORCED,
          NAT_NONE, NAT_SIDE_FORCED, NAT_SIDE_UNCHANGED, CONFIDENCE_OBSERVED },
        /* IKEv1 of libreswan: port 0 in both hashes; the address is proved all the same. */
        { "port 0 in all hashes", CLIENT_UNMAPPED, REQUEST_CLIENT_500, REQUEST_HEADEND, ANSWER_HEADEND_PORT_0, ANSWER_CLIENT_PORT_0,
          NAT_NONE, NAT_FORCED, NAT_SIDE_UNCHANGED, NAT_SIDE_FORCED, CONFIDENCE_OBSERVED },
        /* Its hashes have port 0, but the right address: what it says of the client's counts. */
        { "captured inside, and a headend with port 0", CLIENT_INSIDE, REQUEST_CLIENT_OWN, REQUEST_HEADEND, ANSWER_HEADEND_PORT_0,
          ANSWER_CLIENT_PORT_0, NAT_BEYOND, NAT_FORCED, NAT_SIDE_UNCHANGED, NAT_SIDE_TRANSLATED, CONFIDENCE_OBSERVED },
        /* The headend makes hashes up: perhaps both. */
        { "no NAT, and a headend that spoils both hashes", CLIENT_UNMAPPED, REQUEST_CLIENT_500, REQUEST_HEADEND, NOBODY,
          NOBODY_ELSE, NAT_BEYOND_OR_FORCED, NAT_BEFORE_OR_FORCED, NAT_SIDE_UNCHANGED, NAT_SIDE_TRANSLATED_OR_FORCED,
          CONFIDENCE_OBSERVED },
        { "the same, but the client has a private address", CLIENT_INSIDE, REQUEST_CLIENT_OWN, REQUEST_HEADEND, NOBODY, NOBODY_ELSE,
          NAT_BEYOND, NAT_BEFORE_OR_FORCED, NAT_SIDE_UNCHANGED, NAT_SIDE_TRANSLATED, CONFIDENCE_INFERRED },
        { "only one kind of hash", CLIENT_INSIDE, REQUEST_CLIENT_OWN, NULL, ANSWER_HEADEND, NULL, NAT_UNKNOWN, NAT_UNKNOWN,
          NAT_SIDE_UNCHANGED, NAT_SIDE_UNKNOWN, CONFIDENCE_OBSERVED },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(stories); i++)
        assert_story(&stories[i]);
}

static void
a_request_alone_tells_one_side(void **state)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);
    GString *words = g_string_new(NULL);
    endpoint_t client = CLIENT_INSIDE, headend = HEADEND;
    peer_nat_t nat;

    (void)state;
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND));
    nat = nat_detection_conclude(&detection, PEER_A);
    assert_int_equal(nat.state, NAT_UNKNOWN);
    assert_int_equal(nat.before_in, 1);
    assert_int_equal(nat.beyond_in, FRAME_NONE);
    nat_describe(&nat, &client, words);
    assert_string_equal(words->str, "10.9.0.1 is not behind a NAT, seen from the capture point");
    g_string_truncate(words, 0);
    nat = nat_detection_conclude(&detection, PEER_B);
    nat_describe(&nat, &headend, words);
    assert_string_equal(words->str, "203.0.113.2 is not behind a NAT beyond the capture point");
    g_string_truncate(words, 0);
    nat = nat_detection_conclude(&(nat_detection_t){ .latest = { { 0 } } }, PEER_A);
    nat_describe(&nat, &client, words);
    assert_string_equal(words->str, "");
    g_string_free(words, TRUE);
}

static void
repeats_and_clear_messages_of_a_live_sa_teach_nothing(void **state)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);
    ike_message_t forged = message_with(NOBODY, NOBODY, false), without = message_with(NULL, NULL, false);

    (void)state;
    forged.exchange_type = IKEV2_INFORMATIONAL;
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND)); /* says the same again */
    assert_false(learn(&detection, &request, PEER_A, CLIENT_OUTSIDE, HEADEND));
    assert_false(learn(&detection, &forged, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_false(learn(&detection, &without, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_false(learn(&detection, &request, PEER_UNKNOWN, CLIENT_INSIDE, HEADEND));
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).before, NAT_SIDE_UNCHANGED);
    forged.is_decrypted = true; /* RFC 4555 3.8: a liveness check with hashes */
    assert_true(learn(&detection, &forged, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).before, NAT_SIDE_TRANSLATED_OR_FORCED);
}

static void
a_move_is_forgotten_for_its_peer_alone(void **state)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);
    ike_message_t answer = message_with(ANSWER_HEADEND, ANSWER_CLIENT_OWN, true);

    (void)state;
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_true(learn(&detection, &answer, PEER_B, HEADEND, CLIENT_INSIDE));
    nat_detection_forget(&detection, PEER_UNKNOWN);
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).state, NAT_NONE);
    nat_detection_forget(&detection, PEER_A);
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).state, NAT_UNKNOWN);
    assert_int_equal(nat_detection_conclude(&detection, PEER_B).state, NAT_NONE);
}

/* ---- a capture of both sides ---- */

static void
what_either_copy_proves_holds(void **state)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(REQUEST_CLIENT_OWN, REQUEST_HEADEND, false);
    ike_message_t answer = message_with(ANSWER_HEADEND, ANSWER_CLIENT_MAPPED, true);
    endpoint_t inside = CLIENT_INSIDE, outside = CLIENT_OUTSIDE, headend = HEADEND;
    nat_sighting_t sighting = { .message = &request,
                                .sender = PEER_A,
                                .source = &outside,
                                .destination = &headend,
                                .source_has_other_side = true,
                                .frame = 2 };
    nat_hashes_t hashes;
    peer_nat_t nat;

    (void)state;
    assert_false(nat_detection_learn_copy(&detection, &sighting, &hashes)); /* a copy of nothing */
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_true(nat_detection_learn_copy(&detection, &sighting, &hashes));
    assert_int_equal(hashes.source, NAT_HASH_TRANSLATED); /* it fits the other copy: not made up */
    assert_true(learn(&detection, &answer, PEER_B, HEADEND, CLIENT_OUTSIDE));
    sighting = (nat_sighting_t){ .message = &answer, .sender = PEER_B, .source = &headend, .destination = &inside, .frame = 4 };
    assert_true(nat_detection_learn_copy(&detection, &sighting, &hashes));
    assert_int_equal(hashes.destination, NAT_HASH_TRANSLATED);
    nat = nat_detection_conclude(&detection, PEER_A);
    assert_int_equal(nat.state, NAT_BETWEEN);
    assert_int_equal(nat.before, NAT_SIDE_UNCHANGED);
    assert_int_equal(nat.beyond, NAT_SIDE_UNCHANGED);
    assert_int_equal(nat_detection_conclude(&detection, PEER_B).state, NAT_NONE);
}

/* ---- words ---- */

/* A hash that fits neither copy may be made up, on whatever side it is seen. */
static void
a_copy_does_not_unmask_a_made_up_hash(void **state)
{
    nat_detection_t detection = { .latest = { { 0 } } };
    ike_message_t request = message_with(NOBODY, REQUEST_HEADEND, false);
    endpoint_t outside = CLIENT_OUTSIDE, headend = HEADEND;
    nat_sighting_t sighting = { .message = &request,
                                .sender = PEER_A,
                                .source = &outside,
                                .destination = &headend,
                                .source_has_other_side = true,
                                .frame = 2 };
    nat_hashes_t hashes;

    (void)state;
    assert_true(learn(&detection, &request, PEER_A, CLIENT_INSIDE, HEADEND));
    assert_true(nat_detection_learn_copy(&detection, &sighting, &hashes));
    assert_int_equal(hashes.source, NAT_HASH_OTHER);
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).state, NAT_BETWEEN);
    assert_int_equal(nat_detection_conclude(&detection, PEER_A).before, NAT_SIDE_TRANSLATED_OR_FORCED);
}

static void
the_tree_says_what_the_message_alone_proves(void **state)
{
    (void)state;
    assert_null(nat_source_text(&(nat_hashes_t){ .source = NAT_HASH_NONE }));
    assert_null(nat_destination_text(&(nat_hashes_t){ .destination = NAT_HASH_NONE }));
    assert_string_equal(nat_source_text(&(nat_hashes_t){ .source = NAT_HASH_UNCHANGED }), "unchanged");
    assert_string_equal(nat_source_text(&(nat_hashes_t){ .source = NAT_HASH_OTHER }),
                        "translated before the capture point, or forced encapsulation");
    assert_string_equal(nat_destination_text(&(nat_hashes_t){ .source = NAT_HASH_OTHER, .destination = NAT_HASH_OTHER }),
                        "translated before the capture point, or forced encapsulation");
    assert_string_equal(nat_destination_text(&(nat_hashes_t){ .source = NAT_HASH_UNCHANGED, .destination = NAT_HASH_OTHER }),
                        "translated before the capture point");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_of_spis_address_and_port),
        cmocka_unit_test(an_ipv6_address_has_sixteen_bytes),
        cmocka_unit_test(ikev1_hashes_are_known_by_their_length),
        cmocka_unit_test(only_the_port_was_translated),
        cmocka_unit_test(port_0_is_forced_encapsulation),
        cmocka_unit_test(one_of_several_sources_may_fit),
        cmocka_unit_test(missing_sources_prove_nothing_but_a_fit),
        cmocka_unit_test(both_messages_together_tell_where_the_nat_is),
        cmocka_unit_test(a_request_alone_tells_one_side),
        cmocka_unit_test(repeats_and_clear_messages_of_a_live_sa_teach_nothing),
        cmocka_unit_test(a_move_is_forgotten_for_its_peer_alone),
        cmocka_unit_test(what_either_copy_proves_holds),
        cmocka_unit_test(a_copy_does_not_unmask_a_made_up_hash),
        cmocka_unit_test(the_tree_says_what_the_message_alone_proves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
