/* plain_text.h - how does text of a capture's making become text that is safe to show anywhere: in a terminal, a column, a page?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PLAIN_TEXT_H
#define IPSEC_ENGINE_PLAIN_TEXT_H

#include "engine/base.h"

#include <glib.h>

/* Would it not show, or show the text around it in another order than it has (Unicode TR9, TR36), or move the cursor? */
bool plain_text_is_deceptive(gunichar character);

/* Copies as many whole characters as `size` has room for, and a final NUL. '?' stands for what deceives and for what is no UTF-8. */
void plain_text_copy(char *to, size_t size, const char *text);

#endif
