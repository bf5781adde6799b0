/* words.c - how are times, durations, ids and paragraphs written for people?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/words.h"

#include <string.h>

#define DAY SECONDS(86400)

/* Days since 1970, also before, and the time since midnight UTC. */
static int64_t
split_time(capture_ns_t time, duration_ns_t *ret_since_midnight)
{
    const bool is_before_epoch = time % DAY < 0;

    *ret_since_midnight = time % DAY + (is_before_epoch ? DAY : 0);
    return time / DAY - (is_before_epoch ? 1 : 0);
}

void
words_date(GString *out, capture_ns_t time)
{
    if (time == CAPTURE_TIME_NONE) {
        g_string_append(out, "no time");
        return;
    }
    duration_ns_t since_midnight;
    GDateTime *midnight = g_date_time_new_from_unix_utc(split_time(time, &since_midnight) * (DAY / SECONDS(1)));
    char *date = g_date_time_format(midnight, "%Y-%m-%d ");

    g_string_append(out, date);
    words_clock(out, time);
    g_string_append(out, " UTC");
    g_free(date);
    g_date_time_unref(midnight);
}

void
words_clock(GString *out, capture_ns_t time)
{
    duration_ns_t since_midnight;

    if (time == CAPTURE_TIME_NONE) {
        g_string_append(out, "-");
        return;
    }
    split_time(time, &since_midnight);
    const int seconds = (int)(since_midnight / SECONDS(1)), milliseconds = (int)(since_midnight % SECONDS(1) / MILLISECONDS(1));
    g_string_append_printf(out, "%02d:%02d:%02d.%03d", seconds / 3600, seconds / 60 % 60, seconds % 60, milliseconds);
}

void
words_duration(GString *out, double seconds)
{
    const uint64_t whole = seconds > 0 && seconds < 1e15 ? (uint64_t)(seconds + 0.5) : 0;

    if (!(seconds > 0))
        g_string_append(out, "0 s");
    else if (seconds < 0.01)
        g_string_append_printf(out, "%.1f ms", seconds * 1000);
    else if (seconds < 1)
        g_string_append_printf(out, "%.0f ms", seconds * 1000);
    else if (seconds < 59.95)
        g_string_append_printf(out, "%.1f s", seconds);
    else if (whole < 3600)
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " min %" G_GUINT64_FORMAT " s", whole / 60, whole % 60);
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " h %" G_GUINT64_FORMAT " min", whole / 3600, whole % 3600 / 60);
}

void
words_bytes(GString *out, uint64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    double value = (double)bytes / 1000;
    unsigned unit = 0;

    if (bytes < 1000) {
        g_string_append_printf(out, "%u B", (unsigned)bytes);
        return;
    }
    while (value >= 1000 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1000;
        unit++;
    }
    g_string_append_printf(out, "%.1f %s", value, units[unit]);
}

void
words_count(GString *out, uint64_t count, const char *noun)
{
    g_string_append_printf(out, "%" G_GUINT64_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}

static bool
is_acronym(const char *word)
{
    static const char *const acronyms[] = { "nat", "spi", "dpd", "pfs", "ike", "esp", "icmp", "ke", "ts", "icv", "mtu", "sa" };

    for (size_t i = 0; i < G_N_ELEMENTS(acronyms); i++)
        if (strcmp(word, acronyms[i]) == 0)
            return true;
    return false;
}

void
words_id(GString *out, const char *id)
{
    char **words = g_strsplit(id, "_", -1);

    for (char **word = words; *word; word++) {
        char *upper = g_ascii_strup(*word, -1);

        g_string_append_printf(out, "%s%s", word == words ? "" : " ", is_acronym(*word) ? upper : *word);
        g_free(upper);
    }
    g_strfreev(words);
}

void
words_wrapped(GString *out, const char *text, unsigned indent, unsigned width)
{
    char *valid = g_utf8_make_valid(text ? text : "", -1);
    char **words = g_strsplit_set(valid, " \n", -1);
    glong column = 0;

    for (char **word = words; *word; word++) {
        const glong length = g_utf8_strlen(*word, -1);

        if (length == 0)
            continue;
        if (column > 0 && column + 1 + length > (glong)width) {
            g_string_append_c(out, '\n');
            column = 0;
        }
        if (column == 0) {
            g_string_append_printf(out, "%*s", (int)indent, "");
            column = (glong)indent;
        } else {
            g_string_append_c(out, ' ');
            column++;
        }
        g_string_append(out, *word);
        column += length;
    }
    if (column > 0)
        g_string_append_c(out, '\n');
    g_strfreev(words);
    g_free(valid);
}

void
words_state(GString *out, const tunnel_row_t *row)
{
    g_string_append(out, tunnel_state_text(row->state));
    if (!row->ike_version)
        g_string_append(out, ", no IKE in this capture");
}
