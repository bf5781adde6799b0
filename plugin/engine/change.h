/* change.h - what has just become known: the input of every detector.
 *
 * The engine keeps the state, notices changes of it and hands them to the detectors. A change carries its time;
 * the end of the capture is a change like any other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CHANGE_H
#define IPSEC_ENGINE_CHANGE_H

#include "engine/base.h"
#include "engine/packet.h"
#include "engine/tunnel.h"

typedef enum {
    CHANGE_TUNNEL_SEEN = 1u << 0,        /* any packet of the tunnel, before it is accounted for */
    CHANGE_REQUEST_SENT = 1u << 1,       /* a new request */
    CHANGE_REQUEST_REPEATED = 1u << 2,   /* the same request again, after a real timer */
    CHANGE_EXCHANGE_ANSWERED = 1u << 3,  /* the answer to a request, or a refusal that stands for it */
    CHANGE_EXCHANGE_ABANDONED = 1u << 4, /* the requester gave up */
    CHANGE_IKE_SA_ESTABLISHED = 1u << 5,
    CHANGE_IKE_SA_DELETED = 1u << 6, /* in an orderly way */
    CHANGE_NOTIFY = 1u << 7,         /* a readable notify that answers no request: see `notify` */
    CHANGE_TRAFFIC = 1u << 8,        /* any IKE or ESP packet, after it was accounted for */
    CHANGE_ESP_PACKET = 1u << 9,
    CHANGE_PEER_MOVED = 1u << 10, /* see `flip` */
    CHANGE_ICMP_ERROR = 1u << 11,
    CHANGE_TUNNEL_RECOVERED = 1u << 12,   /* see `loss` */
    CHANGE_CAPTURE_END = 1u << 13,        /* once per tunnel, for now */
    CHANGE_COPY = 1u << 14,               /* a second copy of a packet was seen and dropped */
    CHANGE_COLLISION = 1u << 15,          /* the requests of both peers crossed: `exchange` is the later one */
    CHANGE_ADDRESS_UPDATED = 1u << 16,    /* MOBIKE: an answered move */
    CHANGE_REAUTHENTICATED = 1u << 17,    /* a new IKE SA took over from a live one */
    CHANGE_SA_REPLACED = 1u << 18,        /* an SA took the place of the one before: see `line` */
    CHANGE_LIFETIME_ANNOUNCED = 1u << 19, /* a peer announced another lifetime than before: see `announced` */
    CHANGE_SYSLOG_LINE = 1u << 20, /* a log line reports a packet with an invalid SPI: see `syslog_line`; the tunnel may be NULL */
    CHANGE_SEQUENCE = 1u << 21,    /* an ESP packet's sequence number reveals something: see `revealed` */
    CHANGE_TOO_LARGE = 1u << 22,   /* `sender` sent a packet larger than ICMP says can pass: see its large_packets_t */
    CHANGE_FRAGMENTS_MISSING = 1u << 23, /* of an ESP packet of `sender` only the first IP fragment came: see the same */
    CHANGE_ESP_LENGTHS = 1u << 24,       /* the packets of an ESP SA have one more length: see esp_sa_t.lengths */
} change_kind_t;

#define CHANGE_KINDS 25 /* bits used above */

/* The number of the kind's bit. */
static inline unsigned
change_number(change_kind_t kind)
{
    return (unsigned)__builtin_ctz(kind);
}

/* Everything is borrowed for the duration of the call. Members that the kind does not name may be NULL. */
typedef struct {
    change_kind_t kind;
    frame_t frame;
    capture_ns_t time;
    bool at_end;            /* found out only because the capture ends here */
    bool clock_is_unusable; /* nothing may be concluded from times */
    const engine_settings_t *settings;
    const packet_t *packet;
    const ike_message_t *message;
    peer_t sender;
    const ike_sa_t *ike_sa;
    const exchange_t *exchange;
    const esp_sa_t *esp_sa;
    const notify_t *notify;
    const flip_t *flip;
    const loss_t *loss;
    const line_t *line;
    const icmp_report_t *icmp;    /* CHANGE_ICMP_ERROR */
    const announced_t *announced; /* CHANGE_LIFETIME_ANNOUNCED: of both peers, by peer */
    const syslog_line_t *syslog_line;
    unsigned phase;      /* CHANGE_LIFETIME_ANNOUNCED: 1 or 2 */
    unsigned revealed;   /* CHANGE_SEQUENCE: one of the bits of sequence.h, about `esp_sa` */
    bool same_endpoints; /* CHANGE_COPY: the copy has the same addresses and ports */
} change_t;

#endif
