/* page.h - the HTML report while it is written. All text that may come from a capture goes through html.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_PAGE_PAGE_H
#define IPSEC_PRESENT_PAGE_PAGE_H

#include "present/by_tunnel.h"

/* Tunnels with a timeline, at most. */
#define SECTIONS_MAX 40u

/* Where a frame has its place on the page: at its first finding, else at its exchange. */
enum { PLACE_NONE, PLACE_FINDING, PLACE_EXCHANGE };

/* One tunnel, and what of it is on the page. */
typedef struct {
    tunnel_row_t row;
    const GPtrArray *findings; /* all of it, by frame */
    GPtrArray *shown;          /* those on the page, by frame */
    unsigned incidents;
    bool has_section;
} entry_t;

typedef struct {
    const engine_t *engine;
    by_tunnel_t *groups;
    GString *out;
    capture_row_t capture;
    entry_t *entries; /* worst first */
    unsigned count;
    entry_t loose;        /* the findings of no tunnel; nothing else in it */
    GHashTable *frames;   /* with a place on the page: frame -> PLACE_... */
    GHashTable *anchored; /* whose place has been written */
    GHashTable *places;   /* const finding_t * -> number of its place */
} page_t;

/* Chooses what is on the page. page_end() returns its text, which belongs to the caller, and frees the rest. */
void page_init(page_t *page, const engine_t *engine);
GString *page_end(page_t *page);

/* Tunnels of which there is nothing to say but figures. */
bool entry_is_quiet(const entry_t *entry);

/* Gives the frames of the exchanges that are listed their places on the page. */
void page_add_exchange_places(page_t *page, uint32_t tunnel);

/* The parts, from top to bottom. One that has nothing to say is left out. */
void page_capture(page_t *page);
void page_tables(page_t *page);
void page_legend(page_t *page);
void page_incidents(page_t *page, const entry_t *entry);
void page_waiting(page_t *page, const tunnel_row_t *row);
void page_findings(page_t *page, const entry_t *entry);
void page_children(page_t *page, const tunnel_row_t *tunnel);
void page_exchanges(page_t *page, const tunnel_row_t *tunnel, const GArray *rows);

/* Pieces. `html` is written as it is, everything else is escaped. */
void page_raw(page_t *page, const char *html);
void page_text(page_t *page, const char *text);
void page_phrase(page_t *page, GString *phrase); /* frees it */
void page_clock(page_t *page, capture_ns_t time);
void page_duration(page_t *page, double seconds);
void page_count(page_t *page, uint64_t count, const char *noun);
void page_badge(page_t *page, const char *class);
void page_endpoint(page_t *page, const endpoint_t *endpoint);
void page_address(page_t *page, const endpoint_t *endpoint);
void page_pair_cell(page_t *page, uint64_t first, uint64_t second);
void page_finding_link(page_t *page, const finding_t *finding);

#endif
