/* esp_sa.c - the bookkeeping of one ESP SPI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "esp_sa.h"

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

bool
esp_sa_saw_birth(const esp_sa_t *sa)
{
    return sa->packets > 0 && sa->first_sequence <= BIRTH_SEQUENCE_MAX;
}

uint64_t
esp_sa_estimated_loss(const esp_sa_t *sa)
{
    if (sa->packets == 0 || sa->highest_sequence < sa->first_sequence)
        return 0;
    uint64_t span = (uint64_t)sa->highest_sequence - sa->first_sequence + 1;
    return span > sa->packets ? span - sa->packets : 0;
}
