/* sa_payload_v2.c - what does an IKEv2 SA payload offer or accept? RFC 7296 3.3: proposals, each a list of transforms.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_payload.h"

#define ATTRIBUTE_KEY_LENGTH 14    /* RFC 7296 3.3.5 */
#define MARKER_TRANSFORM 3         /* RFC 7296 3.3.2: another transform follows */
#define TRANSFORM_HEADER_LENGTH 8u /* RFC 7296 3.3.2 */

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
    if (!more_marker_is_right(more, MARKER_TRANSFORM, transforms->left == 0, reading) ||
        !transform_attributes_read(attributes, &key_length))
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
    proposal_t proposal;
    uint8_t announced;
    cursor_t transforms;
    bool is_whole;

    if (!proposal_header_read(proposals, reading, &proposal, &transforms, &announced))
        return false;
    is_whole = transforms_read(transforms, announced, reading, &proposal);
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
