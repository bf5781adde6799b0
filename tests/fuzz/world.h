/* world.h - a small world of tunnels whose story is told by a fuzzer's input.
 *
 * The input is a list of records: packets of a small world (few addresses, ports, SPIs and message IDs, so that they meet again), steps
 * of time, ends of the capture. Fields are plausible more often than not, for what is refused at the door finds nothing behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_FUZZ_WORLD_H
#define IPSEC_FUZZ_WORLD_H

#include "engine/engine.h"
#include "engine/parse/cursor.h"

enum { WORLD_PLACES = 2 };

typedef struct {
    const char *interface_name[WORLD_PLACES]; /* NULL: it has none */
    unsigned ends_max;                        /* of the capture, before the last: questions cost more than packets */
    /* Called at each end of the capture, after engine_finish(). `last`: the last frame. */
    void (*ask)(const engine_t *engine, frame_t last);
} world_watcher_t;

/* Tells the story to an engine of its own. */
void world_play(cursor_t input, const world_watcher_t *watcher);

/* One of the world's addresses with a port, and one of its SPIs. */
endpoint_t world_address(uint8_t choice);
uint32_t world_esp_spi(uint8_t choice);

#endif
