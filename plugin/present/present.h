/* present.h - how do the engine's results reach the user?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_H
#define IPSEC_PRESENT_H

#include "compat.h"

/* Registers the protocol, its fields and its expert items. Returns the protocol's id. */
int present_register(void);

/* Registers the post-dissector that draws the subtree. */
void present_handoff(void);

/* Registers the statistics: the windows of the GUI and the reports of tshark. */
void present_register_listeners(void);

#endif
