/* compat.h - what differs between Wireshark 4.0, 4.2, 4.4 and 4.6? The only file of the project that knows.
 *
 * Include it first: it brings <wireshark.h>, which wants to be before any other header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_COMPAT_H
#define IPSEC_COMPAT_H

#ifndef WS_BUILD_DLL
#define WS_BUILD_DLL
#endif
#include <wireshark.h>
#include <ws_version.h>
#include <epan/epan.h>
#include <epan/packet.h>
#include <epan/stat_tap_ui.h>

#include <stdbool.h>
#include <stdlib.h>

#define IPSEC_WIRESHARK (WIRESHARK_VERSION_MAJOR * 100 + WIRESHARK_VERSION_MINOR)

#if IPSEC_WIRESHARK < 400
#error "Wireshark 4.0 or later is needed"
#endif

/* What plugin_describe() says: the plugin dissects (a post-dissector) and listens to taps. Asked for from 4.2 on. */
#if IPSEC_WIRESHARK >= 402
#include <wsutil/plugins.h>
#define COMPAT_PLUGIN_DESCRIPTION (WS_PLUGIN_DESC_DISSECTOR | WS_PLUGIN_DESC_TAP_LISTENER)
#else
#define COMPAT_PLUGIN_DESCRIPTION 0
#endif

/* What a boolean preference is kept in. */
#if IPSEC_WIRESHARK >= 404
typedef bool compat_bool_preference_t;
#else
typedef gboolean compat_bool_preference_t;
#endif

/* The text by which Wireshark shows a data source: its name, then its size in brackets. Freed by the caller. */
static inline char *
compat_data_source_text(const struct data_source *source)
{
#if IPSEC_WIRESHARK >= 406
    return get_data_source_description(source);
#else
    return get_data_source_name(source);
#endif
}

/* The name of a capture interface, as the file has it; NULL: it has none. Until 4.0 the interfaces of all sections had one count. */
static inline const char *
compat_interface_name(const epan_t *epan, uint32_t interface_id, unsigned section)
{
#if IPSEC_WIRESHARK >= 402
    return epan_get_interface_name(epan, interface_id, section);
#else
    (void)section;
    return epan_get_interface_name(epan, interface_id);
#endif
}

/* One byte; throws when it is not there. */
static inline uint8_t
compat_tvb_get_u8(tvbuff_t *tvb, int offset)
{
#if IPSEC_WIRESHARK >= 404
    return tvb_get_uint8(tvb, offset);
#else
    return tvb_get_guint8(tvb, offset);
#endif
}

/* The result of a heuristic dissector. */
#if IPSEC_WIRESHARK >= 404
typedef bool compat_heuristic_t;
#else
typedef gboolean compat_heuristic_t;
#endif

/* What a preference that is on or off is kept in. */
#if IPSEC_WIRESHARK >= 404
typedef bool compat_switch_t;
#else
typedef gboolean compat_switch_t;
#endif

/* The result of the function that handles "-z NAME": until 4.4 it had none, and ended the program when the argument was bad. */
#if IPSEC_WIRESHARK >= 406
typedef bool compat_stat_init_t;
#define COMPAT_STAT_INIT_OK return true
#define COMPAT_STAT_INIT_FAILED return false
#else
typedef void compat_stat_init_t;
#define COMPAT_STAT_INIT_OK return
#define COMPAT_STAT_INIT_FAILED exit(1)
#endif

/* The result of callbacks of the graphical interface. */
#if IPSEC_WIRESHARK >= 404
typedef bool compat_bool_t;
#define COMPAT_TRUE true
#else
typedef gboolean compat_bool_t;
#define COMPAT_TRUE TRUE
#endif

/* Conversation filters: from 4.2 on their callbacks have one more parameter. */
#if IPSEC_WIRESHARK >= 402
#define COMPAT_CONVERSATION_DATA , void *user_data _U_
#define compat_register_conversation_filter(proto, name, is_valid, build)                                                          \
    register_conversation_filter(proto, name, is_valid, build, NULL)
#else
#define COMPAT_CONVERSATION_DATA
#define compat_register_conversation_filter(proto, name, is_valid, build) register_conversation_filter(proto, name, is_valid, build)
#endif

#endif
