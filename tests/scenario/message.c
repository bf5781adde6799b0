/* message.c - IKE header, SPIs, message IDs, encryption-shaped filling (RFC 7296 3.1, 3.14; RFC 7383 2.5; RFC 2408 3.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "message.h"

#include "bytes.h"
#include "payloads.h"

enum {
    HEADER_LENGTH = 28,
    EXCHANGE_MAIN_MODE = 2,
    EXCHANGE_AGGRESSIVE = 4,
    EXCHANGE_QUICK_MODE = 32,
    EXCHANGE_SA_INIT = 34,
    EXCHANGE_SESSION_RESUME = 38,
    TYPE_SK = 46,
    TYPE_SKF = 53,
    FLAG_V1_ENCRYPTED = 0x01,
    FLAG_INITIATOR = 0x08,
    FLAG_RESPONSE = 0x20,
};

static bool
has_payload(const message_spec_t *message, const char *name)
{
    for (unsigned i = 0; i < message->payloads->len; i++)
        if (g_str_equal(g_array_index(message->payloads, payload_spec_t, i).name, name))
            return true;
    return false;
}

/* The SA that the message belongs to; one that nobody has seen begin is taken as established. */
static ike_t *
message_ike(world_t *world, const message_spec_t *message, unsigned sender, unsigned receiver)
{
    ike_t *ike = world_ike(world, message->ike);
    unsigned type = message->exchange->type;
    bool begins =
        type == EXCHANGE_SA_INIT || type == EXCHANGE_SESSION_RESUME || type == EXCHANGE_MAIN_MODE || type == EXCHANGE_AGGRESSIVE;

    if (ike != NULL) {
        bool answers = sender == ike->responder && begins && has_payload(message, "SA");

        if (ike->spi_r == 0 && answers)
            ike->spi_r = world_ike_spi(world, ike->name, sender);
        return ike;
    }
    if (begins && !message->is_response)
        return world_add_ike(world, message->ike, sender, receiver, message->exchange->version);
    ike = world_add_ike(world, message->ike, MIN(sender, receiver), MAX(sender, receiver), message->exchange->version);
    ike->spi_r = world_ike_spi(world, ike->name, ike->responder);
    return ike;
}

static uint32_t
v2_message_id(ike_t *ike, const message_spec_t *message, unsigned sender)
{
    bool from_initiator = sender == ike->original_initiator;
    unsigned requester = from_initiator != message->is_response ? 0 : 1;
    uint32_t id;

    if (message->exchange->type == EXCHANGE_SA_INIT || message->exchange->type == EXCHANGE_SESSION_RESUME) {
        ike->next_request[0] = 1;
        return 0;
    }
    if (message->is_response)
        return message->message_id >= 0 ? (uint32_t)message->message_id : ike->latest_request[requester];
    id = message->message_id >= 0 ? (uint32_t)message->message_id : ike->next_request[requester];
    ike->latest_request[requester] = id;
    ike->next_request[requester] = id + 1;
    return id;
}

static uint32_t
v1_message_id(world_t *world, ike_t *ike, const message_spec_t *message)
{
    unsigned type = message->exchange->type;

    if (type == EXCHANGE_MAIN_MODE || type == EXCHANGE_AGGRESSIVE)
        return 0;
    if (type != EXCHANGE_QUICK_MODE)
        return (uint32_t)seed_from(ike->name, seed_from(world->scenario->name, world->messages)) | 1;
    if (message->label != NULL)
        ike->latest_quick_mode = (uint32_t)seed_from(message->label, seed_from(ike->name, 7)) | 1;
    return ike->latest_quick_mode;
}

static void
put_header(GByteArray *out, const payload_context_t *context, unsigned next, unsigned flags, uint32_t message_id)
{
    put_u64(out, context->spi_i);
    put_u64(out, context->spi_r);
    put_u8(out, next);
    put_u8(out, context->message->exchange->version << 4);
    put_u8(out, context->message->exchange->type);
    put_u8(out, flags);
    put_u32(out, message_id);
    put_u32(out, 0);
}

/* The smallest multiple of the block that holds `plain` and the pad length byte. */
static unsigned
padded(const scenario_t *scenario, unsigned plain)
{
    unsigned block = MAX(scenario->ike_suite->block, scenario->pad);
    return (plain + 1 + block - 1) / block * block;
}

/* SK or SKF with ciphertext of the right length. `ret_decrypted`: chain, or the fragment's part of it, padding, pad length. */
static void
put_encrypted(GByteArray *out, const payload_context_t *context, const GByteArray *chain, uint8_t first, GByteArray **ret_decrypted)
{
    const suite_name_t *suite = context->world->scenario->ike_suite;
    const message_spec_t *message = context->message;
    bool is_fragment = message->protection == PROTECTION_SKF;
    unsigned share = is_fragment ? (chain->len + message->fragments - 1u) / message->fragments : chain->len;
    unsigned begin = is_fragment ? MIN(chain->len, share * (message->fragment - 1u)) : 0;
    unsigned plain = MIN(share, chain->len - begin);
    unsigned cipher = padded(context->world->scenario, plain), start = out->len;

    put_u8(out, is_fragment && message->fragment != 1 ? 0u : first);
    put_u8(out, 0);
    put_u16(out, 0);
    if (is_fragment) {
        put_u16(out, message->fragment);
        put_u16(out, message->fragments);
    }
    put_random(out, context->seed + 1000, suite->iv + cipher + suite->icv);
    set_u16(out, start + 2, out->len - start);
    *ret_decrypted = g_byte_array_new();
    g_byte_array_append(*ret_decrypted, chain->data + begin, plain);
    put_zeros(*ret_decrypted, cipher - plain - 1);
    put_u8(*ret_decrypted, cipher - plain - 1);
}

static void
put_v1_encrypted(GByteArray *out, const payload_context_t *context, const GByteArray *chain, GByteArray **ret_decrypted)
{
    unsigned cipher = padded(context->world->scenario, chain->len);

    put_random(out, context->seed + 1000, cipher);
    *ret_decrypted = g_byte_array_new();
    put_bytes(*ret_decrypted, chain);
    put_zeros(*ret_decrypted, cipher - chain->len);
}

GByteArray *
message_build(world_t *world, const step_t *step, unsigned sender, unsigned receiver, GByteArray **ret_decrypted)
{
    const message_spec_t *message = &step->message;
    bool is_foreign = g_str_equal(message->ike, "none");
    payload_context_t context = {
        .world = world, .message = message, .sender = sender, .receiver = receiver, .place = step->place
    };
    unsigned flags = message->is_response ? FLAG_RESPONSE : 0, next;
    uint32_t message_id = 0;
    GByteArray *out, *chain;
    uint8_t first;

    world->messages++;
    context.seed = seed_from(world->scenario->name, 0x20000 * world->messages);
    if (is_foreign) {
        flags |= FLAG_INITIATOR; /* RFC 7296 1.5 */
    } else {
        ike_t *ike = message_ike(world, message, sender, receiver), known = *ike;

        context.spi_i = ike->spi_i;
        context.spi_r = ike->spi_r;
        if (step->is_forged && message->is_response && message->exchange->type == EXCHANGE_SA_INIT && has_payload(message, "SA"))
            context.spi_r = context.seed | 1;
        if (message->exchange->version == 1) {
            message_id = v1_message_id(world, ike, message);
            flags = message->protection == PROTECTION_V1 ? FLAG_V1_ENCRYPTED : 0;
        } else {
            message_id = v2_message_id(ike, message, sender);
            flags |= sender == ike->original_initiator ? FLAG_INITIATOR : 0;
        }
        if (step->is_forged)
            *ike = known;
    }
    chain = payload_chain(&context, &first);
    if (chain == NULL)
        return NULL;
    next = message->protection == PROTECTION_SK ? TYPE_SK : message->protection == PROTECTION_SKF ? TYPE_SKF : first;
    out = g_byte_array_new();
    put_header(out, &context, next, flags, message_id);
    if (message->protection == PROTECTION_CLEAR)
        put_bytes(out, chain);
    else if (message->protection == PROTECTION_V1)
        put_v1_encrypted(out, &context, chain, ret_decrypted);
    else
        put_encrypted(out, &context, chain, first, ret_decrypted);
    set_u32(out, HEADER_LENGTH - 4, out->len);
    if (step->is_forged) /* no key fits what was encrypted with none */
        g_clear_pointer(ret_decrypted, g_byte_array_unref);
    g_byte_array_free(chain, TRUE);
    return out;
}
