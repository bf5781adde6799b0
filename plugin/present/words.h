/* words.h - how are times, durations, ids and paragraphs written for people?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_WORDS_H
#define IPSEC_PRESENT_WORDS_H

#include "engine/engine.h"

#include <glib.h>

/* All of these append to `out`. */

/* "2026-11-20 21:04:11.271 UTC"; "no time" for CAPTURE_TIME_NONE. */
void words_date(GString *out, capture_ns_t time);

/* "21:04:11.271"; "-" for CAPTURE_TIME_NONE. */
void words_clock(GString *out, capture_ns_t time);

/* "850 ms", "12.3 s", "4 min 11 s", "2 h 5 min"; "0 s" for nothing or less. */
void words_duration(GString *out, double seconds);

/* "512 B", "42.1 kB", "3.0 MB": multiples of 1000. */
void words_bytes(GString *out, uint64_t bytes);

/* "1 packet", "2 packets": `noun` and an s. */
void words_count(GString *out, uint64_t count, const char *noun);

/* "healthy", "down"; of a tunnel without IKE "healthy, no IKE in this capture": it is judged by its traffic alone. */
void words_state(GString *out, const tunnel_row_t *row);

/* An id in words: "nat_port_flip" as "NAT port flip". */
void words_id(GString *out, const char *id);

/* `text` in lines of at most `width` columns, each indented by `indent` spaces. Text that is not valid UTF-8 is made so. */
void words_wrapped(GString *out, const char *text, unsigned indent, unsigned width);

#endif
