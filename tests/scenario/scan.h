/* scan.h - reads words, times, addresses and payload lists from one line of a script.
 *
 * A read takes nothing when it fails. Words are copied into the script's string chunk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_SCAN_H
#define SCENARIO_SCAN_H

#include "script.h"

typedef struct {
    place_t place;
    const char *next; /* unread rest of the line */
    GStringChunk *strings;
    unsigned *errors; /* shared by all lines of a script */
} scan_t;

/* Prints "file:line: message" and counts the error. */
void scan_error(scan_t *scan, const char *format, ...) G_GNUC_PRINTF(2, 3);

bool scan_at_end(scan_t *scan);
/* Takes `word` if it is next and ends there. */
bool scan_accept(scan_t *scan, const char *word);
/* Takes the next word (up to white space), or complains that `what` is missing and returns NULL. */
const char *scan_word(scan_t *scan, const char *what);
/* Takes all that is left of the line, or what stands between quotation marks; complains and returns NULL when there is nothing. */
const char *scan_words(scan_t *scan, const char *what);
/* The next word, not taken; valid until the next call; "" at the end. */
const char *scan_peek(scan_t *scan);
/* "30s", "40ms", "20us", "1.5h", "2min". */
bool scan_duration(scan_t *scan, duration_ns_t *ret_duration);
/* A decimal number that fills a word. */
bool scan_number(scan_t *scan, int64_t *ret_number);
/* "192.0.2.1:500", "192.0.2.1", ":1409" or "1409". */
bool scan_endpoint(scan_t *scan, endpoint_t *ret_endpoint);
/* "{SA(c), Ni, N(REKEY_SA c)}". NULL after complaining. */
GArray *scan_payloads(scan_t *scan);

#endif
