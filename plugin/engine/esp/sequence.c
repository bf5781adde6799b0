/* sequence.c - what would a receiver with an anti-replay window have done with the packets of an SA, and what do their numbers tell?
 *
 * A packet either continues the count, or it is behind. A single one far ahead has to wait for a second: RFC 4303 3.4.3 moves the
 * window only for packets that verify, and an observer cannot verify. What is behind is judged in runs, when the count has gone on: a
 * run that nothing interrupts may be the counter starting anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/sequence.h"

#include <glib.h>

#define FIRST_LAP (UINT64_C(1) << 32) /* numbers begin here, so that there is room below the first */
#define NUMBER_OF_A_NEW_COUNT 64u     /* a counter starts at 1 (RFC 4303 3.3.3); some of the first packets may be missing */
#define PACKETS_THAT_PROVE_IT 3u      /* of a new count, if their numbers had come before or are far below */
#define PACKETS_THAT_SUGGEST_IT 16u   /* if they may as well have been delayed */
#define CONFLICTS_THAT_TELL 3u        /* of two senders */
#define FOLLOWS_THAT_TELL 3u
#define NEIGHBOURHOOD 64u /* a count goes on within so many numbers */
#define LEAP_FORGOTTEN 64u
#define LEAP_RATIO 4.0 /* more numbers than this many times the usual in that time: the counter has leapt */
#define PAUSE SECONDS(1)
#define PAUSE_RATIO 5 /* times the usual gap between packets */
#define FEW 3u        /* at most one in so many packets */
#define PACKETS_TO_TELL_FEW 16u
#define PACKETS_TO_TELL_MANY 64u
#define STRIDE 64u /* a sender that skips so many numbers each time does not count packets (RFC 9333) */
#define LEAST_LOSS 3u
#define LOSS_ONE_IN 1000u

sequence_t *
sequence_new(uint32_t number, mark_t mark, capture_ns_t at, sequence_budget_t *budget)
{
    window_t window;

    if (budget->bytes_left < sizeof(sequence_t))
        return NULL;
    budget->bytes_left -= sizeof(sequence_t);
    if (!window_init(&window, FIRST_LAP + number, mark, budget)) {
        budget->bytes_left += sizeof(sequence_t);
        return NULL;
    }
    sequence_t *sequence = g_new0(sequence_t, 1);
    sequence->window = window;
    sequence->base = window.highest;
    sequence->packets = 1;
    sequence->began_at = at;
    sequence->born = number;
    sequence->birth[0] = mark;
    return sequence;
}

void
sequence_free(sequence_t *sequence)
{
    if (sequence == NULL)
        return;
    sequence_budget_t *budget = sequence->window.budget;
    budget->bytes_left += sizeof(sequence_t) + (sequence->disorder != NULL ? sizeof(disorder_t) : 0);
    window_clear(&sequence->window);
    g_free(sequence->disorder);
    g_free(sequence);
}

mark_t
sequence_mark(uint64_t fingerprint)
{
    mark_t mark = (mark_t)(fingerprint ^ fingerprint >> 16 ^ fingerprint >> 32 ^ fingerprint >> 48);

    return mark > MARK_UNKNOWN ? mark : mark + 2u;
}

/* NULL: the budget is used up. */
static disorder_t *
disorder_of(sequence_t *sequence)
{
    sequence_budget_t *budget = sequence->window.budget;

    if (sequence->disorder == NULL && budget->bytes_left >= sizeof(disorder_t)) {
        budget->bytes_left -= sizeof(disorder_t);
        sequence->disorder = g_new0(disorder_t, 1);
    }
    return sequence->disorder;
}

/* ---- gaps ---- */

/* Is nothing yet known to be lost, and is the first number of the oldest gap still missing? */
static bool
keeps_oldest(const sequence_t *sequence, const disorder_t *disorder)
{
    uint64_t highest = sequence->window.highest;
    uint64_t from = highest - (uint32_t)((uint32_t)highest - disorder->opening[0].from);

    return disorder->opening[0].in != FRAME_NONE &&
           (disorder->gaps.lost > 0 || (from >= sequence->window.floor && *window_at(&sequence->window, from) == MARK_UNSEEN));
}

/* The oldest gap has a place of its own: the first loss is worth more than those in between. */
static void
note_opening(const sequence_t *sequence, disorder_t *disorder, uint64_t to, const arrival_t *arrival)
{
    unsigned place = keeps_oldest(sequence, disorder) ? 1 + disorder->openings++ % (OPENINGS_KEPT - 1) : 0;

    disorder->opening[place] =
        (opening_t){ .from = (uint32_t)sequence->window.highest + 1, .to = (uint32_t)to, .in = arrival->frame, .at = arrival->at };
}

/* Where was it seen that `number` is missing? NULL: too many gaps since then. */
static const opening_t *
opening_of(const disorder_t *disorder, uint64_t number)
{
    for (unsigned i = 0; i < OPENINGS_KEPT; i++) {
        const opening_t *opening = &disorder->opening[i];
        if (opening->in != FRAME_NONE && (uint32_t)number - opening->from <= opening->to - opening->from)
            return opening;
    }
    return NULL;
}

static void
add_gap(gaps_t *gaps, const disorder_t *disorder, uint64_t from, uint64_t to)
{
    if (gaps->lost == 0 || from != gaps->last_number + 1) {
        gaps->bursts++;
        gaps->run = 0;
    }
    gaps->lost += to - from + 1;
    gaps->run += to - from + 1;
    gaps->longest = MAX(gaps->longest, gaps->run);
    gaps->last_number = to;
    const opening_t *opening = opening_of(disorder, from);
    if (opening == NULL)
        return;
    if (gaps->first_in == FRAME_NONE) {
        gaps->first_in = opening->in;
        gaps->first_at = opening->at;
    }
    gaps->last_in = opening->in;
    gaps->last_at = opening->at;
}

static void
left_unseen(void *context, uint64_t from, uint64_t to)
{
    sequence_t *sequence = context;
    disorder_t *disorder = disorder_of(sequence);

    if (disorder == NULL || to < sequence->base)
        return;
    add_gap(&disorder->gaps, disorder, MAX(from, sequence->base), to);
    disorder->news |= SEQUENCE_LOST;
}

static void
add_gaps_in_window(gaps_t *gaps, const sequence_t *sequence, uint64_t until)
{
    for (uint64_t number = MAX(sequence->window.floor, sequence->base); number <= until; number++) {
        if (*window_at(&sequence->window, number) == MARK_UNSEEN)
            add_gap(gaps, sequence->disorder, number, number);
    }
}

gaps_t
sequence_gaps(const sequence_t *sequence)
{
    if (sequence->disorder == NULL)
        return (gaps_t){ 0 };
    gaps_t gaps = sequence->disorder->gaps;
    if (sequence->window.highest > sequence->disorder->depth)
        add_gaps_in_window(&gaps, sequence, sequence->window.highest - sequence->disorder->depth);
    return gaps;
}

/* ---- a new stretch ---- */

static void
begin_stretch(sequence_t *sequence, uint64_t from, uint64_t to, mark_t mark, capture_ns_t at)
{
    if (sequence->disorder != NULL) {
        add_gaps_in_window(&sequence->disorder->gaps, sequence, sequence->window.highest);
        sequence->disorder->leap.is_set = false;
    }
    window_restart(&sequence->window, from, to);
    *window_at(&sequence->window, to) = mark;
    sequence->base = from;
    sequence->began_at = at;
}

/* The numbers that this sender usually uses in the time since its last packet. */
static double
usual_in(const sequence_t *sequence, const arrival_t *arrival)
{
    double lasted = duration_seconds(duration_between(sequence->began_at, arrival->latest));
    double since = duration_seconds(duration_between(arrival->latest, arrival->at));

    return lasted > 0 ? (double)(sequence->window.highest - sequence->base) * since / lasted : 0;
}

/* RFC 6311: after a failover the counter goes on far ahead. RFC 9333: some take it from a clock. Loss is no more than was sent. */
static bool
is_leap(const sequence_t *sequence, const arrival_t *arrival, int32_t ahead)
{
    return ahead > (int32_t)WINDOW_SLOTS_MOST && ahead > LEAP_RATIO * usual_in(sequence, arrival);
}

/* For a while there is no frame at all in the capture: it may have been interrupted, and shows no loss. */
static bool
is_pause(const sequence_t *sequence, const arrival_t *arrival)
{
    duration_ns_t usual =
        duration_between(sequence->began_at, arrival->latest) / (duration_ns_t)MIN(sequence->packets, (uint64_t)INT32_MAX);

    return arrival->silence > PAUSE && arrival->silence / PAUSE_RATIO > usual;
}

/* ---- what is behind ---- */

static bool
is_birth(const sequence_t *sequence, uint32_t number)
{
    return number - sequence->born < BIRTH_MARKS;
}

static void
remember_birth(sequence_t *sequence, uint32_t number, mark_t mark)
{
    if (is_birth(sequence, number) && sequence->birth[number - sequence->born] == MARK_UNSEEN)
        sequence->birth[number - sequence->born] = mark;
}

static void
count_dropped(dropped_t *dropped, unsigned count, uint64_t before, frame_t first_in, capture_ns_t first_at)
{
    if (dropped->count == 0) {
        dropped->before = before;
        dropped->first_in = first_in;
        dropped->first_at = first_at;
    }
    dropped->count += count;
    dropped->is_fresh = true;
}

static void
note_repeated(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival, uint64_t number)
{
    run_t *run = &disorder->run;

    count_dropped(&disorder->repeated, 1, sequence->packets - 1, arrival->frame, arrival->at);
    if (run->packets > 0 && number > run->last && number - run->last <= NEIGHBOURHOOD)
        *run = (run_t){ .packets = 0 }; /* it was the beginning of what is sent again, from before the capture */
    disorder->repeated.last_in = arrival->frame;
    disorder->repeated.last_at = arrival->at;
}

static void
note_late_run(dropped_t *late, const run_t *run)
{
    if (run->late == 0)
        return;
    count_dropped(late, run->late, run->before, run->first_late_in, run->first_late_at);
    late->filled += run->filled;
    late->last_in = run->last_late_in;
    late->last_at = run->last_late_at;
}

/* The count has gone on behind a run. A second stream that goes on too, far below, belongs to another sender; so do other bytes with
 * numbers that had come. */
static void
end_run(disorder_t *disorder)
{
    run_t *run = &disorder->run;

    if (run->packets == 0)
        return;
    note_late_run(&disorder->late, run);
    for (unsigned i = 0; i < REPLAY_WINDOWS; i++)
        disorder->late_by[i] += run->late_by[i];
    disorder->farthest = MAX(disorder->farthest, run->farthest);
    disorder->conflicts += run->conflicts;
    if (run->farthest >= WINDOW_SLOTS_MOST) {
        disorder->follows += disorder->last_far_below != 0 && run->first > disorder->last_far_below &&
                             run->first - disorder->last_far_below <= NEIGHBOURHOOD;
        disorder->last_far_below = run->last;
    }
    if (disorder->conflicts >= CONFLICTS_THAT_TELL || disorder->follows >= FOLLOWS_THAT_TELL)
        disorder->is_shared = true;
    *run = (run_t){ .packets = 0 };
}

/* Does the run count from 1 on? Numbers that had come with other bytes, or that are far below, are no delayed packets. */
static bool
is_new_count(const sequence_t *sequence, const run_t *run)
{
    bool is_proved = run->conflicts >= PACKETS_THAT_PROVE_IT - 1 || sequence->window.highest - run->last > WINDOW_SLOTS_MOST;

    return (uint32_t)run->first <= NUMBER_OF_A_NEW_COUNT && run->rising + 1 >= run->packets - run->packets / 4 &&
           run->last - run->first <= 4u * run->packets + NUMBER_OF_A_NEW_COUNT &&
           run->packets >= (is_proved ? PACKETS_THAT_PROVE_IT : PACKETS_THAT_SUGGEST_IT);
}

static void
restart(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival)
{
    run_t run = disorder->run;

    disorder->run = (run_t){ .packets = 0 };
    disorder->restart = (restart_t){ .old_highest = (uint32_t)sequence->window.highest,
                                     .first = (uint32_t)run.first,
                                     .count = run.packets - 1, /* this packet is yet to be counted */
                                     .is_below = true,
                                     .last_old_in = run.previous_in,
                                     .last_old_at = run.previous_at,
                                     .first_in = run.first_in,
                                     .first_at = run.first_at };
    begin_stretch(sequence, FIRST_LAP + (uint32_t)run.first, FIRST_LAP + (uint32_t)run.last, arrival->mark, run.first_at);
}

typedef enum { BEHIND_FILLS, BEHIND_FOREIGN, BEHIND_CONFLICT } behind_t; /* a gap; nothing that is known to be missing */

static void
add_to_run(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival, uint64_t number, behind_t how)
{
    run_t *run = &disorder->run;
    uint64_t distance = sequence->window.highest - number;

    if (run->packets == 0)
        *run = (run_t){ .first = number,
                        .before = sequence->packets - 1,
                        .previous_in = arrival->previous_frame,
                        .previous_at = arrival->latest,
                        .first_in = arrival->frame,
                        .first_at = arrival->at };
    else
        run->rising += number > run->last;
    run->packets++;
    run->last = MAX(run->last, number);
    run->farthest = MAX(run->farthest, distance);
    if (how == BEHIND_CONFLICT) {
        run->conflicts++;
    } else {
        unsigned which = 0;
        while (which + 1 < REPLAY_WINDOWS && distance >= REPLAY_WINDOW_LEAST << (which + 1))
            which++;
        run->late_by[which]++;
    }
    if (how != BEHIND_CONFLICT && distance >= arrival->replay_window) {
        run->filled += how == BEHIND_FILLS;
        if (run->late++ == 0) {
            run->first_late_in = arrival->frame;
            run->first_late_at = arrival->at;
        }
        run->last_late_in = arrival->frame;
        run->last_late_at = arrival->at;
    }
    if (is_new_count(sequence, run))
        restart(sequence, disorder, arrival);
}

/* A number that is remembered: it fills a gap, or it comes again. */
static void
meet_again(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival, uint64_t number, bool is_in_order)
{
    mark_t *mark = window_at(&sequence->window, number);
    uint64_t distance = sequence->window.highest - number;

    if (*mark == MARK_UNSEEN) {
        *mark = arrival->mark;
        remember_birth(sequence, arrival->number, arrival->mark);
        disorder->depth = MAX(disorder->depth, distance);
        if (is_in_order && distance >= REPLAY_WINDOW_LEAST)
            add_to_run(sequence, disorder, arrival, number, number >= sequence->base ? BEHIND_FILLS : BEHIND_FOREIGN);
    } else if (is_in_order && *mark != MARK_UNKNOWN && arrival->mark != MARK_UNKNOWN) {
        if (*mark == arrival->mark)
            note_repeated(sequence, disorder, arrival, number);
        else
            add_to_run(sequence, disorder, arrival, number, BEHIND_CONFLICT);
    }
}

/* A number that is no longer remembered, if it ever was. */
static void
meet_forgotten(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival, uint64_t number)
{
    mark_t born = is_birth(sequence, arrival->number) ? sequence->birth[arrival->number - sequence->born] : MARK_UNSEEN;
    bool is_known = born > MARK_UNKNOWN && arrival->mark != MARK_UNKNOWN;

    bool goes_on = number > disorder->repeated_until && number - disorder->repeated_until <= NEIGHBOURHOOD;
    if ((is_known && born == arrival->mark) || (!is_known && goes_on)) {
        disorder->repeated_until = number;
        note_repeated(sequence, disorder, arrival, number);
        return;
    }
    if (!is_known && number >= sequence->base && disorder->gaps.lost > 0)
        disorder->gaps.lost--;
    if (sequence->window.highest - number >= REPLAY_WINDOW_LEAST)
        add_to_run(sequence, disorder, arrival, number, is_known ? BEHIND_CONFLICT : BEHIND_FOREIGN);
}

static void
account_behind(sequence_t *sequence, const arrival_t *arrival, uint64_t distance)
{
    disorder_t *disorder = disorder_of(sequence);
    window_t *window = &sequence->window;
    uint64_t number = window->highest - distance;

    if (disorder == NULL)
        return;
    /* A file that is put together, or written by several queues: it came earlier, and only the file has it later. */
    bool is_in_order = arrival->at >= arrival->latest;
    bool nothing_has_left = window->floor <= sequence->base;
    if (number >= window->floor || (nothing_has_left && window_reaches(window, number)))
        meet_again(sequence, disorder, arrival, number, is_in_order);
    else if (is_in_order)
        meet_forgotten(sequence, disorder, arrival, number);
}

/* ---- what continues the count ---- */

static void
advance(sequence_t *sequence, uint64_t number, mark_t mark)
{
    window_t *window = &sequence->window;

    if (window->highest - window->floor + 1 == window->slots && window->slots <= 2 * sequence->packets)
        window_grow(window);
    window_advance(window, number, mark, left_unseen, sequence);
    remember_birth(sequence, (uint32_t)number, mark);
}

/* The old count goes on where it was, though another had begun: two senders. */
static bool
is_old_count(const restart_t *restart, uint32_t number)
{
    return restart->is_below && number - restart->old_highest - 1 < WINDOW_SLOTS_MOST;
}

static void account_in_its_place(sequence_t *sequence, const arrival_t *arrival);

/* Returns whether the packet has to wait for another that tells what it is. */
static bool
account_leap(sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival, uint64_t number)
{
    leap_t *leap = &disorder->leap;

    if (!leap->is_set) {
        *leap = (leap_t){ .number = number, .mark = arrival->mark, .is_set = true };
        return true;
    }
    begin_stretch(sequence, leap->number, leap->number, leap->mark, arrival->latest);
    account_in_its_place(sequence, arrival);
    return true;
}

static void
account_ahead(sequence_t *sequence, const arrival_t *arrival, int32_t ahead)
{
    uint64_t highest = sequence->window.highest, number = highest + (uint64_t)ahead;
    disorder_t *disorder = ahead > 1 ? disorder_of(sequence) : sequence->disorder;

    if (ahead > 1 && disorder != NULL) {
        if (ahead > (int32_t)NEIGHBOURHOOD && is_old_count(&disorder->restart, arrival->number))
            disorder->is_shared = true;
        if (is_leap(sequence, arrival, ahead) && account_leap(sequence, disorder, arrival, number))
            return;
        if (is_pause(sequence, arrival)) {
            end_run(disorder);
            begin_stretch(sequence, number, number, arrival->mark, arrival->at);
            return;
        }
        note_opening(sequence, disorder, number - 1, arrival);
    }
    if (disorder != NULL) {
        end_run(disorder);
        if (disorder->leap.is_set && ++disorder->leap.age > LEAP_FORGOTTEN)
            disorder->leap.is_set = false;
    }
    advance(sequence, number, arrival->mark);
}

static void
account_in_its_place(sequence_t *sequence, const arrival_t *arrival)
{
    int32_t ahead = (int32_t)(arrival->number - (uint32_t)sequence->window.highest);

    if (ahead > 0)
        account_ahead(sequence, arrival, ahead);
    else
        account_behind(sequence, arrival, (uint64_t) - (int64_t)ahead);
}

/* ---- news ---- */

static verdict_t
weigh(const dropped_t *dropped, uint64_t packets)
{
    uint64_t since = packets - dropped->before;

    if (since >= PACKETS_TO_TELL_FEW && dropped->count * FEW <= since)
        return VERDICT_FEW;
    return since >= PACKETS_TO_TELL_MANY ? VERDICT_MANY : VERDICT_OPEN;
}

/* Is there something to tell about it now: a verdict, or one more? */
static bool
has_news(dropped_t *dropped, uint64_t packets)
{
    bool was_open = dropped->verdict == VERDICT_OPEN, is_fresh = dropped->is_fresh;

    dropped->is_fresh = false;
    if (dropped->count == 0)
        return false;
    if (was_open)
        dropped->verdict = weigh(dropped, packets);
    return dropped->verdict != VERDICT_OPEN && (was_open || is_fresh);
}

static bool
restart_has_news(restart_t *restart, uint32_t number)
{
    if (!restart->is_below)
        return false;
    restart->is_below = number <= restart->old_highest;
    restart->count += restart->is_below;
    return restart->is_below;
}

/* What has left the window tells of loss, and what is in it does not explain it. */
static bool
loss_has_news(const sequence_t *sequence, const disorder_t *disorder)
{
    gaps_t all = sequence_gaps(sequence);

    return sequence_loss_tells(sequence, &disorder->gaps) && sequence_loss_tells(sequence, &all);
}

static unsigned
news_of(const sequence_t *sequence, disorder_t *disorder, const arrival_t *arrival)
{
    unsigned news = disorder->news;

    disorder->news = 0;
    if (disorder->is_shared) {
        bool is_news = disorder->restart.told.finding != NULL && !disorder->is_shared_told;
        disorder->is_shared_told = true;
        return is_news ? SEQUENCE_SHARED : 0;
    }
    if (has_news(&disorder->late, sequence->packets))
        news |= SEQUENCE_LATE;
    if (has_news(&disorder->repeated, sequence->packets) && disorder->repeated.verdict == VERDICT_FEW)
        news |= SEQUENCE_REPEATED;
    if (restart_has_news(&disorder->restart, arrival->number))
        news |= SEQUENCE_RESTARTED;
    if ((news & SEQUENCE_LOST) != 0 && !disorder->loss_told.is_told && !loss_has_news(sequence, disorder))
        news &= ~(unsigned)SEQUENCE_LOST;
    return news;
}

void
sequence_go_on(sequence_t *sequence, mark_t mark)
{
    sequence->packets++;
    advance(sequence, sequence->window.highest + 1, mark);
}

unsigned
sequence_account(sequence_t *sequence, const arrival_t *arrival)
{
    if (sequence_awaits(sequence, arrival->number)) {
        sequence_go_on(sequence, arrival->mark);
        return 0;
    }
    sequence->packets++;
    account_in_its_place(sequence, arrival);
    return sequence->disorder != NULL ? news_of(sequence, sequence->disorder, arrival) : 0;
}

void
sequence_excuse_restart(sequence_t *sequence)
{
    if (sequence->disorder != NULL)
        sequence->disorder->restart = (restart_t){ .is_below = false };
}

/* ---- answers ---- */

/* RFC 9333: numbers from a clock leave gaps each time that are far greater than the number of paths. */
static bool
counts_no_packets(const sequence_t *sequence, const gaps_t *gaps)
{
    return gaps->bursts * 2 >= sequence->packets && gaps->lost / (STRIDE - 1) + 1 >= sequence->packets;
}

bool
sequence_is_partial(const sequence_t *sequence, const gaps_t *gaps)
{
    return gaps->bursts * 4 >= sequence->packets && gaps->lost + gaps->lost / 4 >= sequence->packets;
}

bool
sequence_loss_tells(const sequence_t *sequence, const gaps_t *gaps)
{
    return gaps->lost >= LEAST_LOSS && sequence->packets >= PACKETS_TO_TELL_FEW && !sequence->disorder->is_shared &&
           gaps->lost > (gaps->lost + sequence->packets - 1) / LOSS_ONE_IN && !counts_no_packets(sequence, gaps);
}

uint64_t
sequence_lost(const sequence_t *sequence)
{
    gaps_t gaps = sequence_gaps(sequence);

    return gaps.lost == 0 || sequence->disorder->is_shared || counts_no_packets(sequence, &gaps) ? 0 : gaps.lost;
}

uint64_t
sequence_too_old(const sequence_t *sequence, unsigned which)
{
    const disorder_t *disorder = sequence->disorder;
    uint64_t count = 0;

    if (disorder == NULL || disorder->is_shared)
        return 0;
    for (unsigned i = which; i < REPLAY_WINDOWS; i++)
        count += disorder->late_by[i] + disorder->run.late_by[i];
    return count;
}

unsigned
sequence_sufficient_window(const sequence_t *sequence)
{
    const disorder_t *disorder = sequence->disorder;
    uint64_t farthest = disorder != NULL ? MAX(disorder->farthest, disorder->run.late > 0 ? disorder->run.farthest : 0) : 0;

    return (unsigned)MIN(farthest + 1, REPLAY_WINDOW_MOST + 1);
}

dropped_t
sequence_late_at_end(const sequence_t *sequence)
{
    const disorder_t *disorder = sequence->disorder;

    if (disorder == NULL || disorder->is_shared)
        return (dropped_t){ .count = 0 };
    dropped_t late = disorder->late;
    note_late_run(&late, &disorder->run);
    if (late.verdict != VERDICT_OPEN)
        return late;
    bool are_few = late.count < FEW || late.count * FEW <= sequence->packets - late.before;
    late.verdict = are_few ? VERDICT_FEW : VERDICT_MANY;
    return late.filled * 2 >= late.count ? late : (dropped_t){ .count = 0 }; /* they may be another sender's */
}

dropped_t
sequence_repeated_at_end(const sequence_t *sequence)
{
    const disorder_t *disorder = sequence->disorder;

    if (disorder == NULL || disorder->is_shared)
        return (dropped_t){ .count = 0 };
    dropped_t repeated = disorder->repeated;
    if (repeated.verdict == VERDICT_OPEN)
        repeated.verdict = repeated.count * FEW <= sequence->packets - repeated.before ? VERDICT_FEW : VERDICT_MANY;
    return repeated.verdict == VERDICT_FEW ? repeated : (dropped_t){ .count = 0 };
}
