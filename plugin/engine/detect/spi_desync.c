/* spi_desync.c - is ESP sent on an SA that its receiver no longer has (RFC 4303 3.4.2)?
 *
 * Silence alone is no proof: each way to know is a predicate of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

#define PACKETS_AFTER_UNREACHABLE 3u
#define TIME_AFTER_UNREACHABLE SECONDS(1)
#define ANSWERED_AT_ONCE SECONDS(1)

static const finding_t *
told(const tunnel_t *tunnel, const esp_sa_t *sa)
{
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_spi_desync, sa->sender);
    return latest != NULL && latest->frame >= sa->first_frame ? latest : NULL;
}

/* RFC 7296 1.4.1, 2.8: packets on their way, and a peer that switches late, are normal for a while. */
static bool
within_delete_grace(const change_t *change, capture_ns_t deleted_at)
{
    return duration_between(deleted_at, change->time) <= SECONDS(change->settings->delete_grace_seconds);
}

/* The receiver's own host says that nobody listens. Behind a NAT the sender of the error is the NAT, which proves nothing. */
static bool
receiver_is_unreachable(const change_t *change, const esp_sa_t *sa)
{
    return sa->unreachable_in != FRAME_NONE && sa->destination.port == 4500 &&
           sa->packets_since_unreachable >= PACKETS_AFTER_UNREACHABLE &&
           duration_between(sa->unreachable_at, change->time) >= TIME_AFTER_UNREACHABLE;
}

/* The tunnel's IKE SA is gone and took its children with it (RFC 7296 1.4.1). An SA older than the capture may have had a successor
 * that is not in it; several packets without an answer tell the difference. */
static const ike_sa_t *
deleted_ike_sa(const tunnel_t *tunnel, peer_t sender)
{
    const peer_state_t *from = &tunnel->peer[sender];
    bool is_one_sided = from->run_packets >= PACKETS_AFTER_UNREACHABLE &&
                        duration_between(from->run_began_at, from->last_esp_at) >= TIME_AFTER_UNREACHABLE;

    if (tunnel->loss.kind != LOSS_DELETED || tunnel->ike_sas->len == 0 || !is_one_sided)
        return NULL;
    return tunnel_current_ike_sa(tunnel);
}

/* A syslog line of the receiver says so, and nothing that the receiver has sent since belies it. */
static bool
receiver_logged_it(const change_t *change, const esp_sa_t *sa)
{
    return syslog_is_borne_out(sa, change->time, SECONDS(change->settings->one_way_seconds));
}

static bool
is_newer(const esp_sa_t *other, const esp_sa_t *sa)
{
    return other->packets > 0 && other->negotiation > sa->negotiation;
}

/* The receiver has used a newer negotiation's SAs since, and the old ones no more, while this sender never switched. Within one
 * negotiation a late switch is legal: a responder may wait for the DELETE (RFC 7296 2.8). */
static bool
receiver_went_on(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    capture_ns_t switched_at = CAPTURE_TIME_NONE, last_on_old = CAPTURE_TIME_NONE;

    if (sa->negotiation >= tunnel->lineage)
        return false;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *other = g_ptr_array_index(tunnel->esp_sas, i);
        if (is_newer(other, sa) && other->sender == sa->sender)
            return false; /* it has switched; this is a straggler or a parallel SA */
        if (is_newer(other, sa) && (switched_at == CAPTURE_TIME_NONE || other->first_time < switched_at))
            switched_at = other->first_time;
        if (!is_newer(other, sa) && other->sender != sa->sender)
            last_on_old = capture_later(last_on_old, other->last_time);
    }
    /* In use both ways at once, parallel SAs are legal (RFC 7296 2.8, RFC 9611); and the old pair must have worked. */
    if (switched_at == CAPTURE_TIME_NONE || last_on_old == CAPTURE_TIME_NONE || last_on_old > switched_at)
        return false;
    return !within_delete_grace(change, switched_at);
}

static void
add(findings_t *out, const tunnel_t *tunnel, const esp_sa_t *sa, severity_t severity, confidence_t confidence, frame_t proof,
    const char *how)
{
    char sender[ENDPOINT_TEXT_MAX], receiver[ENDPOINT_TEXT_MAX];

    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_spi_desync,
                                     .severity = severity,
                                     .confidence = confidence,
                                     .culprit = sa->sender,
                                     .unit = "packets",
                                     .evidence = { proof, sa->last_frame } },
                 "%s still sends ESP on SPI 0x%08x, which %s no longer has: %s.", tunnel_peer_text(tunnel, sa->sender, sender),
                 sa->spi, tunnel_peer_text(tunnel, peer_other(sa->sender), receiver), how);
}

static void
judge_esp(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const esp_sa_t *sa = change->esp_sa;
    const ike_sa_t *deleted = deleted_ike_sa(tunnel, sa->sender);

    const finding_t *before = told(tunnel, sa);
    if (before != NULL) {
        findings_repeat(out, before);
        return;
    }
    if (sa->deleted_in != FRAME_NONE && !within_delete_grace(change, sa->deleted_at))
        add(out, tunnel, sa, sa->deleted_confidence == CONFIDENCE_OBSERVED ? SEVERITY_ERROR : SEVERITY_WARN, sa->deleted_confidence,
            sa->deleted_in, "it was deleted");
    else if (deleted != NULL && deleted->state == IKE_SA_DELETED && !within_delete_grace(change, deleted->closed_at) &&
             sa->first_time <= deleted->closed_at)
        add(out, tunnel, sa, deleted->closed_confidence == CONFIDENCE_OBSERVED ? SEVERITY_ERROR : SEVERITY_WARN,
            deleted->closed_confidence, deleted->closed_in, "the IKE SA that made it was deleted");
    else if (sa->invalid_spi_in != FRAME_NONE)
        add(out, tunnel, sa, SEVERITY_ERROR, CONFIDENCE_OBSERVED, sa->invalid_spi_in, "the receiver reported the SPI as invalid");
    else if (receiver_logged_it(change, sa))
        add(out, tunnel, sa, SEVERITY_ERROR, CONFIDENCE_OBSERVED, sa->syslog.believed_in,
            "its log says so, and it has sent nothing on this pair of SAs since");
    else if (receiver_is_unreachable(change, sa))
        add(out, tunnel, sa, SEVERITY_ERROR, CONFIDENCE_OBSERVED, sa->unreachable_in,
            "its host reported the port as unreachable and has sent nothing since");
    else if (receiver_went_on(change, tunnel, sa))
        add(out, tunnel, sa, SEVERITY_ERROR, CONFIDENCE_OBSERVED, FRAME_NONE,
            "it uses the SAs of a newer negotiation and nothing older");
}

/* The old IKE SA had stopped answering the one who sends ESP on it. */
static const exchange_t *
given_up_by(const tunnel_t *tunnel, peer_t peer, const ike_sa_t *than)
{
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa == than)
            continue;
        const exchange_t *given_up = ike_sa_latest(ike_sa, exchange_was_abandoned);
        return given_up != NULL && given_up->requester == peer && !exchange_is_initiation(given_up) ? given_up : NULL;
    }
    return NULL;
}

/* Requests on the old IKE SA stayed unanswered, ESP went on meanwhile, and the first new IKE_SA_INIT is answered at once: the peer
 * was there, its state was not. */
static void
judge_new_ike_sa(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const exchange_t *init = change->exchange;

    if (!exchange_is_init(init) && init->exchange_type != IKEV1_MAIN_MODE && init->exchange_type != IKEV1_AGGRESSIVE)
        return;
    bool is_first_answer = change->ike_sa->exchanges->len == 1 && init->is_refused == false && init->messages <= 2;
    if (!is_first_answer || init->transmissions != 1 || duration_between(init->first_sent_at, change->time) > ANSWERED_AT_ONCE)
        return;
    const exchange_t *given_up = given_up_by(tunnel, init->requester, change->ike_sa);
    const peer_state_t *from = &tunnel->peer[init->requester];
    bool esp_went_on = given_up != NULL && from->run_packets >= PACKETS_AFTER_UNREACHABLE &&
                       from->last_esp_at > given_up->last_sent_at && from->run_began_at < given_up->last_sent_at;
    if (!esp_went_on)
        return;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender != init->requester || sa->last_frame != from->last_esp_in || told(tunnel, sa) != NULL)
            continue;
        add(out, tunnel, sa, SEVERITY_WARN, CONFIDENCE_INFERRED, given_up->sent_in[0],
            "requests on the old IKE SA stayed unanswered, but a new negotiation is answered at once");
        return;
    }
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    if (change->kind == CHANGE_ESP_PACKET)
        judge_esp(change, tunnel, out);
    else
        judge_new_ike_sa(change, tunnel, out);
}

const detector_t spi_desync_detector = {
    .finding = FINDING_spi_desync,
    .wakes_on = CHANGE_ESP_PACKET | CHANGE_EXCHANGE_ANSWERED,
    .needs_time = true,
    .judge = judge,
};
