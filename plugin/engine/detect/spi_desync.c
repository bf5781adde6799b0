/* spi_desync.c - is ESP sent on an SA that its receiver no longer has (RFC 4303 3.4.2)?
 *
 * Silence alone is no proof: each way to know is a predicate of its own. Nor is it one that a sender keeps to the old of two pairs while
 * the receiver uses the new one: within a negotiation it may, until the DELETE (RFC 7296 2.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"

#define UNANSWERED_PACKETS 3u
#define UNANSWERED_TIME SECONDS(1)
#define ANSWERED_AT_ONCE SECONDS(1)

/* Of findings about one tunnel; what comes on top is counted on the latest. */
#define FINDINGS_MAX 16u
#define FINDINGS_LOOKED_AT 256u

/* Why the receiver cannot have the SA. */
typedef struct {
    frame_t frame; /* what shows it */
    capture_ns_t at;
    severity_t severity;
    confidence_t confidence;
    const char *why; /* after "which the receiver no longer has: " */
} proof_t;

static void
prove(proof_t *proof, frame_t frame, capture_ns_t at, confidence_t confidence, const char *why)
{
    *proof = (proof_t){ .frame = frame,
                        .at = at,
                        .severity = confidence == CONFIDENCE_OBSERVED ? SEVERITY_ERROR : SEVERITY_WARN,
                        .confidence = confidence,
                        .why = why };
}

/* RFC 7296 1.4.1, 2.8: packets on their way, and a peer that switches late, are normal for a while. */
static bool
is_within_grace(const change_t *change, capture_ns_t since)
{
    return duration_between(since, change->time) <= SECONDS(change->settings->delete_grace_seconds);
}

/* Several packets of this peer in a row, and none of the other one. */
static bool
is_one_sided(const tunnel_t *tunnel, peer_t sender)
{
    const peer_state_t *from = &tunnel->peer[sender];

    return from->run_packets >= UNANSWERED_PACKETS && duration_between(from->run_began_at, from->last_esp_at) >= UNANSWERED_TIME;
}

/* Several packets, and the receiver has sent nothing on its side of the pair since; on none at all, where the pair is not known. */
static bool
is_unanswered_since(const esp_sa_t *sa, capture_ns_t since)
{
    if (children_way_back(sa) == NULL && !is_one_sided(sa->tunnel, sa->sender))
        return false;
    return sa->unanswered >= UNANSWERED_PACKETS && duration_between(sa->unanswered_since, sa->last_time) >= UNANSWERED_TIME &&
           duration_between(since, sa->last_time) >= UNANSWERED_TIME && (sa->good_in == FRAME_NONE || sa->good_at <= since);
}

/* ---- the proofs ---- */

/* RFC 7296 1.4.1, RFC 2408 3.15: who deletes an SA has dropped it, acknowledged or not. */
static bool
was_deleted(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    (void)tunnel;
    if (sa->deleted_in == FRAME_NONE || is_within_grace(change, sa->deleted_at))
        return false;
    if (sa->deleted_confidence == CONFIDENCE_INFERRED &&
        duration_between(sa->deleted_at, sa->good_at) > SECONDS(change->settings->delete_grace_seconds))
        return false; /* it works on: another one was deleted */
    prove(ret_proof, sa->deleted_in, sa->deleted_at, sa->deleted_confidence, "it was deleted");
    return true;
}

/* The tunnel's IKE SA is gone and took its children with it (RFC 7296 1.4.1); in IKEv1 with many gateways (RFC 2408 leaves it open). An SA older than the capture may have had a successor
 * that is not in it; several packets without an answer tell the difference. */
static bool
was_last_ike_sa_deleted(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    if (tunnel->loss.kind != LOSS_DELETED || tunnel->ike_sas->len == 0 || !is_one_sided(tunnel, sa->sender))
        return false;
    const ike_sa_t *deleted = tunnel_current_ike_sa(tunnel);
    if (deleted->state != IKE_SA_DELETED || is_within_grace(change, deleted->closed_at) || sa->first_time > deleted->closed_at)
        return false;
    confidence_t confidence = deleted->major == 1 ? CONFIDENCE_INFERRED : deleted->closed_confidence;
    prove(ret_proof, deleted->closed_in, deleted->closed_at, confidence, "the IKE SA that made it was deleted");
    return true;
}

/* Another IKE SA is there, but it did not inherit this child: as read, for without keys nobody can tell (RFC 7296 1.4.1, 2.8). */
static bool
was_its_ike_sa_deleted(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    const child_sa_t *child = tunnel_child(tunnel, sa->generation);
    const ike_sa_t *deleted = child != NULL && child->confidence == CONFIDENCE_OBSERVED ? child_deleted_with(tunnel, child) : NULL;

    if (deleted == NULL || deleted->closed_confidence != CONFIDENCE_OBSERVED || is_within_grace(change, deleted->closed_at) ||
        !is_unanswered_since(sa, deleted->closed_at))
        return false;
    prove(ret_proof, deleted->closed_in, deleted->closed_at, CONFIDENCE_OBSERVED,
          "the IKE SA that made it was deleted, and the one that goes on is of another negotiation");
    return true;
}

/* RFC 7296 1.5: in the clear anybody could have said it, so that silence has to confirm it. */
static bool
was_reported_invalid(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    (void)change, (void)tunnel;
    bool is_refuted = sa->good_in != FRAME_NONE && sa->good_at > sa->invalid_spi_at;
    bool is_confirmed = sa->invalid_spi_is_protected || is_unanswered_since(sa, sa->invalid_spi_at);

    if (sa->invalid_spi_in == FRAME_NONE || is_refuted || !is_confirmed)
        return false;
    prove(ret_proof, sa->invalid_spi_in, sa->invalid_spi_at, CONFIDENCE_OBSERVED, "the receiver reported the SPI as invalid");
    return true;
}

/* A syslog line of the receiver says so, and nothing that the receiver has sent since belies it. */
static bool
was_logged_as_invalid(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    (void)tunnel;
    if (!syslog_is_borne_out(sa, change->time, SECONDS(change->settings->one_way_seconds)))
        return false;
    prove(ret_proof, sa->syslog.believed_in, sa->syslog.believed_at, CONFIDENCE_OBSERVED,
          "its log says so, and it has sent nothing on this pair of SAs since");
    return true;
}

/* RFC 7296 2.21.4: the receiver does not know the IKE SA any more, and so none of its children. */
static bool
has_lost_its_ike_sa(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    (void)change;
    const ike_sa_t *lost = tunnel->ike_sas->len > 0 ? tunnel_current_ike_sa(tunnel) : NULL;
    const child_sa_t *child = tunnel_child(tunnel, sa->generation);

    if (lost == NULL || !lost->is_disowned || lost->disowned_by != peer_other(sa->sender) || sa->first_time > lost->disowned_at)
        return false;
    bool is_of_other = child != NULL && child->ike_root != INDEX_NONE && child->ike_root != lost->root;
    if (is_of_other || !is_unanswered_since(sa, lost->disowned_at))
        return false;
    prove(ret_proof, lost->disowned_in, lost->disowned_at, CONFIDENCE_OBSERVED,
          "the receiver said that it does not know the IKE SA (INVALID_IKE_SPI)");
    return true;
}

/* The receiver's own host says that nobody listens. Behind a NAT the sender of the error is the NAT, which proves nothing. */
static bool
is_host_unreachable(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    (void)tunnel;
    if (sa->unreachable_in == FRAME_NONE || sa->destination.port != 4500 || sa->packets_since_unreachable < UNANSWERED_PACKETS ||
        duration_between(sa->unreachable_at, change->time) < UNANSWERED_TIME)
        return false;
    prove(ret_proof, sa->unreachable_in, sa->unreachable_at, CONFIDENCE_OBSERVED,
          "its host reported the port as unreachable and has sent nothing since");
    return true;
}

static bool
is_newer(const esp_sa_t *other, const esp_sa_t *sa)
{
    return other->packets > 0 && other->negotiation > sa->negotiation;
}

/* When the receiver last used an SA that is no newer; CAPTURE_TIME_NONE: never. */
static capture_ns_t
last_on_old(const tunnel_t *tunnel, const esp_sa_t *sa)
{
    capture_ns_t last = CAPTURE_TIME_NONE;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *other = g_ptr_array_index(tunnel->esp_sas, i);
        if (!is_newer(other, sa) && other->sender != sa->sender)
            last = capture_later(last, other->last_time);
    }
    return last;
}

/* RFC 7296 2.4: INITIAL_CONTACT says that the receiver has no other IKE SA. Between two gateways with several identities it is about one
 * of them: who still uses an old SA has not lost it. */
static bool
has_started_anew(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    peer_t receiver = peer_other(sa->sender);
    frame_t in = tunnel->fresh_start[receiver].in;
    capture_ns_t at = tunnel->fresh_start[receiver].at;

    if (in == FRAME_NONE || sa->negotiation >= tunnel->fresh_start[receiver].lineage || sa->first_time > at ||
        is_within_grace(change, at) || last_on_old(tunnel, sa) > at)
        return false;
    prove(ret_proof, in, at, CONFIDENCE_OBSERVED,
          "the receiver started anew and said that it had no other IKE SA (INITIAL_CONTACT)");
    return true;
}

/* The receiver has used a newer negotiation's SAs since, and the old ones no more, while this sender never switched. */
static bool
went_on_without(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    const esp_sa_t *first = NULL;

    if (sa->negotiation >= tunnel->lineage)
        return false;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *other = g_ptr_array_index(tunnel->esp_sas, i);
        if (is_newer(other, sa) && other->sender == sa->sender)
            return false; /* it has switched; this is a straggler or a parallel SA */
        if (is_newer(other, sa) && (first == NULL || other->first_time < first->first_time))
            first = other;
    }
    /* In use both ways at once, parallel SAs are legal (RFC 7296 2.8, RFC 9611); and the old pair must have worked. */
    capture_ns_t last = last_on_old(tunnel, sa);
    if (first == NULL || last == CAPTURE_TIME_NONE || last > first->first_time || is_within_grace(change, first->first_time))
        return false;
    prove(ret_proof, first->first_frame, first->first_time, CONFIDENCE_OBSERVED,
          "the receiver uses the SAs of a newer negotiation and nothing older");
    return true;
}

/* An SA of this tunnel that was announced, by its sender. */
static const esp_sa_t *
latest_announced(const tunnel_t *tunnel, peer_t sender)
{
    const esp_sa_t *latest = NULL;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender == sender && sa->announced_in != FRAME_NONE && (latest == NULL || sa->last_time > latest->last_time))
            latest = sa;
    }
    return latest;
}

/* Every negotiation was read and none named the SPI. A whole exchange that the capture lost leaves no trace but a message ID, perhaps much
 * later; but then both peers would use what it made. So the sender must have left the announced SAs, and the receiver must not. */
static bool
was_never_announced(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof)
{
    peer_t receiver = peer_other(sa->sender);

    if (!sa->is_unannounced || sa->announced_in != FRAME_NONE || tunnel->has_unread_ike || sa->packets < UNANSWERED_PACKETS ||
        is_within_grace(change, sa->first_time))
        return false;
    const esp_sa_t *left = latest_announced(tunnel, sa->sender), *kept = latest_announced(tunnel, receiver);
    if (left == NULL || kept == NULL || left->last_time > sa->first_time || kept->packets == 0 ||
        kept->last_frame != tunnel->peer[receiver].last_esp_in ||
        duration_between(sa->first_time, kept->last_time) <= SECONDS(change->settings->delete_grace_seconds))
        return false;
    prove(ret_proof, kept->announced_in, kept->last_time, CONFIDENCE_INFERRED,
          "every negotiation of this tunnel was decrypted and none names this SPI, and the receiver keeps to the SAs that were "
          "announced");
    return true;
}

typedef bool (*proves_t)(const change_t *change, const tunnel_t *tunnel, const esp_sa_t *sa, proof_t *ret_proof);

/* The plainest first. */
static const proves_t proofs[] = {
    was_deleted,         was_last_ike_sa_deleted, was_its_ike_sa_deleted, was_reported_invalid, was_logged_as_invalid,
    is_host_unreachable, has_lost_its_ike_sa,     has_started_anew,       went_on_without,      was_never_announced,
};

/* ---- the finding ---- */

static bool
has_evidence(const finding_t *finding, frame_t frame)
{
    for (unsigned i = 0; i < finding->evidences; i++) {
        if (finding->evidence[i] == frame)
            return true;
    }
    return false;
}

/* What was told of other SAs of this sender that the same event ended: a restart ends many. */
static const finding_t *
told_of_others(const tunnel_t *tunnel, const esp_sa_t *sa, frame_t proof)
{
    const finding_t *latest = tunnel_latest_finding(tunnel, FINDING_spi_desync, sa->sender);

    if (sa->desync != NULL && has_evidence(sa->desync, proof))
        return sa->desync;
    if (latest == NULL || tunnel->finding_count[FINDING_spi_desync] >= FINDINGS_MAX)
        return latest;
    for (unsigned i = tunnel->findings->len, seen = 0; i-- > 0 && seen < FINDINGS_LOOKED_AT; seen++) {
        const finding_t *finding = g_ptr_array_index(tunnel->findings, i);
        if (finding->id == FINDING_spi_desync && finding->culprit == sa->sender && has_evidence(finding, proof))
            return finding;
    }
    return NULL;
}

/* What worked last, and how long before the event. */
static void
append_last_good(GString *words, const esp_sa_t *sa, const proof_t *proof)
{
    if (sa->good_in == FRAME_NONE) {
        g_string_append(words, " No packet on it is known to have arrived.");
        return;
    }
    g_string_append_printf(words, " Its last packet that was answered at once is frame %u", sa->good_in);
    if (proof->at > sa->good_at)
        g_string_append_printf(words, ", %.1f s before frame %u", duration_seconds(duration_between(sa->good_at, proof->at)),
                               proof->frame);
    g_string_append_c(words, '.');
}

static void
add(findings_t *out, const tunnel_t *tunnel, const esp_sa_t *sa, const proof_t *proof)
{
    char sender[ENDPOINT_TEXT_MAX], receiver[ENDPOINT_TEXT_MAX];
    GString *last_good = g_string_new(NULL);

    append_last_good(last_good, sa, proof);
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_spi_desync,
                                     .severity = proof->severity,
                                     .confidence = proof->confidence,
                                     .culprit = sa->sender,
                                     .unit = "packets",
                                     .esp_sa = sa,
                                     .evidence = { sa->good_in, proof->frame, sa->last_frame } },
                 "%s still sends ESP on SPI 0x%08x, which %s no longer has: %s (frame %u).%s",
                 tunnel_peer_text(tunnel, sa->sender, sender), sa->spi, tunnel_peer_text(tunnel, peer_other(sa->sender), receiver),
                 proof->why, proof->frame, last_good->str);
    g_string_free(last_good, TRUE);
}

/* The receiver sends ESP again: is it still true? */
static bool
is_in_doubt(const tunnel_t *tunnel, const esp_sa_t *sa)
{
    return tunnel->peer[peer_other(sa->sender)].last_esp_at > sa->desync->time;
}

static void
judge_esp(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    const esp_sa_t *sa = change->esp_sa;
    proof_t proof;

    if (sa->desync != NULL && !is_in_doubt(tunnel, sa)) {
        findings_repeat(out, sa->desync);
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(proofs); i++) {
        if (!proofs[i](change, tunnel, sa, &proof))
            continue;
        const finding_t *told = told_of_others(tunnel, sa, proof.frame);
        if (told != NULL)
            findings_join(out, told, sa);
        else
            add(out, tunnel, sa, &proof);
        return;
    }
}

/* ---- what a new negotiation shows ---- */

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
    bool esp_went_on = given_up != NULL && from->run_packets >= UNANSWERED_PACKETS && from->last_esp_at > given_up->last_sent_at &&
                       from->run_began_at < given_up->last_sent_at;
    if (!esp_went_on)
        return;
    proof_t proof;
    prove(&proof, given_up->sent_in[0], given_up->first_sent_at, CONFIDENCE_INFERRED,
          "requests on the old IKE SA stayed unanswered, but a new negotiation is answered at once");
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender != init->requester || sa->last_frame != from->last_esp_in || sa->desync != NULL)
            continue;
        add(out, tunnel, sa, &proof);
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

/* No proof has even begun: nobody has deleted or disowned anything that it stands on, and nothing is newer. */
static bool
has_no_question(const engine_settings_t *settings, const tunnel_t *tunnel, const esp_sa_t *sa)
{
    const ike_sa_t *current = tunnel->ike_sas->len > 0 ? tunnel_current_ike_sa(tunnel) : NULL;
    const child_sa_t *child = tunnel_child(tunnel, sa->generation);
    const peer_t receiver = peer_other(sa->sender);

    (void)settings;
    return sa->desync == NULL && sa->deleted_in == FRAME_NONE && tunnel->loss.kind != LOSS_DELETED &&
           (child == NULL || child_deleted_with(tunnel, child) == NULL) && sa->invalid_spi_in == FRAME_NONE &&
           sa->syslog.believed_in == FRAME_NONE && sa->unreachable_in == FRAME_NONE && (current == NULL || !current->is_disowned) &&
           tunnel->fresh_start[receiver].in == FRAME_NONE && sa->negotiation >= tunnel->lineage && !sa->is_unannounced;
}

const detector_t spi_desync_detector = {
    .finding = FINDING_spi_desync,
    .wakes_on = CHANGE_ESP_PACKET | CHANGE_EXCHANGE_ANSWERED,
    .needs_time = true,
    .judge = judge,
    .has_no_question = has_no_question,
};
