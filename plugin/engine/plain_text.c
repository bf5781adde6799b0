/* plain_text.c - how does text of a capture's making become text that is safe to show anywhere: in a terminal, a column, a page?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/plain_text.h"

#include <string.h>

bool
plain_text_is_deceptive(gunichar character)
{
    switch (g_unichar_type(character)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
        return true;
    default:
        return false;
    }
}

void
plain_text_copy(char *to, size_t size, const char *text)
{
    size_t used = 0;

    while (*text != '\0') {
        const gunichar read = g_utf8_get_char_validated(text, -1);
        const bool is_character = read != (gunichar)-1 && read != (gunichar)-2;
        const bool is_shown = is_character && !plain_text_is_deceptive(read);
        const size_t read_bytes = is_character ? (size_t)(g_utf8_next_char(text) - text) : 1;
        const size_t written_bytes = is_shown ? read_bytes : 1;

        if (used + written_bytes >= size)
            break;
        memcpy(to + used, is_shown ? text : "?", written_bytes);
        used += written_bytes;
        text += read_bytes;
    }
    to[used] = '\0';
}
