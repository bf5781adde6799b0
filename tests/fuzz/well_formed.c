/* well_formed.c - is this text what a program, a browser or a terminal will take it for?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "well_formed.h"

#include <glib.h>

#include <string.h>

#define DEPTH_MAX 64u

typedef struct {
    const char *at, *end;
} reader_t;

static bool
is_next(reader_t *reader, const char *word)
{
    const size_t length = strlen(word);

    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* At most `size` - 1 characters of `set`. */
static bool
read_word(reader_t *reader, const char *set, char *word, size_t size)
{
    size_t length = 0;

    while (reader->at < reader->end && *reader->at != '\0' && strchr(set, *reader->at) != NULL) {
        if (length + 1 >= size)
            return false;
        word[length++] = *reader->at++;
    }
    word[length] = '\0';
    return length > 0;
}

/* ---- plain text ---- */

bool
is_plain_text(const char *text, size_t length)
{
    if (!g_utf8_validate(text, (gssize)length, NULL))
        return false;
    for (const char *at = text; at < text + length; at = g_utf8_next_char(at)) {
        const GUnicodeType type = g_unichar_type(g_utf8_get_char(at));

        if (*at != '\n' && (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
                            type == G_UNICODE_PARAGRAPH_SEPARATOR))
            return false;
    }
    return true;
}

/* ---- JSON ---- */

static bool json_value(reader_t *reader, unsigned depth);

static void
json_space(reader_t *reader)
{
    while (reader->at < reader->end && *reader->at != '\0' && strchr(" \t\r\n", *reader->at) != NULL)
        reader->at++;
}

static bool
json_escape(reader_t *reader)
{
    if (is_next(reader, "u")) {
        for (unsigned i = 0; i < 4; i++, reader->at++)
            if (reader->at >= reader->end || !g_ascii_isxdigit(*reader->at))
                return false;
        return true;
    }
    return reader->at < reader->end && *reader->at != '\0' && strchr("\"\\/bfnrt", *reader->at++) != NULL;
}

static bool
json_string(reader_t *reader)
{
    if (!is_next(reader, "\""))
        return false;
    while (reader->at < reader->end) {
        const unsigned char byte = (unsigned char)*reader->at++;

        if (byte == '"')
            return true;
        if (byte < 0x20 || (byte == '\\' && !json_escape(reader)))
            return false;
    }
    return false;
}

static bool
json_digits(reader_t *reader)
{
    const char *begin = reader->at;

    while (reader->at < reader->end && g_ascii_isdigit(*reader->at))
        reader->at++;
    return reader->at > begin;
}

static bool
json_number(reader_t *reader)
{
    is_next(reader, "-");
    if (!is_next(reader, "0") && !json_digits(reader))
        return false;
    if (is_next(reader, ".") && !json_digits(reader))
        return false;
    if (is_next(reader, "e") || is_next(reader, "E")) {
        if (!is_next(reader, "+"))
            is_next(reader, "-");
        return json_digits(reader);
    }
    return true;
}

/* After the opening bracket: `member` and `member`, until `close`. */
static bool
json_list(reader_t *reader, const char *close, bool has_names, unsigned depth)
{
    json_space(reader);
    if (is_next(reader, close))
        return true;
    do {
        json_space(reader);
        if (has_names) {
            if (!json_string(reader))
                return false;
            json_space(reader);
            if (!is_next(reader, ":"))
                return false;
        }
        if (!json_value(reader, depth))
            return false;
        json_space(reader);
    } while (is_next(reader, ","));
    return is_next(reader, close);
}

static bool
json_value(reader_t *reader, unsigned depth)
{
    json_space(reader);
    if (depth == 0 || reader->at >= reader->end)
        return false;
    if (*reader->at == '"')
        return json_string(reader);
    if (is_next(reader, "{"))
        return json_list(reader, "}", true, depth - 1);
    if (is_next(reader, "["))
        return json_list(reader, "]", false, depth - 1);
    return is_next(reader, "true") || is_next(reader, "false") || is_next(reader, "null") || json_number(reader);
}

bool
is_json(const char *text, size_t length)
{
    reader_t reader = { text, text + length };

    if (!g_utf8_validate(text, (gssize)length, NULL) || !json_value(&reader, DEPTH_MAX))
        return false;
    json_space(&reader);
    return reader.at == reader.end;
}

/* ---- HTML ---- */

typedef struct {
    char name[16];
} element_t;

typedef struct {
    reader_t reader;
    element_t open[DEPTH_MAX];
    unsigned depth;
    unsigned scripts, styles;
    const char *script, *style;
    size_t script_length, style_length;
} page_reader_t;

static const char *const elements[] = { "a",       "article", "b",      "body",  "circle",  "code",   "dd",    "details",
                                        "div",     "dl",      "dt",     "em",    "figure",  "footer", "g",     "h1",
                                        "h2",      "h3",      "h4",     "h5",    "head",    "header", "html",  "li",
                                        "line",    "main",    "meta",   "ol",    "p",       "path",   "rect",  "script",
                                        "section", "span",    "strong", "style", "summary", "svg",    "table", "tbody",
                                        "td",      "text",    "th",     "thead", "title",   "tr",     "ul",    NULL };

static const char *const attributes[] = { "aria-hidden", "aria-label", "charset",   "class",      "content", "cx",     "cy",
                                          "d",           "data-from",  "data-left", "data-right", "data-to", "height", "href",
                                          "http-equiv",  "id",         "lang",      "name",       "open",    "r",      "role",
                                          "transform",   "viewBox",    "width",     "x",          "x1",      "x2",     "y",
                                          "y1",          "y2",         NULL };

static const char *const references[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", NULL };

static bool
is_known(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static bool
html_reference(reader_t *reader)
{
    for (const char *const *reference = references; *reference != NULL; reference++)
        if (is_next(reader, *reference))
            return true;
    return false;
}

/* A value in quotes. It leads to a place of the page, if anywhere. */
static bool
html_value(reader_t *reader, bool is_address)
{
    if (!is_next(reader, "\"") || (is_address && (reader->at >= reader->end || *reader->at != '#')))
        return false;
    while (reader->at < reader->end && *reader->at != '"') {
        if (*reader->at == '<' || *reader->at == '>' || (*reader->at == '&' && !html_reference(reader)))
            return false;
        if (reader->at < reader->end && *reader->at != '"')
            reader->at++;
    }
    return is_next(reader, "\"");
}

static bool
html_attributes(reader_t *reader)
{
    char name[16];

    while (is_next(reader, " ")) {
        if (!read_word(reader, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", name, sizeof name) ||
            !is_known(attributes, name))
            return false;
        if (is_next(reader, "=") && !html_value(reader, strcmp(name, "href") == 0))
            return false;
    }
    return true;
}

static bool
html_read_name(reader_t *reader, element_t *element)
{
    return read_word(reader, "abcdefghijklmnopqrstuvwxyz0123456789", element->name, sizeof element->name) &&
           is_known(elements, element->name);
}

/* What a browser does not read as HTML has to be what the report has there. */
static bool
html_raw(page_reader_t *page, unsigned *count, const char *content, size_t length)
{
    reader_t *reader = &page->reader;

    if ((*count)++ != 0 || (size_t)(reader->end - reader->at) < length || memcmp(reader->at, content, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool
html_open(page_reader_t *page)
{
    reader_t *reader = &page->reader;
    element_t element;

    if (!html_read_name(reader, &element) || !html_attributes(reader))
        return false;
    if (is_next(reader, "/>"))
        return true;
    if (!is_next(reader, ">"))
        return false;
    if (strcmp(element.name, "meta") == 0)
        return true;
    if (page->depth == DEPTH_MAX)
        return false;
    page->open[page->depth++] = element;
    if (strcmp(element.name, "script") == 0)
        return html_raw(page, &page->scripts, page->script, page->script_length);
    if (strcmp(element.name, "style") == 0)
        return html_raw(page, &page->styles, page->style, page->style_length);
    return true;
}

static bool
html_close(page_reader_t *page)
{
    element_t element;

    return html_read_name(&page->reader, &element) && is_next(&page->reader, ">") && page->depth > 0 &&
           strcmp(page->open[--page->depth].name, element.name) == 0;
}

static bool
html_next(page_reader_t *page)
{
    reader_t *reader = &page->reader;

    if (is_next(reader, "</"))
        return html_close(page);
    if (is_next(reader, "<"))
        return html_open(page);
    if (*reader->at == '&')
        return html_reference(reader);
    return *reader->at++ != '>';
}

bool
is_html_report(const char *text, size_t length, const char *script, size_t script_length, const char *style, size_t style_length)
{
    page_reader_t page = { .reader = { text, text + length },
                           .script = script,
                           .script_length = script_length,
                           .style = style,
                           .style_length = style_length };

    if (!is_plain_text(text, length) || !is_next(&page.reader, "<!DOCTYPE html>\n"))
        return false;
    while (page.reader.at < page.reader.end)
        if (!html_next(&page))
            return false;
    return page.depth == 0 && page.scripts == 1 && page.styles == 1;
}
