/* preferences.h - what can the user set?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_OBSERVE_PREFERENCES_H
#define IPSEC_OBSERVE_PREFERENCES_H

/* Registers the preferences of protocol `protocol`. */
void preferences_register(int protocol);

/* Applies what was set before the handles existed. */
void preferences_apply(void);

#endif
