/* neighbours.c - what does one tunnel say about another between the same addresses, or of the same client?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"

/* A peer that reauthenticates deletes the old IKE SA soon after the new one is up (RFC 7296 2.8.3). */
#define TAKEN_OVER_WITHIN SECONDS(60)

void
engine_note_redirected(engine_t *engine, const tunnel_t *tunnel, peer_t client, capture_ns_t time)
{
    for (unsigned i = 0; i < engine->kept_tunnels->len; i++) {
        tunnel_t *other = g_ptr_array_index(engine->kept_tunnels, i);
        if (other != tunnel && tunnel_peer_at(other, &tunnel->peer[client].last) != PEER_UNKNOWN)
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
