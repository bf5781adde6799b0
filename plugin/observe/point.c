/* point.c - where was a packet captured: on which interface, how many routers away?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/observe.h"
#include "observe/point.h"

#include <epan/epan.h>
#include <wiretap/wtap.h>

#include <string.h>

enum {
    IPV4_TTL_AT = 8,
    IPV4_SOURCE_AT = 12,
    IPV6_HOP_LIMIT_AT = 7,
    IPV6_SOURCE_AT = 8,
    SECTION_SHIFT = 16,
    ID_MASK = 0xffff,
};

static unsigned
section_of(const packet_info *pinfo)
{
    return pinfo->rec->presence_flags & WTAP_HAS_SECTION_NUMBER ? pinfo->rec->section_number : 0;
}

static uint32_t
id_of(const packet_info *pinfo)
{
    return pinfo->rec->rec_header.packet_header.interface_id;
}

uint32_t
point_interface(const packet_info *pinfo)
{
    if (!pinfo->rec || pinfo->rec->rec_type != REC_TYPE_PACKET || !(pinfo->rec->presence_flags & WTAP_HAS_INTERFACE_ID))
        return 0;
    return ((uint32_t)(section_of(pinfo) & ID_MASK) << SECTION_SHIFT | (id_of(pinfo) & ID_MASK)) + 1;
}

uint8_t
point_hop_limit(tvbuff_t *tvb, const packet_info *pinfo, size_t payload)
{
    const bool is_ipv6 = pinfo->src.type == AT_IPv6, is_ipv4 = pinfo->src.type == AT_IPv4;
    const size_t header = is_ipv6 ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH, source_at = is_ipv6 ? IPV6_SOURCE_AT : IPV4_SOURCE_AT;
    const size_t address = (size_t)pinfo->src.len, at = (size_t)tvb_raw_offset(tvb);
    tvbuff_t *bytes = tvb_get_ds_tvb(tvb);
    const uint8_t *ip;

    if ((!is_ipv4 && !is_ipv6) || header != source_at + 2 * address || pinfo->dst.len != pinfo->src.len || at < payload + header ||
        tvb_captured_length(bytes) < at - payload)
        return 0;
    ip = tvb_get_ptr(bytes, (int)(at - payload - header), (int)header);
    if (ip[0] >> 4 != (is_ipv6 ? 6 : 4) || (is_ipv4 && (ip[0] & 0x0f) != IPV4_HEADER_LENGTH / 4) ||
        memcmp(ip + source_at, pinfo->src.data, address) != 0 || memcmp(ip + source_at + address, pinfo->dst.data, address) != 0)
        return 0;
    return ip[is_ipv6 ? IPV6_HOP_LIMIT_AT : IPV4_TTL_AT];
}

void
point_heard(engine_t *engine, const packet_info *pinfo)
{
    const uint32_t interface = point_interface(pinfo);
    const char *name;

    if (interface == 0 || !engine_interface_heard(engine, interface, observe_time(pinfo)))
        return;
    name = compat_interface_name(pinfo->epan, id_of(pinfo), section_of(pinfo));
    engine_interface_name(engine, interface, id_of(pinfo), name && strcmp(name, "unknown") == 0 ? NULL : name);
}
