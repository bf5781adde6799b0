/* spi_index.h - which ESP SAs have this SPI?
 *
 * Every ESP packet asks, so that the answer is a line of the table and the SA itself: the SAs are their own list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SPI_INDEX_H
#define IPSEC_ENGINE_SPI_INDEX_H

#include "engine/esp/esp_sa.h"

typedef struct spi_index spi_index_t;

spi_index_t *spi_index_new(void);
void spi_index_free(spi_index_t *index);

/* SAs are borrowed: take one out before it is freed. */
void spi_index_add(spi_index_t *index, esp_sa_t *sa);
void spi_index_remove(spi_index_t *index, esp_sa_t *sa);

/* The SAs with this SPI, the one added last first. NULL: there is none, or no further one. */
esp_sa_t *spi_index_first(const spi_index_t *index, uint32_t spi);
esp_sa_t *spi_index_next(const esp_sa_t *sa);

#endif
