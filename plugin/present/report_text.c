/* report_text.c - what is the whole story of the capture, for people?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/report.h"

#include "present/by_tunnel.h"
#include "present/phrases.h"
#include "present/ranking.h"
#include "present/words.h"

#include <string.h>

enum { WIDTH = 100, LABEL = 16, INDENT = 2, FINDING_INDENT = 6, COURSE_INDENT = 8 };

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

/* " (1 down, 20 healthy), the worst first" and the end of the line. */
static void
append_states(GString *out, const engine_t *engine)
{
    static const tunnel_state_t worst_first[] = { TUNNEL_DOWN, TUNNEL_FLAPPING, TUNNEL_DEGRADED, TUNNEL_UNKNOWN, TUNNEL_HEALTHY };
    unsigned count[G_N_ELEMENTS(worst_first)] = { 0 };
    const char *before = " (";

    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++) {
        tunnel_row_t row;

        if (!engine_tunnel_is_kept(engine, tunnel))
            continue;
        engine_tunnel_row(engine, tunnel, &row);
        count[row.state]++;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(worst_first); i++) {
        if (count[worst_first[i]] == 0)
            continue;
        g_string_append_printf(out, "%s%u %s", before, count[worst_first[i]], tunnel_state_text(worst_first[i]));
        before = ", ";
    }
    g_string_append(out, engine_tunnels_kept(engine) > 1    ? "), the worst first\n"
                         : engine_tunnels_kept(engine) == 1 ? ")\n"
                                                            : "\n");
}

static void
append_capture(GString *out, const engine_t *engine, const capture_row_t *capture)
{
    begin_line(out, "Capture");
    phrase_capture(out, capture);
    g_string_append_c(out, '\n');
    begin_line(out, "IPsec");
    phrase_ipsec(out, capture);
    g_string_append_c(out, '\n');
    begin_line(out, "Tunnels");
    g_string_append_printf(out, "%u", engine_tunnels_kept(engine) + (unsigned)capture->tunnels_evicted);
    append_states(out, engine);
    if (capture->copies) {
        begin_line(out, "Copies");
        words_count(out, capture->copies, "packet");
        g_string_append(out, " captured twice and counted once\n");
    }
    if (capture->elsewhere) {
        begin_line(out, "Elsewhere");
        words_count(out, capture->elsewhere, "packet");
        g_string_append(out, " that only the other capture point has seen, not counted\n");
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

/* A line of one phrase. */
static void
append_peer_line(GString *out, const char *label, void (*phrase)(GString *, const peer_row_t *), const peer_row_t *peer)
{
    begin_line(out, label);
    phrase(out, peer);
    g_string_append_c(out, '\n');
}

static void
append_line(GString *out, const char *label, void (*phrase)(GString *, const tunnel_row_t *), const tunnel_row_t *row)
{
    begin_line(out, label);
    phrase(out, row);
    g_string_append_c(out, '\n');
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

/* ---- generations of child SAs ---- */

enum { GENERATIONS_FIRST = 4, GENERATIONS_LAST = 8 };

static void
append_spi(GString *out, uint32_t spi)
{
    if (spi)
        g_string_append_printf(out, "  %08x", spi);
    else
        g_string_append_printf(out, "  %-8s", "-");
}

/* Right-aligned, "120" or "12.1 kB", both directions: "120/118". */
static void
append_both(GString *out, int width, const char *a, const char *b)
{
    char *both = g_strdup_printf("%s/%s", a, b);

    g_string_append_printf(out, "  %*s", width, both);
    g_free(both);
}

static void
append_traffic(GString *out, const child_sa_row_t *row)
{
    GString *words[PEERS];
    char packets[PEERS][24];

    for (unsigned p = 0; p < PEERS; p++) {
        g_snprintf(packets[p], sizeof packets[p], "%" G_GUINT64_FORMAT, row->from[p].packets);
        words[p] = g_string_new(NULL);
        words_bytes(words[p], row->from[p].bytes);
    }
    append_both(out, 13, packets[PEER_A], packets[PEER_B]);
    append_both(out, 17, words[PEER_A]->str, words[PEER_B]->str);
    for (unsigned p = 0; p < PEERS; p++)
        g_string_free(words[p], TRUE);
}

static void
append_birth(GString *out, const child_sa_row_t *row)
{
    GString *words = g_string_new(NULL);

    if (row->born_in != FRAME_NONE)
        words_clock(words, row->born_at);
    else
        g_string_append(words, "earlier");
    g_string_append_printf(out, "  %-12s", words->str);
    g_string_truncate(words, 0);
    if (row->lifetime >= 0)
        words_duration(words, row->lifetime);
    else
        g_string_append_c(words, '-');
    g_string_append_printf(out, "  %12s", words->str);
    g_string_free(words, TRUE);
}

/* What made it and what ended it, on a line of its own: the table stays narrow enough for a terminal and for the report window. */
static void
append_course(GString *out, const child_sa_row_t *row)
{
    GString *words = g_string_new("made by: ");

    phrase_child_made(words, row);
    g_string_append(words, "; ");
    phrase_child_end(words, row);
    words_wrapped(out, words->str, COURSE_INDENT, WIDTH);
    g_string_free(words, TRUE);
}

static void
append_generation(GString *out, const child_sa_row_t *row)
{
    if (row->child_sa == INDEX_NONE)
        g_string_append_printf(out, "%*s%4s", INDENT, "", "?");
    else
        g_string_append_printf(out, "%*s%4u", INDENT, "", row->child_sa);
    append_spi(out, row->from[PEER_A].spi);
    append_spi(out, row->from[PEER_B].spi);
    append_birth(out, row);
    append_traffic(out, row);
    g_string_append_c(out, '\n');
    append_course(out, row);
}

static void
append_generations(GString *out, const engine_t *engine, uint32_t tunnel)
{
    GArray *rows = engine_child_sas(engine, tunnel);
    bool is_long = rows->len > GENERATIONS_FIRST + GENERATIONS_LAST + 1;

    if (rows->len > 0)
        g_string_append_printf(out, "%*sSA    %-8s  %-8s  %-12s  %12s  %13s  %17s\n", INDENT, "", "from A", "from B", "Born",
                               "Lived", "Packets A/B", "Bytes A/B");
    for (unsigned i = 0; i < rows->len; i++) {
        if (is_long && i == GENERATIONS_FIRST) {
            unsigned left_out = rows->len - GENERATIONS_FIRST - GENERATIONS_LAST;
            g_string_append_printf(out, "%*s ...  %u more, all of them in the JSON report\n", INDENT, "", left_out);
            i += left_out;
        }
        append_generation(out, &g_array_index(rows, child_sa_row_t, i));
    }
    if (rows->len > 0)
        g_string_append_c(out, '\n');
    g_array_free(rows, TRUE);
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
    phrase_down(out, incident);
    g_string_append_c(out, '\n');
    g_string_append_printf(out, "%*sRoot cause: %s - %s (%s)\n", 2 * INDENT, "", finding_catalogue[incident->root_cause].id,
                           incident->root_words, confidence_text(incident->root_confidence));
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
    g_string_append_printf(out, "  %7u  %-5s  %-8s  %s", finding->frame, severity_text(finding->severity),
                           confidence_text(finding->confidence), finding_catalogue[finding->id].id);
    if (finding->grade != NAT_GRADE_NONE)
        g_string_append_printf(out, " (%s)", nat_grade_text(finding->grade));
    g_string_append(out, finding->at_end ? " (seen at the end of the capture)\n" : "\n");
    words_wrapped(out, finding->text, FINDING_INDENT, WIDTH);
}

static void
append_findings(GString *out, const capture_row_t *capture, const GPtrArray *findings)
{
    if (findings->len)
        g_string_append_printf(out, "%*s%11s  %-12s  %7s  %-5s  %-8s  %s\n", INDENT, "", "Since start", "Time (UTC)", "Frame",
                               "Sev.", "How sure", "Finding");
    else
        g_string_append_printf(out, "%*sNo findings\n", INDENT, "");
    for (unsigned i = 0; i < findings->len; i++)
        append_finding(out, capture, findings->pdata[i]);
    g_string_append_c(out, '\n');
}

/* Requests that still waited when the capture ended: what a longer capture would have shown. */
static void
append_waiting(GString *out, const engine_t *engine, const tunnel_row_t *tunnel)
{
    uint32_t count = engine_waiting_count(engine, tunnel->tunnel);

    for (uint32_t i = 0; i < MIN(count, WAITING_SHOWN); i++) {
        GString *words = g_string_new(NULL);
        waiting_row_t row;

        engine_waiting_row(engine, tunnel->tunnel, i, &row);
        phrase_waiting(words, tunnel, &row);
        words_wrapped(out, words->str, INDENT, WIDTH);
        g_string_append_c(out, '\n');
        g_string_free(words, TRUE);
    }
    if (count > WAITING_SHOWN)
        g_string_append_printf(out, "%*s%u further requests waited; the JSON report has all of them.\n\n", INDENT, "",
                               count - WAITING_SHOWN);
}

static void
append_tunnel(GString *out, const engine_t *engine, const capture_row_t *capture, uint32_t tunnel, const GPtrArray *findings)
{
    tunnel_row_t row;

    engine_tunnel_row(engine, tunnel, &row);
    append_tunnel_header(out, &row);
    append_peer_line(out, "Peer A", phrase_peer, &row.peer[PEER_A]);
    append_peer_line(out, "Peer B", phrase_peer, &row.peer[PEER_B]);
    append_line(out, "Protocol", phrase_protocol, &row);
    append_nat(out, &row);
    append_line(out, "Availability", phrase_availability, &row);
    append_peer_line(out, "ESP from A", phrase_esp, &row.peer[PEER_A]);
    append_peer_line(out, "ESP from B", phrase_esp, &row.peer[PEER_B]);
    append_line(out, "Rekeys", phrase_rekeys, &row);
    append_line(out, "DPD", phrase_dpd, &row);
    if (row.port_flips) {
        begin_line(out, "NAT port flips");
        g_string_append_printf(out, "%u\n", row.port_flips);
    }
    g_string_append_c(out, '\n');
    append_generations(out, engine, tunnel);
    append_incidents(out, engine, tunnel);
    append_waiting(out, engine, &row);
    append_findings(out, capture, findings);
}

static void
append_findings_of_no_tunnel(GString *out, const capture_row_t *capture, const GPtrArray *findings)
{
    if (findings->len == 0)
        return;
    append_underlined(out, "Of no tunnel in this capture", '-');
    append_findings(out, capture, findings);
}

GString *
report_text(const engine_t *engine)
{
    GString *out = g_string_new(NULL);
    capture_row_t capture;

    engine_capture_row(engine, &capture);
    append_underlined(out, "IPsec tunnel report", '=');
    if (!phrase_has_ipsec(engine, &capture)) {
        words_count(out, capture.frames, "frame");
        g_string_append(out, ", no IPsec traffic found\n");
        return out;
    }
    by_tunnel_t *groups = by_tunnel_new(engine);
    append_capture(out, engine, &capture);
    GArray *ranking = ranking_worst_first(engine);
    for (unsigned i = 0; i < ranking->len; i++) {
        const uint32_t tunnel = g_array_index(ranking, uint32_t, i);

        append_tunnel(out, engine, &capture, tunnel, by_tunnel_findings(groups, tunnel));
    }
    g_array_free(ranking, TRUE);
    append_findings_of_no_tunnel(out, &capture, by_tunnel_findings(groups, INDEX_NONE));
    by_tunnel_free(groups);
    return out;
}
