/* fields.c - what is the protocol's name, which fields and which expert items does it have?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/fields.h"

int proto_ipsec = -1;

int hf_tunnel = -1;
int hf_ike_sa = -1;
int hf_child_sa = -1;
int hf_exchange = -1;
int hf_exchange_confidence = -1;
int hf_exchange_request_in = -1;
int hf_exchange_response_in = -1;
int hf_exchange_time = -1;
int hf_retransmission_of = -1;
int hf_retransmission_next = -1;
int hf_retransmission_count = -1;
int hf_retransmission_rto = -1;
int hf_nat_old_port = -1;
int hf_nat_new_port = -1;
int hf_nat_grade = -1;
int hf_nat_source = -1;
int hf_nat_destination = -1;
int hf_spi_first_seen_in = -1;
int hf_spi_announced_in = -1;
int hf_spi_deleted_in = -1;
int hf_copy = -1;
int hf_malformed = -1;
int hf_analysis_flags = -1;
int hf_analysis_finding = -1;
int hf_analysis_severity = -1;
int hf_analysis_group = -1;
int hf_analysis_confidence = -1;
int hf_analysis_text = -1;
int hf_analysis_cause = -1;
int hf_analysis_cause_in = -1;
int hf_analysis_check = -1;
int hf_analysis_evidence = -1;
int hf_lost_between = -1;
int hf_incident = -1;
int hf_incident_root_cause = -1;
int hf_incident_root_cause_in = -1;

int ett_ipsec = -1;
int ett_exchange = -1;
int ett_analysis = -1;
int ett_finding = -1;

#define SEVERITIES (SEVERITY_ERROR + 1)

/* An expert item has one severity, an instance of a finding may have a lower one than the catalogue's: one item per severity,
 * all under the same filter name. */
static expert_field experts[FINDING_COUNT][SEVERITIES];

static hf_register_info fields[] = {
    { &hf_tunnel,
      { "Tunnel", "ipsec.tunnel", FT_UINT32, BASE_DEC, NULL, 0, "Index of the tunnel in this capture, from 0", HFILL } },
    { &hf_ike_sa, { "IKE SA", "ipsec.ike_sa", FT_UINT32, BASE_DEC, NULL, 0, "Index of the IKE SA in its tunnel, from 0", HFILL } },
    { &hf_child_sa,
      { "Child SA", "ipsec.child_sa", FT_UINT32, BASE_DEC, NULL, 0, "Index of the ESP SA generation in its tunnel, from 0",
        HFILL } },
    { &hf_exchange, { "Exchange", "ipsec.exchange", FT_STRING, BASE_NONE, NULL, 0, "What this IKE exchange does", HFILL } },
    { &hf_exchange_confidence,
      { "Confidence", "ipsec.exchange.confidence", FT_STRING, BASE_NONE, NULL, 0,
        "observed: readable in the packet; inferred: the best explanation of an encrypted packet", HFILL } },
    { &hf_exchange_request_in,
      { "Request in", "ipsec.exchange.request_in", FT_FRAMENUM, BASE_NONE, FRAMENUM_TYPE(FT_FRAMENUM_REQUEST), 0,
        "The request that this response answers", HFILL } },
    { &hf_exchange_response_in,
      { "Response in", "ipsec.exchange.response_in", FT_FRAMENUM, BASE_NONE, FRAMENUM_TYPE(FT_FRAMENUM_RESPONSE), 0,
        "The response to this request", HFILL } },
    { &hf_exchange_time,
      { "Time from request to response", "ipsec.exchange.time", FT_RELATIVE_TIME, BASE_NONE, NULL, 0,
        "From the first transmission of the request", HFILL } },
    { &hf_retransmission_of,
      { "Retransmission of", "ipsec.retransmission.of", FT_FRAMENUM, BASE_NONE, FRAMENUM_TYPE(FT_FRAMENUM_RETRANS_PREV), 0,
        "The first transmission", HFILL } },
    { &hf_retransmission_next,
      { "Retransmitted in", "ipsec.retransmission.next", FT_FRAMENUM, BASE_NONE, FRAMENUM_TYPE(FT_FRAMENUM_RETRANS_NEXT), 0,
        "The next transmission of the same request", HFILL } },
    { &hf_retransmission_count,
      { "Retransmission number", "ipsec.retransmission.count", FT_UINT32, BASE_DEC, NULL, 0, "1 for the first repeat", HFILL } },
    { &hf_retransmission_rto,
      { "Time since the previous transmission", "ipsec.retransmission.rto", FT_RELATIVE_TIME, BASE_NONE, NULL, 0, NULL, HFILL } },
    { &hf_nat_old_port, { "Old port", "ipsec.nat.old_port", FT_UINT16, BASE_DEC, NULL, 0, NULL, HFILL } },
    { &hf_nat_new_port, { "New port", "ipsec.nat.new_port", FT_UINT16, BASE_DEC, NULL, 0, NULL, HFILL } },
    { &hf_nat_grade,
      { "Grade", "ipsec.nat.grade", FT_STRING, BASE_NONE, NULL, 0,
        "What became of it: recovered, split (IKE and ESP on different ports) or harmful", HFILL } },
    { &hf_nat_source,
      { "Source by NAT detection", "ipsec.nat.source", FT_STRING, BASE_NONE, NULL, 0,
        "The address and port that the sender hashed as its own, compared with those of this packet", HFILL } },
    { &hf_nat_destination,
      { "Destination by NAT detection", "ipsec.nat.destination", FT_STRING, BASE_NONE, NULL, 0,
        "The address and port that the sender hashed as its peer's, compared with those of this packet", HFILL } },
    { &hf_spi_first_seen_in, { "SPI first seen in", "ipsec.spi.first_seen_in", FT_FRAMENUM, BASE_NONE, NULL, 0, NULL, HFILL } },
    { &hf_spi_announced_in,
      { "SPI announced in", "ipsec.spi.announced_in", FT_FRAMENUM, BASE_NONE, NULL, 0, "The IKE message that negotiated it",
        HFILL } },
    { &hf_spi_deleted_in,
      { "SPI deleted in", "ipsec.spi.deleted_in", FT_FRAMENUM, BASE_NONE, NULL, 0, "The IKE message that deleted it", HFILL } },
    { &hf_copy, { "Second copy of a packet captured twice", "ipsec.copy", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL } },
    { &hf_malformed, { "Malformed", "ipsec.malformed", FT_NONE, BASE_NONE, NULL, 0, NULL, HFILL } },
    { &hf_analysis_flags,
      { "Findings", "ipsec.analysis.flags", FT_NONE, BASE_NONE, NULL, 0, "This frame reveals something about its tunnel", HFILL } },
    { &hf_analysis_finding, { "Finding", "ipsec.analysis.finding", FT_STRING, BASE_NONE, NULL, 0, "The finding's id", HFILL } },
    { &hf_analysis_severity,
      { "Severity", "ipsec.analysis.severity", FT_STRING, BASE_NONE, NULL, 0, "error, warn, note or chat", HFILL } },
    { &hf_analysis_group,
      { "Group", "ipsec.analysis.group", FT_STRING, BASE_NONE, NULL, 0, "What the finding is about: ike, esp, nat, life or capture",
        HFILL } },
    { &hf_analysis_confidence,
      { "Confidence", "ipsec.analysis.confidence", FT_STRING, BASE_NONE, NULL, 0,
        "observed: the bytes say so; inferred: the best explanation of encrypted traffic", HFILL } },
    { &hf_analysis_text, { "What happened", "ipsec.analysis.text", FT_STRING, BASE_NONE, NULL, 0, NULL, HFILL } },
    { &hf_analysis_cause,
      { "Led to by", "ipsec.analysis.cause", FT_STRING, BASE_NONE, NULL, 0, "The id of the earlier finding that led to this one",
        HFILL } },
    { &hf_analysis_cause_in,
      { "Cause in", "ipsec.analysis.cause_in", FT_FRAMENUM, BASE_NONE, NULL, 0, "The frame of that earlier finding", HFILL } },
    { &hf_analysis_check,
      { "Check next", "ipsec.analysis.check_next", FT_STRING, BASE_NONE, NULL, 0,
        "What to look at next, the most telling; the report has more", HFILL } },
    { &hf_analysis_evidence,
      { "Evidence", "ipsec.analysis.evidence", FT_FRAMENUM, BASE_NONE, NULL, 0, "A frame that supports the finding", HFILL } },
    { &hf_lost_between,
      { "Lost between", "ipsec.lost_between", FT_STRING, BASE_NONE, NULL, 0,
        "The two capture points between which it was lost, in the order in which it passed them", HFILL } },
    { &hf_incident,
      { "Incident", "ipsec.incident", FT_UINT32, BASE_DEC, NULL, 0, "Index of the incident in its tunnel, from 0", HFILL } },
    { &hf_incident_root_cause,
      { "Root cause of the incident", "ipsec.incident.root_cause", FT_STRING, BASE_NONE, NULL, 0, "The id of a finding", HFILL } },
    { &hf_incident_root_cause_in,
      { "Root cause of the incident in", "ipsec.incident.root_cause_in", FT_FRAMENUM, BASE_NONE, NULL, 0,
        "The frame of that finding", HFILL } },
};

static int *const subtrees[] = { &ett_ipsec, &ett_exchange, &ett_analysis, &ett_finding };

static const char *const filter_names[FINDING_COUNT] = {
#define FINDING(id, severity, group, summary) [FINDING_##id] = "ipsec.analysis." #id,
#include "engine/findings.def"
#undef FINDING
};

static const int expert_groups[] = {
    [GROUP_IKE] = PI_SEQUENCE,       [GROUP_ESP] = PI_SEQUENCE,       [GROUP_NAT] = PI_PROTOCOL,
    [GROUP_LIFE] = PI_RESPONSE_CODE, [GROUP_CAPTURE] = PI_ASSUMPTION,
};

static const int expert_severities[SEVERITIES] = {
    [SEVERITY_CHAT] = PI_CHAT,
    [SEVERITY_NOTE] = PI_NOTE,
    [SEVERITY_WARN] = PI_WARN,
    [SEVERITY_ERROR] = PI_ERROR,
};

/* Ascending severities: a user's change of severity goes by name and reaches the item registered last, the catalogue's. */
static void
register_experts(expert_module_t *module)
{
    static ei_register_info items[FINDING_COUNT * SEVERITIES];
    int used = 0;

    for (int id = 0; id < FINDING_COUNT; id++) {
        const finding_info_t *info = &finding_catalogue[id];

        for (int severity = 0; severity <= (int)info->severity; severity++)
            items[used++] = (ei_register_info){ &experts[id][severity],
                                                { filter_names[id], expert_groups[info->group], expert_severities[severity],
                                                  info->summary, EXPFILL } };
    }
    expert_register_field_array(module, items, used);
}

void
fields_register(void)
{
    proto_ipsec = proto_register_protocol("IPsec Tunnel Analysis", "IPsec", "ipsec");
    proto_register_field_array(proto_ipsec, fields, array_length(fields));
    proto_register_subtree_array(subtrees, array_length(subtrees));
    register_experts(expert_register_protocol(proto_ipsec));
}

expert_field *
fields_expert(const finding_t *finding)
{
    const severity_t most = finding_catalogue[finding->id].severity;

    return &experts[finding->id][finding->severity > most ? most : finding->severity];
}
