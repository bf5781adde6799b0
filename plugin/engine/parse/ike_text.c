/* ike_text.c - how are identities and traffic selectors written?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/ike_text.h"

#include <stdarg.h>
#include <string.h>

text_t
text_over(char *buffer, size_t size)
{
    text_t text = { .buffer = buffer, .size = size };

    buffer[0] = '\0';
    return text;
}

void
text_append(text_t *text, const char *string)
{
    static const char ELLIPSIS[] = "...";
    size_t length = strlen(string), room = text->size - 1 - text->used;

    if (text->is_cut)
        return;
    text->is_cut = length > room;
    if (text->is_cut)
        length = room;
    memcpy(text->buffer + text->used, string, length);
    text->used += length;
    if (text->is_cut)
        memcpy(text->buffer + text->used - strlen(ELLIPSIS), ELLIPSIS, strlen(ELLIPSIS));
    text->buffer[text->used] = '\0';
}

void
text_printf(text_t *text, const char *format, ...)
{
    char piece[128];
    va_list arguments;

    va_start(arguments, format);
    g_vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    text_append(text, piece);
}

bool
text_keep_if(bool is_right, text_t *text)
{
    if (!is_right)
        *text = text_over(text->buffer, text->size);
    return is_right;
}

void
text_append_bytes(text_t *text, cursor_t bytes)
{
    uint8_t byte;

    while (!text->is_cut && cursor_u8(&bytes, &byte)) {
        char character[2] = { g_ascii_isprint((char)byte) ? (char)byte : '?', '\0' };

        text_append(text, character);
    }
}

static size_t
address_size(address_family_t family)
{
    return family == ADDRESS_IPV4 ? 4 : family == ADDRESS_IPV6 ? 16 : 0;
}

bool
address_read(cursor_t *cursor, address_family_t family, endpoint_t *ret_address)
{
    endpoint_t address = { .family = (uint8_t)family };
    size_t size = address_size(family);

    if (size == 0 || cursor->left < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!cursor_u8(cursor, &address.address[i]))
            return false;
    }
    *ret_address = address;
    return true;
}

static bool
bit_of(const endpoint_t *address, unsigned bit)
{
    return (address->address[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* Is the range first..last all of one prefix? Its length is the part both ends share; after it the first is all zeros
 * and the last all ones. */
static bool
range_is_prefix(const endpoint_t *first, const endpoint_t *last, unsigned *ret_length)
{
    unsigned bits = (unsigned)address_size((address_family_t)first->family) * 8, length = 0;

    while (length < bits && bit_of(first, length) == bit_of(last, length))
        length++;
    for (unsigned bit = length; bit < bits; bit++) {
        if (bit_of(first, bit) || !bit_of(last, bit))
            return false;
    }
    *ret_length = length;
    return true;
}

void
text_append_range(text_t *text, const endpoint_t *first, const endpoint_t *last)
{
    char address[ENDPOINT_TEXT_MAX];
    unsigned length;

    text_append(text, endpoint_address_text(first, address));
    if (range_is_prefix(first, last, &length)) {
        text_printf(text, "/%u", length);
        return;
    }
    text_append(text, "-");
    text_append(text, endpoint_address_text(last, address));
}

void
text_append_restriction(text_t *text, uint8_t protocol, uint16_t first_port, uint16_t last_port)
{
    bool any_port = first_port == 0 && last_port == UINT16_MAX;
    bool opaque_port = first_port == UINT16_MAX && last_port == 0;

    if (protocol == 0 && any_port)
        return;
    text_append(text, " [");
    if (protocol != 0)
        text_printf(text, "proto %u", protocol);
    if (protocol != 0 && !any_port)
        text_append(text, " ");
    if (opaque_port)
        text_append(text, "port opaque");
    else if (!any_port && first_port == last_port)
        text_printf(text, "port %u", first_port);
    else if (!any_port)
        text_printf(text, "port %u-%u", first_port, last_port);
    text_append(text, "]");
}

/* ---- X.500 names, as far as they are needed to read them: X.690 8.1, definite lengths only ---- */

enum { DER_OID = 0x06, DER_SEQUENCE = 0x30, DER_SET = 0x31 };

typedef struct {
    const char *name;
    uint8_t length;
    uint8_t oid[10];
} attribute_name_t;

/* RFC 4514 3 (short names), RFC 2985 5.2.1 (E) */
static const attribute_name_t attribute_names[] = {
    { .name = "CN", .length = 3, .oid = { 0x55, 0x04, 0x03 } },
    { .name = "serialNumber", .length = 3, .oid = { 0x55, 0x04, 0x05 } },
    { .name = "C", .length = 3, .oid = { 0x55, 0x04, 0x06 } },
    { .name = "L", .length = 3, .oid = { 0x55, 0x04, 0x07 } },
    { .name = "ST", .length = 3, .oid = { 0x55, 0x04, 0x08 } },
    { .name = "O", .length = 3, .oid = { 0x55, 0x04, 0x0a } },
    { .name = "OU", .length = 3, .oid = { 0x55, 0x04, 0x0b } },
    { .name = "E", .length = 9, .oid = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01 } },
    { .name = "DC", .length = 10, .oid = { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19 } },
};

static bool
der_read(cursor_t *cursor, uint8_t *ret_tag, cursor_t *ret_value)
{
    uint8_t tag, length_or_size;
    uint64_t length;

    if (!cursor_u8(cursor, &tag) || !cursor_u8(cursor, &length_or_size))
        return false;
    length = length_or_size;
    if (length_or_size >= 0x80 && !cursor_number(cursor, length_or_size & 0x7f, &length))
        return false;
    if (length > cursor->left || !cursor_cut(cursor, (size_t)length, ret_value))
        return false;
    *ret_tag = tag;
    return true;
}

static bool
der_read_tagged(cursor_t *cursor, uint8_t tag, cursor_t *ret_value)
{
    uint8_t found;

    return der_read(cursor, &found, ret_value) && found == tag;
}

static const char *
attribute_name(cursor_t oid)
{
    for (size_t i = 0; i < G_N_ELEMENTS(attribute_names); i++) {
        const attribute_name_t *row = &attribute_names[i];

        if (oid.left == row->length && memcmp(oid.next, row->oid, row->length) == 0)
            return row->name;
    }
    return "OID";
}

/* One attribute of a name: a set of sequences {OID, value}. */
static bool
text_append_attributes(text_t *text, cursor_t set)
{
    while (set.left > 0) {
        cursor_t pair, oid, value;
        uint8_t tag;

        if (!der_read_tagged(&set, DER_SEQUENCE, &pair) || !der_read_tagged(&pair, DER_OID, &oid) || !der_read(&pair, &tag, &value))
            return false;
        if (text->used > 0)
            text_append(text, ", ");
        text_append(text, attribute_name(oid));
        text_append(text, "=");
        text_append_bytes(text, value);
    }
    return true;
}

bool
text_append_distinguished_name(text_t *text, cursor_t name)
{
    char buffer[128];
    text_t draft = text_over(buffer, sizeof(buffer));
    cursor_t sequence, set;

    if (!der_read_tagged(&name, DER_SEQUENCE, &sequence) || name.left > 0)
        return false;
    while (sequence.left > 0) {
        if (!der_read_tagged(&sequence, DER_SET, &set) || !text_append_attributes(&draft, set))
            return false;
    }
    text_append(text, buffer);
    return draft.used > 0;
}
