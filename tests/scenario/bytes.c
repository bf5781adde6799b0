/* bytes.c - how are numbers put on the wire?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bytes.h"

void
put_u8(GByteArray *out, unsigned value)
{
    uint8_t byte = (uint8_t)value;

    g_byte_array_append(out, &byte, 1);
}

void
put_u16(GByteArray *out, unsigned value)
{
    put_u8(out, value >> 8);
    put_u8(out, value & 0xff);
}

void
put_u32(GByteArray *out, uint32_t value)
{
    put_u16(out, value >> 16);
    put_u16(out, value & 0xffff);
}

void
put_u64(GByteArray *out, uint64_t value)
{
    put_u32(out, (uint32_t)(value >> 32));
    put_u32(out, (uint32_t)value);
}

void
put_zeros(GByteArray *out, unsigned count)
{
    while (count-- > 0)
        put_u8(out, 0);
}

void
put_bytes(GByteArray *out, const GByteArray *bytes)
{
    g_byte_array_append(out, bytes->data, bytes->len);
}

/* splitmix64 */
static uint64_t
mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void
put_random(GByteArray *out, uint64_t seed, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        put_u8(out, (unsigned)(mix(seed + i / 8) >> (i % 8 * 8)) & 0xff);
}

void
set_u16(GByteArray *out, unsigned offset, unsigned value)
{
    out->data[offset] = (uint8_t)(value >> 8);
    out->data[offset + 1] = (uint8_t)value;
}

void
set_u32(GByteArray *out, unsigned offset, uint32_t value)
{
    set_u16(out, offset, value >> 16);
    set_u16(out, offset + 2, value & 0xffff);
}

uint64_t
seed_from(const char *name, uint64_t number)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(1099511628211);
    return mix(hash ^ mix(number));
}
