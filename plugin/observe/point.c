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

/* The IPv4 dissector leaves the addresses as pointers into the header, which ends with them if it has no options. */
static uint8_t
ttl(const uint8_t *behind, const packet_info *pinfo)
{
    const uint8_t *source = pinfo->src.data;

    if (source + IPV4_HEADER_LENGTH - IPV4_SOURCE_AT != behind || (const uint8_t *)pinfo->dst.data != source + pinfo->src.len)
        return 0;
    return (behind - IPV4_HEADER_LENGTH)[IPV4_TTL_AT];
}

/* The IPv6 dissector copies them. */
static uint8_t
ipv6_hop_limit(const uint8_t *behind, size_t left, const packet_info *pinfo)
{
    const size_t address = (IPV6_HEADER_LENGTH - IPV6_SOURCE_AT) / 2;
    const uint8_t *ip = behind - IPV6_HEADER_LENGTH;

    if (left < IPV6_HEADER_LENGTH || ip[0] >> 4 != 6 || memcmp(ip + IPV6_SOURCE_AT, pinfo->src.data, address) != 0 ||
        memcmp(ip + IPV6_SOURCE_AT + address, pinfo->dst.data, address) != 0)
        return 0;
    return ip[IPV6_HOP_LIMIT_AT];
}

uint8_t
point_hop_limit(tvbuff_t *tvb, const packet_info *pinfo, const uint8_t *bytes, size_t between)
{
    if (!bytes)
        return 0;
    if (pinfo->src.type == AT_IPv4)
        return ttl(bytes - between, pinfo);
    const size_t at = (size_t)tvb_raw_offset(tvb);
    return pinfo->src.type == AT_IPv6 && at >= between ? ipv6_hop_limit(bytes - between, at - between, pinfo) : 0;
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
