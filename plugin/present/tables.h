/* tables.h - what do the windows Statistics > IPsec Tunnels and IPsec Findings show?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_TABLES_H
#define IPSEC_PRESENT_TABLES_H

/* Registers both windows; call it while protocols are registered. */
void tables_register(void);

#endif
