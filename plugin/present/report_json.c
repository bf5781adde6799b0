/* report_json.c - what is the whole story of the capture, for programs?
 *
 * The keys are a contract: docs/report.schema.json. Times are seconds since the epoch, durations seconds, frames frame numbers;
 * what is not known is null.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"

#include "present/by_tunnel.h"
#include "present/report.h"

#include <wsutil/json_dumper.h>

static void
put_null(json_dumper *json, const char *key)
{
    json_dumper_set_member_name(json, key);
    json_dumper_value_anyf(json, "null");
}

static void
put_text(json_dumper *json, const char *key, const char *text)
{
    char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    if (!valid) {
        put_null(json, key);
        return;
    }
    json_dumper_set_member_name(json, key);
    json_dumper_value_string(json, valid);
    g_free(valid);
}

static void
put_uint(json_dumper *json, const char *key, uint64_t value)
{
    json_dumper_set_member_name(json, key);
    json_dumper_value_anyf(json, "%" G_GUINT64_FORMAT, value);
}

static void
put_bool(json_dumper *json, const char *key, bool value)
{
    json_dumper_set_member_name(json, key);
    json_dumper_value_anyf(json, value ? "true" : "false");
}

/* `decimals` digits after the point, whatever the locale; negative: not known. */
static void
put_number(json_dumper *json, const char *key, double value, unsigned decimals)
{
    char format[16], text[G_ASCII_DTOSTR_BUF_SIZE];

    if (value < 0) {
        put_null(json, key);
        return;
    }
    g_snprintf(format, sizeof format, "%%.%uf", decimals);
    json_dumper_set_member_name(json, key);
    json_dumper_value_anyf(json, "%s", g_ascii_formatd(text, sizeof text, format, value));
}

/* All nine decimals, which a double would not hold. */
static void
put_time(json_dumper *json, const char *key, capture_ns_t time)
{
    const uint64_t amount = time < 0 ? (uint64_t)0 - (uint64_t)time : (uint64_t)time;
    const uint64_t second = (uint64_t)SECONDS(1);

    if (time == CAPTURE_TIME_NONE) {
        put_null(json, key);
        return;
    }
    json_dumper_set_member_name(json, key);
    json_dumper_value_anyf(json, "%s%" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT, time < 0 ? "-" : "", amount / second,
                           amount % second);
}

static void
put_unless(json_dumper *json, const char *key, uint32_t number, uint32_t none)
{
    if (number == none)
        put_null(json, key);
    else
        put_uint(json, key, number);
}

static void
put_frame(json_dumper *json, const char *key, frame_t frame)
{
    put_unless(json, key, frame, FRAME_NONE);
}

static void
put_index(json_dumper *json, const char *key, uint32_t index)
{
    put_unless(json, key, index, INDEX_NONE);
}

static void
put_capture(json_dumper *json, const engine_t *engine)
{
    capture_row_t capture;

    engine_capture_row(engine, &capture);
    json_dumper_set_member_name(json, "capture");
    json_dumper_begin_object(json);
    put_uint(json, "frames", capture.frames);
    put_frame(json, "first_frame", capture.first_frame);
    put_frame(json, "last_frame", capture.last_frame);
    put_time(json, "first_time", capture.first_time);
    put_time(json, "last_time", capture.last_time);
    put_uint(json, "ike_messages", capture.ike_messages);
    put_uint(json, "esp_packets", capture.esp_packets);
    put_uint(json, "keepalives", capture.keepalives);
    put_uint(json, "icmp_errors", capture.icmp_errors);
    put_uint(json, "syslog_lines", capture.syslog_lines);
    put_uint(json, "copies", capture.copies);
    put_uint(json, "other_point_only", capture.elsewhere);
    put_uint(json, "malformed", capture.malformed);
    put_uint(json, "tunnels_evicted", capture.tunnels_evicted);
    put_uint(json, "findings_left_out", capture.findings_left_out);
    json_dumper_end_object(json);
}

static void
put_address(json_dumper *json, const char *key, const endpoint_t *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    put_text(json, key, endpoint->family == ADDRESS_NONE ? NULL : endpoint_address_text(endpoint, text));
}

static void
put_nat_detection(json_dumper *json, const peer_nat_t *nat)
{
    json_dumper_set_member_name(json, "nat");
    json_dumper_begin_object(json);
    put_text(json, "state", nat_state_text(nat->state));
    put_text(json, "confidence", nat->state == NAT_UNKNOWN ? NULL : confidence_text(nat->confidence));
    put_text(json, "before", nat_side_text(nat->before));
    put_frame(json, "before_frame", nat->before_in);
    put_text(json, "beyond", nat_side_text(nat->beyond));
    put_frame(json, "beyond_frame", nat->beyond_in);
    json_dumper_end_object(json);
}

static void
put_too_old(json_dumper *json, const uint64_t too_old[REPLAY_WINDOWS])
{
    json_dumper_set_member_name(json, "esp_too_old");
    json_dumper_begin_object(json);
    for (unsigned i = 0; i < REPLAY_WINDOWS; i++) {
        char size[16];
        snprintf(size, sizeof(size), "%u", REPLAY_WINDOW_LEAST << i);
        put_uint(json, size, too_old[i]);
    }
    json_dumper_end_object(json);
}

static void
put_peer(json_dumper *json, const char *name, const peer_row_t *peer)
{
    json_dumper_begin_object(json);
    put_text(json, "peer", name);
    put_address(json, "address", &peer->first);
    put_uint(json, "port", peer->first.port);
    put_address(json, "last_address", &peer->last);
    put_uint(json, "last_port", peer->last.port);
    put_text(json, "identity", peer->identity[0] ? peer->identity : NULL);
    put_nat_detection(json, &peer->nat);
    put_uint(json, "esp_packets", peer->esp_packets);
    put_uint(json, "esp_bytes", peer->esp_bytes);
    put_uint(json, "esp_lost", peer->esp_toll.lost);
    put_too_old(json, peer->esp_toll.too_old);
    json_dumper_end_object(json);
}

static const char *
peer_name(peer_t peer)
{
    return peer == PEER_A ? "A" : peer == PEER_B ? "B" : NULL;
}

static void
put_evidence(json_dumper *json, const finding_t *finding)
{
    json_dumper_set_member_name(json, "evidence");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < finding->evidences; i++)
        json_dumper_value_anyf(json, "%u", finding->evidence[i]);
    json_dumper_end_array(json);
}

static void
put_nat(json_dumper *json, const finding_t *finding)
{
    if (finding->id != FINDING_nat_port_flip)
        return;
    put_uint(json, "old_port", finding->old_port);
    put_uint(json, "new_port", finding->new_port);
    put_text(json, "grade", finding->grade == NAT_GRADE_NONE ? NULL : nat_grade_text(finding->grade));
}

/* The two capture points between which it was lost, or null. */
static void
put_lost_between(json_dumper *json, const finding_t *finding)
{
    if (finding->lost_from[0] == '\0') {
        put_null(json, "lost_between");
        return;
    }
    json_dumper_set_member_name(json, "lost_between");
    json_dumper_begin_array(json);
    json_dumper_value_string(json, finding->lost_from);
    json_dumper_value_string(json, finding->lost_to);
    json_dumper_end_array(json);
}

static void
put_finding(json_dumper *json, const finding_t *finding)
{
    const bool began_before = finding->began_in != FRAME_NONE;

    json_dumper_begin_object(json);
    put_text(json, "id", finding_catalogue[finding->id].id);
    put_text(json, "severity", severity_text(finding->severity));
    put_text(json, "confidence", confidence_text(finding->confidence));
    put_frame(json, "frame", finding->frame);
    put_time(json, "time", finding->time);
    put_frame(json, "began_frame", began_before ? finding->began_in : finding->frame);
    put_time(json, "began_time", began_before ? finding->began_at : finding->time);
    put_bool(json, "at_end", finding->at_end);
    put_uint(json, "times", finding->times);
    put_frame(json, "last_frame", finding->last_in);
    put_time(json, "last_time", finding->last_at);
    put_text(json, "text", finding->text ? finding->text : "");
    put_evidence(json, finding);
    put_text(json, "cause", finding->cause ? finding_catalogue[finding->cause->id].id : NULL);
    put_text(json, "peer", peer_name(finding->culprit));
    put_lost_between(json, finding);
    if (finding->incident == INDEX_NONE)
        put_null(json, "incident");
    else
        put_uint(json, "incident", finding->incident);
    put_nat(json, finding);
    json_dumper_end_object(json);
}

static void
put_findings(json_dumper *json, const GPtrArray *findings)
{
    json_dumper_set_member_name(json, "findings");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < findings->len; i++)
        put_finding(json, findings->pdata[i]);
    json_dumper_end_array(json);
}

static void
put_rivals(json_dumper *json, const incident_row_t *incident)
{
    json_dumper_set_member_name(json, "other_candidates");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < incident->rivals; i++) {
        json_dumper_begin_object(json);
        put_text(json, "id", finding_catalogue[incident->rival[i]->id].id);
        put_frame(json, "frame", incident->rival[i]->frame);
        json_dumper_end_object(json);
    }
    json_dumper_end_array(json);
}

static void
put_lead_in(json_dumper *json, const lead_in_t *before)
{
    json_dumper_set_member_name(json, "before");
    json_dumper_begin_object(json);
    put_text(json, "last_answered_exchange", before->answer_words);
    put_frame(json, "last_answer_frame", before->answer_in);
    put_time(json, "last_answer_time", before->answer_at);
    put_frame(json, "last_two_way_esp_frame", before->two_way_in);
    put_time(json, "last_two_way_esp_time", before->two_way_at);
    json_dumper_set_member_name(json, "last_keepalive_frames");
    json_dumper_begin_object(json);
    for (peer_t peer = PEER_A; peer < PEERS; peer++)
        put_frame(json, peer_name(peer), before->keepalive_in[peer]);
    json_dumper_end_object(json);
    json_dumper_end_object(json);
}

static void
put_incident(json_dumper *json, const incident_row_t *incident)
{
    json_dumper_begin_object(json);
    put_uint(json, "incident", incident->incident);
    put_time(json, "start", incident->start);
    put_time(json, "end", incident->end);
    put_frame(json, "start_frame", incident->start_frame);
    put_frame(json, "end_frame", incident->end_frame);
    put_bool(json, "outage", incident->is_outage);
    put_number(json, "down_seconds", incident->down_seconds, 6);
    put_number(json, "down_seconds_at_least", incident->down_least_seconds, 6);
    put_frame(json, "last_good_frame", incident->last_good_frame);
    put_time(json, "last_good_time", incident->last_good);
    put_lead_in(json, &incident->before);
    put_bool(json, "recovered", incident->recovered);
    put_text(json, "root_cause", finding_catalogue[incident->root_cause].id);
    put_text(json, "root_cause_text", incident->root_words);
    put_text(json, "root_cause_confidence", confidence_text(incident->root_confidence));
    put_frame(json, "root_cause_frame", incident->chain[0]->frame);
    put_rivals(json, incident);
    put_text(json, "would_decide", incident->would_decide);
    json_dumper_set_member_name(json, "chain");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < incident->chain_length; i++)
        json_dumper_value_string(json, finding_catalogue[incident->chain[i]->id].id);
    json_dumper_end_array(json);
    put_text(json, "story", incident->story ? incident->story : "");
    json_dumper_set_member_name(json, "check_next");
    json_dumper_begin_array(json);
    for (unsigned i = 0; incident->check_next[i]; i++)
        json_dumper_value_string(json, incident->check_next[i]);
    json_dumper_end_array(json);
    json_dumper_end_object(json);
}

static void
put_incidents(json_dumper *json, const engine_t *engine, uint32_t tunnel)
{
    json_dumper_set_member_name(json, "incidents");
    json_dumper_begin_array(json);
    for (uint32_t i = 0; i < engine_incident_count(engine, tunnel); i++) {
        incident_row_t incident;

        engine_incident_row(engine, tunnel, i, &incident);
        put_incident(json, &incident);
    }
    json_dumper_end_array(json);
}

static void
put_periods(json_dumper *json, const engine_t *engine, uint32_t tunnel)
{
    GArray *periods = engine_periods(engine, tunnel);

    json_dumper_set_member_name(json, "periods");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < periods->len; i++) {
        const period_row_t *period = &g_array_index(periods, period_row_t, i);

        json_dumper_begin_object(json);
        put_text(json, "state", period_state_text(period->state));
        put_time(json, "from", period->from);
        put_time(json, "to", period->to);
        put_frame(json, "from_frame", period->from_frame);
        put_frame(json, "to_frame", period->to_frame);
        json_dumper_end_object(json);
    }
    json_dumper_end_array(json);
    g_array_free(periods, TRUE);
}

static void
put_waiting(json_dumper *json, const engine_t *engine, uint32_t tunnel)
{
    json_dumper_set_member_name(json, "waiting");
    json_dumper_begin_array(json);
    for (uint32_t i = 0; i < engine_waiting_count(engine, tunnel); i++) {
        waiting_row_t row;

        engine_waiting_row(engine, tunnel, i, &row);
        json_dumper_begin_object(json);
        put_text(json, "exchange", row.exchange);
        put_text(json, "requester", peer_name(row.requester));
        put_frame(json, "first_frame", row.first_frame);
        put_frame(json, "last_frame", row.last_frame);
        put_time(json, "first_time", row.first_time);
        put_time(json, "last_time", row.last_time);
        put_uint(json, "transmissions", row.transmissions);
        put_number(json, "first_gap", row.first_gap, 3);
        put_number(json, "ratio", row.ratio > 0 ? row.ratio : -1, 3);
        put_time(json, "next_try", row.next_try_at);
        put_time(json, "gives_up", row.gives_up_at);
        put_text(json, "timer_like", row.family);
        json_dumper_end_object(json);
    }
    json_dumper_end_array(json);
}

static void
put_direction(json_dumper *json, const char *name, const child_sa_direction_t *direction)
{
    char spi[sizeof "0x12345678"];

    json_dumper_set_member_name(json, name);
    json_dumper_begin_object(json);
    g_snprintf(spi, sizeof spi, "0x%08x", direction->spi);
    put_text(json, "spi", direction->spi ? spi : NULL);
    put_uint(json, "packets", direction->packets);
    put_uint(json, "bytes", direction->bytes);
    put_frame(json, "first_frame", direction->first_frame);
    put_frame(json, "last_frame", direction->last_frame);
    put_frame(json, "announced_in", direction->announced_in);
    put_frame(json, "deleted_in", direction->deleted_in);
    json_dumper_end_object(json);
}

static void
put_generation(json_dumper *json, const child_sa_row_t *row)
{
    json_dumper_begin_object(json);
    put_index(json, "child_sa", row->child_sa);
    put_text(json, "confidence", row->child_sa == INDEX_NONE ? NULL : confidence_text(row->confidence));
    put_direction(json, "from_a", &row->from[PEER_A]);
    put_direction(json, "from_b", &row->from[PEER_B]);
    put_frame(json, "made_in", row->made_in);
    put_text(json, "exchange", row->exchange);
    put_text(json, "exchange_confidence", row->exchange ? confidence_text(row->exchange_confidence) : NULL);
    put_text(json, "asked_by", peer_name(row->asked_by));
    put_index(json, "ike_sa", row->ike_sa);
    put_index(json, "replaces", row->replaces);
    put_index(json, "replaced_by", row->replaced_by);
    put_text(json, "replacement_asked_by", peer_name(row->replacement_asked_by));
    put_frame(json, "born_frame", row->born_in);
    put_time(json, "born", row->born_at);
    put_frame(json, "last_frame", row->last_frame);
    put_time(json, "last_seen", row->last_at);
    put_text(json, "end", child_end_text(row->end));
    put_frame(json, "ended_in", row->ended_in);
    put_time(json, "ended", row->ended_at);
    put_text(json, "ended_by", peer_name(row->ended_by));
    put_text(json, "end_confidence", row->ended_in != FRAME_NONE ? confidence_text(row->end_confidence) : NULL);
    put_number(json, "lifetime_seconds", row->lifetime, 6);
    json_dumper_end_object(json);
}

static void
put_generations(json_dumper *json, const engine_t *engine, uint32_t tunnel)
{
    GArray *rows = engine_child_sas(engine, tunnel);

    json_dumper_set_member_name(json, "generations");
    json_dumper_begin_array(json);
    for (unsigned i = 0; i < rows->len; i++)
        put_generation(json, &g_array_index(rows, child_sa_row_t, i));
    json_dumper_end_array(json);
    g_array_free(rows, TRUE);
}

static void
put_tunnel(json_dumper *json, const engine_t *engine, uint32_t tunnel, const GPtrArray *findings)
{
    tunnel_row_t row;

    engine_tunnel_row(engine, tunnel, &row);
    json_dumper_begin_object(json);
    put_uint(json, "tunnel", row.tunnel);
    json_dumper_set_member_name(json, "peers");
    json_dumper_begin_array(json);
    put_peer(json, "A", &row.peer[PEER_A]);
    put_peer(json, "B", &row.peer[PEER_B]);
    json_dumper_end_array(json);
    if (row.ike_version)
        put_uint(json, "ike_version", row.ike_version);
    else
        put_null(json, "ike_version");
    put_bool(json, "udp_encapsulated", row.udp_encapsulated);
    put_bool(json, "tcp_encapsulated", row.tcp_encapsulated);
    put_text(json, "state", tunnel_state_text(row.state));
    put_number(json, "availability", row.availability, 6);
    put_uint(json, "flaps", row.flaps);
    put_number(json, "down_seconds", row.down_seconds, 6);
    put_number(json, "degraded_seconds", row.degraded_seconds, 6);
    put_number(json, "known_seconds", row.known_seconds, 6);
    put_bool(json, "came_up", row.came_up);
    put_periods(json, engine, tunnel);
    put_uint(json, "ike_sas", row.ike_sas);
    put_uint(json, "child_sas", row.child_sas);
    put_uint(json, "rekeys_ok", row.rekeys_ok);
    put_uint(json, "rekeys_failed", row.rekeys_failed);
    put_uint(json, "dpd_sent", row.dpd_sent);
    put_uint(json, "dpd_unanswered", row.dpd_unanswered);
    put_number(json, "dpd_median_rtt", row.dpd_median_rtt, 6);
    put_uint(json, "port_flips", row.port_flips);
    put_frame(json, "first_frame", row.first_frame);
    put_frame(json, "last_frame", row.last_frame);
    put_time(json, "first_time", row.first_time);
    put_time(json, "last_time", row.last_time);
    put_generations(json, engine, tunnel);
    put_findings(json, findings);
    put_incidents(json, engine, tunnel);
    put_waiting(json, engine, tunnel);
    json_dumper_end_object(json);
}

void
report_json(const engine_t *engine, FILE *out)
{
    json_dumper json = { .output_file = out, .flags = JSON_DUMPER_FLAGS_PRETTY_PRINT };
    by_tunnel_t *groups = by_tunnel_new(engine);

    json_dumper_begin_object(&json);
    put_uint(&json, "schema", REPORT_SCHEMA);
    put_capture(&json, engine);
    json_dumper_set_member_name(&json, "tunnels");
    json_dumper_begin_array(&json);
    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++) {
        if (engine_tunnel_is_kept(engine, tunnel))
            put_tunnel(&json, engine, tunnel, by_tunnel_findings(groups, tunnel));
    }
    json_dumper_end_array(&json);
    put_findings(&json, by_tunnel_findings(groups, INDEX_NONE));
    json_dumper_end_object(&json);
    json_dumper_finish(&json);
    by_tunnel_free(groups);
}
