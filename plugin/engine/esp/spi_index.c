/* spi_index.c - which ESP SAs have this SPI?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/spi_index.h"

#include <glib.h>

#define SLOTS_LEAST_BITS 10u

struct spi_index {
    esp_sa_t **slot; /* each the head of a list of SAs; no more SAs than slots */
    uint32_t slots, sas;
    uint32_t multiplier; /* odd and random: nobody can choose SPIs that all come into one slot */
    unsigned shift;      /* leaves as many bits as number the slots */
};

spi_index_t *
spi_index_new(void)
{
    spi_index_t *index = g_new0(spi_index_t, 1);

    index->slots = 1u << SLOTS_LEAST_BITS;
    index->shift = 32 - SLOTS_LEAST_BITS;
    index->multiplier = g_random_int() | 1;
    index->slot = g_new0(esp_sa_t *, index->slots);
    return index;
}

void
spi_index_free(spi_index_t *index)
{
    g_free(index->slot);
    g_free(index);
}

static esp_sa_t **
slot_of(const spi_index_t *index, uint32_t spi)
{
    return &index->slot[spi * index->multiplier >> index->shift];
}

static void
prepend(esp_sa_t **head, esp_sa_t *sa)
{
    sa->next_in_index = *head;
    sa->link_in_index = head;
    if (*head != NULL)
        (*head)->link_in_index = &sa->next_in_index;
    *head = sa;
}

/* The SAs of a list in the order in which they were added, so that each new list is in the same order. */
static esp_sa_t *
reversed(esp_sa_t *list)
{
    esp_sa_t *back = NULL;

    while (list != NULL) {
        esp_sa_t *next = list->next_in_index;
        list->next_in_index = back;
        back = list;
        list = next;
    }
    return back;
}

static void
grow(spi_index_t *index)
{
    esp_sa_t **old = index->slot;
    const uint32_t slots = index->slots;

    index->slots *= 2;
    index->shift--;
    index->slot = g_new0(esp_sa_t *, index->slots);
    for (uint32_t i = 0; i < slots; i++) {
        for (esp_sa_t *sa = reversed(old[i]), *next; sa != NULL; sa = next) {
            next = sa->next_in_index;
            prepend(slot_of(index, sa->spi), sa);
        }
    }
    g_free(old);
}

void
spi_index_add(spi_index_t *index, esp_sa_t *sa)
{
    if (index->sas == index->slots && index->slots <= UINT32_MAX / 2)
        grow(index);
    index->sas++;
    esp_sa_t *namesake = spi_index_first(index, sa->spi);
    if (namesake != NULL)
        namesake->has_namesake = sa->has_namesake = true; /* any others know already */
    prepend(slot_of(index, sa->spi), sa);
}

void
spi_index_remove(spi_index_t *index, esp_sa_t *sa)
{
    index->sas--;
    *sa->link_in_index = sa->next_in_index;
    if (sa->next_in_index != NULL)
        sa->next_in_index->link_in_index = sa->link_in_index;
}

static esp_sa_t *
with_spi(esp_sa_t *sa, uint32_t spi)
{
    while (sa != NULL && sa->spi != spi)
        sa = sa->next_in_index;
    return sa;
}

esp_sa_t *
spi_index_first(const spi_index_t *index, uint32_t spi)
{
    return with_spi(*slot_of(index, spi), spi);
}

esp_sa_t *
spi_index_next(const esp_sa_t *sa)
{
    return with_spi(sa->next_in_index, sa->spi);
}
