/* names.h - the short names of IKE's numbers, in the words of the IANA registries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_NAMES_H
#define IPSEC_ENGINE_NAMES_H

#include "engine/parse/ike_message.h"

/* Appends "AES-CBC-128", "HMAC-SHA2-256-128", "MODP-2048", ...; "encryption 99" for a number without a name. The number
 * space follows from `major` and `protocol`: IKEv1 has one for phase 1 (PROTOCOL_IKE) and one for phase 2. */
void transform_describe(const transform_t *transform, unsigned major, uint8_t protocol, GString *out);

/* "encryption", "integrity", "PRF", "DH group", ...; "transform" for unknown types. Static. */
const char *transform_type_name(uint8_t type);

#endif
