/* observe.h - how do packets get from Wireshark to the engine, and how does the rest of the plugin reach the engine?
 *
 * Handles of this plugin stand where the stock ESP, UDPENCAP, ISAKMP and syslog dissectors are looked up. They look at the bytes and
 * then call the stock dissector, which goes on doing all the dissecting, decryption and display.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_H
#define IPSEC_OBSERVE_H

#include "compat.h"

#include "engine/engine.h"

/* One IPsec packet of the frame at hand. Lives as long as the dissection of that frame. */
typedef struct sighting {
    packet_kind_t kind;
    endpoint_t source, destination;
    uint32_t spi;          /* PACKET_ESP only */
    struct sighting *next; /* the next packet of the same frame, further in; or NULL */
} sighting_t;

/* Registers preferences and the life of the engine; `protocol` is the id of this plugin's protocol. */
void observe_register(int protocol);

/* Takes the places of the stock dissectors; call it when all protocols are registered. */
void observe_handoff(void);

/* Says that the capture goes on, for a frame visited for the first time; does nothing the second time. */
void observe_frame(packet_info *pinfo);

/* Looks for what no dissector saw: a packet of which this frame holds the first IPv4 fragment only. To be called at the end of the
 * dissection, with the whole frame. */
void observe_rest(tvbuff_t *frame, packet_info *pinfo);

/* The frame's capture time, or CAPTURE_TIME_NONE. */
capture_ns_t observe_time(const packet_info *pinfo);

/* The dissection of a frame is over: its IPsec packets, outermost first, valid until the next frame; NULL: none. Known in every pass.
 * `stays`: its details are shown, so that it may be asked about later. */
const sighting_t *observe_take_sightings(packet_info *pinfo, bool stays);

/* The packets of a frame that stayed; NULL: it has none, or did not stay. */
const sighting_t *observe_kept_sightings(packet_info *pinfo);

/* The note that the engine gave this frame, or NULL. */
const frame_note_t *observe_note(packet_info *pinfo);

/* The engine of the capture at hand, or NULL when no capture is open. Owned by the observing side. */
engine_t *observe_engine(void);

#endif
