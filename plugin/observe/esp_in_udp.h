/* esp_in_udp.h - is this UDP datagram ESP, on ports where some SD-WAN products send it without asking anybody?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_ESP_IN_UDP_H
#define IPSEC_OBSERVE_ESP_IN_UDP_H

#include "engine/packet.h"

#include <stdbool.h>

/* Takes a packet that was held back until it was known to be ESP. Its bytes are those that identify it, not all that were captured. */
typedef void (*esp_in_udp_take_t)(const packet_t *packet);

/* Begins with a new capture, and forgets the old one. */
void esp_in_udp_start(void);

/* Frees everything. */
void esp_in_udp_end(void);

/* The frame is visited for the first time: is this datagram ESP, as far as can be told from it and those before it? Hands the held packets
 * of its SA to `take`, oldest first, when it is the one that settles it. */
bool esp_in_udp_learn(const packet_t *packet, esp_in_udp_take_t take);

/* The same when the frame is visited again: nothing is learnt. */
bool esp_in_udp_knows(const packet_t *packet);

/* The same for the beginning of a datagram that an ICMP error quotes. */
bool esp_in_udp_knows_quote(const packet_t *packet);

/* Is there ESP between these endpoints? */
bool esp_in_udp_has_path(const endpoint_t *source, const endpoint_t *destination);

#endif
