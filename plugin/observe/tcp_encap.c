/* tcp_encap.c - where does a message of IKE or IPsec begin and end in a TCP stream (RFC 9329, before it RFC 8229)?
 *
 * A stream is believed to be of this protocol when it begins with the prefix. One that the capture shows from its middle is when a
 * record has an IKE header whose length fits, or when two ESP packets of one SPI follow each other. Where bytes are missing, the
 * next record has to be found in the same way; until then the segments are shown as data. (Left to others, a heuristic dissector might
 * claim the whole connection.)
 *
 * What the first visit of a frame concludes depends on the frames before it, so that exceptions are remembered for later visits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/tcp_encap.h"

#include "engine/wire.h"

#include <epan/conversation.h>
#include <epan/dissectors/packet-tcp.h>
#include <epan/exceptions.h>
#include <epan/expert.h>
#include <epan/proto_data.h>

#include <string.h>

enum {
    PREFIX_LENGTH = 6,      /* RFC 9329 4 */
    LENGTH_LENGTH = 2,      /* RFC 9329 3: it counts itself */
    KEEPALIVE = 0xff,       /* RFC 9329 6.6 */
    SPIS_KEPT = 8,          /* of one direction; a rekey adds one */
    SEQUENCE_STEP_MAX = 16, /* more ESP packets than this are not missed between two neighbours */
};

static const char prefix[] = "IKETCP"; /* RFC 9329 4 */

/* One direction of a connection. */
typedef struct {
    bool has_begun;                             /* a record was seen */
    bool is_synchronized;                       /* the next record begins at `record_at` (again) or at `record_end` */
    uint32_t record_at, record_end;             /* of the latest record, as TCP sequence numbers */
    uint32_t taken_until;                       /* all records that end here or before were handed on */
    uint32_t spi[SPIS_KEPT];                    /* of ESP seen while synchronized */
    unsigned spis;                              /* how many so far */
    uint32_t candidate_spi, candidate_sequence; /* ESP, if the last segment that could not be placed began with a record */
} flow_t;

/* A TCP connection on a port that may carry IPsec. */
typedef struct {
    flow_t flow[2];
    uint32_t since; /* the first frame that is of this protocol; 0: none so far */
    bool has_prefix;
    uint32_t prefix_at;     /* where it stands in its direction */
    wmem_map_t *exceptions; /* frame and sequence number -> verdict_t: a segment's, or VERDICT_REPEAT of a record */
} stream_t;

typedef enum {
    VERDICT_NONE,     /* as the rest of the stream */
    VERDICT_NOT_OURS, /* another protocol */
    VERDICT_UNPLACED, /* somewhere in a record */
    VERDICT_RECORDS,
    VERDICT_PREFIX, /* the prefix, then records */
    VERDICT_REPEAT, /* a record that was handed on before */
} verdict_t;

/* A call of TCP, for the functions that its loop over the records calls. */
typedef struct {
    stream_t *stream;
    flow_t *flow;
    uint32_t sequence; /* of the first byte */
    bool has_prefix;
    uint32_t offset; /* of the record at hand */
    bool is_bad;     /* its length field cannot be */
    tcp_message_t take;
} call_t;

static int proto_tcp_encap = -1;
static int hf_prefix = -1;
static int hf_length = -1;
static int hf_marker = -1;
static int hf_keepalive = -1;
static int ett_tcp_encap = -1;
static expert_field ei_length = EI_INIT;

/* ---- the stream that a segment belongs to ---- */

static stream_t *
stream_of(packet_info *pinfo)
{
    conversation_t *conversation = find_or_create_conversation(pinfo);
    stream_t *stream = conversation_get_proto_data(conversation, proto_tcp_encap);

    if (!stream) {
        stream = wmem_new0(wmem_file_scope(), stream_t);
        stream->exceptions = wmem_map_new(wmem_file_scope(), g_int64_hash, g_int64_equal);
        conversation_add_proto_data(conversation, proto_tcp_encap, stream);
    }
    return stream;
}

static flow_t *
flow_of(stream_t *stream, const packet_info *pinfo)
{
    int order = cmp_address(&pinfo->src, &pinfo->dst);

    if (order == 0)
        order = pinfo->srcport < pinfo->destport ? -1 : 1;
    return &stream->flow[order < 0 ? 0 : 1];
}

/* Is `a` not after `b`? Sequence numbers wrap (RFC 9293 3.4). */
static bool
is_at_or_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/* A record begins here. One that comes again leaves the flow where it is. */
static void
flow_advance(flow_t *flow, uint32_t begin, uint32_t length, bool is_sound)
{
    if (flow->is_synchronized && is_at_or_before(begin + length, flow->record_end))
        return;
    flow->record_at = begin;
    flow->record_end = begin + length;
    flow->is_synchronized = is_sound;
}

static int64_t
exception_key(const packet_info *pinfo, uint32_t sequence)
{
    return (int64_t)((uint64_t)pinfo->num << 32 | sequence);
}

static void
remember(stream_t *stream, const packet_info *pinfo, uint32_t sequence, verdict_t verdict)
{
    int64_t *key = wmem_new(wmem_file_scope(), int64_t);

    *key = exception_key(pinfo, sequence);
    wmem_map_insert(stream->exceptions, key, GINT_TO_POINTER(verdict));
}

static verdict_t
remembered(const stream_t *stream, const packet_info *pinfo, uint32_t sequence)
{
    const int64_t key = exception_key(pinfo, sequence);

    return (verdict_t)GPOINTER_TO_INT(wmem_map_lookup(stream->exceptions, &key));
}

/* ---- does a record begin here? ---- */

/* The prefix, or as much of it as there is: at least what a length field would take. */
static bool
starts_with_prefix(tvbuff_t *tvb)
{
    const unsigned length = MIN(tvb_captured_length(tvb), PREFIX_LENGTH);

    return length >= LENGTH_LENGTH && tvb_memeql(tvb, 0, (const uint8_t *)prefix, length) == 0;
}

static bool
is_exchange_type(unsigned major, unsigned type)
{
    if (major == 2)
        return type >= 34 && type <= 44;                         /* RFC 7296 3.1 to RFC 9370 */
    return (type >= 1 && type <= 6) || type == 32 || type == 33; /* RFC 2408 3.1, RFC 2409 */
}

/* An IKE header after the marker whose length is that of the record (RFC 7296 3.1, RFC 2408 3.1). */
static bool
is_ike_record(tvbuff_t *tvb, int offset, unsigned length)
{
    const int header = offset + LENGTH_LENGTH + NON_ESP_MARKER_LENGTH;
    unsigned version;

    if (tvb_captured_length_remaining(tvb, header) < IKE_HEADER_LENGTH ||
        length < LENGTH_LENGTH + NON_ESP_MARKER_LENGTH + IKE_HEADER_LENGTH)
        return false;
    version = compat_tvb_get_u8(tvb, header + 17);
    return tvb_get_ntoh64(tvb, header) != 0 && (version == 0x10 || version == 0x20) &&
           is_exchange_type(version >> 4, compat_tvb_get_u8(tvb, header + 18)) &&
           tvb_get_ntohl(tvb, header + 24) == length - LENGTH_LENGTH - NON_ESP_MARKER_LENGTH;
}

static bool
knows_spi(const flow_t *flow, uint32_t spi)
{
    for (unsigned i = 0; i < MIN(flow->spis, SPIS_KEPT); i++)
        if (flow->spi[i] == spi)
            return true;
    return false;
}

static void
learn_spi(flow_t *flow, uint32_t spi)
{
    if (spi > SPI_RESERVED_MAX && !knows_spi(flow, spi))
        flow->spi[flow->spis++ % SPIS_KEPT] = spi;
}

/* ESP of an SPI seen before, or right after another packet of the same SPI: 64 bits do not agree by chance. */
static bool
is_credible_esp(flow_t *flow, uint32_t spi, uint32_t sequence)
{
    const uint32_t step = sequence - flow->candidate_sequence;
    const bool follows = spi == flow->candidate_spi && step >= 1 && step <= SEQUENCE_STEP_MAX;

    flow->candidate_spi = spi;
    flow->candidate_sequence = sequence;
    return follows || knows_spi(flow, spi);
}

/* Walks along the length fields until one record is beyond doubt. Every turn goes on by at least a length field. */
static bool
looks_like_records(flow_t *flow, tvbuff_t *tvb)
{
    int offset = 0;

    while (tvb_captured_length_remaining(tvb, offset) >= LENGTH_LENGTH + ESP_HEADER_LENGTH) {
        const unsigned length = tvb_get_ntohs(tvb, offset);
        const bool is_short =
            length == LENGTH_LENGTH || (length == LENGTH_LENGTH + 1 && compat_tvb_get_u8(tvb, offset + 2) == KEEPALIVE);

        if (!is_short) {
            const uint32_t spi = tvb_get_ntohl(tvb, offset + LENGTH_LENGTH);

            if (spi == 0)
                return is_ike_record(tvb, offset, length);
            if (spi <= SPI_RESERVED_MAX || length < LENGTH_LENGTH + ESP_HEADER_LENGTH)
                return false;
            if (is_credible_esp(flow, spi, tvb_get_ntohl(tvb, offset + LENGTH_LENGTH + 4)))
                return true;
        }
        offset += (int)length;
    }
    return false;
}

/* The first bytes of a direction whose stream begins here: nothing speaks against a record? */
static bool
may_be_record(tvbuff_t *tvb)
{
    if (tvb_captured_length(tvb) < LENGTH_LENGTH + NON_ESP_MARKER_LENGTH + IKE_HEADER_LENGTH)
        return true;
    return tvb_get_ntohl(tvb, LENGTH_LENGTH) != 0 || is_ike_record(tvb, 0, tvb_get_ntohs(tvb, 0));
}

/* ---- is this segment ours? ---- */

static verdict_t
judge_prefix(stream_t *stream, const packet_info *pinfo, tvbuff_t *tvb, uint32_t sequence)
{
    remember(stream, pinfo, sequence, VERDICT_PREFIX);
    if (tvb_captured_length(tvb) < PREFIX_LENGTH)
        return VERDICT_PREFIX; /* TCP will come back with the rest of it */
    if (!stream->has_prefix || stream->prefix_at != sequence)
        memset(stream->flow, 0, sizeof stream->flow); /* a new connection, perhaps on the ports of an old one */
    stream->has_prefix = true;
    stream->prefix_at = sequence;
    if (!stream->since)
        stream->since = pinfo->num;
    return VERDICT_PREFIX;
}

static verdict_t
judge(stream_t *stream, flow_t *flow, const packet_info *pinfo, tvbuff_t *tvb, uint32_t sequence)
{
    if (flow->is_synchronized && (sequence == flow->record_end || sequence == flow->record_at))
        return VERDICT_RECORDS;
    if (starts_with_prefix(tvb))
        return judge_prefix(stream, pinfo, tvb, sequence);
    if ((stream->has_prefix && !flow->has_begun && may_be_record(tvb)) || looks_like_records(flow, tvb)) {
        if (!stream->since)
            stream->since = pinfo->num;
        return VERDICT_RECORDS;
    }
    if (!stream->since)
        return VERDICT_NOT_OURS;
    remember(stream, pinfo, sequence, VERDICT_UNPLACED);
    return VERDICT_UNPLACED;
}

static verdict_t
judge_again(const stream_t *stream, const packet_info *pinfo, uint32_t sequence)
{
    const verdict_t verdict = remembered(stream, pinfo, sequence);

    if (verdict == VERDICT_UNPLACED || verdict == VERDICT_PREFIX)
        return verdict;
    return stream->since && stream->since <= pinfo->num ? VERDICT_RECORDS : VERDICT_NOT_OURS;
}

/* ---- one record ---- */

/* Was the record that ends here handed on before? TCP hands over a segment again when its analysis is switched off. */
static bool
is_repeat(const call_t *call, const packet_info *pinfo, uint32_t begin, uint32_t end)
{
    flow_t *flow = call->flow;

    if (PINFO_FD_VISITED(pinfo))
        return remembered(call->stream, pinfo, begin) == VERDICT_REPEAT;
    if (flow->has_begun && is_at_or_before(end, flow->taken_until)) {
        remember(call->stream, pinfo, begin, VERDICT_REPEAT);
        return true;
    }
    flow->has_begun = true;
    flow->taken_until = end;
    return false;
}

/* The Info column lists the records of a frame. */
static void
begin_in_column(packet_info *pinfo)
{
    if (p_get_proto_data(pinfo->pool, pinfo, proto_tcp_encap, 0))
        col_append_str(pinfo->cinfo, COL_INFO, ", ");
    else
        col_clear(pinfo->cinfo, COL_INFO);
    p_remove_proto_data(pinfo->pool, pinfo, proto_tcp_encap, 0);
    p_add_proto_data(pinfo->pool, pinfo, proto_tcp_encap, 0, GINT_TO_POINTER(true));
    col_set_fence(pinfo->cinfo, COL_INFO);
}

static void
end_in_column(packet_info *pinfo)
{
    col_set_fence(pinfo->cinfo, COL_INFO);
}

static void
show_in_column(packet_info *pinfo, const char *what)
{
    col_set_str(pinfo->cinfo, COL_PROTOCOL, "IKETCP");
    col_append_str(pinfo->cinfo, COL_INFO, what);
}

static void
dissect_prefix(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree)
{
    show_in_column(pinfo, "Stream prefix");
    proto_tree_add_item(tree, hf_prefix, tvb, 0, PREFIX_LENGTH, ENC_ASCII);
}

/* TCP inside decrypted ESP may leave hints for the TCP around it, about where its own next message begins. */
static void
hand_on(tvbuff_t *message, packet_info *pinfo, proto_tree *tree, const call_t *call)
{
    const uint16_t want_pdu_tracking = pinfo->want_pdu_tracking;
    const uint32_t bytes_until_next_pdu = pinfo->bytes_until_next_pdu;
    const uint32_t begin = call->sequence + call->offset;
    const uint32_t end = begin + LENGTH_LENGTH + tvb_reported_length(message);

    TRY
    {
        call->take(message, pinfo, tree, is_repeat(call, pinfo, begin, end));
    }
    FINALLY
    {
        pinfo->want_pdu_tracking = want_pdu_tracking;
        pinfo->bytes_until_next_pdu = bytes_until_next_pdu;
    }
    ENDTRY;
}

static void
dissect_message(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, proto_tree *subtree, const call_t *call)
{
    tvbuff_t *message = tvb_new_subset_remaining(tvb, LENGTH_LENGTH);
    const bool has_spi = tvb_captured_length(message) >= NON_ESP_MARKER_LENGTH;
    const uint32_t spi = has_spi ? tvb_get_ntohl(message, 0) : 0;

    if (has_spi && spi == 0)
        proto_tree_add_item(subtree, hf_marker, message, 0, NON_ESP_MARKER_LENGTH, ENC_NA);
    if (has_spi && !PINFO_FD_VISITED(pinfo))
        learn_spi(call->flow, spi);
    if (tvb_reported_length(message) == 1 && compat_tvb_get_u8(message, 0) == KEEPALIVE) {
        show_in_column(pinfo, "NAT-keepalive");
        proto_tree_add_item(subtree, hf_keepalive, message, 0, 1, ENC_NA);
    }
    hand_on(message, pinfo, tree, call);
}

static int
dissect_tcp_record(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data)
{
    call_t *call = data;
    proto_item *item = proto_tree_add_item(tree, proto_tcp_encap, tvb, 0, -1, ENC_NA);
    proto_tree *subtree = proto_item_add_subtree(item, ett_tcp_encap);

    begin_in_column(pinfo);
    if (call->has_prefix && call->offset == 0) {
        dissect_prefix(tvb, pinfo, subtree);
    } else {
        proto_item *length = proto_tree_add_item(subtree, hf_length, tvb, 0, LENGTH_LENGTH, ENC_BIG_ENDIAN);

        if (call->is_bad) {
            show_in_column(pinfo, "Bad length");
            expert_add_info(pinfo, length, &ei_length);
        } else if (tvb_reported_length(tvb) == LENGTH_LENGTH) {
            show_in_column(pinfo, "Empty message"); /* RFC 9329 3: to be ignored */
        } else {
            const bool has_marker =
                tvb_captured_length(tvb) >= LENGTH_LENGTH + NON_ESP_MARKER_LENGTH && tvb_get_ntohl(tvb, LENGTH_LENGTH) == 0;

            proto_item_set_len(item, LENGTH_LENGTH + (has_marker ? NON_ESP_MARKER_LENGTH : 0));
            dissect_message(tvb, pinfo, tree, subtree, call);
        }
    }
    end_in_column(pinfo);
    return (int)tvb_captured_length(tvb);
}

/* ---- a segment ---- */

/* How long is the record at `offset`? Called for each before it is dissected or completed. */
static unsigned
record_length(packet_info *pinfo, tvbuff_t *tvb, int offset, void *data)
{
    call_t *call = data;
    const bool is_prefix = call->has_prefix && offset == 0;
    unsigned length = PREFIX_LENGTH;

    call->is_bad = false;
    if (!is_prefix) {
        length = tvb_get_ntohs(tvb, offset);
        if (length < LENGTH_LENGTH) { /* RFC 9329 3.1: fatal, and no way to find the next record */
            call->is_bad = true;
            length = (unsigned)tvb_reported_length_remaining(tvb, offset);
        }
    }
    call->offset = (uint32_t)offset;
    if (!PINFO_FD_VISITED(pinfo)) {
        /* A prefix that is not complete yet will be looked at again, as a prefix. */
        const bool is_whole = !is_prefix || tvb_captured_length(tvb) >= PREFIX_LENGTH;

        flow_advance(call->flow, call->sequence + call->offset, length, is_whole && !call->is_bad);
    }
    return length;
}

int
tcp_encap_dissect(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data, tcp_message_t take)
{
    const struct tcpinfo *segment = data;
    call_t call = { .take = take };
    verdict_t verdict;

    if (!segment || pinfo->flags.in_error_pkt || pinfo->ptype != PT_TCP)
        return 0;
    call.sequence = segment->seq;
    call.stream = stream_of(pinfo);
    call.flow = flow_of(call.stream, pinfo);
    if (PINFO_FD_VISITED(pinfo))
        verdict = judge_again(call.stream, pinfo, call.sequence);
    else
        verdict = judge(call.stream, call.flow, pinfo, tvb, call.sequence);
    if (verdict == VERDICT_NOT_OURS)
        return 0;
    if (verdict == VERDICT_UNPLACED)
        return call_data_dissector(tvb, pinfo, tree);
    call.has_prefix = verdict == VERDICT_PREFIX;
    tcp_dissect_pdus(tvb, pinfo, tree, true, LENGTH_LENGTH, record_length, dissect_tcp_record, &call);
    return (int)tvb_captured_length(tvb);
}

int
tcp_encap_register(void)
{
    static hf_register_info fields[] = {
        { &hf_prefix,
          { "Stream prefix", "ipsec.tcp.prefix", FT_STRING, BASE_NONE, NULL, 0, "The first bytes of the TCP originator", HFILL } },
        { &hf_length, { "Length", "ipsec.tcp.length", FT_UINT16, BASE_DEC, NULL, 0, "Of the message and of this field", HFILL } },
        { &hf_marker, { "Non-ESP marker", "ipsec.tcp.non_esp_marker", FT_NONE, BASE_NONE, NULL, 0, "What follows is IKE", HFILL } },
        { &hf_keepalive, { "NAT-keepalive packet", "ipsec.tcp.nat_keepalive", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL } },
    };
    static ei_register_info experts[] = {
        { &ei_length,
          { "ipsec.tcp.length.invalid", PI_MALFORMED, PI_WARN, "A length below 2: the receiver has to close the connection",
            EXPFILL } },
    };
    static int *const subtrees[] = { &ett_tcp_encap };

    proto_tcp_encap = proto_register_protocol("TCP Encapsulation of IKE and IPsec", "IKETCP", "ipsec.tcp");
    proto_register_field_array(proto_tcp_encap, fields, array_length(fields));
    proto_register_subtree_array(subtrees, array_length(subtrees));
    expert_register_field_array(expert_register_protocol(proto_tcp_encap), experts, array_length(experts));
    return proto_tcp_encap;
}
