/* capture_midstream.c - is the tunnel older than the capture?
 *
 * An IKE SA without its negotiation, or a first ESP packet that is not number 1 (RFC 4303 3.3.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/esp/sdwan.h"

static bool
starts_in_the_middle(const change_t *change)
{
    if (change->kind == CHANGE_ESP_PACKET)
        return change->esp_sa->packets == 1 && change->esp_sa->first_sequence > 1 && change->esp_sa->announced_in == FRAME_NONE;
    return change->ike_sa != NULL && change->ike_sa->is_midstream && change->ike_sa->last_message_in == FRAME_NONE;
}

/* An SA that turns up after the tunnel's first SAs were seen negotiated is a matter of its own. */
static bool
negotiation_was_seen(const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (!ike_sa->is_midstream && ike_sa->exchanges->len > 0)
            return true;
    }
    return false;
}

/* Where a controller hands out the keys there is nothing to be missed, and what looks like a beginning in the middle may be a port hop. */
static bool
has_no_negotiation(const change_t *change, const tunnel_t *tunnel)
{
    return tunnel->ike_sas_seen == 0 && change->packet != NULL && change->packet->kind == PACKET_ESP &&
           sdwan_is_path(&change->packet->source, &change->packet->destination);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (!starts_in_the_middle(change) || negotiation_was_seen(tunnel) || has_no_negotiation(change, tunnel) ||
        tunnel_latest_finding(tunnel, FINDING_capture_midstream, PEER_UNKNOWN) != NULL)
        return;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_midstream,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN },
                 "The capture begins in the middle of this tunnel: the start of its negotiation is not in it.");
}

/* Only the first packet begins anything. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)tunnel;
    return sa->packets > 0;
}

const detector_t capture_midstream_detector = {
    .finding = FINDING_capture_midstream,
    .wakes_on = CHANGE_ESP_PACKET | CHANGE_TUNNEL_SEEN,
    .needs_time = false,
    .judge = judge,
    .has_no_question = has_no_question,
};
