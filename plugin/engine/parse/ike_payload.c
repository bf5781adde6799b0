/* ike_payload.c - what do the payload bodies of both IKE versions have in common?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_payload.h"

#define PROPOSAL_HEADER_LENGTH 8u /* RFC 7296 3.3.1, RFC 2408 3.5, without the SPI */
#define MARKER_PROPOSAL 2         /* another proposal follows */

bool
spi_read(cursor_t *cursor, size_t size, uint64_t *ret_spi)
{
    *ret_spi = 0;
    if (size == 0 || size > sizeof(*ret_spi))
        return cursor_skip(cursor, size);
    return cursor_number(cursor, size, ret_spi);
}

bool
notify_finish(cursor_t body, notify_t *notify, ike_message_t *message)
{
    uint64_t data = 0;

    if (!spi_read(&body, notify->spi_size, &notify->spi))
        return false;
    notify->data_length = body.left;
    if (body.left > 0 && !cursor_number(&body, MIN(body.left, sizeof(notify->data)), &data))
        return false;
    notify->data = (uint32_t)data;
    if (message->notifies < NOTIFIES_MAX)
        message->notify[message->notifies++] = *notify;
    return true;
}

/* RFC 7296 2.23: SHA-1. RFC 3947 3.2: the hash of phase 1, which its length tells: MD5, SHA-1, SHA2-256, -384, -512. */
static bool
is_nat_digest_length(const ike_message_t *message, size_t length)
{
    return length == 20 || (message->major == 1 && (length == 16 || length == 32 || length == 48 || length == 64));
}

static void
nat_digest_read(cursor_t hash, nat_digest_t *ret_digest)
{
    ret_digest->length = (uint8_t)hash.left;
    for (size_t i = 0; i < ret_digest->length && cursor_u8(&hash, &ret_digest->bytes[i]); i++)
        continue;
}

void
nat_source_keep(cursor_t hash, ike_message_t *message)
{
    nat_digests_t *nat = &message->nat;

    if (!is_nat_digest_length(message, hash.left) || nat->sources >= NAT_SOURCES_MAX)
        nat->is_incomplete = true;
    else
        nat_digest_read(hash, &nat->source[nat->sources++]);
}

/* There is one; of several the first counts. */
void
nat_destination_keep(cursor_t hash, ike_message_t *message)
{
    if (is_nat_digest_length(message, hash.left) && message->nat.destination.length == 0)
        nat_digest_read(hash, &message->nat.destination);
}

static bool
protocol_is_ipsec(uint8_t protocol)
{
    return protocol == PROTOCOL_AH || protocol == PROTOCOL_ESP;
}

bool
delete_finish(cursor_t spis, uint8_t protocol, uint8_t spi_size, uint16_t count, ike_message_t *message)
{
    uint32_t spi;

    if (spis.left != (size_t)spi_size * count)
        return false;
    if (message->delete_protocol == 0 || protocol == PROTOCOL_IKE)
        message->delete_protocol = protocol;
    if (!protocol_is_ipsec(protocol) || spi_size != sizeof(spi))
        return true;
    while (message->deleted_spis < DELETED_SPIS_MAX && cursor_u32(&spis, &spi))
        message->deleted_spi[message->deleted_spis++] = spi;
    return true;
}

bool
attribute_read(cursor_t *cursor, attribute_t *ret_attribute)
{
    attribute_t attribute = { .is_short = false };
    uint16_t format_and_type, value_or_length;
    cursor_t number;

    if (!cursor_u16(cursor, &format_and_type) || !cursor_u16(cursor, &value_or_length))
        return false;
    attribute.type = format_and_type & 0x7fff;
    attribute.is_short = (format_and_type & 0x8000) != 0;
    attribute.number = attribute.is_short ? value_or_length : 0;
    if (!attribute.is_short) {
        if (!cursor_cut(cursor, value_or_length, &attribute.value))
            return false;
        number = attribute.value;
        if (!cursor_number(&number, number.left, &attribute.number))
            attribute.number = 0;
    }
    *ret_attribute = attribute;
    return true;
}

bool
more_marker_is_right(uint8_t marker, uint8_t more, bool is_last, reading_t reading)
{
    return reading == READ_CLEAR || marker == (is_last ? 0 : more);
}

bool
proposal_header_read(cursor_t *proposals, reading_t reading, proposal_t *ret_proposal, cursor_t *ret_transforms,
                     uint8_t *ret_announced)
{
    proposal_t proposal = { .number = 0 };
    uint8_t more, reserved;
    uint16_t length;

    if (!cursor_u8(proposals, &more) || !cursor_u8(proposals, &reserved) || !cursor_u16(proposals, &length) ||
        !cursor_u8(proposals, &proposal.number) || !cursor_u8(proposals, &proposal.protocol) ||
        !cursor_u8(proposals, &proposal.spi_size) || !cursor_u8(proposals, ret_announced))
        return false;
    if (length < PROPOSAL_HEADER_LENGTH || !cursor_cut(proposals, length - PROPOSAL_HEADER_LENGTH, ret_transforms))
        return false;
    if (!more_marker_is_right(more, MARKER_PROPOSAL, proposals->left == 0, reading))
        return false;
    if (!spi_read(ret_transforms, proposal.spi_size, &proposal.spi))
        return false;
    *ret_proposal = proposal;
    return true;
}

void
proposal_add_transform(proposal_t *proposal, uint8_t type, uint16_t id, uint16_t key_length)
{
    transform_t transform = { .type = type, .id = id, .key_length = key_length };

    if (proposal->transforms < TRANSFORMS_MAX)
        proposal->transform[proposal->transforms++] = transform;
}

void
proposal_list_add(proposal_list_t *list, const proposal_t *proposal)
{
    if (list->proposals < PROPOSALS_MAX)
        list->proposal[list->proposals++] = *proposal;
}
