/* world.c - which value stands behind a name?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "world.h"

#include "bytes.h"

#include <string.h>

endpoint_t
endpoint_as_ipv6(const endpoint_t *endpoint)
{
    static const uint8_t prefix[4] = { 0x20, 0x01, 0x0d, 0xb8 };
    endpoint_t mapped = { .family = ADDRESS_IPV6, .port = endpoint->port };

    memcpy(mapped.address, prefix, sizeof prefix);
    memcpy(mapped.address + 12, endpoint->address, 4);
    return mapped;
}

void
world_init(world_t *world, const scenario_t *scenario, bool force_nat, bool ipv6)
{
    memset(world, 0, sizeof *world);
    world->scenario = scenario;
    world->ikes = g_array_new(FALSE, TRUE, sizeof(ike_t));
    world->counters = g_array_new(FALSE, TRUE, sizeof(esp_counter_t));
    world->names = g_string_chunk_new(256);
    for (unsigned i = 0; i < scenario->peers->len && i < ACTORS_MAX; i++) {
        const peer_spec_t *peer = &g_array_index(scenario->peers, peer_spec_t, i);
        actor_t *actor = &world->actor[world->actors++];

        actor->name = peer->name;
        actor->seen = actor->inside = peer->endpoint;
        actor->is_natted = peer->is_natted || (force_nat && i == 0);
        if (actor->is_natted) {
            const uint8_t address[4] = { 10, 9, 0, (uint8_t)(i + 1) };

            memcpy(actor->inside.address, address, sizeof address);
            actor->inside.port = 500;
        }
        if (ipv6) {
            actor->seen = endpoint_as_ipv6(&actor->seen);
            actor->inside = endpoint_as_ipv6(&actor->inside);
        }
    }
}

void
world_clear(world_t *world)
{
    g_array_free(world->ikes, TRUE);
    g_array_free(world->counters, TRUE);
    g_string_chunk_free(world->names);
}

unsigned
world_actor(const world_t *world, const char *name)
{
    unsigned i = 0;

    while (i + 1 < world->actors && !g_str_equal(world->actor[i].name, name))
        i++;
    return i;
}

ike_t *
world_ike(world_t *world, const char *name)
{
    for (unsigned i = 0; i < world->ikes->len; i++) {
        ike_t *ike = &g_array_index(world->ikes, ike_t, i);

        if (g_str_equal(ike->name, name))
            return ike;
    }
    return NULL;
}

ike_t *
world_add_ike(world_t *world, const char *name, unsigned initiator, unsigned responder, unsigned version)
{
    ike_t ike = { .name = name, .original_initiator = initiator, .responder = responder, .version = version };

    ike.spi_i = world_ike_spi(world, name, initiator);
    g_array_append_val(world->ikes, ike);
    return &g_array_index(world->ikes, ike_t, world->ikes->len - 1);
}

uint64_t
world_ike_spi(const world_t *world, const char *ike, unsigned actor)
{
    return seed_from(ike, seed_from(world->scenario->name, 0x1000 + actor)) | 1;
}

uint32_t
world_child_spi(const world_t *world, const char *child, unsigned receiver)
{
    return (uint32_t)seed_from(child, seed_from(world->scenario->name, receiver)) | 0x01000000u;
}

uint32_t
world_sequence(world_t *world, const char *counter_name, unsigned receiver, uint32_t skip, int64_t explicit_sequence)
{
    esp_counter_t fresh = { counter_name, receiver, 1 };
    esp_counter_t *counter = NULL;
    uint32_t sequence;

    for (unsigned i = 0; i < world->counters->len; i++) {
        esp_counter_t *known = &g_array_index(world->counters, esp_counter_t, i);

        if (g_str_equal(known->name, counter_name) && known->to == receiver)
            counter = known;
    }
    if (counter == NULL) {
        g_array_append_val(world->counters, fresh);
        counter = &g_array_index(world->counters, esp_counter_t, world->counters->len - 1);
    }
    sequence = explicit_sequence >= 0 ? (uint32_t)explicit_sequence : counter->next_sequence + skip;
    counter->next_sequence = sequence + 1;
    return sequence;
}
