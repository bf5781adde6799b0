/* stock_sequence.c - does Wireshark's own analysis of ESP sequence numbers speak too?
 *
 * It knows an SA by its SPI alone, has no window and no extended numbers, and warns three times about two packets that changed places. If
 * the user wants, its preference is off while the stock ESP dissector runs under one of this plugin's handles, and is what it was whenever
 * anybody else looks: the Preferences dialog shows, and saves, what the user has set there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/stock_sequence.h"

#include <epan/prefs.h>

#include <epan/prefs-int.h>

static compat_bool_preference_t is_silenced;

/* NULL: this Wireshark has no such preference. */
static pref_t *
stock_preference(void)
{
    static pref_t *preference;
    module_t *module = preference ? NULL : prefs_find_module("esp");

    if (module)
        preference = prefs_find_preference(module, "do_esp_sequence_analysis");
    return preference;
}

compat_bool_preference_t *
stock_sequence_is_silenced(void)
{
    return &is_silenced;
}

bool
stock_sequence_before(void)
{
    if (!is_silenced || !stock_preference() || !prefs_get_bool_value(stock_preference(), pref_current))
        return false;
    prefs_set_bool_value(stock_preference(), false, pref_current);
    return true;
}

void
stock_sequence_after(bool was_silenced)
{
    if (was_silenced)
        prefs_set_bool_value(stock_preference(), true, pref_current);
}
