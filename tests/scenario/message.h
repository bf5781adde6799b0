/* message.h - builds the wire bytes of one IKE message of a script, and the plaintext that someone with keys would see.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SCENARIO_MESSAGE_H
#define SCENARIO_MESSAGE_H

#include "world.h"

/* Returns the message from the IKE header on, owned by the caller, or NULL after complaining on stderr. `ret_decrypted` is owned
 * by the caller too; NULL for clear messages and fragments. */
GByteArray *message_build(world_t *world, const step_t *step, unsigned sender, unsigned receiver, GByteArray **ret_decrypted);

#endif
