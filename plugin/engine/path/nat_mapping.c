/* nat_mapping.c - for how long may a peer's NAT mapping be silent before the NAT forgets it?
 *
 * A NAT keeps the mapping of a UDP endpoint while packets use it (RFC 4787 4.3). Each silence after which the peer still has its
 * endpoint shows how long this NAT waits at least, each after which it has another one how long at most. A packet that only comes
 * towards the peer does not show that the mapping is still there; the peer's next one does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

static void
begin(mapping_t *mapping, const endpoint_t *endpoint, capture_ns_t time)
{
    mapping->endpoint = *endpoint;
    mapping->used_at = time;
    mapping->silence = 0;
}

static void
use(mapping_t *mapping, capture_ns_t time)
{
    mapping->silence = MAX(mapping->silence, duration_between(mapping->used_at, time));
    mapping->used_at = capture_later(mapping->used_at, time);
}

static void
sent(mapping_t *mapping, const endpoint_t *source, capture_ns_t time)
{
    if (!endpoint_equal(&mapping->endpoint, source)) {
        begin(mapping, source, time);
        return;
    }
    use(mapping, time);
    mapping->longest_survived = MAX(mapping->longest_survived, mapping->silence);
    mapping->silence = 0;
}

void
engine_use_mappings(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    mapping_t *receiver = &tunnel->peer[peer_other(sender)].mapping;

    if (packet->encapsulation != ENCAPSULATION_UDP || tunnel->both_sides_of_nat)
        return;
    sent(&tunnel->peer[sender].mapping, &packet->source, packet->time);
    if (endpoint_equal(&receiver->endpoint, &packet->destination))
        use(receiver, packet->time);
}

/* Where the capture shows both sides of the NAT, what passes it is what uses the mapping. */
void
engine_use_far_side(tunnel_t *tunnel, peer_t sender, const endpoint_t *source, capture_ns_t time)
{
    sent(&tunnel->peer[sender].mapping, source, time);
}

void
engine_let_in(tunnel_t *tunnel, peer_t receiver, capture_ns_t time)
{
    use(&tunnel->peer[receiver].mapping, time);
}

/* Anybody can send a keepalive: from elsewhere it moves nothing, but it tells since when the mapping may have been another one. */
void
engine_keepalive_sent(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    peer_state_t *peer = &tunnel->peer[sender];
    mapping_t *mapping = &peer->mapping;
    capture_ns_t before = capture_later(peer->last_packet_at, mapping->keepalive_at);

    mapping->keepalive_after = MAX(mapping->keepalive_after, duration_between(before, packet->time));
    mapping->keepalive_at = capture_later(mapping->keepalive_at, packet->time);
    mapping->keepalive_in = packet->frame;
    if (!endpoint_equal(&mapping->keepalive_source, &packet->source)) {
        mapping->keepalive_source = packet->source;
        mapping->keepalive_since = packet->time;
    }
    if (endpoint_equal(&mapping->endpoint, &packet->source))
        sent(mapping, &packet->source, packet->time);
}

duration_ns_t
engine_silence_before_flip(tunnel_t *tunnel, peer_t peer, const endpoint_t *new_endpoint, capture_ns_t time)
{
    mapping_t *mapping = &tunnel->peer[peer].mapping;
    bool keepalive_was_first = endpoint_equal(&mapping->keepalive_source, new_endpoint);
    capture_ns_t until = keepalive_was_first ? mapping->keepalive_since : time;
    duration_ns_t silence = MAX(mapping->silence, duration_between(mapping->used_at, until));

    if (mapping->shortest_lost == 0 || silence < mapping->shortest_lost)
        mapping->shortest_lost = MAX(silence, 1);
    return silence;
}
