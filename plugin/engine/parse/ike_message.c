/* ike_message.c - what is this IKE message, what does it say, and may its decryption be believed?
 *
 * A message is walked twice: once to find an encrypted payload (then nothing before it counts), once to read clear payloads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_message.h"

#include "engine/fingerprint.h"
#include "engine/parse/cursor.h"
#include "engine/parse/ike_payload.h"

#define PAYLOAD_HEADER_LENGTH 4u /* RFC 7296 3.2, RFC 2408 3.2 */
#define ALIGNMENT_MOST 3u        /* bytes after the last payload: some IKEv1 senders round messages up to 4 */
#define PADDING_V1_MOST 48u      /* RFC 2409 B: up to a block of 16; some senders add random bytes first (seen: 32 in all) */

enum { FLAG_V1_ENCRYPTED = 0x01, FLAG_INITIATOR = 0x08, FLAG_RESPONSE = 0x20 }; /* RFC 2408 3.1, RFC 7296 3.1 */

/* The payloads not walked yet. */
typedef struct {
    unsigned major;
    uint8_t next_type;
    cursor_t bytes; /* as captured */
    size_t missing; /* bytes after those that the capture cut off */
} chain_t;

typedef enum { WALK_PAYLOAD, WALK_END, WALK_CUT, WALK_BROKEN } walk_t;

typedef struct {
    uint8_t type;
    uint8_t next_type;
    uint8_t reserved; /* the byte that IKEv2 keeps its critical bit in */
    cursor_t body;
} payload_t;

/* Takes the next payload of the chain. On anything but WALK_PAYLOAD `ret_payload` holds the type, and of a payload that was
 * cut off the part of its header and body that is there. */
static walk_t
chain_walk(chain_t *chain, payload_t *ret_payload)
{
    payload_t payload = { .type = chain->next_type, .next_type = PAYLOAD_UNKNOWN };
    uint16_t length;
    size_t body_length;

    *ret_payload = payload;
    if (chain->next_type == PAYLOAD_NONE)
        return WALK_END;
    if (chain->bytes.left < PAYLOAD_HEADER_LENGTH)
        return chain->bytes.left + chain->missing < PAYLOAD_HEADER_LENGTH ? WALK_BROKEN : WALK_CUT;
    if (!cursor_u8(&chain->bytes, &payload.next_type) || !cursor_u8(&chain->bytes, &payload.reserved) ||
        !cursor_u16(&chain->bytes, &length) || length < PAYLOAD_HEADER_LENGTH)
        return WALK_BROKEN;
    body_length = length - PAYLOAD_HEADER_LENGTH;
    if (body_length > chain->bytes.left + chain->missing)
        return WALK_BROKEN;
    if (!cursor_cut(&chain->bytes, MIN(body_length, chain->bytes.left), &payload.body))
        return WALK_BROKEN;
    chain->next_type = payload.next_type;
    *ret_payload = payload;
    return payload.body.left < body_length ? WALK_CUT : WALK_PAYLOAD;
}

static bool
payload_is_plausible(unsigned major, const payload_t *payload)
{
    /* Reserved bits are sent as zero; IKEv2's critical bit is set only on payload types that a receiver may not know. */
    if (major == 2)
        return payload_v2_is_plausible(payload->type) && (payload->reserved & 0x7f) == 0;
    return payload_v1_is_plausible(payload->type) && payload->reserved == 0;
}

static void
note_size(const payload_t *payload, payload_sizes_t *sizes)
{
    uint32_t length = (uint32_t)payload->body.left + PAYLOAD_HEADER_LENGTH;

    if (payload->type == PAYLOAD_SA && sizes->sa == 0)
        sizes->sa = length;
    else if (payload->type == PAYLOAD_KE && sizes->ke == 0)
        sizes->ke = length;
    else if (payload->type == PAYLOAD_NONCE && sizes->nonce == 0)
        sizes->nonce = length;
}

static bool
payload_read(unsigned major, const payload_t *payload, reading_t reading, ike_message_t *message)
{
    message->payloads++;
    if (major == 2)
        note_size(payload, &message->sizes);
    return major == 2 ? payload_v2_read(payload->type, payload->body, reading, message)
                      : payload_v1_read(payload->type, payload->body, reading, message);
}

/* ---- clear messages ---- */

static void
clear_payloads_read(chain_t chain, ike_message_t *message)
{
    payload_t payload;
    walk_t walk;

    message->is_readable = true;
    while ((walk = chain_walk(&chain, &payload)) == WALK_PAYLOAD) {
        if (!payload_read(message->major, &payload, READ_CLEAR, message))
            message->is_malformed = true;
    }
    if (walk == WALK_BROKEN || (walk == WALK_END && chain.bytes.left + chain.missing > ALIGNMENT_MOST))
        message->is_malformed = true;
}

/* ---- decrypted messages ---- */

/* Reads a chain of payloads that must be right in every respect; the bytes after it are `ret_rest`. */
static bool
decrypted_payloads_read(chain_t chain, ike_message_t *message, cursor_t *ret_rest)
{
    payload_t payload;
    walk_t walk;

    while ((walk = chain_walk(&chain, &payload)) == WALK_PAYLOAD) {
        if (!payload_is_plausible(message->major, &payload) || !payload_read(message->major, &payload, READ_DECRYPTED, message))
            return false;
    }
    *ret_rest = chain.bytes;
    return walk == WALK_END;
}

/* RFC 7296 3.14: payloads, padding, pad length. Takes the padding off the end. */
static bool
padding_v2_remove(cursor_t decrypted, cursor_t *ret_payloads)
{
    cursor_t padded, payloads;
    uint8_t pad_length;

    if (decrypted.left < sizeof(pad_length) || !cursor_cut(&decrypted, decrypted.left - sizeof(pad_length), &padded) ||
        !cursor_u8(&decrypted, &pad_length))
        return false;
    if (pad_length > padded.left || !cursor_cut(&padded, padded.left - pad_length, &payloads))
        return false;
    *ret_payloads = payloads;
    return true;
}

/* Believed only if the chain that starts with `first` fills `payloads`. */
static void
plaintext_v2_read(uint8_t first, cursor_t payloads, ike_message_t *message)
{
    chain_t chain = { .major = 2, .next_type = first, .bytes = payloads };
    ike_message_t read = *message;
    cursor_t rest;

    if (!decrypted_payloads_read(chain, &read, &rest) || rest.left > 0)
        return;
    *message = read;
    message->is_readable = true;
    message->is_decrypted = true;
}

/* The whole message is in `decrypted`. */
static void
decrypted_v2_read(uint8_t first, cursor_t decrypted, ike_message_t *message)
{
    cursor_t payloads;

    if (padding_v2_remove(decrypted, &payloads))
        plaintext_v2_read(first, payloads, message);
}

/* RFC 2409 5.5, 5.7: these exchanges begin with a hash over all that follows. Phase 1 (5.1 to 5.4) has no such rule. */
static bool
exchange_begins_with_hash(uint8_t exchange_type)
{
    return exchange_type == IKEV1_QUICK_MODE || exchange_type == IKEV1_INFORMATIONAL || exchange_type == IKEV1_TRANSACTION ||
           exchange_type == IKEV1_NEW_GROUP;
}

/* RFC 2409 B: the padding at the end of an IKEv1 message has no pad length that can be relied on. */
static void
decrypted_v1_read(cursor_t decrypted, ike_message_t *message)
{
    chain_t chain = { .major = 1, .next_type = message->next_payload, .bytes = decrypted };
    ike_message_t read = *message;
    cursor_t rest;

    if (exchange_begins_with_hash(message->exchange_type) && message->next_payload != PAYLOAD_V1_HASH)
        return;
    if (!decrypted_payloads_read(chain, &read, &rest) || read.payloads == 0 || rest.left > PADDING_V1_MOST)
        return;
    *message = read;
    message->is_readable = true;
    message->is_decrypted = true;
}

/* ---- encrypted messages ---- */

/* RFC 7383 2.5: number and total, from 1. Only the first fragment tells the type of the first payload. */
static bool
fragment_read(cursor_t *body, uint8_t next_type, ike_message_t *message)
{
    uint16_t number, total;

    if (!cursor_u16(body, &number) || !cursor_u16(body, &total) || number == 0 || number > total)
        return false;
    message->fragment_number = number;
    message->fragment_total = total;
    message->first_inner = number == 1 ? next_type : PAYLOAD_UNKNOWN;
    return true;
}

/* Notes what an SK or SKF payload shows, then tries its decryption. An SK payload ends its message (RFC 7296 3.14). */
static void
encrypted_payload_read(walk_t walk, const payload_t *payload, const chain_t *rest, cursor_t decrypted, ike_message_t *message)
{
    cursor_t body = payload->body;
    bool is_whole_message = walk == WALK_PAYLOAD;

    message->is_encrypted = true;
    if (walk == WALK_BROKEN || (walk == WALK_PAYLOAD && rest->bytes.left + rest->missing > 0))
        message->is_malformed = true;
    if (payload->type == PAYLOAD_ENCRYPTED) {
        message->first_inner = payload->next_type;
    } else {
        bool is_fragment = fragment_read(&body, payload->next_type, message);

        if (walk == WALK_PAYLOAD && !is_fragment)
            message->is_malformed = true;
        /* A part of a chain proves nothing; a single fragment is the whole chain. */
        is_whole_message = is_whole_message && is_fragment && message->fragment_total == 1;
    }
    /* What was encrypted is shorter than the body, which has an IV and an ICV around it. */
    if (is_whole_message && !message->is_malformed && decrypted.left <= body.left)
        decrypted_v2_read(payload->next_type, decrypted, message);
}

/* Finds the encrypted payload. False: there is none, as far as the chain can be walked. */
static bool
encrypted_v2_read(chain_t chain, cursor_t decrypted, ike_message_t *message)
{
    payload_t payload;
    walk_t walk;

    do {
        walk = chain_walk(&chain, &payload);
        if (payload.type == PAYLOAD_ENCRYPTED || payload.type == PAYLOAD_FRAGMENT) {
            encrypted_payload_read(walk, &payload, &chain, decrypted, message);
            return true;
        }
    } while (walk == WALK_PAYLOAD);
    return false;
}

/* ---- the message ---- */

static uint64_t
fingerprint_of(cursor_t bytes)
{
    const uint64_t fingerprint = fingerprint_with_bytes(bytes.left, bytes.next, bytes.left);

    return fingerprint != 0 ? fingerprint : 1;
}

static bool
header_read(cursor_t *bytes, ike_message_t *message)
{
    uint8_t version, flags;

    if (!cursor_u64(bytes, &message->spi_i) || !cursor_u64(bytes, &message->spi_r) || !cursor_u8(bytes, &message->next_payload) ||
        !cursor_u8(bytes, &version) || !cursor_u8(bytes, &message->exchange_type) || !cursor_u8(bytes, &flags) ||
        !cursor_u32(bytes, &message->message_id) || !cursor_u32(bytes, &message->length))
        return false;
    message->major = version >> 4;
    if (message->major != 1 && message->major != 2)
        return false;
    message->from_original_initiator = message->major == 2 && (flags & FLAG_INITIATOR) != 0;
    message->is_response = message->major == 2 && (flags & FLAG_RESPONSE) != 0;
    message->is_encrypted = message->major == 1 && (flags & FLAG_V1_ENCRYPTED) != 0;
    message->first_inner = PAYLOAD_UNKNOWN;
    return true;
}

static void
payloads_read(chain_t chain, cursor_t decrypted, ike_message_t *message)
{
    if (message->major == 2 && encrypted_v2_read(chain, decrypted, message))
        return;
    if (!message->is_encrypted)
        clear_payloads_read(chain, message);
    else if (!message->is_truncated && !message->is_malformed && decrypted.left == chain.bytes.left)
        decrypted_v1_read(decrypted, message);
}

bool
ike_message_parse(const uint8_t *bytes, size_t captured, size_t reported, const uint8_t *decrypted, size_t decrypted_length,
                  ike_message_t *ret_message)
{
    cursor_t packet = cursor_over(bytes, MIN(captured, reported)), body = packet, hashed;
    chain_t chain = { .major = 0 };
    size_t there = packet.left, on_wire;

    *ret_message = (ike_message_t){ .length = 0 };
    if (!header_read(&body, ret_message))
        return false;
    on_wire = MIN(MAX(ret_message->length, IKE_HEADER_LENGTH), reported);
    ret_message->is_malformed = ret_message->length < IKE_HEADER_LENGTH || ret_message->length > reported;
    ret_message->is_truncated = on_wire > there;
    if (cursor_cut(&packet, MIN(there, on_wire), &hashed))
        ret_message->fingerprint = fingerprint_of(hashed);
    chain.major = ret_message->major;
    chain.next_type = ret_message->next_payload;
    chain.missing = on_wire - MIN(there, on_wire);
    if (cursor_cut(&body, MIN(body.left, on_wire - IKE_HEADER_LENGTH), &chain.bytes))
        payloads_read(chain, cursor_over(decrypted, decrypted_length), ret_message);
    return true;
}

/* ---- messages in fragments ---- */

bool
ike_message_fragment_plaintext(const uint8_t *decrypted, size_t decrypted_length, size_t *ret_length)
{
    cursor_t payloads;

    if (!padding_v2_remove(cursor_over(decrypted, decrypted_length), &payloads))
        return false;
    *ret_length = payloads.left;
    return true;
}

void
ike_message_read_plaintext(const uint8_t *plaintext, size_t length, ike_message_t *message)
{
    if (message->first_inner != PAYLOAD_UNKNOWN)
        plaintext_v2_read(message->first_inner, cursor_over(plaintext, length), message);
}

/* ---- questions ---- */

bool
ike_message_is_init(const ike_message_t *message)
{
    return message->major == 2 && (message->exchange_type == IKEV2_SA_INIT || message->exchange_type == IKEV2_SESSION_RESUME);
}

bool
ike_message_is_past_authentication(const ike_message_t *message)
{
    return message->major == 2 &&
           (message->exchange_type == IKEV2_CREATE_CHILD_SA || message->exchange_type == IKEV2_INFORMATIONAL);
}

const notify_t *
ike_message_notify(const ike_message_t *message, uint16_t type)
{
    for (unsigned i = 0; i < message->notifies; i++) {
        if (message->notify[i].type == type)
            return &message->notify[i];
    }
    return NULL;
}

/* RFC 7296 3.10.1, RFC 2408 3.14.1. */
static bool
notify_is_error(unsigned major, uint16_t type)
{
    return type > 0 && type <= (major == 2 ? NOTIFY_ERROR_MAX : 31);
}

const notify_t *
ike_message_error(const ike_message_t *message)
{
    for (unsigned i = 0; i < message->notifies; i++) {
        if (notify_is_error(message->major, message->notify[i].type))
            return &message->notify[i];
    }
    return NULL;
}
