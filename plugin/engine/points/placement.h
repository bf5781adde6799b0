/* placement.h - between which two capture points was a request, an answer or ESP lost?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_PLACEMENT_H
#define IPSEC_ENGINE_PLACEMENT_H

#include "engine/finding.h"

struct engine;
struct tunnel;
struct exchange;

/* Remembers of which exchange a finding speaks, for the exchange may be forgotten before the capture ends. */
void placement_ask(finding_t *finding, const struct exchange *exchange);

/* Judges what both capture points have seen of what this finding is about. NULL: that says nothing, or there is one point only. Else
 * a sentence, freed by the caller; `finding` gets the two points between which it was lost, if it was. */
char *placement_of(const struct engine *engine, const struct tunnel *tunnel, finding_t *finding);

#endif
