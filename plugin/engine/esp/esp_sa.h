/* esp_sa.h - one direction of a child SA (RFC 4301 4.1): an SPI, who sends on it, what was seen of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_ESP_SA_H
#define IPSEC_ENGINE_ESP_SA_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/esp/sequence.h"
#include "engine/finding.h"
#include "engine/packet.h"
#include "engine/syslog_line.h"

struct tunnel;
struct ike_sa;

/* So many different lengths that have the same remainder are no accident. */
#define ESP_LENGTHS_KEPT 5u
/* RFC 4303 3.3.3: a new SA counts from 1. One that is first seen with a later number than this is older than the capture. */
#define BIRTH_SEQUENCE_MAX 64u

/* Owned by its tunnel. Exists from its announcement in a readable negotiation or from its first packet on. */
typedef struct esp_sa {
    /* what every packet of it needs comes first, in as few cache lines as possible */
    struct tunnel *tunnel;
    struct esp_sa *next_in_index, **link_in_index; /* spi_index.h: its list, and what points to it there */
    sequence_t *sequence;       /* from the second packet on; owned; NULL: before, or its numbers are not followed */
    struct esp_sa *steady_back; /* the other SA of its pair, or NULL; borrowed; valid as `steady_since` is */
    uint32_t steady_since;      /* steady.c: the tunnel's turn for which packets that go on like the last reveal nothing; 0: none */
    uint32_t spi;               /* host order, chosen by the receiver */
    bool is_ah;                 /* AH (RFC 4302); an SA that was only announced may be either */
    bool is_around_esp;         /* AH whose packets hold ESP of the same tunnel: both together are one pair */
    bool is_cut;                /* the latest packet that was looked at closely was cut by the capture */
    bool has_namesake;          /* another SA has, or had, the same SPI */
    peer_t sender;
    encapsulation_t encapsulation; /* of the latest packet */
    uint8_t lengths_kept;
    uint16_t length_residues;       /* bit n: some packet's length is n modulo 16 */
    endpoint_t source, destination; /* of the latest packet */
    uint64_t packets, bytes;        /* bytes from the SPI on, on the wire */
    capture_ns_t last_time;
    frame_t last_frame;  /* FRAME_NONE: announced, not used yet */
    unsigned unanswered; /* its packets since the receiver last sent on its pair */
    capture_ns_t unanswered_since;
    capture_ns_t good_at;
    frame_t good_in; /* its last packet that was followed at once by one of its pair: it worked; FRAME_NONE: none was */
    uint16_t lengths[ESP_LENGTHS_KEPT]; /* the first different lengths of its packets, from the SPI to the ICV */

    frame_t first_frame; /* FRAME_NONE: announced, not used yet */
    capture_ns_t first_time;
    uint32_t negotiation;   /* which lineage of IKE SAs made it: tunnel_t.lineage at that time */
    frame_t unreachable_in; /* the receiver's own ICMP port unreachable quoted it; FRAME_NONE, also once the receiver is back */
    bool is_succeeded;      /* the next SPI of its line took over */

    uint32_t generation; /* child SA index within the tunnel (children.h); INDEX_NONE: which one is not known */
    bool is_loose;       /* one of several SPIs for several pairs, not told apart */
    uint32_t first_sequence;
    mark_t first_mark; /* of the packet with it */
    frame_t announced_in;
    frame_t deleted_in; /* FRAME_NONE: no DELETE seen */
    capture_ns_t deleted_at;
    confidence_t deleted_confidence;
    capture_ns_t unreachable_at;
    unsigned packets_since_unreachable;
    frame_t invalid_spi_in; /* INVALID_SPI named it */
    syslog_of_sa_t syslog;  /* log lines named it */
    capture_ns_t invalid_spi_at;
    bool invalid_spi_is_protected; /* it was decrypted: nobody else could have sent it */
    bool is_unannounced;           /* it began where every negotiation so far had been read, and none named it */
    const struct finding *desync;  /* the spi_desync that counts its packets, or NULL; borrowed */
    uint32_t line;                 /* id of the line of SPIs it is on (lifetime.h); 0: none */
} esp_sa_t;

esp_sa_t *esp_sa_new(struct tunnel *tunnel, uint32_t spi, peer_t sender);

/* This packet reports its SPI as invalid. */
void esp_sa_is_invalid(esp_sa_t *sa, const packet_t *report, bool is_protected);

/* The highest sequence number so far, its low half. */
uint32_t esp_sa_highest(const esp_sa_t *sa);

/* Did the capture see its first packets? */
bool esp_sa_saw_birth(const esp_sa_t *sa);

void esp_sa_free(esp_sa_t *sa);

/* What was lost on the way to the capture, and what the receiver would not take. */
typedef struct {
    uint64_t lost;                    /* estimate: sequence numbers never seen; the capture may have missed them */
    uint64_t too_old[REPLAY_WINDOWS]; /* packets that a replay window of REPLAY_WINDOW_LEAST << i would drop */
} esp_toll_t;

/* Adds those of an SA. */
void esp_sa_add_toll(const esp_sa_t *sa, esp_toll_t *toll);

/* A packet of this length was seen. True: it is a further length, of those that are kept. */
bool esp_sa_note_length(esp_sa_t *sa, size_t length);

#endif
