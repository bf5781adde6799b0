/* play.h - plays a scenario: from the ladder to the packets that pass the capture point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_PLAY_H
#define SCENARIO_PLAY_H

#include "world.h"

/* A packet on its way, or a frame that is no IPsec. */
typedef struct {
    bool is_foreign; /* no IPsec: only shows that the capture goes on */
    packet_kind_t kind;
    capture_ns_t time;
    unsigned order; /* breaks ties in `time` */
    unsigned step;  /* index of the step that sent it */
    unsigned sender;
    bool towards_later;                           /* sent towards a peer that `peers` names later */
    bool towards_last;                            /* sent towards the last peer of the script */
    endpoint_t source, destination;               /* between the NAT and the other side */
    endpoint_t inside_source, inside_destination; /* behind the NAT */
    bool is_natted;                               /* the two differ */
    bool sent_from_inside;
    bool is_lost;     /* between the two capture points */
    bool dies_at_nat; /* sent to a mapping that is gone: never seen inside */
    encapsulation_t encapsulation;
    bool is_ah, is_around_esp;
    GByteArray *bytes;     /* owned; NULL for foreign frames */
    GByteArray *decrypted; /* owned; NULL: none */
    packet_kind_t quoted;  /* PACKET_ICMP_ERROR */
    endpoint_t reporter;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_mtu;
    size_t ip_length; /* as in packet_t */
    const char *label;
    bool is_forged;
    const char *hidden_by;
} shot_t;

typedef struct {
    bool force_nat; /* the first peer is behind a NAT whatever the script says */
    bool ipv6;
} play_options_t;

/* All packets by time. Array of shot_t *, owned by the caller. NULL after complaining. */
GPtrArray *play(const scenario_t *scenario, const play_options_t *options);

#endif
