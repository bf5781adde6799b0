/* ke_group_retry.c - did the responder ask for another key exchange group (RFC 7296 1.2, 1.3)?
 *
 * The detour is normal; a group asked for again and again is a refusal, which rekey_rejected tells.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/tables/names.h"

/* "ECP-256 (group 19); the request had MODP-2048". IKEv2's group numbers are those of its KE transforms. */
static void
describe_wanted(const exchange_t *exchange, GString *out)
{
    transform_t group = { .type = TRANSFORM_KE, .id = exchange->wanted_group };

    transform_describe(&group, exchange->ike_sa->major, PROTOCOL_IKE, out);
    g_string_append_printf(out, " (group %u)", exchange->wanted_group);
    group.id = exchange->request_group;
    if (group.id == 0)
        return;
    g_string_append(out, " instead of ");
    transform_describe(&group, exchange->ike_sa->major, PROTOCOL_IKE, out);
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *exchange = change->exchange;
    char sender[ENDPOINT_TEXT_MAX];

    if (!exchange->is_refused || exchange->error != NOTIFY_INVALID_KE_PAYLOAD)
        return;
    GString *wanted = g_string_new(NULL);
    if (exchange->wanted_group != 0)
        describe_wanted(exchange, wanted);
    else
        g_string_append(wanted, "another group");
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_ke_group_retry,
                                     .severity = SEVERITY_NOTE,
                                     .confidence = exchange->refusal_confidence,
                                     .culprit = change->sender,
                                     .exchange = exchange },
                 "%s wants %s for the key exchange; the request is expected again with it.",
                 tunnel_peer_text(tunnel, change->sender, sender), wanted->str);
    g_string_free(wanted, TRUE);
}

const detector_t ke_group_retry_detector = {
    .finding = FINDING_ke_group_retry,
    .wakes_on = CHANGE_EXCHANGE_ANSWERED,
    .needs_time = false,
    .judge = judge,
};
