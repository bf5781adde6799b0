/* outcome.h - what the engine said about a capture, kept after the engine is gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_OUTCOME_H
#define SCENARIO_OUTCOME_H

#include "distort.h"

typedef struct {
    uint32_t tunnel;
    bool recovered;
    finding_id_t root_cause;
    unsigned chain_length;
    finding_id_t chain[16];
    char *story;
} incident_t;

typedef struct {
    GArray *findings;               /* of finding_t; texts owned, `cause` is NULL */
    GArray *causes;                 /* of int: id of the cause, or -1; parallel to `findings` */
    GArray *rows;                   /* of tunnel_row_t; `worst` is NULL */
    GArray *incidents;              /* of incident_t */
    GArray *exchanges;              /* of const char *, per frame from 1; NULL: none */
    GArray *tunnels;                /* of uint32_t, per frame from 1 */
    GArray *sources, *destinations; /* of const char *, per frame from 1: what NAT detection says; NULL: nothing */
} outcome_t;

typedef enum { WITHOUT_KEYS, WITH_KEYS } keys_mode_t;

/* Runs the engine over the frames. Freed by outcome_free(). */
outcome_t *outcome_of(const scenario_t *scenario, const GArray *views, keys_mode_t keys);
void outcome_free(outcome_t *outcome);

/* Called with the findings as they stand after the capture was taken to end behind each of the first frames. */
typedef void (*at_cut_t)(const GPtrArray *findings, unsigned frames, void *context);

/* The same, but asks for the end of the capture after each frame (every `step`th one) and goes on. */
outcome_t *outcome_with_cuts(const scenario_t *scenario, const GArray *views, keys_mode_t keys, unsigned step, at_cut_t at_cut,
                             void *context);

#endif
