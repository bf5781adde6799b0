/* window.c - the report as a window of Wireshark, with buttons that lead into the capture
 *
 * A window may outlive the capture it was made of. It is empty while none is open, and tells the next one when that has been read:
 * what it shows is always about the packets beside it. During a live capture it stays as it is until Refresh, so that it can be read.
 * A button asks the engine of the capture that is open when it is pressed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/window.h"

#include "compat.h"

#include "observe/observe.h"
#include "present/ranking.h"
#include "present/report.h"
#include "present/subtree.h"

#include <epan/funnel.h>
#include <epan/plugin_if.h>
#include <epan/tap.h>
#include <glib/gstdio.h>

#include <errno.h>

#define NO_CAPTURE "No capture with IPsec is open.\n"

/* The engine of the capture at hand, all of it judged; NULL: none is open. */
static engine_t *
finished_engine(void)
{
    engine_t *engine = observe_engine();

    if (engine)
        engine_finish(engine);
    return engine;
}

/* The report windows that are open: funnel_text_window_t *. A list, so that there is nothing to free when Wireshark ends, which may close its
 * last windows after everything else. */
static GSList *windows;

static void
show_report(funnel_text_window_t *window)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    engine_t *engine = finished_engine();
    GString *text = engine ? report_text(engine) : g_string_new(NO_CAPTURE);

    ops->set_text(window, text->str);
    g_string_free(text, TRUE);
}

/* A capture was closed, or is dissected anew: the windows are empty. When the second is over, nobody says; it is when as many frames as
 * before have been seen again. */
static bool are_empty;
static frame_t last_frame_before;

static frame_t
last_frame(void)
{
    capture_row_t capture;

    engine_capture_row(observe_engine(), &capture);
    return capture.last_frame;
}

/* A capture has been read. */
static void
refresh_all(void)
{
    are_empty = false;
    for (const GSList *item = windows; item; item = item->next)
        show_report(item->data);
}

/* Without an engine that has been said before: while Wireshark ends, its windows may be gone by now. */
static void
empty_all(void)
{
    if (!observe_engine())
        return;
    are_empty = true;
    last_frame_before = last_frame();
    for (const GSList *item = windows; item; item = item->next)
        funnel_get_funnel_ops()->set_text(item->data, NO_CAPTURE);
}

static tap_packet_status
ask_for_redraw(void *data _U_, packet_info *pinfo _U_, epan_dissect_t *edt _U_, const void *record _U_, tap_flags_t flags _U_)
{
    return are_empty ? TAP_PACKET_REDRAW : TAP_PACKET_DONT_REDRAW;
}

static void
refresh_when_dissected_anew(void *data _U_)
{
    if (are_empty && observe_engine() && last_frame() >= last_frame_before)
        refresh_all();
}

static void
forget_window(void *window)
{
    windows = g_slist_remove(windows, window);
    if (!windows)
        remove_tap_listener(&windows);
}

/* The tap is listened to only while there are windows. */
static void
remember_window(const funnel_ops_t *ops, funnel_text_window_t *window)
{
    GString *complaint = NULL;

    if (!windows)
        complaint = register_tap_listener(SUBTREE_TAP, &windows, NULL, 0, NULL, ask_for_redraw, refresh_when_dissected_anew, NULL);
    if (complaint)
        g_string_free(complaint, TRUE);
    windows = g_slist_prepend(windows, window);
    ops->set_close_cb(window, forget_window, window);
}

/* ---- what the buttons do ---- */

/* The worst tunnel and its first incident. False: no tunnel has any. */
static bool
worst_incident(incident_row_t *ret_incident)
{
    engine_t *engine = finished_engine();
    GArray *ranking = engine ? ranking_worst_first(engine) : NULL;
    bool found = false;

    for (unsigned i = 0; ranking && i < ranking->len && !found; i++) {
        const uint32_t tunnel = g_array_index(ranking, uint32_t, i);

        found = engine_incident_count(engine, tunnel) > 0;
        if (found)
            engine_incident_row(engine, tunnel, 0, ret_incident);
    }
    if (ranking)
        g_array_free(ranking, TRUE);
    return found;
}

static compat_bool_t
go_to_root_cause(funnel_text_window_t *window _U_, void *data _U_)
{
    incident_row_t incident;

    if (worst_incident(&incident))
        plugin_if_goto_frame(incident.chain[0]->frame);
    return COMPAT_TRUE;
}

static compat_bool_t
filter_outage(funnel_text_window_t *window _U_, void *data _U_)
{
    incident_row_t incident;

    if (worst_incident(&incident)) {
        char *filter = g_strdup_printf("ipsec.tunnel == %u && ipsec.incident == %u", incident.tunnel, incident.incident);

        plugin_if_apply_filter(filter, TRUE);
        g_free(filter);
    }
    return COMPAT_TRUE;
}

static compat_bool_t
refresh(funnel_text_window_t *window, void *data _U_)
{
    show_report(window);
    return COMPAT_TRUE;
}

typedef void (*writer_t)(const engine_t *engine, FILE *out);

static void
write_text(const engine_t *engine, FILE *out)
{
    GString *text = report_text(engine);

    fputs(text->str, out);
    g_string_free(text, TRUE);
}

static void
write_html(const engine_t *engine, FILE *out)
{
    GString *page = report_html(engine);

    fputs(page->str, out);
    g_string_free(page, TRUE);
}

static const struct {
    const char *button, *title, *file;
    writer_t write;
} formats[] = {
    { "Save as text", "Save the IPsec report as text", "ipsec-report.txt", write_text },
    { "Save as JSON", "Save the IPsec report as JSON", "ipsec-report.json", report_json },
    { "Save as HTML", "Save the IPsec report as HTML", "ipsec-report.html", write_html },
};

static void
complain(const char *path, const char *why)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    funnel_text_window_t *window = ops->new_text_window(ops->ops_id, "IPsec Report");
    char *text = g_strdup_printf("The report was not saved to %s: %s\n", path, why);

    ops->set_text(window, text);
    g_free(text);
}

/* The user has entered a file name, or nothing. */
static void
save_to(char **input, void *data)
{
    const unsigned format = GPOINTER_TO_UINT(data);
    engine_t *engine = finished_engine();
    FILE *out;

    if (!input || !input[0] || input[0][0] == '\0')
        return;
    if (!engine) {
        complain(input[0], "no capture is open");
        return;
    }
    out = g_fopen(input[0], "w");
    if (!out) {
        complain(input[0], g_strerror(errno));
        return;
    }
    formats[format].write(engine, out);
    if (ferror(out) | fclose(out))
        complain(input[0], "the disk may be full");
}

static compat_bool_t
ask_where_to_save(funnel_text_window_t *window _U_, void *data)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    const unsigned format = GPOINTER_TO_UINT(data);
    const char *fields[] = { "File", NULL };
    char *path = g_build_filename(g_get_home_dir(), formats[format].file, NULL);
    const char *values[] = { path, NULL };

    ops->new_dialog(ops->ops_id, formats[format].title, fields, values, save_to, data, NULL);
    g_free(path);
    return COMPAT_TRUE;
}

/* ---- the window ---- */

static void
add_button(const funnel_ops_t *ops, funnel_text_window_t *window, const char *label, funnel_bt_cb_t pressed, void *data)
{
    funnel_bt_t *button = g_new0(funnel_bt_t, 1);

    button->tw = window;
    button->func = pressed;
    button->data = data;
    button->free_fcn = g_free;
    ops->add_button(window, button, label);
}

static void
open_window(gpointer data _U_)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();
    funnel_text_window_t *window;

    if (!ops || !ops->new_text_window || !ops->set_text || !ops->set_close_cb || !ops->add_button)
        return;
    window = ops->new_text_window(ops->ops_id, "IPsec Report");
    remember_window(ops, window);
    show_report(window);
    add_button(ops, window, "Go to root cause", go_to_root_cause, NULL);
    add_button(ops, window, "Filter the outage", filter_outage, NULL);
    add_button(ops, window, "Refresh", refresh, NULL);
    for (unsigned i = 0; ops->new_dialog && i < G_N_ELEMENTS(formats); i++)
        add_button(ops, window, formats[i].button, ask_where_to_save, GUINT_TO_POINTER(i));
}

static void
go_to_root_cause_by_menu(gpointer data)
{
    (void)go_to_root_cause(NULL, data);
}

static void
filter_outage_by_menu(gpointer data)
{
    (void)filter_outage(NULL, data);
}

void
window_register(void)
{
    register_postseq_cleanup_routine(refresh_all);
    register_cleanup_routine(empty_all);
    funnel_register_menu("IPsec/Report", REGISTER_TOOLS_GROUP_UNSORTED, open_window, NULL, NULL, FALSE);
    funnel_register_menu("IPsec/Go to the root cause of the worst outage", REGISTER_TOOLS_GROUP_UNSORTED, go_to_root_cause_by_menu,
                         NULL, NULL, FALSE);
    funnel_register_menu("IPsec/Show only the worst outage", REGISTER_TOOLS_GROUP_UNSORTED, filter_outage_by_menu, NULL, NULL,
                         FALSE);
}
