/* pieces.c - is the message complete, and what does it say as a whole?
 *
 * A receiver keeps what it has while the sender repeats all fragments (RFC 7383 2.6), so each fragment is needed just once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/pieces.h"

#include "engine/ike/exchange.h"

/* Fragments of one try follow each other within this time. */
#define SLOWEST_TRY SECONDS(1)

pieces_t *
pieces_new(const ike_message_t *fragment)
{
    pieces_t *pieces = g_new0(pieces_t, 1);

    pieces->is_response = fragment->is_response;
    pieces->from_original_initiator = fragment->from_original_initiator;
    pieces->exchange_type = fragment->exchange_type;
    pieces->message_id = fragment->message_id;
    pieces->first_inner = PAYLOAD_UNKNOWN;
    return pieces;
}

static void
forget(pieces_t *pieces)
{
    for (unsigned i = 0; i < FRAGMENTS_MAX; i++)
        g_clear_pointer(&pieces->plaintext[i], g_bytes_unref);
    pieces->seen = 0;
    pieces->plaintext_length = 0;
    pieces->first_inner = PAYLOAD_UNKNOWN;
}

void
pieces_free(pieces_t *pieces)
{
    forget(pieces);
    g_free(pieces);
}

bool
pieces_are_of(const pieces_t *pieces, const ike_message_t *message)
{
    return pieces->is_response == message->is_response && pieces->from_original_initiator == message->from_original_initiator &&
           pieces->exchange_type == message->exchange_type && pieces->message_id == message->message_id;
}

bool
pieces_is_fragment(const packet_t *packet, const ike_message_t *message)
{
    return packet->is_ip_fragment || (message->fragment_total > 1 && message->fragment_total <= FRAGMENTS_MAX);
}

static void
keep_plaintext(pieces_t *pieces, unsigned index, const packet_t *packet)
{
    size_t length = 0;

    if (!ike_message_fragment_plaintext(packet->decrypted, packet->decrypted_length, &length) ||
        pieces->plaintext_length + length > PLAINTEXT_MAX)
        return;
    pieces->plaintext[index] = g_bytes_new(packet->decrypted, length);
    pieces->plaintext_length += length;
}

/* Senders send their fragments in order, one right after the other; a receiver may see them in another order. */
static bool
begins_try(const pieces_t *pieces, unsigned number, capture_ns_t time)
{
    duration_ns_t gap = duration_between(pieces->latest_at, time);

    if (pieces->seen_in_try == 0)
        return true;
    if (gap < SHORTEST_TIMER)
        return false;
    return (pieces->seen_in_try & UINT64_C(1) << (number - 1)) != 0 || number < pieces->latest_number || gap > SLOWEST_TRY;
}

bool
pieces_add(pieces_t *pieces, const packet_t *packet, const ike_message_t *fragment)
{
    unsigned number = packet->is_ip_fragment ? 1 : fragment->fragment_number;
    uint16_t total = packet->is_ip_fragment ? 0 : fragment->fragment_total;

    if (pieces->seen != 0 && pieces->total != total) {
        forget(pieces);
        pieces->seen_in_try = 0;
    }
    bool is_first = begins_try(pieces, number, packet->time);
    pieces->seen_in_try = (is_first ? 0 : pieces->seen_in_try) | UINT64_C(1) << (number - 1);
    pieces->latest_number = number;
    pieces->total = total;
    pieces->latest = *fragment;
    pieces->latest_in = packet->frame;
    pieces->latest_at = packet->time;
    if ((pieces->seen & UINT64_C(1) << (number - 1)) != 0)
        return is_first;
    pieces->seen |= UINT64_C(1) << (number - 1);
    if (fragment->first_inner != PAYLOAD_UNKNOWN)
        pieces->first_inner = fragment->first_inner;
    if (packet->decrypted != NULL && !packet->is_ip_fragment)
        keep_plaintext(pieces, number - 1, packet);
    return is_first;
}

uint16_t
pieces_missing(const pieces_t *pieces)
{
    for (uint16_t number = 1; number <= pieces->total; number++) {
        if ((pieces->seen & UINT64_C(1) << (number - 1)) == 0)
            return number;
    }
    return pieces->total == 0 ? 2 : 0;
}

void
pieces_whole(const pieces_t *pieces, ike_message_t *ret_message)
{
    GByteArray *plaintext = g_byte_array_new();
    bool is_complete = pieces->total > 0;

    *ret_message = pieces->latest;
    ret_message->fragment_number = 0;
    ret_message->first_inner = pieces->first_inner;
    ret_message->length = pieces->latest.length * MAX(pieces->total, 1u);
    for (unsigned i = 0; i < pieces->total; i++) {
        if (pieces->plaintext[i] == NULL) {
            is_complete = false;
            break;
        }
        gsize length;
        const guint8 *data = g_bytes_get_data(pieces->plaintext[i], &length);
        g_byte_array_append(plaintext, data, (guint)length);
    }
    if (is_complete)
        ike_message_read_plaintext(plaintext->data, plaintext->len, ret_message);
    g_byte_array_free(plaintext, TRUE);
}
