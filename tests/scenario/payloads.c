/* payloads.c - chains payloads by their generic headers (RFC 7296 3.2, RFC 2408 3.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "payloads.h"

#include "bytes.h"

#include <stdio.h>

static int
spec_type(const payload_context_t *context, unsigned index)
{
    const GArray *payloads = context->message->payloads;

    if (index >= payloads->len)
        return 0;
    return payload_type_by_name(g_array_index(payloads, payload_spec_t, index).name, context->message->exchange->version);
}

GByteArray *
payload_chain(const payload_context_t *context, uint8_t *ret_first)
{
    GByteArray *out = g_byte_array_new();
    int type = spec_type(context, 0);

    *ret_first = type > 0 ? (uint8_t)type : 0;
    for (unsigned i = 0; i < context->message->payloads->len; i++) {
        const payload_spec_t *payload = &g_array_index(context->message->payloads, payload_spec_t, i);
        int next = spec_type(context, i + 1);
        unsigned start = out->len;
        bool known;

        put_u8(out, next > 0 ? (unsigned)next : 0);
        put_u8(out, 0);
        put_u16(out, 0);
        if (context->message->exchange->version == 1)
            known = payload_v1_body(context, payload, out);
        else
            known = payload_v2_body(context, payload, out);
        if (spec_type(context, i) < 0 || !known) {
            fprintf(stderr, "%s:%u: payload `%s(%s)' is not known\n", context->place.file, context->place.line, payload->name,
                    payload->argument != NULL ? payload->argument : "");
            g_byte_array_free(out, TRUE);
            return NULL;
        }
        set_u16(out, start + 2, out->len - start);
    }
    return out;
}
