/* causes.c - which kind of trouble leads to which?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/causes.h"

#include <glib.h>

#define EDGE(cause_id, effect_id, seconds, reason)                                                                                 \
    {                                                                                                                              \
        .cause = FINDING_##cause_id, .effect = FINDING_##effect_id, .within = SECONDS(seconds), .why = reason                      \
    }
#define EXPLAINS(cause_id, effect_id, seconds, reason)                                                                             \
    {                                                                                                                              \
        .cause = FINDING_##cause_id, .effect = FINDING_##effect_id, .within = SECONDS(seconds), .before_report = true,             \
        .why = reason                                                                                                              \
    }
#define OF_SAME_PEER(cause_id, effect_id, seconds, reason)                                                                         \
    {                                                                                                                              \
        .cause = FINDING_##cause_id, .effect = FINDING_##effect_id, .within = SECONDS(seconds), .before_report = true,             \
        .of_same_peer = true, .why = reason                                                                                        \
    }
#define REASON_OF(cause_id, effect_id, reason)                                                                                     \
    {                                                                                                                              \
        .cause = FINDING_##cause_id, .effect = FINDING_##effect_id, .within = SECONDS(10), .before_report = true,                  \
        .of_same_exchange = true, .why = reason                                                                                    \
    }
#define OTHER_PEER(cause_id, effect_id, seconds, reason)                                                                           \
    {                                                                                                                              \
        .cause = FINDING_##cause_id, .effect = FINDING_##effect_id, .within = SECONDS(seconds), .of_other_peer = true,             \
        .why = reason                                                                                                              \
    }

const cause_rule_t cause_rules[] = {
    /* Who gives an IKE SA up drops its state without a word (RFC 7296 2.4): the other peer then asks and sends in vain. */
    OTHER_PEER(retransmit_exhausted, dpd_loss, 600, "the other peer had given the IKE SA up"),
    OTHER_PEER(retransmit_exhausted, esp_one_way, 600, "the other peer had given the IKE SA up"),

    /* The NAT maps the peer to another port: what is sent to the old one is lost (RFC 3947 6, RFC 7296 2.23). */
    EDGE(nat_port_flip, esp_to_stale_port, 600, "the peer has not learnt the new port"),
    EDGE(nat_port_flip, rekey_no_response, 120, "the request goes to a mapping that has just changed"),
    EDGE(nat_port_flip, dpd_loss, 120, "the request goes to a mapping that has just changed"),
    EDGE(nat_port_flip, esp_one_way, 120, "answers go to the old mapping"),
    EDGE(esp_to_stale_port, esp_one_way, 120, "answers go to the old mapping"),
    OF_SAME_PEER(nat_unstable, nat_port_flip, 86400, "one of many changes of this NAT"),

    /* The receiver drops what counts from 1 again (RFC 4303 3.4.3). */
    OF_SAME_PEER(esp_sequence_reset, esp_one_way, 600, "the receiver drops numbers that it has had"),

    /* A request that stays unanswered ends the IKE SA (RFC 7296 2.1, 2.4). */
    OF_SAME_PEER(rekey_no_response, retransmit_exhausted, 600, "the unanswered request"),
    OF_SAME_PEER(dpd_loss, retransmit_exhausted, 600, "the unanswered request"),
    OF_SAME_PEER(ike_no_response, retransmit_exhausted, 600, "the unanswered request"),
    EXPLAINS(fragment_loss, ike_no_response, 600, "the message never arrives as a whole"),
    EXPLAINS(fragment_loss, rekey_no_response, 600, "the message never arrives as a whole"),
    EXPLAINS(fragment_loss, retransmit_exhausted, 600, "the message never arrives as a whole"),
    EDGE(nat_port_flip, retransmit_exhausted, 120, "the request goes to a mapping that has just changed"),
    EXPLAINS(invalid_ike_spi, dpd_loss, 300, "the peer has lost its state"),

    /* A router or the peer's host says that nothing arrives. Not to be believed enough to end anything (RFC 7296 2.4), but where all else
     * is silent too it is the explanation, as long as it goes on: one from before the first request speaks of another packet. */
    OF_SAME_PEER(icmp_unreachable, rekey_no_response, 0, "ICMP says that the request cannot be delivered"),
    OF_SAME_PEER(icmp_unreachable, dpd_loss, 0, "ICMP says that the request cannot be delivered"),
    OF_SAME_PEER(icmp_unreachable, ike_no_response, 0, "ICMP says that the request cannot be delivered"),
    OF_SAME_PEER(icmp_unreachable, retransmit_exhausted, 0, "ICMP says that the request cannot be delivered"),
    OF_SAME_PEER(icmp_unreachable, esp_one_way, 0, "ICMP says that the packets cannot be delivered"),

    EXPLAINS(spi_desync, dpd_loss, 300, "the peer has lost its state, so it answers no request either"),
    OTHER_PEER(retransmit_exhausted, spi_desync, 600, "the other peer had given the IKE SA up"),

    /* What a receiver says of an SA that it has lost is a consequence of the loss, and the evidence for it (RFC 7296 1.5, 2.21.4). */
    EXPLAINS(spi_desync, invalid_spi, 300, "the receiver reports what it no longer has"),
    EXPLAINS(spi_desync, syslog_invalid_spi, 300, "the receiver logs what it no longer has"),
    EXPLAINS(spi_desync, invalid_ike_spi, 300, "the receiver has lost the IKE SA together with its children"),
    OF_SAME_PEER(retransmit_exhausted, syslog_invalid_spi, 600, "the receiver had given the IKE SA up"),
    EDGE(clean_delete, spi_desync, 600, "the IKE SA was deleted, and its children with it"),
    OF_SAME_PEER(spi_desync, esp_one_way, 600, "what the receiver drops is never answered"),
    EXPLAINS(auth_failed, ike_no_response, 0, "the peer answers what it cannot authenticate with a mere notice (RFC 2409 5.4)"),
    EDGE(dpd_loss, ike_no_response, 600, "the peer stays silent"),
    EXPLAINS(proposal_mismatch, ike_no_response, 600, "the reason of the silence"),
    EDGE(retransmit_exhausted, ike_no_response, 600, "the peer stays silent"),

    /* A refused rekey lets the SA run out (RFC 7296 2.8). */
    EXPLAINS(pfs_mismatch, proposal_mismatch, 86400, "the DH group is what differs"),
    EXPLAINS(pfs_mismatch, rekey_rejected, 86400, "the DH group is what differs"),
    REASON_OF(proposal_mismatch, rekey_rejected, "the reason of the refusal"),
    REASON_OF(ts_unacceptable, rekey_rejected, "the reason of the refusal"),
    EDGE(rekey_rejected, child_rejected, 86400, "asked again, refused again"),
    REASON_OF(proposal_mismatch, child_rejected, "the reason of the refusal"),
    REASON_OF(ts_unacceptable, child_rejected, "the reason of the refusal"),

    /* The shorter lifetime decides when an SA is replaced (RFC 7296 2.8). It is no outage, and a cause of none. */
    EXPLAINS(lifetime_mismatch, rekey_too_frequent, 86400, "the shorter of the two lifetimes"),

    /* The outage itself. */
    EXPLAINS(retransmit_exhausted, tunnel_flap, 3600, "the IKE SA was given up"),
    EXPLAINS(fragment_loss, tunnel_down, 86400, "the set-up never completes"),
    EXPLAINS(rekey_no_response, tunnel_flap, 3600, "the rekey was never answered"),
    EXPLAINS(dpd_loss, tunnel_flap, 3600, "the peer was considered dead"),
    EXPLAINS(spi_desync, tunnel_flap, 3600, "a peer had lost its state"),
    EXPLAINS(rekey_rejected, tunnel_flap, 86400, "the child SA ran out"),
    EXPLAINS(child_rejected, tunnel_flap, 86400, "the child SA could not be made"),
    EXPLAINS(invalid_ike_spi, tunnel_flap, 3600, "a peer had lost its state"),
    EXPLAINS(clean_delete, tunnel_flap, 86400, "a peer deleted the tunnel"),
    EXPLAINS(esp_sequence_reset, tunnel_flap, 600, "a peer came back with an old state"),
    EXPLAINS(retransmit_exhausted, tunnel_down, 86400, "the IKE SA was given up"),
    EXPLAINS(rekey_no_response, tunnel_down, 86400, "the rekey was never answered"),
    EXPLAINS(dpd_loss, tunnel_down, 86400, "the peer was considered dead"),
    EXPLAINS(spi_desync, tunnel_down, 86400, "a peer had lost its state"),
    EXPLAINS(rekey_rejected, tunnel_down, 86400, "the child SA ran out"),
    EXPLAINS(child_rejected, tunnel_down, 86400, "the child SA could not be made"),
    EXPLAINS(rekey_rejected, child_down, 86400, "the child SA ran out"),
    EXPLAINS(child_rejected, child_down, 86400, "the child SA could not be made"),
    EXPLAINS(ike_no_response, tunnel_down, 86400, "nobody answers"),
    EXPLAINS(auth_failed, tunnel_down, 86400, "the peers do not authenticate"),
};

const unsigned cause_rule_count = G_N_ELEMENTS(cause_rules);
