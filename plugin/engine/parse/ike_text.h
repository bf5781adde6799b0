/* ike_text.h - identities and traffic selectors as short ASCII text that is safe to show, whatever the peer sent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_TEXT_H
#define IPSEC_ENGINE_IKE_TEXT_H

#include "engine/endpoint.h"
#include "engine/parse/cursor.h"

/* Text that grows in a buffer of fixed size. Always zero-terminated; ends in "..." when it did not fit. Borrows the buffer. */
typedef struct {
    char *buffer;
    size_t size; /* bytes of `buffer`, at least 4 */
    size_t used; /* bytes written, without the zero */
    bool is_cut; /* nothing more is appended */
} text_t;

/* Empties `buffer`. */
text_t text_over(char *buffer, size_t size);

void text_append(text_t *text, const char *string);
void text_printf(text_t *text, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Empties the buffer again unless `is_right`, which is returned: half an identity or selector is none. */
bool text_keep_if(bool is_right, text_t *text);

/* Appends bytes as characters; what is not printable ASCII becomes '?'. */
void text_append_bytes(text_t *text, cursor_t bytes);

/* Reads an address of `family` (4 or 16 bytes). False: too few bytes left, or no such family. */
G_GNUC_WARN_UNUSED_RESULT bool address_read(cursor_t *cursor, address_family_t family, endpoint_t *ret_address);

/* Appends "192.0.2.0/24" when the range is a prefix, "192.0.2.1-192.0.2.9" otherwise. */
void text_append_range(text_t *text, const endpoint_t *first, const endpoint_t *last);

/* Appends " [proto 6 port 80]" or less, as far as the selector is restricted. Ports 0 to 65535 are no restriction; the
 * inverted range 65535 to 0 is OPAQUE (RFC 7296 3.13.1). */
void text_append_restriction(text_t *text, uint8_t protocol, uint16_t first_port, uint16_t last_port);

/* Appends an X.500 name as "C=CH, CN=moon"; false and nothing appended when it is not one (DER, X.690). */
bool text_append_distinguished_name(text_t *text, cursor_t name);

#endif
