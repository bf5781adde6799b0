/* invalid_ike_spi.c - does a peer report that it does not know the IKE SA (INVALID_IKE_SPI, RFC 7296 2.21.4)?
 *
 * It is not protected and ends nothing by itself (2.21.1), but the peer is there and has lost its state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (change->notify->type != NOTIFY_INVALID_IKE_SPI)
        return;
    bool has_token = change->message != NULL && ike_message_notify(change->message, NOTIFY_QCD_TOKEN) != NULL;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_invalid_ike_spi,
                                     .severity = SEVERITY_ERROR,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .exchange = change->exchange },
                 "%s is alive but does not know this IKE SA any more (INVALID_IKE_SPI%s).",
                 tunnel_peer_text(tunnel, change->sender, sender), has_token ? ", with a quick crash detection token" : "");
}

const detector_t invalid_ike_spi_detector = {
    .finding = FINDING_invalid_ike_spi,
    .wakes_on = CHANGE_NOTIFY,
    .needs_time = false,
    .judge = judge,
};
