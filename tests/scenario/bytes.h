/* bytes.h - writes big-endian wire bytes, and bytes that look encrypted but are the same in every run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_BYTES_H
#define SCENARIO_BYTES_H

#include <glib.h>
#include <stdint.h>

void put_u8(GByteArray *out, unsigned value);
void put_u16(GByteArray *out, unsigned value);
void put_u32(GByteArray *out, uint32_t value);
void put_u64(GByteArray *out, uint64_t value);
void put_zeros(GByteArray *out, unsigned count);
void put_bytes(GByteArray *out, const GByteArray *bytes);
/* `count` pseudo-random bytes; the same for the same seed. */
void put_random(GByteArray *out, uint64_t seed, unsigned count);
/* Overwrites 2 or 4 bytes at `offset`. */
void set_u16(GByteArray *out, unsigned offset, unsigned value);
void set_u32(GByteArray *out, unsigned offset, uint32_t value);

/* A well-mixed number from a name and a number. */
uint64_t seed_from(const char *name, uint64_t number);

#endif
