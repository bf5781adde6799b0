/* interfaces.h - on which interfaces was captured, and from when to when?
 *
 * A file may hold several captures, each as long as it is: that one shows nothing is no proof when it has ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_INTERFACES_H
#define IPSEC_ENGINE_INTERFACES_H

#include "engine/base.h"

#define INTERFACE_NAME_MAX 48

/* More of them in one file are not told apart. */
#ifndef INTERFACES_MAX
#define INTERFACES_MAX 256u
#endif

typedef struct {
    uint32_t interface;
    char name[INTERFACE_NAME_MAX]; /* "interface 1 (eth0)" */
    capture_ns_t first_at, last_at;
} interface_t;

typedef struct interfaces interfaces_t;

interfaces_t *interfaces_new(void);
void interfaces_free(interfaces_t *interfaces);

/* A frame was captured there, of whatever protocol. True: the first one. */
bool interfaces_heard(interfaces_t *interfaces, uint32_t interface, capture_ns_t time);

/* `name` as the capture has it; NULL: it has none. */
void interfaces_name(interfaces_t *interfaces, uint32_t interface, unsigned number, const char *name);

/* NULL: never heard of. Valid until the next frame. */
const interface_t *interfaces_find(const interfaces_t *interfaces, uint32_t interface);

#endif
