/* window.c - which of the latest sequence numbers of an ESP SA have been seen, and with which bytes?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/window.h"

#include <glib.h>
#include <string.h>

static bool
take(sequence_budget_t *budget, uint32_t slots)
{
    if (budget->bytes_left < slots * sizeof(mark_t))
        return false;
    budget->bytes_left -= slots * sizeof(mark_t);
    return true;
}

bool
window_init(window_t *window, uint64_t first, mark_t mark, sequence_budget_t *budget)
{
    if (!take(budget, WINDOW_SLOTS_LEAST))
        return false;
    *window = (window_t){
        .highest = first, .floor = first, .slot = g_new0(mark_t, WINDOW_SLOTS_LEAST), .slots = WINDOW_SLOTS_LEAST, .budget = budget
    };
    *window_at(window, first) = mark;
    return true;
}

void
window_clear(window_t *window)
{
    window->budget->bytes_left += window->slots * sizeof(mark_t);
    g_free(window->slot);
}

mark_t *
window_at(const window_t *window, uint64_t number)
{
    return &window->slot[number & (window->slots - 1)];
}

void
window_restart(window_t *window, uint64_t from, uint64_t to)
{
    memset(window->slot, 0, window->slots * sizeof(mark_t));
    window->highest = to;
    window->floor = to - from < window->slots ? from : to - window->slots + 1;
    for (uint64_t number = window->floor; number <= to; number++)
        *window_at(window, number) = MARK_UNKNOWN;
}

/* Numbers are told as runs, so that a jump costs no more than the window has slots. */
static void
leave(window_t *window, uint64_t new_floor, window_left_t left, void *context)
{
    uint64_t remembered_until = MIN(new_floor, window->highest + 1);

    for (uint64_t number = window->floor; number < remembered_until; number++) {
        if (*window_at(window, number) == MARK_UNSEEN)
            left(context, number, number);
    }
    if (new_floor > window->highest + 1)
        left(context, window->highest + 1, new_floor - 1);
}

void
window_advance(window_t *window, uint64_t number, mark_t mark, window_left_t left, void *context)
{
    if (number == window->highest + 1) {
        mark_t *slot = window_at(window, number);
        const bool is_full = number - window->floor == window->slots; /* the number that falls out has the same slot */
        if (!is_full || *slot != MARK_UNSEEN) {
            *slot = mark;
            window->highest = number;
            window->floor += is_full;
            return;
        }
    }
    uint64_t new_floor = MAX(window->floor, number - MIN(number, (uint64_t)window->slots - 1));

    if (new_floor > window->floor)
        leave(window, new_floor, left, context);
    for (uint64_t skipped = MAX(window->highest + 1, new_floor); skipped < number; skipped++)
        *window_at(window, skipped) = MARK_UNSEEN;
    *window_at(window, number) = mark;
    window->highest = number;
    window->floor = new_floor;
}

void
window_grow(window_t *window)
{
    uint32_t slots = window->slots * 2;

    if (slots > WINDOW_SLOTS_MOST || !take(window->budget, window->slots))
        return;
    window_t grown = *window;
    grown.slots = slots;
    grown.slot = g_new0(mark_t, slots);
    for (uint64_t number = window->floor; number <= window->highest; number++)
        *window_at(&grown, number) = *window_at(window, number);
    g_free(window->slot);
    *window = grown;
}

bool
window_reaches(window_t *window, uint64_t number)
{
    if (number >= window->floor)
        return true;
    if (window->highest - number >= window->slots)
        return false;
    for (uint64_t below = number; below < window->floor; below++)
        *window_at(window, below) = MARK_UNSEEN;
    window->floor = number;
    return true;
}
