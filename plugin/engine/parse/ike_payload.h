/* ike_payload.h - the bodies of IKE payloads, read into an ike_message_t. Internal to the parser.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_IKE_PAYLOAD_H
#define IPSEC_ENGINE_IKE_PAYLOAD_H

#include "engine/parse/cursor.h"
#include "engine/parse/ike_message.h"
#include "engine/parse/ike_text.h"

/* How much a payload must prove. */
typedef enum {
    READ_CLEAR,     /* as the peer sent it: what can be read is read */
    READ_DECRYPTED, /* perhaps decrypted with wrong keys: every field that a sender has no choice about must be right */
} reading_t;

/* Is this a payload type that a sender may put into an encrypted message? */
bool payload_v1_is_plausible(uint8_t type);
bool payload_v2_is_plausible(uint8_t type);

/* Reads the body (what follows the generic header) of a payload of `type` and adds what it says to `message`. Unknown types
 * are accepted unread. False: the body contradicts itself; what was read before the contradiction is kept. */
G_GNUC_WARN_UNUSED_RESULT bool payload_v1_read(uint8_t type, cursor_t body, reading_t reading, ike_message_t *message);
G_GNUC_WARN_UNUSED_RESULT bool payload_v2_read(uint8_t type, cursor_t body, reading_t reading, ike_message_t *message);

/* The SA payloads (RFC 7296 3.3; RFC 2408 3.4 to 3.6, RFC 2407 4.6.1). Fill `list` as far as they can be read. */
G_GNUC_WARN_UNUSED_RESULT bool sa_payload_v1_read(cursor_t body, reading_t reading, proposal_list_t *list);
G_GNUC_WARN_UNUSED_RESULT bool sa_payload_v2_read(cursor_t body, reading_t reading, proposal_list_t *list);

/* The life durations among the attributes that a RESPONDER-LIFETIME about an SA of `protocol` carries (RFC 2407 4.6.3.1).
 * False: the attributes are not all there; what was read before stays. */
G_GNUC_WARN_UNUSED_RESULT bool lifetime_v1_read(cursor_t attributes, uint8_t protocol, uint32_t *ret_seconds,
                                                uint32_t *ret_kilobytes);

/* The SPI of `size` bytes, in host order; 0 when `size` is 0 or above 8. False: too few bytes left. */
G_GNUC_WARN_UNUSED_RESULT bool spi_read(cursor_t *cursor, size_t size, uint64_t *ret_spi);

/* Reads SPI and data of a notify whose type, protocol and SPI size are in `notify`, and adds it to `message`. */
G_GNUC_WARN_UNUSED_RESULT bool notify_finish(cursor_t body, notify_t *notify, ike_message_t *message);

/* Keep a hash of NAT detection. One whose length no hash has is left out. */
void nat_source_keep(cursor_t hash, ike_message_t *message);
void nat_destination_keep(cursor_t hash, ike_message_t *message);

/* Reads `count` SPIs of `spi_size` bytes, which must be all of `spis`, and adds them to `message`. */
G_GNUC_WARN_UNUSED_RESULT bool delete_finish(cursor_t spis, uint8_t protocol, uint8_t spi_size, uint16_t count,
                                             ike_message_t *message);

/* A data attribute (RFC 7296 3.3.5, RFC 2408 3.3). */
typedef struct {
    uint16_t type;   /* without the format bit */
    bool is_short;   /* AF bit set: `number` is the 16-bit value, `value` is empty */
    uint64_t number; /* of a long attribute of 1 to 8 bytes; 0 for other sizes */
    cursor_t value;
} attribute_t;

G_GNUC_WARN_UNUSED_RESULT bool attribute_read(cursor_t *cursor, attribute_t *ret_attribute);

/* The byte before a proposal or a transform: `more` if another one follows, else 0, the same in both versions. Right in a clear
 * message whatever it says. */
bool more_marker_is_right(uint8_t marker, uint8_t more, bool is_last, reading_t reading);

/* The header of a proposal and its SPI, the same in both versions (RFC 7296 3.3.1, RFC 2408 3.5). `ret_transforms` is what follows
 * in it, `ret_announced` how many transforms that should be. False: the proposal contradicts itself. */
G_GNUC_WARN_UNUSED_RESULT bool proposal_header_read(cursor_t *proposals, reading_t reading, proposal_t *ret_proposal,
                                                    cursor_t *ret_transforms, uint8_t *ret_announced);

/* Adds a transform to `proposal` as far as there is room. */
void proposal_add_transform(proposal_t *proposal, uint8_t type, uint16_t id, uint16_t key_length);

/* Adds `proposal` to `list` as far as there is room. */
void proposal_list_add(proposal_list_t *list, const proposal_t *proposal);

#endif
