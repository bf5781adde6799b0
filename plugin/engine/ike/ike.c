/* ike.c - to which IKE SA does a message belong?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

#include "engine/ike/classify.h"

/* Test vectors repeat initiator SPIs. A NAT changes one side's addresses, not both. */
static bool
is_between_strangers(const ike_sa_t *ike_sa, const packet_t *packet)
{
    for (unsigned p = 0; p < PEERS; p++) {
        const endpoint_t *known = &ike_sa->tunnel->peer[p].last;
        if (endpoint_same_address(known, &packet->source) || endpoint_same_address(known, &packet->destination))
            return false;
    }
    return true;
}

static ike_sa_t *
find_ike_sa(const engine_t *engine, const packet_t *packet, const ike_message_t *message)
{
    /* RFC 7296 2.4: an answer to IKE_SA_INIT may be one of several, each with an SPI of its own. */
    bool is_init_answer = ike_message_is_init(message) && message->is_response;

    unsigned seen = 0;

    for (GSList *item = g_hash_table_lookup(engine->ike_sas_by_spi, &message->spi_i); item != NULL; item = item->next) {
        ike_sa_t *ike_sa = item->data;
        if (seen++ == NAMESAKES)
            return engine_ike_sa_between(engine, packet, message);
        if (ike_sa->major != message->major)
            continue;
        bool are_both_known = ike_sa->spi_r != 0 && message->spi_r != 0 && !is_init_answer;
        if (are_both_known ? ike_sa->spi_r == message->spi_r : !is_between_strangers(ike_sa, packet))
            return ike_sa;
    }
    return NULL;
}

ike_sa_t *
engine_find_quoted_ike_sa(const engine_t *engine, const packet_t *packet)
{
    cursor_t cursor = cursor_over(packet->bytes, packet->captured);
    ike_message_t message = { .spi_i = 0 };
    uint8_t version;

    if (!cursor_u64(&cursor, &message.spi_i) || !cursor_u64(&cursor, &message.spi_r) || !cursor_skip(&cursor, 1) ||
        !cursor_u8(&cursor, &version))
        return NULL;
    message.major = version >> 4;
    return find_ike_sa(engine, packet, &message);
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
        return ike_message_is_init(message) && !message->is_response;
    return (message->exchange_type == IKEV1_MAIN_MODE || message->exchange_type == IKEV1_AGGRESSIVE) && message->spi_r == 0;
}

static bool
may_have_made_an_ike_sa(const exchange_t *exchange)
{
    /* Too short for an IKE rekey with the same groups is what a smaller group makes it as well. */
    bool may_be_misnamed = exchange->kind == EXCHANGE_CHILD_CREATE && exchange->kind_confidence == CONFIDENCE_INFERRED;

    return exchange->outcome == OUTCOME_ANSWERED && !exchange->is_refused &&
           (exchange->kind == EXCHANGE_IKE_REKEY || exchange->kind == EXCHANGE_CREATE_CHILD_SA || may_be_misnamed);
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
        if (rekey->kind != EXCHANGE_IKE_REKEY)
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

/* The same packet as if the initiator of its IKE SA had sent it. An answer that the capture has without its request, or before it, is
 * about that request's tunnel, and names the initiator first as the request would. */
static packet_t
as_from_initiator(const packet_t *packet, const ike_message_t *message)
{
    packet_t turned = *packet;

    if (message->major == 2 && !message->from_original_initiator) {
        turned.source = packet->destination;
        turned.destination = packet->source;
    }
    return turned;
}

static ike_sa_t *
new_ike_sa(engine_t *engine, const packet_t *packet, const ike_message_t *message)
{
    bool initiates = is_initiation(message);
    packet_t turned = as_from_initiator(packet, message);
    source_owner_t owner = initiates ? whose_address(engine, message) : SOURCE_UNKNOWN;
    tunnel_t *tunnel = initiates || ike_message_is_init(message) ? engine_tunnel_for_initiation(engine, &turned, owner)
                                                                 : engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL)
        tunnel = engine_add_tunnel(engine, &turned.source, &turned.destination, packet->frame, packet->time);
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    if (sender == PEER_UNKNOWN)
        sender = peer_other(tunnel_peer_at(tunnel, &packet->destination));
    if (sender == PEER_UNKNOWN)
        sender = PEER_A;
    bool by_initiator = message->major == 2 ? message->from_original_initiator : true;
    ike_sa_t *ike_sa = ike_sa_new(tunnel, message, by_initiator ? sender : peer_other(sender), packet->frame, packet->time);

    if (!initiates && !ike_message_is_init(message)) {
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
            memcpy(ike_sa->identity_hash, before->identity_hash, sizeof(ike_sa->identity_hash));
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
    if (sa != NULL)
        esp_sa_is_invalid(sa, packet, false);
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

/* After the hashes were exchanged the initiator goes on where they tell it to (RFC 7296 2.23, RFC 3947 4). */
static bool
goes_on_without_encapsulation(const ike_step_t *step)
{
    const ike_message_t *message = step->message;
    bool is_next = message->major == 2 ? message->exchange_type == IKEV2_AUTH && !message->is_response
                                       : message->exchange_type == IKEV1_MAIN_MODE || message->exchange_type == IKEV1_QUICK_MODE;

    return is_next && message->is_encrypted && step->packet->encapsulation == ENCAPSULATION_NONE &&
           step->sender == step->ike_sa->original_initiator;
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
    bool is_refuted = goes_on_without_encapsulation(step) && nat_detection_refute(&ike_sa->nat);
    if (has_learnt || has_moved || is_refuted)
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

/* RFC 7296 2.5: another major version, or no room for a header. Else the capture has cut it. */
static void
note_unparsed(engine_t *engine, const packet_t *packet, frame_note_t **ret_note)
{
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    const bool is_cut = packet->captured < packet->reported;

    if (!is_cut) {
        *ret_note = engine_note_for(engine, packet->frame);
        engine->capture.malformed += !(*ret_note)->is_malformed; /* it may be handed over twice */
        (*ret_note)->is_malformed = true;
        if (tunnel != NULL)
            (*ret_note)->tunnel = tunnel->index;
    }
    if (tunnel != NULL && is_cut) {
        tunnel->lifetimes.has_cut_ike = tunnel->has_unread_ike = true;
        change_t cut = { .kind = CHANGE_TUNNEL_SEEN, .frame = packet->frame, .time = packet->time, .packet = packet };
        engine_judge(engine, tunnel, &cut);
    }
}

/* Whose message is it? Fills the step's IKE SA, tunnel, sender and note. True: it is the first with an SPI that one of the answers to
 * IKE_SA_INIT has given. */
static bool
begin_step(ike_step_t *step)
{
    engine_t *engine = step->engine;
    const packet_t *packet = step->packet;
    const ike_message_t *message = step->message;

    step->ike_sa = find_ike_sa(engine, packet, message);
    ike_sa_t *half_open = step->ike_sa == NULL ? engine_half_open_ike_sa(engine, message) : NULL;
    if (half_open != NULL)
        step->ike_sa = half_open;
    if (step->ike_sa == NULL)
        step->ike_sa = new_ike_sa(engine, packet, message);
    bool may_be_forged = message->major == 2 && !message->is_encrypted;
    if (step->ike_sa->spi_r == 0 && message->spi_r != 0 && !may_be_forged)
        step->ike_sa->spi_r = message->spi_r;
    if (message->exchange_type == IKEV2_AUTH && message->message_id == 1)
        engine_adopt_by_endpoint(engine, step->ike_sa, packet);
    step->tunnel = step->ike_sa->tunnel;
    step->sender = sender_of(step->ike_sa, packet, message);
    step->note = engine_note_for(engine, packet->frame);
    step->note->tunnel = step->tunnel->index;
    step->note->ike_sa = step->ike_sa->index;
    return half_open != NULL;
}

tunnel_t *
engine_ike_packet(engine_t *engine, const packet_t *packet, frame_note_t **ret_note)
{
    ike_message_t message;
    ike_step_t step = { .engine = engine, .packet = packet, .message = &message };

    if (!ike_message_parse(packet->bytes, packet->captured, packet->reported, packet->decrypted, packet->decrypted_length,
                           &message)) {
        note_unparsed(engine, packet, ret_note);
        return NULL;
    }
    engine->capture.ike_messages += !packet->is_ip_fragment; /* the whole message comes again */
    if (message.is_malformed) {
        engine->capture.malformed++;
        engine_note_for(engine, packet->frame)->is_malformed = true;
    }
    if (packet->is_ip_fragment && (message.major != 2 || !message.is_encrypted))
        return NULL; /* IKEv1's turns need whole messages, and what is clear is small */
    tunnel_t *stray = stray_notify(engine, packet, &message, ret_note);
    if (stray != NULL)
        return stray;

    const bool chooses_answer = begin_step(&step);
    if (packet->encapsulation == ENCAPSULATION_TCP && is_initiation(&message))
        step_fall_back_to_tcp(&step);
    *ret_note = step.note;
    step.tunnel->has_unread_ike |= !message.is_readable || message.is_truncated || message.major != 2;
    if (step_is_untrusted(&step)) {
        step_untrusted(&step);
        return step.tunnel;
    }
    if (chooses_answer)
        step_choose_init_answer(&step);
    step_is_known_again(&step);
    engine_advance(engine, step.tunnel, step.ike_sa, packet->frame, packet->time, false);
    step_judge(&step, CHANGE_TUNNEL_SEEN, NULL);
    step_learn_identities(&step);
    if (message.major == 2)
        ikev2_message(&step);
    else
        ikev1_message(&step);
    engine_advance(engine, step.tunnel, NULL, packet->frame, packet->time, false); /* what this message has not settled now */
    learn_nat(&step);
    engine_account_sender(engine, step.tunnel, step.sender, packet);
    step.ike_sa->last_message_in = packet->frame;
    step.ike_sa->last_message_at = capture_later(step.ike_sa->last_message_at, packet->time);
    step_judge(&step, CHANGE_TRAFFIC, NULL);
    return step.tunnel;
}