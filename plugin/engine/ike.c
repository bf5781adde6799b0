/* ike.c - to which IKE SA does a message belong, and which requests have been given up?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ike_internal.h"

#include "classify.h"

/* TCP delivers a request or says that it cannot: one transmission is enough, and its sender waits "some reasonable period of time"
 * (RFC 9329 6.2) before it gives up. As long as the usual schedules of retransmissions over UDP take (60 to 165 s). */
#define PATIENCE_OVER_TCP SECONDS(180)

/* Once a sender was silent for more than twice its last gap, it has stopped (findings.md: retransmit_exhausted). */
#define SILENCE_MARGIN MILLISECONDS(500)

change_t
step_change(const ike_step_t *step, change_kind_t kind)
{
    return (change_t){ .kind = kind,
                       .frame = step->packet->frame,
                       .time = step->packet->time,
                       .packet = step->packet,
                       .message = step->message,
                       .sender = step->sender,
                       .ike_sa = step->ike_sa };
}

void
step_judge(const ike_step_t *step, change_kind_t kind, const exchange_t *exchange)
{
    change_t change = step_change(step, kind);

    change.exchange = exchange;
    engine_judge(step->engine, step->tunnel, &change);
}

void
step_starts_waiting(const ike_step_t *step, exchange_t *exchange)
{
    GPtrArray *waiting = step->tunnel->waiting;

    exchange->outcome = OUTCOME_WAITING;
    g_ptr_array_remove(waiting, exchange);
    if (waiting->len >= WAITING_MAX) {
        exchange_t *oldest = g_ptr_array_index(waiting, 0);
        exchange_stops_waiting(oldest, oldest->exchange_type == IKEV1_INFORMATIONAL ? OUTCOME_ONE_WAY : OUTCOME_ANSWERED_UNSEEN);
    }
    g_ptr_array_add(step->tunnel->waiting, exchange);
}

void
exchange_stops_waiting(exchange_t *exchange, exchange_outcome_t outcome)
{
    exchange->outcome = outcome;
    g_ptr_array_remove(exchange->ike_sa->tunnel->waiting, exchange);
}

bool
step_carry_over(const ike_step_t *step, exchange_t *exchange)
{
    if (!exchange_is_carried_over(exchange, step->packet))
        return false;
    exchange_carry_over(exchange, step->packet);
    if (exchange->outcome == OUTCOME_ABANDONED)
        step_starts_waiting(step, exchange);
    return true;
}

endpoint_t *
step_source(const ike_step_t *step)
{
    endpoint_t *sources = step->ike_sa->source[step->sender];

    if (step->packet->encapsulation == ENCAPSULATION_TCP) /* back on UDP it may well have another mapping (RFC 9329 7.1) */
        sources[ENCAPSULATION_UDP].family = ADDRESS_NONE;
    return &sources[step->packet->encapsulation];
}

void
step_mark_answered(const ike_step_t *step, exchange_t *exchange)
{
    exchange_stops_waiting(exchange, OUTCOME_ANSWERED);
    exchange->answered_in = step->packet->frame;
    exchange->answered_at = step->packet->time;
    duration_ns_t took = duration_between(exchange->first_sent_at, step->packet->time);
    step->note->request_in = exchange->sent_in[0];
    step->note->exchange_time = took;
    for (unsigned i = 0; i < MIN(exchange->transmissions, TRANSMISSIONS_KEPT); i++) {
        frame_note_t *request = engine_note_for(step->engine, exchange->sent_in[i]);
        request->response_in = step->packet->frame;
        request->exchange_time = took;
    }
    engine_name_exchange(step->engine, exchange, exchange->kind, exchange->kind_confidence);
    if (exchange_is_liveness(exchange)) {
        duration_ns_t round_trip = duration_between(exchange->last_sent_at, step->packet->time);
        if (step->tunnel->dpd_rtts->len >= DPD_RTTS_KEPT)
            g_array_remove_index_fast(step->tunnel->dpd_rtts, step->packet->frame % DPD_RTTS_KEPT); /* any: it is for the median */
        g_array_append_val(step->tunnel->dpd_rtts, round_trip);
    }
}

void
step_note_exchange(const ike_step_t *step, exchange_t *exchange)
{
    exchange_note_frame(exchange, step->note->frame);
    step->note->exchange = exchange_kind_name(exchange->kind);
    step->note->exchange_confidence = exchange->kind_confidence;
}

void
step_count_refusal(const ike_step_t *step, exchange_t *exchange)
{
    tunnel_t *tunnel = step->tunnel;

    /* Sent when both peers are at it at once (RFC 7296 2.25), or a detour that goes on with another group (1.3). */
    if (exchange->error == NOTIFY_INVALID_KE_PAYLOAD || exchange->collides)
        return;
    if (!exchange_is_rekey(exchange) && !exchange_is_child_create(exchange))
        return;
    if (exchange_is_rekey(exchange))
        tunnel->lifetimes.refused_at = step->packet->time;
    exchange->repeats_a_refusal = tunnel->refused_in_a_row > 0;
    if (!exchange->repeats_a_refusal) {
        tunnel->first_refused_in = exchange->sent_in[0];
        tunnel->first_refused_at = exchange->first_sent_at;
    }
    tunnel->refused_in_a_row++;
    tunnel->refused_in = step->packet->frame;
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_failed++;
}

static const proposal_t *
chosen_proposal(const ike_message_t *response)
{
    return response->is_readable && response->has_sa && response->sa.proposals > 0 ? &response->sa.proposal[0] : NULL;
}

void
step_count_success(const ike_step_t *step, exchange_t *exchange)
{
    tunnel_t *tunnel = step->tunnel;
    const proposal_t *chosen = chosen_proposal(step->message);

    /* What was not told apart yet counts once it turns out to have been an IKE rekey. */
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_ok++;
    if (exchange->kind == EXCHANGE_CHILD_REKEY || (exchange->kind == EXCHANGE_QUICK_MODE && exchange_is_rekey(exchange)))
        tunnel->child_rekeys_ok++;
    if (exchange->kind == EXCHANGE_IKE_REKEY)
        return;
    if (exchange->creates_child) {
        tunnel->refused_in_a_row = 0;
        tunnel->last_child_success_at = step->packet->time;
    }
    if (chosen != NULL && (chosen->protocol == PROTOCOL_ESP || chosen->protocol == PROTOCOL_AH)) {
        g_free(tunnel->accepted_child);
        tunnel->accepted_child = g_memdup2(chosen, sizeof(*chosen));
    }
}

void
step_mark_deleted_spis(const ike_step_t *step, const uint32_t *spis, unsigned count, peer_t owner)
{
    for (unsigned s = 0; s < count; s++) {
        for (unsigned i = 0; i < step->tunnel->esp_sas->len; i++) {
            esp_sa_t *sa = g_ptr_array_index(step->tunnel->esp_sas, i);
            if (sa->spi != spis[s] || sa->sender == owner || sa->deleted_in != FRAME_NONE)
                continue;
            sa->deleted_in = step->packet->frame;
            sa->deleted_at = step->packet->time;
            sa->deleted_confidence = CONFIDENCE_OBSERVED;
        }
    }
}

void
step_close_ike_sa(const ike_step_t *step, peer_t by, confidence_t confidence)
{
    ike_sa_t *ike_sa = step->ike_sa;

    ike_sa->state = IKE_SA_DELETED;
    ike_sa->closed_in = step->packet->frame;
    ike_sa->closed_at = step->packet->time;
    ike_sa->closed_by = by;
    ike_sa->closed_confidence = confidence;
    ike_sa->traffic_at_close = life_traffic_was_flowing(step->tunnel, step->packet->time);
}

/* A request that both its sender and the capture have left: state first, then the verdict. */
void
engine_abandon(engine_t *engine, exchange_t *exchange, abandoned_t how, frame_t frame, capture_ns_t time, bool at_end)
{
    ike_sa_t *ike_sa = exchange->ike_sa;
    tunnel_t *tunnel = ike_sa->tunnel;

    exchange_stops_waiting(exchange, OUTCOME_ABANDONED);
    exchange->abandoned = how;
    if (at_end)
        g_ptr_array_add(engine->abandoned_at_end, exchange);
    tunnel->last_unanswered_at = time;
    if (exchange_is_liveness(exchange))
        tunnel->dpd_unanswered++;
    if (exchange_is_rekey(exchange) && exchange->kind != EXCHANGE_CREATE_CHILD_SA)
        tunnel->rekeys_failed++;
    change_t change = { .kind = CHANGE_EXCHANGE_ABANDONED,
                        .frame = frame,
                        .time = time,
                        .sender = exchange->requester,
                        .ike_sa = ike_sa,
                        .exchange = exchange,
                        .at_end = at_end };
    engine_judge(engine, tunnel, &change);
    for (unsigned i = 0; i < tunnel->flips->len; i++) { /* a flip before a request that died was not harmless */
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        bool soon_after =
            flip->time <= exchange->first_sent_at && duration_between(flip->time, exchange->first_sent_at) < SECONDS(120);
        if (soon_after && flip->finding != NULL)
            flip->finding->grade = NAT_GRADE_HARMFUL;
    }
    bool was_in_use = ike_sa->state == IKE_SA_ESTABLISHED && !ike_sa->is_replaced;
    /* RFC 7296 2.4: one lost try proves nothing; several, or a new start, end the SA. */
    bool is_proof = exchange->transmissions > 1 || (how == ABANDONED_NEW_INIT && !ike_sa->is_midstream) ||
                    (how == ABANDONED_SILENCE && exchange->encapsulation == ENCAPSULATION_TCP);
    if (!was_in_use || !is_proof || exchange->addresses_changed || exchange->deletes_replaced || tunnel_is_one_direction(tunnel) ||
        tunnel_peer_lives(tunnel, exchange))
        return;
    life_lost(tunnel, LOSS_GAVE_UP, exchange->requester, CONFIDENCE_OBSERVED, frame, time);
}

/* How long may this request wait before its silence says that nobody tries any more? INT64_MAX: that cannot be said. */
static duration_ns_t
patience_for(const tunnel_t *tunnel, const exchange_t *exchange)
{
    if (exchange->exchange_type == IKEV1_INFORMATIONAL && !exchange_is_liveness(exchange))
        return INT64_MAX;
    if (exchange->transmissions > 1)
        return duration_sum(duration_sum(exchange->last_gap, exchange->last_gap), SILENCE_MARGIN);
    /* A capture with gaps may miss the framing of the stream, and so an answer; not all that its sender says. */
    bool is_silent = !tunnel_peer_sent_after(tunnel, peer_other(exchange->requester), exchange->last_sent_at);
    return exchange->encapsulation == ENCAPSULATION_TCP && is_silent ? PATIENCE_OVER_TCP : INT64_MAX;
}

void
engine_advance(engine_t *engine, tunnel_t *tunnel, frame_t frame, capture_ns_t now, bool at_end)
{
    if (engine->clock_is_unusable)
        return;
    for (unsigned i = tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(tunnel->waiting, i);
        if (duration_between(exchange->last_sent_at, now) > patience_for(tunnel, exchange))
            engine_abandon(engine, exchange, ABANDONED_SILENCE, frame, now, at_end);
        if (i > tunnel->waiting->len)
            i = tunnel->waiting->len;
    }
}

static bool
is_unheard(const exchange_t *exchange)
{
    return exchange->outcome == OUTCOME_ANSWERED && exchange_is_unheard(exchange);
}

/* Answered here, but evidently not there: its requester gave up on it all the same. */
static void
abandon_unheard(const ike_step_t *step)
{
    for (unsigned i = 0; i < step->tunnel->ike_sas->len; i++) {
        ike_sa_t *older = g_ptr_array_index(step->tunnel->ike_sas, i);
        exchange_t *last = older->exchanges->len > 0 ? ike_sa_latest(older, is_unheard) : NULL;
        if (older == step->ike_sa || last == NULL || last->requester != step->sender || older->is_replaced)
            continue;
        for (unsigned e = older->exchanges->len; e-- > 0;) { /* it went on after that one */
            const exchange_t *later = g_ptr_array_index(older->exchanges, e);
            if (later == last)
                break;
            if (later->requester == last->requester) {
                last = NULL;
                break;
            }
        }
        if (last != NULL)
            engine_abandon(step->engine, last, ABANDONED_NEW_INIT, step->packet->frame, step->packet->time, false);
    }
}

/* The beginning of this phase 1 is not in the capture, so what seems to wait for an answer may have been its last message. */
static bool
may_have_ended_unseen(const exchange_t *exchange)
{
    return exchange->ike_sa->is_midstream && exchange->ike_sa->major == 1 && exchange_is_initiation(exchange);
}

void
step_abandon_older(const ike_step_t *step)
{
    abandon_unheard(step);
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        bool is_young = duration_between(exchange->last_sent_at, step->packet->time) < SHORTEST_TIMER;
        if (exchange->ike_sa == step->ike_sa || exchange->requester != step->sender || is_young)
            continue;
        if (may_have_ended_unseen(exchange)) {
            exchange_stops_waiting(exchange, OUTCOME_ANSWERED_UNSEEN);
            continue;
        }
        if (exchange->exchange_type == IKEV1_INFORMATIONAL) {
            if (exchange->transmissions < 2)
                continue;
            if (!exchange_is_liveness(exchange)) { /* equal notices again and again, then a new start: unanswered R-U-THEREs */
                engine_name_exchange(step->engine, exchange, EXCHANGE_DPD, CONFIDENCE_INFERRED);
            }
        }
        engine_abandon(step->engine, exchange, ABANDONED_NEW_INIT, step->packet->frame, step->packet->time, false);
        if (i > step->tunnel->waiting->len)
            i = step->tunnel->waiting->len;
    }
}

/* RFC 9329 5.1: UDP is tried first; when nothing comes back, a new IKE SA is negotiated over TCP. That says more than the silence
 * before it. */
static void
fall_back_to_tcp(const ike_step_t *step)
{
    for (unsigned i = step->tunnel->waiting->len; i-- > 0;) {
        exchange_t *exchange = g_ptr_array_index(step->tunnel->waiting, i);
        if (exchange->ike_sa != step->ike_sa && exchange->requester == step->sender &&
            exchange->encapsulation != ENCAPSULATION_TCP && exchange_is_initiation(exchange))
            engine_abandon(step->engine, exchange, ABANDONED_FOR_TCP, step->packet->frame, step->packet->time, false);
        if (i > step->tunnel->waiting->len)
            i = step->tunnel->waiting->len;
    }
}

static ike_sa_t *
find_ike_sa(const engine_t *engine, const packet_t *packet, const ike_message_t *message)
{
    unsigned seen = 0;

    /* RFC 7296 2.4: an answer to IKE_SA_INIT may be one of several, each with an SPI of its own. */
    bool is_init_answer = message->major == 2 && message->exchange_type == IKEV2_SA_INIT && message->is_response;

    for (GSList *item = g_hash_table_lookup(engine->ike_sas_by_spi, &message->spi_i); item != NULL; item = item->next) {
        ike_sa_t *ike_sa = item->data;
        if (seen++ == NAMESAKES)
            return engine_ike_sa_between(engine, packet, message);
        if (ike_sa->major != message->major)
            continue;
        if (is_init_answer || ike_sa->spi_r == message->spi_r || ike_sa->spi_r == 0 || message->spi_r == 0)
            return ike_sa;
    }
    return NULL;
}

/* The oldest that is no longer in use goes, else the oldest. */
static void
forget_ike_sa(engine_t *engine, tunnel_t *tunnel)
{
    ike_sa_t *oldest = g_ptr_array_index(tunnel->ike_sas, 0);

    for (unsigned i = 0; i < tunnel->ike_sas->len; i++) {
        ike_sa_t *candidate = g_ptr_array_index(tunnel->ike_sas, i);
        if (!ike_sa_is_usable(candidate)) {
            oldest = candidate;
            break;
        }
    }
    for (unsigned i = tunnel->waiting->len; i-- > 0;) {
        if (((const exchange_t *)g_ptr_array_index(tunnel->waiting, i))->ike_sa == oldest)
            g_ptr_array_remove_index(tunnel->waiting, i);
    }
    engine_unlink_ike_sa(engine, oldest);
    g_ptr_array_remove(tunnel->ike_sas, oldest);
}

void
engine_forget_ike_sas(engine_t *engine, tunnel_t *tunnel, unsigned left)
{
    while (tunnel->ike_sas->len > left)
        forget_ike_sa(engine, tunnel);
}

static void
remember_ike_sa(engine_t *engine, ike_sa_t *ike_sa)
{
    GSList *list = g_hash_table_lookup(engine->ike_sas_by_spi, &ike_sa->spi_i);

    g_hash_table_replace(engine->ike_sas_by_spi, g_memdup2(&ike_sa->spi_i, sizeof(ike_sa->spi_i)), g_slist_prepend(list, ike_sa));
    if (ike_sa->tunnel->ike_sas->len >= IKE_SAS_PER_TUNNEL_MAX)
        forget_ike_sa(engine, ike_sa->tunnel);
    ike_sa->index = ike_sa->tunnel->ike_sas_seen++;
    if (ike_sa->rekeyed_from == NULL)
        ike_sa->root = ike_sa->index;
    g_ptr_array_add(ike_sa->tunnel->ike_sas, ike_sa);
}

static bool
is_initiation(const ike_message_t *message)
{
    if (message->major == 2)
        return message->exchange_type == IKEV2_SA_INIT && !message->is_response;
    return (message->exchange_type == IKEV1_MAIN_MODE || message->exchange_type == IKEV1_AGGRESSIVE) && message->spi_r == 0;
}

static bool
may_have_made_an_ike_sa(const exchange_t *exchange)
{
    return exchange->outcome == OUTCOME_ANSWERED && !exchange->is_refused &&
           (exchange->kind == EXCHANGE_IKE_REKEY || exchange->kind == EXCHANGE_CREATE_CHILD_SA);
}

/* RFC 7296 2.18: an IKE rekey makes a new SPI pair whose message IDs start at 0, with no IKE_SA_INIT of its own. */
static ike_sa_t *
rekeyed_predecessor(engine_t *engine, tunnel_t *tunnel, const packet_t *packet, const ike_message_t *message)
{
    if (message->major != 2 || message->message_id > 3)
        return NULL;
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        exchange_t *rekey = ike_sa_latest(ike_sa, may_have_made_an_ike_sa);
        if (rekey == NULL)
            continue;
        if (rekey->kind == EXCHANGE_CREATE_CHILD_SA)
            engine_was_ike_rekey(engine, rekey, packet->frame, packet->time);
        return ike_sa;
    }
    return NULL;
}

/* Does an initiator that hashes its address (RFC 7296 2.23) have it itself? */
static source_owner_t
whose_address(const engine_t *engine, const ike_message_t *message)
{
    return nat_detection_source_fits(message, &engine->outer_source) ? SOURCE_OF_HOST : SOURCE_UNKNOWN;
}

static ike_sa_t *
new_ike_sa(engine_t *engine, const packet_t *packet, const ike_message_t *message)
{
    bool initiates = is_initiation(message);
    tunnel_t *tunnel = initiates ? engine_tunnel_for_initiation(engine, packet, whose_address(engine, message))
                                 : engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL)
        tunnel = engine_add_tunnel(engine, &packet->source, &packet->destination, packet->frame, packet->time);
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    if (sender == PEER_UNKNOWN)
        sender = peer_other(tunnel_peer_at(tunnel, &packet->destination));
    if (sender == PEER_UNKNOWN)
        sender = PEER_A;
    bool by_initiator = message->major == 2 ? message->from_original_initiator : true;
    ike_sa_t *ike_sa = ike_sa_new(tunnel, message, by_initiator ? sender : peer_other(sender), packet->frame, packet->time);

    if (!initiates && message->exchange_type != IKEV2_SA_INIT) {
        ike_sa_t *before = rekeyed_predecessor(engine, tunnel, packet, message);
        ike_sa->rekeyed_from = before;
        ike_sa->is_midstream = before == NULL;
        bool in_negotiation = message->exchange_type == IKEV2_AUTH || message->exchange_type == IKEV1_MAIN_MODE ||
                              message->exchange_type == IKEV1_AGGRESSIVE || message->exchange_type == IKEV2_INTERMEDIATE;
        ike_sa->state = in_negotiation ? IKE_SA_NEGOTIATING : IKE_SA_ESTABLISHED;
        if (before != NULL) {
            before->is_replaced = true;
            ike_sa->suite_known = before->suite_known; /* same sizes unless the rekey changed the suite */
            ike_sa->suite = before->suite;
            ike_sa->offered = before->offered;
            ike_sa->chosen = before->chosen;
            ike_sa->proposals_offered = before->proposals_offered;
            ike_sa->established_at = packet->time;
            ike_sa->line = before->line;
            ike_sa->root = before->root;
        }
    }
    remember_ike_sa(engine, ike_sa);
    return ike_sa;
}

static peer_t
sender_of(const ike_sa_t *ike_sa, const packet_t *packet, const ike_message_t *message)
{
    if (message->major == 2)
        return message->from_original_initiator ? ike_sa->original_initiator : peer_other(ike_sa->original_initiator);
    peer_t sender = tunnel_peer_at(ike_sa->tunnel, &packet->source);
    if (sender == PEER_UNKNOWN)
        sender = peer_other(tunnel_peer_at(ike_sa->tunnel, &packet->destination));
    return sender == PEER_UNKNOWN ? ike_sa->original_initiator : sender;
}

/* RFC 7296 1.5: a clear INVALID_SPI comes outside of any IKE SA and names the SPI in its data. */
static tunnel_t *
stray_notify(engine_t *engine, const packet_t *packet, const ike_message_t *message, frame_note_t **ret_note)
{
    const notify_t *notify = ike_message_notify(message, NOTIFY_INVALID_SPI);
    if (notify == NULL || message->is_encrypted || message->is_response)
        return NULL;
    uint32_t spi = notify->data != 0 ? notify->data : (uint32_t)notify->spi;
    esp_sa_t *sa = engine_find_esp_sa(engine, spi, &packet->destination, &packet->source, packet->frame);
    tunnel_t *tunnel = sa != NULL ? sa->tunnel : engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL)
        return NULL;
    frame_note_t *note = engine_note_for(engine, packet->frame);
    note->tunnel = tunnel->index;
    note->exchange = exchange_kind_name(EXCHANGE_NOTIFY);
    note->exchange_confidence = CONFIDENCE_OBSERVED;
    if (sa != NULL && sa->invalid_spi_in == FRAME_NONE)
        sa->invalid_spi_in = packet->frame;
    change_t change = { .kind = CHANGE_NOTIFY,
                        .frame = packet->frame,
                        .time = packet->time,
                        .packet = packet,
                        .message = message,
                        .notify = notify,
                        .esp_sa = sa,
                        .sender = tunnel_peer_at(tunnel, &packet->source) };
    engine_judge(engine, tunnel, &change);
    *ret_note = note;
    return tunnel;
}

static void
learn_identities(tunnel_t *tunnel, const ike_sa_t *ike_sa, const ike_message_t *message, peer_t sender)
{
    if (!message->is_readable || message->exchange_type == IKEV1_QUICK_MODE)
        return;
    if (message->major == 1) { /* phase 1 carries the sender's own identity */
        if (message->identity_i[0] != '\0')
            g_strlcpy(tunnel->peer[sender].identity, message->identity_i, IDENTITY_TEXT_MAX);
        return;
    }
    if (message->identity_i[0] != '\0')
        g_strlcpy(tunnel->peer[ike_sa->original_initiator].identity, message->identity_i, IDENTITY_TEXT_MAX);
    if (message->identity_r[0] != '\0')
        g_strlcpy(tunnel->peer[peer_other(ike_sa->original_initiator)].identity, message->identity_r, IDENTITY_TEXT_MAX);
}

static nat_sighting_t
sighting_of(const engine_t *engine, const packet_t *packet, const ike_message_t *message, peer_t sender)
{
    return (nat_sighting_t){ .message = message,
                             .sender = sender,
                             .source = &engine->outer_source,
                             .destination = &engine->outer_destination,
                             .source_has_other_side = !endpoint_equal(&engine->outer_source, &packet->source),
                             .destination_has_other_side = !endpoint_equal(&engine->outer_destination, &packet->destination),
                             .frame = packet->frame };
}

static void
note_nat(frame_note_t *note, const nat_hashes_t *hashes)
{
    note->nat_source = nat_source_text(hashes);
    note->nat_destination = nat_destination_text(hashes);
}

/* RFC 4555 3.5: the peer's addresses are others from here on; the hashes in this request and its answer say what they are. */
static bool
announces_move(const ike_step_t *step)
{
    return step->message->is_decrypted && !step->message->is_response &&
           step->ike_sa->nat.latest[step->sender].fingerprint != step->message->fingerprint &&
           ike_message_notify(step->message, NOTIFY_UPDATE_SA_ADDRESSES) != NULL;
}

/* Once the SA is up, anybody could send a clear message with its SPIs. */
static bool
may_still_tell(const ike_step_t *step)
{
    return step->message->is_decrypted || step->ike_sa->state == IKE_SA_NEGOTIATING;
}

static void
learn_nat(const ike_step_t *step)
{
    ike_sa_t *ike_sa = step->ike_sa;
    nat_sighting_t sighting = sighting_of(step->engine, step->packet, step->message, step->sender);
    nat_hashes_t hashes;
    bool has_moved = announces_move(step), has_learnt;

    if (has_moved)
        nat_detection_forget(&ike_sa->nat, step->sender);
    has_learnt = may_still_tell(step) && nat_detection_learn(&ike_sa->nat, &sighting, &hashes);
    if (has_learnt)
        note_nat(step->note, &hashes);
    if (has_learnt || has_moved)
        tunnel_learn_nat(step->tunnel, &ike_sa->nat);
}

void
engine_ike_copy(engine_t *engine, const packet_t *packet, frame_note_t *note)
{
    ike_message_t message;
    nat_hashes_t hashes;

    if (!ike_message_parse(packet->bytes, packet->captured, packet->reported, packet->decrypted, packet->decrypted_length,
                           &message))
        return;
    ike_sa_t *ike_sa = find_ike_sa(engine, packet, &message);
    if (ike_sa == NULL)
        return;
    nat_sighting_t sighting = sighting_of(engine, packet, &message, sender_of(ike_sa, packet, &message));
    if (!nat_detection_learn_copy(&ike_sa->nat, &sighting, &hashes))
        return;
    note_nat(note, &hashes);
    tunnel_learn_nat(ike_sa->tunnel, &ike_sa->nat);
}

tunnel_t *
engine_ike_packet(engine_t *engine, const packet_t *packet, frame_note_t **ret_note)
{
    ike_message_t message;
    ike_step_t step = { .engine = engine, .packet = packet, .message = &message };

    if (!ike_message_parse(packet->bytes, packet->captured, packet->reported, packet->decrypted, packet->decrypted_length,
                           &message)) {
        tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
        bool is_cut = packet->captured < packet->reported;
        if (!is_cut) { /* RFC 7296 2.5: another major version, or no room for a header */
            *ret_note = engine_note_for(engine, packet->frame);
            engine->capture.malformed += !(*ret_note)->is_malformed; /* it may be handed over twice */
            (*ret_note)->is_malformed = true;
            if (tunnel != NULL)
                (*ret_note)->tunnel = tunnel->index;
        }
        if (tunnel != NULL && is_cut) {
            tunnel->lifetimes.has_cut_ike = true;
            change_t cut = { .kind = CHANGE_TUNNEL_SEEN, .frame = packet->frame, .time = packet->time, .packet = packet };
            engine_judge(engine, tunnel, &cut);
        }
        return NULL;
    }
    engine->capture.ike_messages++;
    if (message.is_malformed) {
        engine->capture.malformed++;
        engine_note_for(engine, packet->frame)->is_malformed = true;
    }
    if (packet->is_ip_fragment && (message.major != 2 || !message.is_encrypted))
        return NULL; /* IKEv1's turns need whole messages, and what is clear is small */
    tunnel_t *stray = stray_notify(engine, packet, &message, ret_note);
    if (stray != NULL)
        return stray;

    step.ike_sa = find_ike_sa(engine, packet, &message);
    ike_sa_t *half_open = step.ike_sa == NULL ? engine_half_open_ike_sa(engine, &message) : NULL;
    if (half_open != NULL)
        step.ike_sa = half_open;
    if (step.ike_sa == NULL)
        step.ike_sa = new_ike_sa(engine, packet, &message);
    bool may_be_forged = message.major == 2 && !message.is_encrypted;
    if (step.ike_sa->spi_r == 0 && message.spi_r != 0 && !may_be_forged)
        step.ike_sa->spi_r = message.spi_r;
    if (message.exchange_type == IKEV2_AUTH && message.message_id == 1)
        engine_adopt_by_endpoint(engine, step.ike_sa, packet);
    step.tunnel = step.ike_sa->tunnel;
    step.sender = sender_of(step.ike_sa, packet, &message);
    step.note = engine_note_for(engine, packet->frame);
    step.note->tunnel = step.tunnel->index;
    step.note->ike_sa = step.ike_sa->index;

    if (packet->encapsulation == ENCAPSULATION_TCP && is_initiation(&message))
        fall_back_to_tcp(&step);
    *ret_note = step.note;
    if (step_is_untrusted(&step)) {
        step_untrusted(&step);
        return step.tunnel;
    }
    if (half_open != NULL)
        step_choose_init_answer(&step);
    step_is_known_again(&step);
    engine_advance(engine, step.tunnel, packet->frame, packet->time, false);
    step_judge(&step, CHANGE_TUNNEL_SEEN, NULL);
    learn_identities(step.tunnel, step.ike_sa, &message, step.sender);
    if (message.major == 2)
        ikev2_message(&step);
    else
        ikev1_message(&step);
    learn_nat(&step);
    engine_account_sender(engine, step.tunnel, step.sender, packet);
    step.ike_sa->last_message_in = packet->frame;
    step.ike_sa->last_message_at = capture_later(step.ike_sa->last_message_at, packet->time);
    step_judge(&step, CHANGE_TRAFFIC, NULL);
    return step.tunnel;
}
