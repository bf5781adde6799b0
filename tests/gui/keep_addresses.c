/* keep_addresses.c - for the tests in the window: Wireshark's small blocks of memory are not used a second time
 *
 * Qt 5 knows by its address what a screen reader sees of a widget, and when a dialog is closed it may keep what belonged to one of its
 * widgets. If a widget of the next dialog gets the same address, it, or the whole dialog, is not there for a screen reader, and for
 * the tests. That happens in about one run out of three. Loaded before all other libraries, this gives no address twice.
 *
 * Not for AddressSanitizer, which delays the second use by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <malloc.h>
#include <stdlib.h>

enum { LARGEST_WIDGET = 1024 };

void __libc_free(void *block);

__attribute__((visibility("default"))) void
free(void *block)
{
    if (block && malloc_usable_size(block) > LARGEST_WIDGET)
        __libc_free(block);
}
