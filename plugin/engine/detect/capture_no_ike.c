/* capture_no_ike.c - is there ESP, but no IKE, in the capture?
 *
 * SD-WAN, manual keys, or IKE on another link.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/esp/sdwan.h"

/* What else is known of ESP without IKE, for whoever wonders where its keys come from. */
static const char *
hint(const tunnel_t *tunnel)
{
    bool is_by_hand = true, was_rekeyed = false;

    if (tunnel->udp_encapsulated && sdwan_is_path(&tunnel->peer[PEER_A].last, &tunnel->peer[PEER_B].last))
        return " The UDP ports are those of SD-WAN products whose keys come from a controller instead of IKE.";
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        is_by_hand &= sa->spi <= SPI_RESERVED_MAX;
        was_rekeyed |= sa->is_succeeded;
    }
    if (is_by_hand)
        return " SPIs below 256 are never negotiated: the keys were probably set by hand.";
    return was_rekeyed
               ? " New SPIs took over from old ones, so somebody negotiates them elsewhere: over another path, or a controller."
               : "";
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    (void)change;
    uint64_t packets = tunnel->peer[PEER_A].esp_packets + tunnel->peer[PEER_B].esp_packets;

    if (tunnel->ike_sas->len > 0 || packets == 0)
        return;
    const esp_sa_t *last = NULL;
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (last == NULL || sa->last_frame > last->last_frame)
            last = sa;
    }
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_capture_no_ike,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN,
                                     .last_evidence_at = last->last_time,
                                     .evidence = { last->last_frame } },
                 "The capture shows %s of this tunnel, but no IKE: what the peers negotiated is not known.%s",
                 last->is_ah ? "AH" : "ESP", hint(tunnel));
}

const detector_t capture_no_ike_detector = {
    .finding = FINDING_capture_no_ike,
    .wakes_on = CHANGE_CAPTURE_END,
    .needs_time = false,
    .judge = judge,
};
