/* icmp_unreachable.c - what does the path say about this tunnel?
 *
 * An ICMP error is evidence about the path: anybody can send one, so it ends nothing (RFC 7296 2.4), but it may explain what does. What one
 * reporter says goes on as one finding, until an outage that it explains is over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/parse/icmp_error.h"

static const char *
quoted_words(const packet_t *packet)
{
    if (packet->quoted == PACKET_NAT_KEEPALIVE)
        return "a NAT keepalive";
    if (packet->quoted == PACKET_ESP)
        return "ESP";
    return packet->captured == 0 && packet->encapsulation != ENCAPSULATION_NONE ? "IKE or ESP" : "IKE";
}

/* " of 1490 bytes: at most 1400 get through" */
static void
describe_size(const change_t *change, GString *out)
{
    if (change->icmp->meaning != ICMP_TOO_BIG)
        return;
    if (change->packet->ip_length > 0)
        g_string_append_printf(out, ", a packet of %zu bytes", change->packet->ip_length);
    if (change->icmp->mtu > 0)
        g_string_append_printf(out, "; the next hop takes up to %u bytes (MTU)", change->icmp->mtu);
    else
        g_string_append(out, "; what would fit it does not say");
}

static const char *
hint(icmp_meaning_t meaning)
{
    return meaning == ICMP_LOOP ? " Routers may be sending it in a circle." : "";
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const packet_t *packet = change->packet;
    const icmp_report_t *report = change->icmp;
    char reporter[ENDPOINT_TEXT_MAX], destination[ENDPOINT_TEXT_MAX];

    (void)tunnel;
    if (report->told != NULL && report->told->incident == INDEX_NONE) {
        findings_repeat(out, report->told);
        return;
    }
    GString *size = g_string_new(NULL);
    describe_size(change, size);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_icmp_unreachable,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = CONFIDENCE_OBSERVED,
                                     .culprit = change->sender,
                                     .explains = icmp_meaning_is_undeliverable(report->meaning),
                                     .unit = "errors" },
                 "%s reports \"%s\" for %s sent to %s%s.%s", endpoint_address_text(&packet->reporter, reporter),
                 icmp_words(packet->source.family, packet->icmp_type, packet->icmp_code), quoted_words(packet),
                 endpoint_text(&packet->destination, destination), size->str, hint(report->meaning));
    g_string_free(size, TRUE);
}

const detector_t icmp_unreachable_detector = {
    .finding = FINDING_icmp_unreachable,
    .wakes_on = CHANGE_ICMP_ERROR,
    .needs_time = false,
    .judge = judge,
};
