/* decrypted.c - did the stock dissector decrypt the IKE message that it just dissected?
 *
 * It adds what it decrypted to the frame's data sources, with or without a protocol tree. Older ones of the same name belong
 * to an outer packet (a decrypted ESP payload may carry IKE).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/decrypted.h"

#include <string.h>

unsigned
decrypted_mark(const packet_info *pinfo)
{
    return g_slist_length(pinfo->data_src);
}

static bool
is_decrypted_ike(const struct data_source *source)
{
    char *text = compat_data_source_text(source);
    const bool is = g_str_has_prefix(text, "Decrypted Data") || g_str_has_prefix(text, "Decrypted IKE");

    wmem_free(NULL, text);
    return is;
}

tvbuff_t *
decrypted_since(const packet_info *pinfo, unsigned mark)
{
    tvbuff_t *found = NULL;

    for (GSList *item = g_slist_nth(pinfo->data_src, mark); item; item = item->next)
        if (is_decrypted_ike(item->data))
            found = get_data_source_tvb(item->data);
    return found;
}
