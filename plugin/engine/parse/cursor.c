/* cursor.c - how are bytes read from the wire without ever leaving them? The only place that computes with lengths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/cursor.h"

/* Takes the next `length` bytes; NULL when fewer are left. */
static const uint8_t *
cursor_take(cursor_t *cursor, size_t length)
{
    const uint8_t *taken = cursor->next;

    if (length > cursor->left)
        return NULL;
    cursor->next += length;
    cursor->left -= length;
    return taken;
}

cursor_t
cursor_over(const uint8_t *bytes, size_t length)
{
    cursor_t cursor = { .next = bytes, .left = bytes ? length : 0 };

    return cursor;
}

bool
cursor_number(cursor_t *cursor, size_t size, uint64_t *ret_value)
{
    const uint8_t *bytes;
    uint64_t value = 0;

    if (size < 1 || size > sizeof(value))
        return false;
    bytes = cursor_take(cursor, size);
    if (!bytes)
        return false;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    *ret_value = value;
    return true;
}

bool
cursor_u8(cursor_t *cursor, uint8_t *ret_value)
{
    const uint8_t *bytes = cursor_take(cursor, sizeof(*ret_value));

    if (!bytes)
        return false;
    *ret_value = bytes[0];
    return true;
}

bool
cursor_u16(cursor_t *cursor, uint16_t *ret_value)
{
    const uint8_t *bytes = cursor_take(cursor, sizeof(*ret_value));

    if (!bytes)
        return false;
    *ret_value = (uint16_t)(bytes[0] << 8 | bytes[1]);
    return true;
}

bool
cursor_u32(cursor_t *cursor, uint32_t *ret_value)
{
    const uint8_t *bytes = cursor_take(cursor, sizeof(*ret_value));

    if (!bytes)
        return false;
    *ret_value = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    return true;
}

bool
cursor_u64(cursor_t *cursor, uint64_t *ret_value)
{
    return cursor_number(cursor, sizeof(*ret_value), ret_value);
}

bool
cursor_skip(cursor_t *cursor, size_t length)
{
    cursor_t skipped;

    return cursor_cut(cursor, length, &skipped);
}

bool
cursor_cut(cursor_t *cursor, size_t length, cursor_t *ret_part)
{
    cursor_t part = { .next = cursor->next, .left = length };

    if (length > cursor->left)
        return false;
    if (length > 0 && !cursor_take(cursor, length))
        return false;
    *ret_part = part;
    return true;
}
