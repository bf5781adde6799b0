/* payloads_v1.c - the bodies of IKEv1 payloads (RFC 2408 3.4 to 3.16, RFC 2407 4, RFC 3706 5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "payloads.h"

#include "bytes.h"
#include "nat_hash.h"

#include <string.h>

enum { DOI_IPSEC = 1, SITUATION_IDENTITY_ONLY = 1 };

/* Life type; the next one is the life duration (RFC 2409 A, RFC 2407 4.5). */
enum { LIFE_ATTRIBUTE_PHASE1 = 11, LIFE_ATTRIBUTE_PHASE2 = 1 };
enum { UNIT_SECONDS = 1, UNIT_KILOBYTES = 2 };

enum { NOTIFY_RESPONDER_LIFETIME = 24576 };

/* A short attribute: type and 16-bit value (RFC 2408 3.3). */
static void
put_attribute(GByteArray *out, unsigned type, unsigned value)
{
    put_u16(out, 0x8000u | type);
    put_u16(out, value);
}

/* Life type and duration; a duration above 16 bits is a long attribute. */
static void
put_life(GByteArray *out, unsigned first_attribute, unsigned unit, unsigned life)
{
    if (life == 0)
        return;
    put_attribute(out, first_attribute, unit);
    if (life <= UINT16_MAX) {
        put_attribute(out, first_attribute + 1, life);
        return;
    }
    put_u16(out, first_attribute + 1);
    put_u16(out, 4);
    put_u32(out, life);
}

static void
put_phase1_transform(const payload_context_t *context, unsigned life, GByteArray *out)
{
    const suite_name_t *suite = context->world->scenario->ike_suite;
    uint16_t group = 0, size = 0;
    bool known = group_by_name(context->world->scenario->ike_group, &group, &size);

    put_u8(out, 1);
    put_u8(out, 1); /* KEY_IKE */
    put_u16(out, 0);
    put_attribute(out, 1, suite->encr == 3 ? 5 : 7);
    if (suite->key_bits != 0)
        put_attribute(out, 14, suite->key_bits);
    put_attribute(out, 2, suite->v1_hash);
    put_attribute(out, 4, known ? group : 14);
    put_attribute(out, 3, 1); /* pre-shared key */
    put_life(out, LIFE_ATTRIBUTE_PHASE1, UNIT_SECONDS, life);
}

static void
put_phase2_transform(const payload_context_t *context, unsigned life, unsigned kilobytes, GByteArray *out)
{
    const suite_name_t *suite = context->world->scenario->esp_suite;

    put_u8(out, 1);
    put_u8(out, suite->encr == 3 ? 3 : 12);
    put_u16(out, 0);
    if (suite->key_bits != 0)
        put_attribute(out, 6, suite->key_bits);
    put_attribute(out, 5, suite->integ == 2 ? 2 : 5);
    put_attribute(out, 4, 1); /* tunnel mode */
    put_life(out, LIFE_ATTRIBUTE_PHASE2, UNIT_SECONDS, life);
    put_life(out, LIFE_ATTRIBUTE_PHASE2, UNIT_KILOBYTES, kilobytes);
}

/* "c life=3600 kilobytes=4608000"; no child: phase 1. */
static bool
put_sa(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **words = g_strsplit(argument != NULL ? argument : "", " ", -1);
    const char *child = NULL;
    unsigned life = 28800, kilobytes = 0, proposal, transform;

    for (unsigned i = 0; words[i] != NULL; i++) {
        if (g_str_has_prefix(words[i], "life="))
            life = (unsigned)g_ascii_strtoull(words[i] + strlen("life="), NULL, 10);
        else if (g_str_has_prefix(words[i], "kilobytes="))
            kilobytes = (unsigned)g_ascii_strtoull(words[i] + strlen("kilobytes="), NULL, 10);
        else if (*words[i] != 0)
            child = words[i];
    }
    put_u32(out, DOI_IPSEC);
    put_u32(out, SITUATION_IDENTITY_ONLY);
    proposal = out->len;
    put_u32(out, 0);
    put_u8(out, 1);
    put_u8(out, child != NULL ? 3 : 1);
    put_u8(out, child != NULL ? 4 : 0);
    put_u8(out, 1);
    if (child != NULL)
        put_u32(out, world_child_spi(context->world, child, context->sender));
    transform = out->len;
    put_u32(out, 0);
    if (child != NULL)
        put_phase2_transform(context, life, kilobytes, out);
    else
        put_phase1_transform(context, life, out);
    set_u16(out, transform + 2, out->len - transform);
    set_u16(out, proposal + 2, out->len - proposal);
    g_strfreev(words);
    return true;
}

/* RESPONDER-LIFETIME: "3600" is about the ISAKMP SA, "3600 c" about a child (RFC 2407 4.6.3.1). */
static void
put_responder_lifetime(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **words = g_strsplit(argument != NULL ? argument : "", " ", 2);
    unsigned life = words[0] != NULL ? (unsigned)g_ascii_strtoull(words[0], NULL, 10) : 0;
    const char *child = words[0] != NULL ? words[1] : NULL;

    put_u32(out, DOI_IPSEC);
    put_u8(out, child != NULL ? 3 : 1);
    put_u8(out, child != NULL ? 4 : 16);
    put_u16(out, NOTIFY_RESPONDER_LIFETIME);
    if (child != NULL) {
        put_u32(out, world_child_spi(context->world, child, context->sender));
    } else {
        put_u64(out, context->spi_i);
        put_u64(out, context->spi_r);
    }
    put_life(out, child != NULL ? LIFE_ATTRIBUTE_PHASE2 : LIFE_ATTRIBUTE_PHASE1, UNIT_SECONDS, life);
    g_strfreev(words);
}

/* "R_U_THERE 5", "NO_PROPOSAL_CHOSEN", "INVALID_SPI c", "RESPONDER_LIFETIME 3600 c" */
static bool
put_notify(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **words = g_strsplit(argument != NULL ? argument : "", " ", 2);
    int type = words[0] != NULL ? notify_type_by_name(words[0]) : -1;
    bool names_ike = type >= 16384;

    if (type == NOTIFY_RESPONDER_LIFETIME) {
        put_responder_lifetime(context, words[1], out);
    } else if (type > 0) {
        put_u32(out, DOI_IPSEC);
        put_u8(out, names_ike ? 1 : 3);
        put_u8(out, names_ike ? 16 : type == 11 && words[1] != NULL ? 4 : 0);
        put_u16(out, (unsigned)type);
        if (names_ike) {
            put_u64(out, context->spi_i);
            put_u64(out, context->spi_r);
        }
        if (type == 11 && words[1] != NULL)
            put_u32(out, world_child_spi(context->world, words[1], context->sender));
        if (type == 36136 || type == 36137)
            put_u32(out, words[1] != NULL ? (uint32_t)g_ascii_strtoull(words[1], NULL, 10) : 1);
    }
    g_strfreev(words);
    return type > 0;
}

static bool
put_delete(const payload_context_t *context, const char *argument, GByteArray *out)
{
    if (argument == NULL)
        return false;
    put_u32(out, DOI_IPSEC);
    if (g_str_equal(argument, "ISAKMP")) {
        put_u8(out, 1);
        put_u8(out, 16);
        put_u16(out, 1);
        put_u64(out, context->spi_i);
        put_u64(out, context->spi_r);
    } else {
        put_u8(out, 3);
        put_u8(out, 4);
        put_u16(out, 1);
        put_u32(out, world_child_spi(context->world, argument, context->sender));
    }
    return true;
}

/* Phase 1: the sender's FQDN. Quick Mode: the IPv4 subnet 10.k.0.0/16, k is 1 unless said (RFC 2407 4.6.2). */
static void
put_identity(const payload_context_t *context, const char *argument, GByteArray *out)
{
    const char *name = context->sender == 0 ? "moon.example" : "sun.example";

    if (context->message->exchange->type != 32) {
        put_u32(out, 2u << 24);
        g_byte_array_append(out, (const uint8_t *)name, (guint)strlen(name));
        return;
    }
    put_u32(out, 4u << 24);
    put_u32(out, 0x0a000000u | (argument != NULL ? (uint32_t)g_ascii_strtoull(argument, NULL, 10) : 1) << 16);
    put_u32(out, 0xffff0000);
}

static bool
is_first_of_its_name(const payload_context_t *context, const payload_spec_t *payload)
{
    for (unsigned i = 0; i < context->message->payloads->len; i++) {
        const payload_spec_t *other = &g_array_index(context->message->payloads, payload_spec_t, i);

        if (g_str_equal(other->name, payload->name))
            return other == payload;
    }
    return false;
}

bool
payload_v1_body(const payload_context_t *context, const payload_spec_t *payload, GByteArray *out)
{
    const char *name = payload->name, *argument = payload->argument;
    uint16_t group, size = 256;

    if (g_str_equal(name, "SA"))
        return put_sa(context, argument, out);
    if (g_str_equal(name, "N"))
        return put_notify(context, argument, out);
    if (g_str_equal(name, "D"))
        return put_delete(context, argument, out);
    if (g_str_equal(name, "KE")) {
        if (!group_by_name(context->world->scenario->ike_group, &group, &size))
            return false;
        put_random(out, context->seed + 100, size);
    } else if (g_str_equal(name, "ID")) {
        put_identity(context, argument, out);
    } else if (g_str_equal(name, "HASH")) {
        put_random(out, context->seed + 2, context->world->scenario->ike_suite->v1_hash_size);
    } else if (g_str_equal(name, "NATD")) {
        return put_nat_hash(context, is_first_of_its_name(context, payload) ? HASH_OF_DESTINATION : HASH_OF_SOURCE, argument,
                            context->world->scenario->ike_suite->v1_hash_size, out);
    } else if (g_str_equal(name, "V")) {
        put_random(out, context->seed + 3, 16);
    } else if (g_str_equal(name, "ATTR")) {
        put_u32(out, 0x01000001); /* REQUEST, identifier 1 */
    } else {
        put_random(out, context->seed + 4, 32);
    }
    return true;
}
