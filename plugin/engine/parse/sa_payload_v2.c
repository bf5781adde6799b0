/* sa_payload_v2.c - what does an IKEv2 SA payload offer or accept? RFC 7296 3.3: proposals, each a list of transforms.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ike_payload.h"

#define ATTRIBUTE_KEY_LENGTH 14    /* RFC 7296 3.3.5 */
#define PROPOSAL_HEADER_LENGTH 8u  /* RFC 7296 3.3.1, without the SPI */
#define TRANSFORM_HEADER_LENGTH 8u /* RFC 7296 3.3.2 */

/* "More of them follow": 0 on the last, `more` on the others (RFC 7296 3.3.1, 3.3.2). */
static bool
is_last_marker_right(uint8_t marker, uint8_t more, bool is_last, reading_t reading)
{
    return reading == READ_CLEAR || marker == (is_last ? 0 : more);
}

static bool
transform_attributes_read(cursor_t attributes, uint16_t *ret_key_length)
{
    attribute_t attribute;

    *ret_key_length = 0;
    while (attributes.left > 0) {
        if (!attribute_read(&attributes, &attribute))
            return false;
        if (attribute.type == ATTRIBUTE_KEY_LENGTH && attribute.is_short)
            *ret_key_length = (uint16_t)attribute.number;
    }
    return true;
}

static bool
transform_read(cursor_t *transforms, reading_t reading, proposal_t *proposal)
{
    uint8_t more, reserved, type, reserved2;
    uint16_t length, id, key_length;
    cursor_t attributes;

    if (!cursor_u8(transforms, &more) || !cursor_u8(transforms, &reserved) || !cursor_u16(transforms, &length) ||
        !cursor_u8(transforms, &type) || !cursor_u8(transforms, &reserved2) || !cursor_u16(transforms, &id))
        return false;
    if (length < TRANSFORM_HEADER_LENGTH || !cursor_cut(transforms, length - TRANSFORM_HEADER_LENGTH, &attributes))
        return false;
    if (!is_last_marker_right(more, 3, transforms->left == 0, reading) || !transform_attributes_read(attributes, &key_length))
        return false;
    proposal_add_transform(proposal, type, id, key_length);
    return true;
}

/* The transforms fill the proposal, and there are as many as it says. */
static bool
transforms_read(cursor_t transforms, unsigned announced, reading_t reading, proposal_t *proposal)
{
    unsigned read = 0;

    for (; transforms.left > 0; read++) {
        if (!transform_read(&transforms, reading, proposal))
            return false;
    }
    return read == announced;
}

static bool
proposal_read(cursor_t *proposals, reading_t reading, proposal_list_t *list)
{
    proposal_t proposal = { .number = 0 };
    uint8_t more, reserved, transforms;
    uint16_t length;
    cursor_t body;
    bool is_whole;

    if (!cursor_u8(proposals, &more) || !cursor_u8(proposals, &reserved) || !cursor_u16(proposals, &length) ||
        !cursor_u8(proposals, &proposal.number) || !cursor_u8(proposals, &proposal.protocol) ||
        !cursor_u8(proposals, &proposal.spi_size) || !cursor_u8(proposals, &transforms))
        return false;
    if (length < PROPOSAL_HEADER_LENGTH || !cursor_cut(proposals, length - PROPOSAL_HEADER_LENGTH, &body))
        return false;
    if (!is_last_marker_right(more, 2, proposals->left == 0, reading) || !spi_read(&body, proposal.spi_size, &proposal.spi))
        return false;
    is_whole = transforms_read(body, transforms, reading, &proposal);
    proposal_list_add(list, &proposal);
    return is_whole;
}

bool
sa_payload_v2_read(cursor_t body, reading_t reading, proposal_list_t *list)
{
    if (body.left == 0)
        return false;
    while (body.left > 0) {
        if (!proposal_read(&body, reading, list))
            return false;
    }
    return true;
}
