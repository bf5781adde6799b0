/* path.c - which packets does the path report or lose, and does their sender take notice?
 *
 * What ICMP says is evidence and no more: anybody can send it, and nothing may be ended by it (RFC 7296 2.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/path/path.h"

#include "engine/engine_state.h"
#include "engine/ike/exchange.h"
#include "engine/parse/cursor.h"
#include "engine/points/copies.h"

/* A complaint has reached the sender by then, and what was on its way is over. */
#define COMPLAINT_ARRIVES SECONDS(1)

/* A sender that was told of a limit tries larger packets again after minutes (RFC 1191 6.3: ten). One that takes no notice repeats them sooner. */
#define WATCHED_FOR SECONDS(60)

/* All fragments of a packet are sent at once. Hosts wait 15 s and more for them (RFC 791 3.2), but none comes that late. */
#define REST_ARRIVES SECONDS(2)

#define IKE_SPIS_LENGTH 18u /* both SPIs, the next payload and the version */

/* ---- ICMP ---- */

/* An error that quotes next to nothing, right after the last one: for all that anybody can tell the same one, for routers send few a
 * second (RFC 1812 4.3.2.8). */
static bool
is_copy(const icmp_report_t *report, const packet_t *packet)
{
    return !copies_can_tell(packet) && report->latest_in != FRAME_NONE &&
           endpoint_equal(&packet->destination, &report->quoted_to) &&
           duration_between(report->latest_at, packet->time) < SHORTEST_TIMER;
}

/* SPIs tell clients behind one address apart; where they are not quoted or not known, ports do. Other ports between the same hosts are
 * another conversation. */
static tunnel_t *
quoted_tunnel(engine_t *engine, const packet_t *packet, esp_sa_t **ret_sa)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    uint32_t spi;

    *ret_sa = NULL;
    if (packet->quoted == PACKET_ESP && cursor_u32(&cursor, &spi)) {
        *ret_sa = engine_find_esp_sa(engine, spi, &packet->source, &packet->destination, packet->frame);
        if (*ret_sa != NULL)
            return (*ret_sa)->tunnel;
    }
    if (packet->quoted == PACKET_IKE && packet->captured >= IKE_SPIS_LENGTH) {
        ike_sa_t *ike_sa = engine_find_quoted_ike_sa(engine, packet);
        if (ike_sa != NULL)
            return ike_sa->tunnel;
    }
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    return tunnel != NULL && engine_has_endpoints(tunnel, packet) ? tunnel : NULL;
}

static peer_t
sender_of_quoted(const tunnel_t *tunnel, const esp_sa_t *sa, const packet_t *packet)
{
    if (sa != NULL)
        return sa->sender;
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    return sender != PEER_UNKNOWN ? sender : peer_other(tunnel_peer_at(tunnel, &packet->destination));
}

/* NULL: there are too many of them already. */
static icmp_report_t *
report_for(tunnel_t *tunnel, const packet_t *packet, peer_t sender)
{
    for (unsigned i = 0; i < tunnel->icmp_reports->len; i++) {
        icmp_report_t *report = &g_array_index(tunnel->icmp_reports, icmp_report_t, i);
        if (report->sender == sender && report->type == packet->icmp_type && report->code == packet->icmp_code &&
            report->mtu == packet->icmp_mtu && endpoint_same_address(&report->reporter, &packet->reporter))
            return report;
    }
    if (tunnel->icmp_reports->len >= ICMP_REPORTS_MAX)
        return NULL;
    icmp_report_t report = { .reporter = packet->reporter,
                             .type = packet->icmp_type,
                             .code = packet->icmp_code,
                             .mtu = packet->icmp_mtu,
                             .sender = sender,
                             .meaning = icmp_meaning(packet->source.family, packet->icmp_type, packet->icmp_code),
                             .latest_at = CAPTURE_TIME_NONE };
    g_array_append_val(tunnel->icmp_reports, report);
    return &g_array_index(tunnel->icmp_reports, icmp_report_t, tunnel->icmp_reports->len - 1);
}

/* The receiver's own host says that nobody listens. */
static void
note_unreachable_sa(tunnel_t *tunnel, esp_sa_t *sa, const packet_t *packet, const icmp_report_t *report)
{
    bool is_port_unreachable =
        packet->source.family == ADDRESS_IPV4 ? packet->icmp_code == 3 : packet->icmp_type == 1 && packet->icmp_code == 4;

    if (sa == NULL || report->meaning != ICMP_NOT_LISTENING || !is_port_unreachable || sa->unreachable_in != FRAME_NONE ||
        !endpoint_same_address(&packet->reporter, &packet->destination))
        return;
    sa->unreachable_in = packet->frame;
    sa->unreachable_at = packet->time;
    sa->packets_since_unreachable = 0;
    tunnel->has_unreachable = true;
}

static void
note_complaint(large_packets_t *large, const packet_t *packet)
{
    /* Old routers do not say what would fit (RFC 1191 5): less than the quoted packet. */
    size_t limit = packet->icmp_mtu > 0 ? packet->icmp_mtu : packet->ip_length > 0 ? packet->ip_length - 1 : 0;
    capture_ns_t latest = capture_later(large->last_complaint_at, large->last_larger_at);

    if (limit == 0 || packet->ip_length <= limit)
        return; /* it fits by its own account */
    if (large->complaints == 0 || limit != large->limit || duration_between(latest, packet->time) > WATCHED_FOR) {
        large->complaints = large->larger = 0;
        large->largest = 0;
        large->limit = (uint32_t)limit;
        large->complained_in = packet->frame;
        large->complained_at = packet->time;
        large->last_larger_at = CAPTURE_TIME_NONE;
    }
    large->complaints++;
    large->last_complaint_at = capture_later(packet->time, large->complaints > 1 ? large->last_complaint_at : CAPTURE_TIME_NONE);
}

static void
note_told(const tunnel_t *tunnel, icmp_report_t *report, frame_t frame)
{
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_icmp_unreachable, report->sender);

    if (latest != NULL && latest->frame == frame)
        report->told = latest;
}

tunnel_t *
engine_icmp_error(engine_t *engine, const packet_t *packet)
{
    esp_sa_t *sa;
    tunnel_t *tunnel = quoted_tunnel(engine, packet, &sa);
    icmp_report_t *report = tunnel != NULL ? report_for(tunnel, packet, sender_of_quoted(tunnel, sa, packet)) : NULL;

    if (tunnel != NULL)
        engine_note_for(engine, packet->frame)->tunnel = tunnel->index;
    if (report != NULL && is_copy(report, packet)) {
        engine->capture.copies++;
        return tunnel;
    }
    engine->capture.icmp_errors++;
    if (report == NULL)
        return tunnel;
    report->latest_in = packet->frame;
    report->latest_at = packet->time;
    report->quoted_to = packet->destination;
    note_unreachable_sa(tunnel, sa, packet, report);
    if (report->meaning == ICMP_TOO_BIG && report->sender != PEER_UNKNOWN && packet->encapsulation != ENCAPSULATION_TCP)
        note_complaint(&tunnel->peer[report->sender].large, packet);
    change_t change = { .kind = CHANGE_ICMP_ERROR,
                        .frame = packet->frame,
                        .time = packet->time,
                        .packet = packet,
                        .sender = report->sender,
                        .esp_sa = sa,
                        .icmp = report };
    engine_judge(engine, tunnel, &change);
    note_told(tunnel, report, packet->frame);
    return tunnel;
}

bool
tunnel_has_icmp_about(const tunnel_t *tunnel, const packet_t *error)
{
    for (unsigned i = 0; i < tunnel->icmp_reports->len; i++) {
        const icmp_report_t *report = &g_array_index(tunnel->icmp_reports, icmp_report_t, i);
        if (report->type == error->icmp_type && report->code == error->icmp_code && report->latest_in != FRAME_NONE &&
            duration_between(report->latest_at, error->time) < SHORTEST_TIMER &&
            duration_between(error->time, report->latest_at) < SHORTEST_TIMER)
            return true;
    }
    return false;
}

const icmp_report_t *
tunnel_undeliverable(const tunnel_t *tunnel, const endpoint_t *destination, capture_ns_t since)
{
    const icmp_report_t *latest = NULL;

    for (unsigned i = 0; i < tunnel->icmp_reports->len; i++) {
        const icmp_report_t *report = &g_array_index(tunnel->icmp_reports, icmp_report_t, i);
        if (icmp_meaning_is_undeliverable(report->meaning) && report->latest_at >= since &&
            report->latest_at != CAPTURE_TIME_NONE && endpoint_same_address(&report->quoted_to, destination) &&
            (latest == NULL || report->latest_in > latest->latest_in))
            latest = report;
    }
    return latest;
}

/* ---- large packets ---- */

static void
forget_part(large_packets_t *large, unsigned which)
{
    for (unsigned i = which + 1; i < large->parts_waiting; i++)
        large->waiting[i - 1] = large->waiting[i];
    large->parts_waiting--;
}

/* The rest did not come. */
static void
note_incomplete(large_packets_t *large, const part_t *part)
{
    if (large->incomplete == 0)
        large->incomplete_at = part->at;
    if (large->incomplete < G_N_ELEMENTS(large->incomplete_in))
        large->incomplete_in[large->incomplete] = part->frame;
    large->incomplete++;
}

static void
announce(engine_t *engine, tunnel_t *tunnel, change_kind_t kind, peer_t sender, const packet_t *packet)
{
    change_t change = { .kind = kind, .frame = packet->frame, .time = packet->time, .packet = packet, .sender = sender };

    engine_judge(engine, tunnel, &change);
}

static void
expire_parts(engine_t *engine, tunnel_t *tunnel, const packet_t *packet)
{
    for (unsigned p = 0; p < PEERS; p++) {
        large_packets_t *large = &tunnel->peer[p].large;
        while (large->parts_waiting > 0 && duration_between(large->waiting[0].at, packet->time) > REST_ARRIVES) {
            part_t part = large->waiting[0];
            forget_part(large, 0);
            note_incomplete(large, &part);
            announce(engine, tunnel, CHANGE_FRAGMENTS_MISSING, (peer_t)p, packet);
        }
    }
}

/* The whole packet, put together: its first fragment waits no longer, and large packets do get through. */
static void
note_whole(large_packets_t *large, const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    uint32_t spi, sequence;

    large->rest_was_seen = true;
    large->incomplete = 0;
    if (!cursor_u32(&cursor, &spi) || !cursor_u32(&cursor, &sequence))
        return;
    for (unsigned i = 0; i < large->parts_waiting; i++) {
        if (large->waiting[i].spi == spi && large->waiting[i].sequence == sequence) {
            forget_part(large, i);
            return;
        }
    }
}

void
engine_path_of_esp(engine_t *engine, esp_sa_t *sa, const packet_t *packet)
{
    tunnel_t *tunnel = sa->tunnel;
    large_packets_t *large = &tunnel->peer[sa->sender].large;

    if (packet->ip_length == 0 && !packet->is_ip_fragment && packet->encapsulation != ENCAPSULATION_TCP)
        note_whole(large, packet);
    expire_parts(engine, tunnel, packet);
    if (large->complaints == 0 || packet->ip_length <= large->limit ||
        duration_between(large->complained_at, packet->time) <= COMPLAINT_ARRIVES ||
        duration_between(large->last_complaint_at, packet->time) > WATCHED_FOR)
        return;
    if (large->larger++ == 0)
        large->first_larger_in = packet->frame;
    large->largest = MAX(large->largest, packet->ip_length);
    large->last_larger_at = capture_later(large->last_larger_at, packet->time);
    announce(engine, tunnel, CHANGE_TOO_LARGE, sa->sender, packet);
}

tunnel_t *
engine_esp_fragment(engine_t *engine, const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    part_t part = { .frame = packet->frame, .at = packet->time };

    if (!cursor_u32(&cursor, &part.spi) || !cursor_u32(&cursor, &part.sequence))
        return NULL;
    const esp_sa_t *sa = engine_find_esp_sa(engine, part.spi, &packet->source, &packet->destination, FRAME_NONE);
    if (sa == NULL || sa->packets == 0)
        return NULL; /* an SA of which no packet ever comes whole may as well be another protocol */
    tunnel_t *tunnel = sa->tunnel;
    large_packets_t *large = &tunnel->peer[sa->sender].large;
    engine_note_for(engine, packet->frame)->tunnel = tunnel->index;
    expire_parts(engine, tunnel, packet);
    if (large->parts_waiting == PARTS_WAITING_MAX)
        forget_part(large, 0); /* nothing is known of it */
    large->waiting[large->parts_waiting++] = part;
    return tunnel;
}
