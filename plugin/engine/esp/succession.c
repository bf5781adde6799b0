/* succession.c - did one SPI take over from another?
 *
 * Where IKE cannot be read, or is not in the capture, only the traffic tells which SA replaced which: a new SPI starts from its first
 * sequence numbers (RFC 4303 3.3.3), and exactly one SPI of the same direction, busy until then, falls silent. Where two could be
 * meant, or the old one speaks again, nothing is concluded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine_state.h"

#define OVERLAP SECONDS(5)            /* a peer may send on the old SA for a moment (RFC 7296 2.8) */
#define SETTLING SECONDS(15)          /* after a birth, before it is judged */
#define TOGETHER SECONDS(5)           /* births this close belong to several children */
#define STOPPED_BEFORE SECONDS(1)     /* a busy SA has its last packet this close before the birth */
#define GAP_UNKNOWN SECONDS(60)       /* of an SA with a single packet */
#define TRIES_MAX 8u                  /* to find the predecessor, a while apart each */
#define NEGOTIATED_BEFORE SECONDS(15) /* an SA is used this soon after the exchange that made it */

static duration_ns_t
usual_gap(const esp_sa_t *sa)
{
    if (sa->packets < 2)
        return GAP_UNKNOWN;
    return duration_between(sa->first_time, sa->last_time) / (duration_ns_t)MIN(sa->packets - 1, (uint64_t)INT32_MAX);
}

/* Was it busy until about then, and is its last packet from about then? */
static bool
stopped_at(const esp_sa_t *sa, capture_ns_t birth)
{
    if (sa->last_time > birth)
        return duration_between(birth, sa->last_time) <= OVERLAP;
    return duration_between(sa->last_time, birth) <= MAX(STOPPED_BEFORE, duration_patience(usual_gap(sa)));
}

static bool
is_silent(const esp_sa_t *sa, capture_ns_t now)
{
    return duration_between(sa->last_time, now) > MAX(OVERLAP, duration_patience(usual_gap(sa)));
}

typedef enum { SUCCESSION_NONE, SUCCESSION_OPEN, SUCCESSION_FOUND } succession_t;

/* The one SA that `successor` took over from. Open: one that may yet speak again has to be waited for. */
static succession_t
find_predecessor(const tunnel_t *tunnel, const esp_sa_t *successor, capture_ns_t now, esp_sa_t **ret_predecessor)
{
    esp_sa_t *found = NULL;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa == successor || sa->sender != successor->sender || sa->is_ah != successor->is_ah || sa->packets == 0 ||
            sa->first_time >= successor->first_time || !stopped_at(sa, successor->first_time))
            continue;
        if (!is_silent(sa, now))
            return SUCCESSION_OPEN;
        if (found != NULL)
            return SUCCESSION_NONE;
        found = sa;
    }
    *ret_predecessor = found;
    return found != NULL ? SUCCESSION_FOUND : SUCCESSION_NONE;
}

/* Did this negotiation make the SA? Its answer may be captured just behind the first packet. */
static bool
has_made(const hidden_t *hidden, const esp_sa_t *predecessor, const esp_sa_t *successor)
{
    return hidden->at != CAPTURE_TIME_NONE && hidden->at > predecessor->first_time &&
           duration_between(hidden->at, successor->first_time) <= NEGOTIATED_BEFORE &&
           duration_between(successor->first_time, hidden->at) <= OVERLAP;
}

/* Where there is IKE, a child that replaces another comes from an exchange on the same line of IKE SAs, not from a new negotiation.
 * Where there is none, nobody can be named. False: there is IKE, but no such exchange. */
static bool
find_negotiation(const tunnel_t *tunnel, const esp_sa_t *predecessor, const esp_sa_t *successor, peer_t *ret_by)
{
    const lifetimes_t *lifetimes = &tunnel->lifetimes;
    const hidden_t *before = &lifetimes->birth[successor->sender].hidden, *latest = &lifetimes->hidden;
    const hidden_t *made_by = has_made(before, predecessor, successor) ? before : latest;

    if (tunnel->ike_sas_seen == 0) {
        *ret_by = PEER_UNKNOWN;
        return !lifetimes->has_cut_ike;
    }
    *ret_by = made_by->by;
    return has_made(made_by, predecessor, successor) && predecessor->negotiation == successor->negotiation;
}

static line_t *
line_of(tunnel_t *tunnel, const esp_sa_t *predecessor)
{
    line_t *line = lifetimes_line(&tunnel->lifetimes, predecessor->line);

    if (line != NULL)
        return line;
    line = lifetimes_add_line(&tunnel->lifetimes, LINE_SPI,
                              esp_sa_saw_birth(predecessor) ? predecessor->first_time : CAPTURE_TIME_NONE);
    line->confidence = CONFIDENCE_INFERRED;
    return line;
}

static void
succeeded(engine_t *engine, esp_sa_t *predecessor, esp_sa_t *successor, peer_t by, const packet_t *packet)
{
    tunnel_t *tunnel = successor->tunnel;
    line_t *line = line_of(tunnel, predecessor);
    replacement_t replacement = {
        .at = successor->first_time, .frame = successor->first_frame, .by = by, .bytes = predecessor->bytes
    };
    change_t context = {
        .frame = packet->frame, .time = packet->time, .packet = packet, .sender = successor->sender, .esp_sa = successor
    };

    predecessor->line = successor->line = line->id;
    predecessor->is_succeeded = true;
    children_replaced(tunnel, predecessor->generation, successor->generation);
    engine_replaced(engine, tunnel, line, &replacement, &context);
}

static esp_sa_t *
sa_born(const tunnel_t *tunnel, peer_t sender)
{
    const birth_t *birth = &tunnel->lifetimes.birth[sender];

    return birth->spi != 0 ? tunnel_esp_sa(tunnel, birth->spi, sender) : NULL;
}

/* Returns whether the birth stays to be judged later. */
static bool
judge_birth(engine_t *engine, tunnel_t *tunnel, peer_t sender, const packet_t *packet)
{
    esp_sa_t *successor = sa_born(tunnel, sender), *predecessor = NULL;
    peer_t by = PEER_UNKNOWN;

    if (successor == NULL || ++tunnel->lifetimes.birth[sender].tries > TRIES_MAX)
        return false;
    succession_t succession = find_predecessor(tunnel, successor, packet->time, &predecessor);
    if (succession == SUCCESSION_FOUND && find_negotiation(tunnel, predecessor, successor, &by))
        succeeded(engine, predecessor, successor, by, packet);
    return succession == SUCCESSION_OPEN;
}

static void
set_due(tunnel_t *tunnel, capture_ns_t now)
{
    bool any = tunnel->lifetimes.birth[PEER_A].spi != 0 || tunnel->lifetimes.birth[PEER_B].spi != 0;

    tunnel->births_due = any ? duration_sum(now, SETTLING) : CAPTURE_TIME_NONE;
}

static void
judge_births(engine_t *engine, tunnel_t *tunnel, const packet_t *packet)
{
    for (unsigned p = 0; p < PEERS; p++) {
        birth_t *birth = &tunnel->lifetimes.birth[p];
        bool is_due = birth->spi != 0 && duration_between(birth->at, packet->time) >= SETTLING;
        if (is_due && !judge_birth(engine, tunnel, (peer_t)p, packet))
            birth->spi = 0;
    }
    set_due(tunnel, packet->time);
}

/* A birth soon after another makes both unclear: several children at once (RFC 9611, several selectors). */
static void
note_birth(engine_t *engine, esp_sa_t *sa, const packet_t *packet)
{
    lifetimes_t *lifetimes = &sa->tunnel->lifetimes;
    birth_t *birth = &lifetimes->birth[sa->sender];
    bool is_burst = birth->frame != FRAME_NONE && duration_between(birth->at, packet->time) < TOGETHER;
    bool is_young = esp_sa_saw_birth(sa);

    if (birth->spi != 0 && !is_burst)
        (void)judge_birth(engine, sa->tunnel, sa->sender, packet);
    *birth = (birth_t){
        .frame = packet->frame, .at = packet->time, .spi = is_young && !is_burst ? sa->spi : 0, .hidden = lifetimes->hidden
    };
    set_due(sa->tunnel, packet->time);
}

/* It was taken for replaced, and is not: its line is no line. */
static void
speaks_again(esp_sa_t *sa)
{
    line_t *line = lifetimes_line(&sa->tunnel->lifetimes, sa->line);

    if (line != NULL)
        line->is_parallel = true;
    children_not_replaced(sa->tunnel, sa->generation);
    sa->is_succeeded = false;
}

void
engine_follow_spis(engine_t *engine, esp_sa_t *sa, const packet_t *packet, bool is_first)
{
    if (engine->clock_is_unusable)
        return;
    if (sa->is_succeeded)
        speaks_again(sa);
    if (is_first)
        note_birth(engine, sa, packet);
    else if (sa->tunnel->births_due != CAPTURE_TIME_NONE && packet->time >= sa->tunnel->births_due)
        judge_births(engine, sa->tunnel, packet);
}
