/* world.h - the cast of a story while it is played: peers, IKE SAs and child SAs by name, with the values behind the names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_WORLD_H
#define SCENARIO_WORLD_H

#include "script.h"

#define ACTORS_MAX 32

typedef struct {
    const char *name;
    endpoint_t seen;   /* where the capture sees it now */
    endpoint_t inside; /* its own address and port when it is behind a NAT; else the same as `seen` */
    bool is_natted;
} actor_t;

typedef struct {
    const char *name;
    unsigned original_initiator, responder; /* actors */
    unsigned version;
    uint64_t spi_i, spi_r;      /* 0: not chosen yet */
    uint32_t next_request[2];   /* message ID of the next request: [0] of the original initiator, [1] of the responder */
    uint32_t latest_request[2]; /* of the latest one sent */
    uint32_t latest_quick_mode; /* IKEv1 */
} ike_t;

typedef struct {
    const char *name;
    unsigned to;
    uint32_t next_sequence;
} esp_counter_t;

typedef struct {
    const scenario_t *scenario;
    actor_t actor[ACTORS_MAX];
    unsigned actors;
    GArray *ikes;        /* of ike_t */
    GArray *counters;    /* of esp_counter_t */
    GStringChunk *names; /* that the script only mentions inside payloads */
    uint64_t messages;   /* built so far: seeds nonces and the like */
} world_t;

/* `force_nat`: the first peer is behind a NAT whatever the script says. */
void world_init(world_t *world, const scenario_t *scenario, bool force_nat, bool ipv6);
void world_clear(world_t *world);

unsigned world_actor(const world_t *world, const char *name);
/* The IKE SA, or NULL. The pointer is valid until the next world_add_ike(). */
ike_t *world_ike(world_t *world, const char *name);
ike_t *world_add_ike(world_t *world, const char *name, unsigned initiator, unsigned responder, unsigned version);
/* A fresh IKE SPI that `actor` chooses for the SA. */
uint64_t world_ike_spi(const world_t *world, const char *ike, unsigned actor);
/* The SPI under which `receiver` gets the child's ESP. */
uint32_t world_child_spi(const world_t *world, const char *child, unsigned receiver);
/* The next sequence number of a counter of this name towards `receiver`; moved on by 1 + `skip`. `explicit_sequence` < 0: the next one. */
uint32_t world_sequence(world_t *world, const char *counter_name, unsigned receiver, uint32_t skip, int64_t explicit_sequence);

/* An IPv4 endpoint as IPv6 (2001:db8::a.b.c.d). */
endpoint_t endpoint_as_ipv6(const endpoint_t *endpoint);

#endif
