/* reports.c - what does "tshark -z ipsec,..." do?
 *
 * Each -z is a listener of this plugin's tap, without a filter unless the user gave one and without wishes, so that nothing is
 * dissected in more detail than it would be otherwise. The tap's draw callback is the end of the capture.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/reports.h"

#include "compat.h"

#include "observe/observe.h"
#include "present/listing.h"
#include "present/report.h"
#include "present/subtree.h"

#include <epan/funnel.h>
#include <epan/tap.h>

#include <string.h>

typedef enum { REPORT_TUNNELS, REPORT_FINDINGS, REPORT_TEXT, REPORT_JSON, REPORT_HTML, REPORTS } report_kind_t;

typedef struct {
    report_kind_t kind;
    selection_t selection;
} listener_t;

/* ---- the tap listener ---- */

static void
listener_reset(void *data)
{
    listener_t *listener = data;

    selection_clear(&listener->selection);
    selection_init(&listener->selection);
}

static tap_packet_status
listener_packet(void *data, packet_info *pinfo, epan_dissect_t *edt _U_, const void *record, tap_flags_t flags _U_)
{
    listener_t *listener = data;

    if (!listener->selection.everything)
        selection_add(&listener->selection, pinfo->num, subtree_tunnel_of(record));
    return TAP_PACKET_REDRAW;
}

static void
print_and_free(GString *text)
{
    fputs(text->str, stdout);
    g_string_free(text, TRUE);
}

static void
listener_draw(void *data)
{
    const listener_t *listener = data;
    engine_t *engine = observe_engine();

    if (!engine)
        return;
    engine_finish(engine);
    switch (listener->kind) {
    case REPORT_TUNNELS:
        print_and_free(listing_tunnels(engine, &listener->selection));
        break;
    case REPORT_FINDINGS:
        print_and_free(listing_findings(engine, &listener->selection));
        break;
    case REPORT_TEXT:
        print_and_free(report_text(engine));
        break;
    case REPORT_HTML:
        print_and_free(report_html(engine));
        break;
    case REPORT_JSON:
    default:
        report_json(engine, stdout);
        break;
    }
    fflush(stdout);
}

static void
listener_finish(void *data)
{
    listener_t *listener = data;

    selection_clear(&listener->selection);
    g_free(listener);
}

/* False, and one line on stderr, when the filter is not valid. */
static bool
listen_to_tap(report_kind_t kind, const char *filter)
{
    listener_t *listener = g_new0(listener_t, 1);
    GString *error;

    listener->kind = kind;
    listener->selection.everything = filter == NULL;
    selection_init(&listener->selection);
    error = register_tap_listener(SUBTREE_TAP, listener, filter, TL_REQUIRES_NOTHING, listener_reset, listener_packet,
                                  listener_draw, listener_finish);
    if (!error)
        return true;
    g_strchomp(error->str);
    fprintf(stderr, "ipsec: not a valid display filter: \"%s\": %s\n", filter ? filter : "", error->str);
    g_string_free(error, TRUE);
    listener_finish(listener);
    return false;
}

/* ---- the command line ---- */

static const char *const names[] = {
    [REPORT_TUNNELS] = "ipsec,tunnels",
    [REPORT_FINDINGS] = "ipsec,findings",
    [REPORT_TEXT] = "ipsec,report",
};

static bool
refuse(const char *argument)
{
    fprintf(stderr,
            "ipsec: \"-z %s\" is not one of -z ipsec,tunnels[,filter], -z ipsec,findings[,filter], "
            "-z ipsec,report, -z ipsec,report,json and -z ipsec,report,html\n",
            argument);
    return false;
}

/* tshark knows text windows too, but no display filter toolbar. */
static bool
is_gui(void)
{
    const funnel_ops_t *ops = funnel_get_funnel_ops();

    return ops && ops->set_filter;
}

/* In the GUI the same is in the Statistics menu, and nobody reads its standard output. */
static bool
refuse_in_gui(const char *argument)
{
    fprintf(stderr, "ipsec: \"-z %s\" is for tshark; see Statistics and Tools > IPsec\n", argument);
    return false;
}

static bool
listen_with_filter(report_kind_t kind, const char *argument)
{
    const char *rest = argument + strlen(names[kind]);

    if (rest[0] == '\0')
        return listen_to_tap(kind, NULL);
    if (rest[0] == ',')
        return listen_to_tap(kind, rest[1] ? rest + 1 : NULL);
    return refuse(argument);
}

static bool
listen_for_report(const char *argument)
{
    const char *rest = argument + strlen(names[REPORT_TEXT]);

    if (rest[0] == '\0')
        return listen_to_tap(REPORT_TEXT, NULL);
    if (strcmp(rest, ",json") == 0)
        return listen_to_tap(REPORT_JSON, NULL);
    if (strcmp(rest, ",html") == 0)
        return listen_to_tap(REPORT_HTML, NULL);
    return refuse(argument);
}

static bool
start(const char *argument)
{
    if (is_gui())
        return refuse_in_gui(argument);
    if (g_str_has_prefix(argument, names[REPORT_TUNNELS]))
        return listen_with_filter(REPORT_TUNNELS, argument);
    if (g_str_has_prefix(argument, names[REPORT_FINDINGS]))
        return listen_with_filter(REPORT_FINDINGS, argument);
    if (g_str_has_prefix(argument, names[REPORT_TEXT]))
        return listen_for_report(argument);
    return refuse(argument);
}

static compat_stat_init_t
start_from_command_line(const char *argument, void *data _U_)
{
    if (!start(argument))
        COMPAT_STAT_INIT_FAILED;
    COMPAT_STAT_INIT_OK;
}

/* "ipsec" alone is looked at last and catches what begins like ours and is none of them, with a shorter message than the stock
 * list of everything. */
static void
register_command_line(void)
{
    static const char *const commands[] = { "ipsec", "ipsec,tunnels", "ipsec,findings", "ipsec,report" };

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        stat_tap_ui ui = { .group = REGISTER_STAT_GROUP_GENERIC,
                           .cli_string = commands[i],
                           .tap_init_cb = start_from_command_line };

        register_stat_tap_ui(&ui, NULL);
    }
}

void
reports_register(void)
{
    register_command_line();
}
