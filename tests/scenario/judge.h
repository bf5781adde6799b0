/* judge.h - does what the engine found agree with what the script expects?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_JUDGE_H
#define SCENARIO_JUDGE_H

#include "outcome.h"

/* The story as it is told: every expectation met, and nothing else of weight. Complaints, one per line, are appended.
 * True: none. */
bool judge_story(const scenario_t *scenario, const GArray *views, const outcome_t *outcome, keys_mode_t keys, GString *complaints);

/* What exchanges are called without keys is what they are called with keys, or is left open. */
bool judge_names(const outcome_t *without_keys, const outcome_t *with_keys, GString *complaints);

/* A distorted capture against the undistorted one. */
bool judge_same(const outcome_t *plain, const outcome_t *distorted, const under_t *under, GString *complaints);
bool judge_no_worse(const outcome_t *plain, const outcome_t *distorted, const under_t *under, GString *complaints);

/* Is this finding a Warn or Error that the plain story does not have? */
bool is_false_alarm(const outcome_t *plain, const finding_t *finding, const under_t *under);

/* The ladder with frame numbers and findings. */
void print_ladder(const scenario_t *scenario, const GArray *views, const outcome_t *outcome, GString *out);

#endif
