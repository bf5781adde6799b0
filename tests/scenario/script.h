/* script.h - a scenario as its author wrote it: peers, settings, a ladder of steps, and what is expected of the engine.
 *
 * Strings belong to the script's string chunk and live as long as the script.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_SCRIPT_H
#define SCENARIO_SCRIPT_H

#include "engine/engine.h"
#include "names.h"

#include <glib.h>

/* Where a line stands, for messages. */
typedef struct {
    const char *file;
    unsigned line;
} place_t;

/* The ways a story may be captured. DISTORTION_NONE is the story itself. */
typedef enum {
    DISTORTION_NONE,
    DISTORTION_DOUBLED,      /* each packet again 20 us later: mirror port */
    DISTORTION_REORDERED,    /* packets less than 1 ms apart in another order */
    DISTORTION_IPV6,         /* the same between IPv6 addresses */
    DISTORTION_ONLY_FORWARD, /* only what is sent towards the last peer of `peers` */
    DISTORTION_ONLY_BACK,    /* only what the last peer of `peers` sends */
    DISTORTION_MIDSTREAM,    /* the first packets are missing, for many numbers of first packets */
    DISTORTION_CUT,          /* the capture ends early, at each packet */
    DISTORTION_BOTH_SIDES,   /* each packet before and behind the NAT */
    DISTORTION_SNAPLEN_64,
    DISTORTION_SNAPLEN_96,
    DISTORTION_CLOCKLESS,         /* all times are zero */
    DISTORTION_TWO_POINTS,        /* near the first peer and near the last: two interfaces, two clocks that agree */
    DISTORTION_TWO_POINTS_AHEAD,  /* the second point's clock is an hour ahead; told apart by hop limit only */
    DISTORTION_TWO_POINTS_BEHIND, /* and two seconds behind; told apart by interface */
    DISTORTIONS
} distortion_t;

/* Two capture points: the first near the first peers, the second near the last. */
typedef struct {
    duration_ns_t offset; /* the second clock is ahead of the first by this, which may be less than 0 */
    bool both_outside;    /* no NAT between the two */
    bool by_hops;         /* one interface for both: only the hop limit tells them apart */
} two_points_t;

/* The word in scripts and in the summary; and how it is read back. DISTORTIONS: no such word. */
const char *distortion_name(distortion_t distortion);
distortion_t distortion_by_name(const char *name);

typedef struct {
    const char *name;     /* "N" */
    const char *argument; /* "REKEY_SA c"; NULL: none */
} payload_spec_t;

typedef enum { PROTECTION_CLEAR, PROTECTION_SK, PROTECTION_SKF, PROTECTION_V1 } protection_t;

/* One IKE message as written. */
typedef struct {
    const char *ike; /* name of the IKE SA; "none": SPIs are zero */
    const exchange_name_t *exchange;
    const char *label;  /* IKEv1: names the random message ID of a Quick Mode; NULL: the latest */
    int64_t message_id; /* -1: the next one of the requester; the one of the request */
    bool is_response;
    protection_t protection;
    uint16_t fragment, fragments; /* SKF only */
    GArray *payloads;             /* of payload_spec_t */
} message_spec_t;

typedef enum {
    ACT_MESSAGE,
    ACT_AGAIN,
    ACT_ESP,
    ACT_KEEPALIVE,
    ACT_ICMP,
    ACT_SYSLOG,
    ACT_STOP,
    ACT_ENDPOINT,
    ACT_QUIET,
    ACT_TCP,
    ACT_UDP
} act_t;

/* In how many IP packets, and does the capture see all? */
typedef enum { FRAGMENTS_NONE, FRAGMENTS_ALL, FRAGMENTS_FIRST_ONLY } fragments_t;

/* One line of the ladder. */
typedef struct {
    place_t place;
    const char *text; /* the line as written, without comment */
    act_t act;
    duration_ns_t wait;           /* since the step before */
    const char *from, *to;        /* peers; ACT_ENDPOINT: `from` only; NULL for ACT_QUIET and a general ACT_STOP */
    bool both;                    /* ACT_ESP: in both directions */
    message_spec_t message;       /* ACT_MESSAGE */
    const char *label;            /* ACT_MESSAGE: `as NAME`; ACT_AGAIN: which, NULL: the sender's last */
    const char *child;            /* ACT_ESP, ACT_STOP, ACT_SYSLOG */
    duration_ns_t every, lasting; /* ACT_ESP, ACT_KEEPALIVE: 0, 0: once; `lasting` 0: until stopped */
    int64_t sequence;             /* ACT_ESP: -1: the next */
    bool is_old;                  /* ACT_ESP: `sequence` comes out of its order, the count goes on where it was */
    const char *counter;          /* ACT_ESP: who counts: another has numbers and bytes of its own; NULL: the peer itself */
    uint32_t spi;                 /* ACT_ESP: instead of the child's; 0: the child's */
    uint32_t skip;                /* ACT_ESP: sequence numbers lost before it */
    uint16_t size;                /* ACT_ESP: bytes from the SPI on; 0: the suite's default */
    int encapsulation;            /* ACT_ESP: encapsulation_t; -1: that of the story at this point */
    bool is_ah;                   /* ACT_ESP: it is AH */
    bool is_around_esp;           /* ACT_ESP: AH whose ESP is another step */
    uint16_t to_port, from_port;  /* 0: the peer's present one */
    const char *to_address;       /* NULL: the peer's present one */
    const char *from_address;     /* NULL: the peer's present one */
    const char *hidden_by;        /* Wireshark shows the packet as this protocol; NULL: as IPsec */
    bool is_lost;                 /* never passes the second capture point on its way */
    bool is_forged;               /* ACT_MESSAGE: by somebody without keys; the peers know nothing of it */
    endpoint_t endpoint;          /* ACT_ENDPOINT: family ADDRESS_NONE: keep the address; port 0: keep the port */
    fragments_t fragments;        /* ACT_ESP */
    uint8_t icmp_type, icmp_code;
    int64_t icmp_mtu;     /* ACT_ICMP: -1: DEFAULT_MTU where it does not fit */
    bool icmp_is_brief;   /* quotes the headers only */
    const char *reporter; /* ACT_ICMP, ACT_SYSLOG: address text, NULL: the sender; the receiver */
    const char *form;     /* ACT_SYSLOG: whose message */
} step_t;

typedef enum {
    EXPECT_FINDING,
    EXPECT_NO,
    EXPECT_ALLOW,
    EXPECT_INCIDENT,
    EXPECT_STORY,  /* of some incident: a part of it */
    EXPECT_UNTOLD, /* no story says this */
    EXPECT_TUNNELS,
    EXPECT_STATE,
    EXPECT_EXCHANGE,
    EXPECT_TUNNEL,
    EXPECT_ROW,
    EXPECT_NAT,        /* of a peer */
    EXPECT_SOURCE,     /* the field ipsec.nat.source of a frame */
    EXPECT_DESTINATION /* ipsec.nat.destination */
} expect_kind_t;
typedef enum { WHERE_STEP, WHERE_END, WHERE_ANYWHERE } where_t;
typedef enum { KEYS_EITHER, KEYS_WITH, KEYS_WITHOUT } keys_t;

#define UNSAID (-1)
#define MANY UINT32_MAX

typedef struct {
    place_t place;
    const char *text;
    expect_kind_t kind;
    where_t where;
    unsigned step; /* WHERE_STEP: index of the step it stands under */
    keys_t keys;
    finding_id_t id; /* EXPECT_FINDING, EXPECT_NO, EXPECT_ALLOW, EXPECT_INCIDENT (root cause) */
    int severity;    /* UNSAID or severity_t */
    int confidence;  /* UNSAID or confidence_t */
    int grade;       /* UNSAID or nat_grade_t */
    int cause;       /* UNSAID or finding_id_t */
    unsigned count;  /* times; MANY: one or more */
    const char
        *word; /* EXPECT_STATE, EXPECT_EXCHANGE, EXPECT_NAT: the value; EXPECT_SOURCE, EXPECT_DESTINATION, EXPECT_STORY, EXPECT_UNTOLD: the words;
                         EXPECT_ROW: "flaps=1 rekeys_ok=2"; EXPECT_FINDING: what its text must contain, NULL: anything */
    const char *between; /* EXPECT_FINDING: "FROM > TO", between which capture points it says the loss is; NULL: anything */
    unsigned number;     /* EXPECT_TUNNELS, EXPECT_TUNNEL: the value; EXPECT_STATE, EXPECT_ROW, EXPECT_NAT: which tunnel */
    peer_t peer;         /* EXPECT_NAT */
    finding_id_t chain[16];
    unsigned chain_length;
} expectation_t;

typedef struct {
    const char *name;
    endpoint_t endpoint; /* as the capture shows it */
    bool is_natted;      /* its own endpoint is private */
} peer_spec_t;

typedef struct {
    bool is_skipped;
    bool may_also[FINDING_COUNT]; /* ids that this distortion may add, as the script explains */
} under_t;

typedef struct {
    place_t place;
    const char *name;
    GArray *peers; /* of peer_spec_t */
    const suite_name_t *ike_suite, *esp_suite;
    unsigned pad;            /* IKE senders pad to this many bytes where the cipher asks for less; 0: as little as they can */
    const char *ike_group;   /* word for the DH group of IKE SAs */
    const char *child_group; /* and of children that have a KE payload */
    GArray *steps;           /* of step_t */
    GArray *expectations;    /* of expectation_t */
    under_t under[DISTORTIONS];
    distortion_t seen;   /* the story itself is captured like this */
    unsigned seen_from;  /* DISTORTION_MIDSTREAM: packets missing; DISTORTION_CUT: packets kept */
    two_points_t points; /* DISTORTION_TWO_POINTS as the story itself */
    unsigned pref_grace, pref_one_way, pref_restart, pref_rekey, pref_window; /* 0: default */
} scenario_t;

typedef struct {
    GStringChunk *strings;
    GPtrArray *scenarios; /* of scenario_t *, owned */
} script_t;

/* Reads a script; `prelude_file` holds the blocks that `given` names. NULL: it has errors, which are printed. */
script_t *script_read(const char *file, const char *prelude_file);
void script_free(script_t *script);

#endif
