/* reports.h - what do "tshark -z ipsec,..." and the GUI's report window do?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_REPORTS_H
#define IPSEC_PRESENT_REPORTS_H

/* Registers "-z ipsec,tunnels", "-z ipsec,findings" and "-z ipsec,report", and the report window of the GUI. */
void reports_register(void);

#endif
