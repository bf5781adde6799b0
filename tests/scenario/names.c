/* names.c - the word lists of the scenario language (numbers: IANA ikev2-parameters, ipsec-registry, isakmp-registry).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "names.h"

#include <glib.h>

static const exchange_name_t exchanges[] = {
    { "IKE_SA_INIT", 34, 2 },      { "IKE_AUTH", 35, 2 },        { "CREATE_CHILD_SA", 36, 2 }, { "INFORMATIONAL", 37, 2 },
    { "IKE_INTERMEDIATE", 43, 2 }, { "IKE_FOLLOWUP_KE", 44, 2 }, { "MAIN_MODE", 2, 1 },        { "AGGRESSIVE", 4, 1 },
    { "INFORMATIONAL_V1", 5, 1 },  { "TRANSACTION", 6, 1 },      { "QUICK_MODE", 32, 1 },      { "IKE_SESSION_RESUME", 38, 2 },
};

/* ESP sizes: 8 + IV + plaintext of about 100 bytes padded to the block + ICV. */
static const suite_name_t suites[] = {
    { "aes-cbc-sha256", 16, 16, 16, 12, 256, 12, 5, 4, 32, 136 },
    { "aes-cbc-sha1", 16, 16, 12, 12, 128, 2, 2, 2, 20, 132 },
    { "aes-cbc-sha384", 16, 16, 24, 12, 256, 13, 6, 5, 48, 144 },
    { "aes-cbc-sha512", 16, 16, 32, 12, 256, 14, 7, 6, 64, 152 },
    { "3des-sha1", 8, 8, 12, 3, 0, 2, 2, 2, 20, 124 },
    { "aes-gcm-16", 8, 1, 16, 20, 256, 0, 5, 4, 32, 132 },
    { "aes-gcm-12", 8, 1, 12, 19, 256, 0, 5, 4, 32, 128 },
    { "aes-gcm-8", 8, 1, 8, 18, 256, 0, 5, 4, 32, 124 },
    { "chacha20-poly1305", 8, 1, 16, 28, 0, 0, 5, 4, 32, 132 },
};

typedef struct {
    const char *name;
    int number;
} number_name_t;

static const number_name_t payloads_v2[] = {
    { "SA", 33 },      { "KE", 34 },   { "KEi", 34 },   { "KEr", 34 }, { "IDi", 35 }, { "IDr", 36 }, { "CERT", 37 },
    { "CERTREQ", 38 }, { "AUTH", 39 }, { "Nonce", 40 }, { "Ni", 40 },  { "Nr", 40 },  { "N", 41 },   { "D", 42 },
    { "V", 43 },       { "TSi", 44 },  { "TSr", 45 },   { "CP", 47 },  { "EAP", 48 },
};

static const number_name_t payloads_v1[] = {
    { "SA", 1 },     { "KE", 4 }, { "ID", 5 }, { "CERT", 6 }, { "CR", 7 },    { "HASH", 8 },  { "SIG", 9 },
    { "NONCE", 10 }, { "N", 11 }, { "D", 12 }, { "V", 13 },   { "NATD", 20 }, { "ATTR", 14 },
};

static const number_name_t notifies[] = {
    { "UNSUPPORTED_CRITICAL_PAYLOAD", 1 },
    { "INVALID_IKE_SPI", 4 },
    { "INVALID_SYNTAX", 7 },
    { "INVALID_MESSAGE_ID", 9 },
    { "INVALID_SPI", 11 },
    { "NO_PROPOSAL_CHOSEN", 14 },
    { "INVALID_KE_PAYLOAD", 17 },
    { "INVALID_ID_INFORMATION", 18 },
    { "CHILDLESS_IKEV2_SUPPORTED", 16418 },
    { "PAYLOAD_MALFORMED", 16 },
    { "AUTHENTICATION_FAILED", 24 },
    { "SINGLE_PAIR_REQUIRED", 34 },
    { "NO_ADDITIONAL_SAS", 35 },
    { "INTERNAL_ADDRESS_FAILURE", 36 },
    { "TS_UNACCEPTABLE", 38 },
    { "TEMPORARY_FAILURE", 43 },
    { "CHILD_SA_NOT_FOUND", 44 },
    { "INITIAL_CONTACT", 16384 },
    { "SET_WINDOW_SIZE", 16385 },
    { "NATD_S", 16388 },
    { "NATD_D", 16389 },
    { "COOKIE", 16390 },
    { "USE_TRANSPORT_MODE", 16391 },
    { "REKEY_SA", 16393 },
    { "ESP_TFC_PADDING_NOT_SUPPORTED", 16394 },
    { "MOBIKE_SUPPORTED", 16396 },
    { "UPDATE_SA_ADDRESSES", 16400 },
    { "COOKIE2", 16401 },
    { "AUTH_LIFETIME", 16403 },
    { "REDIRECT", 16407 },
    { "TICKET_OPAQUE", 16413 },
    { "REDIRECTED_FROM", 16408 },
    { "QCD_TOKEN", 16419 },
    { "EAP_ONLY_AUTHENTICATION", 16417 },
    { "FRAGMENTATION_SUPPORTED", 16430 },
    { "SIGNATURE_HASH_ALGORITHMS", 16431 },
    { "RESPONDER_LIFETIME", 24576 },
    { "INITIAL_CONTACT_V1", 24578 },
    { "R_U_THERE", 36136 },
    { "R_U_THERE_ACK", 36137 },
};

static const struct {
    const char *name;
    uint16_t group, size;
} groups[] = {
    { "modp1024", 2, 128 },  { "modp1536", 5, 192 }, { "modp2048", 14, 256 }, { "modp3072", 15, 384 },
    { "modp4096", 16, 512 }, { "ecp256", 19, 64 },   { "ecp384", 20, 96 },    { "x25519", 31, 32 },
};

const exchange_name_t *
exchange_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(exchanges); i++)
        if (g_str_equal(exchanges[i].name, name))
            return &exchanges[i];
    return NULL;
}

const suite_name_t *
suite_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(suites); i++)
        if (g_str_equal(suites[i].name, name))
            return &suites[i];
    return NULL;
}

static int
number_by_name(const number_name_t *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (g_str_equal(names[i].name, name))
            return names[i].number;
    return -1;
}

int
payload_type_by_name(const char *name, unsigned version)
{
    return version == 1 ? number_by_name(payloads_v1, G_N_ELEMENTS(payloads_v1), name)
                        : number_by_name(payloads_v2, G_N_ELEMENTS(payloads_v2), name);
}

int
notify_type_by_name(const char *name)
{
    return number_by_name(notifies, G_N_ELEMENTS(notifies), name);
}

bool
group_by_name(const char *name, uint16_t *ret_group, uint16_t *ret_size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (g_str_equal(groups[i].name, name)) {
            *ret_group = groups[i].group;
            *ret_size = groups[i].size;
            return true;
        }
    }
    return false;
}
