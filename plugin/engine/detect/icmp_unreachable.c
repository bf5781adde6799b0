/* icmp_unreachable.c - what does the path say about this tunnel?
 *
 * An ICMP error is evidence about the path and must not be believed to end anything (RFC 7296 2.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

#define REPORTS_PER_TUNNEL 16u

static const char *
meaning(const packet_t *packet)
{
    bool is_v6 = packet->source.family == ADDRESS_IPV6;

    if (!is_v6 && packet->icmp_type == 3) {
        static const char *const codes[] = { "network unreachable", "host unreachable", "protocol unreachable", "port unreachable",
                                             "fragmentation needed" };
        if (packet->icmp_code < G_N_ELEMENTS(codes))
            return codes[packet->icmp_code];
        return packet->icmp_code == 9 || packet->icmp_code == 10 || packet->icmp_code == 13 ? "administratively prohibited"
                                                                                            : "destination unreachable";
    }
    if (is_v6 && packet->icmp_type == 1)
        return packet->icmp_code == 1   ? "administratively prohibited"
               : packet->icmp_code == 4 ? "port unreachable"
                                        : "destination unreachable";
    if (is_v6 && packet->icmp_type == 2)
        return "packet too big";
    return (is_v6 && packet->icmp_type == 3) || (!is_v6 && packet->icmp_type == 11) ? "time exceeded" : "ICMP error";
}

static const char *
quoted_words(const packet_t *packet)
{
    if (packet->quoted == PACKET_NAT_KEEPALIVE)
        return "a NAT keepalive";
    if (packet->quoted == PACKET_ESP)
        return "ESP";
    return packet->captured == 0 && packet->encapsulation == ENCAPSULATION_UDP ? "IKE or ESP" : "IKE";
}

static unsigned
reports_so_far(const tunnel_t *tunnel)
{
    unsigned count = 0;
    for (unsigned i = 0; i < tunnel->findings->len; i++)
        count += ((const finding_t *)g_ptr_array_index(tunnel->findings, i))->id == FINDING_icmp_unreachable;
    return count;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    char reporter[ENDPOINT_TEXT_MAX], destination[ENDPOINT_TEXT_MAX];

    if (reports_so_far(tunnel) >= REPORTS_PER_TUNNEL)
        return;
    findings_add(
        out,
        &(finding_draft_t){
            .id = FINDING_icmp_unreachable, .severity = SEVERITY_NOTE, .confidence = CONFIDENCE_OBSERVED, .culprit = PEER_UNKNOWN },
        "%s reports \"%s\" for %s sent to %s.", endpoint_address_text(&change->packet->reporter, reporter), meaning(change->packet),
        quoted_words(change->packet), endpoint_text(&change->packet->destination, destination));
}

const detector_t icmp_unreachable_detector = {
    .finding = FINDING_icmp_unreachable,
    .wakes_on = CHANGE_ICMP_ERROR,
    .needs_time = false,
    .judge = judge,
};
