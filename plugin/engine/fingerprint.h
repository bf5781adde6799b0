/* fingerprint.h - a number that stands for some bytes: equal for equal ones, and different, but for about one pair in 2^64, for different ones.
 * For tables within one run: it depends on the machine's byte order, and nobody who sends packets is kept from choosing them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_FINGERPRINT_H
#define IPSEC_ENGINE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `fingerprint`, and `word` after what it stands for. */
static inline uint64_t
fingerprint_with(uint64_t fingerprint, uint64_t word)
{
    fingerprint = (fingerprint ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return fingerprint ^ fingerprint >> 32;
}

/* `length` bytes after what `fingerprint` stands for. What has a variable length should have that there. */
static inline uint64_t
fingerprint_with_bytes(uint64_t fingerprint, const uint8_t *bytes, size_t length)
{
    uint64_t word;
    size_t at = 0;

    for (; at + sizeof(word) <= length; at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        fingerprint = fingerprint_with(fingerprint, word);
    }
    if (at == length)
        return fingerprint;
    word = 0;
    memcpy(&word, bytes + at, length - at);
    return fingerprint_with(fingerprint, word);
}

#endif
