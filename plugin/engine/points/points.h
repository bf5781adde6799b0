/* points.h - one tunnel captured at two places, put into one file: which is which, and how far apart are their clocks?
 *
 * Once the same packet was seen at both, the analysis follows the place whose clock is behind: its packets come first in the file, so
 * that cause stays before effect. The other place's copies say what arrived. What that place alone has seen comes too late in the file
 * to be accounted for, unless the first place shows no later packet any more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_POINTS_H
#define IPSEC_ENGINE_POINTS_H

#include "engine/base.h"
#include "engine/packet.h"
#include "engine/points/sightings.h"

#define SIDES 2
#define SIDE_UNKNOWN (-1)
#define OFFSETS_KEPT 15u

struct tunnel;

/* `time` so much later, or earlier if `by` is less than 0: a capture may claim any times. */
static inline capture_ns_t
points_shifted(capture_ns_t time, duration_ns_t by)
{
    if (by >= 0)
        return time > INT64_MAX - by ? INT64_MAX : time + by;
    return time < INT64_MIN - by ? INT64_MIN : time + by;
}

#define ESP_RUNS_KEPT 32u

/* ESP of one peer without a longer pause, as seen at one side, by that side's clock. */
typedef struct {
    uint64_t packets;
    capture_ns_t first_at, last_at;
    frame_t first_in, last_in;
    bool is_vague; /* before the second place was known: with pauses, perhaps */
} esp_run_t;

typedef struct {
    esp_run_t run[ESP_RUNS_KEPT]; /* oldest first */
    unsigned runs;
} esp_at_side_t;

/* Owned by its tunnel; exists from the first packet on that was seen at two places. */
typedef struct points {
    bool by_interface; /* the two are told apart by interface, else by hop limit */
    /* by interface: side 0 and side 1, in order of appearance */
    uint32_t interface[SIDES];
    int nearer_to_a; /* votes by hop limit: more than 0: side 0 is nearer to peer A, less: side 1 */
    /* by hop limit: side 0 is peer A's, side 1 peer B's; IKE and ESP may start with other limits */
    struct {
        uint8_t near_hops, far_hops;
    } hops[PEERS][2];

    unsigned matched;    /* packets seen at both */
    unsigned mismatched; /* such with yet another hop limit: a loop, or a third place */
    unsigned strays;     /* in a row, seen far from their sender and not near it */
    bool is_doubtful;    /* those were too many: it may as well be one place and a path that changed */
    frame_t first_match_in, first_match_of;

    capture_ns_t first_heard[SIDES], last_heard[SIDES]; /* CAPTURE_TIME_NONE: never */
    duration_ns_t difference[PEERS][OFFSETS_KEPT];      /* by sender: time at side 1 less time at side 0, both signs */
    unsigned differences[PEERS];
    bool differences_are_sure; /* none is of a message that was sent several times */
    bool offset_is_known;
    duration_ns_t offset; /* side 1's clock is so much ahead of side 0's */
    duration_ns_t delay;  /* of the path, if it is the same both ways; only with `delay_is_known` */
    bool delay_is_known;

    esp_at_side_t esp[PEERS][SIDES]; /* by sender */
    struct {
        unsigned messages;
        uint64_t esp_packets;
        frame_t first_in, last_in;
    } left[PEERS]; /* by sender: seen next to it only, and not counted; it did not arrive at the place that the analysis follows */
} points_t;

/* The same packet was seen at two places: now and before. */
void points_match(struct tunnel *tunnel, const packet_t *packet, const seen_before_t *before);

/* At which side was it captured? SIDE_UNKNOWN: that cannot be said. */
int points_side(const points_t *points, const packet_t *packet, peer_t sender);
int points_side_of(const points_t *points, const capture_point_t *point, packet_kind_t kind, peer_t sender);

/* Which side is next to this peer? SIDE_UNKNOWN: that cannot be said. */
int points_near(const points_t *points, peer_t peer);

/* Do both places prove enough to conclude from what one of them has not seen? */
bool points_are_proved(const points_t *points);

/* How far is this side's clock ahead of the clock that the analysis follows? 0: not so far that it matters. */
duration_ns_t points_ahead(const points_t *points, int side);

/* What to do with a packet that no other place has shown so far. */
typedef enum {
    POINTS_TAKE,       /* it counts */
    POINTS_TAKE_LATER, /* it counts at `ret_time`, by the clock that the analysis follows */
    POINTS_LEAVE,      /* it comes too late to count */
} points_verdict_t;

points_verdict_t points_judge(struct tunnel *tunnel, const packet_t *packet, capture_ns_t *ret_time);

/* The first run of ESP of `sender` at `side` that overlaps with these times (by the clock of that side). NULL: none. `or_vague`: also
 * one that may have pauses there. */
const esp_run_t *points_esp_run(const points_t *points, peer_t sender, int side, capture_ns_t from, capture_ns_t until,
                                bool or_vague);

/* ESP that one peer sends, seen next to it and not next to its peer any more. */
typedef struct {
    capture_ns_t since, until; /* by the clock that the analysis follows */
    frame_t first_in, last_in; /* of the run that shows it last */
    uint64_t packets;          /* of that run */
} esp_missing_t;

/* Does what `sender` sends no longer arrive, as the two places show, though the far one goes on to capture? */
bool points_esp_missing(const points_t *points, peer_t sender, esp_missing_t *ret_missing);

/* What side `from` calls `time`, by the clock of side `to`. */
capture_ns_t points_converted(const points_t *points, capture_ns_t time, int from, int to);

/* What the analysis calls `time`, by the clock of `side`. */
capture_ns_t points_time_at(const points_t *points, capture_ns_t time, int side);

/* A packet that was seen next to its sender only does not count: notes that it was lost behind. `time` is by the clock that the analysis
 * follows. */
void points_note_left(struct tunnel *tunnel, const packet_t *packet, capture_ns_t time);

/* Notes that the packet was seen, whether it counts or not. */
void points_account(struct tunnel *tunnel, const packet_t *packet);

#endif
