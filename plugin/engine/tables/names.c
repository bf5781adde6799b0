/* names.c - what are IKE's numbers called?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/tables/names.h"

typedef struct {
    uint16_t number;
    const char *name;
} name_row_t;

/* IANA ikev2-parameters, Transform Type 1 */
static const name_row_t encr_v2[] = {
    { .number = 1, .name = "DES-IV64" },
    { .number = 2, .name = "DES" },
    { .number = 3, .name = "3DES" },
    { .number = 4, .name = "RC5" },
    { .number = 5, .name = "IDEA" },
    { .number = 6, .name = "CAST" },
    { .number = 7, .name = "BLOWFISH" },
    { .number = 8, .name = "3IDEA" },
    { .number = 9, .name = "DES-IV32" },
    { .number = 11, .name = "NULL" },
    { .number = 12, .name = "AES-CBC" },
    { .number = 13, .name = "AES-CTR" },
    { .number = 14, .name = "AES-CCM-8" },
    { .number = 15, .name = "AES-CCM-12" },
    { .number = 16, .name = "AES-CCM-16" },
    { .number = 18, .name = "AES-GCM-8" },
    { .number = 19, .name = "AES-GCM-12" },
    { .number = 20, .name = "AES-GCM-16" },
    { .number = 21, .name = "NULL-AUTH-AES-GMAC" },
    { .number = 23, .name = "CAMELLIA-CBC" },
    { .number = 24, .name = "CAMELLIA-CTR" },
    { .number = 25, .name = "CAMELLIA-CCM-8" },
    { .number = 26, .name = "CAMELLIA-CCM-12" },
    { .number = 27, .name = "CAMELLIA-CCM-16" },
    { .number = 28, .name = "CHACHA20-POLY1305" },
    { .number = 29, .name = "AES-CCM-8-IIV" },
    { .number = 30, .name = "AES-GCM-16-IIV" },
    { .number = 31, .name = "CHACHA20-POLY1305-IIV" },
    { .number = 32, .name = "KUZNYECHIK-MGM-KTREE" },
    { .number = 33, .name = "MAGMA-MGM-KTREE" },
    { .number = 34, .name = "KUZNYECHIK-MGM-MAC-KTREE" },
    { .number = 35, .name = "MAGMA-MGM-MAC-KTREE" },
};

/* IANA ikev2-parameters, Transform Type 2 */
static const name_row_t prf_v2[] = {
    { .number = 1, .name = "PRF-HMAC-MD5" },          { .number = 2, .name = "PRF-HMAC-SHA1" },
    { .number = 3, .name = "PRF-HMAC-TIGER" },        { .number = 4, .name = "PRF-AES128-XCBC" },
    { .number = 5, .name = "PRF-HMAC-SHA2-256" },     { .number = 6, .name = "PRF-HMAC-SHA2-384" },
    { .number = 7, .name = "PRF-HMAC-SHA2-512" },     { .number = 8, .name = "PRF-AES128-CMAC" },
    { .number = 9, .name = "PRF-HMAC-STREEBOG-512" },
};

/* IANA ikev2-parameters, Transform Type 3 */
static const name_row_t integ_v2[] = {
    { .number = 0, .name = "no integrity" },       { .number = 1, .name = "HMAC-MD5-96" },
    { .number = 2, .name = "HMAC-SHA1-96" },       { .number = 3, .name = "DES-MAC" },
    { .number = 4, .name = "KPDK-MD5" },           { .number = 5, .name = "AES-XCBC-96" },
    { .number = 6, .name = "HMAC-MD5-128" },       { .number = 7, .name = "HMAC-SHA1-160" },
    { .number = 8, .name = "AES-CMAC-96" },        { .number = 9, .name = "AES-128-GMAC" },
    { .number = 10, .name = "AES-192-GMAC" },      { .number = 11, .name = "AES-256-GMAC" },
    { .number = 12, .name = "HMAC-SHA2-256-128" }, { .number = 13, .name = "HMAC-SHA2-384-192" },
    { .number = 14, .name = "HMAC-SHA2-512-256" },
};

/* IANA ikev2-parameters, Transform Type 4; IANA ipsec-registry, Group Description: the numbers are shared */
static const name_row_t ke_groups[] = {
    { .number = 0, .name = "no DH group" },        { .number = 1, .name = "MODP-768" },
    { .number = 2, .name = "MODP-1024" },          { .number = 3, .name = "EC2N-155" },
    { .number = 4, .name = "EC2N-185" },           { .number = 5, .name = "MODP-1536" },
    { .number = 14, .name = "MODP-2048" },         { .number = 15, .name = "MODP-3072" },
    { .number = 16, .name = "MODP-4096" },         { .number = 17, .name = "MODP-6144" },
    { .number = 18, .name = "MODP-8192" },         { .number = 19, .name = "ECP-256" },
    { .number = 20, .name = "ECP-384" },           { .number = 21, .name = "ECP-521" },
    { .number = 22, .name = "MODP-1024-160" },     { .number = 23, .name = "MODP-2048-224" },
    { .number = 24, .name = "MODP-2048-256" },     { .number = 25, .name = "ECP-192" },
    { .number = 26, .name = "ECP-224" },           { .number = 27, .name = "BRAINPOOL-P224R1" },
    { .number = 28, .name = "BRAINPOOL-P256R1" },  { .number = 29, .name = "BRAINPOOL-P384R1" },
    { .number = 30, .name = "BRAINPOOL-P512R1" },  { .number = 31, .name = "CURVE25519" },
    { .number = 32, .name = "CURVE448" },          { .number = 33, .name = "GOST3410-2012-256" },
    { .number = 34, .name = "GOST3410-2012-512" }, { .number = 35, .name = "ML-KEM-512" },
    { .number = 36, .name = "ML-KEM-768" },        { .number = 37, .name = "ML-KEM-1024" },
};

/* IANA ikev2-parameters, Transform Type 5; RFC 4304 2 for IKEv1 */
static const name_row_t esn[] = {
    { .number = 0, .name = "NO-ESN" },
    { .number = 1, .name = "ESN" },
};

/* IANA ipsec-registry, Encryption Algorithm (phase 1) */
static const name_row_t encr_v1_phase1[] = {
    { .number = 1, .name = "DES" },     { .number = 2, .name = "IDEA" },         { .number = 3, .name = "BLOWFISH" },
    { .number = 4, .name = "RC5" },     { .number = 5, .name = "3DES" },         { .number = 6, .name = "CAST" },
    { .number = 7, .name = "AES-CBC" }, { .number = 8, .name = "CAMELLIA-CBC" },
};

/* IANA ipsec-registry, Hash Algorithm (phase 1) */
static const name_row_t hash_v1[] = {
    { .number = 1, .name = "MD5" },      { .number = 2, .name = "SHA1" },     { .number = 3, .name = "TIGER" },
    { .number = 4, .name = "SHA2-256" }, { .number = 5, .name = "SHA2-384" }, { .number = 6, .name = "SHA2-512" },
};

/* IANA ipsec-registry, Authentication Method (phase 1); the last ones are XAUTH and hybrid drafts that are still in use */
static const name_row_t auth_method_v1[] = {
    { .number = 1, .name = "PSK" },
    { .number = 2, .name = "DSS-SIG" },
    { .number = 3, .name = "RSA-SIG" },
    { .number = 4, .name = "RSA-ENC" },
    { .number = 5, .name = "RSA-ENC-REVISED" },
    { .number = 9, .name = "ECDSA-256" },
    { .number = 10, .name = "ECDSA-384" },
    { .number = 11, .name = "ECDSA-521" },
    { .number = 64221, .name = "HYBRID-RSA" },
    { .number = 64222, .name = "HYBRID-RSA-RESP" },
    { .number = 65001, .name = "XAUTH-PSK" },
    { .number = 65002, .name = "XAUTH-PSK-RESP" },
    { .number = 65005, .name = "XAUTH-RSA" },
    { .number = 65006, .name = "XAUTH-RSA-RESP" },
};

/* IANA isakmp-registry, IPSEC ESP Transform Identifiers (phase 2) */
static const name_row_t encr_v1_phase2[] = {
    { .number = 1, .name = "DES-IV64" },      { .number = 2, .name = "DES" },
    { .number = 3, .name = "3DES" },          { .number = 4, .name = "RC5" },
    { .number = 5, .name = "IDEA" },          { .number = 6, .name = "CAST" },
    { .number = 7, .name = "BLOWFISH" },      { .number = 8, .name = "3IDEA" },
    { .number = 9, .name = "DES-IV32" },      { .number = 10, .name = "RC4" },
    { .number = 11, .name = "NULL" },         { .number = 12, .name = "AES-CBC" },
    { .number = 13, .name = "AES-CTR" },      { .number = 14, .name = "AES-CCM-8" },
    { .number = 15, .name = "AES-CCM-12" },   { .number = 16, .name = "AES-CCM-16" },
    { .number = 18, .name = "AES-GCM-8" },    { .number = 19, .name = "AES-GCM-12" },
    { .number = 20, .name = "AES-GCM-16" },   { .number = 21, .name = "SEED-CBC" },
    { .number = 22, .name = "CAMELLIA-CBC" }, { .number = 23, .name = "NULL-AUTH-AES-GMAC" },
};

/* IANA isakmp-registry, IPSEC Security Association Attributes: Authentication Algorithm (phase 2) */
static const name_row_t auth_v1_phase2[] = {
    { .number = 1, .name = "HMAC-MD5-96" },   { .number = 2, .name = "HMAC-SHA1-96" },  { .number = 3, .name = "DES-MAC" },
    { .number = 4, .name = "KPDK" },          { .number = 5, .name = "HMAC-SHA2-256" }, { .number = 6, .name = "HMAC-SHA2-384" },
    { .number = 7, .name = "HMAC-SHA2-512" }, { .number = 8, .name = "HMAC-RIPEMD" },   { .number = 9, .name = "AES-XCBC-MAC" },
    { .number = 10, .name = "SIG-RSA" },      { .number = 11, .name = "AES-128-GMAC" }, { .number = 12, .name = "AES-192-GMAC" },
    { .number = 13, .name = "AES-256-GMAC" },
};

/* IANA ikev2-parameters, Notify Message Types */
static const name_row_t notifies_v2[] = {
    { .number = 1, .name = "UNSUPPORTED_CRITICAL_PAYLOAD" },
    { .number = 4, .name = "INVALID_IKE_SPI" },
    { .number = 5, .name = "INVALID_MAJOR_VERSION" },
    { .number = 7, .name = "INVALID_SYNTAX" },
    { .number = 9, .name = "INVALID_MESSAGE_ID" },
    { .number = 11, .name = "INVALID_SPI" },
    { .number = 14, .name = "NO_PROPOSAL_CHOSEN" },
    { .number = 17, .name = "INVALID_KE_PAYLOAD" },
    { .number = 24, .name = "AUTHENTICATION_FAILED" },
    { .number = 34, .name = "SINGLE_PAIR_REQUIRED" },
    { .number = 35, .name = "NO_ADDITIONAL_SAS" },
    { .number = 36, .name = "INTERNAL_ADDRESS_FAILURE" },
    { .number = 37, .name = "FAILED_CP_REQUIRED" },
    { .number = 38, .name = "TS_UNACCEPTABLE" },
    { .number = 39, .name = "INVALID_SELECTORS" },
    { .number = 40, .name = "UNACCEPTABLE_ADDRESSES" },
    { .number = 41, .name = "UNEXPECTED_NAT_DETECTED" },
    { .number = 42, .name = "USE_ASSIGNED_HoA" },
    { .number = 43, .name = "TEMPORARY_FAILURE" },
    { .number = 44, .name = "CHILD_SA_NOT_FOUND" },
    { .number = 45, .name = "INVALID_GROUP_ID" },
    { .number = 46, .name = "AUTHORIZATION_FAILED" },
    { .number = 47, .name = "STATE_NOT_FOUND" },
    { .number = 48, .name = "TS_MAX_QUEUE" },
    { .number = 16384, .name = "INITIAL_CONTACT" },
    { .number = 16385, .name = "SET_WINDOW_SIZE" },
    { .number = 16386, .name = "ADDITIONAL_TS_POSSIBLE" },
    { .number = 16387, .name = "IPCOMP_SUPPORTED" },
    { .number = 16388, .name = "NAT_DETECTION_SOURCE_IP" },
    { .number = 16389, .name = "NAT_DETECTION_DESTINATION_IP" },
    { .number = 16390, .name = "COOKIE" },
    { .number = 16391, .name = "USE_TRANSPORT_MODE" },
    { .number = 16392, .name = "HTTP_CERT_LOOKUP_SUPPORTED" },
    { .number = 16393, .name = "REKEY_SA" },
    { .number = 16394, .name = "ESP_TFC_PADDING_NOT_SUPPORTED" },
    { .number = 16395, .name = "NON_FIRST_FRAGMENTS_ALSO" },
    { .number = 16396, .name = "MOBIKE_SUPPORTED" },
    { .number = 16397, .name = "ADDITIONAL_IP4_ADDRESS" },
    { .number = 16398, .name = "ADDITIONAL_IP6_ADDRESS" },
    { .number = 16399, .name = "NO_ADDITIONAL_ADDRESSES" },
    { .number = 16400, .name = "UPDATE_SA_ADDRESSES" },
    { .number = 16401, .name = "COOKIE2" },
    { .number = 16402, .name = "NO_NATS_ALLOWED" },
    { .number = 16403, .name = "AUTH_LIFETIME" },
    { .number = 16404, .name = "MULTIPLE_AUTH_SUPPORTED" },
    { .number = 16405, .name = "ANOTHER_AUTH_FOLLOWS" },
    { .number = 16406, .name = "REDIRECT_SUPPORTED" },
    { .number = 16407, .name = "REDIRECT" },
    { .number = 16408, .name = "REDIRECTED_FROM" },
    { .number = 16409, .name = "TICKET_LT_OPAQUE" },
    { .number = 16410, .name = "TICKET_REQUEST" },
    { .number = 16411, .name = "TICKET_ACK" },
    { .number = 16412, .name = "TICKET_NACK" },
    { .number = 16413, .name = "TICKET_OPAQUE" },
    { .number = 16414, .name = "LINK_ID" },
    { .number = 16415, .name = "USE_WESP_MODE" },
    { .number = 16416, .name = "ROHC_SUPPORTED" },
    { .number = 16417, .name = "EAP_ONLY_AUTHENTICATION" },
    { .number = 16418, .name = "CHILDLESS_IKEV2_SUPPORTED" },
    { .number = 16419, .name = "QUICK_CRASH_DETECTION" },
    { .number = 16420, .name = "IKEV2_MESSAGE_ID_SYNC_SUPPORTED" },
    { .number = 16421, .name = "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED" },
    { .number = 16422, .name = "IKEV2_MESSAGE_ID_SYNC" },
    { .number = 16423, .name = "IPSEC_REPLAY_COUNTER_SYNC" },
    { .number = 16424, .name = "SECURE_PASSWORD_METHODS" },
    { .number = 16425, .name = "PSK_PERSIST" },
    { .number = 16426, .name = "PSK_CONFIRM" },
    { .number = 16427, .name = "ERX_SUPPORTED" },
    { .number = 16428, .name = "IFOM_CAPABILITY" },
    { .number = 16429, .name = "SENDER_REQUEST_ID" },
    { .number = 16430, .name = "IKEV2_FRAGMENTATION_SUPPORTED" },
    { .number = 16431, .name = "SIGNATURE_HASH_ALGORITHMS" },
    { .number = 16432, .name = "CLONE_IKE_SA_SUPPORTED" },
    { .number = 16433, .name = "CLONE_IKE_SA" },
    { .number = 16434, .name = "PUZZLE" },
    { .number = 16435, .name = "USE_PPK" },
    { .number = 16436, .name = "PPK_IDENTITY" },
    { .number = 16437, .name = "NO_PPK_AUTH" },
    { .number = 16438, .name = "INTERMEDIATE_EXCHANGE_SUPPORTED" },
    { .number = 16439, .name = "IP4_ALLOWED" },
    { .number = 16440, .name = "IP6_ALLOWED" },
    { .number = 16441, .name = "ADDITIONAL_KEY_EXCHANGE" },
    { .number = 16442, .name = "USE_AGGFRAG" },
    { .number = 16443, .name = "SUPPORTED_AUTH_METHODS" },
    { .number = 16444, .name = "SA_RESOURCE_INFO" },
};

/* RFC 2408 3.14.1, RFC 2407 4.6.3, RFC 3706 5 */
static const name_row_t notifies_v1[] = {
    { .number = 1, .name = "INVALID-PAYLOAD-TYPE" },
    { .number = 2, .name = "DOI-NOT-SUPPORTED" },
    { .number = 3, .name = "SITUATION-NOT-SUPPORTED" },
    { .number = 4, .name = "INVALID-COOKIE" },
    { .number = 5, .name = "INVALID-MAJOR-VERSION" },
    { .number = 6, .name = "INVALID-MINOR-VERSION" },
    { .number = 7, .name = "INVALID-EXCHANGE-TYPE" },
    { .number = 8, .name = "INVALID-FLAGS" },
    { .number = 9, .name = "INVALID-MESSAGE-ID" },
    { .number = 10, .name = "INVALID-PROTOCOL-ID" },
    { .number = 11, .name = "INVALID-SPI" },
    { .number = 12, .name = "INVALID-TRANSFORM-ID" },
    { .number = 13, .name = "ATTRIBUTES-NOT-SUPPORTED" },
    { .number = 14, .name = "NO-PROPOSAL-CHOSEN" },
    { .number = 15, .name = "BAD-PROPOSAL-SYNTAX" },
    { .number = 16, .name = "PAYLOAD-MALFORMED" },
    { .number = 17, .name = "INVALID-KEY-INFORMATION" },
    { .number = 18, .name = "INVALID-ID-INFORMATION" },
    { .number = 19, .name = "INVALID-CERT-ENCODING" },
    { .number = 20, .name = "INVALID-CERTIFICATE" },
    { .number = 21, .name = "CERT-TYPE-UNSUPPORTED" },
    { .number = 22, .name = "INVALID-CERT-AUTHORITY" },
    { .number = 23, .name = "INVALID-HASH-INFORMATION" },
    { .number = 24, .name = "AUTHENTICATION-FAILED" },
    { .number = 25, .name = "INVALID-SIGNATURE" },
    { .number = 26, .name = "ADDRESS-NOTIFICATION" },
    { .number = 27, .name = "NOTIFY-SA-LIFETIME" },
    { .number = 28, .name = "CERTIFICATE-UNAVAILABLE" },
    { .number = 29, .name = "UNSUPPORTED-EXCHANGE-TYPE" },
    { .number = 30, .name = "UNEQUAL-PAYLOAD-LENGTHS" },
    { .number = 16384, .name = "CONNECTED" },
    { .number = 24576, .name = "RESPONDER-LIFETIME" },
    { .number = 24577, .name = "REPLAY-STATUS" },
    { .number = 24578, .name = "INITIAL-CONTACT" },
    { .number = 36136, .name = "R-U-THERE" },
    { .number = 36137, .name = "R-U-THERE-ACK" },
};

/* One registry: the numbers of one transform type in one number space. */
typedef struct {
    uint8_t type;
    const name_row_t *rows;
    size_t row_count;
} registry_t;

#define REGISTRY(transform_type, table)                                                                                            \
    {                                                                                                                              \
        .type = transform_type, .rows = table, .row_count = G_N_ELEMENTS(table)                                                    \
    }

static const registry_t registries_v2[] = {
    REGISTRY(TRANSFORM_ENCR, encr_v2), REGISTRY(TRANSFORM_PRF, prf_v2), REGISTRY(TRANSFORM_INTEG, integ_v2),
    REGISTRY(TRANSFORM_KE, ke_groups), REGISTRY(TRANSFORM_ESN, esn),
};

static const registry_t registries_v1_phase1[] = {
    REGISTRY(TRANSFORM_ENCR, encr_v1_phase1),
    REGISTRY(TRANSFORM_INTEG, hash_v1),
    REGISTRY(TRANSFORM_KE, ke_groups),
    REGISTRY(TRANSFORM_V1_AUTH_METHOD, auth_method_v1),
};

static const registry_t registries_v1_phase2[] = {
    REGISTRY(TRANSFORM_ENCR, encr_v1_phase2),
    REGISTRY(TRANSFORM_INTEG, auth_v1_phase2),
    REGISTRY(TRANSFORM_KE, ke_groups),
    REGISTRY(TRANSFORM_ESN, esn),
};

static const name_row_t transform_types[] = {
    { .number = TRANSFORM_ENCR, .name = "encryption" }, { .number = TRANSFORM_PRF, .name = "PRF" },
    { .number = TRANSFORM_INTEG, .name = "integrity" }, { .number = TRANSFORM_KE, .name = "DH group" },
    { .number = TRANSFORM_ESN, .name = "ESN" },         { .number = TRANSFORM_V1_AUTH_METHOD, .name = "authentication" },
};

static const char *
name_find(const name_row_t *rows, size_t row_count, uint16_t number)
{
    for (size_t i = 0; i < row_count; i++) {
        if (rows[i].number == number)
            return rows[i].name;
    }
    return NULL;
}

static const char *
transform_name(const registry_t *registries, size_t registry_count, const transform_t *transform)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (registries[i].type == transform->type)
            return name_find(registries[i].rows, registries[i].row_count, transform->id);
    }
    return NULL;
}

const char *
transform_type_name(uint8_t type)
{
    const char *name = name_find(transform_types, G_N_ELEMENTS(transform_types), type);

    return name ? name : "transform";
}

void
transform_describe(const transform_t *transform, unsigned major, uint8_t protocol, GString *out)
{
    const char *name;

    if (major == 2)
        name = transform_name(registries_v2, G_N_ELEMENTS(registries_v2), transform);
    else if (protocol == PROTOCOL_IKE)
        name = transform_name(registries_v1_phase1, G_N_ELEMENTS(registries_v1_phase1), transform);
    else
        name = transform_name(registries_v1_phase2, G_N_ELEMENTS(registries_v1_phase2), transform);
    if (name)
        g_string_append(out, name);
    else
        g_string_append_printf(out, "%s %u", transform_type_name(transform->type), transform->id);
    if (transform->key_length != 0)
        g_string_append_printf(out, "-%u", transform->key_length);
}

const char *
notify_name(unsigned major, uint16_t type)
{
    static char ring[8][16];
    static unsigned next;
    const char *name = major == 2 ? name_find(notifies_v2, G_N_ELEMENTS(notifies_v2), type)
                                  : name_find(notifies_v1, G_N_ELEMENTS(notifies_v1), type);
    char *text;

    if (name)
        return name;
    text = ring[next++ % G_N_ELEMENTS(ring)];
    g_snprintf(text, sizeof(ring[0]), "notify %u", type);
    return text;
}
