/* esp.c - which SA does an ESP packet belong to, and what does it change?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"
#include "engine/esp/sdwan.h"
#include "engine/esp/steady.h"
#include "engine/parse/cursor.h"

/* RFC 4303 2.1: SPI 0 is never sent. 1 to 255 are reserved, but manual keys use them. */
#define LEAST_SPI 1u

/* RFC 4303 3.3.3: an SA counts from 1. A few of the first may be lost. */
#define FIRST_SEQUENCES 16u

/* Packets of both directions this close together show a path that works both ways. */
#define PAIRED_WITHIN SECONDS(2)

/* Packets further apart are no flow: silence in between says nothing about the other direction. */
#define RUN_GAP SECONDS(10)

/* Where a controller hands out the keys, one SPI may stand for many senders, also behind one address: the endpoints decide. */
static bool
is_of_other_path(const esp_sa_t *sa, bool is_told_by_ports, const tunnel_t *on_path)
{
    return is_told_by_ports && sa->tunnel->ike_sas_seen == 0 && sa->tunnel != on_path;
}

/* Known from its first packet on, or from its announcement, whichever comes first: a peer may choose the same number for a later SA. */
static bool
is_known_by(const esp_sa_t *sa, frame_t frame)
{
    frame_t known_from = sa->first_frame;

    if (known_from == FRAME_NONE || (sa->announced_in != FRAME_NONE && sa->announced_in < known_from))
        known_from = sa->announced_in;
    return frame == FRAME_NONE || known_from <= frame;
}

/* How well do the addresses of a packet fit to an SA with its SPI? */
typedef enum {
    FITS_NOT,
    FITS_HALF,      /* one end kept its address: the other one may have moved */
    FITS_ADDRESSES, /* the ports of a NAT may change */
    FITS_ENDPOINTS,
} fit_t;

static fit_t
fit_of(const esp_sa_t *sa, const endpoint_t *source, const endpoint_t *destination)
{
    const endpoint_t *from = &sa->tunnel->peer[sa->sender].last, *to = &sa->tunnel->peer[peer_other(sa->sender)].last;
    bool is_used = sa->packets > 0;

    if (is_used && endpoint_equal(source, &sa->source) && endpoint_equal(destination, &sa->destination))
        return FITS_ENDPOINTS;
    bool same_to = endpoint_same_address(destination, to) || (is_used && endpoint_same_address(destination, &sa->destination));
    bool same_from = endpoint_same_address(source, from) || (is_used && endpoint_same_address(source, &sa->source));
    if (same_to && same_from)
        return FITS_ADDRESSES;
    bool is_random = sa->spi > SPI_RESERVED_MAX; /* a small number given by hand may well stand for several SAs */
    return (same_to || same_from) && is_random ? FITS_HALF : FITS_NOT;
}

esp_sa_t *
engine_find_esp_sa(const engine_t *engine, uint32_t spi, const endpoint_t *source, const endpoint_t *destination, frame_t frame)
{
    bool is_told_by_ports = sdwan_is_path(source, destination);
    const tunnel_t *on_path = is_told_by_ports ? engine_tunnel_between_endpoints(engine, source, destination) : NULL;
    esp_sa_t *best = NULL;
    fit_t best_fit = FITS_NOT;
    unsigned seen = 0;

    for (esp_sa_t *sa = spi_index_first(engine->esp_sas_by_spi, spi); sa != NULL; sa = spi_index_next(sa)) {
        if (seen++ == NAMESAKES) {
            esp_sa_t *between = best_fit < FITS_ADDRESSES ? engine_esp_sa_between(engine, spi, source, destination) : NULL;
            return between != NULL ? between : best;
        }
        if (is_of_other_path(sa, is_told_by_ports, on_path))
            continue;
        fit_t fit = is_known_by(sa, frame) ? fit_of(sa, source, destination) : FITS_NOT;
        if (fit > best_fit) {
            best = sa;
            best_fit = fit;
        }
        if (best_fit == FITS_ENDPOINTS)
            break;
    }
    return best;
}

/* Many at once, so that a flood of SPIs costs linear time. */
static void
forget_esp_sas(engine_t *engine, tunnel_t *tunnel)
{
    for (unsigned i = 0; i < ESP_SAS_PER_TUNNEL_MAX / 2; i++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        esp_sa_add_toll(sa, &tunnel->forgotten_toll[sa->sender]);
        children_forget_sa(tunnel, sa);
        engine_unlink_esp_sa(engine, sa);
    }
    g_ptr_array_remove_range(tunnel->esp_sas, 0, ESP_SAS_PER_TUNNEL_MAX / 2);
}

esp_sa_t *
engine_add_esp_sa(engine_t *engine, tunnel_t *tunnel, uint32_t spi, peer_t sender)
{
    esp_sa_t *sa = esp_sa_new(tunnel, spi, sender);

    sa->negotiation = tunnel->lineage;
    if (tunnel->esp_sas->len >= ESP_SAS_PER_TUNNEL_MAX)
        forget_esp_sas(engine, tunnel);
    g_ptr_array_add(tunnel->esp_sas, sa);
    spi_index_add(engine->esp_sas_by_spi, sa);
    return sa;
}

/* Its peer has learnt where it is now, and goes on with the same SPI to there. */
static esp_sa_t *
sa_that_goes_on(const tunnel_t *tunnel, const packet_t *packet, uint32_t spi, peer_t sender)
{
    bool is_told_by_ports = tunnel->ike_sas_seen == 0 && sdwan_is_path(&packet->source, &packet->destination);

    return is_told_by_ports ? tunnel_esp_sa(tunnel, spi, sender) : NULL;
}

static esp_sa_t *
sa_on_new_path(engine_t *engine, const packet_t *packet, uint32_t spi, uint32_t sequence)
{
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL && sequence <= FIRST_SEQUENCES)
        tunnel = engine_tunnel_with_new_child(engine, packet);
    if (tunnel == NULL) {
        tunnel = engine_add_tunnel(engine, &packet->source, &packet->destination, packet->frame, packet->time);
        if (sdwan_is_path(&packet->source, &packet->destination))
            engine_watch_path(tunnel);
    }
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    if (sender == PEER_UNKNOWN)
        sender = peer_other(tunnel_peer_at(tunnel, &packet->destination));
    if (sender == PEER_UNKNOWN)
        sender = PEER_A;
    esp_sa_t *sa = sa_that_goes_on(tunnel, packet, spi, sender);
    return sa != NULL ? sa : engine_add_esp_sa(engine, tunnel, spi, sender);
}

/* A peer may have the same SPI from several others, each of which chose it for itself: behind one NAT even between the same addresses.
 * Such an SA begins anew, where a peer that has moved goes on counting. */
static bool
is_of_other_tunnel(engine_t *engine, const esp_sa_t *sa, const packet_t *packet, uint32_t sequence)
{
    if (sa->packets == 0 || sequence > BIRTH_SEQUENCE_MAX || sequence > esp_sa_highest(sa) ||
        (endpoint_equal(&packet->source, &sa->source) && endpoint_equal(&packet->destination, &sa->destination)))
        return false;
    const tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    return tunnel != NULL && tunnel != sa->tunnel;
}

/* The same number again, chosen for a new SA: a negotiation has been over since the last packet, and the count begins anew. */
static bool
is_chosen_again(const esp_sa_t *sa, uint32_t sequence)
{
    const tunnel_t *tunnel = sa->tunnel;
    bool may_be_over = sa->negotiation < tunnel->lineage || sa->deleted_in != FRAME_NONE;

    return sa->packets > 0 && may_be_over && sequence <= BIRTH_SEQUENCE_MAX && sequence <= esp_sa_highest(sa) &&
           children_expect(tunnel, sa->sender, sa->last_time);
}

static void
count_in_sa(esp_sa_t *sa, const packet_t *packet)
{
    sa->packets++;
    sa->bytes += packet->reported;
    sa->last_frame = packet->frame;
    sa->last_time = capture_later(sa->last_time, packet->time);
}

static void
count_packet(esp_sa_t *sa, const packet_t *packet, uint32_t sequence)
{
    if (sa->packets == 0) {
        sa->first_sequence = sequence;
        sa->is_ah = packet->is_ah;
        sa->is_around_esp = packet->is_around_esp;
        sa->first_frame = packet->frame;
        sa->first_time = packet->time;
    }
    count_in_sa(sa, packet);
    sa->destination = packet->destination;
    sa->encapsulation = packet->encapsulation;
    if (sa->unreachable_in != FRAME_NONE)
        sa->packets_since_unreachable++;
}

/* Was the silence that this packet ends reported: only the other direction flowed? */
static bool
was_told_silent(const tunnel_t *tunnel, peer_t sender)
{
    const peer_state_t *other = &tunnel->peer[peer_other(sender)];
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_esp_one_way, peer_other(sender));

    return told != NULL && other->run_packets > 0 && told->began_in == other->run_began_in;
}

static void
count_direction(tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    peer_state_t *from = &tunnel->peer[sender];
    const duration_ns_t gap = duration_between(from->last_esp_at, packet->time);

    if (gap > from->longest_esp_gap && !was_told_silent(tunnel, sender))
        from->longest_esp_gap = gap;
    if (gap > RUN_GAP)
        from->run_packets = 0;
    activity_count(&tunnel->activity, sender, packet->time, packet->reported);
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

/* The latest packet's SA of the other sender, if it may be the same pair. */
static esp_sa_t *
way_back(const esp_sa_t *sa)
{
    const tunnel_t *tunnel = sa->tunnel;
    const child_sa_t *child = tunnel_child(tunnel, sa->generation);
    peer_t other = peer_other(sa->sender);

    if (child != NULL)
        return child->sa[other];
    for (unsigned i = tunnel->esp_sas->len, seen = 0; i-- > 0 && seen < NAMESAKES; seen++) {
        esp_sa_t *back = g_ptr_array_index(tunnel->esp_sas, i);
        if (back->sender == other && back->generation == INDEX_NONE && back->last_frame == tunnel->peer[other].last_esp_in)
            return back;
    }
    return NULL;
}

/* A packet of one direction shows that the other direction of the pair works, if it comes soon; and that the sender has the pair in any
 * case. */
static void
prove_way_back(esp_sa_t *sa, esp_sa_t *back, const packet_t *packet)
{
    if (sa->unanswered++ == 0)
        sa->unanswered_since = packet->time;
    if (back == NULL || back->packets == 0)
        return;
    back->unanswered = 0;
    if (duration_between(back->last_time, packet->time) > PAIRED_WITHIN)
        return;
    back->good_in = back->last_frame;
    back->good_at = back->last_time;
}

/* Every negotiation so far could be read, from the tunnel's first packet on, and no other tunnel may have made the SA. What the capture
 * lost without a trace is for the detector to think of. */
static bool
is_unannounced(const engine_t *engine, const tunnel_t *tunnel, const packet_t *packet)
{
    const ike_sa_t *first = tunnel->ike_sas->len > 0 ? g_ptr_array_index(tunnel->ike_sas, 0) : NULL;
    const GSList *between = engine_tunnels_between(engine, &packet->source, &packet->destination);

    return !tunnel->has_unread_ike && tunnel->waiting->len == 0 && first != NULL && first->index == 0 && !first->is_midstream &&
           first->first_frame == tunnel->first_frame && between != NULL && between->next == NULL;
}

/* The SA of the same negotiation on which the other direction was heard last, or NULL. */
static const esp_sa_t *
latest_back(const esp_sa_t *sa, frame_t last_in)
{
    const tunnel_t *tunnel = sa->tunnel;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *back = g_ptr_array_index(tunnel->esp_sas, i);
        if (back->sender != sa->sender && back->negotiation == sa->negotiation && back->last_frame == last_in)
            return back;
    }
    return NULL;
}

/* Two-way ESP proves the tunnel up to the older of the two directions' last packets, on SAs of the same negotiation. */
static void
prove_by_traffic(engine_t *engine, const esp_sa_t *sa, const packet_t *packet)
{
    tunnel_t *tunnel = sa->tunnel;
    const peer_state_t *other = &tunnel->peer[peer_other(sa->sender)];

    if (other->last_esp_at == CAPTURE_TIME_NONE || duration_between(other->last_esp_at, packet->time) > PAIRED_WITHIN)
        return;
    const esp_sa_t *back = latest_back(sa, other->last_esp_in);
    if (back == NULL || engine_is_stale(tunnel, sa->sender, PACKET_ESP, &back->destination, packet->time) ||
        engine_is_stale(tunnel, peer_other(sa->sender), PACKET_ESP, &packet->destination, packet->time))
        return; /* sent to where the peer no longer is */
    if (endpoint_equal(&back->destination, &packet->source))
        engine_flip_is_overcome(tunnel, sa->sender, &packet->source, other->last_esp_at);
    if (endpoint_equal(&back->source, &packet->destination))
        engine_flip_is_overcome(tunnel, peer_other(sa->sender), &packet->destination, packet->time);
    tunnel->had_child = true;
    life_proved_by_esp(engine, sa, other->last_esp_at, other->last_esp_in, packet);
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

/* The SA of the other protocol with the same SPI in the same direction (RFC 4301 4.1: the protocol is part of what names an SA), or NULL. */
static esp_sa_t *
namesake_of(const esp_sa_t *sa, const packet_t *packet)
{
    for (unsigned i = sa->tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *other = g_ptr_array_index(sa->tunnel->esp_sas, i);
        if (other->spi == sa->spi && other->sender == sa->sender && (other->packets == 0 || other->is_ah == packet->is_ah))
            return other;
    }
    return NULL;
}

static void
born_in_traffic(const engine_t *engine, esp_sa_t *sa, const packet_t *packet)
{
    children_place(sa->tunnel, sa);
    sa->is_unannounced = is_unannounced(engine, sa->tunnel, packet);
}

/* The same as prove_by_traffic() where nobody has moved and nothing is lost. */
static void
prove_by_steady_traffic(const esp_sa_t *sa, const packet_t *packet)
{
    const peer_state_t *other = &sa->tunnel->peer[peer_other(sa->sender)];

    if (other->last_esp_at == CAPTURE_TIME_NONE || duration_between(other->last_esp_at, packet->time) > PAIRED_WITHIN)
        return;
    bool is_pair = sa->steady_back != NULL && sa->steady_back->last_frame == other->last_esp_in;
    if (!is_pair && latest_back(sa, other->last_esp_in) == NULL)
        return;
    sa->tunnel->had_child = true;
    engine_traffic_shows_answer(sa, packet->frame);
    life_goes_on(sa->tunnel, other->last_esp_at, other->last_esp_in);
}

void
engine_esp_goes_on(engine_t *engine, esp_sa_t *sa, const packet_t *packet)
{
    engine->capture.esp_packets++;
    unsigned revealed = engine_enter_sequence(engine, sa, packet, wire_u32(packet->bytes + SPI_LENGTH));
    count_in_sa(sa, packet);
    prove_way_back(sa, sa->steady_back != NULL ? sa->steady_back : way_back(sa), packet);
    count_direction(sa->tunnel, sa->sender, packet);
    engine_account_steady_sender(sa->tunnel, sa->sender, packet);
    prove_by_steady_traffic(sa, packet);
    if (sa->tunnel->births_due != CAPTURE_TIME_NONE)
        engine_follow_spis(engine, sa, packet, false);
    bool has_new_length = !packet->is_ah && esp_sa_note_length(sa, packet->reported);
    if (!has_new_length && revealed == 0)
        return;
    change_t change = { .frame = packet->frame, .time = packet->time, .packet = packet, .sender = sa->sender, .esp_sa = sa };
    change.kind = CHANGE_ESP_LENGTHS;
    if (has_new_length)
        engine_judge(engine, sa->tunnel, &change);
    if (revealed != 0)
        engine_judge_sequence(engine, sa, revealed, &change);
}

tunnel_t *
engine_esp_packet(engine_t *engine, const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    uint32_t spi = 0, sequence = 0;

    if (packet->reported < ESP_HEADER_LENGTH || !cursor_u32(&cursor, &spi) || spi < LEAST_SPI || !cursor_u32(&cursor, &sequence))
        return NULL;
    engine->capture.esp_packets += !packet->is_around_esp;
    esp_sa_t *sa = engine_find_esp_sa(engine, spi, &packet->source, &packet->destination, FRAME_NONE);
    if (sa != NULL && sa->packets > 0 && sa->is_ah != packet->is_ah)
        sa = namesake_of(sa, packet);
    if (sa != NULL && is_of_other_tunnel(engine, sa, packet, sequence))
        sa = NULL;
    if (sa != NULL && is_chosen_again(sa, sequence))
        sa = engine_add_esp_sa(engine, sa->tunnel, spi, sa->sender);
    if (sa == NULL)
        sa = sa_on_new_path(engine, packet, spi, sequence);
    bool is_new = sa->packets == 0;
    tunnel_t *tunnel = sa->tunnel;
    peer_t sender = sa->sender;

    engine_advance(engine, tunnel, NULL, packet->frame, packet->time, false);
    if (is_new && sa->announced_in == FRAME_NONE)
        engine_name_by_new_esp(engine, tunnel, packet->time);
    change_t change = { .frame = packet->frame, .time = packet->time, .packet = packet, .sender = sender, .esp_sa = sa };
    change.kind = CHANGE_TUNNEL_SEEN;
    engine_judge(engine, tunnel, &change);
    sa->is_cut = packet->captured < packet->reported;
    if (is_new || sa->encapsulation != packet->encapsulation) /* RFC 7296 2.23: a peer may encapsulate or not at will */
        sa->source = packet->source;
    engine_check_move(engine, tunnel, sender, &sa->source, packet, &change);
    unsigned revealed = engine_enter_sequence(engine, sa, packet, sequence);
    count_packet(sa, packet, sequence);
    if (is_new && sa->announced_in == FRAME_NONE && !packet->is_around_esp)
        born_in_traffic(engine, sa, packet);
    prove_way_back(sa, way_back(sa), packet);
    if (tunnel->has_unreachable && tunnel->peer[peer_other(sender)].run_packets > 0)
        forget_unreachable(tunnel, sender);
    if (!packet->is_around_esp)
        count_direction(tunnel, sender, packet);
    engine_account_sender(engine, tunnel, sender, packet);
    if (!packet->is_around_esp)
        prove_by_traffic(engine, sa, packet);
    engine_follow_spis(engine, sa, packet, is_new);
    if (is_new)
        engine_claim_strays(engine, sa, packet);
    engine_doubt_syslog(engine, sa);
    engine_path_of_esp(engine, sa, packet);
    if (!packet->is_ip_fragment && !packet->is_ah && esp_sa_note_length(sa, packet->reported)) {
        change.kind = CHANGE_ESP_LENGTHS;
        engine_judge(engine, tunnel, &change);
    }
    change.kind = CHANGE_ESP_PACKET;
    engine_judge(engine, tunnel, &change);
    if (revealed != 0)
        engine_judge_sequence(engine, sa, revealed, &change);
    change.kind = CHANGE_TRAFFIC;
    engine_judge(engine, tunnel, &change);
    return engine_settle_path(engine, tunnel, packet);
}
