/* hidden_by_dissector.c - does Wireshark show a tunnel's packets as something else?
 *
 * A NAT may map a peer to any port, also to one by which Wireshark knows another protocol; of two ports it looks at the lower one first.
 * The packets count here all the same. Said once per tunnel, with a count.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const packet_t *packet = change->packet;

    if (packet == NULL || packet->hidden_by == NULL)
        return;
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_hidden_by_dissector, PEER_UNKNOWN);
    if (told != NULL) {
        findings_repeat(out, told);
        return;
    }
    unsigned port = packet->source.port == PORT_NAT_TRAVERSAL ? packet->destination.port : packet->source.port;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_hidden_by_dissector,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = PEER_UNKNOWN,
                                     .unit = "packets" },
                 "Wireshark shows packets of this tunnel between ports 4500 and %u as %s, though they are IPsec. "
                 "\"tshark --disable-protocol %s\" (in the window: Analyze, Enabled Protocols) or the preference ipsec.claim_4500 "
                 "shows them as what they are.",
                 port, packet->hidden_by, packet->hidden_by);
}

/* A hidden packet is never one that merely goes on. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    (void)settings, (void)tunnel, (void)sa;
    return true;
}

const detector_t hidden_by_dissector_detector = {
    .finding = FINDING_hidden_by_dissector,
    .wakes_on = CHANGE_TUNNEL_SEEN,
    .needs_time = false,
    .judge = judge,
    .has_no_question = has_no_question,
};
