/* associate.c - which tunnel does a packet belong to?
 *
 * SPIs decide where they are known. Else: same addresses and same ports; else the only tunnel between these addresses that is
 * in trouble. Several clients behind one NAT address are several tunnels.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"
#include "engine/esp/sdwan.h"

/* Over TCP a request need not be repeated to be in trouble: this is longer than TCP takes to repair an ordinary loss. */
#define OVERDUE_OVER_TCP SECONDS(5)

/* The first packet on a new child SA comes soon after its negotiation. */
#define NEW_CHILD_USED SECONDS(2)

/* IKE_AUTH follows IKE_SA_INIT within a few round trips: this many frames in a busy capture. */
#define RENAMED_FRAMES_MAX 2000u

/* Pairs of endpoints by which a tunnel in a crowd is found; beyond that they are learnt anew. */
#ifndef PATHS_MAX
#define PATHS_MAX 65536u
#endif

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
bool
engine_has_endpoints(const tunnel_t *tunnel, const packet_t *packet)
{
    if (packet->source.port == 0 && packet->destination.port == 0)
        return true;
    return (endpoint_belongs(tunnel, PEER_A, &packet->source) && endpoint_belongs(tunnel, PEER_B, &packet->destination)) ||
           (endpoint_belongs(tunnel, PEER_B, &packet->source) && endpoint_belongs(tunnel, PEER_A, &packet->destination));
}

/* Are both ends where the tunnel's peers are now, not where they once were? */
static bool
is_where_peers_are(const tunnel_t *tunnel, const packet_t *packet)
{
    const endpoint_t *a = &tunnel->peer[PEER_A].last, *b = &tunnel->peer[PEER_B].last;

    return (endpoint_equal(a, &packet->source) && endpoint_equal(b, &packet->destination)) ||
           (endpoint_equal(b, &packet->source) && endpoint_equal(a, &packet->destination));
}

/* How likely is it that this peer of a tunnel is about to start anew? More likely last. */
typedef enum {
    RETURN_UNLIKELY,
    RETURN_AFTER_DELETE,  /* the tunnel ended in an orderly way: nobody need come back */
    RETURN_AFTER_TROUBLE, /* it was lost, or the other peer asks without an answer */
    RETURN_OF_WHO_TRIED,  /* the peer itself has given up, or asks without an answer */
    RETURNS
} return_t;

static return_t
expected_return(const tunnel_t *tunnel, peer_t peer, capture_ns_t now)
{
    if (tunnel->loss.kind == LOSS_DELETED)
        return RETURN_AFTER_DELETE;
    if (tunnel->loss.kind != LOSS_NONE)
        return tunnel->loss.by == peer ? RETURN_OF_WHO_TRIED : RETURN_AFTER_TROUBLE;
    for (unsigned i = 0; i < tunnel->waiting->len; i++) {
        const exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        bool is_overdue =
            exchange->encapsulation == ENCAPSULATION_TCP && duration_between(exchange->last_sent_at, now) > OVERDUE_OVER_TCP;
        if (exchange->transmissions > 1 || is_overdue)
            return exchange->requester == peer ? RETURN_OF_WHO_TRIED : RETURN_AFTER_TROUBLE;
    }
    if (tunnel->was_up)
        return RETURN_UNLIKELY;
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) { /* one that is just being set up is another client's */
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->state != IKE_SA_FAILED)
            return RETURN_UNLIKELY;
    }
    return tunnel->ike_sas->len > 0 ? RETURN_AFTER_TROUBLE : RETURN_UNLIKELY;
}

/* ---- in a crowd ---- */

/* Both directions of a pair of endpoints have the same number. */
static guint64
path_of(const endpoint_t *a, const endpoint_t *b)
{
    guint64 hash_a = (guint64)endpoint_address_hash(a) << 16 | a->port, hash_b = (guint64)endpoint_address_hash(b) << 16 | b->port;

    return MIN(hash_a, hash_b) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) ^ MAX(hash_a, hash_b);
}

void
engine_note_path(engine_t *engine, const tunnel_t *tunnel, const endpoint_t *a, const endpoint_t *b)
{
    guint64 path = path_of(a, b);

    if (g_hash_table_size(engine->paths) >= PATHS_MAX)
        g_hash_table_remove_all(engine->paths);
    g_hash_table_replace(engine->paths, g_memdup2(&path, sizeof(path)), GUINT_TO_POINTER(tunnel->index + 1));
}

tunnel_t *
engine_tunnel_between_endpoints(const engine_t *engine, const endpoint_t *source, const endpoint_t *destination)
{
    guint64 path = path_of(source, destination);
    guint number = GPOINTER_TO_UINT(g_hash_table_lookup(engine->paths, &path));
    tunnel_t *tunnel = number > 0 && number <= engine->tunnels->len ? g_ptr_array_index(engine->tunnels, number - 1) : NULL;

    return tunnel != NULL && tunnel_is_between(tunnel, source, destination) ? tunnel : NULL;
}

/* The tunnel that has used these very endpoints. */
static tunnel_t *
tunnel_on_path(const engine_t *engine, const packet_t *packet)
{
    tunnel_t *tunnel = engine_tunnel_between_endpoints(engine, &packet->source, &packet->destination);

    return tunnel != NULL && engine_has_endpoints(tunnel, packet) ? tunnel : NULL;
}

/* Without IKE several tunnels may stand between two addresses, each with ports of its own (sdwan.c). */
static bool
is_told_by_ports(const tunnel_t *tunnel, const packet_t *packet)
{
    return tunnel->ike_sas_seen == 0 && sdwan_is_path(&packet->source, &packet->destination);
}

esp_sa_t *
engine_esp_sa_between(const engine_t *engine, uint32_t spi, const endpoint_t *source, const endpoint_t *destination)
{
    packet_t packet = { .kind = PACKET_ESP, .source = *source, .destination = *destination };
    const tunnel_t *tunnel = engine_tunnel_for_packet((engine_t *)engine, &packet);

    for (unsigned i = tunnel != NULL ? tunnel->esp_sas->len : 0; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->spi == spi && endpoint_same_address(&tunnel->peer[sa->sender].last, source))
            return sa;
    }
    return NULL;
}

ike_sa_t *
engine_ike_sa_between(const engine_t *engine, const packet_t *packet, const ike_message_t *message)
{
    const tunnel_t *tunnel = engine_tunnel_for_packet((engine_t *)engine, packet);

    for (unsigned i = tunnel != NULL ? tunnel->ike_sas->len : 0; i-- > 0;) {
        ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->major == message->major && ike_sa->spi_i == message->spi_i && ike_sa->spi_r == message->spi_r)
            return ike_sa;
    }
    return NULL;
}

/* ---- which tunnel? ---- */

tunnel_t *
engine_tunnel_for_packet(engine_t *engine, const packet_t *packet)
{
    tunnel_t *only = NULL, *latest = NULL;
    bool latest_is_there = false;
    unsigned candidates = 0, seen = 0;

    for (GSList *item = engine_tunnels_between(engine, &packet->source, &packet->destination); item != NULL; item = item->next) {
        tunnel_t *tunnel = item->data;
        if (seen++ == CROWD)
            return latest != NULL ? latest : tunnel_on_path(engine, packet);
        if (!tunnel_is_between(tunnel, &packet->source, &packet->destination))
            continue;
        candidates++;
        only = tunnel;
        if (!engine_has_endpoints(tunnel, packet))
            continue;
        bool is_there = is_where_peers_are(tunnel, packet); /* a NAT that has restarted gives one client's ports to another */
        if (latest == NULL || is_there > latest_is_there ||
            (is_there == latest_is_there && tunnel->last_frame > latest->last_frame)) {
            latest = tunnel;
            latest_is_there = is_there;
        }
    }
    if (latest != NULL)
        return latest;
    return candidates == 1 && !is_told_by_ports(only, packet) ? only : NULL;
}

/* A moment ago the IKE_SA_INIT of its newest IKE SA was answered, and nothing has followed in the capture. */
static bool
may_have_child_unseen(const tunnel_t *tunnel, capture_ns_t now)
{
    const ike_sa_t *newest = tunnel->ike_sas->len > 0 ? g_ptr_array_index(tunnel->ike_sas, tunnel->ike_sas->len - 1) : NULL;

    if (newest == NULL || newest->state != IKE_SA_NEGOTIATING || newest->exchanges->len != 1)
        return false;
    const exchange_t *init = g_ptr_array_index(newest->exchanges, 0);
    return exchange_is_init(init) && init->outcome == OUTCOME_ANSWERED && !init->is_refused &&
           duration_between(init->answered_at, now) < NEW_CHILD_USED;
}

static bool
has_new_child(const tunnel_t *tunnel, capture_ns_t now)
{
    return tunnel->last_child_success_at != CAPTURE_TIME_NONE &&
           duration_between(tunnel->last_child_success_at, now) < NEW_CHILD_USED;
}

tunnel_t *
engine_tunnel_with_new_child(const engine_t *engine, const packet_t *packet)
{
    tunnel_t *found = NULL;
    unsigned seen = 0;

    for (GSList *item = engine_tunnels_between(engine, &packet->source, &packet->destination); item != NULL && seen < CROWD;
         item = item->next, seen++) {
        tunnel_t *tunnel = item->data;
        bool is_new = has_new_child(tunnel, packet->time) || may_have_child_unseen(tunnel, packet->time);
        if (!is_new || !tunnel_is_between(tunnel, &packet->source, &packet->destination))
            continue;
        if (found != NULL)
            return NULL;
        found = tunnel;
    }
    return found;
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

/* The NAT's ports are part of a client's identity, unless one tunnel between the addresses is in trouble, or in worse trouble than all
 * others: then it is that client coming back. With a native or unmapped port (500 on both ends) one tunnel per address pair is what exists. */
tunnel_t *
engine_tunnel_for_initiation(engine_t *engine, const packet_t *packet, source_owner_t owner)
{
    tunnel_t *same_ports = NULL, *troubled[RETURNS] = { NULL };
    unsigned in_trouble[RETURNS] = { 0 }, seen = 0;

    for (GSList *item = engine_tunnels_between(engine, &packet->source, &packet->destination); item != NULL; item = item->next) {
        tunnel_t *tunnel = item->data;
        if (seen++ == CROWD)
            return same_ports != NULL ? same_ports : tunnel_on_path(engine, packet);
        if (!tunnel_is_between(tunnel, &packet->source, &packet->destination))
            continue;
        if ((engine_has_endpoints(tunnel, packet) || is_without_port_translation(tunnel, packet) ||
             is_same_host(tunnel, packet, owner)) &&
            (same_ports == NULL || tunnel->last_frame > same_ports->last_frame))
            same_ports = tunnel;
        return_t expected = expected_return(tunnel, tunnel_peer_at(tunnel, &packet->source), packet->time);
        troubled[expected] = tunnel;
        in_trouble[expected]++;
    }
    if (same_ports != NULL)
        return same_ports;
    for (unsigned expected = RETURNS - 1; expected > RETURN_UNLIKELY; expected--) {
        if (in_trouble[expected] > 0)
            return in_trouble[expected] == 1 ? troubled[expected] : NULL;
    }
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
    unsigned seen = 0;

    if (from->ike_sas->len != 1 || from->esp_sas->len > 0 || from->findings->len > 0)
        return;
    for (GSList *item = engine_tunnels_between(engine, &packet->source, &packet->destination); item != NULL && seen < CROWD;
         item = item->next, seen++) {
        tunnel_t *tunnel = item->data;
        if (tunnel != from && tunnel_is_between(tunnel, &packet->source, &packet->destination) &&
            engine_has_endpoints(tunnel, packet))
            to = tunnel;
    }
    if (to == NULL || (to->peer[PEER_A].last.family == ADDRESS_NONE))
        return;
    /* The peers may be named the other way round in the older tunnel. */
    bool swap = !endpoint_same_address(&to->peer[PEER_A].last, &from->peer[PEER_A].last);
    if (swap || to->ike_sas->len >= IKE_SAS_PER_TUNNEL_MAX)
        return;
    g_ptr_array_set_free_func(from->ike_sas, NULL);
    g_ptr_array_set_size(from->ike_sas, 0);
    g_ptr_array_set_free_func(from->ike_sas, (GDestroyNotify)ike_sa_free);
    from->exchanges -= ike_sa->exchanges->len;
    to->exchanges += ike_sa->exchanges->len;
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
        engine_unlist_tunnel(engine, from);
        g_ptr_array_remove(engine->kept_tunnels, from);
        g_ptr_array_set_size(engine->tunnels, (int)engine->tunnels->len - 1);
    }
}