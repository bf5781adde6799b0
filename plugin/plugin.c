/* plugin.c - how does Wireshark find this plugin? Entry points and wiring, nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"

#include "observe/observe.h"
#include "present/present.h"

#include <epan/proto.h>
#include <epan/tap.h>

WS_DLL_PUBLIC_DEF const char plugin_version[] = IPSEC_PLUGIN_VERSION;
WS_DLL_PUBLIC_DEF const int plugin_want_major = IPSEC_WIRESHARK_MAJOR;
WS_DLL_PUBLIC_DEF const int plugin_want_minor = IPSEC_WIRESHARK_MINOR;

WS_DLL_PUBLIC void plugin_register(void);
WS_DLL_PUBLIC uint32_t plugin_describe(void);

static void
register_protocols(void)
{
    observe_register(present_register());
}

static void
register_handoff(void)
{
    observe_handoff();
    present_handoff();
}

void
plugin_register(void)
{
    static const proto_plugin protocols = { .register_protoinfo = register_protocols, .register_handoff = register_handoff };
    static const tap_plugin listeners = { .register_tap_listener = present_register_listeners };

    proto_register_plugin(&protocols);
    tap_register_plugin(&listeners);
}

uint32_t
plugin_describe(void)
{
    return COMPAT_PLUGIN_DESCRIPTION;
}
