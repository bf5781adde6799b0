/* lane_esp.c - how much ESP, each way?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/lanes.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

enum { BARS = 34 }; /* height of the lane */

/* What the bars show: the bins, or several of them put together. A bin that is hardly longer than the time between two packets is now and
 * then empty, and would look like a pause. */
typedef struct {
    capture_ns_t from;
    duration_ns_t width;
    unsigned bars;
    activity_bin_t bar[ACTIVITY_BINS];
} bars_t;
enum { PACKETS_WANTED = 3, TOGETHER_MOST = 8 }; /* in a typical bar; bins in one */

static bool
is_empty(const activity_bin_t *bin)
{
    return bin->packets[PEER_A] == 0 && bin->packets[PEER_B] == 0;
}

static void
put_together(const activity_row_t *activity, unsigned together, bars_t *bars)
{
    *bars = (bars_t){ .from = activity->from,
                      .width = activity->width > INT64_MAX / together ? INT64_MAX : activity->width * together };
    for (unsigned i = 0; i < activity->bins; i++) {
        activity_bin_t *bar = &bars->bar[i / together];

        for (peer_t peer = PEER_A; peer < PEERS; peer++) {
            bar->packets[peer] += activity->bin[i].packets[peer];
            bar->bytes[peer] += activity->bin[i].bytes[peer];
        }
        bars->bars = i / together + 1;
    }
}

/* Of the direction with more, in bars that are not empty. */
static double
typical_packets(const bars_t *bars)
{
    uint64_t packets[PEERS] = { 0 };
    unsigned used = 0;

    for (unsigned i = 0; i < bars->bars; i++) {
        packets[PEER_A] += bars->bar[i].packets[PEER_A];
        packets[PEER_B] += bars->bar[i].packets[PEER_B];
        used += !is_empty(&bars->bar[i]);
    }
    return used ? (double)MAX(packets[PEER_A], packets[PEER_B]) / used : 0;
}

static void
choose_bars(const activity_row_t *activity, bars_t *bars)
{
    unsigned together = 1;

    put_together(activity, together, bars);
    while (together < TOGETHER_MOST && typical_packets(bars) < PACKETS_WANTED) {
        together *= 2;
        put_together(activity, together, bars);
    }
}

static uint32_t
most_of(const bars_t *bars, peer_t sender)
{
    uint32_t most = 0;

    for (unsigned i = 0; i < bars->bars; i++)
        most = MAX(most, bars->bar[i].packets[sender]);
    return most;
}

static capture_ns_t
bar_begins(const bars_t *bars, unsigned i)
{
    const duration_ns_t after = i > 0 && bars->width > INT64_MAX / i ? INT64_MAX : bars->width * i;

    return bars->from > INT64_MAX - after ? INT64_MAX : bars->from + after;
}

static void
describe_bar(GString *out, const bars_t *bars, unsigned i, peer_t sender)
{
    g_string_truncate(out, 0);
    words_clock(out, bar_begins(bars, i));
    g_string_append(out, ", for ");
    words_duration(out, duration_seconds(bars->width));
    g_string_append(out, ": ");
    words_count(out, bars->bar[i].packets[sender], "packet");
    g_string_append(out, ", ");
    words_bytes(out, bars->bar[i].bytes[sender]);
}

static void
draw_bars(drawing_t *drawing, const bars_t *bars, peer_t sender, uint32_t most)
{
    GString *title = g_string_new(NULL);

    for (unsigned i = 0; i < bars->bars; i++) {
        const uint32_t packets = bars->bar[i].packets[sender];
        const double x = drawing_x(drawing, bar_begins(bars, i)), end = drawing_x(drawing, bar_begins(bars, i + 1));
        const double height = MAX((double)BARS * packets / most, 2.0);

        if (packets == 0)
            continue;
        describe_bar(title, bars, i, sender);
        g_string_append(drawing->out, "<g>");
        svg_title(drawing->out, title->str);
        svg_rect(drawing->out, sender == PEER_A ? "from-a" : "from-b", x, drawing->y + BARS - height, MAX(end - x - 0.5, 1.5),
                 height);
        g_string_append(drawing->out, "</g>\n");
    }
    g_string_free(title, TRUE);
}

/* A rate is spoken of for a second or more; a burst by itself. */
static char *
peak_text(uint32_t packets, duration_ns_t width)
{
    const double seconds = duration_seconds(width), rate = packets / seconds;
    GString *out = g_string_new("peak ");

    if (seconds < 1) {
        g_string_append_printf(out, "%u in ", packets);
        words_duration(out, seconds);
    } else {
        html_number(out, rate < 1 ? rate * 60 : rate);
        g_string_append(out, rate < 1 ? " packets/min" : " packets/s");
    }
    return g_string_free(out, FALSE);
}

/* Both directions have one scale, so that they can be compared. */
void
draw_esp(drawing_t *drawing)
{
    static const char *const names[PEERS] = { [PEER_A] = "ESP A \xe2\x86\x92 B", [PEER_B] = "ESP B \xe2\x86\x92 A" };
    activity_row_t activity;
    bars_t bars;

    engine_activity_row(drawing->source->engine, drawing->source->row->tunnel, &activity);
    if (activity.bins == 0)
        return;
    choose_bars(&activity, &bars);
    for (peer_t sender = PEER_A; sender < PEERS; sender++) {
        const uint32_t most = most_of(&bars, sender);
        char *peak = most ? peak_text(most, bars.width) : NULL;

        lane_begin(drawing, names[sender], peak);
        if (most)
            draw_bars(drawing, &bars, sender, MAX(most_of(&bars, PEER_A), most_of(&bars, PEER_B)));
        else
            svg_label(drawing->out, "nothing", LEFT + 4, drawing->y + BARS / 2.0 + 4, "none in the capture");
        svg_line(drawing->out, "base", LEFT, drawing->y + BARS, RIGHT, drawing->y + BARS);
        lane_end(drawing, BARS);
        g_free(peak);
    }
}
