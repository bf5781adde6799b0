/* payloads_v2.c - the bodies of IKEv2 payloads (RFC 7296 3.3 to 3.16).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "payloads.h"

#include "bytes.h"
#include "nat_hash.h"

#include <string.h>

enum { PROTOCOL_NUMBER_IKE = 1, PROTOCOL_NUMBER_ESP = 3, ATTRIBUTE_KEY_LENGTH = 0x800e };

static bool
has_payload(const payload_context_t *context, const char *prefix)
{
    for (unsigned i = 0; i < context->message->payloads->len; i++)
        if (g_str_has_prefix(g_array_index(context->message->payloads, payload_spec_t, i).name, prefix))
            return true;
    return false;
}

/* One transform substructure (3.3.2). */
static void
put_transform(GByteArray *out, bool is_last, unsigned type, unsigned id, unsigned key_bits)
{
    put_u8(out, is_last ? 0 : 3);
    put_u8(out, 0);
    put_u16(out, key_bits != 0 ? 12 : 8);
    put_u8(out, type);
    put_u8(out, 0);
    put_u16(out, id);
    if (key_bits != 0) {
        put_u16(out, ATTRIBUTE_KEY_LENGTH);
        put_u16(out, key_bits);
    }
}

/* What a proposal is about, from "c", "ike B", "c group=modp2048 suite=aes-gcm-16". */
typedef struct {
    const char *child; /* NULL: an IKE SA */
    const char *ike;   /* NULL: the IKE SA under negotiation, no SPI */
    const suite_name_t *suite;
    uint16_t group; /* 0: none */
} proposal_spec_t;

static bool
proposal_spec(const payload_context_t *context, char **words, proposal_spec_t *spec)
{
    const scenario_t *scenario = context->world->scenario;
    const char *group;
    uint16_t size;

    memset(spec, 0, sizeof *spec);
    if (words[0] != NULL && g_str_equal(words[0], "ike")) {
        spec->ike = words[1];
        words += words[1] != NULL ? 2 : 1;
    } else if (words[0] != NULL && strchr(words[0], '=') == NULL) {
        spec->child = *words++;
    }
    spec->suite = spec->child != NULL ? scenario->esp_suite : scenario->ike_suite;
    group = spec->child == NULL ? scenario->ike_group : has_payload(context, "KE") ? scenario->child_group : NULL;
    for (; *words != NULL; words++) {
        if (g_str_has_prefix(*words, "group="))
            group = strchr(*words, '=') + 1;
        else if (g_str_has_prefix(*words, "suite="))
            spec->suite = suite_by_name(strchr(*words, '=') + 1);
        else
            return false;
    }
    if (group != NULL && !g_str_equal(group, "none") && !group_by_name(group, &spec->group, &size))
        return false;
    return spec->suite != NULL;
}

/* The IKE SA that a rekey negotiates: made by the request, completed by the response (1.3.2). */
static uint64_t
rekeyed_ike_spi(const payload_context_t *context, const char *name)
{
    world_t *world = context->world;
    const char *kept = g_string_chunk_insert_const(world->names, name);
    ike_t *ike = world_ike(world, kept);

    if (ike == NULL) {
        ike = world_add_ike(world, kept, context->sender, context->receiver, 2);
        return ike->spi_i;
    }
    if (context->sender != ike->original_initiator)
        ike->spi_r = world_ike_spi(world, kept, context->sender);
    return context->sender == ike->original_initiator ? ike->spi_i : ike->spi_r;
}

static bool
put_sa(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **words = g_strsplit(argument != NULL ? argument : "", " ", -1);
    unsigned start = out->len, transforms;
    proposal_spec_t spec;
    bool known = proposal_spec(context, words[0] != NULL && *words[0] == 0 ? words + 1 : words, &spec);

    if (!known) {
        g_strfreev(words);
        return false;
    }
    transforms = 1u + (spec.suite->integ != 0) + (spec.child == NULL) + (spec.group != 0) + (spec.child != NULL);
    put_u8(out, 0); /* the only proposal */
    put_u8(out, 0);
    put_u16(out, 0);
    put_u8(out, 1);
    put_u8(out, spec.child != NULL ? PROTOCOL_NUMBER_ESP : PROTOCOL_NUMBER_IKE);
    put_u8(out, spec.child != NULL ? 4 : spec.ike != NULL ? 8 : 0);
    put_u8(out, transforms);
    if (spec.child != NULL)
        put_u32(out, world_child_spi(context->world, spec.child, context->sender));
    else if (spec.ike != NULL)
        put_u64(out, rekeyed_ike_spi(context, spec.ike));
    put_transform(out, --transforms == 0, 1, spec.suite->encr, spec.suite->key_bits);
    if (spec.child == NULL)
        put_transform(out, --transforms == 0, 2, spec.suite->prf, 0);
    if (spec.suite->integ != 0)
        put_transform(out, --transforms == 0, 3, spec.suite->integ, 0);
    if (spec.group != 0)
        put_transform(out, --transforms == 0, 4, spec.group, 0);
    if (spec.child != NULL)
        put_transform(out, --transforms == 0, 5, 0, 0);
    set_u16(out, start + 2, out->len - start);
    g_strfreev(words);
    return true;
}

static bool
put_ke(const payload_context_t *context, const char *argument, GByteArray *out)
{
    const scenario_t *scenario = context->world->scenario;
    bool for_child = context->message->exchange->type == 36 && !has_payload(context, "IDi");
    const char *name = argument != NULL ? argument : for_child ? scenario->child_group : scenario->ike_group;
    uint16_t group, size;

    if (!group_by_name(name, &group, &size))
        return false;
    put_u16(out, group);
    put_u16(out, 0);
    put_random(out, context->seed + 100, size);
    return true;
}

/* The SPI that a notify names for `child`: RFC 7296 1.3.3 the sender's inbound one; 2.25.1 the one of the request it answers. */
static uint32_t
notified_spi(const payload_context_t *context, const char *notify, const char *child)
{
    bool of_request = g_str_equal(notify, "CHILD_SA_NOT_FOUND");

    return world_child_spi(context->world, child, of_request ? context->receiver : context->sender);
}

static bool
put_notify_data(const payload_context_t *context, const char *name, const char *rest, GByteArray *out)
{
    uint16_t group = 0, size;

    if (g_str_equal(name, "NATD_S") || g_str_equal(name, "NATD_D")) {
        return put_nat_hash(context, g_str_equal(name, "NATD_S") ? HASH_OF_SOURCE : HASH_OF_DESTINATION, rest, 20, out);
    } else if (g_str_equal(name, "COOKIE")) {
        put_random(out, seed_from("cookie", 0), 20);
    } else if (g_str_equal(name, "COOKIE2")) {
        put_random(out, context->seed + 200, 16);
    } else if (g_str_equal(name, "QCD_TOKEN")) {
        put_random(out, seed_from("qcd", 0), 32);
    } else if (g_str_equal(name, "INVALID_KE_PAYLOAD")) {
        if (rest == NULL || !group_by_name(rest, &group, &size))
            return false;
        put_u16(out, group);
    } else if (g_str_equal(name, "INVALID_SPI")) {
        put_u32(out, rest != NULL ? world_child_spi(context->world, rest, context->sender) : 0x0badcafe);
    } else if (g_str_equal(name, "AUTH_LIFETIME")) {
        put_u32(out, rest != NULL ? (uint32_t)g_ascii_strtoull(rest, NULL, 10) : 3600);
    } else if (g_str_equal(name, "SET_WINDOW_SIZE") || g_str_equal(name, "INVALID_MESSAGE_ID")) {
        put_u32(out, 5);
    } else if (g_str_equal(name, "SIGNATURE_HASH_ALGORITHMS")) {
        put_u32(out, 0x00020003);
    } else if (g_str_equal(name, "REDIRECT")) {
        put_random(out, context->seed + 300, 22);
    }
    return true;
}

static bool
put_notify(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **words = g_strsplit(argument != NULL ? argument : "", " ", 2);
    int type = words[0] != NULL ? notify_type_by_name(words[0]) : -1;
    bool known = type > 0;

    if (known && words[1] != NULL && (g_str_equal(words[0], "REKEY_SA") || g_str_equal(words[0], "CHILD_SA_NOT_FOUND"))) {
        put_u8(out, PROTOCOL_NUMBER_ESP);
        put_u8(out, 4);
        put_u16(out, (unsigned)type);
        put_u32(out, notified_spi(context, words[0], words[1]));
    } else if (known) {
        put_u16(out, 0);
        put_u16(out, (unsigned)type);
        known = put_notify_data(context, words[0], words[1], out);
    }
    g_strfreev(words);
    return known;
}

static bool
put_delete(const payload_context_t *context, const char *argument, GByteArray *out)
{
    char **children;

    if (argument == NULL)
        return false;
    if (g_str_equal(argument, "IKE")) {
        put_u32(out, PROTOCOL_NUMBER_IKE << 24);
        return true;
    }
    children = g_strsplit(argument, " ", -1);
    put_u8(out, PROTOCOL_NUMBER_ESP);
    put_u8(out, 4);
    put_u16(out, g_strv_length(children));
    for (unsigned i = 0; children[i] != NULL; i++)
        put_u32(out, world_child_spi(context->world, children[i], context->sender));
    g_strfreev(children);
    return true;
}

/* FQDN, RFC 7296 3.5. */
static void
put_identity(const char *text, GByteArray *out)
{
    put_u32(out, 2u << 24);
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

/* One IPv4 range 10.k.0.0 to 10.k.255.255, RFC 7296 3.13. */
static void
put_selector(unsigned network, GByteArray *out)
{
    put_u32(out, 1u << 24);
    put_u8(out, 7);
    put_u8(out, 0);
    put_u16(out, 16);
    put_u16(out, 0);
    put_u16(out, 0xffff);
    put_u32(out, 0x0a000000u | network << 16);
    put_u32(out, 0x0a00ffffu | network << 16);
}

static unsigned
argument_number(const char *argument, unsigned otherwise)
{
    return argument != NULL ? (unsigned)g_ascii_strtoull(argument, NULL, 10) : otherwise;
}

/* EAP request or response of so many bytes; 4 bytes are a Success, `failure` is a Failure (RFC 3748 4.1, 4.2). */
static void
put_eap(const payload_context_t *context, const char *argument, GByteArray *out)
{
    bool is_failure = argument != NULL && g_str_equal(argument, "failure");
    unsigned size = is_failure ? 4 : argument_number(argument, 60);

    put_u8(out, is_failure ? 4 : size == 4 ? 3 : context->message->is_response ? 1 : 2);
    put_u8(out, (unsigned)context->seed & 0xff);
    put_u16(out, size);
    if (size == 4)
        return;
    put_u8(out, 26);
    put_random(out, context->seed + 400, size > 5 ? size - 5 : 0);
}

bool
payload_v2_body(const payload_context_t *context, const payload_spec_t *payload, GByteArray *out)
{
    const char *name = payload->name, *argument = payload->argument;

    if (g_str_equal(name, "SA"))
        return put_sa(context, argument, out);
    if (g_str_has_prefix(name, "KE"))
        return put_ke(context, argument, out);
    if (g_str_equal(name, "N"))
        return put_notify(context, argument, out);
    if (g_str_equal(name, "D"))
        return put_delete(context, argument, out);
    if (g_str_equal(name, "Ni") || g_str_equal(name, "Nr") || g_str_equal(name, "Nonce"))
        put_random(out, context->seed + 1, 32);
    else if (g_str_equal(name, "IDi") || g_str_equal(name, "IDr"))
        put_identity(argument != NULL ? argument : g_str_equal(name, "IDi") ? "moon.example" : "sun.example", out);
    else if (g_str_equal(name, "TSi") || g_str_equal(name, "TSr"))
        put_selector(argument_number(argument, g_str_equal(name, "TSi") ? 1 : 2), out);
    else if (g_str_equal(name, "EAP"))
        put_eap(context, argument, out);
    else if (g_str_equal(name, "AUTH")) {
        put_u32(out, 2u << 24);
        put_random(out, context->seed + 2, argument_number(argument, 32));
    } else if (g_str_equal(name, "CERT") || g_str_equal(name, "CERTREQ")) {
        put_u8(out, 4);
        put_random(out, context->seed + 3, argument_number(argument, g_str_equal(name, "CERT") ? 1000 : 20));
    } else if (g_str_equal(name, "CP")) {
        put_u32(out, (context->message->is_response ? 2u : 1u) << 24);
        put_u32(out, 0x00010000); /* INTERNAL_IP4_ADDRESS, empty */
    } else {
        put_random(out, seed_from("vendor", 0), argument_number(argument, 16));
    }
    return true;
}
