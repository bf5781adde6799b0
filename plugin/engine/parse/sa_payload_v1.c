/* sa_payload_v1.c - what does an IKEv1 SA payload offer or accept? RFC 2408 3.4 to 3.6: proposals of transforms, each
 * transform complete in itself; its attributes (RFC 2409 appendix A, RFC 2407 4.5) are mapped on IKEv2's transform types.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_payload.h"

#define DOI_IPSEC 1u
#define SITUATION_IDENTITY_ONLY 1u /* RFC 2407 4.2.1; the others add fields that nobody sends */
#define TRANSFORM_HEADER_LENGTH 8u /* RFC 2408 3.6 */
#define MARKER_TRANSFORM 3         /* payload type that announces another transform */
#define LIFE_IN_SECONDS 1          /* both phases */
#define LIFE_IN_KILOBYTES 2

/* Where an attribute of one phase goes. */
typedef struct {
    uint16_t attribute;
    uint8_t transform_type;
} attribute_row_t;

/* Attribute numbers of one phase. */
typedef struct {
    uint16_t life_type;
    uint16_t life_duration;
    uint16_t key_length;
    const attribute_row_t *rows;
    size_t row_count;
} phase_t;

static const attribute_row_t phase1_rows[] = {
    { .attribute = 1, .transform_type = TRANSFORM_ENCR },           /* RFC 2409 A: Encryption Algorithm */
    { .attribute = 2, .transform_type = TRANSFORM_INTEG },          /* RFC 2409 A: Hash Algorithm */
    { .attribute = 3, .transform_type = TRANSFORM_V1_AUTH_METHOD }, /* RFC 2409 A: Authentication Method */
    { .attribute = 4, .transform_type = TRANSFORM_KE },             /* RFC 2409 A: Group Description */
    { .attribute = 13, .transform_type = TRANSFORM_PRF },           /* RFC 2409 A: PRF */
};

static const attribute_row_t phase2_rows[] = {
    { .attribute = 3, .transform_type = TRANSFORM_KE },    /* RFC 2407 4.5: Group Description */
    { .attribute = 5, .transform_type = TRANSFORM_INTEG }, /* RFC 2407 4.5: Authentication Algorithm */
    { .attribute = 11, .transform_type = TRANSFORM_ESN },  /* RFC 4304 2: Extended Sequence Number */
};

static const phase_t phase1 = {
    .life_type = 11,
    .life_duration = 12,
    .key_length = 14,
    .rows = phase1_rows,
    .row_count = G_N_ELEMENTS(phase1_rows),
};

static const phase_t phase2 = {
    .life_type = 1,
    .life_duration = 2,
    .key_length = 6,
    .rows = phase2_rows,
    .row_count = G_N_ELEMENTS(phase2_rows),
};

/* The life type attribute speaks of the duration that follows it (RFC 2409 A, RFC 2407 4.5). */
static void
life_note(const phase_t *phase, const attribute_t *attribute, uint64_t *life_type, uint32_t *seconds, uint32_t *kilobytes)
{
    uint32_t number = (uint32_t)MIN(attribute->number, UINT32_MAX);

    if (attribute->type == phase->life_type)
        *life_type = attribute->number;
    else if (attribute->type == phase->life_duration && *life_type == LIFE_IN_SECONDS)
        *seconds = number;
    else if (attribute->type == phase->life_duration && *life_type == LIFE_IN_KILOBYTES)
        *kilobytes = number;
}

bool
lifetime_v1_read(cursor_t attributes, uint8_t protocol, uint32_t *ret_seconds, uint32_t *ret_kilobytes)
{
    const phase_t *phase = protocol == PROTOCOL_IKE ? &phase1 : &phase2;
    uint64_t life_type = LIFE_IN_SECONDS;
    attribute_t attribute;

    while (attributes.left > 0) {
        if (!attribute_read(&attributes, &attribute))
            return false;
        life_note(phase, &attribute, &life_type, ret_seconds, ret_kilobytes);
    }
    return true;
}

static void
attribute_note(const phase_t *phase, const attribute_t *attribute, proposal_t *proposal)
{
    for (size_t i = 0; i < phase->row_count; i++) {
        if (phase->rows[i].attribute == attribute->type && attribute->number <= UINT16_MAX)
            proposal_add_transform(proposal, phase->rows[i].transform_type, (uint16_t)attribute->number, 0);
    }
}

static void
key_length_note(proposal_t *proposal, uint16_t key_length)
{
    for (unsigned i = 0; i < proposal->transforms; i++) {
        if (proposal->transform[i].type == TRANSFORM_ENCR)
            proposal->transform[i].key_length = key_length;
    }
}

static bool
attributes_read(const phase_t *phase, cursor_t attributes, proposal_t *proposal)
{
    uint64_t life_type = LIFE_IN_SECONDS;
    uint16_t key_length = 0;
    attribute_t attribute;

    while (attributes.left > 0) {
        if (!attribute_read(&attributes, &attribute))
            return false;
        life_note(phase, &attribute, &life_type, &proposal->life_seconds, &proposal->life_kilobytes);
        attribute_note(phase, &attribute, proposal);
        if (attribute.type == phase->key_length)
            key_length = (uint16_t)MIN(attribute.number, UINT16_MAX);
    }
    /* Attributes have no order: the key length may come before its cipher. */
    key_length_note(proposal, key_length);
    return true;
}

/* One transform becomes one proposal of the list, with what it shares with its siblings taken from `parent`. */
static bool
transform_read(cursor_t *transforms, reading_t reading, const proposal_t *parent, proposal_list_t *list)
{
    proposal_t proposal = *parent;
    uint8_t more, reserved, number, id;
    uint16_t length, reserved2;
    cursor_t attributes;
    bool is_whole;

    if (!cursor_u8(transforms, &more) || !cursor_u8(transforms, &reserved) || !cursor_u16(transforms, &length) ||
        !cursor_u8(transforms, &number) || !cursor_u8(transforms, &id) || !cursor_u16(transforms, &reserved2))
        return false;
    if (length < TRANSFORM_HEADER_LENGTH || !cursor_cut(transforms, length - TRANSFORM_HEADER_LENGTH, &attributes))
        return false;
    if (!more_marker_is_right(more, MARKER_TRANSFORM, transforms->left == 0, reading))
        return false;
    /* In phase 1 the transform ID is always KEY_IKE, in AH it only repeats the authentication algorithm (RFC 2407 4.4). */
    if (proposal.protocol == PROTOCOL_ESP)
        proposal_add_transform(&proposal, TRANSFORM_ENCR, id, 0);
    is_whole = attributes_read(parent->protocol == PROTOCOL_IKE ? &phase1 : &phase2, attributes, &proposal);
    proposal_list_add(list, &proposal);
    return is_whole;
}

static bool
transforms_read(cursor_t transforms, unsigned announced, reading_t reading, const proposal_t *parent, proposal_list_t *list)
{
    unsigned read = 0;

    for (; transforms.left > 0; read++) {
        if (!transform_read(&transforms, reading, parent, list))
            return false;
    }
    return read == announced;
}

static bool
proposal_read(cursor_t *proposals, reading_t reading, proposal_list_t *list)
{
    proposal_t parent;
    uint8_t announced;
    cursor_t transforms;

    return proposal_header_read(proposals, reading, &parent, &transforms, &announced) &&
           transforms_read(transforms, announced, reading, &parent, list);
}

bool
sa_payload_v1_read(cursor_t body, reading_t reading, proposal_list_t *list)
{
    uint32_t doi, situation;

    if (!cursor_u32(&body, &doi) || !cursor_u32(&body, &situation))
        return false;
    /* Another DOI (GDOI) or situation has a format of its own: not wrong, but not ours to read. */
    if (doi > DOI_IPSEC || situation != SITUATION_IDENTITY_ONLY)
        return reading == READ_CLEAR;
    if (body.left == 0)
        return false;
    while (body.left > 0) {
        if (!proposal_read(&body, reading, list))
            return false;
    }
    return true;
}
