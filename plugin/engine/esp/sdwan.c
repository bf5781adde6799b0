/* sdwan.c - did a tunnel without IKE go on between other ports?
 *
 * Where a controller hands out the keys, all senders may use the same SPI towards one device, and several tunnels may stand between the same
 * two addresses. So neither the SPI nor the addresses tell whose tunnel a packet on new ports belongs to. It begins a tunnel of its own; if one
 * and only one of the others fell silent at that moment, in the same directions, it was that one, and both become one again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/sdwan.h"

#include "engine/engine_state.h"
#include "engine/esp/steady.h"

enum {
    PORT_FIRST = 12346,
    HOP = 20,
    HOPS = 5,
    PORT_LAST = PORT_FIRST + HOP * HOPS - 1, /* the last n with the largest offset */
};

#define SETTLING SECONDS(5) /* after the first packet, before it is judged: as long as packets may overlap, and as BFD is silent */
#define OVERLAP SECONDS(2)  /* packets on the old path may be captured so long after the first on the new one */
#define HOP_WITHIN SECONDS(300) /* an outage before the hop: the device looks for a port that works */
#define TRIES_MAX 8u            /* to find the predecessor, each twice as late as the one before */

#define SEQUENCE_STEP_MAX 100000u /* more packets of an SA than this are not missed while its device looks for a port */

bool
sdwan_is_port(uint32_t port)
{
    return port >= PORT_FIRST && port <= PORT_LAST;
}

static bool
is_ike_port(uint16_t port)
{
    return port == PORT_IKE || port == PORT_NAT_TRAVERSAL;
}

bool
sdwan_is_path(const endpoint_t *source, const endpoint_t *destination)
{
    return (sdwan_is_port(source->port) || sdwan_is_port(destination->port)) && !is_ike_port(source->port) &&
           !is_ike_port(destination->port);
}

bool
sdwan_is_hop(const endpoint_t *from, const endpoint_t *to)
{
    return endpoint_same_address(from, to) && sdwan_is_port(from->port) && sdwan_is_port(to->port) && from->port != to->port &&
           (from->port - to->port) % HOP == 0;
}

/* ---- is it the same tunnel? ---- */

/* Of `old`, what is the peer called that `young` calls `peer`? */
static peer_t
namesake(const tunnel_t *old, const tunnel_t *young, peer_t peer)
{
    return tunnel_peer_at(old, &young->peer[peer].last);
}

/* Where did the peer send from, or, before it sent anything, where was it sent to? */
static bool
may_have_moved(const endpoint_t *from, const endpoint_t *to, bool other_has_stayed)
{
    return endpoint_equal(from, to) || sdwan_is_hop(from, to) || other_has_stayed;
}

/* Both devices behind NATs that both changed their ports: nothing would be left to know the tunnel by. */
static bool
has_fitting_ports(const tunnel_t *old, const tunnel_t *young)
{
    const endpoint_t *old_a = &old->peer[namesake(old, young, PEER_A)].last, *old_b = &old->peer[namesake(old, young, PEER_B)].last;
    const endpoint_t *a = &young->peer[PEER_A].last, *b = &young->peer[PEER_B].last;

    return may_have_moved(old_a, a, endpoint_equal(old_b, b)) && may_have_moved(old_b, b, endpoint_equal(old_a, a));
}

/* The latest SA of a peer. */
static esp_sa_t *
latest_sa(const tunnel_t *tunnel, peer_t sender)
{
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender == sender && sa->packets > 0 && sa->last_frame == tunnel->peer[sender].last_esp_in)
            return sa;
    }
    return NULL;
}

static const esp_sa_t *
first_sa(const tunnel_t *tunnel, peer_t sender)
{
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender == sender && sa->packets > 0)
            return sa;
    }
    return NULL;
}

static bool
goes_on(const esp_sa_t *before, const esp_sa_t *after)
{
    return before->spi == after->spi && after->first_sequence > esp_sa_highest(before) &&
           after->first_sequence - esp_sa_highest(before) <= SEQUENCE_STEP_MAX;
}

typedef enum { FIT_NO, FIT_LATER, FIT_YES } fit_t; /* LATER: the old one may yet speak again */

/* Did this peer leave the old path when it began to send on the new one? Its SA must go on there, or a new one begin. */
static fit_t
fits_direction(const tunnel_t *old, const tunnel_t *young, peer_t peer, capture_ns_t now)
{
    const peer_t sender = namesake(old, young, peer);
    const esp_sa_t *before = latest_sa(old, sender), *after = first_sa(young, peer);

    if (before == NULL || after == NULL || before->is_ah)
        return FIT_NO;
    const capture_ns_t left_at = old->peer[sender].last_esp_at, came_at = after->first_time;
    if (duration_between(left_at, came_at) > HOP_WITHIN || duration_between(came_at, left_at) > OVERLAP ||
        !(goes_on(before, after) || (before->spi != after->spi && after->first_sequence <= BIRTH_SEQUENCE_MAX)))
        return FIT_NO;
    const duration_ns_t gap = MIN(old->peer[sender].longest_esp_gap, HOP_WITHIN);
    return duration_between(left_at, now) > MAX(SETTLING, duration_patience(gap)) ? FIT_YES : FIT_LATER;
}

static fit_t
fits(const tunnel_t *old, const tunnel_t *young, capture_ns_t now)
{
    fit_t fit = FIT_NO;

    if (old == young || old->ike_sas_seen > 0 || old->first_time >= young->first_time ||
        !tunnel_is_between(old, &young->peer[PEER_A].last, &young->peer[PEER_B].last) ||
        endpoint_same_address(&young->peer[PEER_A].last, &young->peer[PEER_B].last) || old->peer[PEER_A].last.port == 0 ||
        !has_fitting_ports(old, young))
        return FIT_NO;
    for (peer_t peer = PEER_A; peer < PEERS; peer++) {
        if (young->peer[peer].esp_packets == 0)
            continue;
        const fit_t direction = fits_direction(old, young, peer, now);
        if (direction == FIT_NO)
            return FIT_NO;
        fit = fit == FIT_LATER ? FIT_LATER : direction;
    }
    return fit;
}

static tunnel_t *
find_predecessor(const engine_t *engine, const tunnel_t *young, capture_ns_t now, bool *ret_later)
{
    tunnel_t *found = NULL;
    unsigned seen = 0, fitting = 0;

    *ret_later = false;
    for (GSList *item = engine_tunnels_between(engine, &young->peer[PEER_A].last, &young->peer[PEER_B].last);
         item != NULL && seen < CROWD; item = item->next, seen++) {
        const fit_t fit = fits(item->data, young, now);
        *ret_later |= fit == FIT_LATER;
        if (fit == FIT_NO)
            continue;
        found = item->data;
        fitting++;
    }
    return fitting == 1 && !*ret_later ? found : NULL; /* two that fell silent together: nobody knows which */
}

/* ---- then both become one ---- */

static void
add_peer(peer_state_t *to, const peer_state_t *from)
{
    to->packets += from->packets;
    to->esp_packets += from->esp_packets;
    to->esp_bytes += from->esp_bytes;
    if (from->packets == 0)
        return;
    to->last = from->last;
    to->last_packet_at = capture_later(to->last_packet_at, from->last_packet_at);
    to->last_packet_in = MAX(to->last_packet_in, from->last_packet_in);
    to->last_esp_at = capture_later(to->last_esp_at, from->last_esp_at);
    to->last_esp_in = MAX(to->last_esp_in, from->last_esp_in);
    to->longest_esp_gap = MAX(to->longest_esp_gap, from->longest_esp_gap);
}

/* Which direction was heard alone, and since when, begins anew with the path. */
static void
begin_runs(tunnel_t *tunnel)
{
    for (peer_t peer = PEER_A; peer < PEERS; peer++)
        tunnel->peer[peer].run_packets = 0;
}

static void
move_findings(engine_t *engine, tunnel_t *to, tunnel_t *from, const peer_t names[PEERS])
{
    for (unsigned i = 0; i < from->findings->len; i++) {
        finding_t *finding = g_ptr_array_index(from->findings, i);
        finding->tunnel = to->index;
        if (finding->culprit != PEER_UNKNOWN)
            finding->culprit = names[finding->culprit];
        tunnel_keep_finding(to, finding);
        engine_note_for(engine, finding->frame)->tunnel = to->index;
    }
    g_ptr_array_set_size(from->findings, 0);
}

/* On the new path it stays in the generation that it was in, or, new itself, gets the next. */
static void
place_sa(tunnel_t *to, esp_sa_t *sa)
{
    const esp_sa_t *same = tunnel_esp_sa(to, sa->spi, sa->sender);

    sa->tunnel = to;
    sa->steady_since = 0;
    if (same == NULL) {
        children_place(to, sa);
        return;
    }
    child_sa_t *child = tunnel_child(to, same->generation);
    sa->generation = same->generation;
    if (child != NULL)
        child->sa[sa->sender] = sa;
}

static void
move_sas(engine_t *engine, tunnel_t *to, tunnel_t *from, const peer_t names[PEERS])
{
    for (unsigned i = 0; i < from->esp_sas->len; i++) {
        esp_sa_t *sa = g_ptr_array_index(from->esp_sas, i);
        children_forget_sa(from, sa);
        sa->generation = INDEX_NONE;
        sa->is_loose = false;
        sa->sender = names[sa->sender];
        sa->negotiation = to->lineage;
        sa->line = 0;
        place_sa(to, sa);
        engine_note_path(engine, to, &sa->source, &sa->destination);
        g_ptr_array_add(to->esp_sas, sa);
    }
    g_ptr_array_set_free_func(from->esp_sas, NULL);
    g_ptr_array_set_size(from->esp_sas, 0);
    g_ptr_array_set_free_func(from->esp_sas, (GDestroyNotify)esp_sa_free);
}

/* What a peer did when it moved, as nat.c keeps it. */
static bool
flip_of(const tunnel_t *old, const tunnel_t *young, peer_t peer, flip_t *ret_flip)
{
    const peer_t sender = namesake(old, young, peer);
    const esp_sa_t *before = latest_sa(old, sender), *after = first_sa(young, peer);
    const endpoint_t *from = &old->peer[sender].last, *to = &young->peer[peer].last;

    if (after == NULL || before == NULL || endpoint_equal(from, to))
        return false;
    *ret_flip = (flip_t){ .peer = sender,
                          .is_hop = sdwan_is_hop(from, to),
                          .is_other_spi = before->spi != after->spi,
                          .old_endpoint = *from,
                          .new_endpoint = *to,
                          .frame = after->first_frame,
                          .time = after->first_time,
                          .back_at = CAPTURE_TIME_NONE,
                          .recovered_at = CAPTURE_TIME_NONE,
                          .last_old_frame = before->last_frame,
                          .last_old_time = before->last_time };
    return true;
}

/* The older one's proofs came first. */
static void
take_proofs(tunnel_t *to, const tunnel_t *from)
{
    if (to->first_proof_at == CAPTURE_TIME_NONE) {
        to->first_proof_at = from->first_proof_at;
        to->first_proof_in = from->first_proof_in;
    }
    if (from->last_proof_at > to->last_proof_at) {
        to->last_proof_at = from->last_proof_at;
        to->last_proof_in = from->last_proof_in;
    }
    if (from->last_two_way_at > to->last_two_way_at) {
        to->last_two_way_at = from->last_two_way_at;
        to->last_two_way_in = from->last_two_way_in;
    }
}

static void
absorb(engine_t *engine, tunnel_t *to, tunnel_t *from, const packet_t *packet)
{
    const peer_t names[PEERS] = { namesake(to, from, PEER_A), namesake(to, from, PEER_B) };
    flip_t flips[PEERS];
    bool has_moved[PEERS];

    for (peer_t peer = PEER_A; peer < PEERS; peer++) {
        esp_sa_t *before = latest_sa(to, names[peer]);
        const esp_sa_t *after = first_sa(from, peer);
        has_moved[peer] = flip_of(to, from, peer, &flips[peer]);
        if (before != NULL && after != NULL)
            before->is_succeeded = true;
    }
    for (peer_t peer = PEER_A; peer < PEERS; peer++)
        add_peer(&to->peer[names[peer]], &from->peer[peer]);
    begin_runs(to);
    steady_end(to);
    move_sas(engine, to, from, names);
    move_findings(engine, to, from, names);
    to->was_up |= from->was_up;
    to->had_child |= from->had_child;
    take_proofs(to, from);
    engine_forget_tunnel(engine, from, to);
    for (peer_t peer = PEER_A; peer < PEERS; peer++)
        if (has_moved[peer])
            engine_tell_move(engine, to, &flips[peer], packet);
}

static bool
is_plain(const tunnel_t *tunnel)
{
    return tunnel->ike_sas_seen == 0 && tunnel->incidents->len == 0 && tunnel->flips->len == 0;
}

static tunnel_t *
settle(engine_t *engine, tunnel_t *tunnel, const packet_t *packet)
{
    bool is_later;
    tunnel_t *old = find_predecessor(engine, tunnel, packet->time, &is_later);

    tunnel->path_tries_left = is_later ? tunnel->path_tries_left - 1 : 0;
    if (old == NULL || !is_plain(tunnel) || old->esp_sas->len + tunnel->esp_sas->len > ESP_SAS_PER_TUNNEL_MAX)
        return tunnel;
    absorb(engine, old, tunnel, packet);
    return old;
}

/* When both devices change their ports, one after the other, there was a path in between, which is silent by now. */
static tunnel_t *
path_in_between(const engine_t *engine, const tunnel_t *tunnel)
{
    unsigned seen = 0;

    for (GSList *item = engine_tunnels_between(engine, &tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last);
         item != NULL && seen < CROWD; item = item->next, seen++) {
        tunnel_t *other = item->data;
        if (other != tunnel && other->path_tries_left > 0 && other->first_time < tunnel->first_time &&
            tunnel_is_between(other, &tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last))
            return other;
    }
    return NULL;
}

tunnel_t *
engine_settle_path(engine_t *engine, tunnel_t *tunnel, const packet_t *packet)
{
    if (tunnel->path_tries_left == 0 ||
        duration_between(tunnel->first_time, packet->time) < SETTLING << (TRIES_MAX - tunnel->path_tries_left))
        return tunnel;
    tunnel_t *between = path_in_between(engine, tunnel);
    if (between != NULL)
        settle(engine, between, packet);
    return settle(engine, tunnel, packet);
}

void
engine_watch_path(tunnel_t *tunnel)
{
    tunnel->path_tries_left = TRIES_MAX;
}
