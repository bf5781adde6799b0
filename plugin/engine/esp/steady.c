/* steady.c - which ESP packets reveal nothing?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/steady.h"

#include "engine/detect/detectors.h"
#include "engine/esp/sdwan.h"

/* A direction that was heard so short a time ago is not missed by anybody. */
#define HEARD_LATELY SECONDS(1)

void
steady_end(tunnel_t *tunnel)
{
    tunnel->turn++;
    if (tunnel->turn == 0) /* 0 stands for none */
        tunnel->turn = 1;
}

static bool
has_large_packets_watched(const tunnel_t *tunnel)
{
    for (unsigned p = 0; p < PEERS; p++) {
        const large_packets_t *large = &tunnel->peer[p].large;
        if (large->parts_waiting > 0 || large->complaints > 0)
            return true;
    }
    return false;
}

/* Nobody waits for an answer, nothing is lost, nobody has moved, and nothing about the path is in question. */
static bool
is_calm(const tunnel_t *tunnel)
{
    return tunnel->waiting->len == 0 && tunnel->loss.kind == LOSS_NONE && tunnel->flips->len == 0 && tunnel->points == NULL &&
           tunnel->path_tries_left == 0 && !tunnel->has_unreachable && !tunnel->is_in_syslog && !tunnel->both_sides_of_nat &&
           !has_large_packets_watched(tunnel);
}

/* Its numbers cannot be a new SA's, and no other path may have the same SPI by right. */
static bool
is_one_sa(const esp_sa_t *sa)
{
    return sa->packets > 1 && !sa->has_namesake && !sa->is_around_esp && !sa->is_succeeded && sa->deleted_in == FRAME_NONE &&
           sa->negotiation == sa->tunnel->lineage && !sdwan_is_path(&sa->source, &sa->destination);
}

/* The peers were last seen where the SA has them. As long as the turn lasts, they are: only packets of SAs of which the same holds leave it as
 * it is. */
static bool
is_where_its_peers_are(const esp_sa_t *sa)
{
    const peer_state_t *from = &sa->tunnel->peer[sa->sender], *to = &sa->tunnel->peer[peer_other(sa->sender)];

    return from->packets > 0 && endpoint_equal(&from->last, &sa->source) && endpoint_equal(&to->last, &sa->destination);
}

/* The other SA of its pair, of the same negotiation; or NULL. */
static esp_sa_t *
way_back(const esp_sa_t *sa)
{
    esp_sa_t *back = children_way_back(sa);

    return back != NULL && back->packets > 0 && back->negotiation == sa->negotiation ? back : NULL;
}

static bool
have_no_question(const engine_t *engine, const esp_sa_t *sa)
{
    static const change_kind_t kinds[] = { CHANGE_TUNNEL_SEEN, CHANGE_ESP_PACKET, CHANGE_TRAFFIC };

    for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
        const GPtrArray *sleepers = engine->sleepers[change_number(kinds[k])];
        for (unsigned i = 0; i < sleepers->len; i++) {
            const detector_t *detector = g_ptr_array_index(sleepers, i);
            if (detector->has_no_question == NULL || !detector->has_no_question(&engine->settings, sa->tunnel, sa))
                return false;
        }
    }
    return true;
}

static bool
is_steady(const engine_t *engine, esp_sa_t *sa)
{
    if (sa->steady_since == sa->tunnel->turn)
        return true;
    if (!is_calm(sa->tunnel) || !is_one_sa(sa) || !is_where_its_peers_are(sa) || !have_no_question(engine, sa))
        return false;
    sa->steady_since = sa->tunnel->turn;
    sa->steady_back = way_back(sa);
    return true;
}

/* Is it like the SA's packet before? */
static bool
goes_on(const esp_sa_t *sa, const packet_t *packet)
{
    return endpoint_equal(&sa->source, &packet->source) && endpoint_equal(&sa->destination, &packet->destination) &&
           sa->is_ah == packet->is_ah && sa->encapsulation == packet->encapsulation &&
           sa->is_cut == (packet->captured < packet->reported);
}

static bool
is_plain(const packet_t *packet)
{
    return !packet->is_around_esp && !packet->is_ip_fragment && !packet->is_excerpt && packet->hidden_by == NULL &&
           (packet->ip_length > 0 || packet->encapsulation == ENCAPSULATION_TCP);
}

/* Only one direction for longer than a moment: detectors count that. Where the capture has only one, it says nothing. */
static bool
is_heard_both_ways(const esp_sa_t *sa, capture_ns_t now)
{
    const tunnel_t *tunnel = sa->tunnel;
    const peer_state_t *from = &tunnel->peer[sa->sender];

    return from->run_packets == 0 || duration_between(from->run_began_at, now) <= HEARD_LATELY || tunnel_is_one_direction(tunnel);
}

#define CACHE_LINE 64u

static void
fetch_lines(const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += CACHE_LINE)
        __builtin_prefetch((const char *)from + at, 1);
}

/* With many tunnels nothing of this one is in the processor's caches any more: let all of it come at once. */
static void
fetch(const esp_sa_t *sa)
{
    fetch_lines(sa->tunnel, offsetof(tunnel_t, index));
    for (unsigned p = 0; p < PEERS; p++)
        fetch_lines(&sa->tunnel->peer[p], offsetof(peer_state_t, last_ike_in));
    fetch_lines(&sa->source, offsetof(esp_sa_t, first_frame) - offsetof(esp_sa_t, source));
    if (sa->sequence != NULL)
        fetch_lines(sa->sequence, sizeof(window_t));
    if (sa->steady_back != NULL)
        fetch_lines(&sa->steady_back->packets, offsetof(esp_sa_t, first_frame) - offsetof(esp_sa_t, packets));
}

esp_sa_t *
steady_sa(const engine_t *engine, const packet_t *packet)
{
    if (packet->captured < ESP_HEADER_LENGTH || packet->time == CAPTURE_TIME_NONE || engine->clock_is_unusable ||
        engine->tunnels_at_two_points > 0 || !copies_have_no_alias(engine->copies) || !is_plain(packet))
        return NULL;
    esp_sa_t *sa = spi_index_first(engine->esp_sas_by_spi, wire_u32(packet->bytes));
    if (sa != NULL)
        fetch(sa);
    bool is_steady_sa = sa != NULL && goes_on(sa, packet) && is_heard_both_ways(sa, packet->time) && is_steady(engine, sa);
    return is_steady_sa ? sa : NULL;
}
