/* report_text.c - what is the whole story of the capture, for people?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/report.h"

#include "present/words.h"

#include <string.h>

enum { WIDTH = 100, LABEL = 16, INDENT = 2, FINDING_INDENT = 6 };

/* A line "  Label           " whose value the caller appends, newline included. */
static void
begin_line(GString *out, const char *label)
{
    g_string_append_printf(out, "%*s%-*s", INDENT, "", LABEL, label);
}

static void
append_underlined(GString *out, const char *title, char line)
{
    g_string_append_printf(out, "%s\n", title);
    for (size_t i = 0; i < strlen(title); i++)
        g_string_append_c(out, line);
    g_string_append(out, "\n\n");
}

static double
seconds_between(capture_ns_t from, capture_ns_t to)
{
    return duration_seconds(duration_between(from, to));
}

/* ---- the capture ---- */

static unsigned
tunnels_kept(const engine_t *engine)
{
    unsigned count = 0;

    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++)
        count += engine_tunnel_is_kept(engine, tunnel);
    return count;
}

static void
append_capture(GString *out, const engine_t *engine, const capture_row_t *capture)
{
    begin_line(out, "Capture");
    words_count(out, capture->frames, "frame");
    if (capture->first_time != CAPTURE_TIME_NONE) {
        g_string_append(out, ", ");
        words_date(out, capture->first_time);
        g_string_append(out, ", ");
        words_duration(out, seconds_between(capture->first_time, capture->last_time));
    }
    g_string_append_c(out, '\n');
    begin_line(out, "IPsec");
    words_count(out, capture->ike_messages, "IKE message");
    g_string_append(out, ", ");
    words_count(out, capture->esp_packets, "ESP packet");
    g_string_append(out, ", ");
    words_count(out, capture->keepalives, "NAT keepalive");
    g_string_append(out, ", ");
    words_count(out, capture->icmp_errors, "ICMP error");
    if (capture->syslog_lines) {
        g_string_append(out, ", ");
        words_count(out, capture->syslog_lines, "syslog line");
        g_string_append(out, " about invalid SPIs");
    }
    g_string_append_c(out, '\n');
    begin_line(out, "Tunnels");
    g_string_append_printf(out, "%u\n", tunnels_kept(engine) + (unsigned)capture->tunnels_evicted);
    if (capture->copies) {
        begin_line(out, "Copies");
        words_count(out, capture->copies, "packet");
        g_string_append(out, " captured twice and counted once\n");
    }
    if (capture->malformed) {
        begin_line(out, "Malformed");
        words_count(out, capture->malformed, "IPsec packet");
        g_string_append_c(out, '\n');
    }
    if (capture->tunnels_evicted) {
        begin_line(out, "Forgotten");
        words_count(out, capture->tunnels_evicted, "idle tunnel");
        g_string_append(out, ", to stay within the preference \"Tunnels remembered\"\n");
    }
    if (capture->findings_left_out) {
        begin_line(out, "Left out");
        words_count(out, capture->findings_left_out, "finding");
        g_string_append(out, " where there are hundreds of the same kind\n");
    }
    g_string_append_c(out, '\n');
}

/* ---- a tunnel ---- */

static void
append_peer(GString *out, const char *name, const peer_row_t *peer)
{
    char first[ENDPOINT_TEXT_MAX], last[ENDPOINT_TEXT_MAX];

    begin_line(out, name);
    if (peer->first.family == ADDRESS_NONE) {
        g_string_append(out, "not seen\n");
        return;
    }
    g_string_append(out, endpoint_text(&peer->first, first));
    if (peer->last.family != ADDRESS_NONE && !endpoint_equal(&peer->first, &peer->last))
        g_string_append_printf(out, ", later %s", endpoint_text(&peer->last, last));
    if (peer->identity[0]) {
        char *identity = g_utf8_make_valid(peer->identity, -1);

        g_string_append_printf(out, " (%s)", identity);
        g_free(identity);
    }
    g_string_append_c(out, '\n');
}

static void
append_protocol(GString *out, const tunnel_row_t *row)
{
    begin_line(out, "Protocol");
    if (row->ike_version)
        g_string_append_printf(out, "IKEv%u, ", row->ike_version);
    else
        g_string_append(out, "no IKE in this capture, ");
    if (row->tcp_encapsulated)
        g_string_append(out, row->udp_encapsulated ? "in TCP and with NAT traversal in UDP, " : "in TCP, ");
    else
        g_string_append(out, !row->udp_encapsulated ? "no NAT traversal, " : row->ike_version ? "NAT traversal, " : "ESP in UDP, ");
    words_count(out, row->ike_sas, "IKE SA");
    g_string_append(out, ", ");
    words_count(out, row->child_sas, "child SA");
    g_string_append_c(out, '\n');
}

/* One line per peer of which NAT detection says something. */
static void
append_nat(GString *out, const tunnel_row_t *row)
{
    for (peer_t peer = PEER_A; peer < PEERS; peer++) {
        GString *words = g_string_new(NULL);

        nat_describe(&row->peer[peer].nat, &row->peer[peer].last, words);
        if (words->len > 0) {
            begin_line(out, "NAT detection");
            g_string_append_printf(out, "%s\n", words->str);
        }
        g_string_free(words, TRUE);
    }
}

static void
append_availability(GString *out, const tunnel_row_t *row)
{
    begin_line(out, "Availability");
    if (row->availability < 0) {
        g_string_append(out, "unknown: nothing proves that it worked or did not\n");
        return;
    }
    g_string_append_printf(out, "%.1f %% of ", row->availability * 100);
    words_duration(out, row->known_seconds);
    g_string_append(out, " of which the capture tells");
    if (!row->came_up) {
        g_string_append(out, ", never came up\n");
        return;
    }
    if (row->degraded_seconds > 0) {
        g_string_append(out, ", degraded ");
        words_duration(out, row->degraded_seconds);
    }
    g_string_append(out, ", down ");
    words_duration(out, row->down_seconds);
    g_string_append(out, ", ");
    words_count(out, row->flaps, "flap");
    g_string_append_c(out, '\n');
}

static void
append_esp_from(GString *out, const char *label, const peer_row_t *peer)
{
    begin_line(out, label);
    words_count(out, peer->esp_packets, "packet");
    g_string_append(out, ", ");
    words_bytes(out, peer->esp_bytes);
    if (peer->esp_lost)
        g_string_append_printf(out, ", about %" G_GUINT64_FORMAT " missing (lost, or not captured)", peer->esp_lost);
    g_string_append_c(out, '\n');
}

static void
append_counts(GString *out, const tunnel_row_t *row)
{
    begin_line(out, "Rekeys");
    g_string_append_printf(out, "%u ok, %u failed\n", row->rekeys_ok, row->rekeys_failed);
    begin_line(out, "DPD");
    g_string_append_printf(out, "%u sent, %u unanswered", row->dpd_sent, row->dpd_unanswered);
    if (row->dpd_median_rtt >= 0) {
        g_string_append(out, ", median answer after ");
        words_duration(out, row->dpd_median_rtt);
    }
    g_string_append_c(out, '\n');
    if (row->port_flips) {
        begin_line(out, "NAT port flips");
        g_string_append_printf(out, "%u\n", row->port_flips);
    }
}

static void
append_tunnel_header(GString *out, const tunnel_row_t *row)
{
    char a[ENDPOINT_TEXT_MAX], b[ENDPOINT_TEXT_MAX];
    const peer_row_t *peer_a = &row->peer[PEER_A], *peer_b = &row->peer[PEER_B];
    GString *title = g_string_new(NULL);

    g_string_printf(title, "Tunnel %u: %s - %s: ", row->tunnel,
                    peer_a->first.family ? endpoint_address_text(&peer_a->first, a) : "?",
                    peer_b->first.family ? endpoint_address_text(&peer_b->first, b) : "?");
    words_state(title, row);
    append_underlined(out, title->str, '-');
    g_string_free(title, TRUE);
}

/* ---- incidents ---- */

static void
append_chain(GString *out, const incident_row_t *incident)
{
    GString *chain = g_string_new("Chain: ");

    for (unsigned i = 0; i < incident->chain_length; i++)
        g_string_append_printf(chain, "%s%s", i ? " -> " : "", finding_catalogue[incident->chain[i]->id].id);
    if (incident->chain_length)
        words_wrapped(out, chain->str, 2 * INDENT, WIDTH);
    g_string_free(chain, TRUE);
}

static void
append_checks(GString *out, const incident_row_t *incident)
{
    for (unsigned i = 0; incident->check_next[i]; i++) {
        GString *check = g_string_new("- ");

        if (i == 0)
            words_wrapped(out, "Check next:", 2 * INDENT, WIDTH);
        g_string_append(check, incident->check_next[i]);
        words_wrapped(out, check->str, 2 * INDENT, WIDTH);
        g_string_free(check, TRUE);
    }
}

/* Both bounds, where they differ: the tunnel failed some time between the last proof that it worked and the first sign that it did not. */
static void
append_down_time(GString *out, const incident_row_t *incident)
{
    if (!incident->is_outage)
        return;
    g_string_append(out, ", down ");
    words_duration(out, incident->down_seconds);
    if (incident->down_seconds - incident->down_least_seconds > 0.1) {
        g_string_append(out, " (at least ");
        words_duration(out, incident->down_least_seconds);
        g_string_append_c(out, ')');
    }
}

static void
append_incident(GString *out, const incident_row_t *incident)
{
    g_string_append_printf(out, "%*sIncident %u: ", INDENT, "", incident->incident);
    words_clock(out, incident->start);
    if (incident->end != CAPTURE_TIME_NONE) {
        g_string_append(out, " to ");
        words_clock(out, incident->end);
        g_string_append_printf(out, " (frames %u to %u)", incident->start_frame, incident->end_frame);
    } else {
        g_string_append_printf(out, " (from frame %u)", incident->start_frame);
    }
    append_down_time(out, incident);
    g_string_append(out, incident->recovered ? ", recovered\n" : ", not recovered\n");
    g_string_append_printf(out, "%*sRoot cause: %s - %s (%s)\n", 2 * INDENT, "", finding_catalogue[incident->root_cause].id,
                           finding_catalogue[incident->root_cause].summary, confidence_text(incident->root_confidence));
    append_chain(out, incident);
    if (incident->story)
        words_wrapped(out, incident->story, 2 * INDENT, WIDTH);
    append_checks(out, incident);
    g_string_append_c(out, '\n');
}

static void
append_incidents(GString *out, const engine_t *engine, uint32_t tunnel)
{
    for (uint32_t i = 0; i < engine_incident_count(engine, tunnel); i++) {
        incident_row_t incident;

        engine_incident_row(engine, tunnel, i, &incident);
        append_incident(out, &incident);
    }
}

/* ---- findings ---- */

static void
append_finding(GString *out, const capture_row_t *capture, const finding_t *finding)
{
    g_string_append_printf(out, "%*s%11.3f  ", INDENT, "", seconds_between(capture->first_time, finding->time));
    words_clock(out, finding->time);
    g_string_append_printf(out, "  %7u  %-5s  %-8s  %s%s\n", finding->frame, severity_text(finding->severity),
                           confidence_text(finding->confidence), finding_catalogue[finding->id].id,
                           finding->at_end ? " (seen at the end of the capture)" : "");
    words_wrapped(out, finding->text, FINDING_INDENT, WIDTH);
}

/* Those of one tunnel, or with INDEX_NONE those of none. False: there are none. */
static bool
append_findings_of(GString *out, const engine_t *engine, const capture_row_t *capture, uint32_t tunnel)
{
    const GPtrArray *findings = engine_findings(engine);
    bool any = false;

    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];

        if (finding->tunnel != tunnel)
            continue;
        if (!any)
            g_string_append_printf(out, "%*s%11s  %-12s  %7s  %-5s  %-8s  %s\n", INDENT, "", "Since start", "Time (UTC)", "Frame",
                                   "Sev.", "How sure", "Finding");
        any = true;
        append_finding(out, capture, finding);
    }
    return any;
}

static void
append_findings(GString *out, const engine_t *engine, const capture_row_t *capture, uint32_t tunnel)
{
    if (!append_findings_of(out, engine, capture, tunnel))
        g_string_append_printf(out, "%*sNo findings\n", INDENT, "");
    g_string_append_c(out, '\n');
}

/* Requests that still waited when the capture ended: what a longer capture would have shown. */
static void
append_waiting(GString *out, const engine_t *engine, const tunnel_row_t *tunnel)
{
    for (uint32_t i = 0; i < engine_waiting_count(engine, tunnel->tunnel); i++) {
        char address[ENDPOINT_TEXT_MAX];
        GString *words = g_string_new(NULL);
        waiting_row_t row;

        engine_waiting_row(engine, tunnel->tunnel, i, &row);
        g_string_printf(words, "When the capture ended, %s still waited for an answer to its %s, sent %u times, last in frame %u.",
                        row.requester < PEERS ? endpoint_address_text(&tunnel->peer[row.requester].last, address) : "a peer",
                        row.words, row.transmissions, row.last_frame);
        if (row.next_try_at != CAPTURE_TIME_NONE) {
            g_string_append(words, " The next try is due at ");
            words_clock(words, row.next_try_at);
        }
        if (row.gives_up_at != CAPTURE_TIME_NONE) {
            g_string_append(words, ", and it gives up at about ");
            words_clock(words, row.gives_up_at);
            g_string_append_printf(words, " if it has the defaults of %s, as its timer looks", row.family);
        }
        if (row.next_try_at != CAPTURE_TIME_NONE)
            g_string_append_c(words, '.');
        words_wrapped(out, words->str, INDENT, WIDTH);
        g_string_append_c(out, '\n');
        g_string_free(words, TRUE);
    }
}

static void
append_tunnel(GString *out, const engine_t *engine, const capture_row_t *capture, uint32_t tunnel)
{
    tunnel_row_t row;

    engine_tunnel_row(engine, tunnel, &row);
    append_tunnel_header(out, &row);
    append_peer(out, "Peer A", &row.peer[PEER_A]);
    append_peer(out, "Peer B", &row.peer[PEER_B]);
    append_protocol(out, &row);
    append_nat(out, &row);
    append_availability(out, &row);
    append_esp_from(out, "ESP from A", &row.peer[PEER_A]);
    append_esp_from(out, "ESP from B", &row.peer[PEER_B]);
    append_counts(out, &row);
    g_string_append_c(out, '\n');
    append_incidents(out, engine, tunnel);
    append_waiting(out, engine, &row);
    append_findings(out, engine, capture, tunnel);
}

static void
append_findings_of_no_tunnel(GString *out, const engine_t *engine, const capture_row_t *capture)
{
    GString *findings = g_string_new(NULL);

    if (append_findings_of(findings, engine, capture, INDEX_NONE)) {
        append_underlined(out, "Of no tunnel in this capture", '-');
        g_string_append_printf(out, "%s\n", findings->str);
    }
    g_string_free(findings, TRUE);
}

static bool
has_ipsec(const engine_t *engine, const capture_row_t *capture)
{
    return engine_tunnel_count(engine) > 0 || capture->ike_messages || capture->esp_packets || capture->icmp_errors ||
           capture->syslog_lines;
}

GString *
report_text(const engine_t *engine)
{
    GString *out = g_string_new(NULL);
    capture_row_t capture;

    engine_capture_row(engine, &capture);
    append_underlined(out, "IPsec tunnel report", '=');
    if (!has_ipsec(engine, &capture)) {
        words_count(out, capture.frames, "frame");
        g_string_append(out, ", no IPsec traffic found\n");
        return out;
    }
    append_capture(out, engine, &capture);
    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++) {
        if (engine_tunnel_is_kept(engine, tunnel))
            append_tunnel(out, engine, &capture, tunnel);
    }
    append_findings_of_no_tunnel(out, engine, &capture);
    return out;
}
