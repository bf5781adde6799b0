/* interfaces.c - on which interfaces was captured, and from when to when?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/interfaces.h"

#include "engine/plain_text.h"

#include <glib.h>

struct interfaces {
    GArray *list;    /* of interface_t */
    unsigned latest; /* index of the one that was heard last: mostly the next one too */
};

interfaces_t *
interfaces_new(void)
{
    interfaces_t *interfaces = g_new0(interfaces_t, 1);

    interfaces->list = g_array_new(FALSE, TRUE, sizeof(interface_t));
    return interfaces;
}

void
interfaces_free(interfaces_t *interfaces)
{
    g_array_free(interfaces->list, TRUE);
    g_free(interfaces);
}

/* Its index, or the number of interfaces. */
static unsigned
index_of(const interfaces_t *interfaces, uint32_t interface)
{
    unsigned i = 0;

    if (interfaces->latest < interfaces->list->len &&
        g_array_index(interfaces->list, interface_t, interfaces->latest).interface == interface)
        return interfaces->latest;
    while (i < interfaces->list->len && g_array_index(interfaces->list, interface_t, i).interface != interface)
        i++;
    return i;
}

bool
interfaces_heard(interfaces_t *interfaces, uint32_t interface, capture_ns_t time)
{
    unsigned index = index_of(interfaces, interface);
    bool is_new = index == interfaces->list->len;

    if (interface == 0 || (is_new && index == INTERFACES_MAX))
        return false;
    if (is_new) {
        interface_t heard = { .interface = interface, .first_at = time, .last_at = time };
        g_array_append_val(interfaces->list, heard);
        interfaces_name(interfaces, interface, interface - 1, NULL);
    }
    interfaces->latest = index;
    interface_t *heard = &g_array_index(interfaces->list, interface_t, index);
    heard->last_at = capture_later(heard->last_at, time);
    return is_new;
}

void
interfaces_name(interfaces_t *interfaces, uint32_t interface, unsigned number, const char *name)
{
    unsigned index = index_of(interfaces, interface);
    char *text;

    if (index == interfaces->list->len)
        return;
    text = name != NULL && name[0] != '\0' ? g_strdup_printf("interface %u (%s)", number, name)
                                           : g_strdup_printf("interface %u", number);
    interface_t *named = &g_array_index(interfaces->list, interface_t, index);
    plain_text_copy(named->name, sizeof(named->name), text);
    g_free(text);
}

const interface_t *
interfaces_find(const interfaces_t *interfaces, uint32_t interface)
{
    unsigned index = index_of(interfaces, interface);

    return index < interfaces->list->len ? &g_array_index(interfaces->list, interface_t, index) : NULL;
}
