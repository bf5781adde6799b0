/* conversation.c - filters in the packet's context menu and in Analyze > Conversation Filter: this tunnel, this outage
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/conversation.h"

#include "compat.h"

#include "observe/observe.h"
#include "present/subtree.h"

#include <epan/conversation_filter.h>

/* The tunnel of the selected packet; INDEX_NONE: it is of none. */
static uint32_t
tunnel_of(packet_info *pinfo)
{
    frame_note_t note;

    return observe_engine() && subtree_note_of(pinfo, &note) ? note.tunnel : INDEX_NONE;
}

static uint32_t
incident_of(packet_info *pinfo)
{
    const uint32_t tunnel = tunnel_of(pinfo);

    return tunnel == INDEX_NONE ? INDEX_NONE : engine_incident_at(observe_engine(), tunnel, pinfo->num);
}

static compat_bool_t
has_tunnel(packet_info *pinfo COMPAT_CONVERSATION_DATA)
{
    return tunnel_of(pinfo) != INDEX_NONE;
}

static char *
tunnel_filter(packet_info *pinfo COMPAT_CONVERSATION_DATA)
{
    return g_strdup_printf("ipsec.tunnel == %u", tunnel_of(pinfo));
}

static compat_bool_t
has_incident(packet_info *pinfo COMPAT_CONVERSATION_DATA)
{
    return incident_of(pinfo) != INDEX_NONE;
}

static char *
incident_filter(packet_info *pinfo COMPAT_CONVERSATION_DATA)
{
    return g_strdup_printf("ipsec.tunnel == %u && ipsec.incident == %u", tunnel_of(pinfo), incident_of(pinfo));
}

void
conversation_register(void)
{
    compat_register_conversation_filter("ipsec", "IPsec tunnel", has_tunnel, tunnel_filter);
    compat_register_conversation_filter("ipsec", "IPsec outage", has_incident, incident_filter);
}
