/* register.c - which tunnels and SAs are known, by what are they found, and which must be forgotten?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

/* Findings of tunnels that were evicted; beyond that they go too. */
#ifndef FINDINGS_OF_EVICTED_MAX
#define FINDINGS_OF_EVICTED_MAX 20000u
#endif

/* Tunnels of which fewer packets were seen than this: a flood of addresses makes nothing else. Counted now and then, so that there may
 * be a quarter more. */
#define FLEETING_PACKETS 4u
#ifndef FLEETING_TUNNELS_MAX
#define FLEETING_TUNNELS_MAX 16384u
#endif

/* Pairs of endpoints whose tunnel was forgotten as such. Those that come again belong to a busy gateway, whose capture begins with one packet
 * of each tunnel: no flood. */
#define FORGOTTEN_PAIRS_MAX 262144u

/* A tunnel that turns out to be part of another is young: this many frames in a busy capture. */
#define RENAMED_FRAMES_MAX 2000u

/* What all tunnels together may hold, looked at now and then. Far beyond what a day of the busiest gateway has. */
#ifndef ROOM_EVERY
#define ROOM_EVERY 4096u /* packets, but those that merely go on */
#define EXCHANGES_IN_ALL_MAX 262144u
#define IKE_SAS_IN_ALL_MAX 262144u
#define IKE_SAS_LEFT 2u /* per tunnel, when there are too many in all: as many tunnels as are remembered by default fit */
#define ESP_SAS_IN_ALL_MAX 1048576u
#endif

/* Both directions of a pair of addresses have the same key. */
static gpointer
pair_key(const endpoint_t *a, const endpoint_t *b)
{
    return GUINT_TO_POINTER(endpoint_address_hash(a) ^ endpoint_address_hash(b));
}

GSList *
engine_tunnels_between(const engine_t *engine, const endpoint_t *a, const endpoint_t *b)
{
    return g_hash_table_lookup(engine->tunnels_by_address, pair_key(a, b));
}

/* Takes an item out of a list of a table whose keys are numbers. */
static void
unlist(GHashTable *table, gpointer key, gpointer item)
{
    GSList *rest = g_slist_remove(g_hash_table_lookup(table, key), item);

    if (rest == NULL)
        g_hash_table_remove(table, key);
    else
        g_hash_table_replace(table, key, rest);
}

void
engine_unlink_ike_sa(engine_t *engine, ike_sa_t *ike_sa)
{
    GSList *rest = g_slist_remove(g_hash_table_lookup(engine->ike_sas_by_spi, &ike_sa->spi_i), ike_sa);

    if (rest == NULL)
        g_hash_table_remove(engine->ike_sas_by_spi, &ike_sa->spi_i);
    else
        g_hash_table_replace(engine->ike_sas_by_spi, g_memdup2(&ike_sa->spi_i, sizeof(ike_sa->spi_i)), rest);
}

void
engine_unlink_esp_sa(engine_t *engine, esp_sa_t *sa)
{
    spi_index_remove(engine->esp_sas_by_spi, sa);
}

void
engine_unlist_tunnel(engine_t *engine, tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->address_keys_used; i++)
        unlist(engine->tunnels_by_address, GUINT_TO_POINTER(tunnel->address_keys[i]), tunnel);
    tunnel->address_keys_used = 0;
}

/* A peer that has moved more often than is remembered is still found by the latest addresses. */
static void
list_under(engine_t *engine, tunnel_t *tunnel, gpointer key)
{
    for (unsigned i = 0; i < tunnel->address_keys_used; i++) {
        if (tunnel->address_keys[i] == GPOINTER_TO_UINT(key))
            return;
    }
    if (tunnel->address_keys_used == ADDRESS_KEYS_MAX)
        engine_unlist_tunnel(engine, tunnel);
    tunnel->address_keys[tunnel->address_keys_used++] = GPOINTER_TO_UINT(key);
    GSList *list = g_hash_table_lookup(engine->tunnels_by_address, key);
    g_hash_table_replace(engine->tunnels_by_address, key, g_slist_prepend(list, tunnel));
}

void
engine_list_tunnel(engine_t *engine, tunnel_t *tunnel)
{
    list_under(engine, tunnel, pair_key(&tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last));
}

static bool
is_evicted_tunnel(const void *tunnel)
{
    return ((const tunnel_t *)tunnel)->is_evicted;
}

static bool
is_evicted_ike_sa(const void *ike_sa)
{
    return ((const ike_sa_t *)ike_sa)->tunnel->is_evicted;
}

static GSList *
without(GSList *list, bool (*is_gone)(const void *item))
{
    for (GSList **link = &list; *link != NULL;) {
        GSList *item = *link;
        if (is_gone(item->data)) {
            *link = item->next;
            g_slist_free_1(item);
        } else {
            link = &item->next;
        }
    }
    return list;
}

/* Takes out of all lists of a table what is gone. A list may hold thousands, so that one walk is for all that go together. */
static void
sweep(GHashTable *table, bool (*is_gone)(const void *item))
{
    GHashTableIter iter;
    gpointer list;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &list)) {
        GSList *rest = without(list, is_gone);
        if (rest == NULL)
            g_hash_table_iter_remove(&iter);
        else
            g_hash_table_iter_replace(&iter, rest);
    }
}

static bool
is_fleeting(const tunnel_t *tunnel)
{
    return !tunnel->has_returned && tunnel->peer[PEER_A].packets + tunnel->peer[PEER_B].packets < FLEETING_PACKETS;
}

/* The same for both directions. */
static gpointer
forgotten_key(const endpoint_t *a, const endpoint_t *b)
{
    return GUINT_TO_POINTER(endpoint_hash(a) ^ endpoint_hash(b));
}

static void
remember_pair(engine_t *engine, const tunnel_t *tunnel)
{
    if (g_hash_table_size(engine->forgotten_pairs) >= FORGOTTEN_PAIRS_MAX)
        g_hash_table_remove_all(engine->forgotten_pairs);
    g_hash_table_add(engine->forgotten_pairs, forgotten_key(&tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last));
}

/* It is in no list any more, but those of its ESP SAs, which they leave at once. */
static void
evict(engine_t *engine, tunnel_t *tunnel)
{
    if (is_fleeting(tunnel))
        remember_pair(engine, tunnel);
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++)
        engine_unlink_esp_sa(engine, g_ptr_array_index(tunnel->esp_sas, i));
    g_ptr_array_index(engine->tunnels, tunnel->index) = NULL;
    engine->capture.findings_left_out += tunnel->findings_left_out;
    tunnel_free(tunnel);
    engine->capture.tunnels_evicted++;
}

/* The notes of its frames name `heir`. False: there may be more of them than is worth looking for. */
static bool
bequeath_notes(engine_t *engine, const tunnel_t *tunnel, const tunnel_t *heir)
{
    for (frame_t frame = tunnel->first_frame, i = 0; frame <= engine->capture.last_frame && i < RENAMED_FRAMES_MAX; frame++, i++) {
        frame_note_t *note = g_hash_table_lookup(engine->notes, GUINT_TO_POINTER(frame));
        if (note != NULL && note->tunnel == tunnel->index)
            note->tunnel = heir->index;
    }
    return engine->capture.last_frame - tunnel->first_frame < RENAMED_FRAMES_MAX;
}

void
engine_forget_tunnel(engine_t *engine, tunnel_t *tunnel, const tunnel_t *heir)
{
    const uint32_t index = tunnel->index;
    const bool is_unnamed = bequeath_notes(engine, tunnel, heir);

    engine_unlist_tunnel(engine, tunnel);
    g_ptr_array_remove(engine->kept_tunnels, tunnel);
    tunnel_free(tunnel);
    g_ptr_array_index(engine->tunnels, index) = NULL;
    if (is_unnamed)
        g_hash_table_add(engine->free_numbers, GUINT_TO_POINTER(index));
    while (engine->tunnels->len > 0 && g_hash_table_remove(engine->free_numbers, GUINT_TO_POINTER(engine->tunnels->len - 1)))
        g_ptr_array_set_size(engine->tunnels, (int)engine->tunnels->len - 1);
}

/* A flood of tunnels that come and go must not leave its findings for ever. Causes and chains stay within a tunnel. */
static void
drop_findings_of_evicted(engine_t *engine)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < engine->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(engine->findings, i);
        if (finding->tunnel == INDEX_NONE || g_ptr_array_index(engine->tunnels, finding->tunnel) != NULL) {
            g_ptr_array_index(engine->findings, kept++) = finding;
            continue;
        }
        g_ptr_array_remove(engine_note_for(engine, finding->frame)->findings, finding);
        engine_free_finding(finding);
        engine->capture.findings_left_out++;
    }
    g_ptr_array_set_free_func(engine->findings, NULL);
    g_ptr_array_set_size(engine->findings, (int)kept);
    g_ptr_array_set_free_func(engine->findings, engine_free_finding);
    engine->findings_changed = true;
    engine->findings_wanted = MAX(FINDINGS_OF_EVICTED_MAX, 2 * kept);
}

static gint
by_last_frame(gconstpointer a, gconstpointer b)
{
    const tunnel_t *left = *(const tunnel_t *const *)a, *right = *(const tunnel_t *const *)b;
    return (left->last_frame > right->last_frame) - (left->last_frame < right->last_frame);
}

static void
keep_those_that_stay(GPtrArray *tunnels)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < tunnels->len; i++) {
        tunnel_t *tunnel = g_ptr_array_index(tunnels, i);
        if (!tunnel->is_evicted)
            g_ptr_array_index(tunnels, kept++) = tunnel;
    }
    g_ptr_array_set_size(tunnels, (int)kept);
}

/* Of these tunnels the quarter that has been idle longest is evicted, so that a flood of addresses costs linear time. Their findings stay,
 * unless there are very many; their state goes. */
static void
evict_oldest(engine_t *engine, GPtrArray *candidates)
{
    unsigned evicted = MIN(candidates->len / 4 + 1, candidates->len);

    g_ptr_array_sort(candidates, by_last_frame);
    for (unsigned i = 0; i < evicted; i++)
        ((tunnel_t *)g_ptr_array_index(candidates, i))->is_evicted = true;
    sweep(engine->tunnels_by_address, is_evicted_tunnel);
    sweep(engine->ike_sas_by_spi, is_evicted_ike_sa);
    keep_those_that_stay(engine->kept_tunnels);
    for (unsigned i = 0; i < evicted; i++)
        evict(engine, g_ptr_array_index(candidates, i));
    if (engine->findings->len > MAX(engine->findings_wanted, FINDINGS_OF_EVICTED_MAX))
        drop_findings_of_evicted(engine);
}

static bool
is_any(const tunnel_t *tunnel)
{
    (void)tunnel;
    return true;
}

/* When there are `limit` of this kind or more, the oldest go. */
static void
limit_tunnels(engine_t *engine, bool (*is_of_kind)(const tunnel_t *tunnel), unsigned limit)
{
    GPtrArray *tunnels = g_ptr_array_new();

    for (unsigned i = 0; i < engine->kept_tunnels->len; i++) {
        tunnel_t *tunnel = g_ptr_array_index(engine->kept_tunnels, i);
        if (is_of_kind(tunnel))
            g_ptr_array_add(tunnels, tunnel);
    }
    if (tunnels->len > 0 && tunnels->len >= limit)
        evict_oldest(engine, tunnels);
    g_ptr_array_free(tunnels, TRUE);
}

void
engine_make_room(engine_t *engine)
{
    uint64_t exchanges = 0, ike_sas = 0, esp_sas = 0;

    if (++engine->packets_since_room < MAX(ROOM_EVERY, engine->kept_tunnels->len / 2)) /* to look is dear where there are many */
        return;
    engine->packets_since_room = 0;
    for (unsigned i = 0; i < engine->kept_tunnels->len; i++) {
        const tunnel_t *tunnel = g_ptr_array_index(engine->kept_tunnels, i);
        exchanges += tunnel->exchanges;
        ike_sas += tunnel->ike_sas->len;
        esp_sas += tunnel->esp_sas->len;
    }
    for (unsigned i = 0; exchanges > EXCHANGES_IN_ALL_MAX && i < engine->kept_tunnels->len; i++) {
        const tunnel_t *tunnel = g_ptr_array_index(engine->kept_tunnels, i);
        for (unsigned s = 0; s < tunnel->ike_sas->len; s++)
            ike_sa_forget_half(g_ptr_array_index(tunnel->ike_sas, s));
    }
    for (unsigned i = 0; ike_sas > IKE_SAS_IN_ALL_MAX && i < engine->kept_tunnels->len; i++)
        engine_forget_ike_sas(engine, g_ptr_array_index(engine->kept_tunnels, i), IKE_SAS_LEFT);
    if (esp_sas > ESP_SAS_IN_ALL_MAX)
        limit_tunnels(engine, is_any, 0);
}

tunnel_t *
engine_add_tunnel(engine_t *engine, const endpoint_t *a, const endpoint_t *b, frame_t frame, capture_ns_t time)
{
    if (++engine->tunnels_since_limit >= FLEETING_TUNNELS_MAX / 4) {
        engine->tunnels_since_limit = 0;
        limit_tunnels(engine, is_fleeting, FLEETING_TUNNELS_MAX);
    }
    if (engine->kept_tunnels->len >= engine->settings.max_tunnels)
        limit_tunnels(engine, is_any, engine->settings.max_tunnels);
    tunnel_t *tunnel = tunnel_new(engine->tunnels->len, a, b, frame, time);

    tunnel->has_returned = g_hash_table_contains(engine->forgotten_pairs, forgotten_key(a, b));
    g_ptr_array_add(engine->tunnels, tunnel);
    g_ptr_array_add(engine->kept_tunnels, tunnel);
    list_under(engine, tunnel, pair_key(a, b));
    return tunnel;
}
