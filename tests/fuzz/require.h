/* require.h - a promise that has to hold for any input; a fuzzer stops where one does not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_FUZZ_REQUIRE_H
#define IPSEC_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(held) (held) ? (void)0 : require_is_broken(#held, __FILE__, __LINE__)

static inline void
require_is_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not held: %s\n", file, line, what);
    abort();
}

#endif
