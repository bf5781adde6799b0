/* classify.h - what was an exchange for? Named from what is readable, else from what encryption leaves visible.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_CLASSIFY_H
#define IPSEC_ENGINE_CLASSIFY_H

#include "engine/ike/exchange.h"

/* What an IKEv2 header's exchange type says by itself: of CREATE_CHILD_SA and INFORMATIONAL no purpose. */
exchange_kind_t classify_exchange_type(uint8_t exchange_type);

/* Names the exchange from its request: sets `kind` and `kind_confidence`. */
void classify_request(exchange_t *exchange, const ike_message_t *request);

/* Refines the name with the response (IKEv2), and says whether the response refuses the request. */
void classify_response(exchange_t *exchange, const ike_message_t *response);

/* May an encrypted IKE_AUTH response refuse the authentication: a bare notification, or EAP's last word, which may be a Success too? */
bool classify_auth_may_be_refused(const struct ike_sa *ike_sa, const ike_message_t *response);

/* Can an encrypted IKE_AUTH response of this size hold a child SA (SA, TSi, TSr payloads)? True when it is not sure. */
bool classify_auth_may_hold_child(const struct ike_sa *ike_sa, const ike_message_t *response);

#endif
