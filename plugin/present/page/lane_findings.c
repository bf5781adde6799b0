/* lane_findings.c - what was found, where?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/lanes.h"

#include "present/page/html.h"
#include "present/phrases.h"
#include "present/words.h"

#include <string.h>

/* One finding, or several of like severity on nearly the same place. */
typedef struct {
    double x;
    severity_t severity;
    const finding_t *first;
    unsigned count;
    bool is_one_id;
    GString *title;
} flag_t;

static void
flag_add(flag_t *flag, const finding_t *finding)
{
    flag->count++;
    flag->is_one_id &= finding->id == flag->first->id;
    if (flag->count > TITLE_LINES)
        return;
    if (flag->title->len)
        g_string_append_c(flag->title, '\n');
    words_clock(flag->title, finding->time);
    g_string_append_printf(flag->title, ", frame %u, %s, %s: %s", finding->frame, severity_text(finding->severity),
                           confidence_text(finding->confidence), finding_catalogue[finding->id].id);
}

/* Those that deserve a name (warnings and errors), or the others. */
static GArray *
flags_of(const drawing_t *drawing, bool is_serious)
{
    const GPtrArray *findings = drawing->source->findings;
    GArray *flags = g_array_new(FALSE, FALSE, sizeof(flag_t));

    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];
        const double x = drawing_x(drawing, finding->time == CAPTURE_TIME_NONE ? drawing->from : finding->time);
        const flag_t *before = flags->len ? &g_array_index(flags, flag_t, flags->len - 1) : NULL;

        if ((finding->severity >= SEVERITY_WARN) != is_serious)
            continue;
        if (!before || before->severity != finding->severity ||
            ABS(x - before->x) >= (is_serious ? TOGETHER_IF_MANY : 2 * TOGETHER)) {
            const flag_t flag = {
                .x = x, .severity = finding->severity, .first = finding, .is_one_id = true, .title = g_string_new(NULL)
            };

            g_array_append_val(flags, flag);
        }
        flag_add(&g_array_index(flags, flag_t, flags->len - 1), finding);
    }
    return flags;
}

/* Each severity has a shape of its own. */
static void
append_flag_shape(GString *out, severity_t severity, double x, double y)
{
    static const char *const shapes[] = {
        [SEVERITY_CHAT] = "<circle cx=\"0\" cy=\"0\" r=\"2.5\"/>",
        [SEVERITY_NOTE] = "<rect x=\"-3.5\" y=\"-3.5\" width=\"7\" height=\"7\"/>",
        [SEVERITY_WARN] = "<path d=\"M0-5.5 5.5 4.5H-5.5Z\"/>",
        [SEVERITY_ERROR] = "<path d=\"M-2.3-5.5H2.3L5.5-2.3V2.3L2.3 5.5H-2.3L-5.5 2.3V-2.3Z\"/>",
    };

    g_string_append(out, "<g transform=\"translate(");
    html_number(out, x);
    g_string_append_c(out, ' ');
    html_number(out, y);
    g_string_append_printf(out, ")\">%s</g>", shapes[severity]);
}

static void
draw_flag(drawing_t *drawing, rows_t *rows, const flag_t *flag, bool is_named)
{
    const char *id = finding_catalogue[flag->first->id].id;
    char *label = flag->count == 1  ? g_strdup(id)
                  : flag->is_one_id ? g_strdup_printf("%s \xc3\x97%u", id, flag->count)
                                    : g_strdup_printf("%s +%u", id, flag->count - 1);
    label_place_t where;
    const double wide = is_named ? CHARACTER * (double)g_utf8_strlen(label, -1) : 0;
    const double y = drawing->y + ROW * rows_place(rows, flag->x - 6, flag->x + 6, wide, &where);
    const gpointer number = g_hash_table_lookup(drawing->source->places, flag->first);

    if (flag->count > TITLE_LINES)
        g_string_append_printf(flag->title, "\nand %u more", flag->count - TITLE_LINES);
    if (number)
        g_string_append_printf(drawing->out, "<a href=\"#finding-%u\">", GPOINTER_TO_UINT(number));
    g_string_append_printf(drawing->out, "<g class=\"flag %s\">", severity_text(flag->severity));
    svg_title(drawing->out, flag->title->str);
    append_flag_shape(drawing->out, flag->severity, flag->x, y + 6.5);
    svg_label_beside(drawing->out, where, flag->x - 6, flag->x + 6, y + 10, label);
    g_string_append(drawing->out, number ? "</g></a>\n" : "</g>\n");
    g_free(label);
}

static void
draw_flags(drawing_t *drawing, const char *name, bool is_serious)
{
    GArray *flags = flags_of(drawing, is_serious);
    rows_t rows = rows_of(is_serious ? ROWS_MAX : 1);

    if (flags->len)
        lane_begin(drawing, name, NULL);
    for (unsigned i = 0; i < flags->len; i++) {
        flag_t *flag = &g_array_index(flags, flag_t, i);

        draw_flag(drawing, &rows, flag, is_serious);
        g_string_free(flag->title, TRUE);
    }
    if (flags->len)
        lane_end(drawing, rows.used * ROW);
    g_array_free(flags, TRUE);
}

void
draw_findings(drawing_t *drawing)
{
    draw_flags(drawing, "Findings", true);
    draw_flags(drawing, "Notes", false);
}
