/* ike_payload_v2.c - what do the payloads of an IKEv2 message say (RFC 7296 3.3 to 3.16)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_payload.h"

#define NONCE_LEAST 16u /* RFC 7296 3.9 */
#define NONCE_MOST 256u
#define PROTOCOL_MOST 6 /* IANA: IKE, AH, ESP, FC_ESP_HEADER, FC_CT_AUTHENTICATION, GIKE_UPDATE */

enum { ID_IPV4 = 1, ID_FQDN = 2, ID_RFC822 = 3, ID_IPV6 = 5, ID_DER_DN = 9, ID_KEY_ID = 11, ID_NULL = 13 };
enum { TS_IPV4_RANGE = 7, TS_IPV6_RANGE = 8 };

/* IANA ikev2-parameters: 33 to 58 are assigned; an SK or SKF payload has no place inside another. */
bool
payload_v2_is_plausible(uint8_t type)
{
    if (type == PAYLOAD_ENCRYPTED || type == PAYLOAD_FRAGMENT)
        return false;
    return (type >= PAYLOAD_SA && type <= 60) || type >= 128;
}

static bool
sa_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    proposal_list_t further = { .proposals = 0 };
    bool is_first = !message->has_sa;

    message->has_sa = true;
    return sa_payload_v2_read(body, reading, is_first ? &message->sa : &further);
}

static bool
ke_read(cursor_t body, ike_message_t *message)
{
    uint16_t group, reserved;

    if (!cursor_u16(&body, &group) || !cursor_u16(&body, &reserved) || body.left == 0)
        return false;
    message->has_ke = true;
    message->ke_group = group;
    return true;
}

static bool
nonce_read(cursor_t body, reading_t reading)
{
    return reading == READ_CLEAR || (body.left >= NONCE_LEAST && body.left <= NONCE_MOST);
}

static bool
notify_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    notify_t notify = { .type = 0 };

    if (!cursor_u8(&body, &notify.protocol) || !cursor_u8(&body, &notify.spi_size) || !cursor_u16(&body, &notify.type))
        return false;
    if (reading == READ_DECRYPTED && (notify.protocol > PROTOCOL_MOST || notify.spi_size > sizeof(notify.spi)))
        return false;
    if (notify.spi_size == 0 && notify.type == NOTIFY_NAT_DETECTION_SOURCE_IP)
        nat_source_keep(body, message);
    else if (notify.spi_size == 0 && notify.type == NOTIFY_NAT_DETECTION_DESTINATION_IP)
        nat_destination_keep(body, message);
    return notify_finish(body, &notify, message);
}

static bool
delete_read(cursor_t body, reading_t reading, ike_message_t *message)
{
    uint8_t protocol, spi_size;
    uint16_t count;

    if (!cursor_u8(&body, &protocol) || !cursor_u8(&body, &spi_size) || !cursor_u16(&body, &count))
        return false;
    if (reading == READ_DECRYPTED && (protocol < PROTOCOL_IKE || protocol > PROTOCOL_MOST))
        return false;
    return delete_finish(body, protocol, spi_size, count, message);
}

/* RFC 7296 3.5. An address must have the size of one. */
static bool
identity_value_read(cursor_t body, text_t *text)
{
    char address[ENDPOINT_TEXT_MAX];
    endpoint_t endpoint;
    uint8_t type;

    if (!cursor_u8(&body, &type) || !cursor_skip(&body, 3))
        return false;
    switch (type) {
    case ID_IPV4:
    case ID_IPV6:
        if (!address_read(&body, type == ID_IPV4 ? ADDRESS_IPV4 : ADDRESS_IPV6, &endpoint) || body.left > 0)
            return false;
        text_printf(text, "%s:%s", type == ID_IPV4 ? "ipv4" : "ipv6", endpoint_address_text(&endpoint, address));
        return true;
    case ID_FQDN:
    case ID_RFC822:
    case ID_KEY_ID:
        text_append(text, type == ID_FQDN ? "fqdn:" : type == ID_RFC822 ? "email:" : "keyid:");
        text_append_bytes(text, body);
        return true;
    case ID_DER_DN:
        text_append(text, "dn:");
        if (!text_append_distinguished_name(text, body))
            text_append(text, "?");
        return true;
    case ID_NULL: /* RFC 7619 2.2 */
        text_append(text, "null");
        return true;
    default:
        text_printf(text, "type %u", type);
        return true;
    }
}

static bool
identity_read(cursor_t body, char identity[IDENTITY_TEXT_MAX])
{
    text_t text = text_over(identity, IDENTITY_TEXT_MAX);

    return text_keep_if(identity_value_read(body, &text), &text);
}

/* RFC 7296 3.13.1. A selector of another type (RFC 4595, RFC 9478) is skipped by its length. */
static bool
selector_read(cursor_t *selectors, reading_t reading, text_t *text)
{
    uint8_t type, protocol;
    uint16_t length, first_port, last_port;
    address_family_t family;
    endpoint_t first, last;
    cursor_t body;

    if (!cursor_u8(selectors, &type) || !cursor_u8(selectors, &protocol) || !cursor_u16(selectors, &length))
        return false;
    if (length < 4 || !cursor_cut(selectors, length - 4u, &body))
        return false;
    if (text->used > 0)
        text_append(text, " ");
    if (type != TS_IPV4_RANGE && type != TS_IPV6_RANGE) {
        text_printf(text, "type %u", type);
        return reading == READ_CLEAR || (type > TS_IPV6_RANGE && type < 16);
    }
    family = type == TS_IPV4_RANGE ? ADDRESS_IPV4 : ADDRESS_IPV6;
    if (!cursor_u16(&body, &first_port) || !cursor_u16(&body, &last_port) || !address_read(&body, family, &first) ||
        !address_read(&body, family, &last) || body.left > 0)
        return false;
    text_append_range(text, &first, &last);
    text_append_restriction(text, protocol, first_port, last_port);
    return true;
}

/* RFC 7296 3.13: a number of selectors, three reserved bytes, and exactly that many selectors. */
static bool
selectors_read(cursor_t body, reading_t reading, char selectors[SELECTOR_TEXT_MAX])
{
    text_t text = text_over(selectors, SELECTOR_TEXT_MAX);
    uint8_t announced;
    unsigned read = 0;

    if (!cursor_u8(&body, &announced) || !cursor_skip(&body, 3))
        return false;
    for (; body.left > 0; read++) {
        if (!selector_read(&body, reading, &text))
            return text_keep_if(false, &text);
    }
    return text_keep_if(read == announced, &text);
}

/* RFC 7296 3.15: type, three reserved bytes, attributes whose lengths add up. */
static bool
configuration_read(cursor_t body, ike_message_t *message)
{
    uint8_t type;
    uint16_t attribute, length;

    if (!cursor_u8(&body, &type) || !cursor_skip(&body, 3))
        return false;
    message->has_configuration = true;
    while (body.left > 0) {
        if (!cursor_u16(&body, &attribute) || !cursor_u16(&body, &length) || !cursor_skip(&body, length))
            return false;
    }
    return true;
}

/* RFC 7296 3.16: the EAP message has its own length field, which covers the payload body. */
static bool
eap_read(cursor_t body, ike_message_t *message)
{
    size_t whole = body.left;
    uint8_t code, identifier;
    uint16_t length;

    if (!cursor_u8(&body, &code) || !cursor_u8(&body, &identifier) || !cursor_u16(&body, &length))
        return false;
    message->has_eap = true;
    message->eap_code = code;
    return length == whole;
}

bool
payload_v2_read(uint8_t type, cursor_t body, reading_t reading, ike_message_t *message)
{
    switch (type) {
    case PAYLOAD_SA:
        return sa_read(body, reading, message);
    case PAYLOAD_KE:
        return ke_read(body, message);
    case PAYLOAD_IDI:
        return identity_read(body, message->identity_i);
    case PAYLOAD_IDR:
        return identity_read(body, message->identity_r);
    case PAYLOAD_AUTH:
        return cursor_skip(&body, 4);
    case PAYLOAD_NONCE:
        return nonce_read(body, reading);
    case PAYLOAD_NOTIFY:
        return notify_read(body, reading, message);
    case PAYLOAD_DELETE:
        return delete_read(body, reading, message);
    case PAYLOAD_TSI:
        return selectors_read(body, reading, message->selectors_i);
    case PAYLOAD_TSR:
        return selectors_read(body, reading, message->selectors_r);
    case PAYLOAD_CONFIGURATION:
        return configuration_read(body, message);
    case PAYLOAD_EAP:
        return eap_read(body, message);
    default:
        return true;
    }
}
