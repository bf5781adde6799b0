/* scan.c - the smallest parts of the scenario language.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
scan_error(scan_t *scan, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s:%u: %s\n", scan->place.file, scan->place.line, text);
    g_free(text);
    (*scan->errors)++;
}

static void
skip_white(scan_t *scan)
{
    while (g_ascii_isspace(*scan->next))
        scan->next++;
}

bool
scan_at_end(scan_t *scan)
{
    skip_white(scan);
    return *scan->next == 0;
}

static size_t
word_length(const char *text)
{
    return strcspn(text, " \t\r\n");
}

bool
scan_accept(scan_t *scan, const char *word)
{
    size_t length = strlen(word);

    skip_white(scan);
    if (strncmp(scan->next, word, length) != 0 || word_length(scan->next) != length)
        return false;
    scan->next += length;
    return true;
}

const char *
scan_word(scan_t *scan, const char *what)
{
    size_t length;
    const char *word;

    skip_white(scan);
    length = word_length(scan->next);
    if (length == 0) {
        scan_error(scan, "%s expected", what);
        return NULL;
    }
    word = g_string_chunk_insert_len(scan->strings, scan->next, (gssize)length);
    scan->next += length;
    return word;
}

const char *
scan_words(scan_t *scan, const char *what)
{
    size_t quoted, length;
    const char *words;

    skip_white(scan);
    quoted = *scan->next == '"' ? 1 : 0;
    length = quoted ? strcspn(scan->next + 1, "\"") : strcspn(scan->next, "\r\n");
    while (length > 0 && g_ascii_isspace(scan->next[quoted + length - 1]))
        length--;
    if (length == 0) {
        scan_error(scan, "%s expected", what);
        return NULL;
    }
    words = g_string_chunk_insert_len(scan->strings, scan->next + quoted, (gssize)length);
    scan->next += quoted + length;
    if (quoted && *scan->next == '"')
        scan->next++;
    return words;
}

const char *
scan_peek(scan_t *scan)
{
    skip_white(scan);
    return g_string_chunk_insert_len(scan->strings, scan->next, (gssize)word_length(scan->next));
}

bool
scan_duration(scan_t *scan, duration_ns_t *ret_duration)
{
    static const struct {
        const char *unit;
        double nanoseconds;
    } units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 60e9 }, { "h", 3600e9 } };
    const char *word = scan_peek(scan);
    char *end;
    double value = g_ascii_strtod(word, &end);

    if (end == word || value < 0)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_str_equal(end, units[i].unit)) {
            *ret_duration = (duration_ns_t)(value * units[i].nanoseconds + 0.5);
            scan->next += strlen(word);
            return true;
        }
    }
    return false;
}

bool
scan_number(scan_t *scan, int64_t *ret_number)
{
    const char *word = scan_peek(scan);
    char *end;
    int64_t value = g_ascii_strtoll(word, &end, 10);

    if (end == word || *end != 0)
        return false;
    *ret_number = value;
    scan->next += strlen(word);
    return true;
}

bool
scan_endpoint(scan_t *scan, endpoint_t *ret_endpoint)
{
    const char *word = scan_peek(scan);
    unsigned a, b, c, d, port = 0;
    endpoint_t endpoint = { 0 };
    int used = 0;

    if (sscanf(word, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &used) == 4) {
        endpoint.family = ADDRESS_IPV4;
        endpoint.address[0] = (uint8_t)a;
        endpoint.address[1] = (uint8_t)b;
        endpoint.address[2] = (uint8_t)c;
        endpoint.address[3] = (uint8_t)d;
    } else {
        used = 0;
    }
    if (word[used] == ':')
        used++;
    if (word[used] != 0 && (sscanf(word + used, "%5u", &port) != 1 || port > UINT16_MAX))
        return false;
    if (endpoint.family == ADDRESS_NONE && port == 0)
        return false;
    endpoint.port = (uint16_t)port;
    *ret_endpoint = endpoint;
    scan->next += strlen(word);
    return true;
}

/* One "NAME" or "NAME(argument)". */
static bool
scan_payload(scan_t *scan, payload_spec_t *ret_payload)
{
    size_t length;

    skip_white(scan);
    length = strcspn(scan->next, " \t,(){}");
    if (length == 0)
        return false;
    ret_payload->name = g_string_chunk_insert_len(scan->strings, scan->next, (gssize)length);
    ret_payload->argument = NULL;
    scan->next += length;
    if (*scan->next != '(')
        return true;
    length = strcspn(++scan->next, ")");
    if (scan->next[length] != ')')
        return false;
    ret_payload->argument = g_string_chunk_insert_len(scan->strings, scan->next, (gssize)length);
    scan->next += length + 1;
    return true;
}

GArray *
scan_payloads(scan_t *scan)
{
    GArray *payloads = g_array_new(FALSE, TRUE, sizeof(payload_spec_t));

    skip_white(scan);
    if (*scan->next != '{') {
        scan_error(scan, "{ expected");
        return payloads;
    }
    scan->next++;
    for (;;) {
        payload_spec_t payload;

        skip_white(scan);
        if (*scan->next == '}') {
            scan->next++;
            return payloads;
        }
        if (*scan->next == ',') {
            scan->next++;
            continue;
        }
        if (!scan_payload(scan, &payload)) {
            scan_error(scan, "payload list is not closed or holds an unknown sign");
            return payloads;
        }
        g_array_append_val(payloads, payload);
    }
}
