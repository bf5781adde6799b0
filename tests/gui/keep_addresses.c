/* keep_addresses.c - for the tests in the window: no two of Wireshark's widgets ever have the same address
 *
 * Qt 5 knows by its address what a screen reader sees of a widget, and may keep that when the widget's dialog is closed. If a widget of the
 * next dialog gets the same address, it, or the whole dialog, is not there for a screen reader, and for the tests: that happens in about
 * one run out of three. Loaded before all other libraries, this leaves the memory of Qt's objects alone when they are gone.
 *
 * Not for AddressSanitizer, which delays the second use of memory by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

/* As the C++ ABI names it; an object's first word leads to what follows two words in it. */
#define TABLE_OF_QOBJECT "_ZTV7QObject"

void __libc_free(void *block);

static uintptr_t first_word; /* of a Qt object when its destructors are through; 0: this program has no Qt */

__attribute__((constructor)) static void
begin(void)
{
    const void *table = dlsym(RTLD_DEFAULT, TABLE_OF_QOBJECT);

    if (table)
        first_word = (uintptr_t)table + 2 * sizeof(void *);
}

__attribute__((visibility("default"))) void
free(void *block)
{
    if (block && first_word && *(const uintptr_t *)block == first_word)
        return;
    __libc_free(block);
}
