/* esp.c - which SA does an ESP packet belong to, and what does it change?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine_state.h"
#include "parse/cursor.h"

/* RFC 4303 2.1: SPI 0 is never sent. 1 to 255 are reserved, but manual keys use them. */
#define LEAST_SPI 1u
#define LAST_RESERVED_SPI 255u
#define ESP_HEADER_LENGTH 8u

/* RFC 4303 3.3.3: an SA counts from 1. A few of the first may be lost. */
#define FIRST_SEQUENCES 16u

/* Packets of both directions this close together show a path that works both ways. */
#define PAIRED_WITHIN SECONDS(2)

/* Packets further apart are no flow: silence in between says nothing about the other direction. */
#define RUN_GAP SECONDS(10)

esp_sa_t *
engine_find_esp_sa(const engine_t *engine, uint32_t spi, const endpoint_t *source, const endpoint_t *destination, frame_t frame)
{
    esp_sa_t *half = NULL;
    unsigned seen = 0;

    for (GSList *item = g_hash_table_lookup(engine->esp_sas_by_spi, GUINT_TO_POINTER(spi)); item != NULL; item = item->next) {
        esp_sa_t *sa = item->data;
        if (seen++ == NAMESAKES) {
            esp_sa_t *between = engine_esp_sa_between(engine, spi, source, destination);
            return between != NULL ? between : half;
        }
        const endpoint_t *from = &sa->tunnel->peer[sa->sender].last, *to = &sa->tunnel->peer[peer_other(sa->sender)].last;
        if (frame != FRAME_NONE && sa->first_frame != FRAME_NONE && sa->first_frame > frame)
            continue;
        bool same_to =
            endpoint_same_address(destination, to) || (sa->packets > 0 && endpoint_same_address(destination, &sa->destination));
        bool same_from = endpoint_same_address(source, from) || (sa->packets > 0 && endpoint_same_address(source, &sa->source));
        if (same_to && same_from)
            return sa;
        bool is_random = spi > LAST_RESERVED_SPI; /* a small number given by hand may well stand for several SAs */
        if ((same_to || same_from) && is_random && half == NULL)
            half = sa; /* one end kept its address: the other one moved */
    }
    return half;
}

/* Many at once, so that a flood of SPIs costs linear time. */
static void
forget_esp_sas(engine_t *engine, tunnel_t *tunnel)
{
    for (unsigned i = 0; i < ESP_SAS_PER_TUNNEL_MAX / 2; i++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        tunnel->forgotten_loss[sa->sender] += esp_sa_estimated_loss(sa);
        engine_unlink_esp_sa(engine, sa);
    }
    g_ptr_array_remove_range(tunnel->esp_sas, 0, ESP_SAS_PER_TUNNEL_MAX / 2);
}

esp_sa_t *
engine_add_esp_sa(engine_t *engine, tunnel_t *tunnel, uint32_t spi, peer_t sender)
{
    esp_sa_t *sa = esp_sa_new(tunnel, spi, sender);
    gpointer key = GUINT_TO_POINTER(spi);

    sa->negotiation = tunnel->lineage;
    if (tunnel->esp_sas->len >= ESP_SAS_PER_TUNNEL_MAX)
        forget_esp_sas(engine, tunnel);
    g_ptr_array_add(tunnel->esp_sas, sa);
    GSList *list = g_hash_table_lookup(engine->esp_sas_by_spi, key);
    g_hash_table_replace(engine->esp_sas_by_spi, key, g_slist_prepend(list, sa));
    return sa;
}

/* The pair that this new SPI completes: the latest generation that has no SPI in this direction yet, if it is young. */
static uint32_t
generation_for(tunnel_t *tunnel, peer_t sender, uint32_t negotiation)
{
    bool taken = false, known = false;

    if (tunnel->generations == 0)
        return tunnel->generations++;
    uint32_t latest = tunnel->generations - 1;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->generation != latest || sa->negotiation != negotiation)
            continue;
        known = true;
        taken |= sa->sender == sender;
    }
    return known && !taken ? latest : tunnel->generations++;
}

static esp_sa_t *
new_sa_for(engine_t *engine, const packet_t *packet, uint32_t spi, uint32_t sequence)
{
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL && sequence <= FIRST_SEQUENCES)
        tunnel = engine_tunnel_with_new_child(engine, packet);
    if (tunnel == NULL)
        tunnel = engine_add_tunnel(engine, &packet->source, &packet->destination, packet->frame, packet->time);
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    if (sender == PEER_UNKNOWN)
        sender = peer_other(tunnel_peer_at(tunnel, &packet->destination));
    if (sender == PEER_UNKNOWN)
        sender = PEER_A;
    uint32_t generation = generation_for(tunnel, sender, tunnel->lineage);
    esp_sa_t *sa = engine_add_esp_sa(engine, tunnel, spi, sender);
    sa->generation = generation;
    return sa;
}

static void
count_packet(esp_sa_t *sa, const packet_t *packet, uint32_t sequence)
{
    if (sa->packets == 0) {
        sa->first_sequence = sa->highest_sequence = sequence;
        sa->first_frame = packet->frame;
        sa->first_time = packet->time;
    }
    sa->highest_sequence = MAX(sa->highest_sequence, sequence);
    sa->packets++;
    sa->bytes += packet->reported;
    sa->destination = packet->destination;
    sa->encapsulation = packet->encapsulation;
    sa->last_frame = packet->frame;
    sa->last_time = capture_later(sa->last_time, packet->time);
    if (sa->unreachable_in != FRAME_NONE)
        sa->packets_since_unreachable++;
}

static void
count_direction(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    peer_state_t *from = &tunnel->peer[sender];

    if (from->last_esp_at != CAPTURE_TIME_NONE && duration_between(from->last_esp_at, packet->time) > RUN_GAP)
        from->run_packets = 0;
    if (tunnel->timeline == NULL)
        tunnel->timeline = timeline_new();
    timeline_count(tunnel->timeline, sender, packet->time, packet->reported);
    from->esp_packets++;
    from->esp_bytes += packet->reported;
    from->last_esp_at = capture_later(from->last_esp_at, packet->time);
    from->last_esp_in = packet->frame;
    if (from->run_packets == 0) {
        from->run_began_at = packet->time;
        from->run_began_in = packet->frame;
    }
    from->run_packets++;
    tunnel->peer[peer_other(sender)].run_packets = 0;
}

/* Two-way ESP proves the tunnel up to the older of the two directions' last packets, on SAs of the same negotiation. */
static void
prove_by_traffic(engine_t *engine, const esp_sa_t *sa, const packet_t *packet)
{
    tunnel_t *tunnel = sa->tunnel;
    const peer_state_t *other = &tunnel->peer[peer_other(sa->sender)];

    if (other->last_esp_at == CAPTURE_TIME_NONE || duration_between(other->last_esp_at, packet->time) > PAIRED_WITHIN)
        return;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *back = g_ptr_array_index(tunnel->esp_sas, i);
        if (back->sender == sa->sender || back->negotiation != sa->negotiation || back->last_frame != other->last_esp_in)
            continue;
        if (engine_is_stale(tunnel, sa->sender, PACKET_ESP, &back->destination, packet->time) ||
            engine_is_stale(tunnel, peer_other(sa->sender), PACKET_ESP, &packet->destination, packet->time))
            return; /* sent to where the peer no longer is */
        if (endpoint_equal(&back->destination, &packet->source))
            engine_flip_is_overcome(tunnel, sa->sender, &packet->source, other->last_esp_at);
        if (endpoint_equal(&back->source, &packet->destination))
            engine_flip_is_overcome(tunnel, peer_other(sa->sender), &packet->destination, packet->time);
        tunnel->had_child = true;
        life_proved_by_esp(engine, sa, other->last_esp_at, other->last_esp_in, packet);
        return;
    }
}

/* The receiver of `sa` was heard again, so an earlier port unreachable means nothing any more. */
static void
forget_unreachable(tunnel_t *tunnel, peer_t speaker)
{
    tunnel->has_unreachable = false;
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender != speaker)
            sa->unreachable_in = FRAME_NONE;
    }
}

tunnel_t *
engine_esp_packet(engine_t *engine, const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    uint32_t spi = 0, sequence = 0;

    if (packet->reported < ESP_HEADER_LENGTH || !cursor_u32(&cursor, &spi) || spi < LEAST_SPI || !cursor_u32(&cursor, &sequence))
        return NULL;
    engine->capture.esp_packets++;
    esp_sa_t *sa = engine_find_esp_sa(engine, spi, &packet->source, &packet->destination, FRAME_NONE);
    bool is_new = sa == NULL || sa->packets == 0;
    if (sa == NULL)
        sa = new_sa_for(engine, packet, spi, sequence);
    tunnel_t *tunnel = sa->tunnel;
    peer_t sender = sa->sender;

    engine_advance(engine, tunnel, NULL, packet->frame, packet->time, false);
    if (is_new && sa->announced_in == FRAME_NONE)
        engine_name_by_new_esp(engine, tunnel, packet->time);
    change_t change = { .frame = packet->frame, .time = packet->time, .packet = packet, .sender = sender, .esp_sa = sa };
    change.kind = CHANGE_TUNNEL_SEEN;
    engine_judge(engine, tunnel, &change);
    if (is_new || sa->encapsulation != packet->encapsulation) /* RFC 7296 2.23: a peer may encapsulate or not at will */
        sa->source = packet->source;
    engine_check_move(engine, tunnel, sender, &sa->source, packet, &change);
    count_packet(sa, packet, sequence);
    if (tunnel->has_unreachable && tunnel->peer[peer_other(sender)].run_packets > 0)
        forget_unreachable(tunnel, sender);
    count_direction(tunnel, sender, packet);
    engine_account_sender(engine, tunnel, sender, packet);
    prove_by_traffic(engine, sa, packet);
    engine_follow_spis(engine, sa, packet, is_new);
    if (is_new)
        engine_claim_strays(engine, sa, packet);
    engine_doubt_syslog(engine, sa);
    change.kind = CHANGE_ESP_PACKET;
    engine_judge(engine, tunnel, &change);
    change.kind = CHANGE_TRAFFIC;
    engine_judge(engine, tunnel, &change);
    return tunnel;
}
