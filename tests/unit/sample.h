/* sample.h - IKE messages for the unit tests: real ones by name, others written in hexadecimal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_TEST_SAMPLE_H
#define IPSEC_TEST_SAMPLE_H

#include "engine/parse/ike_message.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define SAMPLE_MAX 2048

typedef struct {
    uint8_t bytes[SAMPLE_MAX];
    size_t length;
} sample_t;

/* "2120 22" -> bytes; spaces are ignored. Fails the test on anything else. */
sample_t sample_from_hex(const char *hex);

/* An IKE message around `body` (hexadecimal payloads) with SPIs 1111111111111111 and 2222222222222222. */
sample_t sample_message(uint8_t version, uint8_t next_payload, uint8_t exchange, uint8_t flags, uint32_t message_id,
                        const char *body);

/* A message with an SK payload of `body_length` zero bytes, whose first inner payload is `first_inner`. */
sample_t sample_encrypted(uint8_t first_inner, size_t body_length);

/* Parses copies in blocks of exactly the right size, so that a sanitizer sees any read beyond them.
 * `decrypted` may be NULL. */
bool sample_parse(const sample_t *message, const sample_t *decrypted, ike_message_t *ret_message);

/* The same for the first `captured` bytes of `message`. */
bool sample_parse_captured(const sample_t *message, size_t captured, const sample_t *decrypted, ike_message_t *ret_message);

/* The values no parse may produce, whatever it was fed. */
void assert_message_is_sane(const ike_message_t *message);

/* One real message, strongSwan to strongSwan; `decrypted` is what Wireshark makes of it with the right keys, NULL for clear. */
typedef struct {
    const char *name;
    const char *message;
    const char *decrypted;
} real_message_t;

typedef enum {
    REAL_SA_INIT_REQUEST,
    REAL_SA_INIT_RESPONSE,
    REAL_NO_PROPOSAL_CHOSEN,
    REAL_AUTH_REQUEST,
    REAL_AUTH_RESPONSE,
    REAL_REKEY_REQUEST,
    REAL_REKEY_REFUSED,
    REAL_DELETE_REQUEST,
    REAL_EMPTY_GCM,
    REAL_DELETE_GCM,
    REAL_V1_MAIN_1,
    REAL_V1_MAIN_6,
    REAL_V1_QUICK_1,
    REAL_V1_R_U_THERE,
    REAL_V1_NO_PROPOSAL,
    REAL_MESSAGES
} real_t;

extern const real_message_t real_messages[REAL_MESSAGES];

/* Parses a real message as captured, with its decryption where it has one. */
ike_message_t real_parse(real_t which);

#endif
