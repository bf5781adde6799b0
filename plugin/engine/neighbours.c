/* neighbours.c - what does one tunnel say about another between the same addresses, or of the same client?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

/* A peer that reauthenticates deletes the old IKE SA soon after the new one is up (RFC 7296 2.8.3). */
#define TAKEN_OVER_WITHIN SECONDS(60)

/* So many clients are known to have been sent elsewhere; of no more is that learnt. */
#define REDIRECTIONS_MAX 65536u

typedef struct {
    capture_ns_t at;
    uint32_t to; /* the index of the tunnel that the client made then */
} redirection_t;

static gpointer
client_key(const endpoint_t *client)
{
    return GUINT_TO_POINTER(endpoint_address_hash(client));
}

void
engine_note_redirected(engine_t *engine, const tunnel_t *tunnel, peer_t client, capture_ns_t time)
{
    gpointer key = client_key(&tunnel->peer[client].last);
    const redirection_t redirection = { .at = time, .to = tunnel->index };

    if (g_hash_table_size(engine->redirections) < REDIRECTIONS_MAX || g_hash_table_contains(engine->redirections, key))
        g_hash_table_replace(engine->redirections, key, g_memdup2(&redirection, sizeof(redirection)));
}

void
engine_recall_redirection(const engine_t *engine, tunnel_t *tunnel)
{
    for (unsigned p = 0; p < PEERS; p++) {
        const redirection_t *latest = g_hash_table_lookup(engine->redirections, client_key(&tunnel->peer[p].last));
        if (latest != NULL && latest->to != tunnel->index)
            tunnel->redirected_at = MAX(tunnel->redirected_at, latest->at);
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

    unsigned seen = 0;

    for (GSList *item = engine_tunnels_between(engine, a, b); item != NULL && seen < CROWD; item = item->next, seen++) {
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

/* Was the tunnel lost while this moment was between its last proof and the loss? */
static bool
was_lost_around(const tunnel_t *tunnel, capture_ns_t time)
{
    for (unsigned i = 0; i < tunnel->incidents->len; i++) {
        const incident_t *incident = g_ptr_array_index(tunnel->incidents, i);
        if (incident->is_outage && incident->loss.last_proof_at <= time && time <= incident->loss.at)
            return true;
    }
    return tunnel->loss.kind != LOSS_NONE && tunnel->loss.last_proof_at <= time && time <= tunnel->loss.at;
}

/* It came back when this IKE SA came up, and had been lost around the time at which `victim` had last come up. */
static bool
came_back_in_turn(const tunnel_t *tunnel, const ike_sa_t *ike_sa, const tunnel_t *victim)
{
    for (unsigned i = 0; i < tunnel->incidents->len; i++) {
        const incident_t *incident = g_ptr_array_index(tunnel->incidents, i);
        if (!incident->is_outage || !incident->recovered || incident->end != ike_sa->established_at)
            continue;
        for (unsigned j = 0; j < victim->ike_sas->len; j++) {
            const ike_sa_t *other = g_ptr_array_index(victim->ike_sas, j);
            if (other->established_at != CAPTURE_TIME_NONE && incident->loss.last_proof_at <= other->established_at &&
                other->established_at <= incident->loss.at)
                return true;
        }
    }
    return false;
}

/* The IKE SA of another tunnel that came up between the last proof of this one and its loss; NULL: none. */
static const ike_sa_t *
came_up_before_loss(const tunnel_t *other, const loss_t *loss)
{
    for (unsigned i = 0; i < other->ike_sas->len; i++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(other->ike_sas, i);
        if (ike_sa->established_at != CAPTURE_TIME_NONE && loss->last_proof_at <= ike_sa->established_at &&
            ike_sa->established_at < loss->at)
            return ike_sa;
    }
    return NULL;
}

/* So many neighbours are asked for each incident. */
#define EVICTORS_ASKED 64u

/* One client that comes up while another falls silent is chance. Two that do so in turn, or have the same identity, are none. */
rival_t
engine_evictor(const engine_t *engine, const tunnel_t *tunnel, const incident_t *incident)
{
    const endpoint_t *a = &tunnel->peer[PEER_A].last, *b = &tunnel->peer[PEER_B].last;
    rival_t none = { .tunnel = INDEX_NONE };
    unsigned seen = 0;

    if (!incident->is_outage || incident->loss.kind == LOSS_DELETED || incident->loss.kind == LOSS_CHILD_GONE)
        return none;
    for (GSList *item = engine_tunnels_between(engine, a, b); item != NULL && seen < EVICTORS_ASKED; item = item->next, seen++) {
        const tunnel_t *other = item->data;
        bool is_between =
            endpoint_same_address(a, &other->peer[PEER_A].last) && endpoint_same_address(b, &other->peer[PEER_B].last);
        const ike_sa_t *ike_sa = other != tunnel && is_between ? came_up_before_loss(other, &incident->loss) : NULL;
        if (ike_sa == NULL)
            continue;
        bool same_identity = has_same_identities(tunnel, other);
        bool takes_turns =
            (incident->recovered && was_lost_around(other, incident->end)) || came_back_in_turn(other, ike_sa, tunnel);
        if (same_identity || takes_turns)
            return (rival_t){ .tunnel = other->index,
                              .in = ike_sa->established_in,
                              .at = ike_sa->established_at,
                              .same_identity = same_identity,
                              .takes_turns = takes_turns };
    }
    return none;
}

/* RFC 9329 6.1: an IKE SA that is negotiated anew gets a TCP connection of its own, and so another port: it may as well be another
 * client's, and is a tunnel of its own here. But if it came up shortly before this one was deleted, it may have taken over. */
bool
engine_has_successor_over_tcp(const engine_t *engine, const ike_sa_t *ike_sa, const packet_t *packet)
{
    if (packet->encapsulation != ENCAPSULATION_TCP)
        return false;
    unsigned seen = 0;
    for (GSList *item = engine_tunnels_between(engine, &packet->source, &packet->destination); item != NULL && seen < CROWD;
         item = item->next, seen++) {
        const tunnel_t *tunnel = item->data;
        if (tunnel == ike_sa->tunnel || !tunnel_is_between(tunnel, &packet->source, &packet->destination) ||
            !tunnel->tcp_encapsulated)
            continue;
        const ike_sa_t *other = tunnel_current_ike_sa(tunnel);
        if (other != NULL && ike_sa_is_usable(other) && other->established_at != CAPTURE_TIME_NONE &&
            other->established_at >= ike_sa->established_at &&
            duration_between(other->established_at, packet->time) < TAKEN_OVER_WITHIN)
            return true;
    }
    return false;
}
