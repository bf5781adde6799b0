/* classify.c - what was an exchange for, with and without keys?
 *
 * Without keys an IKEv2 message still shows the type of its first encrypted payload (RFC 7296 3.14: the Next Payload field of the
 * Encrypted payload) and its length, which bounds the plaintext (tables/suite.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/classify.h"

#include "engine/ike/ike_sa.h"
#include "engine/tunnel.h"

/* Plaintext sizes in bytes (RFC 7296 3.10, 3.3, 3.13). */
#define TWO_NAT_DETECTIONS 56u      /* N(NAT_DETECTION_*) with a SHA-1 hash is 28 */
#define UPDATE_WITH_DETECTIONS 64u  /* and N(UPDATE_SA_ADDRESSES), 8 */
#define LARGEST_BARE_ERROR 40u      /* an error notify with an SPI or data; a success holds at least SA, nonce and selectors */
#define SMALLEST_CHILD_IN_AUTH 120u /* IDr 12, AUTH 24, SA 36, TSi 24, TSr 24 */
#define INVALID_KE_PLAIN 10u        /* N(INVALID_KE_PAYLOAD) with its 2 bytes of data */
#define DELETE_IKE_PLAIN 8u         /* D(IKE) names no SPI */
#define DELETE_CHILD_PLAIN 12u      /* D(ESP) names one at least */
#define SPI_BYTES 4u                /* of ESP and AH */
#define IKE_SPI_IN_PROPOSAL 8u      /* an IKE rekey's proposals carry the new SPI, those of IKE_SA_INIT do not (RFC 7296 3.3.1) */
#define EAP_RESULT_PLAIN 8u         /* EAP Success or Failure (RFC 3748 4.2) */
#define REKEY_NOTIFY_PLAIN 12u      /* N(REKEY_SA) names one SPI */
#define YOUNGEST_TO_REKEY SECONDS(2)
#define SMALLEST_NONCE 20u          /* payload header and 16 bytes (RFC 7296 2.10) */
#define LARGEST_SELECTORS_ALIKE 72u /* a key exchange payload up to this size may be mistaken for a pair of selectors */
#define NOT_FOUND_PLAIN 12u         /* N(CHILD_SA_NOT_FOUND) with an SPI */

static void
name(exchange_t *exchange, exchange_kind_t kind, confidence_t confidence)
{
    exchange->kind = kind;
    exchange->kind_confidence = confidence;
}

static bool
plaintext_bounds(const ike_sa_t *ike_sa, const ike_message_t *message, uint32_t *ret_least, uint32_t *ret_most)
{
    return ike_sa->suite_known && message->fragment_total <= 1 &&
           suite_plaintext(&ike_sa->suite, message->length, ret_least, ret_most);
}

static bool
plaintext_may_be(const ike_sa_t *ike_sa, const ike_message_t *message, uint32_t size)
{
    uint32_t least = 0, most = 0;
    return plaintext_bounds(ike_sa, message, &least, &most) && least <= size && size <= most;
}

static void
name_readable_create_child(exchange_t *exchange, const ike_message_t *request)
{
    const notify_t *rekey = ike_message_notify(request, NOTIFY_REKEY_SA);

    if (rekey != NULL) {
        name(exchange, EXCHANGE_CHILD_REKEY, CONFIDENCE_OBSERVED);
        exchange->rekeyed_spi = (uint32_t)rekey->spi;
    } else if (request->has_sa && request->sa.proposals > 0 && request->sa.proposal[0].protocol == PROTOCOL_IKE) {
        name(exchange, EXCHANGE_IKE_REKEY, CONFIDENCE_OBSERVED);
    } else {
        name(exchange, EXCHANGE_CHILD_CREATE, CONFIDENCE_OBSERVED);
    }
}

/* An IKE rekey holds what IKE_SA_INIT held, with an SPI in each proposal and no more (RFC 7296 1.3.2), as long as the configuration
 * stays the same. */
static bool
may_be_ike_rekey(const ike_sa_t *ike_sa, const ike_message_t *message, const payload_sizes_t *sizes, unsigned proposals)
{
    return proposals > 0 && proposals < PROPOSALS_MAX && sizes->sa > 0 && sizes->ke > 0 && sizes->nonce > 0 &&
           plaintext_may_be(ike_sa, message, sizes->sa + IKE_SPI_IN_PROPOSAL * proposals + sizes->ke + sizes->nonce);
}

/* Padding to a cipher block may hide the difference to a child's selectors where the key exchange is small. */
static bool
has_size_of_ike_rekey(const ike_sa_t *ike_sa, const ike_message_t *message, const payload_sizes_t *sizes, unsigned proposals)
{
    bool is_distinct = ike_sa->suite.block == 1 || sizes->ke > LARGEST_SELECTORS_ALIKE;

    return is_distinct && may_be_ike_rekey(ike_sa, message, sizes, proposals);
}

/* Not even one proposal, the key exchange and the shortest nonce would fit. */
static bool
is_too_short_for_ike_rekey(const ike_sa_t *ike_sa, const ike_message_t *message)
{
    uint32_t least = 0, most = 0;

    return ike_sa->chosen.sa > 0 && ike_sa->chosen.ke > 0 && plaintext_bounds(ike_sa, message, &least, &most) &&
           most < ike_sa->chosen.sa + IKE_SPI_IN_PROPOSAL + ike_sa->chosen.ke + SMALLEST_NONCE;
}

/* Is there no child that a request could replace? The end of the last one was seen, or the first was made a moment ago. */
static bool
has_nothing_to_rekey(const exchange_t *exchange)
{
    const ike_sa_t *ike_sa = exchange->ike_sa;
    const tunnel_t *tunnel = ike_sa->tunnel;

    if (ike_sa->is_midstream || ike_sa->rekeyed_from != NULL)
        return false;
    duration_ns_t age = duration_between(ike_sa->established_at, exchange->first_sent_at);
    bool is_new = age > 0 && age < YOUNGEST_TO_REKEY;
    return is_new || (tunnel->had_child && tunnel->live_children == 0);
}

/* No child to rekey, and the IKE SA is another matter: it can be rekeyed without any. */
static bool
must_be_new_child(const exchange_t *exchange, const ike_message_t *request)
{
    const ike_sa_t *ike_sa = exchange->ike_sa;
    bool is_known = ike_sa->proposals_offered > 0 && ike_sa->suite_known;

    if (is_too_short_for_ike_rekey(ike_sa, request))
        return true;
    return has_nothing_to_rekey(exchange) && is_known &&
           !may_be_ike_rekey(ike_sa, request, &ike_sa->offered, ike_sa->proposals_offered);
}

/* RFC 7296 1.3.3 puts N(REKEY_SA) first and implementations do; the order is a SHOULD (2.5), so this is an inference. */
static void
name_create_child(exchange_t *exchange, const ike_message_t *request)
{
    if (request->is_readable)
        name_readable_create_child(exchange, request);
    else if (request->first_inner == PAYLOAD_NOTIFY && !has_nothing_to_rekey(exchange))
        name(exchange, EXCHANGE_CHILD_REKEY, CONFIDENCE_INFERRED);
    else if (has_size_of_ike_rekey(exchange->ike_sa, request, &exchange->ike_sa->offered, exchange->ike_sa->proposals_offered))
        name(exchange, EXCHANGE_IKE_REKEY, CONFIDENCE_INFERRED);
    else if (must_be_new_child(exchange, request))
        name(exchange, EXCHANGE_CHILD_CREATE, CONFIDENCE_INFERRED);
    else
        name(exchange, EXCHANGE_CREATE_CHILD_SA, CONFIDENCE_INFERRED);
}

static bool
holds_only_nat_detection(const ike_message_t *message)
{
    if (message->notifies == 0)
        return false;
    for (unsigned i = 0; i < message->notifies; i++) {
        if (message->notify[i].type != NOTIFY_NAT_DETECTION_SOURCE_IP &&
            message->notify[i].type != NOTIFY_NAT_DETECTION_DESTINATION_IP)
            return false;
    }
    return message->notifies == message->payloads;
}

static void
name_readable_informational(exchange_t *exchange, const ike_message_t *request)
{
    if (request->delete_protocol == PROTOCOL_IKE)
        name(exchange, EXCHANGE_DELETE_IKE, CONFIDENCE_OBSERVED);
    else if (request->delete_protocol != 0)
        name(exchange, EXCHANGE_DELETE_CHILD, CONFIDENCE_OBSERVED);
    else if (request->payloads == 0 || holds_only_nat_detection(request))
        name(exchange, EXCHANGE_DPD, CONFIDENCE_OBSERVED);
    else if (ike_message_notify(request, NOTIFY_UPDATE_SA_ADDRESSES) != NULL)
        name(exchange, EXCHANGE_MOBIKE, CONFIDENCE_OBSERVED);
    else if (request->has_configuration)
        name(exchange, EXCHANGE_CONFIG, CONFIDENCE_OBSERVED);
    else
        name(exchange, EXCHANGE_NOTIFY, CONFIDENCE_OBSERVED);
}

/* A Delete payload is 8 bytes and 4 per SPI (RFC 7296 3.11). A message without room for just that was padded at will. */
static bool
has_size_of_delete(uint32_t least, uint32_t most)
{
    return (least <= DELETE_IKE_PLAIN && most >= DELETE_IKE_PLAIN) ||
           (most >= DELETE_CHILD_PLAIN && most / SPI_BYTES * SPI_BYTES >= least);
}

/* Where the block size allows it, the length tells whether SPIs are named; else the answer will (RFC 7296 1.4.1). */
static void
name_delete(exchange_t *exchange, const ike_message_t *request)
{
    uint32_t least = 0, most = 0;

    if (!plaintext_bounds(exchange->ike_sa, request, &least, &most) || !has_size_of_delete(least, most) ||
        (least <= DELETE_IKE_PLAIN && most >= DELETE_CHILD_PLAIN))
        name(exchange, EXCHANGE_DELETE, CONFIDENCE_OBSERVED);
    else
        name(exchange, most < DELETE_CHILD_PLAIN ? EXCHANGE_DELETE_IKE : EXCHANGE_DELETE_CHILD, CONFIDENCE_INFERRED);
}

static void
name_informational(exchange_t *exchange, const ike_message_t *request)
{
    if (request->is_readable) {
        name_readable_informational(exchange, request);
        return;
    }
    switch (request->first_inner) {
    case PAYLOAD_NONE: /* the clear Next Payload byte says that nothing is inside */
        name(exchange, EXCHANGE_DPD, CONFIDENCE_OBSERVED);
        break;
    case PAYLOAD_DELETE:
        name_delete(exchange, request);
        break;
    case PAYLOAD_CONFIGURATION:
        name(exchange, EXCHANGE_CONFIG, CONFIDENCE_OBSERVED);
        break;
    case PAYLOAD_NOTIFY:
        /* A liveness check with MOBIKE behind a NAT carries the two NAT detection hashes (RFC 4555 3.8). */
        if (plaintext_may_be(exchange->ike_sa, request, TWO_NAT_DETECTIONS))
            name(exchange, EXCHANGE_DPD, CONFIDENCE_INFERRED);
        else if (plaintext_may_be(exchange->ike_sa, request, UPDATE_WITH_DETECTIONS))
            name(exchange, EXCHANGE_MOBIKE, CONFIDENCE_INFERRED);
        else
            name(exchange, EXCHANGE_NOTIFY, CONFIDENCE_INFERRED);
        break;
    default:
        name(exchange, EXCHANGE_INFORMATIONAL, CONFIDENCE_INFERRED);
        break;
    }
}

static void
name_ikev1(exchange_t *exchange, const ike_message_t *request)
{
    if (exchange->exchange_type != IKEV1_INFORMATIONAL || !request->is_readable) {
        static const struct {
            uint8_t type;
            exchange_kind_t kind;
        } rows[] = {
            { IKEV1_MAIN_MODE, EXCHANGE_MAIN_MODE },   { IKEV1_AGGRESSIVE, EXCHANGE_AGGRESSIVE_MODE },
            { IKEV1_QUICK_MODE, EXCHANGE_QUICK_MODE }, { IKEV1_TRANSACTION, EXCHANGE_TRANSACTION },
            { IKEV1_NEW_GROUP, EXCHANGE_NEW_GROUP },   { IKEV1_INFORMATIONAL, EXCHANGE_INFORMATIONAL },
        };
        name(exchange, EXCHANGE_UNKNOWN, CONFIDENCE_INFERRED);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
            if (rows[i].type == exchange->exchange_type)
                name(exchange, rows[i].kind, CONFIDENCE_OBSERVED);
        }
        return;
    }
    if (request->delete_protocol == PROTOCOL_IKE)
        name(exchange, EXCHANGE_DELETE_IKE, CONFIDENCE_OBSERVED);
    else if (request->delete_protocol != 0)
        name(exchange, EXCHANGE_DELETE_CHILD, CONFIDENCE_OBSERVED);
    else if (ike_message_notify(request, NOTIFY_V1_R_U_THERE) != NULL ||
             ike_message_notify(request, NOTIFY_V1_R_U_THERE_ACK) != NULL)
        name(exchange, EXCHANGE_DPD, CONFIDENCE_OBSERVED);
    else
        name(exchange, EXCHANGE_NOTIFY, CONFIDENCE_OBSERVED);
}

static void
keep_content(exchange_t *exchange, const ike_message_t *request)
{
    if (!request->is_readable)
        return;
    if (request->has_sa && request->sa.proposals > 0 && exchange->offer == NULL)
        exchange->offer = g_memdup2(&request->sa, sizeof(request->sa));
    exchange->request_group = request->ke_group;
    if (request->selectors_i[0] != '\0')
        g_strlcpy(exchange->selectors_i, request->selectors_i, sizeof(exchange->selectors_i));
    if (request->selectors_r[0] != '\0')
        g_strlcpy(exchange->selectors_r, request->selectors_r, sizeof(exchange->selectors_r));
    exchange->deleted_spis = request->deleted_spis;
    for (unsigned i = 0; i < request->deleted_spis; i++)
        exchange->deleted_spi[i] = request->deleted_spi[i];
}

exchange_kind_t
classify_exchange_type(uint8_t exchange_type)
{
    static const struct {
        uint8_t type;
        exchange_kind_t kind;
    } rows[] = {
        { IKEV2_SA_INIT, EXCHANGE_IKE_SA_INIT },
        { IKEV2_AUTH, EXCHANGE_IKE_AUTH },
        { IKEV2_CREATE_CHILD_SA, EXCHANGE_CREATE_CHILD_SA },
        { IKEV2_INFORMATIONAL, EXCHANGE_INFORMATIONAL },
        { IKEV2_SESSION_RESUME, EXCHANGE_SESSION_RESUME },
        { IKEV2_INTERMEDIATE, EXCHANGE_INTERMEDIATE },
        { IKEV2_FOLLOWUP_KE, EXCHANGE_FOLLOWUP_KE },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].type == exchange_type)
            return rows[i].kind;
    }
    return EXCHANGE_UNKNOWN;
}

void
classify_request(exchange_t *exchange, const ike_message_t *request)
{
    exchange->fingerprint = request->fingerprint;
    exchange->request_length = request->length;
    exchange->request_inner = request->first_inner;
    exchange->request_sizes = request->sizes;
    keep_content(exchange, request);
    if (request->major == 1) {
        name_ikev1(exchange, request);
        return;
    }
    if (request->exchange_type == IKEV2_CREATE_CHILD_SA)
        name_create_child(exchange, request);
    else if (request->exchange_type == IKEV2_INFORMATIONAL)
        name_informational(exchange, request);
    else
        name(exchange, classify_exchange_type(request->exchange_type), CONFIDENCE_OBSERVED);
}

static void
refuse(exchange_t *exchange, confidence_t confidence, uint16_t error, bool exact)
{
    exchange->is_refused = true;
    exchange->refusal_confidence = confidence;
    exchange->error = error;
    exchange->error_is_exact = exact;
}

/* A Notify first and too little room for SA, nonce and selectors: an error, not a success with a status notify in front. */
static void
judge_size_of_create_child(exchange_t *exchange, const ike_message_t *response)
{
    uint32_t least = 0, most = 0;

    if (response->first_inner != PAYLOAD_NOTIFY)
        return;
    if (!plaintext_bounds(exchange->ike_sa, response, &least, &most))
        most = suite_plaintext_upper_bound(response->length);
    if (most > LARGEST_BARE_ERROR)
        return;
    uint16_t error = 0;
    if (least == most && most == INVALID_KE_PLAIN)
        error = NOTIFY_INVALID_KE_PAYLOAD;
    else if (least == most && most == NOT_FOUND_PLAIN)
        error = NOTIFY_CHILD_SA_NOT_FOUND;
    refuse(exchange, CONFIDENCE_INFERRED, error, false);
}

/* N(USE_TRANSPORT_MODE) and the like are answered in kind, N(REKEY_SA) is not (RFC 7296 1.3.1, 1.3.3): then the answer is shorter. */
static bool
is_shorter_by_rekey_notify(const exchange_t *exchange, const ike_message_t *response)
{
    return exchange->ike_sa->suite_known && exchange->ike_sa->suite.block == 1 &&
           exchange->request_length >= response->length + REKEY_NOTIFY_PLAIN;
}

/* What the request alone left open. */
static void
name_answered_create_child(exchange_t *exchange, const ike_message_t *response)
{
    const ike_sa_t *ike_sa = exchange->ike_sa;
    bool is_open = exchange->kind == EXCHANGE_CREATE_CHILD_SA ||
                   (exchange->kind == EXCHANGE_IKE_REKEY && exchange->kind_confidence == CONFIDENCE_INFERRED);

    if (exchange->is_refused)
        return;
    if (exchange->kind == EXCHANGE_CHILD_REKEY && exchange->kind_confidence == CONFIDENCE_INFERRED &&
        response->first_inner == PAYLOAD_NOTIFY && !is_shorter_by_rekey_notify(exchange, response))
        name(exchange, EXCHANGE_CREATE_CHILD_SA, CONFIDENCE_INFERRED);
    if (!is_open)
        return;
    if (is_too_short_for_ike_rekey(ike_sa, response))
        name(exchange, EXCHANGE_CHILD_CREATE, CONFIDENCE_INFERRED);
    else if (exchange->kind == EXCHANGE_IKE_REKEY && !has_size_of_ike_rekey(ike_sa, response, &ike_sa->chosen, 1))
        name(exchange, EXCHANGE_CREATE_CHILD_SA, CONFIDENCE_INFERRED);
}

bool
classify_auth_may_be_refused(const struct ike_sa *ike_sa, const ike_message_t *response)
{
    uint32_t least = 0, most = suite_plaintext_upper_bound(response->length);

    if (response->is_readable || response->fragment_total > 1)
        return false;
    if (response->first_inner == PAYLOAD_EAP)
        return plaintext_may_be(ike_sa, response, EAP_RESULT_PLAIN);
    if (response->first_inner != PAYLOAD_NOTIFY)
        return false;
    (void)plaintext_bounds(ike_sa, response, &least, &most);
    return most <= LARGEST_BARE_ERROR;
}

/* RFC 7296 1.4.1: the answer to a child's DELETE names the paired SAs, the answer to the IKE SA's is empty; so is the one to a child's
 * that its receiver had deleted too. */
static void
name_answered_delete(exchange_t *exchange, const ike_message_t *response)
{
    bool is_read = exchange->kind != EXCHANGE_DELETE && exchange->kind_confidence == CONFIDENCE_OBSERVED;

    if (is_read)
        return;
    if (response->first_inner == PAYLOAD_DELETE)
        name(exchange, EXCHANGE_DELETE_CHILD, CONFIDENCE_INFERRED);
    else if (response->first_inner == PAYLOAD_NONE && exchange->kind == EXCHANGE_DELETE)
        name(exchange, EXCHANGE_DELETE_IKE, CONFIDENCE_INFERRED);
}

/* RFC 4555 3.5: who is asked to look for a NAT answers with the hashes of its own. An empty answer acknowledges something else. */
static void
name_answered_notify(exchange_t *exchange, const ike_message_t *response)
{
    uint32_t least = 0, most = 0;

    if (response->first_inner == PAYLOAD_NONE)
        name(exchange, EXCHANGE_NOTIFY, CONFIDENCE_INFERRED);
    else if (response->first_inner == PAYLOAD_NOTIFY && exchange->kind == EXCHANGE_NOTIFY &&
             plaintext_bounds(exchange->ike_sa, response, &least, &most) && most >= TWO_NAT_DETECTIONS &&
             suite_plaintext(&exchange->ike_sa->suite, exchange->request_length, &least, &most) && most >= UPDATE_WITH_DETECTIONS)
        name(exchange, EXCHANGE_MOBIKE, CONFIDENCE_INFERRED);
}

static void
name_answered_informational(exchange_t *exchange, const ike_message_t *response)
{
    if (exchange_is_delete(exchange))
        name_answered_delete(exchange, response);
    else if (exchange->request_inner == PAYLOAD_NOTIFY && exchange->kind_confidence == CONFIDENCE_INFERRED)
        name_answered_notify(exchange, response);
}

void
classify_response(exchange_t *exchange, const ike_message_t *response)
{
    if (response->is_readable) {
        const notify_t *error = ike_message_error(response);
        if (error != NULL && exchange->exchange_type != IKEV2_INFORMATIONAL) {
            refuse(exchange, CONFIDENCE_OBSERVED, error->type, true);
            if (error->type == NOTIFY_INVALID_KE_PAYLOAD)
                exchange->wanted_group = (uint16_t)error->data;
        }
        if (error == NULL && response->has_eap && response->eap_code == EAP_FAILURE) {
            refuse(exchange, CONFIDENCE_OBSERVED, NOTIFY_AUTHENTICATION_FAILED, true);
            exchange->is_eap_failure = true;
        }
        return;
    }
    switch (exchange->exchange_type) {
    case IKEV2_CREATE_CHILD_SA:
        judge_size_of_create_child(exchange, response);
        name_answered_create_child(exchange, response);
        break;
    case IKEV2_INFORMATIONAL:
        name_answered_informational(exchange, response);
        break;
    default:
        break;
    }
}

bool
classify_auth_may_hold_child(const struct ike_sa *ike_sa, const ike_message_t *response)
{
    uint32_t least = 0, most = 0;

    if (response->is_readable)
        return response->has_sa;
    if (response->first_inner != PAYLOAD_IDR || response->fragment_total > 1)
        return true;
    return !plaintext_bounds(ike_sa, response, &least, &most) || most >= SMALLEST_CHILD_IN_AUTH;
}
