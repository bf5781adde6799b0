/* esp_to_stale_port.c - does the other peer still send to the port that a NAT has left?
 *
 * Said once per flip, once the second that any peer needs to learn the new port is over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

/* RFC 7296 2.23: who is behind a NAT itself should not follow its peer's moves. */
static const char *
excuse(const tunnel_t *tunnel, peer_t sender)
{
    peer_nat_t nat = tunnel_nat(tunnel, sender);
    bool is_translated = nat.state == NAT_BEFORE || nat.state == NAT_BEYOND || nat.state == NAT_BEFORE_AND_BEYOND;

    return is_translated && nat.confidence == CONFIDENCE_OBSERVED
               ? " The sender is behind a NAT too, and such a peer should not follow a move by itself (RFC 7296 2.23)."
               : "";
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX], stale[ENDPOINT_TEXT_MAX];

    if (change->sender == PEER_UNKNOWN || tunnel->both_sides_of_nat)
        return;
    const flip_t *flip = tunnel_latest_flip(tunnel, peer_other(change->sender));
    if (flip == NULL || flip->to_old_first_frame == FRAME_NONE)
        return;
    if (flip->to_old_first_frame != change->frame) {
        const finding_t *told = tunnel_latest_finding(tunnel, FINDING_esp_to_stale_port, change->sender);
        bool is_sent_there = endpoint_equal(&change->packet->destination, &flip->old_endpoint);
        if (told != NULL && told->frame == flip->to_old_first_frame && is_sent_there)
            findings_repeat(out, told);
        return;
    }
    findings_add(
        out,
        &(finding_draft_t){ .id = FINDING_esp_to_stale_port,
                            .severity = SEVERITY_WARN,
                            .confidence = CONFIDENCE_OBSERVED,
                            .culprit = change->sender,
                            .unit = "packets",
                            .evidence = { flip->frame } },
        "%s still sends to %s, %.1f s after its peer moved to port %u: it is lost unless the NAT still has the old mapping.%s",
        tunnel_peer_text(tunnel, change->sender, sender), endpoint_text(&flip->old_endpoint, stale),
        duration_seconds(duration_between(flip->time, change->time)), flip->new_endpoint.port, excuse(tunnel, change->sender));
}

const detector_t esp_to_stale_port_detector = {
    .finding = FINDING_esp_to_stale_port,
    .wakes_on = CHANGE_TRAFFIC,
    .needs_time = true,
    .judge = judge,
};
