/* nat_port_flip.c - did a NAT move a peer to another port while its SA went on?
 *
 * Any source port must be accepted (RFC 7296 2.23), so the flip alone is legal; its grade says what became of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

/* What was hashed when the IKE SA was set up, if it speaks against a NAT. */
static const char *
contradiction(const tunnel_t *tunnel, peer_t peer)
{
    peer_nat_t nat = tunnel_nat(tunnel, peer);

    if (nat.state == NAT_NONE)
        return ", although the peer's NAT detection showed none";
    return nat.before == NAT_SIDE_UNCHANGED && nat.state != NAT_BETWEEN
               ? ", although NAT detection showed none between the peer and the capture point"
               : "";
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const flip_t *flip = change->flip;
    char address[ENDPOINT_TEXT_MAX], old_text[ENDPOINT_TEXT_MAX], new_text[ENDPOINT_TEXT_MAX];

    if (flip == NULL)
        return;
    finding_draft_t draft = { .id = FINDING_nat_port_flip,
                              .severity = SEVERITY_WARN,
                              .confidence = CONFIDENCE_OBSERVED,
                              .culprit = flip->peer,
                              .old_port = flip->old_endpoint.port,
                              .new_port = flip->new_endpoint.port,
                              .evidence = { flip->last_old_frame } };
    if (flip->is_return) {
        draft.confidence = CONFIDENCE_INFERRED;
        draft.grade = NAT_GRADE_HARMFUL;
        findings_add(out, &draft,
                     "%s came back with a new IKE SA from port %u. Its old one used port %u, and what was sent there stayed "
                     "unanswered: the NAT mapping has probably changed meanwhile.",
                     tunnel_peer_text(tunnel, flip->peer, address), flip->new_endpoint.port, flip->old_endpoint.port);
        return;
    }
    if (flip->is_hop || flip->is_other_spi) {
        draft.severity = flip->is_hop ? SEVERITY_NOTE : SEVERITY_WARN;
        draft.confidence = flip->is_other_spi ? CONFIDENCE_INFERRED : CONFIDENCE_OBSERVED;
        draft.began_in = flip->frame;
        draft.began_at = flip->time;
        findings_add(out, &draft, "%s%s sends from port %u instead of %u, since %.1f s after its last packet from there%s%s.",
                     flip->is_hop ? "SD-WAN port hop: " : "", tunnel_peer_text(tunnel, flip->peer, address),
                     flip->new_endpoint.port, flip->old_endpoint.port,
                     duration_seconds(duration_between(flip->last_old_time, flip->time)),
                     flip->is_other_spi ? ", with a new SPI; the old one is no longer used" : "",
                     flip->is_hop ? ". Devices choose the next port themselves when they cannot reach a controller" : "");
        return;
    }
    if (flip->is_shown_whole) {
        findings_add(
            out, &draft,
            "The NAT gave %s port %u instead of %u, %.1f s after its last packet: the capture shows both sides of the NAT, and "
            "inside nothing has changed.",
            endpoint_address_text(&flip->new_endpoint, address), flip->new_endpoint.port, flip->old_endpoint.port,
            duration_seconds(duration_between(flip->last_old_time, flip->time)));
        return;
    }
    double idle = duration_seconds(duration_between(flip->last_old_time, flip->time));
    if (endpoint_same_address(&flip->old_endpoint, &flip->new_endpoint))
        findings_add(out, &draft, "The source port of %s changed from %u to %u on the same %s, %.1f s after its last packet%s.",
                     tunnel_peer_text(tunnel, flip->peer, address), flip->old_endpoint.port, flip->new_endpoint.port,
                     flip->is_ike ? "IKE SA" : "ESP SPI", idle, contradiction(tunnel, flip->peer));
    else
        findings_add(out, &draft,
                     "A peer moved from %s to %s on the same %s without announcing it, %.1f s after its last packet%s.",
                     endpoint_text(&flip->old_endpoint, old_text), endpoint_text(&flip->new_endpoint, new_text),
                     flip->is_ike ? "IKE SA" : "ESP SPI", idle, contradiction(tunnel, flip->peer));
}

const detector_t nat_port_flip_detector = {
    .finding = FINDING_nat_port_flip,
    .wakes_on = CHANGE_PEER_MOVED,
    .needs_time = false,
    .judge = judge,
};
