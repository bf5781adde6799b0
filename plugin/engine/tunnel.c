/* tunnel.c - questions about a tunnel that several detectors ask.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tunnel.h"

/* One retry with the wanted group is all that it takes. */
#define GROUPS_REFUSED_THAT_TELL 3u

static void
incident_free(gpointer data)
{
    incident_t *incident = data;

    g_ptr_array_free(incident->chain, TRUE);
    g_ptr_array_free(incident->rivals, TRUE);
    g_free(incident->would_decide);
    g_free(incident->story);
    g_free(incident);
}

static void
peer_init(peer_state_t *peer, const endpoint_t *endpoint)
{
    peer->first = peer->last = *endpoint;
    peer->last_packet_at = peer->last_esp_at = peer->run_began_at = CAPTURE_TIME_NONE;
    peer->large.complained_at = peer->large.last_complaint_at = peer->large.last_larger_at = CAPTURE_TIME_NONE;
    peer->mapping.used_at = peer->mapping.keepalive_since = peer->mapping.keepalive_at = CAPTURE_TIME_NONE;
}

tunnel_t *
tunnel_new(uint32_t index, const endpoint_t *a, const endpoint_t *b, frame_t frame, capture_ns_t time)
{
    tunnel_t *tunnel = g_new0(tunnel_t, 1);

    tunnel->index = index;
    tunnel->turn = 1;
    tunnel->rival.tunnel = INDEX_NONE;
    tunnel->lost_at = tunnel->redirected_at = CAPTURE_TIME_NONE;
    peer_init(&tunnel->peer[PEER_A], a);
    peer_init(&tunnel->peer[PEER_B], b);
    tunnel->ike_sas = g_ptr_array_new_with_free_func((GDestroyNotify)ike_sa_free);
    tunnel->esp_sas = g_ptr_array_new_with_free_func((GDestroyNotify)esp_sa_free);
    tunnel->findings = g_ptr_array_new();
    tunnel->incidents = g_ptr_array_new_with_free_func(incident_free);
    tunnel->flips = g_array_new(FALSE, TRUE, sizeof(flip_t));
    tunnel->waiting = g_ptr_array_new();
    tunnel->icmp_reports = g_array_new(FALSE, TRUE, sizeof(icmp_report_t));
    tunnel->dpd_rtts = g_array_new(FALSE, FALSE, sizeof(duration_ns_t));
    tunnel->first_frame = tunnel->last_frame = frame;
    tunnel->first_time = tunnel->last_time = time;
    tunnel->outages = g_array_new(FALSE, FALSE, sizeof(outage_t));
    tunnel->first_proof_at = tunnel->last_two_way_at = tunnel->births_due = CAPTURE_TIME_NONE;
    tunnel->last_proof_at = tunnel->last_answer_at = tunnel->last_unanswered_at = CAPTURE_TIME_NONE;
    tunnel->last_child_success_at = CAPTURE_TIME_NONE;
    lifetimes_init(&tunnel->lifetimes);
    children_init(&tunnel->children);
    return tunnel;
}

void
tunnel_free(tunnel_t *tunnel)
{
    g_ptr_array_free(tunnel->ike_sas, TRUE);
    g_ptr_array_free(tunnel->esp_sas, TRUE);
    g_ptr_array_free(tunnel->findings, TRUE);
    g_ptr_array_free(tunnel->incidents, TRUE);
    g_array_free(tunnel->flips, TRUE);
    g_ptr_array_free(tunnel->waiting, TRUE);
    g_array_free(tunnel->icmp_reports, TRUE);
    g_array_free(tunnel->dpd_rtts, TRUE);
    g_array_free(tunnel->outages, TRUE);
    lifetimes_clear(&tunnel->lifetimes);
    activity_clear(&tunnel->activity);
    children_clear(&tunnel->children);
    g_free(tunnel->points);
    g_free(tunnel->accepted_child);
    g_free(tunnel->accepted_ike);
    g_free(tunnel);
}

peer_t
tunnel_peer_at(const tunnel_t *tunnel, const endpoint_t *endpoint)
{
    bool is_a = endpoint_same_address(endpoint, &tunnel->peer[PEER_A].last);
    bool is_b = endpoint_same_address(endpoint, &tunnel->peer[PEER_B].last);

    if (is_a && is_b) /* both gateways behind one address, or a loopback: the ports decide */
        return endpoint->port == tunnel->peer[PEER_A].last.port   ? PEER_A
               : endpoint->port == tunnel->peer[PEER_B].last.port ? PEER_B
                                                                  : PEER_UNKNOWN;
    return is_a ? PEER_A : is_b ? PEER_B : PEER_UNKNOWN;
}

bool
tunnel_is_between(const tunnel_t *tunnel, const endpoint_t *source, const endpoint_t *destination)
{
    const endpoint_t *a = &tunnel->peer[PEER_A].last, *b = &tunnel->peer[PEER_B].last;

    return (endpoint_same_address(a, source) && endpoint_same_address(b, destination)) ||
           (endpoint_same_address(b, source) && endpoint_same_address(a, destination));
}

esp_sa_t *
tunnel_esp_sa(const tunnel_t *tunnel, uint32_t spi, peer_t sender)
{
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->spi == spi && sa->sender == sender)
            return sa;
    }
    return NULL;
}

flip_t *
tunnel_latest_flip(const tunnel_t *tunnel, peer_t peer)
{
    for (unsigned i = tunnel->flips->len; i-- > 0;) {
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer == peer)
            return flip;
    }
    return NULL;
}

ike_sa_t *
tunnel_current_ike_sa(const tunnel_t *tunnel)
{
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa_is_usable(ike_sa))
            return ike_sa;
    }
    return tunnel->ike_sas->len > 0 ? g_ptr_array_index(tunnel->ike_sas, tunnel->ike_sas->len - 1) : NULL;
}

lead_in_t
tunnel_lead_in(const tunnel_t *tunnel)
{
    lead_in_t lead_in = { .answer_at = tunnel->last_answer_at,
                          .answer_in = tunnel->last_answer_in,
                          .answer_words = tunnel->last_answer_words,
                          .two_way_at = tunnel->last_two_way_at,
                          .two_way_in = tunnel->last_two_way_in };

    for (unsigned p = 0; p < PEERS; p++) {
        const mapping_t *mapping = &tunnel->peer[p].mapping;
        lead_in.keepalive_at[p] = mapping->keepalive_at;
        lead_in.keepalive_in[p] = mapping->keepalive_in;
        lead_in.keepalive_after[p] = mapping->keepalive_after;
    }
    return lead_in;
}

static void
count_finding(tunnel_t *tunnel, const finding_t *finding)
{
    tunnel->finding_count[finding->id]++;
    tunnel->latest_finding[finding->id][PEER_UNKNOWN] = finding;
    tunnel->latest_finding[finding->id][finding->culprit] = finding;
}

void
tunnel_keep_finding(tunnel_t *tunnel, finding_t *finding)
{
    g_ptr_array_add(tunnel->findings, finding);
    count_finding(tunnel, finding);
}

void
tunnel_recount_findings(tunnel_t *tunnel)
{
    for (unsigned id = 0; id < FINDING_COUNT; id++) {
        tunnel->finding_count[id] = 0;
        for (unsigned peer = 0; peer <= PEERS; peer++)
            tunnel->latest_finding[id][peer] = NULL;
    }
    for (unsigned i = 0; i < tunnel->findings->len; i++)
        count_finding(tunnel, g_ptr_array_index(tunnel->findings, i));
}

const finding_t *
tunnel_latest_finding(const tunnel_t *tunnel, finding_id_t id, peer_t culprit)
{
    return tunnel->latest_finding[id][culprit];
}

bool
tunnel_shows_peer(const tunnel_t *tunnel, peer_t peer)
{
    return peer != PEER_UNKNOWN && tunnel->peer[peer].packets > 0;
}

bool
tunnel_is_one_direction(const tunnel_t *tunnel)
{
    return !tunnel_shows_peer(tunnel, PEER_A) || !tunnel_shows_peer(tunnel, PEER_B);
}

bool
tunnel_is_seen_one_way(const tunnel_t *tunnel)
{
    return tunnel_is_one_direction(tunnel) && tunnel->peer[PEER_A].esp_packets + tunnel->peer[PEER_B].esp_packets > 0;
}

void
tunnel_forget_refusals(tunnel_t *tunnel)
{
    tunnel->refused_in_a_row = tunnel->ke_refused_in_a_row = 0;
}

bool
tunnel_peer_sent_after(const tunnel_t *tunnel, peer_t peer, capture_ns_t time)
{
    return peer != PEER_UNKNOWN && tunnel->peer[peer].last_packet_at != CAPTURE_TIME_NONE &&
           tunnel->peer[peer].last_packet_at > time;
}

bool
tunnel_peer_lives(const tunnel_t *tunnel, const exchange_t *unanswered)
{
    return unanswered->abandoned == ABANDONED_SILENCE && exchange_is_liveness(unanswered) &&
           tunnel_peer_sent_after(tunnel, peer_other(unanswered->requester), unanswered->last_sent_at);
}

bool
tunnel_may_agree_on_group(const tunnel_t *tunnel, const exchange_t *refused)
{
    return refused->error == NOTIFY_INVALID_KE_PAYLOAD && tunnel->ke_refused_in_a_row < GROUPS_REFUSED_THAT_TELL;
}

const char *
tunnel_peer_text(const tunnel_t *tunnel, peer_t peer, char buffer[ENDPOINT_TEXT_MAX])
{
    if (peer == PEER_UNKNOWN) {
        g_strlcpy(buffer, "a peer", ENDPOINT_TEXT_MAX);
        return buffer;
    }
    return endpoint_address_text(&tunnel->peer[peer].last, buffer);
}

void
tunnel_learn_nat(tunnel_t *tunnel, const nat_detection_t *nat)
{
    if (nat_detection_is_complete(nat) || !nat_detection_is_complete(&tunnel->nat))
        tunnel->nat = *nat;
}

/* RFC 7296 2.23: who is told another address than its own sends keepalives (RFC 3948 4). What it was told is the address at the
 * capture point. */
static bool
believes_in_nat_before(const tunnel_t *tunnel, peer_t peer, const peer_nat_t *nat)
{
    const peer_state_t *state = &tunnel->peer[peer];

    return endpoint_same_address(&state->mapping.keepalive_source, &state->last) && nat->beyond == NAT_SIDE_UNCHANGED;
}

/* A host keeps its own port while an SA lasts. */
static bool
had_its_port_changed(const tunnel_t *tunnel, peer_t peer)
{
    for (unsigned i = 0; i < tunnel->flips->len; i++) {
        const flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer == peer && !flip->is_announced && !flip->is_return &&
            endpoint_same_address(&flip->old_endpoint, &flip->new_endpoint) &&
            endpoint_same_address(&flip->new_endpoint, &tunnel->peer[peer].last))
            return true;
    }
    return false;
}

/* The hashes are about another address than the peer has now. */
static bool
has_left_address(const tunnel_t *tunnel, peer_t peer)
{
    const nat_evidence_t *evidence = &tunnel->nat.peer[peer];

    return !evidence->is_between && evidence->seen.family != ADDRESS_NONE &&
           !endpoint_same_address(&evidence->seen, &tunnel->peer[peer].last);
}

peer_nat_t
tunnel_nat(const tunnel_t *tunnel, peer_t peer)
{
    nat_detection_t detection = tunnel->nat;

    if (has_left_address(tunnel, peer))
        nat_detection_forget(&detection, peer);
    peer_nat_t nat = nat_detection_conclude(&detection, peer);
    if (nat.state == NAT_BEFORE_OR_FORCED && (believes_in_nat_before(tunnel, peer, &nat) || had_its_port_changed(tunnel, peer))) {
        nat.state = NAT_BEFORE;
        nat.confidence = CONFIDENCE_INFERRED;
    }
    return nat;
}
