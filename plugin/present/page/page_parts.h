/* page_parts.h - which style and which script go into the HTML report?
 *
 * The build makes page_parts.c from report.css and report.js.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_PAGE_PARTS_H
#define IPSEC_PRESENT_PAGE_PARTS_H

#include <stddef.h>

extern const unsigned char page_style[], page_script[];
extern const size_t page_style_length, page_script_length;

#endif
