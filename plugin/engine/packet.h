/* packet.h - what the observing side hands to the engine: one IPsec packet, as plain bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PACKET_H
#define IPSEC_ENGINE_PACKET_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/wire.h"

typedef enum {
    PACKET_IKE,          /* `bytes` starts at the IKE header; a non-ESP marker is stripped */
    PACKET_ESP,          /* `bytes` starts at the SPI (RFC 4303 2); AH too (RFC 4302 2), for it is a data plane alike */
    PACKET_ESP_FRAGMENT, /* the first IP fragment of an ESP packet, from the SPI on: the whole packet comes again if the rest is there */
    PACKET_NAT_KEEPALIVE, /* one byte 0xFF (RFC 3948 2.3); `bytes` may be empty */
    PACKET_ICMP_ERROR,    /* an ICMP or ICMPv6 error that quotes an IKE or ESP packet: evidence about the path, never traffic */
    PACKET_SYSLOG,        /* one or more syslog messages as in parse/syslog.h: evidence, never traffic */
} packet_kind_t;

/* What carries the packet's IKE message or ESP. */
typedef enum {
    ENCAPSULATION_NONE, /* ESP as IP protocol 50, IKE without a non-ESP marker */
    ENCAPSULATION_UDP,  /* ESP in UDP, IKE behind a non-ESP marker (RFC 3948) */
    ENCAPSULATION_TCP,  /* both in a TCP stream (RFC 9329): a new connection has a new port and is no NAT's doing */
    ENCAPSULATIONS
} encapsulation_t;

/* Where a packet was captured, as far as the capture says: which interface, and how many routers were still allowed to forward it. */
typedef struct {
    uint32_t interface; /* 1 and up; 0: the capture does not say */
    uint8_t hop_limit;  /* IPv4 TTL or IPv6 hop limit; 0: not known */
} capture_point_t;

/* One packet as captured. Everything is borrowed for the duration of the call that takes it. */
typedef struct {
    packet_kind_t kind;
    frame_t frame;
    capture_ns_t time; /* CAPTURE_TIME_NONE: the capture has no time for this frame */
    endpoint_t source; /* outer addresses and ports; for PACKET_ICMP_ERROR those of the quoted packet */
    endpoint_t destination;
    encapsulation_t encapsulation;
    bool is_ah;         /* PACKET_ESP: it is AH. SPIs of AH and ESP are different SAs (RFC 4301 4.1) */
    bool is_around_esp; /* AH with ESP of the same tunnel directly inside, which is handed over too: one packet of traffic */
    capture_point_t point;
    const uint8_t *bytes; /* may be NULL when `captured` is 0 */
    size_t captured;      /* bytes present */
    bool is_excerpt;      /* fewer than were captured: it was held back until it was known for what it is */
    size_t reported;      /* bytes on the wire, >= captured */
    bool is_ip_fragment;  /* the first IP fragment only. PACKET_IKE: the others may follow, and the whole message then comes again.
                           * PACKET_ESP: nobody puts fragments together, and `reported` says nothing */
    size_t ip_length; /* bytes of the IP packet in which it came in one piece; 0: unknown, or in several. PACKET_ICMP_ERROR: of the
                          * quoted packet */
    const char *hidden_by;    /* name of the protocol that Wireshark shows instead; static; NULL: it shows IPsec */
    const uint8_t *decrypted; /* PACKET_IKE: the inner payloads as decrypted by someone who may have had wrong keys; or NULL */
    size_t decrypted_length;

    /* PACKET_ICMP_ERROR only */
    packet_kind_t quoted; /* what the quoted packet is; PACKET_IKE with nothing captured in UDP encapsulation may as well be ESP */
    endpoint_t reporter;  /* who sent the error; port 0 */
    uint8_t icmp_type;
    uint8_t icmp_code;
    uint32_t icmp_mtu; /* of the next hop, where the packet did not fit; 0: not said */
} packet_t;

#endif
