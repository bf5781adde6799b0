/* html.c - how does text from a capture get into a page without becoming part of it?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/html.h"

#include "engine/plain_text.h"

#include <inttypes.h>
#include <string.h>

#define NUMBER_MOST 1e15

static void
append_character(GString *out, gunichar c)
{
    switch (c) {
    case '&':
        g_string_append(out, "&amp;");
        break;
    case '<':
        g_string_append(out, "&lt;");
        break;
    case '>':
        g_string_append(out, "&gt;");
        break;
    case '"':
        g_string_append(out, "&quot;");
        break;
    case '\'':
        g_string_append(out, "&#39;");
        break;
    default:
        if (plain_text_is_deceptive(c) && c != '\n' && c != '\t')
            g_string_append_printf(out, "[U+%04X]", c);
        else
            g_string_append_unichar(out, c);
    }
}

/* Nearly all text is ASCII that means nothing in HTML: how much of it comes first? */
static size_t
plain_length(const char *text, const char *end)
{
    const char *at = text;

    while (at < end && g_ascii_isprint(*at) && strchr("&<>\"'", *at) == NULL)
        at++;
    return (size_t)(at - text);
}

/* `valid` is valid UTF-8. */
static void
append_some(GString *out, const char *valid, const char *end)
{
    while (valid < end) {
        const size_t plain = plain_length(valid, end);

        g_string_append_len(out, valid, (gssize)plain);
        valid += plain;
        if (valid < end) {
            append_character(out, g_utf8_get_char(valid));
            valid = g_utf8_next_char(valid);
        }
    }
}

void
html_text(GString *out, const char *text)
{
    char *valid = g_utf8_make_valid(text ? text : "", -1);

    append_some(out, valid, valid + strlen(valid));
    g_free(valid);
}

void
html_frame(GString *out, frame_t frame, GHashTable *frames)
{
    if (frames && g_hash_table_contains(frames, GUINT_TO_POINTER(frame)))
        g_string_append_printf(out, "<a href=\"#frame-%u\">%u</a>", frame, frame);
    else
        g_string_append_printf(out, "%u", frame);
}

/* Digits that make a frame number, of a length that `ret_length` tells; 0: none. */
static guint64
number_at(const char *text, size_t *ret_length)
{
    size_t length = strspn(text, "0123456789");

    *ret_length = length <= 10 && !g_ascii_isalnum(text[length]) ? length : 0;
    return *ret_length ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* The text from `at` on is a frame number: appends it and returns what follows it. */
static const char *
append_number(GString *out, const char *at, GHashTable *frames)
{
    size_t length;
    const guint64 frame = number_at(at, &length);

    if (length == 0)
        return at;
    if (frame <= UINT32_MAX && at[0] != '0')
        html_frame(out, (frame_t)frame, frames);
    else
        append_some(out, at, at + length);
    return at + length;
}

/* Digits that go on with a point and digits are a time or a share, no frame. */
static bool
is_whole_number(const char *text)
{
    while (g_ascii_isdigit(*text))
        text++;
    return text[0] != '.' || !g_ascii_isdigit(text[1]);
}

/* The words before the first number, and between one and the next. */
static size_t
opening_at(const char *text)
{
    static const char *const openings[] = { "frame ", "frames ", "Frame ", "Frames " };

    for (size_t i = 0; i < G_N_ELEMENTS(openings); i++)
        if (g_str_has_prefix(text, openings[i]) && g_ascii_isdigit(text[strlen(openings[i])]))
            return strlen(openings[i]);
    return 0;
}

static size_t
joint_at(const char *text)
{
    static const char *const joints[] = { " to ", " and ", ", " };

    for (size_t i = 0; i < G_N_ELEMENTS(joints); i++)
        if (g_str_has_prefix(text, joints[i]) && g_ascii_isdigit(text[strlen(joints[i])]) &&
            is_whole_number(text + strlen(joints[i])))
            return strlen(joints[i]);
    return 0;
}

/* "frame 17" and what belongs to it; returns what follows. */
static const char *
append_frames(GString *out, const char *at, GHashTable *frames)
{
    for (size_t words = opening_at(at); words > 0; words = joint_at(at)) {
        append_some(out, at, at + words);
        at = append_number(out, at + words, frames);
    }
    return at;
}

void
html_text_with_frames(GString *out, const char *text, GHashTable *frames)
{
    char *valid = g_utf8_make_valid(text ? text : "", -1);
    const char *at = valid;

    while (*at) {
        const bool begins_word = at == valid || !g_ascii_isalnum(at[-1]);

        if (begins_word && opening_at(at)) {
            at = append_frames(out, at, frames);
        } else {
            append_character(out, g_utf8_get_char(at));
            at = g_utf8_next_char(at);
        }
    }
    g_free(valid);
}

void
html_number(GString *out, double value)
{
    const double magnitude = value < 0 ? -value : value;
    const uint64_t tenths = magnitude < NUMBER_MOST ? (uint64_t)(magnitude * 10 + 0.5) : 0;
    char text[32];

    g_snprintf(text, sizeof text, "%s%" PRIu64 ".%u", value < 0 && tenths > 0 ? "-" : "", tenths / 10, (unsigned)(tenths % 10));
    g_string_append(out, text);
}
