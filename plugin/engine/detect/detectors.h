/* detectors.h - every detector, in the order in which they judge a change: a cause before its consequence.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_DETECTORS_H
#define IPSEC_ENGINE_DETECTORS_H

#include "engine/findings.h"

extern const detector_t capture_clock_detector;
extern const detector_t capture_midstream_detector;
extern const detector_t capture_one_direction_detector;
extern const detector_t capture_truncated_detector;
extern const detector_t capture_both_sides_of_nat_detector;
extern const detector_t capture_two_points_detector;
extern const detector_t capture_no_ike_detector;
extern const detector_t hidden_by_dissector_detector;
extern const detector_t icmp_unreachable_detector;
extern const detector_t nat_port_flip_detector;
extern const detector_t nat_unstable_detector;
extern const detector_t address_change_detector;
extern const detector_t esp_to_stale_port_detector;
extern const detector_t retransmission_detector;
extern const detector_t cookie_challenge_detector;
extern const detector_t ke_group_retry_detector;
extern const detector_t fragment_loss_detector;
extern const detector_t pfs_mismatch_detector;
extern const detector_t proposal_mismatch_detector;
extern const detector_t ts_unacceptable_detector;
extern const detector_t auth_failed_detector;
extern const detector_t rekey_rejected_detector;
extern const detector_t child_rejected_detector;
extern const detector_t rekey_collision_detector;
extern const detector_t dpd_unanswered_detector;
extern const detector_t dpd_loss_detector;
extern const detector_t rekey_no_response_detector;
extern const detector_t ike_no_response_detector;
extern const detector_t ike_stalled_detector;
extern const detector_t ike_sa_churn_detector;
extern const detector_t retransmit_exhausted_detector;
extern const detector_t invalid_spi_detector;
extern const detector_t syslog_invalid_spi_detector;
extern const detector_t invalid_ike_spi_detector;
extern const detector_t esp_sequence_reset_detector;
extern const detector_t esp_replay_detector;
extern const detector_t esp_loss_detector;
extern const detector_t spi_desync_detector;
extern const detector_t esp_icv_mismatch_detector;
extern const detector_t mtu_blackhole_detector;
extern const detector_t esp_one_way_detector;
extern const detector_t lifetime_mismatch_detector;
extern const detector_t rekey_too_frequent_detector;
extern const detector_t reauthentication_detector;
extern const detector_t clean_delete_detector;
extern const detector_t delete_no_restart_detector;
extern const detector_t child_down_detector;
extern const detector_t tunnel_flap_detector;
extern const detector_t tunnel_down_detector;

#define DETECTOR_COUNT 49
extern const detector_t *const detectors[DETECTOR_COUNT];

#endif
