/* session.h - when does the engine begin and end, and with which settings?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_SESSION_H
#define IPSEC_OBSERVE_SESSION_H

#include "observe/observe.h"

/* Registers the routines that make an engine for each capture and free it. */
void session_register(void);

/* The settings of the next engine, bound to the preferences. */
engine_settings_t *session_settings(void);

/* The note of a frame while it is visited for the first time; it was given then or there is none. */
const frame_note_t *session_note(const packet_info *pinfo);
void session_set_note(const frame_note_t *note);

#endif
