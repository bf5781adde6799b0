/* dtls.c - is this datagram DTLS?
 *
 * The unified header of DTLS 1.3 (RFC 9147 4) has next to nothing that could be recognised: whoever asks looks for ESP's own signs then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/dtls.h"

enum {
    TYPE_FIRST = 20, /* change_cipher_spec */
    TYPE_LAST = 26,  /* ACK (RFC 9147 7) */
    VERSION_1_0 = 0xfeff,
    VERSION_1_2 = 0xfefd,
    VERSION_BAD = 0x0100,          /* OpenSSL's before RFC 4347, still in use by some VPN clients */
    RECORD_HEADER = 13,            /* type, version, epoch, sequence number, length */
    RECORD_MAX = (1 << 14) + 2048, /* RFC 6347 4.1 */
};

static unsigned
two_bytes(const uint8_t *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

bool
dtls_begins_datagram(const uint8_t *bytes, size_t captured, size_t reported)
{
    if (captured < RECORD_HEADER || bytes[0] < TYPE_FIRST || bytes[0] > TYPE_LAST)
        return false;
    const unsigned version = two_bytes(bytes + 1), length = two_bytes(bytes + 11);
    const bool is_version = version == VERSION_1_0 || version == VERSION_1_2 || version == VERSION_BAD;

    return is_version && length > 0 && length <= RECORD_MAX && length <= reported - RECORD_HEADER;
}
