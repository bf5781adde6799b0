/* announced.c - which lifetimes do the peers tell each other?
 *
 * IKEv1 puts them into the proposals: in the clear in phase 1 (RFC 2409 5), readable with keys in phase 2. A responder whose own
 * lifetime is shorter may say so with RESPONDER-LIFETIME (RFC 2407 4.5.4, 4.6.3.1). IKEv2 negotiates none (RFC 7296 2.8); only the
 * time until reauthentication may be announced (RFC 4478).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/ike_internal.h"

/* The lifetime that all proposals of the list have. What they do not have in common is left 0: it is not known which one is meant. */
static announced_t
lifetime_of(const proposal_list_t *list)
{
    announced_t lifetime = { .seconds = list->proposal[0].life_seconds, .kilobytes = list->proposal[0].life_kilobytes };

    for (unsigned i = 1; i < list->proposals; i++) {
        if (list->proposal[i].life_seconds != lifetime.seconds)
            lifetime.seconds = 0;
        if (list->proposal[i].life_kilobytes != lifetime.kilobytes)
            lifetime.kilobytes = 0;
    }
    return lifetime;
}

/* Keeps what a peer has told in a frame. True: a word that it has not said before. */
static bool
keep(announced_t *kept, announced_t lifetime)
{
    bool is_news = (lifetime.seconds != 0 && lifetime.seconds != kept->seconds) ||
                   (lifetime.kilobytes != 0 && lifetime.kilobytes != kept->kilobytes);

    if (!is_news)
        return false;
    if (lifetime.seconds == 0)
        lifetime.seconds = kept->seconds;
    if (lifetime.kilobytes == 0)
        lifetime.kilobytes = kept->kilobytes;
    *kept = lifetime;
    return true;
}

static void
tell(const ike_step_t *step, unsigned phase, const announced_t *both)
{
    change_t change = step_change(step, CHANGE_LIFETIME_ANNOUNCED);

    change.announced = both;
    change.phase = phase;
    engine_judge(step->engine, step->tunnel, &change);
}

/* The responder answers with the transform that it chose, lifetime included (RFC 2409 5). The same lifetime as offered is an echo. */
static announced_t
own_choice(const announced_t *offered, const proposal_list_t *answer)
{
    announced_t choice = lifetime_of(answer);

    if (choice.seconds == offered->seconds || offered->seconds == 0)
        choice.seconds = 0;
    if (choice.kilobytes == offered->kilobytes || offered->kilobytes == 0)
        choice.kilobytes = 0;
    return choice;
}

/* Both proposals of an exchange are there: what its initiator offered, and what the responder made of it. Only now is it certain
 * that the first one was an offer: the capture may begin with an answer. */
static void
answer_announces(const ike_step_t *step, unsigned phase, const exchange_t *exchange, announced_t *both)
{
    announced_t offered = lifetime_of(exchange->offer), choice = own_choice(&offered, &step->message->sa);

    offered.how = ANNOUNCED_BY_OFFER;
    offered.frame = exchange->sent_in[0];
    offered.at = exchange->first_sent_at;
    choice.how = ANNOUNCED_BY_CHOICE;
    choice.frame = step->packet->frame;
    choice.at = step->packet->time;
    bool is_news = keep(&both[peer_other(step->sender)], offered);
    is_news |= keep(&both[step->sender], choice);
    if (is_news)
        tell(step, phase, both);
}

/* RFC 2408 3.1: only the first message of phase 1 has no responder cookie, so an offer is known as such at once. */
static void
offer_announces(const ike_step_t *step)
{
    announced_t *both = step->tunnel->lifetimes.phase1;
    announced_t offered = lifetime_of(&step->message->sa);

    offered.how = ANNOUNCED_BY_OFFER;
    offered.frame = step->packet->frame;
    offered.at = step->packet->time;
    if (keep(&both[step->sender], offered))
        tell(step, 1, both);
}

/* Phase 2 has its own lifetimes for each pair of selectors. `initiator` began the Quick Mode. */
static announced_t *
lifetimes_of_quick_mode(const ike_step_t *step, const exchange_t *exchange, peer_t initiator)
{
    return engine_line_of_quick_mode(step->tunnel, exchange, initiator, step->packet->time)->announced;
}

static void
proposals_announce(const ike_step_t *step, const exchange_t *exchange)
{
    bool is_first = exchange->messages == 1, is_answer = exchange->messages == 2;
    const ike_message_t *message = step->message;

    if (!message->is_readable || !message->has_sa || message->sa.proposals == 0 || exchange->offer == NULL)
        return;
    if (exchange->kind == EXCHANGE_QUICK_MODE && is_answer)
        answer_announces(step, 2, exchange, lifetimes_of_quick_mode(step, exchange, peer_other(step->sender)));
    else if (exchange_is_initiation(exchange) && is_first && message->spi_r == 0)
        offer_announces(step);
    else if (exchange_is_initiation(exchange) && is_answer)
        answer_announces(step, 1, exchange, step->tunnel->lifetimes.phase1);
}

/* The line that a notice outside of Quick Mode speaks of: by the SPI it names. */
static announced_t *
lifetimes_of_spi(const ike_step_t *step, uint32_t spi)
{
    const lifetimes_t *lifetimes = &step->tunnel->lifetimes;

    for (unsigned i = lifetimes->lines->len; spi != 0 && i-- > 0;) {
        line_t *line = g_ptr_array_index(lifetimes->lines, i);
        if (line->kind == LINE_CHILD && (line->spi[PEER_A][0] == spi || line->spi[PEER_B][0] == spi))
            return line->announced;
    }
    return NULL;
}

/* Which lifetimes a RESPONDER-LIFETIME is about: the ISAKMP SA's, those of the Quick Mode that carries it, or by SPI. */
static announced_t *
lifetimes_of_notify(const ike_step_t *step, const exchange_t *exchange, const notify_t *notify)
{
    if (notify->protocol == PROTOCOL_IKE)
        return step->tunnel->lifetimes.phase1;
    if (exchange != NULL && exchange->kind == EXCHANGE_QUICK_MODE && exchange->messages == 2 && exchange->offer != NULL)
        return lifetimes_of_quick_mode(step, exchange, peer_other(step->sender));
    return lifetimes_of_spi(step, (uint32_t)notify->spi);
}

static void
notify_announces(const ike_step_t *step, const exchange_t *exchange)
{
    const notify_t *notify = ike_message_notify(step->message, NOTIFY_V1_RESPONDER_LIFETIME);
    announced_t *both = notify != NULL ? lifetimes_of_notify(step, exchange, notify) : NULL;

    if (both == NULL)
        return;
    announced_t lifetime = { .how = ANNOUNCED_BY_NOTIFY,
                             .seconds = notify->life_seconds,
                             .kilobytes = notify->life_kilobytes,
                             .frame = step->packet->frame,
                             .at = step->packet->time };
    if (keep(&both[step->sender], lifetime))
        tell(step, notify->protocol == PROTOCOL_IKE ? 1 : 2, both);
}

/* A clear notice inside an established SA may be forged (RFC 2408 5.15 has informationals protected once there are keys). */
static bool
may_be_believed(const ike_step_t *step, const exchange_t *exchange)
{
    return step->message->is_encrypted || (exchange != NULL && exchange_is_initiation(exchange));
}

void
step_announced_v1(const ike_step_t *step, const exchange_t *exchange)
{
    if (exchange != NULL)
        proposals_announce(step, exchange);
    if (step->message->is_readable && may_be_believed(step, exchange))
        notify_announces(step, exchange);
}

void
step_announced_v2(const ike_step_t *step)
{
    lifetimes_t *lifetimes = &step->tunnel->lifetimes;
    const notify_t *notify = step->message->is_decrypted ? ike_message_notify(step->message, NOTIFY_AUTH_LIFETIME) : NULL;

    if (notify == NULL || notify->data_length != sizeof(uint32_t))
        return;
    lifetimes->auth_lifetime[step->sender] = notify->data;
    lifetimes->auth_lifetime_in[step->sender] = step->packet->frame;
}
