/* endpoint.c - are two endpoints the same, and how is one written and read?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/endpoint.h"

#define IPV6_GROUPS 8

/* FNV-1a. */
unsigned
endpoint_address_hash(const endpoint_t *endpoint)
{
    uint32_t hash = (UINT32_C(2166136261) ^ endpoint->family) * UINT32_C(16777619);

    for (size_t i = 0; i < sizeof(endpoint->address); i++)
        hash = (hash ^ endpoint->address[i]) * UINT32_C(16777619);
    return hash;
}

unsigned
endpoint_hash(const endpoint_t *endpoint)
{
    return endpoint_address_hash(endpoint) * 31u + endpoint->port;
}

bool
endpoint_is_private(const endpoint_t *endpoint)
{
    static const struct {
        uint8_t family, address[2], mask[2];
    } ranges[] = {
        { ADDRESS_IPV4, { 10, 0 }, { 0xff, 0 } },         { ADDRESS_IPV4, { 172, 16 }, { 0xff, 0xf0 } },
        { ADDRESS_IPV4, { 192, 168 }, { 0xff, 0xff } },   { ADDRESS_IPV4, { 100, 64 }, { 0xff, 0xc0 } },
        { ADDRESS_IPV4, { 169, 254 }, { 0xff, 0xff } },   { ADDRESS_IPV6, { 0xfc, 0 }, { 0xfe, 0 } },
        { ADDRESS_IPV6, { 0xfe, 0x80 }, { 0xff, 0xc0 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (endpoint->family == ranges[i].family && (endpoint->address[0] & ranges[i].mask[0]) == ranges[i].address[0] &&
            (endpoint->address[1] & ranges[i].mask[1]) == ranges[i].address[1])
            return true;
    }
    return false;
}

static void
ipv6_groups(const endpoint_t *endpoint, unsigned ret_group[IPV6_GROUPS])
{
    for (unsigned i = 0; i < IPV6_GROUPS; i++)
        ret_group[i] = (unsigned)endpoint->address[2 * i] << 8 | endpoint->address[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals (RFC 5952 4.2). Returns its length, 0: none. */
static unsigned
longest_zero_run(const unsigned group[IPV6_GROUPS], unsigned *ret_start)
{
    unsigned longest = 1, length = 0;

    for (unsigned i = 0; i < IPV6_GROUPS; i++) {
        length = group[i] == 0 ? length + 1 : 0;
        if (length > longest) {
            longest = length;
            *ret_start = i + 1 - length;
        }
    }
    return longest > 1 ? longest : 0;
}

/* RFC 5952 5: an IPv4-mapped address is written with its IPv4 address. */
static bool
is_ipv4_mapped(const unsigned group[IPV6_GROUPS])
{
    return group[0] == 0 && group[1] == 0 && group[2] == 0 && group[3] == 0 && group[4] == 0 && group[5] == 0xffff;
}

static void
ipv6_text(const endpoint_t *endpoint, char buffer[ENDPOINT_TEXT_MAX])
{
    const uint8_t *address = endpoint->address;
    unsigned group[IPV6_GROUPS], start = IPV6_GROUPS, zeros;
    size_t used = 0;

    ipv6_groups(endpoint, group);
    if (is_ipv4_mapped(group)) {
        g_snprintf(buffer, ENDPOINT_TEXT_MAX, "::ffff:%u.%u.%u.%u", address[12], address[13], address[14], address[15]);
        return;
    }
    zeros = longest_zero_run(group, &start);
    buffer[0] = '\0';
    for (unsigned i = 0; i < IPV6_GROUPS; i++) {
        bool is_after_run = zeros > 0 && i == start + zeros;

        if (zeros > 0 && i == start)
            used = g_strlcat(buffer, "::", ENDPOINT_TEXT_MAX);
        if (zeros > 0 && i >= start && i < start + zeros)
            continue;
        g_snprintf(buffer + used, (gulong)(ENDPOINT_TEXT_MAX - used), i == 0 || is_after_run ? "%x" : ":%x", group[i]);
        used = strlen(buffer);
    }
}

const char *
endpoint_address_text(const endpoint_t *endpoint, char buffer[ENDPOINT_TEXT_MAX])
{
    const uint8_t *address = endpoint->address;

    switch (endpoint->family) {
    case ADDRESS_IPV4:
        g_snprintf(buffer, ENDPOINT_TEXT_MAX, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
        break;
    case ADDRESS_IPV6:
        ipv6_text(endpoint, buffer);
        break;
    default:
        g_strlcpy(buffer, "?", ENDPOINT_TEXT_MAX);
        break;
    }
    return buffer;
}

const char *
endpoint_text(const endpoint_t *endpoint, char buffer[ENDPOINT_TEXT_MAX])
{
    char address[ENDPOINT_TEXT_MAX];

    endpoint_address_text(endpoint, address);
    if (endpoint->port == 0)
        g_strlcpy(buffer, address, ENDPOINT_TEXT_MAX);
    else
        g_snprintf(buffer, ENDPOINT_TEXT_MAX, endpoint->family == ADDRESS_IPV6 ? "[%s]:%u" : "%s:%u", address, endpoint->port);
    return buffer;
}

static bool
read_ipv4(const char *text, size_t length, uint8_t ret_bytes[4])
{
    unsigned value = 0, digits = 0, parts = 0;
    uint8_t bytes[4];

    for (size_t i = 0; i <= length; i++) {
        if (i < length && g_ascii_isdigit(text[i]) && digits < 3) {
            value = value * 10 + (unsigned)(text[i] - '0');
            digits++;
        } else if (digits > 0 && value <= 255 && parts < 4 && (i == length || text[i] == '.')) {
            bytes[parts++] = (uint8_t)value;
            value = digits = 0;
        } else {
            return false;
        }
    }
    if (parts != 4)
        return false;
    memcpy(ret_bytes, bytes, sizeof(bytes));
    return true;
}

static bool
read_group(const char *text, size_t length, uint8_t ret_bytes[2])
{
    unsigned value = 0;

    if (length == 0 || length > 4)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return false;
        value = value << 4 | (unsigned)g_ascii_xdigit_value(text[i]);
    }
    ret_bytes[0] = (uint8_t)(value >> 8);
    ret_bytes[1] = (uint8_t)value;
    return true;
}

static bool
is_at(const char *text, size_t length, size_t at, char wanted)
{
    return at < length && text[at] == wanted;
}

/* Eight groups; "::" stands for those of zeros that are left out; the last two may be written as an IPv4 address. */
static bool
read_ipv6(const char *text, size_t length, uint8_t ret_bytes[16])
{
    uint8_t bytes[16] = { 0 };
    size_t used = 0, gap = sizeof(bytes), at = 0;

    if (is_at(text, length, 0, ':') && is_at(text, length, 1, ':')) {
        gap = 0;
        at = 2;
    }
    while (at < length) {
        const char *colon = memchr(text + at, ':', length - at);
        const size_t size = colon != NULL ? (size_t)(colon - (text + at)) : length - at;

        if (colon == NULL && used <= sizeof(bytes) - 4 && read_ipv4(text + at, size, bytes + used)) {
            used += 4;
            break;
        }
        if (used > sizeof(bytes) - 2 || !read_group(text + at, size, bytes + used))
            return false;
        used += 2;
        at += size;
        if (colon == NULL)
            break;
        at++;
        if (is_at(text, length, at, ':') && gap == sizeof(bytes) && used < sizeof(bytes)) {
            gap = used;
            at++;
        } else if (at == length) {
            return false;
        }
    }
    if (gap == sizeof(bytes) ? used != sizeof(bytes) : used > sizeof(bytes) - 2)
        return false;
    memset(ret_bytes, 0, sizeof(bytes));
    memcpy(ret_bytes, bytes, MIN(gap, used));
    if (gap < used)
        memcpy(ret_bytes + sizeof(bytes) - (used - gap), bytes + gap, used - gap);
    return true;
}

bool
endpoint_read_address(const char *text, size_t length, endpoint_t *ret_endpoint)
{
    uint8_t bytes[16];

    if (read_ipv4(text, length, bytes))
        *ret_endpoint = endpoint_from_bytes(ADDRESS_IPV4, bytes, 0);
    else if (read_ipv6(text, length, bytes))
        *ret_endpoint = endpoint_from_bytes(ADDRESS_IPV6, bytes, 0);
    else
        return false;
    return true;
}
