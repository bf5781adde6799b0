/* syslog_line.c - which SA does a syslog line speak of, and does the capture bear it out?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/syslog_line.h"

#include "engine/engine_state.h"

/* Devices limit such lines to one in so many seconds, and relays keep them for a while. */
#define LATE_AT_MOST SECONDS(60)

/* The clocks of two capture points that were merged into one file, and the order of their packets. */
#define EARLY_AT_MOST SECONDS(5)

/* A peer that installs an SA later than its peer uses it does so within moments. */
#define INSTALLED_WITHIN SECONDS(2)

/* So many packets after the line show that its sender did not listen. */
#define PACKETS_BEARING_OUT 3u

/* Lines about SPIs that are not in the capture: so many of them are told one by one. */
#ifndef STRAYS_MAX
#define STRAYS_MAX 256u
#endif

/* What was told of the lines about one SPI from one logger. */
typedef struct {
    finding_t *told; /* borrowed; NULL: nothing */
    capture_ns_t last_at;
} stray_t;

GHashTable *
syslog_strays_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

/* ---- what the capture says to a line ---- */

/* Deleted, or its sender has moved on to another SA, and what came on it since came soon after. Where the capture begins between the
 * two, a straggler of the older one may be seen after the newer one. */
static bool
is_over(const engine_t *engine, const esp_sa_t *sa)
{
    const tunnel_t *tunnel = sa->tunnel;
    const duration_ns_t grace = SECONDS(engine->settings.delete_grace_seconds);

    if (sa->is_succeeded || (sa->deleted_in != FRAME_NONE && duration_between(sa->deleted_at, sa->last_time) <= grace))
        return true;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *next = g_ptr_array_index(tunnel->esp_sas, i);
        bool is_used_since = next->sender == sa->sender && next->packets > 0 && next->last_time > sa->last_time;
        if (is_used_since && duration_between(next->first_time, sa->last_time) <= grace)
            return true;
    }
    return false;
}

static syslog_verdict_t
verdict_on(const engine_t *engine, const esp_sa_t *sa, capture_ns_t time)
{
    if (sa->packets == 0)
        return SYSLOG_UNUSED;
    if (engine->clock_is_unusable || time <= 0)
        return SYSLOG_UNTIMED;
    if (is_over(engine, sa))
        return SYSLOG_OLD_SA;
    if (sa->first_sequence <= BIRTH_SEQUENCE_MAX && duration_between(sa->first_time, time) <= INSTALLED_WITHIN)
        return SYSLOG_NEW_SA;
    return SYSLOG_INVALID;
}

static esp_sa_t *
sa_between(const engine_t *engine, const syslog_report_t *report)
{
    return engine_find_esp_sa(engine, report->spi, &report->source, &report->destination, FRAME_NONE);
}

/* The SA of the packet that the line is about, unless its last packet is too long ago. */
static esp_sa_t *
sa_of(const engine_t *engine, const syslog_line_t *line)
{
    esp_sa_t *sa = sa_between(engine, &line->report);

    return sa != NULL && (sa->packets == 0 || duration_between(sa->last_time, line->at) <= LATE_AT_MOST) ? sa : NULL;
}

/* The same line a second time: a mirror port, or a relay that passes it on. Devices write few of them a minute. */
static bool
is_copy(capture_ns_t before, capture_ns_t now)
{
    return duration_between(before, now) < SHORTEST_TIMER;
}

/* ---- from a line to the detectors ---- */

/* Lets the detectors judge. Returns what they have told, or NULL. */
static finding_t *
judge(engine_t *engine, tunnel_t *tunnel, const esp_sa_t *sa, const syslog_line_t *line, frame_t frame, capture_ns_t time)
{
    const unsigned before = engine->findings->len;
    change_t change = {
        .kind = CHANGE_SYSLOG_LINE, .frame = frame, .time = time, .sender = PEER_UNKNOWN, .esp_sa = sa, .syslog_line = line
    };

    engine_judge(engine, tunnel, &change);
    return engine->findings->len > before ? g_ptr_array_index(engine->findings, before) : NULL;
}

static void
believe(syslog_of_sa_t *of, const esp_sa_t *sa, const syslog_line_t *line)
{
    of->invalid_lines++;
    if (of->believed_in != FRAME_NONE)
        return;
    of->believed_in = line->in;
    of->believed_at = line->at;
    of->packets_then = sa->packets;
}

/* A line about an SA of the capture. `frame`, `time`: what shows that it is: the line, or the first packet of the SA right after it. */
static void
tie(engine_t *engine, esp_sa_t *sa, syslog_line_t *line, frame_t frame, capture_ns_t time)
{
    tunnel_t *tunnel = sa->tunnel;
    syslog_of_sa_t *of = &sa->syslog;
    frame_note_t *note = engine_note_for(engine, line->in);

    if (note->tunnel == INDEX_NONE)
        note->tunnel = tunnel->index;
    if (of->last_in != FRAME_NONE && is_copy(of->last_at, line->at)) {
        engine->capture.copies++;
        return;
    }
    of->last_in = line->in;
    of->last_at = line->at;
    line->verdict = verdict_on(engine, sa, line->at);
    line->told = of->told;
    if (line->verdict == SYSLOG_INVALID)
        believe(of, sa, line);
    tunnel->is_in_syslog = true;
    finding_t *told = judge(engine, tunnel, sa, line, frame, time);
    if (told != NULL)
        of->told = told;
}

static void
remember_stray(engine_t *engine, const syslog_line_t *line)
{
    engine->recent_strays[engine->strays_seen++ % RECENT_STRAYS] = *line;
}

/* A line about no SA of the capture, or about one that was silent for too long. */
static void
tell_stray(engine_t *engine, syslog_line_t *line)
{
    const guint64 key = (guint64)line->report.spi << 32 | endpoint_address_hash(&line->logger);
    stray_t *stray = g_hash_table_lookup(engine->strays, &key);

    if (stray != NULL && is_copy(stray->last_at, line->at)) {
        engine->capture.copies++;
        return;
    }
    remember_stray(engine, line);
    if (stray == NULL && g_hash_table_size(engine->strays) >= STRAYS_MAX) {
        engine->capture.findings_left_out++;
        return;
    }
    if (stray == NULL) {
        stray = g_new0(stray_t, 1);
        g_hash_table_insert(engine->strays, g_memdup2(&key, sizeof(key)), stray);
    }
    line->verdict = SYSLOG_STRAY;
    line->told = stray->told;
    stray->last_at = line->at;
    finding_t *told = judge(engine, NULL, NULL, line, line->in, line->at);
    if (told != NULL)
        stray->told = told;
}

void
engine_syslog_packet(engine_t *engine, const packet_t *packet)
{
    cursor_t text = cursor_over(packet->bytes, packet->captured);
    syslog_line_t line = { .logger = packet->source, .in = packet->frame, .at = packet->time };

    line.logger.port = 0;
    while (syslog_next_report(&text, &line.report)) {
        esp_sa_t *sa = sa_of(engine, &line);

        engine->capture.syslog_lines++;
        if (sa != NULL)
            tie(engine, sa, &line, packet->frame, packet->time);
        else
            tell_stray(engine, &line);
    }
}

/* ---- what ESP says to earlier lines ---- */

void
engine_claim_strays(engine_t *engine, esp_sa_t *sa, const packet_t *packet)
{
    if (engine->strays_seen == 0 || engine->clock_is_unusable)
        return;
    for (unsigned i = 0; i < MIN(engine->strays_seen, RECENT_STRAYS); i++) {
        syslog_line_t *line = &engine->recent_strays[i];
        if (line->report.spi != sa->spi || line->at == CAPTURE_TIME_NONE ||
            duration_between(line->at, packet->time) > EARLY_AT_MOST || sa_between(engine, &line->report) != sa)
            continue;
        tie(engine, sa, line, packet->frame, packet->time);
        line->report.spi = 0;
    }
}

/* Has the other direction of this pair been used after `time`? Who has lost an SA has lost the pair (RFC 7296 1.3). */
static bool
is_answered_after(const esp_sa_t *sa, capture_ns_t time)
{
    const tunnel_t *tunnel = sa->tunnel;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *back = g_ptr_array_index(tunnel->esp_sas, i);
        if (children_may_be_pair(sa, back) && back->packets > 0 && back->last_time > time)
            return true;
    }
    return false;
}

static bool
is_belied(const engine_t *engine, const esp_sa_t *sa)
{
    const capture_ns_t settled = duration_sum(sa->syslog.believed_at, SECONDS(engine->settings.delete_grace_seconds));

    return sa->last_time > settled && is_answered_after(sa, settled);
}

void
engine_doubt_syslog(engine_t *engine, const esp_sa_t *seen)
{
    tunnel_t *tunnel = seen->tunnel;
    bool any = false;

    if (!tunnel->is_in_syslog)
        return;
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->syslog.believed_in == FRAME_NONE || sa->syslog.invalid_lines > 1)
            continue;
        any = true;
        if ((sa != seen && !children_may_be_pair(sa, seen)) || !is_belied(engine, sa))
            continue;
        if (sa->syslog.told != NULL)
            engine_tone_down(
                engine, tunnel, FINDING_syslog_invalid_spi, sa->syslog.told->frame,
                "Both peers went on with this pair of SAs and the line was not repeated, so it tells of a passing trouble, or "
                "is not true.");
        sa->syslog.believed_in = FRAME_NONE;
    }
    tunnel->is_in_syslog = any;
}

bool
syslog_is_borne_out(const esp_sa_t *sa, capture_ns_t now, duration_ns_t silence)
{
    const syslog_of_sa_t *of = &sa->syslog;

    return of->believed_in != FRAME_NONE && sa->packets >= of->packets_then + PACKETS_BEARING_OUT &&
           duration_between(of->believed_at, now) >= silence && tunnel_shows_peer(sa->tunnel, peer_other(sa->sender)) &&
           !is_answered_after(sa, of->believed_at);
}
