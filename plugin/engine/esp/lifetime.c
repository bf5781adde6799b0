/* lifetime.c - the arithmetic of lines: ages, medians, and whether time or bytes end an SA.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/lifetime.h"

#include <stdlib.h>
#include <string.h>

/* Alike: the greatest is at most a tenth above the least. Different: more than a quarter above it. */
#define ALIKE_PART 10u
#define DIFFERENT_PART 4u

/* Less than this is no limit in bytes, whatever it looks like: the smallest unit that IKE has for it are kilobytes (RFC 2407 4.5). */
#define LEAST_BYTE_LIMIT UINT64_C(100000)

#define REPLACEMENTS_TO_COMPARE 3u

void
lifetimes_init(lifetimes_t *lifetimes)
{
    lifetimes->lines = g_ptr_array_new_with_free_func(g_free);
    lifetimes->refused_at = CAPTURE_TIME_NONE;
    lifetimes->hidden = (hidden_t){ .at = CAPTURE_TIME_NONE, .by = PEER_UNKNOWN };
}

void
lifetimes_clear(lifetimes_t *lifetimes)
{
    g_ptr_array_free(lifetimes->lines, TRUE);
}

static void
forget_line(lifetimes_t *lifetimes)
{
    unsigned oldest = 0;

    for (unsigned i = 1; i < lifetimes->lines->len; i++) {
        const line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->last_used_at < ((const line_t *)g_ptr_array_index(lifetimes->lines, oldest))->last_used_at)
            oldest = i;
    }
    g_ptr_array_remove_index(lifetimes->lines, oldest);
}

line_t *
lifetimes_add_line(lifetimes_t *lifetimes, line_kind_t kind, capture_ns_t at)
{
    line_t *line = g_new0(line_t, 1);

    if (lifetimes->lines->len >= LINES_PER_TUNNEL_MAX)
        forget_line(lifetimes);
    line->kind = kind;
    line->id = ++lifetimes->lines_made;
    line->confidence = CONFIDENCE_OBSERVED;
    line->born_at = line->last_used_at = at;
    line->child = INDEX_NONE;
    g_ptr_array_add(lifetimes->lines, line);
    return line;
}

line_t *
lifetimes_line(const lifetimes_t *lifetimes, uint32_t id)
{
    for (unsigned i = lifetimes->lines->len; i-- > 0;) {
        line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->id == id)
            return line;
    }
    return NULL;
}

line_t *
lifetimes_latest_line(const lifetimes_t *lifetimes, line_kind_t kind)
{
    for (unsigned i = lifetimes->lines->len; i-- > 0;) {
        line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->kind == kind)
            return line;
    }
    return NULL;
}

void
line_add_spi(line_t *line, peer_t receiver, uint32_t spi)
{
    uint32_t *spis = line->spi[receiver];

    memmove(&spis[1], &spis[0], (SPIS_PER_LINE - 1) * sizeof(spis[0]));
    spis[0] = spi;
}

void
line_add_replacement(line_t *line, replacement_t replacement)
{
    replacement.age = duration_between(line->born_at, replacement.at);
    line->recent[line->replacements % REPLACEMENTS_KEPT] = replacement;
    line->replacements++;
    line->born_at = line->last_used_at = replacement.at;
}

void
line_restart(line_t *line, capture_ns_t at)
{
    line->replacements = 0;
    line->born_at = line->last_used_at = at;
}

unsigned
line_replacements_kept(const line_t *line)
{
    return MIN(line->replacements, REPLACEMENTS_KEPT);
}

const replacement_t *
line_replacement(const line_t *line, unsigned number)
{
    unsigned first = line->replacements - line_replacements_kept(line);

    return &line->recent[(first + number) % REPLACEMENTS_KEPT];
}

static int
compare_numbers(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* The middle of `count` sorted numbers; of the two in the middle the smaller half way. */
static uint64_t
median_of(const uint64_t *sorted, unsigned count)
{
    uint64_t low = sorted[(count - 1) / 2], high = sorted[count / 2];

    return low + (high - low) / 2;
}

static period_t
period_of(uint64_t *ages, unsigned count)
{
    if (count == 0)
        return (period_t){ .count = 0 };
    qsort(ages, count, sizeof(ages[0]), compare_numbers);
    return (period_t){ .count = count,
                       .least = (duration_ns_t)ages[0],
                       .median = (duration_ns_t)median_of(ages, count),
                       .most = (duration_ns_t)ages[count - 1] };
}

period_t
line_period(const line_t *line)
{
    uint64_t ages[REPLACEMENTS_KEPT];
    unsigned count = 0;

    for (unsigned i = 0; i < line_replacements_kept(line); i++) {
        const replacement_t *replacement = line_replacement(line, i);
        if (replacement->age > 0)
            ages[count++] = (uint64_t)replacement->age;
    }
    return period_of(ages, count);
}

period_t
line_period_of(const line_t *line, peer_t peer)
{
    uint64_t ages[REPLACEMENTS_KEPT];
    unsigned count = 0;

    for (unsigned i = 0; i < line_replacements_kept(line); i++) {
        const replacement_t *replacement = line_replacement(line, i);
        if (replacement->age > 0 && replacement->by == peer && !replacement->is_disturbed)
            ages[count++] = (uint64_t)replacement->age;
    }
    return period_of(ages, count);
}

unsigned
line_replacements_by(const line_t *line, peer_t peer)
{
    unsigned count = 0;

    for (unsigned i = 0; i < line_replacements_kept(line); i++)
        count += line_replacement(line, i)->by == peer;
    return count;
}

/* Bytes of the SAs that `peer` replaced (PEER_UNKNOWN: of all) and whose whole life is in the capture, sorted. */
static unsigned
sorted_bytes(const line_t *line, peer_t peer, uint64_t bytes[REPLACEMENTS_KEPT])
{
    unsigned count = 0;

    for (unsigned i = 0; i < line_replacements_kept(line); i++) {
        const replacement_t *replacement = line_replacement(line, i);
        if (replacement->age > 0 && (peer == PEER_UNKNOWN || replacement->by == peer))
            bytes[count++] = replacement->bytes;
    }
    qsort(bytes, count, sizeof(bytes[0]), compare_numbers);
    return count;
}

uint64_t
line_median_bytes(const line_t *line)
{
    uint64_t bytes[REPLACEMENTS_KEPT];
    unsigned count = sorted_bytes(line, PEER_UNKNOWN, bytes);

    return count > 0 ? median_of(bytes, count) : 0;
}

static bool
are_alike(uint64_t least, uint64_t most)
{
    return most - least <= least / ALIKE_PART;
}

static bool
are_different(uint64_t least, uint64_t most)
{
    return most - least > least / DIFFERENT_PART;
}

static bool
are_alike_bytes(const uint64_t *sorted, unsigned count)
{
    return count > 0 && sorted[0] >= LEAST_BYTE_LIMIT && are_alike(sorted[0], sorted[count - 1]);
}

bool
line_may_end_by_bytes(const line_t *line, peer_t peer)
{
    uint64_t bytes[REPLACEMENTS_KEPT];
    unsigned count = sorted_bytes(line, peer, bytes);

    return are_alike_bytes(bytes, count);
}

limit_t
line_limit(const line_t *line)
{
    uint64_t bytes[REPLACEMENTS_KEPT];
    unsigned count = sorted_bytes(line, PEER_UNKNOWN, bytes);
    period_t period = line_period(line);

    if (count < REPLACEMENTS_TO_COMPARE)
        return LIMIT_UNKNOWN;
    bool may_be_bytes = are_alike_bytes(bytes, count);
    bool may_be_time = are_alike((uint64_t)period.least, (uint64_t)period.most);
    if (may_be_bytes && may_be_time)
        return LIMIT_EITHER;
    if (may_be_time && are_different(bytes[0], bytes[count - 1]))
        return LIMIT_TIME;
    if (may_be_bytes && are_different((uint64_t)period.least, (uint64_t)period.most))
        return LIMIT_BYTES;
    return LIMIT_UNKNOWN;
}
