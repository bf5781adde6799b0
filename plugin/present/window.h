/* window.h - the report as a window of Wireshark, with buttons that lead into the capture
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_WINDOW_H
#define IPSEC_PRESENT_WINDOW_H

/* Adds Tools > IPsec. Call it while tap listeners are registered. */
void window_register(void);

#endif
