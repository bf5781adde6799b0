/* cursor.h - reads bytes from the wire; no read can leave the bytes it was given.
 *
 * Each read tests first, returns whether it succeeded and writes its output only then. A part of a message
 * is a cursor cut from its parent, so nobody outside cursor.c computes offsets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CURSOR_H
#define IPSEC_ENGINE_CURSOR_H

#include "engine/base.h"

#include <glib.h>

typedef struct {
    const uint8_t *next; /* the byte read next; meaningless when `left` is 0 */
    size_t left;         /* bytes not read yet */
} cursor_t;

/* A cursor over `length` bytes; `bytes` may be NULL when `length` is 0. Borrows the bytes. */
cursor_t cursor_over(const uint8_t *bytes, size_t length);

/* Big-endian reads (network order); false and no output when too few bytes are left. */
G_GNUC_WARN_UNUSED_RESULT bool cursor_u8(cursor_t *cursor, uint8_t *ret_value);
G_GNUC_WARN_UNUSED_RESULT bool cursor_u16(cursor_t *cursor, uint16_t *ret_value);
G_GNUC_WARN_UNUSED_RESULT bool cursor_u32(cursor_t *cursor, uint32_t *ret_value);
G_GNUC_WARN_UNUSED_RESULT bool cursor_u64(cursor_t *cursor, uint64_t *ret_value);

/* An unsigned number of 1 to 8 bytes. False for any other size. */
G_GNUC_WARN_UNUSED_RESULT bool cursor_number(cursor_t *cursor, size_t size, uint64_t *ret_value);

G_GNUC_WARN_UNUSED_RESULT bool cursor_skip(cursor_t *cursor, size_t length);

/* Cuts the next `length` bytes off into a cursor of their own. */
G_GNUC_WARN_UNUSED_RESULT bool cursor_cut(cursor_t *cursor, size_t length, cursor_t *ret_part);

#endif
