/* esp_one_way.c - does ESP flow in one direction only?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define LEAST_PACKETS 5u

/* What was said of the run that goes on. */
static const finding_t *
told(const tunnel_t *tunnel, peer_t sender, severity_t severity)
{
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_esp_one_way, sender);
    bool is_of_run = latest != NULL && latest->began_in == tunnel->peer[sender].run_began_in;

    return is_of_run && latest->severity >= severity ? latest : NULL;
}

/* Without IKE only the traffic tells what silence is usual. Many SD-WAN products probe the path every second (BFD), others send when there
 * is something to send. */
static bool
is_usual_silence(const tunnel_t *tunnel, const peer_state_t *silent, capture_ns_t now)
{
    if (tunnel->ike_sas_seen > 0)
        return false;
    return silent->esp_packets < LEAST_PACKETS ||
           duration_between(silent->last_esp_at, now) <= duration_patience(silent->longest_esp_gap);
}

/* Both directions are in the capture, and at one of its two places only one of them. */
static void
judge_missing(const change_t *change, const tunnel_t *tunnel, findings_t *out, peer_t sender)
{
    esp_missing_t missing;
    char lost[ENDPOINT_TEXT_MAX], other[ENDPOINT_TEXT_MAX];

    if (tunnel->points == NULL || !points_esp_missing(tunnel->points, sender, &missing) || missing.packets < LEAST_PACKETS)
        return;
    duration_ns_t lasted = duration_between(missing.since, missing.until);
    const finding_t *before = tunnel_latest_finding(tunnel, FINDING_esp_one_way, PEER_UNKNOWN);
    if (lasted <= SECONDS(change->settings->one_way_seconds) || (before != NULL && before->last_at >= missing.since))
        return;
    bool ike_is_answered = tunnel->last_answer_at != CAPTURE_TIME_NONE && tunnel->last_answer_at > missing.since;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_one_way,
                                     .severity = ike_is_answered ? SEVERITY_ERROR : SEVERITY_WARN,
                                     .confidence = tunnel->points->by_interface ? CONFIDENCE_OBSERVED : CONFIDENCE_INFERRED,
                                     .culprit = peer_other(sender),
                                     .began_in = missing.first_in,
                                     .began_at = missing.since,
                                     .last_evidence_at = missing.until,
                                     .times = missing.packets,
                                     .unit = "packets",
                                     .evidence = { missing.first_in, missing.last_in } },
                 "For %.1f s ESP of %s has not been seen on the side of %s any more%s.", duration_seconds(lasted),
                 tunnel_peer_text(tunnel, sender, lost), tunnel_peer_text(tunnel, peer_other(sender), other),
                 ike_is_answered ? ", while IKE is answered" : "");
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_CAPTURE_END) {
        judge_missing(change, tunnel, out, PEER_A);
        judge_missing(change, tunnel, out, PEER_B);
        return;
    }
    const peer_state_t *from = &tunnel->peer[change->sender];
    const peer_state_t *to = &tunnel->peer[peer_other(change->sender)];
    char sender[ENDPOINT_TEXT_MAX], silent[ENDPOINT_TEXT_MAX];

    if (tunnel_is_one_direction(tunnel) || from->run_packets < LEAST_PACKETS)
        return;
    duration_ns_t lasted = duration_between(from->run_began_at, change->time);
    if (lasted <= SECONDS(change->settings->one_way_seconds))
        return;
    if (is_usual_silence(tunnel, to, change->time))
        return;
    bool ike_is_answered = tunnel->last_answer_at != CAPTURE_TIME_NONE && tunnel->last_answer_at > from->run_began_at;
    bool was_two_way = to->esp_packets > 0;
    if (!ike_is_answered && !was_two_way && tunnel->ike_sas->len > 0)
        return;
    severity_t severity = ike_is_answered ? SEVERITY_ERROR : SEVERITY_WARN;
    const finding_t *before = told(tunnel, change->sender, severity);
    if (before != NULL) {
        findings_repeat(out, before);
        return;
    }
    findings_add(out,
                 &(finding_draft_t){
                     .id = FINDING_esp_one_way,
                     .severity = severity,
                     .confidence = CONFIDENCE_OBSERVED,
                     .culprit = change->sender,
                     .began_in = from->run_began_in,
                     .began_at = from->run_began_at,
                     .times = from->run_packets,
                     .unit = "packets",
                     .evidence = { from->run_began_in, ike_is_answered ? tunnel->last_answer_in : FRAME_NONE, to->last_esp_in } },
                 "For %.1f s ESP has come from %s only (%u packets), none from %s%s.", duration_seconds(lasted),
                 tunnel_peer_text(tunnel, change->sender, sender), from->run_packets,
                 tunnel_peer_text(tunnel, peer_other(change->sender), silent),
                 ike_is_answered ? ", while IKE is answered: the path works, ESP is lost or not sent" : "");
}

/* What merely goes on goes both ways, or there never was but one. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)tunnel, (void)sa;
    return settings->one_way_seconds > 0;
}

const detector_t esp_one_way_detector = {
    .finding = FINDING_esp_one_way,
    .wakes_on = CHANGE_ESP_PACKET | CHANGE_CAPTURE_END,
    .needs_time = true,
    .judge = judge,
    .has_no_question = has_no_question,
};
