/* phrases.c - how is one fact about the capture, a tunnel or a peer put into words?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/phrases.h"

#include "present/words.h"

static double
seconds_between(capture_ns_t from, capture_ns_t to)
{
    return duration_seconds(duration_between(from, to));
}

void
phrase_capture(GString *out, const capture_row_t *capture)
{
    words_count(out, capture->frames, "frame");
    if (capture->first_time != CAPTURE_TIME_NONE) {
        g_string_append(out, ", ");
        words_date(out, capture->first_time);
        g_string_append(out, ", ");
        words_duration(out, seconds_between(capture->first_time, capture->last_time));
    }
}

void
phrase_ipsec(GString *out, const capture_row_t *capture)
{
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
}

void
phrase_peer(GString *out, const peer_row_t *peer)
{
    char first[ENDPOINT_TEXT_MAX], last[ENDPOINT_TEXT_MAX];

    if (peer->first.family == ADDRESS_NONE) {
        g_string_append(out, "not seen");
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
}

void
phrase_protocol(GString *out, const tunnel_row_t *row)
{
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
}

void
phrase_availability(GString *out, const tunnel_row_t *row)
{
    if (row->availability < 0) {
        g_string_append(out, "unknown: nothing proves that it worked or did not");
        return;
    }
    g_string_append_printf(out, "%.1f %% of ", row->availability * 100);
    words_duration(out, row->known_seconds);
    g_string_append(out, " of which the capture tells");
    if (!row->came_up) {
        g_string_append(out, ", never came up");
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
}

void
phrase_down(GString *out, const incident_row_t *incident)
{
    if (incident->is_outage) {
        g_string_append(out, ", down ");
        words_duration(out, incident->down_seconds);
        if (incident->down_seconds - incident->down_least_seconds > 0.1) {
            g_string_append(out, " (at least ");
            words_duration(out, incident->down_least_seconds);
            g_string_append_c(out, ')');
        }
    }
    if (incident->is_outage)
        g_string_append(out, incident->recovered ? ", recovered" : ", not recovered");
    else
        g_string_append(out, incident->recovered ? ", no outage, over" : ", no end of it in this capture");
}

void
phrase_esp(GString *out, const peer_row_t *peer)
{
    words_count(out, peer->esp_packets, "packet");
    g_string_append(out, ", ");
    words_bytes(out, peer->esp_bytes);
    if (peer->esp_toll.lost)
        g_string_append_printf(out, ", about %" G_GUINT64_FORMAT " missing (lost, or not captured)", peer->esp_toll.lost);
}

void
phrase_rekeys(GString *out, const tunnel_row_t *row)
{
    g_string_append_printf(out, "%u ok, %u failed", row->rekeys_ok, row->rekeys_failed);
}

void
phrase_dpd(GString *out, const tunnel_row_t *row)
{
    g_string_append_printf(out, "%u sent, %u unanswered", row->dpd_sent, row->dpd_unanswered);
    if (row->dpd_median_rtt >= 0) {
        g_string_append(out, ", median answer after ");
        words_duration(out, row->dpd_median_rtt);
    }
}

static const char *
peer_name(peer_t peer)
{
    return peer == PEER_A ? "A" : peer == PEER_B ? "B" : "?";
}

void
phrase_child_made(GString *out, const child_sa_row_t *row)
{
    if (row->made_in == FRAME_NONE) {
        g_string_append(out, row->child_sa == INDEX_NONE ? "not known" : "not in the capture");
        return;
    }
    words_id(out, row->exchange);
    g_string_append_printf(out, " of %s, frame %u", peer_name(row->asked_by), row->made_in);
    if (row->confidence != CONFIDENCE_OBSERVED)
        g_string_append(out, " (inferred)");
}

void
phrase_child_end(GString *out, const child_sa_row_t *row)
{
    static const char *const words[] = { "last seen",
                                         "idle since",
                                         "never used",
                                         "replaced",
                                         "deleted",
                                         "deleted with its IKE SA",
                                         "which SPIs are its cannot be told" };

    g_string_append(out, words[row->end]);
    if (row->end == CHILD_IN_USE || row->end == CHILD_IDLE) {
        g_string_append_c(out, ' ');
        words_clock(out, row->last_at);
    }
    if (row->ended_by != PEER_UNKNOWN)
        g_string_append_printf(out, " by %s", peer_name(row->ended_by));
    if (row->ended_in != FRAME_NONE)
        g_string_append_printf(out, ", frame %u", row->ended_in);
}

void
phrase_waiting(GString *out, const tunnel_row_t *tunnel, const waiting_row_t *waiting)
{
    char address[ENDPOINT_TEXT_MAX];

    g_string_append_printf(out, "When the capture ended, %s still waited for an answer to its %s, sent %u times, last in frame %u.",
                           waiting->requester < PEERS ? endpoint_address_text(&tunnel->peer[waiting->requester].last, address)
                                                      : "a peer",
                           waiting->words, waiting->transmissions, waiting->last_frame);
    if (waiting->next_try_at == CAPTURE_TIME_NONE)
        return;
    g_string_append(out, " The next try is due at ");
    words_clock(out, waiting->next_try_at);
    if (waiting->gives_up_at != CAPTURE_TIME_NONE) {
        g_string_append(out, ", and it gives up at about ");
        words_clock(out, waiting->gives_up_at);
        g_string_append_printf(out, " if it has the defaults of %s, as its timer looks", waiting->family);
    }
    g_string_append_c(out, '.');
}

bool
phrase_has_ipsec(const engine_t *engine, const capture_row_t *capture)
{
    return engine_tunnel_count(engine) > 0 || capture->ike_messages || capture->esp_packets || capture->icmp_errors ||
           capture->syslog_lines;
}
