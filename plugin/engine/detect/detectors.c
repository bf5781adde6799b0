/* detectors.c - the list of detectors, causes before consequences.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "detectors.h"

const detector_t *const detectors[DETECTOR_COUNT] = {
    &capture_clock_detector,
    &capture_midstream_detector,
    &capture_one_direction_detector,
    &capture_truncated_detector,
    &capture_both_sides_of_nat_detector,
    &capture_no_ike_detector,
    &icmp_unreachable_detector,
    &nat_port_flip_detector,
    &address_change_detector,
    &esp_to_stale_port_detector,
    &retransmission_detector,
    &cookie_challenge_detector,
    &ke_group_retry_detector,
    &fragment_loss_detector,
    &pfs_mismatch_detector,
    &proposal_mismatch_detector,
    &ts_unacceptable_detector,
    &auth_failed_detector,
    &rekey_rejected_detector,
    &child_rejected_detector,
    &rekey_collision_detector,
    &lifetime_mismatch_detector,
    &rekey_too_frequent_detector,
    &dpd_unanswered_detector,
    &dpd_loss_detector,
    &rekey_no_response_detector,
    &ike_no_response_detector,
    &ike_stalled_detector,
    &retransmit_exhausted_detector,
    &invalid_spi_detector,
    &invalid_ike_spi_detector,
    &syslog_invalid_spi_detector,
    &spi_desync_detector,
    &esp_icv_mismatch_detector,
    &mtu_blackhole_detector,
    &esp_one_way_detector,
    &reauthentication_detector,
    &clean_delete_detector,
    &delete_no_restart_detector,
    &child_down_detector,
    &tunnel_flap_detector,
    &tunnel_down_detector,
};

G_STATIC_ASSERT((int)DETECTOR_COUNT == (int)FINDING_COUNT);
