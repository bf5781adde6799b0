/* ike_payload_v1.c - what do the payloads of an IKEv1 message say (RFC 2408 3.4 to 3.16, RFC 2407 4.6, RFC 3706)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_payload.h"

#define NONCE_LEAST 8u /* RFC 2409 5 */
#define NONCE_MOST 256u
#define DOI_MOST 2u     /* generic, IPsec, GDOI */
#define PROTOCOL_MOST 4 /* RFC 2407 4.4.1: ISAKMP, AH, ESP, IPCOMP */
#define XAUTH_STATUS 16527
#define XAUTH_STATUS_FAILED 0
#define PAYLOAD_V1_ATTRIBUTES 14 /* the Transaction exchange's "Mode Config" */

/* RFC 2407 4.6.2.1 */
enum {
    ID_IPV4 = 1,
    ID_FQDN = 2,
    ID_USER_FQDN = 3,
    ID_IPV4_SUBNET = 4,
    ID_IPV6 = 5,
    ID_IPV6_SUBNET = 6,
    ID_IPV4_RANGE = 7,
    ID_IPV6_RANGE = 8,
    ID_DER_DN = 9,
    ID_KEY_ID = 11,
};

typedef enum { ID_IS_NAME, ID_IS_ADDRESS, ID_IS_SUBNET, ID_IS_RANGE } id_form_t;

typedef struct {
    const char *prefix; /* before an identity; selectors have none */
    id_form_t form;
    address_family_t family;
} id_row_t;

static const id_row_t id_rows[] = {
    [ID_IPV4] = { .prefix = "ipv4:", .form = ID_IS_ADDRESS, .family = ADDRESS_IPV4 },
    [ID_FQDN] = { .prefix = "fqdn:", .form = ID_IS_NAME },
    [ID_USER_FQDN] = { .prefix = "email:", .form = ID_IS_NAME },
    [ID_IPV4_SUBNET] = { .prefix = "ipv4:", .form = ID_IS_SUBNET, .family = ADDRESS_IPV4 },
    [ID_IPV6] = { .prefix = "ipv6:", .form = ID_IS_ADDRESS, .family = ADDRESS_IPV6 },
    [ID_IPV6_SUBNET] = { .prefix = "ipv6:", .form = ID_IS_SUBNET, .family = ADDRESS_IPV6 },
    [ID_IPV4_RANGE] = { .prefix = "ipv4:", .form = ID_IS_RANGE, .family = ADDRESS_IPV4 },
    [ID_IPV6_RANGE] = { .prefix = "ipv6:", .form = ID_IS_RANGE, .family = ADDRESS_IPV6 },
    [ID_KEY_ID] = { .prefix = "keyid:", .form = ID_IS_NAME },
};

/* IANA isakmp-registry: 1 to 20 by RFC 2408, 3547 and 3947; 130 to 137 are draft numbers still in use (NAT traversal,
 * fragmentation). */
bool
payload_v1_is_plausible(uint8_t type)
{
    return (type >= 1 && type <= 20) || (type >= 130 && type <= 137);
}

/* Turns address and netmask into the first and last address of the subnet. False: the mask has holes. */
static bool
subnet_to_range(endpoint_t *address, endpoint_t *mask_to_last)
{
    bool host_part = false, is_mask = true;

    for (unsigned bit = 0; bit < 128; bit++) {
        uint8_t one = (uint8_t)(0x80u >> bit % 8);
        bool is_set = (mask_to_last->address[bit / 8] & one) != 0;

        is_mask = is_mask && !(host_part && is_set);
        host_part = host_part || !is_set;
    }
    if (!is_mask)
        return false;
    for (unsigned i = 0; i < (address->family == ADDRESS_IPV4 ? 4u : 16u); i++) {
        uint8_t host_bits = (uint8_t)~mask_to_last->address[i];

        address->address[i] = (uint8_t)(address->address[i] & ~host_bits);
        mask_to_last->address[i] = address->address[i] | host_bits;
    }
    return true;
}

static void
text_append_masked(text_t *text, const endpoint_t *address, const endpoint_t *mask)
{
    char buffer[ENDPOINT_TEXT_MAX];

    text_append(text, endpoint_address_text(address, buffer));
    text_append(text, "/");
    text_append(text, endpoint_address_text(mask, buffer));
}

/* An address, a subnet or a range, which must be all of `body`. A single address is a range of one when it is a selector. */
static bool
addresses_read(cursor_t body, const id_row_t *row, bool is_selector, text_t *text)
{
    char buffer[ENDPOINT_TEXT_MAX];
    endpoint_t first, last;

    if (!address_read(&body, row->family, &first))
        return false;
    last = first;
    if (row->form != ID_IS_ADDRESS && !address_read(&body, row->family, &last))
        return false;
    if (body.left > 0)
        return false;
    if (row->form == ID_IS_ADDRESS && !is_selector)
        text_append(text, endpoint_address_text(&first, buffer));
    else if (row->form == ID_IS_SUBNET && !subnet_to_range(&first, &last))
        text_append_masked(text, &first, &last);
    else
        text_append_range(text, &first, &last);
    return true;
}

static const id_row_t *
id_row(uint8_t type)
{
    return type < G_N_ELEMENTS(id_rows) && id_rows[type].prefix ? &id_rows[type] : NULL;
}

static bool
id_value_read(cursor_t body, uint8_t type, bool is_selector, text_t *text)
{
    const id_row_t *row = id_row(type);

    if (type == ID_DER_DN) {
        text_append(text, "dn:");
        if (!text_append_distinguished_name(text, body))
            text_append(text, "?");
        return true;
    }
    if (!row) {
        text_printf(text, "type %u", type);
        return true;
    }
    if (!is_selector || row->form == ID_IS_NAME)
        text_append(text, row->prefix);
    if (row->form != ID_IS_NAME)
        return addresses_read(body, row, is_selector, text);
    text_append_bytes(text, body);
    return true;
}

/* RFC 2407 4.6.2. Quick Mode's IDs are the traffic selectors, IDci first (RFC 2409 5.5); there port 0 means any. */
static bool
id_read(cursor_t body, ike_message_t *message)
{
    bool is_selector = message->exchange_type == IKEV1_QUICK_MODE;
    text_t text;
    uint8_t type, protocol;
    uint16_t port;

    if (!cursor_u8(&body, &type) || !cursor_u8(&body, &protocol) || !cursor_u16(&body, &port))
        return false;
    if (!is_selector)
        text = text_over(message->identity_i, sizeof(message->identity_i));
    else if (message->selectors_i[0] == '\0')
        text = text_over(message->selectors_i, sizeof(message->selectors_i));
    else
        text = text_over(message->selectors_r, sizeof(message->selectors_r));
    if (!text_keep_if(id_value_read(body, type, is_selector, &text), &text))
        return false;
    if (is_selector)
        text_append_restriction(&text, protocol, port, port == 0 ? UINT16_MAX : port);
    return true;
}

static bool
sa_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    proposal_list_t further = { .proposals = 0 };
    bool is_first = !message->has_sa;

    message->has_sa = true;
    return sa_payload_v1_read(body, reading, is_first ? &message->sa : &further);
}

static bool
doi_and_protocol_are_plausible(uint32_t doi, uint8_t protocol, uint8_t spi_size)
{
    return doi <= DOI_MOST && protocol <= PROTOCOL_MOST && spi_size <= 16;
}

/* What does not read as lifetimes says nothing, and is no reason to doubt the message. */
static void
responder_lifetime_read(cursor_t body, notify_t *notify)
{
    uint32_t seconds = 0, kilobytes = 0;

    if (!cursor_skip(&body, notify->spi_size) || !lifetime_v1_read(body, notify->protocol, &seconds, &kilobytes))
        return;
    notify->life_seconds = seconds;
    notify->life_kilobytes = kilobytes;
}

static bool
notify_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    notify_t notify = { .type = 0 };
    uint32_t doi;

    if (!cursor_u32(&body, &doi) || !cursor_u8(&body, &notify.protocol) || !cursor_u8(&body, &notify.spi_size) ||
        !cursor_u16(&body, &notify.type))
        return false;
    if (reading == READ_DECRYPTED && !doi_and_protocol_are_plausible(doi, notify.protocol, notify.spi_size))
        return false;
    if (notify.type == NOTIFY_V1_RESPONDER_LIFETIME)
        responder_lifetime_read(body, &notify);
    return notify_finish(body, &notify, message);
}

static bool
delete_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    uint32_t doi;
    uint8_t protocol, spi_size;
    uint16_t count;

    if (!cursor_u32(&body, &doi) || !cursor_u8(&body, &protocol) || !cursor_u8(&body, &spi_size) || !cursor_u16(&body, &count))
        return false;
    if (reading == READ_DECRYPTED && (protocol == 0 || !doi_and_protocol_are_plausible(doi, protocol, spi_size)))
        return false;
    return delete_finish(body, protocol, spi_size, count, message);
}

/* The hash of a negotiated algorithm: MD5, SHA-1, SHA2-256, SHA2-384, SHA2-512. In the clear messages of Aggressive Mode
 * it needs no proof. */
static bool
hash_read(cursor_t body, reading_t reading)
{
    return reading == READ_CLEAR || body.left == 16 || body.left == 20 || body.left == 32 || body.left == 48 || body.left == 64;
}

static bool
nonce_read(cursor_t body, reading_t reading)
{
    return reading == READ_CLEAR || (body.left >= NONCE_LEAST && body.left <= NONCE_MOST);
}

/* RFC 3947 3.2: the first is the hash of where the message goes, the others are of where it comes from. */
static void
nat_detection_read(cursor_t body, ike_message_t *message)
{
    if (message->nat.payloads++ == 0)
        nat_destination_keep(body, message);
    else
        nat_source_keep(body, message);
}

/* Type, a reserved byte, an identifier, then data attributes (draft-dukes-ike-mode-cfg, draft-beaulieu-ike-xauth 6.2). Those who encrypt
 * pad them, so the attributes end where they stop making sense. */
static bool
configuration_read(cursor_t body, ike_message_t *message)
{
    attribute_t attribute;

    if (!cursor_skip(&body, 4))
        return false;
    message->has_configuration = true;
    while (body.left >= 4 && attribute_read(&body, &attribute)) {
        if (attribute.type == XAUTH_STATUS && attribute.is_short && attribute.number == XAUTH_STATUS_FAILED)
            message->xauth_failed = true;
    }
    return true;
}

bool
payload_v1_read(uint8_t type, cursor_t body, reading_t reading, ike_message_t *message)
{
    switch (type) {
    case PAYLOAD_V1_SA:
        return sa_read(body, reading, message);
    case PAYLOAD_V1_KE:
        message->has_ke = message->has_ke || body.left > 0;
        return body.left > 0;
    case PAYLOAD_V1_ID:
        return id_read(body, message);
    case PAYLOAD_V1_HASH:
        return hash_read(body, reading);
    case PAYLOAD_V1_NONCE:
        return nonce_read(body, reading);
    case PAYLOAD_V1_NOTIFY:
        return notify_read(body, reading, message);
    case PAYLOAD_V1_DELETE:
        return delete_read(body, reading, message);
    case PAYLOAD_V1_NAT_D:
    case PAYLOAD_V1_NAT_D_DRAFT:
        nat_detection_read(body, message);
        return true;
    case PAYLOAD_V1_ATTRIBUTES:
        return configuration_read(body, message);
    default:
        return true;
    }
}
