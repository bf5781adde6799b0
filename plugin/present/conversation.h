/* conversation.h - filters in the packet's context menu and in Analyze > Conversation Filter
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_CONVERSATION_H
#define IPSEC_PRESENT_CONVERSATION_H

/* Call it while protocols are registered. */
void conversation_register(void);

#endif
