/* syslog.c - does a syslog message report a received packet with an SPI that its receiver does not know?
 *
 * Neither of the headers (RFC 3164, RFC 5424) is read: devices write them as they like. Words that only this message has are looked
 * for, and the values after them. Everything is text that anybody may have written: no value is believed before it is read whole.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/syslog.h"

#include <string.h>

enum { PROTOCOL_ESP = 50, PROTOCOL_AH = 51 };

typedef enum { DECIMAL = 10, HEXADECIMAL = 16 } base_t;

/* ---- words ---- */

static char
peek(const cursor_t *text)
{
    return text->left > 0 ? (char)*text->next : '\0';
}

static void
step(cursor_t *text)
{
    uint8_t byte;

    if (cursor_u8(text, &byte))
        return;
}

static bool
begins_with(const cursor_t *text, const char *word)
{
    const size_t length = strlen(word);

    return text->left >= length && memcmp(text->next, word, length) == 0;
}

/* What follows the first `word` in `text`. */
static bool
find(cursor_t text, const char *word, cursor_t *ret_rest)
{
    while (text.left > 0) {
        const uint8_t *at = memchr(text.next, word[0], text.left);

        if (at == NULL || !cursor_skip(&text, (size_t)(at - text.next)))
            return false;
        if (begins_with(&text, word) && cursor_skip(&text, strlen(word))) {
            *ret_rest = text;
            return true;
        }
        step(&text);
    }
    return false;
}

static bool
is_of_a_word(char character)
{
    return g_ascii_isalnum(character) || character == '_';
}

/* The value behind the first `key` that is a word of its own: "spi= 0x1", "spi='1'". `key` ends with the equals sign. */
static bool
find_value(const cursor_t *text, const char *key, cursor_t *ret_value)
{
    cursor_t rest = *text;

    while (find(rest, key, &rest)) {
        const uint8_t *word = rest.next - strlen(key);

        if (word > text->next && is_of_a_word((char)word[-1]))
            continue;
        while (peek(&rest) == ' ' || peek(&rest) == '"' || peek(&rest) == '\'')
            step(&rest);
        *ret_value = rest;
        return true;
    }
    return false;
}

/* ---- values ---- */

/* Moves `text` past the number; "0x" makes any number hexadecimal. False: none, too large, or part of a longer word. */
static bool
take_number(cursor_t *text, base_t base, uint32_t *ret_number)
{
    cursor_t rest = *text;
    uint64_t number = 0;
    unsigned digits = 0;

    if ((begins_with(&rest, "0x") || begins_with(&rest, "0X")) && cursor_skip(&rest, 2))
        base = HEXADECIMAL;
    for (; base == HEXADECIMAL ? g_ascii_isxdigit(peek(&rest)) : g_ascii_isdigit(peek(&rest)); step(&rest), digits++) {
        number = number * (unsigned)base + (unsigned)g_ascii_xdigit_value(peek(&rest));
        if (number > UINT32_MAX)
            return false;
    }
    if (digits == 0 || is_of_a_word(peek(&rest)))
        return false;
    *text = rest;
    *ret_number = (uint32_t)number;
    return true;
}

/* "0xB761863E(3076621886)", "3076621886(0xb761863e)", "0xB761863E()": the first of both counts, the other may be missing or, where
 * somebody made addresses and keys unreadable, contradict it. */
static bool
take_number_twice(cursor_t *text, uint32_t *ret_number)
{
    if (take_number(text, DECIMAL, ret_number))
        return true;
    if (peek(text) != '(')
        return false;
    step(text);
    return take_number(text, DECIMAL, ret_number);
}

static bool
is_of_an_address(char character)
{
    return g_ascii_isxdigit(character) || character == '.' || character == ':';
}

static bool
read_address(cursor_t token, endpoint_t *ret_address)
{
    while (token.left > 0 && (token.next[token.left - 1] == '.' || token.next[token.left - 1] == ':'))
        token.left--; /* of the sentence */
    return token.left > 0 && endpoint_read_address((const char *)token.next, token.left, ret_address);
}

static bool
take_address(cursor_t *text, endpoint_t *ret_address)
{
    cursor_t token = *text;

    while (is_of_an_address(peek(text)))
        step(text);
    token.left -= text->left;
    return read_address(token, ret_address);
}

static void
find_address(const cursor_t *text, const char *key, endpoint_t *ret_address)
{
    cursor_t value;

    if (find_value(text, key, &value) && !take_address(&value, ret_address))
        *ret_address = (endpoint_t){ .family = ADDRESS_NONE };
}

static uint8_t
protocol_named(const cursor_t *text)
{
    if (begins_with(text, "50") || begins_with(text, "ESP") || begins_with(text, "esp"))
        return PROTOCOL_ESP;
    return begins_with(text, "51") || begins_with(text, "AH") || begins_with(text, "ah") ? PROTOCOL_AH : 0;
}

static void
find_sequence(const cursor_t *text, const char *key, base_t base, syslog_report_t *report)
{
    cursor_t value;

    report->has_sequence = find_value(text, key, &value) && take_number(&value, base, &report->sequence);
}

/* ---- one function per form of the message; `rest` is what follows its marker in `line` ---- */

/* Cisco IOS, IOS XE, PIX: "... has invalid spi for destaddr=20.1.1.2, prot=50, spi=0xB761863E(3076621886), srcaddr=10.1.1.1,
 * input interface=...". */
static bool
read_ios(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t value;

    (void)line;
    find_address(rest, "destaddr=", &report->destination);
    find_address(rest, "srcaddr=", &report->source);
    if (find_value(rest, "prot=", &value))
        report->protocol = protocol_named(&value);
    return find_value(rest, "spi=", &value) && take_number_twice(&value, &report->spi);
}

/* Cisco ASA: "... Received an ESP packet (SPI= 0x47068DBF, sequence number= 0x2D) from 10.1.1.1 (user= x) to 20.1.1.2 with an invalid
 * SPI." */
static bool
read_asa(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t value, after;

    (void)line;
    report->protocol = protocol_named(rest);
    find_sequence(rest, "number=", DECIMAL, report);
    if (find(*rest, " from ", &after)) {
        if (!take_address(&after, &report->source))
            report->source = (endpoint_t){ .family = ADDRESS_NONE };
        if (find(after, " to ", &after) && !take_address(&after, &report->destination))
            report->destination = (endpoint_t){ .family = ADDRESS_NONE };
    }
    return find_value(rest, "SPI=", &value) && take_number(&value, DECIMAL, &report->spi);
}

/* FortiOS: 'remip=10.1.1.1 locip=20.1.1.2 ... error_num="Received ESP packet with unknown SPI." spi="3a4e6946" seq="0000002d"'. */
static bool
read_fortios(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t value;

    (void)rest;
    report->protocol = PROTOCOL_ESP;
    find_address(line, "remip=", &report->source);
    find_address(line, "locip=", &report->destination);
    find_sequence(line, "seq=", HEXADECIMAL, report);
    return find_value(line, "spi=", &value) && take_number(&value, HEXADECIMAL, &report->spi);
}

/* ScreenOS: "... received a packet with a bad SPI. 10.1.1.1->20.1.1.2/96, ESP, SPI 0xf5b25b5b, SEQ 0x1." */
static bool
read_screenos(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t token = *rest, after, value;

    (void)line;
    while (token.left > 0 && (peek(&token) == '.' || peek(&token) == ' '))
        step(&token);
    if (!take_address(&token, &report->source) || !begins_with(&token, "->") || !cursor_skip(&token, 2) ||
        !take_address(&token, &report->destination))
        return false;
    after = token;
    if (find(after, ", ", &value))
        report->protocol = protocol_named(&value);
    if (find(after, "SEQ ", &value))
        report->has_sequence = take_number(&value, DECIMAL, &report->sequence);
    return find(after, "SPI ", &value) && take_number(&value, DECIMAL, &report->spi);
}

/* Linux, an audit record: "op=SA-notfound src=10.1.1.1 dst=20.1.1.2 spi=3076621886(0xb761863e) seqno=7". */
static bool
read_linux(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t value;

    (void)line;
    find_address(rest, "src=", &report->source);
    find_address(rest, "dst=", &report->destination);
    find_sequence(rest, "seqno=", DECIMAL, report);
    return find_value(rest, "spi=", &value) && take_number_twice(&value, &report->spi);
}

/* FreeBSD, NetBSD: "no key association found for SA 20.1.1.2/b761863e/50". */
static bool
read_bsd(const cursor_t *line, const cursor_t *rest, syslog_report_t *report)
{
    cursor_t token = *rest;

    (void)line;
    if (!take_address(&token, &report->destination) || peek(&token) != '/')
        return false;
    step(&token);
    if (!take_number(&token, HEXADECIMAL, &report->spi) || peek(&token) != '/')
        return false;
    step(&token);
    report->protocol = protocol_named(&token);
    return true;
}

static const struct {
    const char *marker; /* words that only this message has */
    bool (*read)(const cursor_t *line, const cursor_t *rest, syslog_report_t *report);
} forms[] = {
    { "has invalid spi for ", read_ios },
    { "-402114: IPSEC: Received an ", read_asa }, /* the number decides: whoever logs may change the severity before it */
    { "ESP packet with unknown SPI", read_fortios },
    { "received a packet with a bad SPI", read_screenos },
    { "op=SA-notfound ", read_linux },
    { "no key association found for SA ", read_bsd },
};

/* ---- messages ---- */

static size_t
line_length(const cursor_t *text)
{
    size_t length = 0;

    while (length < text->left && text->next[length] != '\n' && text->next[length] != '\r' && text->next[length] != '\0')
        length++;
    return length;
}

/* Cuts the next message off; `text` holds something. */
static cursor_t
take_message(cursor_t *text)
{
    cursor_t counted = *text, message = *text;
    uint32_t count;

    if (take_number(&counted, DECIMAL, &count) && begins_with(&counted, " <") && count > 0 && cursor_skip(&counted, 1)) {
        *text = counted;
        if (!cursor_cut(text, MIN(count, text->left), &message))
            message.left = 0;
        return message;
    }
    if (cursor_cut(text, line_length(text), &message))
        step(text); /* the end of the line */
    return message;
}

static bool
read_message(const cursor_t *message, syslog_report_t *ret_report)
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        syslog_report_t report = { .spi = 0 };
        cursor_t rest;

        if (!find(*message, forms[i].marker, &rest))
            continue;
        if (forms[i].read(message, &rest, &report) && report.spi != 0) {
            *ret_report = report;
            return true;
        }
    }
    return false;
}

bool
syslog_next_report(cursor_t *text, syslog_report_t *ret_report)
{
    while (text->left > 0) {
        cursor_t message = take_message(text);

        if (read_message(&message, ret_report))
            return true;
    }
    return false;
}

bool
syslog_has_report(const uint8_t *bytes, size_t length)
{
    cursor_t text = cursor_over(bytes, length);
    syslog_report_t report;

    return syslog_next_report(&text, &report);
}
