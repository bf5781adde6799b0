/* suite.c - which sizes does a cipher suite imply, and what does a message's length leave possible?
 *
 * length = 28 + 4 + IV + C + ICV, where C holds the payloads and at least one byte (the pad length), padded to the block
 * (RFC 7296 3.14). Most senders pad as little as they can; an empty message shows which do not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/suite.h"

#define FRAMING 32u    /* IKE header and the SK payload's generic header */
#define HASH_HEADER 4u /* generic header of IKEv1's HASH payload */

/* Sizes of one encryption transform. `icv` is 0 when the integrity transform decides. */
typedef struct {
    uint16_t id;
    uint8_t iv;
    uint8_t block;
    uint8_t icv;
} encr_row_t;

static const encr_row_t encr_rows[] = {
    { .id = 2, .iv = 8, .block = 8 },             /* DES: RFC 2405 2 */
    { .id = 3, .iv = 8, .block = 8 },             /* 3DES: RFC 2451 2 */
    { .id = 12, .iv = 16, .block = 16 },          /* AES-CBC: RFC 3602 2 */
    { .id = 13, .iv = 8, .block = 1 },            /* AES-CTR: RFC 5930 2 */
    { .id = 14, .iv = 8, .block = 1, .icv = 8 },  /* AES-CCM-8: RFC 5282 3.1, 7.2 */
    { .id = 15, .iv = 8, .block = 1, .icv = 12 }, /* AES-CCM-12: RFC 5282 7.2 */
    { .id = 16, .iv = 8, .block = 1, .icv = 16 }, /* AES-CCM-16: RFC 5282 7.2 */
    { .id = 18, .iv = 8, .block = 1, .icv = 8 },  /* AES-GCM-8: RFC 5282 7.2 */
    { .id = 19, .iv = 8, .block = 1, .icv = 12 }, /* AES-GCM-12: RFC 5282 7.2 */
    { .id = 20, .iv = 8, .block = 1, .icv = 16 }, /* AES-GCM-16: RFC 5282 7.2 */
    { .id = 23, .iv = 16, .block = 16 },          /* CAMELLIA-CBC: RFC 5529 2 */
    { .id = 24, .iv = 8, .block = 1 },            /* CAMELLIA-CTR: RFC 5529 3 */
    { .id = 25, .iv = 8, .block = 1, .icv = 8 },  /* CAMELLIA-CCM-8: RFC 5529 4 */
    { .id = 26, .iv = 8, .block = 1, .icv = 12 }, /* CAMELLIA-CCM-12: RFC 5529 4 */
    { .id = 27, .iv = 8, .block = 1, .icv = 16 }, /* CAMELLIA-CCM-16: RFC 5529 4 */
    { .id = 28, .iv = 8, .block = 1, .icv = 16 }, /* CHACHA20-POLY1305: RFC 7634 3 */
};

/* Size of one integrity transform's checksum. */
typedef struct {
    uint16_t id;
    uint8_t icv;
} integ_row_t;

static const integ_row_t integ_rows[] = {
    { .id = 1, .icv = 12 },  /* HMAC-MD5-96: RFC 2403 2 */
    { .id = 2, .icv = 12 },  /* HMAC-SHA1-96: RFC 2404 2 */
    { .id = 5, .icv = 12 },  /* AES-XCBC-96: RFC 3566 4.1 */
    { .id = 6, .icv = 16 },  /* HMAC-MD5-128: RFC 4595 5 */
    { .id = 7, .icv = 20 },  /* HMAC-SHA1-160: RFC 4595 5 */
    { .id = 8, .icv = 12 },  /* AES-CMAC-96: RFC 4494 3 */
    { .id = 12, .icv = 16 }, /* HMAC-SHA2-256-128: RFC 4868 2.3 */
    { .id = 13, .icv = 24 }, /* HMAC-SHA2-384-192: RFC 4868 2.3 */
    { .id = 14, .icv = 32 }, /* HMAC-SHA2-512-256: RFC 4868 2.3 */
};

/* What the length of an empty message tells. Counter modes with a separate checksum share the AEAD rows' lengths and have
 * the same arithmetic; 80 is also 3DES with a 32-byte checksum, which nobody configures. */
typedef struct {
    uint32_t length;
    suite_t suite;
} empty_row_t;

static const empty_row_t empty_rows[] = {
    { .length = 49, .suite = { .iv = 8, .block = 1, .icv = 8 } },    /* AEAD-8 */
    { .length = 53, .suite = { .iv = 8, .block = 1, .icv = 12 } },   /* AEAD-12 */
    { .length = 57, .suite = { .iv = 8, .block = 1, .icv = 16 } },   /* AEAD-16 */
    { .length = 60, .suite = { .iv = 8, .block = 8, .icv = 12 } },   /* 3DES, *-96 */
    { .length = 64, .suite = { .iv = 8, .block = 8, .icv = 16 } },   /* 3DES, SHA2-256-128 */
    { .length = 72, .suite = { .iv = 8, .block = 8, .icv = 24 } },   /* 3DES, SHA2-384-192 */
    { .length = 76, .suite = { .iv = 16, .block = 16, .icv = 12 } }, /* AES-CBC, *-96 */
    { .length = 80, .suite = { .iv = 16, .block = 16, .icv = 16 } }, /* AES-CBC, SHA2-256-128 */
    { .length = 88, .suite = { .iv = 16, .block = 16, .icv = 24 } }, /* AES-CBC, SHA2-384-192 */
    { .length = 96, .suite = { .iv = 16, .block = 16, .icv = 32 } }, /* AES-CBC, SHA2-512-256 */
};

static const encr_row_t *
encr_find(uint16_t id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(encr_rows); i++) {
        if (encr_rows[i].id == id)
            return &encr_rows[i];
    }
    return NULL;
}

static uint8_t
integ_icv(uint16_t id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(integ_rows); i++) {
        if (integ_rows[i].id == id)
            return integ_rows[i].icv;
    }
    return 0;
}

/* The only transform of `type`; NULL when there is none, or more than one: then nothing was chosen yet. */
static const transform_t *
chosen_transform(const proposal_t *chosen, transform_type_t type)
{
    const transform_t *found = NULL;

    for (unsigned i = 0; i < chosen->transforms; i++) {
        if (chosen->transform[i].type != type)
            continue;
        if (found)
            return NULL;
        found = &chosen->transform[i];
    }
    return found;
}

bool
suite_from_proposal(const proposal_t *chosen, suite_t *ret_suite)
{
    const transform_t *encr = chosen_transform(chosen, TRANSFORM_ENCR);
    const transform_t *integ = chosen_transform(chosen, TRANSFORM_INTEG);
    const encr_row_t *row = encr ? encr_find(encr->id) : NULL;
    suite_t suite;

    if (!row)
        return false;
    suite = (suite_t){ .iv = row->iv, .block = row->block, .icv = row->icv };
    if (suite.icv == 0 && integ)
        suite.icv = integ_icv(integ->id);
    if (suite.icv == 0)
        return false;
    *ret_suite = suite;
    return true;
}

bool
suite_from_empty_message(uint32_t length, suite_t *ret_suite)
{
    for (size_t i = 0; i < G_N_ELEMENTS(empty_rows); i++) {
        if (empty_rows[i].length == length) {
            *ret_suite = empty_rows[i].suite;
            return true;
        }
    }
    return false;
}

/* Sizes that senders pad an AEAD's plaintext to, though its block is one byte. */
static bool
is_usual_padding(uint32_t padded)
{
    return padded == 4 || padded == 8 || padded == 16;
}

void
suite_learn_padding(suite_t *suite, uint32_t length)
{
    uint32_t overhead = FRAMING + suite->iv + suite->icv;
    uint32_t padded = length > overhead ? length - overhead : 0;

    if (suite->icv != 0 && padded > suite->block && is_usual_padding(padded))
        suite->block = (uint8_t)padded;
}

bool
suite_plaintext(const suite_t *suite, uint32_t length, uint32_t *ret_least, uint32_t *ret_most)
{
    uint32_t overhead = FRAMING + suite->iv + suite->icv, padded;

    if (suite->icv == 0 || suite->block == 0 || length < overhead + suite->block)
        return false;
    padded = length - overhead;
    if (padded % suite->block != 0)
        return false;
    *ret_least = padded - suite->block;
    *ret_most = padded - 1;
    return true;
}

uint32_t
suite_plaintext_upper_bound(uint32_t length)
{
    uint32_t bound = 0, least, most;

    for (size_t i = 0; i < G_N_ELEMENTS(empty_rows); i++) {
        if (suite_plaintext(&empty_rows[i].suite, length, &least, &most))
            bound = MAX(bound, most);
    }
    return bound;
}

bool
suite_v1_from_proposal(const proposal_t *chosen, suite_v1_t *ret_suite)
{
    /* RFC 2409 A: attribute values. AES is 7 (RFC 3602 5.1), SHA2 4 to 6 (IANA ipsec-registry). */
    static const uint8_t blocks[] = { [1] = 8, [2] = 8, [3] = 8, [5] = 8, [6] = 8, [7] = 16, [8] = 16 };
    static const uint8_t hashes[] = { [1] = 16, [2] = 20, [4] = 32, [5] = 48, [6] = 64 };
    suite_v1_t suite = { .hash = 0 };

    for (unsigned i = 0; i < chosen->transforms; i++) {
        const transform_t *transform = &chosen->transform[i];
        if (transform->type == TRANSFORM_ENCR && transform->id < G_N_ELEMENTS(blocks))
            suite.block = blocks[transform->id];
        if ((transform->type == TRANSFORM_INTEG || transform->type == TRANSFORM_PRF) && transform->id < G_N_ELEMENTS(hashes))
            suite.hash = hashes[transform->id];
    }
    *ret_suite = suite;
    return suite.block > 0 && suite.hash > 0;
}

bool
suite_v1_may_hold(const suite_v1_t *suite, uint32_t length, uint32_t inner)
{
    uint32_t plain = HASH_HEADER + suite->hash + inner, padded = length - IKE_HEADER_LENGTH;

    return length > IKE_HEADER_LENGTH && padded % suite->block == 0 && padded >= plain && padded - plain <= suite->block;
}
