/* pieces_v1.c - is the IKEv1 message complete, and what does it say?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/pieces_v1.h"

#include "engine/parse/cursor.h"

#define PAYLOAD_HEADER_LENGTH 4u
#define FRAGMENT_HEADER_LENGTH 4u /* packet ID, number, flags */
#define LAST_FRAGMENT 1u

typedef struct {
    uint16_t packet_id;
    uint8_t number, flags;
    cursor_t part;
} fragment_t;

void
pieces_v1_clear(pieces_v1_t *pieces)
{
    for (unsigned i = 0; i < V1_FRAGMENTS_MAX; i++)
        g_clear_pointer(&pieces->part[i], g_bytes_unref);
    pieces->last = 0;
}

static bool
fragment_read(const packet_t *packet, fragment_t *ret_fragment)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    fragment_t fragment = { .number = 0 };
    uint16_t length;

    if (packet->captured < packet->reported || !cursor_skip(&cursor, IKE_HEADER_LENGTH + 2) || !cursor_u16(&cursor, &length) ||
        length < PAYLOAD_HEADER_LENGTH + FRAGMENT_HEADER_LENGTH || !cursor_u16(&cursor, &fragment.packet_id) ||
        !cursor_u8(&cursor, &fragment.number) || !cursor_u8(&cursor, &fragment.flags) ||
        !cursor_cut(&cursor, length - PAYLOAD_HEADER_LENGTH - FRAGMENT_HEADER_LENGTH, &fragment.part))
        return false;
    *ret_fragment = fragment;
    return fragment.number >= 1 && fragment.number <= V1_FRAGMENTS_MAX;
}

static bool
is_complete(const pieces_v1_t *pieces)
{
    for (unsigned i = 0; i < pieces->last; i++) {
        if (pieces->part[i] == NULL)
            return false;
    }
    return pieces->last > 0;
}

static bool
read_whole(const pieces_v1_t *pieces, const packet_t *packet, ike_message_t *ret_message)
{
    GByteArray *bytes = g_byte_array_new();

    for (unsigned i = 0; i < pieces->last; i++) {
        gsize length;
        const guint8 *data = g_bytes_get_data(pieces->part[i], &length);
        g_byte_array_append(bytes, data, (guint)length);
    }
    bool is_read =
        ike_message_parse(bytes->data, bytes->len, bytes->len, packet->decrypted, packet->decrypted_length, ret_message) &&
        ret_message->major == 1 && ret_message->next_payload != V1_FRAGMENT_PAYLOAD;
    g_byte_array_free(bytes, TRUE);
    return is_read;
}

bool
pieces_v1_add(pieces_v1_t *pieces, const packet_t *packet, ike_message_t *ret_message)
{
    fragment_t fragment;

    if (!fragment_read(packet, &fragment))
        return false;
    if (fragment.packet_id != pieces->packet_id)
        pieces_v1_clear(pieces);
    pieces->packet_id = fragment.packet_id;
    GBytes **part = &pieces->part[fragment.number - 1];
    g_clear_pointer(part, g_bytes_unref);
    *part = g_bytes_new(fragment.part.next, fragment.part.left);
    if ((fragment.flags & LAST_FRAGMENT) != 0)
        pieces->last = fragment.number;
    if (!is_complete(pieces))
        return false;
    bool is_read = read_whole(pieces, packet, ret_message);
    pieces_v1_clear(pieces);
    return is_read;
}
