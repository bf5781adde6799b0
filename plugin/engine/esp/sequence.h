/* sequence.h - the sequence numbers of one ESP SA, as a receiver with an anti-replay window meets them (RFC 4303 3.4.3).
 *
 * In the order of capture: which numbers never came, which came too late, which came twice, and did the counter start anew? What only
 * looks so is told apart here: a counter that leaps ahead (RFC 6311, RFC 9333), several senders with one SPI, a file whose
 * packets are not in the order of time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SEQUENCE_H
#define IPSEC_ENGINE_SEQUENCE_H

#include "engine/base.h"
#include "engine/esp/window.h"

struct finding;

/* Sizes of receivers' windows that are compared: 32, 64, ... 4096. */
#define REPLAY_WINDOWS 8u
#define REPLAY_WINDOW_LEAST 32u
#define REPLAY_WINDOW_MOST 4096u

#define BIRTH_MARKS 8u
#define OPENINGS_KEPT 8u

/* Numbers that were never seen within what was received. */
typedef struct {
    uint64_t lost;
    uint64_t bursts;           /* runs of neighbouring numbers */
    uint64_t longest;          /* the longest run */
    uint64_t run, last_number; /* the latest run's length so far, and its last number */
    frame_t first_in, last_in; /* the packets behind the first and the last gap */
    capture_ns_t first_at, last_at;
} gaps_t;

/* Was it told on a frame? Set by whoever lets the detectors judge. */
typedef struct {
    bool is_told;
    const struct finding *finding; /* borrowed; NULL: there were too many, or nothing was found */
} told_t;

/* Is it the exception, or does it happen all the time? Several packets later the answer is known. */
typedef enum { VERDICT_OPEN, VERDICT_FEW, VERDICT_MANY } verdict_t;

/* Packets that a receiver would drop for one reason. */
typedef struct {
    uint64_t count;
    uint64_t filled; /* of them, those that filled a gap: no other sender's */
    uint64_t before; /* packets of the SA before the first of them */
    frame_t first_in, last_in;
    capture_ns_t first_at, last_at;
    verdict_t verdict;
    bool is_fresh; /* the latest packet was one */
    told_t told;
} dropped_t;

/* The counter started anew near 1 while the SPI stayed. */
typedef struct {
    uint32_t old_highest, first;
    uint64_t count;      /* packets with numbers up to `old_highest` since then */
    bool is_below;       /* the numbers have not passed `old_highest` again */
    frame_t last_old_in; /* the last packet of the old count; FRAME_NONE: the counter never started anew */
    capture_ns_t last_old_at;
    frame_t first_in;
    capture_ns_t first_at;
    told_t told;
} restart_t;

/* A gap that is still in the window. */
typedef struct {
    uint32_t from; /* low halves of its first and last number */
    uint32_t to;
    frame_t in; /* the packet behind it */
    capture_ns_t at;
} opening_t;

/* Packets in a row with numbers that had come already, or came too late; no number has risen since. */
typedef struct {
    unsigned packets, rising, conflicts, late, filled;
    uint64_t first, last;
    uint64_t before; /* packets of the SA before it */
    uint64_t farthest;
    unsigned late_by[REPLAY_WINDOWS];
    frame_t previous_in, first_in, first_late_in, last_late_in;
    capture_ns_t previous_at, first_at, first_late_at, last_late_at;
} run_t;

/* A single packet far ahead: the counter leaps, or the packet is damaged or made up. The next one far ahead tells. */
typedef struct {
    uint64_t number;
    mark_t mark;
    bool is_set;
    unsigned age; /* packets since then that went on as before */
} leap_t;

/* What is out of order with an SA. Most have none of it. */
typedef struct {
    gaps_t gaps; /* that have left the window */
    told_t loss_told;
    opening_t opening[OPENINGS_KEPT]; /* the oldest first, then the latest ones in any order */
    unsigned openings;                /* that took a place behind the first */
    uint64_t late_by[REPLAY_WINDOWS]; /* by distance: at least 32, 64, ... below the highest number */
    uint64_t farthest;                /* greatest distance of a packet that was late */
    uint64_t depth;                   /* greatest distance at which a gap was filled */
    dropped_t late, repeated;
    run_t run;
    leap_t leap;
    restart_t restart;
    unsigned conflicts;      /* other bytes with a number that had come, while the numbers went on */
    uint64_t repeated_until; /* an old capture is sent again, and has come to this number */
    unsigned follows;        /* times that a stream far below went on where it had been */
    uint64_t last_far_below; /* its latest number */
    bool is_shared;          /* several senders count on this SPI: nothing more can be said */
    bool is_shared_told;
    unsigned news;
} disorder_t;

typedef struct sequence {
    window_t window;
    disorder_t *disorder;  /* NULL: none */
    uint64_t packets;      /* all, repeats too */
    uint64_t base;         /* the lowest number that counts, in this stretch */
    capture_ns_t began_at; /* of this stretch: between leaps and restarts */
    uint32_t born;         /* the SA's first number in the capture, */
    mark_t
        birth[BIRTH_MARKS]; /* and the marks of that one and those behind it: an old capture that is sent again begins like this */
} sequence_t;

/* One packet of the SA. */
typedef struct {
    uint32_t number;
    mark_t mark;
    frame_t frame, previous_frame; /* the SA's latest packet before it */
    capture_ns_t at, latest;       /* the latest time of the SA's packets before it */
    duration_ns_t silence;         /* since any frame of the capture */
    unsigned replay_window;        /* of the receiver, as the user has it */
} arrival_t;

/* What a packet reveals, as bits. */
enum {
    SEQUENCE_LATE = 1u << 0,      /* older than the window: `late` */
    SEQUENCE_REPEATED = 1u << 1,  /* same number, same bytes: `repeated` */
    SEQUENCE_RESTARTED = 1u << 2, /* `restart` */
    SEQUENCE_LOST = 1u << 3,      /* gaps have left the window, and they are worth telling */
    SEQUENCE_SHARED = 1u << 4,    /* there are several senders after all */
};

/* Begins with a packet's number and mark. NULL: the budget is used up. */
sequence_t *sequence_new(uint32_t number, mark_t mark, capture_ns_t at, sequence_budget_t *budget);
void sequence_free(sequence_t *sequence);

/* The mark of a packet by a hash of its bytes. */
mark_t sequence_mark(uint64_t fingerprint);

/* Is this the number that comes next, and did all so far come in order? Then no packet has had it yet. */
static inline bool
sequence_awaits(const sequence_t *sequence, uint32_t number)
{
    return sequence->disorder == NULL && number == (uint32_t)sequence->window.highest + 1;
}

/* The packet with the awaited number has come: the same as sequence_account(), which would reveal nothing. */
void sequence_go_on(sequence_t *sequence, mark_t mark);

/* Accounts for the next packet. Returns what it reveals, as bits. */
unsigned sequence_account(sequence_t *sequence, const arrival_t *arrival);

/* The counter had a reason to start anew: the SPI was negotiated again. */
void sequence_excuse_restart(sequence_t *sequence);

/* Gaps by now: those that have left the window, and those in it that nothing will fill any more. */
gaps_t sequence_gaps(const sequence_t *sequence);

/* Numbers that were lost, or missed by the capture; 0 where missing numbers mean neither. */
uint64_t sequence_lost(const sequence_t *sequence);

/* So many that it is worth telling? One in a thousand, and at least three. */
bool sequence_loss_tells(const sequence_t *sequence, const gaps_t *gaps);

/* Is about every other number, or more, missing all the time? Then the capture shows one of several paths. */
bool sequence_is_partial(const sequence_t *sequence, const gaps_t *gaps);

/* Packets that a receiver with a window of REPLAY_WINDOW_LEAST << `which` would have dropped as too old. */
uint64_t sequence_too_old(const sequence_t *sequence, unsigned which);

/* The smallest window that drops none of them. More than can be told apart: REPLAY_WINDOW_MOST + 1. */
unsigned sequence_sufficient_window(const sequence_t *sequence);

/* If the capture ended here: packets too old for the user's window, and packets sent again. A count of 0: nothing can be said. */
dropped_t sequence_late_at_end(const sequence_t *sequence);
dropped_t sequence_repeated_at_end(const sequence_t *sequence);

#endif
