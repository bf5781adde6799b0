/* associate.c - which tunnel does a packet belong to?
 *
 * SPIs decide where they are known. Else: same addresses and same ports; else the only tunnel between these addresses that is
 * in trouble. Several clients behind one NAT address are several tunnels.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"

/* A peer that reauthenticates deletes the old IKE SA soon after the new one is up (RFC 7296 2.8.3). */
#define TAKEN_OVER_WITHIN SECONDS(60)

/* Over TCP a request need not be repeated to be in trouble: this is longer than TCP takes to repair an ordinary loss. */
#define OVERDUE_OVER_TCP SECONDS(5)
/* IKE_AUTH follows IKE_SA_INIT within a few round trips: this many frames in a busy capture. */
#define RENAMED_FRAMES_MAX 10000u

/* Both directions of a pair of addresses have the same key. Other pairs may share it: whoever looks up compares. */
static gpointer
pair_key(const endpoint_t *a, const endpoint_t *b)
{
    return GUINT_TO_POINTER(endpoint_address_hash(a) ^ endpoint_address_hash(b));
}

static bool
is_between(const tunnel_t *tunnel, const packet_t *packet)
{
    const endpoint_t *a = &tunnel->peer[PEER_A].last, *b = &tunnel->peer[PEER_B].last;

    return (endpoint_same_address(a, &packet->source) && endpoint_same_address(b, &packet->destination)) ||
           (endpoint_same_address(b, &packet->source) && endpoint_same_address(a, &packet->destination));
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
    unlist(engine->esp_sas_by_spi, GUINT_TO_POINTER(sa->spi), sa);
}

static void
unlist_everywhere(engine_t *engine, tunnel_t *tunnel)
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
        unlist_everywhere(engine, tunnel);
    tunnel->address_keys[tunnel->address_keys_used++] = GPOINTER_TO_UINT(key);
    GSList *list = g_hash_table_lookup(engine->tunnels_by_address, key);
    g_hash_table_replace(engine->tunnels_by_address, key, g_slist_prepend(list, tunnel));
}

void
engine_list_tunnel(engine_t *engine, tunnel_t *tunnel)
{
    list_under(engine, tunnel, pair_key(&tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last));
}

static void
evict(engine_t *engine, tunnel_t *tunnel)
{
    unlist_everywhere(engine, tunnel);
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++)
        engine_unlink_ike_sa(engine, g_ptr_array_index(tunnel->ike_sas, i));
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++)
        engine_unlink_esp_sa(engine, g_ptr_array_index(tunnel->esp_sas, i));
    g_ptr_array_index(engine->tunnels, tunnel->index) = NULL;
    tunnel_free(tunnel);
    engine->capture.tunnels_evicted++;
}

static gint
by_last_frame(gconstpointer a, gconstpointer b)
{
    const tunnel_t *left = *(const tunnel_t *const *)a, *right = *(const tunnel_t *const *)b;
    return (left->last_frame > right->last_frame) - (left->last_frame < right->last_frame);
}

/* Evicts the quarter of the tunnels that has been idle longest, so that a flood of addresses costs linear time. Their findings
 * stay, their state goes. */
static void
evict_oldest(engine_t *engine)
{
    GPtrArray *alive = g_ptr_array_new();

    for (unsigned i = 0; i < engine->tunnels->len; i++) {
        tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, i);
        if (tunnel != NULL)
            g_ptr_array_add(alive, tunnel);
    }
    g_ptr_array_sort(alive, by_last_frame);
    for (unsigned i = 0; i < alive->len / 4 + 1 && i < alive->len; i++)
        evict(engine, g_ptr_array_index(alive, i));
    g_ptr_array_free(alive, TRUE);
}

tunnel_t *
engine_add_tunnel(engine_t *engine, const endpoint_t *a, const endpoint_t *b, frame_t frame, capture_ns_t time)
{
    if (engine->tunnels->len - engine->capture.tunnels_evicted >= engine->settings.max_tunnels)
        evict_oldest(engine);
    tunnel_t *tunnel = tunnel_new(engine->tunnels->len, a, b, frame, time);

    g_ptr_array_add(engine->tunnels, tunnel);
    list_under(engine, tunnel, pair_key(a, b));
    return tunnel;
}

static bool
endpoint_belongs(const tunnel_t *tunnel, peer_t peer, const endpoint_t *endpoint)
{
    if (endpoint_equal(&tunnel->peer[peer].last, endpoint))
        return true;
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        for (unsigned e = 0; e < ENCAPSULATIONS; e++) {
            if (endpoint_equal(&ike_sa->source[peer][e], endpoint))
                return true;
        }
    }
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->packets > 0 && endpoint_equal(sa->sender == peer ? &sa->source : &sa->destination, endpoint))
            return true;
    }
    return false;
}

/* Were both ends of the packet seen in this tunnel with these very ports? Native ESP has no ports: addresses are all there is. */
static bool
has_endpoints(const tunnel_t *tunnel, const packet_t *packet)
{
    if (packet->source.port == 0 && packet->destination.port == 0)
        return true;
    return (endpoint_belongs(tunnel, PEER_A, &packet->source) && endpoint_belongs(tunnel, PEER_B, &packet->destination)) ||
           (endpoint_belongs(tunnel, PEER_B, &packet->source) && endpoint_belongs(tunnel, PEER_A, &packet->destination));
}

static GSList *
tunnels_between(const engine_t *engine, const packet_t *packet)
{
    return g_hash_table_lookup(engine->tunnels_by_address, pair_key(&packet->source, &packet->destination));
}

void
engine_note_redirected(engine_t *engine, const tunnel_t *tunnel, peer_t client, capture_ns_t time)
{
    for (unsigned i = 0; i < engine->tunnels->len; i++) {
        tunnel_t *other = g_ptr_array_index(engine->tunnels, i);
        if (other != NULL && other != tunnel && tunnel_peer_at(other, &tunnel->peer[client].last) != PEER_UNKNOWN)
            other->redirected_at = time;
    }
}

/* With the peers named the same way round: the same client identity at the same headend. */
static bool
has_same_identities(const tunnel_t *a, const tunnel_t *b)
{
    return a->peer[PEER_A].identity[0] != '\0' && g_str_equal(a->peer[PEER_A].identity, b->peer[PEER_A].identity) &&
           g_str_equal(a->peer[PEER_B].identity, b->peer[PEER_B].identity);
}

void
engine_note_rivals(engine_t *engine, const tunnel_t *tunnel, frame_t frame, capture_ns_t time)
{
    const endpoint_t *a = &tunnel->peer[PEER_A].last, *b = &tunnel->peer[PEER_B].last;

    for (GSList *item = g_hash_table_lookup(engine->tunnels_by_address, pair_key(a, b)); item != NULL; item = item->next) {
        tunnel_t *other = item->data;
        bool is_between =
            endpoint_same_address(a, &other->peer[PEER_A].last) && endpoint_same_address(b, &other->peer[PEER_B].last);
        if (other == tunnel || !is_between || !other->was_up)
            continue;
        bool takes_turns =
            tunnel->rival.tunnel == other->index && tunnel->lost_at != CAPTURE_TIME_NONE && tunnel->lost_at > tunnel->rival.at;
        other->rival = (rival_t){ .tunnel = tunnel->index,
                                  .in = frame,
                                  .at = time,
                                  .same_identity = has_same_identities(tunnel, other),
                                  .takes_turns = takes_turns };
    }
}

/* Given up, deleted, or asking without an answer: someone may be about to start anew. */
static bool
is_in_trouble(const tunnel_t *tunnel, capture_ns_t now)
{
    if (tunnel->loss.kind != LOSS_NONE)
        return true;
    for (unsigned i = 0; i < tunnel->waiting->len; i++) {
        const exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        bool is_overdue =
            exchange->encapsulation == ENCAPSULATION_TCP && duration_between(exchange->last_sent_at, now) > OVERDUE_OVER_TCP;
        if (exchange->transmissions > 1 || is_overdue)
            return true;
    }
    if (tunnel->was_up)
        return false;
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) { /* one that is just being set up is another client's */
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->state != IKE_SA_FAILED)
            return false;
    }
    return tunnel->ike_sas->len > 0;
}

tunnel_t *
engine_tunnel_for_packet(engine_t *engine, const packet_t *packet)
{
    tunnel_t *only = NULL, *latest = NULL;
    unsigned candidates = 0;

    for (GSList *item = tunnels_between(engine, packet); item != NULL; item = item->next) {
        tunnel_t *tunnel = item->data;
        if (!is_between(tunnel, packet))
            continue;
        candidates++;
        only = tunnel;
        if (has_endpoints(tunnel, packet) && (latest == NULL || tunnel->last_frame > latest->last_frame))
            latest = tunnel;
    }
    if (latest != NULL)
        return latest;
    return candidates == 1 ? only : NULL;
}

/* RFC 9329 6.1: an IKE SA that is negotiated anew gets a TCP connection of its own, and so another port: it may as well be another
 * client's, and is a tunnel of its own here. But if it came up shortly before this one was deleted, it may have taken over. */
bool
engine_has_successor_over_tcp(const engine_t *engine, const ike_sa_t *ike_sa, const packet_t *packet)
{
    if (packet->encapsulation != ENCAPSULATION_TCP)
        return false;
    for (GSList *item = tunnels_between(engine, packet); item != NULL; item = item->next) {
        const tunnel_t *tunnel = item->data;
        if (tunnel == ike_sa->tunnel || !is_between(tunnel, packet) || !tunnel->tcp_encapsulated)
            continue;
        const ike_sa_t *other = tunnel_current_ike_sa(tunnel);
        if (other != NULL && ike_sa_is_usable(other) && other->established_at != CAPTURE_TIME_NONE &&
            other->established_at >= ike_sa->established_at &&
            duration_between(other->established_at, packet->time) < TAKEN_OVER_WITHIN)
            return true;
    }
    return false;
}

static bool
is_unmapped(const endpoint_t *endpoint)
{
    return endpoint->port == 0 || endpoint->port == 500 || endpoint->port == 4500;
}

/* No NAT has changed a port of this packet nor of this tunnel: then there is one client per address. */
static bool
is_without_port_translation(const tunnel_t *tunnel, const packet_t *packet)
{
    return is_unmapped(&packet->source) && is_unmapped(&packet->destination) && is_unmapped(&tunnel->peer[PEER_A].first) &&
           is_unmapped(&tunnel->peer[PEER_B].first) && is_unmapped(&tunnel->peer[PEER_A].last) &&
           is_unmapped(&tunnel->peer[PEER_B].last);
}

/* NAT detection proved that an address is its host's own, then and now: its ports are the host's choice (some clients take any free
 * one), not a NAT's name for one of many. */
static bool
is_same_host(const tunnel_t *tunnel, const packet_t *packet, source_owner_t owner)
{
    peer_t peer = tunnel_peer_at(tunnel, &packet->source);

    return owner == SOURCE_OF_HOST && peer != PEER_UNKNOWN && nat_detection_is_own_address(&tunnel->nat, peer) &&
           endpoint_same_address(&tunnel->nat.peer[peer].seen, &packet->source);
}

/* The NAT's ports are part of a client's identity, unless the only tunnel between the addresses is in trouble: then it is that
 * client coming back. With a native or unmapped port (500 on both ends) one tunnel per address pair is what exists. */
tunnel_t *
engine_tunnel_for_initiation(engine_t *engine, const packet_t *packet, source_owner_t owner)
{
    tunnel_t *same_ports = NULL, *troubled = NULL;
    unsigned in_trouble = 0;

    for (GSList *item = tunnels_between(engine, packet); item != NULL; item = item->next) {
        tunnel_t *tunnel = item->data;
        if (!is_between(tunnel, packet))
            continue;
        if ((has_endpoints(tunnel, packet) || is_without_port_translation(tunnel, packet) || is_same_host(tunnel, packet, owner)) &&
            (same_ports == NULL || tunnel->last_frame > same_ports->last_frame))
            same_ports = tunnel;
        if (is_in_trouble(tunnel, packet->time)) {
            troubled = tunnel;
            in_trouble++;
        }
    }
    if (same_ports != NULL)
        return same_ports;
    if (in_trouble == 1)
        return troubled;
    return NULL;
}

/* The notes of these frames, which named `from`, name `to`. False: there may be more of them than is worth looking for. */
static bool
rename_notes(engine_t *engine, const tunnel_t *from, const ike_sa_t *ike_sa, frame_t last)
{
    bool is_all = last - from->first_frame < RENAMED_FRAMES_MAX;

    for (frame_t frame = is_all ? from->first_frame : last - RENAMED_FRAMES_MAX; frame <= last; frame++) {
        frame_note_t *note = g_hash_table_lookup(engine->notes, GUINT_TO_POINTER(frame));
        if (note == NULL || note->tunnel != from->index)
            continue;
        note->tunnel = ike_sa->tunnel->index;
        if (note->ike_sa != INDEX_NONE)
            note->ike_sa = ike_sa->index;
    }
    return is_all;
}

/* After IKE_SA_INIT the initiator floats to port 4500 (RFC 7296 2.23): if its mapping there belongs to another tunnel between the
 * same addresses, that is the client's tunnel, whatever port the NAT gave IKE_SA_INIT. */
void
engine_adopt_by_endpoint(engine_t *engine, ike_sa_t *ike_sa, const packet_t *packet)
{
    tunnel_t *from = ike_sa->tunnel, *to = NULL;

    if (from->ike_sas->len != 1 || from->esp_sas->len > 0 || from->findings->len > 0)
        return;
    for (GSList *item = tunnels_between(engine, packet); item != NULL; item = item->next) {
        tunnel_t *tunnel = item->data;
        if (tunnel != from && is_between(tunnel, packet) && has_endpoints(tunnel, packet))
            to = tunnel;
    }
    if (to == NULL || (to->peer[PEER_A].last.family == ADDRESS_NONE))
        return;
    /* The peers may be named the other way round in the older tunnel. */
    bool swap = !endpoint_same_address(&to->peer[PEER_A].last, &from->peer[PEER_A].last);
    if (swap)
        return;
    g_ptr_array_set_free_func(from->ike_sas, NULL);
    g_ptr_array_set_size(from->ike_sas, 0);
    g_ptr_array_set_free_func(from->ike_sas, (GDestroyNotify)ike_sa_free);
    ike_sa->tunnel = to;
    ike_sa->index = to->ike_sas_seen++;
    g_ptr_array_add(to->ike_sas, ike_sa);
    tunnel_learn_nat(to, &ike_sa->nat);
    for (unsigned i = 0; i < from->waiting->len; i++)
        g_ptr_array_add(to->waiting, g_ptr_array_index(from->waiting, i));
    g_ptr_array_set_size(from->waiting, 0);
    for (unsigned i = 0; i < PEERS; i++)
        to->peer[i].packets += from->peer[i].packets;
    bool is_forgotten = rename_notes(engine, from, ike_sa, packet->frame);
    if (is_forgotten && from->index == engine->tunnels->len - 1) { /* the tunnel never was one: give its number back */
        unlist_everywhere(engine, from);
        g_ptr_array_set_size(engine->tunnels, (int)engine->tunnels->len - 1);
    }
}
