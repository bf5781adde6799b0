/* names.h - which words may a script use for exchanges, payloads, notifies, groups and suites, and what do they mean on the wire?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_NAMES_H
#define SCENARIO_NAMES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;
    uint8_t type;
    uint8_t version; /* IKE major version */
} exchange_name_t;

/* Sizes and transform numbers of one protection suite, for the IKE SA and for ESP alike. */
typedef struct {
    const char *name;
    uint8_t iv;        /* bytes */
    uint8_t block;     /* bytes; 1 for AEAD */
    uint8_t icv;       /* bytes */
    uint16_t encr;     /* IKEv2 transform IDs */
    uint16_t key_bits; /* 0: no attribute */
    uint16_t integ;    /* 0: AEAD */
    uint16_t prf;
    uint8_t v1_hash; /* IKEv1 hash algorithm attribute */
    uint8_t v1_hash_size;
    uint16_t esp_size; /* bytes from the SPI to the end of the ICV of the default ESP packet */
} suite_name_t;

/* NULL: no such word. All answers are static. */
const exchange_name_t *exchange_by_name(const char *name);
const suite_name_t *suite_by_name(const char *name);

/* -1: no such word. */
int payload_type_by_name(const char *name, unsigned version);
int notify_type_by_name(const char *name);

/* False: no such word. */
bool group_by_name(const char *name, uint16_t *ret_group, uint16_t *ret_size);

#endif
