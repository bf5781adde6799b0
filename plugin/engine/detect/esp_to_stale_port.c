/* esp_to_stale_port.c - does the other peer still send to the port that a NAT has left?
 *
 * Said once per flip, once the second that any peer needs to learn the new port is over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

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

/* The flip of the receiver whose old endpoint this packet goes to, or NULL. */
static const flip_t *
flip_left_by(const change_t *change, const tunnel_t *tunnel)
{
    for (unsigned i = tunnel->flips->len; i-- > 0;) {
        const flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->peer != change->sender && flip->to_old_last_frame == change->frame)
            return flip;
    }
    return NULL;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char sender[ENDPOINT_TEXT_MAX], stale[ENDPOINT_TEXT_MAX];

    if (change->sender == PEER_UNKNOWN)
        return;
    const flip_t *flip = flip_left_by(change, tunnel);
    if (flip == NULL || (tunnel->both_sides_of_nat && !flip->is_far_side))
        return;
    if (flip->to_old_first_frame != change->frame) {
        const finding_t *told = tunnel_latest_finding(tunnel, FINDING_esp_to_stale_port, change->sender);
        if (told != NULL && told->frame >= flip->to_old_first_frame)
            findings_repeat(out, told);
        return;
    }
    bool is_ike = change->packet->kind == PACKET_IKE;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_to_stale_port,
                                     .severity = SEVERITY_WARN,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .times = flip->to_old_packets,
                                     .unit = "packets",
                                     .began_in = flip->to_old_began_in,
                                     .began_at = flip->to_old_began_at,
                                     .evidence = { flip->frame } },
                 "%s still sends%s to %s, %.1f s after its peer moved to port %u: it is lost unless %s.%s",
                 tunnel_peer_text(tunnel, change->sender, sender), is_ike ? " IKE" : "", endpoint_text(&flip->old_endpoint, stale),
                 duration_seconds(duration_between(flip->time, change->time)), flip->new_endpoint.port,
                 flip->is_hop ? "the peer still listens there" : "the NAT still has the old mapping",
                 excuse(tunnel, change->sender));
}

/* Nobody has moved. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)sa;
    return tunnel->flips->len == 0;
}

const detector_t esp_to_stale_port_detector = {
    .finding = FINDING_esp_to_stale_port,
    .wakes_on = CHANGE_TRAFFIC,
    .needs_time = true,
    .judge = judge,
    .has_no_question = has_no_question,
};
