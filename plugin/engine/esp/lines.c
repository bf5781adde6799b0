/* lines.c - whose place does a new SA take?
 *
 * IKEv2 with keys says it: N(REKEY_SA) names the child (RFC 7296 1.3.3). IKEv1 does not: a Quick Mode for the same selectors replaces
 * (RFC 2409 5.5 knows no rekey). Without keys IKEv2 still tells where there is only one child; everything else is left to the traffic
 * (succession.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* Quick Modes for the same selectors within this time are duplicates: both peers began at once, or asked for several. */
#define DUPLICATES_WITHIN SECONDS(5)

void
engine_replaced(engine_t *engine, tunnel_t *tunnel, line_t *line, const replacement_t *replacement, const change_t *context)
{
    change_t change = *context;

    line_add_replacement(line, *replacement);
    change.kind = CHANGE_SA_REPLACED;
    change.line = line;
    engine_judge(engine, tunnel, &change);
}

static const esp_sa_t *
find_sa(const tunnel_t *tunnel, peer_t receiver, uint32_t spi)
{
    return spi != 0 ? tunnel_esp_sa(tunnel, spi, peer_other(receiver)) : NULL;
}

/* What the SA in use has carried in its busier direction. Without its SPIs it is the only child, so all ESP is its. */
static uint64_t
bytes_carried(const tunnel_t *tunnel, const line_t *line)
{
    uint64_t most = 0;

    for (unsigned p = 0; p < PEERS; p++) {
        peer_t sender = (peer_t)p, receiver = peer_other(sender);
        const esp_sa_t *sa = find_sa(tunnel, receiver, line->spi[receiver][0]);
        uint64_t bytes = 0;

        if (sa != NULL)
            bytes = sa->bytes;
        else if (line->spi[receiver][0] == 0)
            bytes = tunnel->peer[sender].esp_bytes - line->bytes_before[sender];
        most = MAX(most, bytes);
    }
    return most;
}

static bool
was_disturbed(const tunnel_t *tunnel, const line_t *line)
{
    return line->born_at == CAPTURE_TIME_NONE || tunnel->lifetimes.refused_at >= line->born_at ||
           tunnel->last_unanswered_at >= line->born_at;
}

/* The next SA of the line is in use. */
static void
begin_generation(const tunnel_t *tunnel, line_t *line)
{
    line->flaps = tunnel->flaps;
    for (unsigned p = 0; p < PEERS; p++)
        line->bytes_before[p] = tunnel->peer[p].esp_bytes;
}

static void
replaced_by_exchange(const ike_step_t *step, line_t *line, const exchange_t *exchange)
{
    change_t context = step_change(step, CHANGE_SA_REPLACED);
    replacement_t replacement = { .at = step->packet->time,
                                  .frame = step->packet->frame,
                                  .by = exchange->requester,
                                  .bytes = bytes_carried(step->tunnel, line),
                                  .is_disturbed = was_disturbed(step->tunnel, line) };

    context.exchange = exchange;
    engine_replaced(step->engine, step->tunnel, line, &replacement, &context);
}

/* ---- SPIs of a readable negotiation ---- */

uint32_t
step_proposal_spi(const proposal_list_t *list, uint8_t number)
{
    for (unsigned i = 0; i < list->proposals; i++) {
        const proposal_t *proposal = &list->proposal[i];
        if (proposal->number == number && proposal->protocol != PROTOCOL_IKE && proposal->spi_size == sizeof(uint32_t))
            return (uint32_t)proposal->spi;
    }
    return 0;
}

/* RFC 7296 3.3.1, RFC 2408 3.5: each peer names the SPI on which it will receive. */
static void
add_spis(const ike_step_t *step, line_t *line, const exchange_t *exchange)
{
    const ike_message_t *answer = step->message;
    bool is_readable = answer->is_readable && answer->has_sa && answer->sa.proposals > 0 && exchange->offer != NULL;
    uint8_t chosen = is_readable ? answer->sa.proposal[0].number : 0;

    line_add_spi(line, peer_other(step->sender), is_readable ? step_proposal_spi(exchange->offer, chosen) : 0);
    line_add_spi(line, step->sender, is_readable ? step_proposal_spi(&answer->sa, chosen) : 0);
}

static bool
line_has_spi(const line_t *line, peer_t receiver, uint32_t spi)
{
    for (unsigned i = 0; i < SPIS_PER_LINE; i++) {
        if (line->spi[receiver][i] == spi)
            return true;
    }
    return false;
}

static line_t *
new_child_line(const ike_step_t *step, const exchange_t *exchange, capture_ns_t born_at)
{
    line_t *line = lifetimes_add_line(&step->tunnel->lifetimes, LINE_CHILD, born_at);

    line->last_used_at = step->packet->time;
    step_replaced_child(step, exchange, line);
    add_spis(step, line, exchange);
    begin_generation(step->tunnel, line);
    return line;
}

/* ---- IKEv2 ---- */

static line_t *
line_of_spi(const lifetimes_t *lifetimes, peer_t receiver, uint32_t spi)
{
    for (unsigned i = lifetimes->lines->len; spi != 0 && i-- > 0;) {
        line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->kind == LINE_CHILD && line_has_spi(line, receiver, spi))
            return line;
    }
    return NULL;
}

/* One child was ever begun on this IKE SA, and the one before was deleted: nothing else can have been rekeyed. Children of parallel
 * queues (RFC 9611) live side by side. */
static line_t *
only_line(const tunnel_t *tunnel, const exchange_t *exchange)
{
    const lifetimes_t *lifetimes = &tunnel->lifetimes;
    bool is_only_child =
        lifetimes->children_begun == 1 && lifetimes->begun_on == exchange->ike_sa->root && tunnel->live_children == 1;
    line_t *line = is_only_child ? lifetimes_latest_line(lifetimes, LINE_CHILD) : NULL;

    if (line == NULL || (exchange->rekeyed_spi != 0 && line->spi[exchange->requester][0] != 0))
        return NULL;
    return line;
}

/* As far as can be seen it may have been the first of its line. */
static void
count_beginning(lifetimes_t *lifetimes)
{
    if (lifetimes->children_begun > 0)
        lifetimes->children_begun++;
}

/* The only child was replaced, it seems; but traffic older than its successor went on for more than half of that one's life. So it
 * stayed, and what came was another child (RFC 9611), which has gone since. */
static bool
stayed_in_use(const tunnel_t *tunnel, const line_t *line, capture_ns_t now)
{
    duration_ns_t half = duration_between(line->born_at, now) / 2;

    for (unsigned i = 0; line->replacements > 0 && i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->packets > 0 && sa->first_time < line->born_at && duration_between(line->born_at, sa->last_time) > half)
            return true;
    }
    return false;
}

static void
hidden_negotiation(const ike_step_t *step, const exchange_t *exchange)
{
    step->tunnel->lifetimes.hidden = (hidden_t){ .at = step->packet->time, .by = exchange->requester };
}

static void
child_rekeyed(const ike_step_t *step, const exchange_t *exchange)
{
    lifetimes_t *lifetimes = &step->tunnel->lifetimes;
    line_t *line = line_of_spi(lifetimes, exchange->requester, exchange->rekeyed_spi);

    if (line == NULL)
        line = only_line(step->tunnel, exchange);
    if (line == NULL && exchange->rekeyed_spi == 0) {
        count_beginning(lifetimes);
        hidden_negotiation(step, exchange);
        return;
    }
    if (line == NULL) { /* older than the capture: its next rekey will know it */
        new_child_line(step, exchange, step->packet->time);
        return;
    }
    line->confidence = MIN(line->confidence, exchange->kind_confidence);
    line->is_parallel |= exchange->rekeyed_spi == 0 && stayed_in_use(step->tunnel, line, step->packet->time);
    if (exchange->collides) /* RFC 7296 2.8.1: one replacement made twice, and who was first says nothing about lifetimes */
        line->born_at = line->last_used_at = step->packet->time;
    else
        replaced_by_exchange(step, line, exchange);
    step_replaced_child(step, exchange, line);
    add_spis(step, line, exchange);
    begin_generation(step->tunnel, line);
}

void
step_line_of_child_v2(const ike_step_t *step, const exchange_t *exchange)
{
    lifetimes_t *lifetimes = &step->tunnel->lifetimes;

    switch (exchange->kind) {
    case EXCHANGE_IKE_AUTH:
        lifetimes->children_begun = 1;
        lifetimes->begun_on = exchange->ike_sa->root;
        new_child_line(step, exchange, step->packet->time);
        break;
    case EXCHANGE_CHILD_CREATE:
        count_beginning(lifetimes);
        new_child_line(step, exchange, step->packet->time);
        break;
    case EXCHANGE_CHILD_REKEY:
        child_rekeyed(step, exchange);
        break;
    default: /* a new child, a rekey that does not say so first, or an IKE rekey (RFC 7296 2.5: the order of payloads is free) */
        count_beginning(lifetimes);
        hidden_negotiation(step, exchange);
        break;
    }
}

/* ---- IKEv1 ---- */

/* What the peer protects: IDci is the initiator's, IDcr the responder's (RFC 2409 5.5). */
static const char *
selectors_of(const exchange_t *exchange, peer_t initiator, peer_t peer)
{
    return peer == initiator ? exchange->selectors_i : exchange->selectors_r;
}

static bool
is_for_selectors(const line_t *line, const exchange_t *exchange, peer_t initiator)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (!g_str_equal(line->selectors[p], selectors_of(exchange, initiator, (peer_t)p)))
            return false;
    }
    return true;
}

line_t *
engine_line_of_quick_mode(tunnel_t *tunnel, const exchange_t *exchange, peer_t initiator, capture_ns_t time)
{
    lifetimes_t *lifetimes = &tunnel->lifetimes;

    for (unsigned i = lifetimes->lines->len; i-- > 0;) {
        line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->kind == LINE_CHILD && is_for_selectors(line, exchange, initiator))
            return line;
    }
    line_t *line = lifetimes_add_line(lifetimes, LINE_CHILD, CAPTURE_TIME_NONE);
    line->last_used_at = time;
    for (unsigned p = 0; p < PEERS; p++)
        g_strlcpy(line->selectors[p], selectors_of(exchange, initiator, (peer_t)p), SELECTOR_TEXT_MAX);
    return line;
}

/* The SA before the present one was in use for more than half of the present one's life: they stand side by side. A peer may prefer
 * the old SA until it expires, but then that end is near (RFC 2408 4.3 leaves the switch to it). */
static bool
is_used_in_parallel(const tunnel_t *tunnel, const line_t *line, capture_ns_t now)
{
    duration_ns_t half = duration_between(line->born_at, now) / 2;

    for (unsigned p = 0; p < PEERS; p++) {
        for (unsigned i = 1; i < SPIS_PER_LINE; i++) {
            const esp_sa_t *older = find_sa(tunnel, (peer_t)p, line->spi[p][i]);
            if (older != NULL && duration_between(line->born_at, older->last_time) > half)
                return true;
        }
    }
    return false;
}

/* Deleted, or lost with the tunnel, before the next one was asked for: made again, not replaced. */
static bool
was_gone(const tunnel_t *tunnel, const line_t *line)
{
    for (unsigned p = 0; p < PEERS; p++) {
        const esp_sa_t *sa = find_sa(tunnel, (peer_t)p, line->spi[p][0]);
        if (sa != NULL && sa->deleted_in != FRAME_NONE)
            return true;
    }
    return tunnel->loss.kind != LOSS_NONE || tunnel->flaps != line->flaps;
}

void
step_line_of_child_v1(const ike_step_t *step, const exchange_t *exchange)
{
    tunnel_t *tunnel = step->tunnel;
    capture_ns_t now = step->packet->time;

    if (!step->message->is_readable || exchange->offer == NULL) {
        hidden_negotiation(step, exchange);
        return;
    }
    line_t *line = engine_line_of_quick_mode(tunnel, exchange, exchange->requester, now);
    bool is_first = line->born_at == CAPTURE_TIME_NONE;
    bool is_duplicate = !is_first && duration_between(line->born_at, now) < DUPLICATES_WITHIN;

    line->last_used_at = now;
    line->is_parallel |= !is_first && !is_duplicate && is_used_in_parallel(tunnel, line, now);
    if (is_first || was_gone(tunnel, line)) {
        line_restart(line, now);
    } else if (!is_duplicate) {
        replaced_by_exchange(step, line, exchange);
        step_replaced_child(step, exchange, line);
    }
    line->child = exchange->child_sa;
    add_spis(step, line, exchange);
    begin_generation(tunnel, line);
}

/* ---- IKE SAs ---- */

void
engine_line_of_ike_sa(engine_t *engine, tunnel_t *tunnel, const exchange_t *rekey, frame_t frame, capture_ns_t time)
{
    ike_sa_t *ike_sa = rekey->ike_sa;
    line_t *line = lifetimes_line(&tunnel->lifetimes, ike_sa->line);

    if (line == NULL) {
        line =
            lifetimes_add_line(&tunnel->lifetimes, LINE_IKE_SA, ike_sa->is_midstream ? CAPTURE_TIME_NONE : ike_sa->established_at);
        ike_sa->line = line->id;
    }
    line->confidence = MIN(line->confidence, rekey->kind_confidence);
    if (rekey->collides) {
        line->born_at = line->last_used_at = rekey->answered_at;
        return;
    }
    change_t context = { .frame = frame, .time = time, .sender = rekey->requester, .ike_sa = ike_sa, .exchange = rekey };
    replacement_t replacement = {
        .at = rekey->answered_at, .frame = rekey->answered_in, .by = rekey->requester, .is_disturbed = was_disturbed(tunnel, line)
    };
    engine_replaced(engine, tunnel, line, &replacement, &context);
}

/* The established IKE SA before `ike_sa`, or NULL. */
static const ike_sa_t *
established_before(const ike_sa_t *ike_sa)
{
    for (unsigned i = ike_sa->tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *other = g_ptr_array_index(ike_sa->tunnel->ike_sas, i);
        if (other->index < ike_sa->index && other->established_at != CAPTURE_TIME_NONE)
            return other;
    }
    return NULL;
}

/* RFC 7296 2.8.3: a new IKE SA, negotiated from the start, took over from a live one. */
void
engine_line_of_reauthentication(engine_t *engine, tunnel_t *tunnel, const ike_sa_t *successor, frame_t frame, capture_ns_t time)
{
    line_t *line = lifetimes_latest_line(&tunnel->lifetimes, LINE_REAUTHENTICATION);
    const ike_sa_t *before = established_before(successor);

    if (before == NULL || (line != NULL && line->born_at == successor->established_at))
        return;
    bool is_fresh = before->rekeyed_from == NULL && !before->is_midstream;
    capture_ns_t born_at = is_fresh ? before->established_at : CAPTURE_TIME_NONE;
    if (line == NULL)
        line = lifetimes_add_line(&tunnel->lifetimes, LINE_REAUTHENTICATION, born_at);
    else if (line->flaps != tunnel->flaps)
        line_restart(line, born_at);
    change_t context = { .frame = frame, .time = time, .sender = successor->original_initiator, .ike_sa = successor };
    replacement_t replacement = { .at = successor->established_at,
                                  .frame = successor->established_in,
                                  .by = successor->original_initiator,
                                  .is_disturbed = was_disturbed(tunnel, line) };
    engine_replaced(engine, tunnel, line, &replacement, &context);
    line->flaps = tunnel->flaps;
}
