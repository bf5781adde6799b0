/* well_formed.h - is this text what a program, a browser or a terminal will take it for?
 *
 * Readers of their own, strict and small: what they let through has no text of a capture where markup or structure should be.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_FUZZ_WELL_FORMED_H
#define IPSEC_FUZZ_WELL_FORMED_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8, and no character but the end of a line moves a cursor, hides, or turns the direction of writing. */
bool is_plain_text(const char *text, size_t length);

/* One JSON document (RFC 8259) in UTF-8. */
bool is_json(const char *text, size_t length);

/* One HTML page in UTF-8 that has no elements, attributes and character references but those of the report, each element closed, no element
 * in a text or in an attribute, and no script or style of anybody else: there is one of each, `script` and `style`. */
bool is_html_report(const char *text, size_t length, const char *script, size_t script_length, const char *style,
                    size_t style_length);

#endif
