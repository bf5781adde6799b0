/* icmp_error.c - what does an ICMP error report, and about which packet?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/icmp_error.h"

#define ANY_CODE 0xff

/* The first row that fits counts. */
typedef struct {
    address_family_t family;
    uint8_t type, code;
    icmp_meaning_t meaning;
    const char *words;
} icmp_row_t;

/* Not here: redirects, which quote packets that were delivered. */
static const icmp_row_t rows[] = {
    { ADDRESS_IPV4, 3, 0, ICMP_NO_ROUTE, "network unreachable" }, /* RFC 792; codes from 5 on: RFC 1122 3.2.2.1, RFC 1812 5.2.7.1 */
    { ADDRESS_IPV4, 3, 1, ICMP_NO_ROUTE, "host unreachable" },
    { ADDRESS_IPV4, 3, 2, ICMP_NOT_LISTENING, "protocol unreachable" },
    { ADDRESS_IPV4, 3, 3, ICMP_NOT_LISTENING, "port unreachable" },
    { ADDRESS_IPV4, 3, 4, ICMP_TOO_BIG, "fragmentation needed" },
    { ADDRESS_IPV4, 3, 9, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV4, 3, 10, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV4, 3, 13, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV4, 3, ANY_CODE, ICMP_NO_ROUTE, "destination unreachable" },
    { ADDRESS_IPV4, 4, ANY_CODE, ICMP_OTHER, "source quench" },
    { ADDRESS_IPV4, 11, 0, ICMP_LOOP, "time to live exceeded" },
    { ADDRESS_IPV4, 11, ANY_CODE, ICMP_PIECES_MISSING, "fragment reassembly time exceeded" },
    { ADDRESS_IPV4, 12, ANY_CODE, ICMP_OTHER, "parameter problem" },
    { ADDRESS_IPV6, 1, 0, ICMP_NO_ROUTE, "no route to destination" }, /* RFC 4443 3.1 */
    { ADDRESS_IPV6, 1, 1, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV6, 1, 3, ICMP_NO_ROUTE, "address unreachable" },
    { ADDRESS_IPV6, 1, 4, ICMP_NOT_LISTENING, "port unreachable" },
    { ADDRESS_IPV6, 1, 5, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV6, 1, 6, ICMP_PROHIBITED, "administratively prohibited" },
    { ADDRESS_IPV6, 1, ANY_CODE, ICMP_NO_ROUTE, "destination unreachable" },
    { ADDRESS_IPV6, 2, ANY_CODE, ICMP_TOO_BIG, "packet too big" },
    { ADDRESS_IPV6, 3, 0, ICMP_LOOP, "hop limit exceeded" },
    { ADDRESS_IPV6, 3, ANY_CODE, ICMP_PIECES_MISSING, "fragment reassembly time exceeded" },
    { ADDRESS_IPV6, 4, 1, ICMP_NOT_LISTENING, "next header not recognized" }, /* RFC 4443 3.4: IPv6's protocol unreachable */
    { ADDRESS_IPV6, 4, ANY_CODE, ICMP_OTHER, "parameter problem" },
};

static const icmp_row_t *
row_of(address_family_t family, uint8_t type, uint8_t code)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].family == family && rows[i].type == type && (rows[i].code == code || rows[i].code == ANY_CODE))
            return &rows[i];
    }
    return NULL;
}

bool
icmp_is_error(address_family_t family, uint8_t type)
{
    return family == ADDRESS_IPV6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11 || type == 12;
}

/* RFC 4884 4: extensions may follow what is quoted; then a byte tells its length, in units of 4 bytes (ICMPv6: 8). `rest`: the last four
 * bytes of the ICMP header. */
static size_t
quote_length(address_family_t family, icmp_meaning_t meaning, uint32_t rest, size_t left)
{
    size_t told = family == ADDRESS_IPV6 ? (size_t)(rest >> 24) * 8 : (size_t)(rest >> 16 & 0xff) * 4;

    if (family == ADDRESS_IPV6 && (meaning == ICMP_TOO_BIG || meaning == ICMP_OTHER))
        return left; /* these four bytes are a number (RFC 4443 3.2, 3.4) */
    return told > 0 ? MIN(told, left) : left;
}

bool
icmp_error_read(address_family_t family, const uint8_t *bytes, size_t captured, icmp_error_t *ret_error)
{
    cursor_t cursor = cursor_over(bytes, captured);
    icmp_error_t error = { .mtu = 0 };
    uint32_t rest;

    if (!cursor_u8(&cursor, &error.type) || !cursor_u8(&cursor, &error.code) || !cursor_skip(&cursor, 2) ||
        !cursor_u32(&cursor, &rest))
        return false;
    const icmp_row_t *row = row_of(family, error.type, error.code);
    if (row == NULL)
        return false;
    if (row->meaning == ICMP_TOO_BIG)
        error.mtu = family == ADDRESS_IPV4 ? rest & 0xffff : rest;
    if (!ip_packet_read(cursor.next, quote_length(family, row->meaning, rest, cursor.left), &error.quoted) ||
        error.quoted.source.family != family)
        return false;
    *ret_error = error;
    return true;
}

icmp_meaning_t
icmp_meaning(address_family_t family, uint8_t type, uint8_t code)
{
    const icmp_row_t *row = row_of(family, type, code);
    return row != NULL ? row->meaning : ICMP_OTHER;
}

const char *
icmp_words(address_family_t family, uint8_t type, uint8_t code)
{
    const icmp_row_t *row = row_of(family, type, code);
    return row != NULL ? row->words : "ICMP error";
}

bool
icmp_meaning_is_undeliverable(icmp_meaning_t meaning)
{
    return meaning == ICMP_NO_ROUTE || meaning == ICMP_NOT_LISTENING || meaning == ICMP_PROHIBITED || meaning == ICMP_LOOP;
}
