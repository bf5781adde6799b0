/* fields.h - what is the protocol's name, which fields and which expert items does it have?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_PRESENT_FIELDS_H
#define IPSEC_PRESENT_FIELDS_H

#include "compat.h"

#include "engine/finding.h"

#include <epan/expert.h>

extern int proto_ipsec;

extern int hf_tunnel;
extern int hf_ike_sa;
extern int hf_child_sa;
extern int hf_exchange;
extern int hf_exchange_confidence;
extern int hf_exchange_request_in;
extern int hf_exchange_response_in;
extern int hf_exchange_time;
extern int hf_retransmission_of;
extern int hf_retransmission_next;
extern int hf_retransmission_count;
extern int hf_retransmission_rto;
extern int hf_nat_old_port;
extern int hf_nat_new_port;
extern int hf_nat_grade;
extern int hf_nat_source;
extern int hf_nat_destination;
extern int hf_spi_first_seen_in;
extern int hf_spi_announced_in;
extern int hf_spi_deleted_in;
extern int hf_copy;
extern int hf_malformed;
extern int hf_analysis_flags;
extern int hf_analysis_finding;
extern int hf_analysis_severity;
extern int hf_analysis_group;
extern int hf_analysis_confidence;
extern int hf_analysis_text;
extern int hf_analysis_cause;
extern int hf_analysis_cause_in;
extern int hf_analysis_check;
extern int hf_analysis_evidence;
extern int hf_lost_between;
extern int hf_incident;
extern int hf_incident_root_cause;
extern int hf_incident_root_cause_in;

extern int ett_ipsec;
extern int ett_exchange;
extern int ett_analysis;
extern int ett_finding;

void fields_register(void);

/* The expert item of a finding, in the severity of this instance. */
expert_field *fields_expert(const finding_t *finding);

#endif
