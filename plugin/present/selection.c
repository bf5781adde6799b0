/* selection.c - which frames and tunnels passed the user's display filter?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/selection.h"

#include <string.h>

void
selection_init(selection_t *selection)
{
    selection->frames = g_byte_array_new();
    selection->tunnels = g_byte_array_new();
}

void
selection_clear(selection_t *selection)
{
    g_byte_array_free(selection->frames, TRUE);
    g_byte_array_free(selection->tunnels, TRUE);
    selection->frames = selection->tunnels = NULL;
}

static void
bit_set(GByteArray *bits, uint32_t number)
{
    const guint old_length = bits->len;
    const guint byte = number / 8;

    if (byte >= old_length) {
        g_byte_array_set_size(bits, byte + 1);
        memset(bits->data + old_length, 0, byte + 1 - old_length);
    }
    bits->data[byte] = (uint8_t)(bits->data[byte] | 1u << number % 8);
}

static bool
bit_get(const GByteArray *bits, uint32_t number)
{
    return number / 8 < bits->len && bits->data[number / 8] & 1u << number % 8;
}

void
selection_add(selection_t *selection, frame_t frame, uint32_t tunnel)
{
    bit_set(selection->frames, frame);
    if (tunnel != INDEX_NONE)
        bit_set(selection->tunnels, tunnel);
}

bool
selection_has_frame(const selection_t *selection, frame_t frame)
{
    return selection->everything || bit_get(selection->frames, frame);
}

bool
selection_has_tunnel(const selection_t *selection, uint32_t tunnel)
{
    return selection->everything || bit_get(selection->tunnels, tunnel);
}
