/* test_ike_v1_fragments.c - does an IKEv1 message in Cisco's fragments count as one message?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/ike/pieces_v1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { HEADER = 28, MESSAGE = 228, LAST = 1, MAIN_MODE = 2, NONCE = 10 };

static const endpoint_t client = { .family = ADDRESS_IPV4, .address = { 192, 0, 2, 10 }, .port = 500 };
static const endpoint_t server = { .family = ADDRESS_IPV4, .address = { 198, 51, 100, 1 }, .port = 500 };

/* A Main Mode message with one payload of `next` and `length` bytes in all. */
static void
put_header(uint8_t *bytes, uint8_t next, bool has_responder_cookie, size_t length)
{
    memset(bytes, 0, HEADER);
    memset(bytes, 0x11, 8);
    if (has_responder_cookie)
        memset(bytes + 8, 0x22, 8);
    bytes[16] = next;
    bytes[17] = 0x10;
    bytes[18] = MAIN_MODE;
    bytes[26] = (uint8_t)(length >> 8);
    bytes[27] = (uint8_t)length;
}

static void
make_message(uint8_t bytes[MESSAGE], bool has_responder_cookie, uint8_t fill)
{
    put_header(bytes, NONCE, has_responder_cookie, MESSAGE);
    memset(bytes + HEADER, fill, MESSAGE - HEADER);
    bytes[HEADER] = bytes[HEADER + 1] = bytes[HEADER + 2] = 0;
    bytes[HEADER + 3] = MESSAGE - HEADER;
}

/* A fragment that carries `size` bytes of `part`. Returns its length. */
static size_t
make_fragment(uint8_t *bytes, const uint8_t *part, size_t size, uint16_t id, uint8_t number, uint8_t flags)
{
    size_t length = HEADER + 8 + size;

    put_header(bytes, V1_FRAGMENT_PAYLOAD, true, length);
    memset(bytes + HEADER, 0, 8);
    bytes[HEADER + 3] = (uint8_t)(8 + size);
    bytes[HEADER + 4] = (uint8_t)(id >> 8);
    bytes[HEADER + 5] = (uint8_t)id;
    bytes[HEADER + 6] = number;
    bytes[HEADER + 7] = flags;
    memcpy(bytes + HEADER + 8, part, size);
    return length;
}

static const frame_note_t *
feed(engine_t *engine, frame_t frame, double seconds, bool from_client, const uint8_t *bytes, size_t length)
{
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = frame,
                        .time = SECONDS(1000) + (capture_ns_t)(seconds * 1e9),
                        .source = from_client ? client : server,
                        .destination = from_client ? server : client,
                        .bytes = bytes,
                        .captured = length,
                        .reported = length };

    return engine_packet(engine, &packet);
}

static void
feed_fragments(engine_t *engine, frame_t frame, double seconds, const uint8_t message[MESSAGE], uint16_t id)
{
    uint8_t bytes[512];
    size_t first = make_fragment(bytes, message, 120, id, 1, 0);

    feed(engine, frame, seconds, true, bytes, first);
    size_t second = make_fragment(bytes, message + 120, MESSAGE - 120, id, 2, LAST);
    feed(engine, frame + 1, seconds + 0.001, true, bytes, second);
}

static engine_t *
engine_with_two_messages(void)
{
    engine_settings_t settings = engine_default_settings();
    engine_t *engine = engine_new(&settings);
    uint8_t message[MESSAGE];

    make_message(message, false, 1);
    feed(engine, 1, 0, true, message, sizeof(message));
    make_message(message, true, 2);
    feed(engine, 2, 0.04, false, message, sizeof(message));
    return engine;
}

static unsigned
count_findings(engine_t *engine, finding_id_t id)
{
    unsigned count = 0;

    engine_finish(engine);
    const GPtrArray *findings = engine_findings(engine);
    for (unsigned i = 0; i < findings->len; i++)
        count += ((const finding_t *)g_ptr_array_index(findings, i))->id == id;
    return count;
}

static void
a_message_in_fragments_is_answered(void **state)
{
    engine_t *engine = engine_with_two_messages();
    uint8_t message[MESSAGE];

    (void)state;
    make_message(message, true, 3);
    feed_fragments(engine, 3, 0.1, message, 7);
    make_message(message, true, 4);
    feed(engine, 5, 0.14, false, message, sizeof(message));
    assert_int_equal(engine_note(engine, 5)->request_in, 4); /* the frame that completes it */
    assert_string_equal(engine_note(engine, 4)->exchange, "main_mode");
    assert_int_equal(count_findings(engine, FINDING_retransmission), 0);
    engine_free(engine);
}

static void
its_repeat_is_one_retransmission(void **state)
{
    engine_t *engine = engine_with_two_messages();
    uint8_t message[MESSAGE];

    (void)state;
    make_message(message, true, 3);
    feed_fragments(engine, 3, 0.1, message, 7);
    feed_fragments(engine, 5, 4.1, message, 8);
    assert_int_equal(count_findings(engine, FINDING_retransmission), 1);
    engine_free(engine);
}

/* From the first transmission on, each tells the next one; all but the first, the first. */
static void
its_transmissions_are_linked(void **state)
{
    engine_t *engine = engine_with_two_messages();
    uint8_t message[MESSAGE];

    (void)state;
    make_message(message, true, 3);
    feed_fragments(engine, 3, 0.1, message, 7);
    assert_int_equal(engine_note(engine, 4)->retransmission_next, FRAME_NONE);
    feed_fragments(engine, 5, 4.1, message, 8);
    feed_fragments(engine, 7, 11.1, message, 9);
    assert_int_equal(engine_note(engine, 4)->retransmission_of, FRAME_NONE);
    assert_int_equal(engine_note(engine, 4)->retransmission_next, 6);
    assert_int_equal(engine_note(engine, 6)->retransmission_of, 4);
    assert_int_equal(engine_note(engine, 6)->retransmission_next, 8);
    assert_int_equal(engine_note(engine, 8)->retransmission_of, 4);
    assert_int_equal(engine_note(engine, 8)->retransmission_next, FRAME_NONE);
    engine_free(engine);
}

static ike_message_t parsed;

static bool
add(pieces_v1_t *pieces, const uint8_t *part, size_t size, uint16_t id, uint8_t number, uint8_t flags)
{
    uint8_t bytes[512];
    size_t length = make_fragment(bytes, part, size, id, number, flags);
    packet_t packet = { .bytes = bytes, .captured = length, .reported = length };

    return pieces_v1_add(pieces, &packet, &parsed);
}

static void
order_does_not_matter_and_nothing_is_guessed(void **state)
{
    pieces_v1_t pieces = { .last = 0 };
    uint8_t message[MESSAGE];

    (void)state;
    make_message(message, true, 5);
    assert_false(add(&pieces, message + 200, MESSAGE - 200, 1, 3, LAST));
    assert_false(add(&pieces, message, 100, 1, 1, 0));
    assert_true(add(&pieces, message + 100, 100, 1, 2, 0));
    assert_int_equal(parsed.length, MESSAGE);
    assert_int_equal(parsed.next_payload, NONCE);
    assert_false(add(&pieces, message, 100, 2, 1, 0));
    assert_false(add(&pieces, message + 100, MESSAGE - 100, 3, 2, LAST)); /* of another message */
    pieces_v1_clear(&pieces);
}

static void
hostile_fragments_are_left_out(void **state)
{
    pieces_v1_t pieces = { .last = 0 };
    uint8_t message[MESSAGE], nested[512], bytes[512];

    (void)state;
    make_message(message, true, 6);
    assert_false(add(&pieces, message, 100, 1, 0, LAST));
    assert_false(add(&pieces, message, 100, 1, V1_FRAGMENTS_MAX + 1, LAST));
    assert_false(add(&pieces, message, 100, 1, 255, LAST));
    assert_false(add(&pieces, message, 10, 1, 1, LAST)); /* no header */
    size_t length = make_fragment(nested, message, 100, 9, 1, LAST);
    assert_false(add(&pieces, nested, length, 1, 1, LAST)); /* a fragment of a fragment */
    length = make_fragment(bytes, message, 100, 1, 1, LAST);
    for (uint8_t claimed = 0; claimed < 8; claimed++) {
        packet_t packet = { .bytes = bytes, .captured = length, .reported = length };
        bytes[HEADER + 3] = claimed;
        assert_false(pieces_v1_add(&pieces, &packet, &parsed));
    }
    bytes[HEADER + 3] = 255; /* longer than the packet */
    packet_t packet = { .bytes = bytes, .captured = length, .reported = length };
    assert_false(pieces_v1_add(&pieces, &packet, &parsed));
    pieces_v1_clear(&pieces);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_in_fragments_is_answered), cmocka_unit_test(its_repeat_is_one_retransmission),
        cmocka_unit_test(its_transmissions_are_linked),       cmocka_unit_test(order_does_not_matter_and_nothing_is_guessed),
        cmocka_unit_test(hostile_fragments_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
