/* invalid_spi.c - does a peer report ESP with an SPI that it does not know (INVALID_SPI, RFC 7296 1.5)?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX];

    if (change->notify->type != NOTIFY_INVALID_SPI)
        return;
    uint32_t spi = change->notify->data != 0 ? change->notify->data : (uint32_t)change->notify->spi;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_invalid_spi,
                                     .severity = change->esp_sa != NULL ? SEVERITY_ERROR : SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .evidence = { change->esp_sa != NULL ? change->esp_sa->last_frame : FRAME_NONE } },
                 "%s reports ESP with the invalid SPI 0x%08x%s.", tunnel_peer_text(tunnel, change->sender, sender), spi,
                 change->esp_sa != NULL ? "" : ", which is not in the capture");
}

const detector_t invalid_spi_detector = {
    .finding = FINDING_invalid_spi,
    .wakes_on = CHANGE_NOTIFY,
    .needs_time = false,
    .judge = judge,
};
