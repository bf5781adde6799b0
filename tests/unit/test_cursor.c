/* test_cursor.c - can a cursor be read beyond its bytes, or leave them half read?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/cursor.h"

#include "sample.h"

static const uint8_t NINE[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void
reads_are_big_endian_and_advance(void **state)
{
    cursor_t cursor = cursor_over(NINE, sizeof(NINE));
    uint8_t one;
    uint16_t two;
    uint32_t four;

    (void)state;
    assert_true(cursor_u8(&cursor, &one));
    assert_int_equal(one, 0x01);
    assert_true(cursor_u16(&cursor, &two));
    assert_int_equal(two, 0x0203);
    assert_true(cursor_u32(&cursor, &four));
    assert_int_equal(four, 0x04050607);
    assert_int_equal(cursor.left, 2);
    assert_ptr_equal(cursor.next, NINE + 7);
}

static void
eight_bytes_fit_a_u64(void **state)
{
    cursor_t cursor = cursor_over(NINE, sizeof(NINE));
    uint64_t value;

    (void)state;
    assert_true(cursor_u64(&cursor, &value));
    assert_true(value == UINT64_C(0x0102030405060708));
    assert_int_equal(cursor.left, 1);
}

static void
a_failed_read_changes_nothing(void **state)
{
    cursor_t cursor = cursor_over(NINE, 1), part = cursor_over(NINE + 5, 2);
    uint16_t two = 0xaaaa;
    uint32_t four = 0xbbbbbbbb;
    uint64_t eight = 0xcc;

    (void)state;
    assert_false(cursor_u16(&cursor, &two));
    assert_false(cursor_u32(&cursor, &four));
    assert_false(cursor_u64(&cursor, &eight));
    assert_false(cursor_number(&cursor, 2, &eight));
    assert_false(cursor_skip(&cursor, 2));
    assert_false(cursor_cut(&cursor, 2, &part));
    assert_int_equal(two, 0xaaaa);
    assert_int_equal(four, 0xbbbbbbbb);
    assert_true(eight == 0xcc);
    assert_ptr_equal(part.next, NINE + 5);
    assert_int_equal(part.left, 2);
    assert_int_equal(cursor.left, 1);
    assert_ptr_equal(cursor.next, NINE);
}

static void
the_last_byte_can_be_read_and_none_after_it(void **state)
{
    cursor_t cursor = cursor_over(NINE, 1);
    uint8_t value = 0;

    (void)state;
    assert_true(cursor_u8(&cursor, &value));
    assert_int_equal(value, 1);
    assert_int_equal(cursor.left, 0);
    value = 77;
    assert_false(cursor_u8(&cursor, &value));
    assert_int_equal(value, 77);
}

static void
numbers_have_one_to_eight_bytes(void **state)
{
    cursor_t cursor;
    uint64_t value = 42;

    (void)state;
    for (size_t size = 1; size <= 8; size++) {
        uint64_t expected = 0;

        for (size_t i = 0; i < size; i++)
            expected = expected * 256 + NINE[i];
        cursor = cursor_over(NINE, sizeof(NINE));
        assert_true(cursor_number(&cursor, size, &value));
        assert_true(value == expected);
        assert_int_equal(cursor.left, sizeof(NINE) - size);
    }
    cursor = cursor_over(NINE, sizeof(NINE));
    assert_false(cursor_number(&cursor, 0, &value));
    assert_false(cursor_number(&cursor, 9, &value));
    assert_int_equal(cursor.left, sizeof(NINE));
}

static void
a_part_is_cut_off_its_parent(void **state)
{
    cursor_t cursor = cursor_over(NINE, sizeof(NINE)), part;
    uint8_t value;

    (void)state;
    assert_true(cursor_cut(&cursor, 3, &part));
    assert_int_equal(part.left, 3);
    assert_int_equal(cursor.left, 6);
    assert_true(cursor_u8(&cursor, &value));
    assert_int_equal(value, 4);
    assert_true(cursor_skip(&part, 2));
    assert_true(cursor_u8(&part, &value));
    assert_int_equal(value, 3);
    assert_false(cursor_u8(&part, &value));
}

static void
nothing_can_be_cut_from_nothing(void **state)
{
    cursor_t cursor = cursor_over(NULL, 0), part;

    (void)state;
    assert_true(cursor_cut(&cursor, 0, &part));
    assert_int_equal(part.left, 0);
    assert_true(cursor_skip(&cursor, 0));
    assert_false(cursor_skip(&cursor, 1));
}

static void
missing_bytes_have_no_length(void **state)
{
    cursor_t cursor = cursor_over(NULL, 10);
    uint8_t value;

    (void)state;
    assert_int_equal(cursor.left, 0);
    assert_false(cursor_u8(&cursor, &value));
}

static void
huge_lengths_do_not_wrap(void **state)
{
    cursor_t cursor = cursor_over(NINE, sizeof(NINE)), part;

    (void)state;
    assert_false(cursor_skip(&cursor, SIZE_MAX));
    assert_false(cursor_cut(&cursor, SIZE_MAX - 4, &part));
    assert_int_equal(cursor.left, sizeof(NINE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_big_endian_and_advance), cmocka_unit_test(eight_bytes_fit_a_u64),
        cmocka_unit_test(a_failed_read_changes_nothing),    cmocka_unit_test(the_last_byte_can_be_read_and_none_after_it),
        cmocka_unit_test(numbers_have_one_to_eight_bytes),  cmocka_unit_test(a_part_is_cut_off_its_parent),
        cmocka_unit_test(nothing_can_be_cut_from_nothing),  cmocka_unit_test(missing_bytes_have_no_length),
        cmocka_unit_test(huge_lengths_do_not_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
