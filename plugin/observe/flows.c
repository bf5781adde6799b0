/* flows.c - is a UDP flow between port 4500 and another dissector's port IPsec?
 *
 * A NAT may give a client any port, also 1194 or 53; but OpenVPN or DNS may as well be asked from port 4500. So the bytes decide: an IKE
 * header behind a non-ESP marker (RFC 3948 2.2) proves the flow, and so do two SPIs, one per direction, that each count upwards (RFC 4303
 * 2.2). One of them is not enough: OpenVPN's data packets look the same, but with one number for both directions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/flows.h"

#include "observe/udp_path.h"

enum {
    VERSION_AT = 17,
    EXCHANGE_AT = 18,
    FLAGS_AT = 19,
    LENGTH_AT = 24,
    STEP_MAX = 64,    /* lost in between, at most */
    STEPS_NEEDED = 3, /* in each direction */
    FLOWS_MAX = 65536,
};

typedef struct {
    uint32_t spi, sequence;
    unsigned steps;
} count_t;

/* Both directions of one flow. Lives as long as the capture. */
typedef struct {
    frame_t proved_in; /* FRAME_NONE: not yet */
    count_t up, down;  /* from the lower endpoint to the higher one, and back */
} flow_t;

static wmem_map_t *flows; /* udp_path_t -> flow_t */

static bool
is_ike_exchange(uint8_t version, uint8_t exchange, uint8_t flags)
{
    if (version >> 4 == 2) /* RFC 7296 3.1, IANA: IKE_SA_INIT to IKE_FOLLOWUP_KE */
        return exchange >= 34 && exchange <= 44 && (flags & ~0x38) == 0;
    bool is_phase1_or_notice = exchange == 2 || exchange == 4 || exchange == 5 || exchange == 6; /* RFC 2408 3.1 */
    return version == 0x10 && (is_phase1_or_notice || exchange == 32 || exchange == 33) && (flags & ~0x07) == 0;
}

static bool
is_ike(const packet_t *packet)
{
    if (packet->captured < NON_ESP_MARKER_LENGTH + IKE_HEADER_LENGTH || wire_u32(packet->bytes) != 0)
        return false;
    const uint8_t *header = packet->bytes + NON_ESP_MARKER_LENGTH;
    bool has_spi = wire_u32(header) != 0 || wire_u32(header + 4) != 0;
    return has_spi && is_ike_exchange(header[VERSION_AT], header[EXCHANGE_AT], header[FLAGS_AT]) &&
           wire_u32(header + LENGTH_AT) == packet->reported - NON_ESP_MARKER_LENGTH;
}

static flow_t *
flow_of(const packet_t *packet, bool may_add)
{
    const udp_path_t key = udp_path_of(&packet->source, &packet->destination);
    flow_t *flow = wmem_map_lookup(flows, &key);

    if (flow == NULL && may_add && wmem_map_size(flows) < FLOWS_MAX) {
        flow = wmem_new0(wmem_file_scope(), flow_t);
        wmem_map_insert(flows, wmem_memdup(wmem_file_scope(), &key, sizeof(key)), flow);
    }
    return flow;
}

static void
count_on(count_t *count, const packet_t *packet)
{
    uint32_t spi = wire_u32(packet->bytes), sequence = wire_u32(packet->bytes + SPI_LENGTH);
    uint32_t step = sequence - count->sequence;

    if (spi == count->spi && step == 0)
        return; /* the same packet looked at twice, or captured twice */
    if (spi != count->spi)
        count->steps = 0;
    else if (step >= 1 && step <= STEP_MAX)
        count->steps++;
    else
        count->steps = 0;
    count->spi = spi;
    count->sequence = sequence;
}

static bool
is_proved_by_counting(flow_t *flow, const packet_t *packet)
{
    if (packet->captured < ESP_HEADER_LENGTH || wire_u32(packet->bytes) <= SPI_RESERVED_MAX)
        return false;
    const udp_path_t path = udp_path_of(&packet->source, &packet->destination);
    count_on(udp_path_is_up(&path, &packet->source) ? &flow->up : &flow->down, packet);
    return flow->up.steps >= STEPS_NEEDED && flow->down.steps >= STEPS_NEEDED && flow->up.spi != flow->down.spi;
}

bool
flows_is_ipsec(const packet_t *packet, bool is_first_visit)
{
    flow_t *flow = flow_of(packet, is_first_visit);

    if (flow == NULL)
        return is_ike(packet);
    if (is_first_visit && flow->proved_in == FRAME_NONE && (is_ike(packet) || is_proved_by_counting(flow, packet)))
        flow->proved_in = packet->frame;
    return flow->proved_in != FRAME_NONE && flow->proved_in <= packet->frame;
}

void
flows_register(void)
{
    flows = wmem_map_new_autoreset(wmem_epan_scope(), wmem_file_scope(), udp_path_hash, udp_path_equal);
}
