/* handles.c - which dissector handles of this plugin stand where, and what is behind them?
 *
 * The handles that stand before stock dissectors belong to protocols "in name only" whose parents are the stock protocols: no layer is added, frame.protocols
 * stays as it is, and a handle is enabled or disabled together with the stock protocol behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/handles.h"

#include "observe/stock_sequence.h"

#include <epan/conversation.h>
#include <epan/exceptions.h>

typedef struct {
    const char *stock; /* filter name of the stock protocol, and the name of its dissector */
    const char *table;
    uint32_t value;   /* where the stock dissector stands from the beginning; 0: nowhere, the user puts it there */
    const char *name; /* of the protocol in name only */
    const char *short_name;
    const char *filter_name; /* what "tshark -d" knows it by */
    const char *description; /* as the Decode As dialog lists it; unique in its table */
} place_t;

static const place_t places[STOCK_HANDLES] = {
    [HANDLE_ESP] = { "esp", "ip.proto", 50, "ESP (IPsec Tunnel Analysis)", "ESP (IPsec)", "ipsec.esp", "ESP (IPsec analysis)" },
    [HANDLE_AH] = { "ah", "ip.proto", 51, "AH (IPsec Tunnel Analysis)", "AH (IPsec)", "ipsec.ah", "AH (IPsec analysis)" },
    [HANDLE_UDPENCAP] = { "udpencap", "udp.port", 4500, "UDPENCAP (IPsec Tunnel Analysis)", "UDPENCAP (IPsec)", "ipsec.udpencap",
                          "UDPENCAP (IPsec analysis)" },
    [HANDLE_ISAKMP] = { "isakmp", "udp.port", 500, "ISAKMP (IPsec Tunnel Analysis)", "ISAKMP (IPsec)", "ipsec.isakmp",
                        "ISAKMP (IPsec analysis)" },
    [HANDLE_SYSLOG] = { "syslog", "udp.port", 514, "Syslog (IPsec Tunnel Analysis)", "Syslog (IPsec)", "ipsec.syslog",
                        "Syslog (IPsec analysis)" },
    [HANDLE_SYSLOG_TCP] = { "syslog", "tcp.port", 0, "Syslog in TCP (IPsec Tunnel Analysis)", "Syslog in TCP (IPsec)",
                            "ipsec.syslog.tcp", "Syslog in TCP (IPsec analysis)" },
    [HANDLE_ICMP] = { "icmp", "ip.proto", 1, "ICMP (IPsec Tunnel Analysis)", "ICMP (IPsec)", "ipsec.icmp",
                      "ICMP (IPsec analysis)" },
    [HANDLE_ICMPV6] = { "icmpv6", "ip.proto", 58, "ICMPv6 (IPsec Tunnel Analysis)", "ICMPv6 (IPsec)", "ipsec.icmpv6",
                        "ICMPv6 (IPsec analysis)" },
    [HANDLE_IPV6_FRAGMENT] = { "ipv6.fraghdr", "ip.proto", 44, "IPv6 Fragment (IPsec Tunnel Analysis)", "IPv6 Fragment (IPsec)",
                               "ipsec.ipv6.fraghdr", "IPv6 Fragment (IPsec analysis)" },
};

#define TCP_PORT 4500u /* RFC 9329 5, by IANA's registry */

/* A port given to a handle by a preference of this plugin. */
typedef struct {
    uint32_t port;
    dissector_handle_t previous; /* what stood there, or NULL */
} taken_port_t;

/* The ports of one transport that the user names. */
typedef struct {
    const char *table;
    handle_t handle;
    GArray *taken; /* of taken_port_t; NULL before the handles exist */
} port_set_t;

static int protocols[STOCK_HANDLES];
static dissector_handle_t stock[STOCK_HANDLES];
static dissector_handle_t own[HANDLES];
static dissector_handle_t own_in_conversation;
static dissector_table_t udp_table;
static port_set_t udp = { .table = "udp.port", .handle = HANDLE_UDPENCAP };
static dissector_handle_t
    claim; /* the same as own[HANDLE_UDPENCAP], but another: what the user "changed" comes before lower ports */
static bool is_claiming;
static port_set_t tcp = { .table = "tcp.port", .handle = HANDLE_TCP };

void
handles_register(void)
{
    for (int i = 0; i < STOCK_HANDLES; i++) {
        const int parent = proto_get_id_by_filter_name(places[i].stock);

        protocols[i] =
            proto_register_protocol_in_name_only(places[i].name, places[i].short_name, places[i].filter_name, parent, FT_PROTOCOL);
    }
}

typedef struct {
    dissector_handle_t wanted;
    GArray *original,
        *changed; /* of uint32_t: places where `wanted` stands by registration, and by the user's or a preference's will */
} search_t;

static void
note_place(const gchar *table _U_, ftenum_t type _U_, gpointer key, gpointer value, gpointer data)
{
    search_t *search = data;
    const uint32_t number = GPOINTER_TO_UINT(key);

    if (dtbl_entry_get_handle(value) != search->wanted)
        return;
    g_array_append_val(dtbl_entry_get_initial_handle(value) == search->wanted ? search->original : search->changed, number);
}

/* The table must not change while it is walked: places first, then the changes. */
static void
adopt_places_of(handle_t handle)
{
    const char *table = places[handle].table;
    search_t search = { .wanted = stock[handle],
                        .original = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
                        .changed = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };

    dissector_table_foreach(table, note_place, &search);
    for (guint i = 0; i < search.original->len; i++)
        dissector_add_uint(table, g_array_index(search.original, uint32_t, i), own[handle]);
    for (guint i = 0; i < search.changed->len; i++)
        dissector_change_uint(table, g_array_index(search.changed, uint32_t, i), own[handle]);
    g_array_free(search.original, TRUE);
    g_array_free(search.changed, TRUE);
}

/* Of two ports UDP looks at a changed one first, then at the lower one. Only done while a file is opened does this last: Wireshark resets
 * all changes when it loads the user's. A port that the user decodes as something else is his. */
static void
claim_encapsulation_port(void)
{
    const place_t *place = &places[HANDLE_UDPENCAP];
    dissector_handle_t there = dissector_get_uint_handle(find_dissector_table(place->table), place->value);

    if (is_claiming && there && there == own[HANDLE_UDPENCAP])
        dissector_change_uint(place->table, place->value, claim);
    else if (!is_claiming && there && there == claim)
        dissector_reset_uint(place->table, place->value);
}

void
handles_adopt(void)
{
    for (int i = 0; i < STOCK_HANDLES; i++)
        if (stock[i])
            adopt_places_of((handle_t)i);
    claim_encapsulation_port();
}

void
handles_set_claiming(bool claims)
{
    is_claiming = claims;
    if (claim)
        claim_encapsulation_port();
}

static bool
is_enabled(dissector_handle_t handle)
{
    const int id = dissector_handle_get_protocol_index(handle);

    return id < 0 || proto_is_protocol_enabled(find_protocol_by_id(id));
}

rival_claim_t
handles_rival_at(uint16_t port)
{
    const dissector_handle_t there = dissector_get_uint_handle(udp_table, port); /* for every packet from a port of a NAT */

    if (!there || there == claim || there == own[HANDLE_UDPENCAP] || !is_enabled(there))
        return RIVAL_NONE;
    if (dissector_is_uint_changed(udp_table, port))
        return RIVAL_BY_WILL;
    return port < places[HANDLE_UDPENCAP].value ? RIVAL_BY_RANK : RIVAL_NONE;
}

int
handles_call_rival(uint16_t port, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    return dissector_try_uint(udp_table, port, tvb, pinfo, tree);
}

static void
stand_on_tcp_port(void)
{
    if (!dissector_get_default_uint_handle("tcp.port", TCP_PORT) &&
        !dissector_is_uint_changed(find_dissector_table("tcp.port"), TCP_PORT))
        dissector_add_uint("tcp.port", TCP_PORT, own[HANDLE_TCP]);
    else
        dissector_add_for_decode_as("tcp.port", own[HANDLE_TCP]);
}

/* Newer versions have a dissector of its own for syslog in TCP. */
static dissector_handle_t
find_stock(const place_t *place)
{
    dissector_handle_t in_tcp;

    if (place->value)
        return dissector_get_default_uint_handle(place->table, place->value);
    in_tcp = find_dissector("syslog.tcp");
    return in_tcp ? in_tcp : find_dissector(place->stock);
}

static void
free_ports(void)
{
    g_clear_pointer(&udp.taken, g_array_unref);
    g_clear_pointer(&tcp.taken, g_array_unref);
}

void
handles_handoff(const dissector_t looks[HANDLES], dissector_t look_first, int tcp_protocol)
{
    const place_t *encapsulated = &places[HANDLE_UDPENCAP];

    udp_table = find_dissector_table("udp.port");
    udp.taken = g_array_new(FALSE, FALSE, sizeof(taken_port_t));
    tcp.taken = g_array_new(FALSE, FALSE, sizeof(taken_port_t));
    register_shutdown_routine(free_ports);
    for (int i = 0; i < STOCK_HANDLES; i++) {
        stock[i] = find_stock(&places[i]);
        own[i] = create_dissector_handle_with_name_and_description(looks[i], protocols[i], places[i].stock, places[i].description);
    }
    claim = create_dissector_handle_with_name_and_description(look_first, protocols[HANDLE_UDPENCAP], encapsulated->stock,
                                                              encapsulated->description);
    own[HANDLE_TCP] = create_dissector_handle(looks[HANDLE_TCP], tcp_protocol);
    handles_adopt();
    stand_on_tcp_port();
}

/* A protocol in name only cannot own a heuristic dissector. Only what is not claimed leaves no layer of the owner. */
void
handles_add_heuristic(heur_dissector_t watch, dissector_t look)
{
    own_in_conversation =
        create_dissector_handle_with_name_and_description(look, protocols[HANDLE_ESP], "esp_in_udp", "ESP in UDP (IPsec analysis)");
    heur_dissector_add("udp", watch, "ESP on SD-WAN ports (IPsec analysis)", "ipsec_sdwan_udp",
                       proto_get_id_by_filter_name(places[HANDLE_ESP].stock), HEURISTIC_ENABLE);
}

void
handles_claim_conversation(packet_info *pinfo)
{
    conversation_set_dissector(find_or_create_conversation(pinfo), own_in_conversation);
}

static void
give_back_ports(port_set_t *set)
{
    for (guint i = 0; i < set->taken->len; i++) {
        const taken_port_t *taken = &g_array_index(set->taken, taken_port_t, i);

        if (dissector_get_default_uint_handle(set->table, taken->port) != own[set->handle])
            continue;
        dissector_delete_uint(set->table, taken->port, own[set->handle]);
        if (taken->previous)
            dissector_add_uint(set->table, taken->port, taken->previous);
    }
    g_array_set_size(set->taken, 0);
}

static bool
is_own(dissector_handle_t handle)
{
    for (int i = 0; i < HANDLES; i++)
        if (own[i] == handle)
            return true;
    return false;
}

static void
take_port(port_set_t *set, uint32_t port)
{
    taken_port_t taken = { .port = port, .previous = dissector_get_default_uint_handle(set->table, port) };

    if (is_own(taken.previous) || dissector_is_uint_changed(find_dissector_table(set->table), port))
        return;
    dissector_add_uint(set->table, port, own[set->handle]);
    g_array_append_val(set->taken, taken);
}

static void
set_ports(port_set_t *set, const range_t *ports)
{
    if (!set->taken)
        return;
    give_back_ports(set);
    if (!ports)
        return;
    for (guint i = 0; i < ports->nranges; i++)
        for (uint64_t port = ports->ranges[i].low; port <= ports->ranges[i].high && port <= UINT16_MAX; port++)
            if (port > 0)
                take_port(set, (uint32_t)port);
}

void
handles_set_ports(const range_t *udp_ports, const range_t *tcp_ports)
{
    set_ports(&udp, udp_ports);
    set_ports(&tcp, tcp_ports);
}

handle_t
handles_at_udp_port(uint16_t port)
{
    const dissector_handle_t there = dissector_get_uint_handle(udp_table, port);

    if (there && there == own[HANDLE_ISAKMP])
        return HANDLE_ISAKMP;
    return there && (there == own[HANDLE_UDPENCAP] || there == claim) ? HANDLE_UDPENCAP : HANDLES;
}

bool
handles_are_for_tcp_port(uint16_t port)
{
    const dissector_handle_t there = dissector_get_uint_handle(find_dissector_table("tcp.port"), port);

    return there && there == own[HANDLE_TCP];
}

int
handles_call_stock(handle_t handle, tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    const bool was_silenced = handle != HANDLE_ISAKMP && stock_sequence_before();
    volatile int consumed = 0;

    if (!was_silenced)
        return call_dissector_only(stock[handle], tvb, pinfo, tree, data);
    TRY
    {
        consumed = call_dissector_only(stock[handle], tvb, pinfo, tree, data);
    }
    FINALLY
    {
        stock_sequence_after(was_silenced);
    }
    ENDTRY;
    return consumed;
}
