/* path.h - what the path does to a tunnel's packets: errors that it reports, large packets that it does not let through.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PATH_H
#define IPSEC_ENGINE_PATH_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/finding.h"
#include "engine/parse/icmp_error.h"

/* ICMP errors of one tunnel that are told apart; forged ones may have any reporter. */
#define ICMP_REPORTS_MAX 16u

/* ESP packets of one peer of which the first IP fragment is there and the rest may yet come; senders send them in one go. */
#define PARTS_WAITING_MAX 8u

/* One kind of ICMP error by one reporter about what one peer sends. */
typedef struct {
    endpoint_t reporter;
    uint8_t type, code;
    uint32_t mtu;
    peer_t sender; /* of the packets that it quotes */
    icmp_meaning_t meaning;
    frame_t latest_in;
    capture_ns_t latest_at;
    endpoint_t quoted_to;  /* destination of the latest quoted packet */
    const finding_t *told; /* the icmp_unreachable about it, of the present trouble; borrowed; NULL: none */
} icmp_report_t;

typedef struct {
    uint32_t spi, sequence;
    frame_t frame;
    capture_ns_t at;
} part_t;

/* What becomes of one peer's large packets. */
typedef struct {
    /* said by ICMP: packets with more bytes than `limit` do not fit (RFC 1191, RFC 8201). The sender is watched from the first complaint until
     * it has sent nothing larger for a while. */
    uint32_t limit; /* bytes of the IP packet; 0: nobody complains */
    unsigned complaints;
    frame_t complained_in;
    capture_ns_t complained_at, last_complaint_at;
    unsigned larger; /* packets larger than `limit`, sent when the first complaint must have arrived */
    frame_t first_larger_in;
    capture_ns_t last_larger_at;
    size_t largest; /* bytes of the largest of them */

    /* seen in IP fragments: the first is there, the rest never comes */
    part_t waiting[PARTS_WAITING_MAX]; /* oldest first */
    unsigned parts_waiting;
    bool rest_was_seen;  /* of some packet: the capture shows later fragments at all */
    unsigned incomplete; /* in a row */
    frame_t incomplete_in[3];
    capture_ns_t incomplete_at; /* the first of them */
} large_packets_t;

#endif
