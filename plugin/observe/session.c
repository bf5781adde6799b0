/* session.c - when does the engine begin and end, and with which settings?
 *
 * One engine per capture and dissection: Wireshark calls the init routines when a file is opened or dissected anew, and the
 * cleanup routines before it closes or dissects it anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/session.h"

#include "observe/esp_in_udp.h"
#include "observe/point.h"

static engine_t *engine;
static engine_settings_t settings;
static frame_t last_frame;
static const frame_note_t *note_of_last_frame;

static void
session_free(void)
{
    engine_free(engine); /* and with it the note */
    engine = NULL;
    last_frame = FRAME_NONE;
    note_of_last_frame = NULL;
    esp_in_udp_end();
}

static void
session_start(void)
{
    if (engine)
        session_free();
    engine = engine_new(&settings);
    esp_in_udp_start();
}

/* Reached after the first pass in the GUI and in tshark -2; in a single pass the taps' draw callbacks do it. */
static void
session_end_of_capture(void)
{
    if (engine)
        engine_finish(engine);
}

void
session_register(void)
{
    settings = engine_default_settings();
    register_init_routine(session_start);
    register_cleanup_routine(session_free);
    register_postseq_cleanup_routine(session_end_of_capture);
}

engine_settings_t *
session_settings(void)
{
    return &settings;
}

engine_t *
observe_engine(void)
{
    return engine;
}

capture_ns_t
observe_time(const packet_info *pinfo)
{
    const int64_t seconds = (int64_t)pinfo->abs_ts.secs;
    const int64_t limit = INT64_MAX / SECONDS(1) - 1;

    if (!(pinfo->presence_flags & PINFO_HAS_TS) || seconds > limit || seconds < -limit)
        return CAPTURE_TIME_NONE;
    return seconds * SECONDS(1) + pinfo->abs_ts.nsecs;
}

void
observe_frame(packet_info *pinfo)
{
    if (!engine || PINFO_FD_VISITED(pinfo) || pinfo->num == last_frame)
        return;
    last_frame = pinfo->num;
    note_of_last_frame = NULL;
    engine_frame(engine, pinfo->num, observe_time(pinfo));
    point_heard(engine, pinfo);
}

const frame_note_t *
session_note(const packet_info *pinfo)
{
    return pinfo->num == last_frame ? note_of_last_frame : NULL;
}

void
session_set_note(const frame_note_t *note)
{
    note_of_last_frame = note;
}
