/* preferences.c - what can the user set?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/preferences.h"

#include "observe/handles.h"
#include "observe/session.h"
#include "observe/stock_sequence.h"

#include <epan/prefs.h>

static range_t *udp_ports;
static range_t *tcp_ports;
static compat_switch_t claims_4500 = true;

void
preferences_apply(void)
{
    handles_set_ports(udp_ports, tcp_ports);
    handles_set_claiming(claims_4500);
}

void
preferences_register(int protocol)
{
    module_t *module = prefs_register_protocol(protocol, preferences_apply);
    engine_settings_t *settings = session_settings();

    prefs_register_range_preference(
        module, "udp_ports", "Additional UDP ports with IPsec",
        "UDP ports, besides 500 and 4500, whose traffic is UDP-encapsulated IPsec (RFC 3948). ESP of SD-WAN "
        "products on 12346 to 12445 is found without it.",
        &udp_ports, UINT16_MAX);
    prefs_register_range_preference(module, "tcp_ports", "Additional TCP ports with IPsec",
                                    "TCP ports, besides 4500, whose traffic is TCP-encapsulated IPsec (RFC 9329)", &tcp_ports,
                                    UINT16_MAX);
    prefs_register_bool_preference(
        module, "claim_4500", "UDP port 4500 comes before lower ports",
        "A NAT may map an IPsec peer to a port that belongs to another protocol (1194, 3000, ...). Wireshark "
        "would take such packets for that protocol; with this they are IPsec where their bytes prove it.",
        &claims_4500);
    prefs_register_uint_preference(module, "delete_grace_seconds", "Grace after a DELETE (seconds)",
                                   "ESP on a deleted SA is normal for this long", 10, &settings->delete_grace_seconds);
    prefs_register_uint_preference(module, "one_way_seconds", "One-way ESP (seconds)",
                                   "ESP in one direction only for longer than this is reported", 10, &settings->one_way_seconds);
    prefs_register_uint_preference(module, "restart_wait_seconds", "Wait for a restart (seconds)",
                                   "A tunnel deleted while traffic was flowing should be back within this time", 10,
                                   &settings->restart_wait_seconds);
    prefs_register_uint_preference(module, "rekey_interval_seconds", "Rekey interval (seconds)",
                                   "Child SAs that are replaced more often than this, in the median, are reported", 10,
                                   &settings->rekey_interval_seconds);
    prefs_register_uint_preference(
        module, "replay_window", "Anti-replay window (packets)",
        "The size of the receivers' anti-replay windows (RFC 4303 3.4.3), from 32 to 4096: ESP that such a "
        "window would drop is reported",
        10, &settings->replay_window);
    prefs_register_bool_preference(
        module, "silence_stock_esp_sequence", "Silence Wireshark's own ESP sequence analysis",
        "While this is set, the ESP preference \"Attempt to detect out-of-sequence\" has no effect; it is "
        "neither changed nor saved",
        stock_sequence_is_silenced());
    prefs_register_uint_preference(module, "max_tunnels", "Tunnels remembered",
                                   "The oldest idle tunnel is forgotten beyond this number; the report says so", 10,
                                   &settings->max_tunnels);
}
