/* phrases.h - how is one fact about the capture, a tunnel or a peer put into words? The same for all reports that people read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_PHRASES_H
#define IPSEC_PRESENT_PHRASES_H

#include "engine/engine.h"

/* All of these append to `out`, without a newline. Identities are made valid UTF-8, nothing else: escape them where that is needed. */

/* "181 frames, 2026-11-20 22:15:24.018 UTC, 1 min 31 s" */
void phrase_capture(GString *out, const capture_row_t *capture);

/* "60 IKE messages, 96 ESP packets, 0 NAT keepalives, 0 ICMP errors" */
void phrase_ipsec(GString *out, const capture_row_t *capture);

/* "198.51.100.7:61000, later 198.51.100.7:1408 (client@example.org)" */
void phrase_peer(GString *out, const peer_row_t *peer);

/* "IKEv2, NAT traversal, 2 IKE SAs, 3 child SAs" */
void phrase_protocol(GString *out, const tunnel_row_t *row);

/* "86.4 % of 1 min 31 s of which the capture tells, down 12.4 s, 1 flap" */
void phrase_availability(GString *out, const tunnel_row_t *row);

/* ", down 12.4 s (at least 8.1 s), recovered": both bounds, where they differ, since the tunnel failed some time between the last proof
 * that it worked and the first sign that it did not. */
void phrase_down(GString *out, const incident_row_t *incident);

/* What the peer sent: "48 packets, 6.5 kB, about 2 missing (lost, or not captured)" */
void phrase_esp(GString *out, const peer_row_t *peer);

/* "2 ok, 0 failed" */
void phrase_rekeys(GString *out, const tunnel_row_t *row);

/* "3 sent, 1 unanswered, median answer after 41 ms" */
void phrase_dpd(GString *out, const tunnel_row_t *row);

/* Which exchange made a child SA: "child rekey of A, frame 90 (inferred)" */
void phrase_child_made(GString *out, const child_sa_row_t *row);

/* "deleted by A, frame 92", "last seen 22:15:35.587" */
void phrase_child_end(GString *out, const child_sa_row_t *row);

/* Reports for people show so many of the requests of a tunnel that still waited; the JSON report has all of them. */
#define WAITING_SHOWN 3u

/* A request that still waited when the capture ended: one or two sentences. */
void phrase_waiting(GString *out, const tunnel_row_t *tunnel, const waiting_row_t *waiting);

/* Does the capture hold anything to report on? */
bool phrase_has_ipsec(const engine_t *engine, const capture_row_t *capture);

#endif
