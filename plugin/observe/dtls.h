/* dtls.h - is this datagram DTLS?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_DTLS_H
#define IPSEC_OBSERVE_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does a datagram of `reported` bytes, of which `captured` are there, begin with a DTLS record as it looks before version 1.3 (RFC 6347
 * 4.1; a handshake of version 1.3 begins with such records too)? */
bool dtls_begins_datagram(const uint8_t *bytes, size_t captured, size_t reported);

#endif
