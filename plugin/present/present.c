/* present.c - how do the engine's results reach the user? As a subtree, expert items, windows and reports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/present.h"

#include "present/conversation.h"
#include "present/fields.h"
#include "present/reports.h"
#include "present/subtree.h"
#include "present/tables.h"
#include "present/window.h"

int
present_register(void)
{
    fields_register();
    subtree_register();
    tables_register();
    conversation_register();
    return proto_ipsec;
}

void
present_handoff(void)
{
    subtree_handoff();
}

void
present_register_listeners(void)
{
    reports_register();
    window_register();
}
