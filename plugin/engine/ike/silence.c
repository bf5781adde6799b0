/* silence.c - a request stayed without an answer: what did the capture show of its receiver meanwhile?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/silence.h"

/* Nothing came from the receiver since another client, which has the same identity or was itself pushed out before, came up. */
static bool
was_pushed_out(const tunnel_t *tunnel, const exchange_t *exchange)
{
    const rival_t *rival = &tunnel->rival;
    const peer_state_t *receiver = &tunnel->peer[peer_other(exchange->requester)];

    return rival->tunnel != INDEX_NONE && (rival->same_identity || rival->takes_turns) && receiver->last_packet_at <= rival->at &&
           rival->at <= exchange->last_sent_at;
}

static void
describe_rival(const tunnel_t *tunnel, GString *out)
{
    const rival_t *rival = &tunnel->rival;

    g_string_append_printf(out, " Since then another client behind the same address%s has set up an IKE SA (tunnel %u, frame %u)",
                           rival->same_identity ? ", with the same identity," : "", rival->tunnel, rival->in);
    if (rival->takes_turns)
        g_string_append(out, "; the two push each other out");
    g_string_append_c(out, '.');
}

static void
describe_what_was_heard(const peer_state_t *peer, const char *address, GString *out)
{
    if (peer->last_esp_in == peer->last_packet_in)
        g_string_append_printf(out, " %s did not answer this; its ESP came meanwhile (latest in frame %u).", address,
                               peer->last_esp_in);
    else if (peer->last_ike_in == peer->last_packet_in)
        g_string_append_printf(out, " %s did not answer this; other IKE messages of it came meanwhile (latest in frame %u).",
                               address, peer->last_ike_in);
    else
        g_string_append_printf(out, " %s did not answer this; other packets of it came meanwhile (latest in frame %u).", address,
                               peer->last_packet_in);
}

/* Who gets no answer repeats its request (RFC 7296 2.1), but over TCP. Who makes a new start after one try had an answer, as before a
 * reauthentication or after a refusal, or was restarted itself. */
static bool
may_be_answered_unseen(const exchange_t *exchange)
{
    return exchange->encapsulation != ENCAPSULATION_TCP && exchange->transmissions == 1 &&
           exchange->abandoned == ABANDONED_NEW_INIT && exchange->outcome == OUTCOME_ABANDONED;
}

silence_t
silence_of(const tunnel_t *tunnel, const exchange_t *exchange)
{
    const peer_state_t *receiver = &tunnel->peer[peer_other(exchange->requester)];
    const ike_sa_t *ike_sa = exchange->ike_sa;

    if (exchange->answered_elsewhere_in != FRAME_NONE)
        return (silence_t){ SILENCE_OTHER_PORT, exchange->answered_elsewhere_in, exchange->answered_elsewhere_port };
    if (exchange->answer_fragments.is_fragmented && exchange->answer_fragments.missing > 0)
        return (silence_t){ SILENCE_INCOMPLETE, receiver->last_ike_in, 0 };
    if (exchange_is_unheard(exchange))
        return (silence_t){ SILENCE_UNHEARD, exchange->answered_in, 0 };
    if (ike_sa->is_disowned && ike_sa->disowned_at >= exchange->first_sent_at)
        return (silence_t){ SILENCE_DISOWNED, ike_sa->disowned_in, 0 };
    const icmp_report_t *icmp = tunnel_undeliverable(tunnel, &exchange->destination, exchange->first_sent_at);
    if (icmp != NULL)
        return (silence_t){ SILENCE_ICMP, icmp->latest_in, 0 };
    if (may_be_answered_unseen(exchange))
        return (silence_t){ SILENCE_UNSEEN, receiver->last_packet_in, 0 };
    if (receiver->last_packet_at != CAPTURE_TIME_NONE && receiver->last_packet_at > exchange->first_sent_at)
        return (silence_t){ SILENCE_OTHERWISE_HEARD, receiver->last_packet_in, 0 };
    return (silence_t){ SILENCE_TOTAL, receiver->last_packet_in, 0 };
}

void
silence_describe(const tunnel_t *tunnel, const exchange_t *exchange, GString *out)
{
    silence_t silence = silence_of(tunnel, exchange);
    char receiver[ENDPOINT_TEXT_MAX], requester[ENDPOINT_TEXT_MAX];

    tunnel_peer_text(tunnel, peer_other(exchange->requester), receiver);
    tunnel_peer_text(tunnel, exchange->requester, requester);
    switch (silence.kind) {
    case SILENCE_TOTAL:
        g_string_append_printf(out, " %s sent nothing at all meanwhile", receiver);
        if (silence.frame != FRAME_NONE)
            g_string_append_printf(out, "; its last packet is in frame %u", silence.frame);
        g_string_append_c(out, '.');
        if (was_pushed_out(tunnel, exchange))
            describe_rival(tunnel, out);
        break;
    case SILENCE_OTHERWISE_HEARD:
        describe_what_was_heard(&tunnel->peer[peer_other(exchange->requester)], receiver, out);
        break;
    case SILENCE_INCOMPLETE:
        g_string_append_printf(out, " %s answers, but fragment %u of %u of its answer is never here (latest one in frame %u).",
                               receiver, exchange->answer_fragments.missing, exchange->answer_fragments.total, silence.frame);
        break;
    case SILENCE_ICMP:
        g_string_append_printf(out, " An ICMP error says that it could not be delivered (frame %u).", silence.frame);
        break;
    case SILENCE_DISOWNED:
        g_string_append_printf(out, " %s said that it does not know the IKE SA (INVALID_IKE_SPI, frame %u).", receiver,
                               silence.frame);
        break;
    case SILENCE_OTHER_PORT:
        g_string_append_printf(out, " %s answered to port %u, from which the request did not come (frame %u).", receiver,
                               silence.port, silence.frame);
        break;
    case SILENCE_UNSEEN:
        g_string_append(out,
                        " The answer may be missing from this capture: a request that gets none is repeated before a new start.");
        break;
    case SILENCE_UNHEARD:
        g_string_append_printf(out, " Answers are in this capture (frame %u): they are lost between the capture point and %s.",
                               silence.frame, requester);
        break;
    }
}
