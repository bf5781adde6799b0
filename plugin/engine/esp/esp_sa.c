/* esp_sa.c - the bookkeeping of one ESP SPI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/esp_sa.h"

esp_sa_t *
esp_sa_new(struct tunnel *tunnel, uint32_t spi, peer_t sender)
{
    esp_sa_t *sa = g_new0(esp_sa_t, 1);

    sa->tunnel = tunnel;
    sa->spi = spi;
    sa->sender = sender;
    sa->generation = INDEX_NONE;
    sa->first_time = sa->last_time = sa->deleted_at = sa->unreachable_at = sa->invalid_spi_at = sa->good_at = sa->unanswered_since =
        CAPTURE_TIME_NONE;
    return sa;
}

bool
esp_sa_note_length(esp_sa_t *sa, size_t length)
{
    sa->length_residues |= (uint16_t)(1u << length % 16);
    if (sa->lengths_kept == ESP_LENGTHS_KEPT || length > UINT16_MAX)
        return false;
    for (unsigned i = 0; i < sa->lengths_kept; i++) {
        if (sa->lengths[i] == length)
            return false;
    }
    sa->lengths[sa->lengths_kept++] = (uint16_t)length;
    return true;
}

void
esp_sa_is_invalid(esp_sa_t *sa, const packet_t *report, bool is_protected)
{
    bool is_known = sa->invalid_spi_in != FRAME_NONE && sa->good_at <= sa->invalid_spi_at; /* and it has not worked since */

    if (is_known && (sa->invalid_spi_is_protected || !is_protected))
        return;
    sa->invalid_spi_in = report->frame;
    sa->invalid_spi_at = report->time;
    sa->invalid_spi_is_protected = is_protected;
}

uint32_t
esp_sa_highest(const esp_sa_t *sa)
{
    return sa->sequence != NULL ? (uint32_t)sa->sequence->window.highest : sa->first_sequence;
}

bool
esp_sa_saw_birth(const esp_sa_t *sa)
{
    return sa->packets > 0 && sa->first_sequence <= BIRTH_SEQUENCE_MAX;
}

void
esp_sa_free(esp_sa_t *sa)
{
    sequence_free(sa->sequence);
    g_free(sa);
}

void
esp_sa_add_toll(const esp_sa_t *sa, esp_toll_t *toll)
{
    if (sa->sequence == NULL)
        return;
    toll->lost += sequence_lost(sa->sequence);
    for (unsigned i = 0; i < REPLAY_WINDOWS; i++)
        toll->too_old[i] += sequence_too_old(sa->sequence, i);
}
