/* ike_message.h - one IKE message (RFC 7296 3, RFC 2408 3) as plain values.
 *
 * The header is always clear. Payloads are read from clear messages, and from decrypted bytes only when the decrypted
 * payload chain adds up exactly: bytes decrypted with wrong keys are rejected here, once, for everybody.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_MESSAGE_H
#define IPSEC_ENGINE_IKE_MESSAGE_H

#include "engine/base.h"
#include "engine/wire.h"

#include <glib.h>

/* Exchange types (IANA ikev2-parameters and ipsec-registry; the two versions do not overlap but for 5 vs 37). */
enum {
    IKEV1_MAIN_MODE = 2,
    IKEV1_AGGRESSIVE = 4,
    IKEV1_INFORMATIONAL = 5,
    IKEV1_TRANSACTION = 6,
    IKEV1_QUICK_MODE = 32,
    IKEV1_NEW_GROUP = 33,
    IKEV2_SA_INIT = 34,
    IKEV2_AUTH = 35,
    IKEV2_CREATE_CHILD_SA = 36,
    IKEV2_INFORMATIONAL = 37,
    IKEV2_SESSION_RESUME = 38,
    IKEV2_INTERMEDIATE = 43,
    IKEV2_FOLLOWUP_KE = 44,
};

/* Payload types used by name (RFC 7296 3.2, RFC 2408 3.1). */
enum {
    PAYLOAD_NONE = 0,
    PAYLOAD_V1_SA = 1,
    PAYLOAD_V1_KE = 4,
    PAYLOAD_V1_ID = 5,
    PAYLOAD_V1_HASH = 8,
    PAYLOAD_V1_NONCE = 10,
    PAYLOAD_V1_NOTIFY = 11,
    PAYLOAD_V1_DELETE = 12,
    PAYLOAD_V1_NAT_D = 20,        /* RFC 3947 3.2 */
    PAYLOAD_V1_NAT_D_DRAFT = 130, /* the drafts before it, still in use */
    PAYLOAD_SA = 33,
    PAYLOAD_KE = 34,
    PAYLOAD_IDI = 35,
    PAYLOAD_IDR = 36,
    PAYLOAD_AUTH = 39,
    PAYLOAD_NONCE = 40,
    PAYLOAD_NOTIFY = 41,
    PAYLOAD_DELETE = 42,
    PAYLOAD_TSI = 44,
    PAYLOAD_TSR = 45,
    PAYLOAD_ENCRYPTED = 46,
    PAYLOAD_CONFIGURATION = 47,
    PAYLOAD_EAP = 48,
    PAYLOAD_FRAGMENT = 53, /* SKF, RFC 7383 */
    PAYLOAD_UNKNOWN = 255, /* not a wire value: the type cannot be seen */
};

/* Notify message types used by name (RFC 7296 3.10.1; IKEv1: RFC 2408 3.14.1, RFC 3706). */
enum {
    NOTIFY_INVALID_IKE_SPI = 4,
    NOTIFY_INVALID_SYNTAX = 7,
    NOTIFY_INVALID_SPI = 11,
    NOTIFY_NO_PROPOSAL_CHOSEN = 14,
    NOTIFY_INVALID_KE_PAYLOAD = 17,
    NOTIFY_V1_INVALID_ID_INFORMATION = 18,
    NOTIFY_AUTHENTICATION_FAILED = 24,
    NOTIFY_SINGLE_PAIR_REQUIRED = 34,
    NOTIFY_NO_ADDITIONAL_SAS = 35,
    NOTIFY_TS_UNACCEPTABLE = 38,
    NOTIFY_TEMPORARY_FAILURE = 43,
    NOTIFY_CHILD_SA_NOT_FOUND = 44,
    NOTIFY_ERROR_MAX = 16383, /* IKEv2: this and below are errors */
    NOTIFY_INITIAL_CONTACT = 16384,
    NOTIFY_NAT_DETECTION_SOURCE_IP = 16388,
    NOTIFY_NAT_DETECTION_DESTINATION_IP = 16389,
    NOTIFY_COOKIE = 16390,
    NOTIFY_REKEY_SA = 16393,
    NOTIFY_MOBIKE_SUPPORTED = 16396,
    NOTIFY_UPDATE_SA_ADDRESSES = 16400,
    NOTIFY_AUTH_LIFETIME = 16403, /* RFC 4478 */
    NOTIFY_REDIRECT = 16407,      /* RFC 5685 */
    NOTIFY_REDIRECTED_FROM = 16408,
    NOTIFY_CHILDLESS_SUPPORTED = 16418, /* RFC 6023 */
    NOTIFY_QCD_TOKEN = 16419,
    NOTIFY_V1_RESPONDER_LIFETIME = 24576, /* RFC 2407 4.6.3.1 */
    NOTIFY_V1_R_U_THERE = 36136,
    NOTIFY_V1_R_U_THERE_ACK = 36137,
};

enum { EAP_SUCCESS = 3, EAP_FAILURE = 4 };

/* Security protocol identifiers (RFC 7296 3.3.1; IKEv1's ISAKMP, AH, ESP have the same numbers 1, 2, 3). */
enum { PROTOCOL_IKE = 1, PROTOCOL_AH = 2, PROTOCOL_ESP = 3 };

/* Transform types (RFC 7296 3.3.2). IKEv1 attributes are mapped onto them; the IDs keep their own version's numbers. */
typedef enum {
    TRANSFORM_ENCR = 1,
    TRANSFORM_PRF = 2,
    TRANSFORM_INTEG = 3,
    TRANSFORM_KE = 4, /* DH group */
    TRANSFORM_ESN = 5,
    TRANSFORM_V1_AUTH_METHOD = 240, /* not a wire value of IKEv2: IKEv1 phase 1 negotiates it beside the others (RFC 2409 A) */
} transform_type_t;

#define TRANSFORMS_MAX 48
#define PROPOSALS_MAX 12
#define NOTIFIES_MAX 12
#define DELETED_SPIS_MAX 32
#define SELECTOR_TEXT_MAX 160
#define IDENTITY_TEXT_MAX 96

typedef struct {
    uint8_t type;        /* transform_type_t, or another wire value */
    uint16_t id;         /* IKEv2: IANA transform ID. IKEv1 phase 1: attribute value. IKEv1 phase 2: ENCR is the ESP transform ID */
    uint16_t key_length; /* bits; 0: not given */
} transform_t;

/* One proposal (IKEv2) or one transform of a proposal (IKEv1: each stands alone). */
typedef struct {
    uint8_t number;
    uint8_t protocol;    /* PROTOCOL_IKE, PROTOCOL_AH, PROTOCOL_ESP */
    uint8_t spi_size;    /* bytes */
    uint64_t spi;        /* host order; 0 when spi_size is 0 or above 8 */
    unsigned transforms; /* used in `transform`; further ones on the wire are not kept */
    transform_t transform[TRANSFORMS_MAX];
    uint32_t life_seconds;   /* IKEv1 life duration in seconds; 0: not given */
    uint32_t life_kilobytes; /* IKEv1 life duration in kilobytes; 0: not given */
} proposal_t;

typedef struct {
    unsigned proposals; /* used in `proposal` */
    proposal_t proposal[PROPOSALS_MAX];
} proposal_list_t;

typedef struct {
    uint16_t type;
    uint8_t protocol;
    uint8_t spi_size;   /* bytes */
    uint64_t spi;       /* host order; 0 when spi_size is 0 or above 8 */
    size_t data_length; /* bytes on the wire */
    uint32_t data;      /* the first up to 4 data bytes as a big-endian number (2-byte data: the 16-bit value); 0: none */
    uint32_t life_seconds, life_kilobytes; /* RESPONDER-LIFETIME (RFC 2407 4.6.3.1) only; 0: not given */
} notify_t;

/* Bytes on the wire of the first payload of a type, generic header included; 0: none, or not readable. IKEv2 only. */
typedef struct {
    uint32_t sa, ke, nonce;
} payload_sizes_t;

/* Longest hash of NAT detection: SHA2-512. IKEv2 always uses SHA-1, IKEv1 the hash of phase 1. */
#define NAT_HASH_BYTES_MAX 64u
#define NAT_SOURCES_MAX 4u

typedef struct {
    uint8_t length; /* bytes used; 0: none */
    uint8_t bytes[NAT_HASH_BYTES_MAX];
} nat_digest_t;

/* The hashes by which a sender says which addresses and ports it knows (RFC 7296 2.23; RFC 3947 3.2). */
typedef struct {
    nat_digest_t destination; /* of where it sends to */
    unsigned sources;         /* used in `source` */
    nat_digest_t source[NAT_SOURCES_MAX];
    unsigned payloads;  /* IKEv1: NAT-D payloads so far, of any length */
    bool is_incomplete; /* there are more sources than are kept, or some of another length than a hash */
} nat_digests_t;

/* One message. Plain values, about 4 KiB: lives on the stack of whoever handles the packet. */
typedef struct {
    /* header */
    uint64_t spi_i;       /* host order; IKEv1: the initiator cookie */
    uint64_t spi_r;       /* 0 before the responder chose one */
    uint8_t next_payload; /* of the header */
    uint8_t major;        /* 1 or 2 */
    uint8_t exchange_type;
    bool from_original_initiator; /* IKEv2 I flag; false in IKEv1 */
    bool is_response;             /* IKEv2 R flag; false in IKEv1 */
    bool is_encrypted;            /* IKEv1 E flag; IKEv2: an SK or SKF payload is there */
    uint32_t message_id;          /* host order */
    uint32_t length;              /* the header's length field, bytes */

    /* the bytes */
    bool is_truncated;    /* cut by the capture (snaplen): what is missing is unknown, not wrong */
    bool is_malformed;    /* lengths that contradict each other; what was read before stays valid */
    uint64_t fingerprint; /* equal for equal bytes from the IKE header on (RFC 7296 2.1: a retransmission is bitwise identical) */

    /* what encryption leaves visible */
    uint8_t first_inner;      /* IKEv2: type of the first encrypted payload (the SK payload's Next Payload, RFC 7296 3.14),
                                 PAYLOAD_NONE for an empty message; PAYLOAD_UNKNOWN when not visible (clear messages,
                                 IKEv1, later fragments) */
    uint16_t fragment_number; /* RFC 7383 2.5, from 1; 0: not a fragment */
    uint16_t fragment_total;

    /* payloads: valid when `is_readable` */
    bool is_readable;  /* the message is clear, or its decryption was verified */
    bool is_decrypted; /* read from verified decrypted bytes */
    unsigned notifies;
    notify_t notify[NOTIFIES_MAX];
    uint8_t delete_protocol; /* 0: no Delete payload. If several, PROTOCOL_IKE wins */
    unsigned deleted_spis;   /* IPsec SPIs in Delete payloads: the sender's inbound SPIs (RFC 7296 1.4.1) */
    uint32_t deleted_spi[DELETED_SPIS_MAX];
    bool has_sa;
    proposal_list_t sa; /* of the first SA payload */
    bool has_ke;
    uint16_t ke_group; /* IKEv2 only; 0 otherwise */
    payload_sizes_t sizes;
    bool has_eap;
    uint8_t eap_code; /* RFC 3748 4; EAP_FAILURE among them */
    bool has_configuration;
    bool xauth_failed;                  /* IKEv1: an XAUTH-STATUS attribute says that the user was not authenticated */
    char identity_i[IDENTITY_TEXT_MAX]; /* IDi as text ("fqdn:a.example", "ipv4:192.0.2.1"); empty: none. IKEv1 phase 1: the
                                             sender's, whoever it is, for the message does not say; identity_r stays empty */
    char identity_r[IDENTITY_TEXT_MAX];
    char selectors_i[SELECTOR_TEXT_MAX]; /* TSi (IKEv2) or IDci of Quick Mode, "192.0.2.0/24 [proto 6 port 80]"; empty: none */
    char selectors_r[SELECTOR_TEXT_MAX];
    nat_digests_t nat;
    unsigned payloads; /* payloads read, all types */
} ike_message_t;

/* Parses the message at `bytes`. `captured` bytes are there, `reported` were on the wire. `decrypted` is what someone made of
 * the encrypted bytes, or NULL. IKEv2: inner payloads, padding and pad length, without IV and ICV (a fragment is believed only
 * if it is the only one). IKEv1: everything after the header, with its padding.
 * False: not an IKE message that can be accounted for (shorter than a header, or the major version is neither 1 nor 2);
 * `ret_message` says nothing then. Truncated and malformed messages are parsed as far as they go and say so. */
G_GNUC_WARN_UNUSED_RESULT bool ike_message_parse(const uint8_t *bytes, size_t captured, size_t reported, const uint8_t *decrypted,
                                                 size_t decrypted_length, ike_message_t *ret_message);

/* Bytes of an SKF payload's decrypted content without padding and pad length (RFC 7383 2.5). False: the padding is longer than that. */
G_GNUC_WARN_UNUSED_RESULT bool ike_message_fragment_plaintext(const uint8_t *decrypted, size_t decrypted_length,
                                                              size_t *ret_length);

/* Reads the inner payloads of a message put together from fragments: `message` is any of them with the `first_inner` of the first.
 * It becomes readable if the chain of payloads fills `plaintext` exactly; else it stays as it is. */
void ike_message_read_plaintext(const uint8_t *plaintext, size_t length, ike_message_t *message);

/* Is it of the exchange that begins an IKEv2 IKE SA, before there are keys: IKE_SA_INIT, or IKE_SESSION_RESUME (RFC 5723)? */
bool ike_message_is_init(const ike_message_t *message);

/* Is it of an exchange that only an authenticated IKEv2 IKE SA has (RFC 7296 1.3, 1.4)? */
bool ike_message_is_past_authentication(const ike_message_t *message);

/* The first notify of `type`, or NULL. Borrowed from `message`. */
const notify_t *ike_message_notify(const ike_message_t *message, uint16_t type);

/* The first notify that reports an error (IKEv2: types up to 16383; IKEv1: types 1 to 31), or NULL. Borrowed. */
const notify_t *ike_message_error(const ike_message_t *message);

/* "NO_PROPOSAL_CHOSEN"; "notify 1234" for unknown types. Static or from a small static ring: copy it to keep it. */
const char *notify_name(unsigned major, uint16_t type);

#endif
