/* nat_hash.c - HASH(SPIi | SPIr | address | port), from where the sender stands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "nat_hash.h"

#include "bytes.h"

#include <stdio.h>

/* A peer behind a NAT knows its inside address; the other one knows what the NAT made of it. */
static endpoint_t
known_endpoint(const payload_context_t *context, nat_hash_of_t of)
{
    const actor_t *sender = &context->world->actor[context->sender], *receiver = &context->world->actor[context->receiver];
    bool encapsulated = sender->seen.port == PORT_NAT_TRAVERSAL || receiver->seen.port == PORT_NAT_TRAVERSAL;
    endpoint_t own = sender->is_natted ? sender->inside : sender->seen;

    if (of == HASH_OF_DESTINATION)
        return receiver->seen;
    if (sender->is_natted && encapsulated)
        own.port = PORT_NAT_TRAVERSAL;
    return own;
}

static bool
named_endpoint(const char *argument, bool is_ipv6, endpoint_t *ret_endpoint)
{
    endpoint_t endpoint = { .family = ADDRESS_IPV4 };
    unsigned a, b, c, d, port;

    if (sscanf(argument, "%3u.%3u.%3u.%3u:%5u", &a, &b, &c, &d, &port) != 5)
        return false;
    endpoint.address[0] = (uint8_t)a;
    endpoint.address[1] = (uint8_t)b;
    endpoint.address[2] = (uint8_t)c;
    endpoint.address[3] = (uint8_t)d;
    endpoint.port = (uint16_t)port;
    *ret_endpoint = is_ipv6 ? endpoint_as_ipv6(&endpoint) : endpoint;
    return true;
}

static GChecksumType
checksum_of(unsigned size)
{
    return size == 64 ? G_CHECKSUM_SHA512 : size == 48 ? G_CHECKSUM_SHA384 : size == 32 ? G_CHECKSUM_SHA256 : G_CHECKSUM_SHA1;
}

bool
put_nat_hash(const payload_context_t *context, nat_hash_of_t of, const char *argument, unsigned size, GByteArray *out)
{
    endpoint_t endpoint = known_endpoint(context, of);
    uint8_t digest[64];
    gsize length = sizeof digest;

    if (argument != NULL && g_str_equal(argument, "forced")) {
        put_random(out, context->seed + 500 + of, size);
        return true;
    }
    if (argument != NULL && g_str_equal(argument, "port0"))
        endpoint.port = 0;
    else if (argument != NULL && !named_endpoint(argument, endpoint.family == ADDRESS_IPV6, &endpoint))
        return false;

    GByteArray *input = g_byte_array_new();
    GChecksum *checksum = g_checksum_new(checksum_of(size));
    put_u64(input, context->spi_i);
    put_u64(input, context->spi_r);
    g_byte_array_append(input, endpoint.address, endpoint.family == ADDRESS_IPV6 ? 16 : 4);
    put_u16(input, endpoint.port);
    g_checksum_update(checksum, input->data, (gssize)input->len);
    g_checksum_get_digest(checksum, digest, &length);
    g_byte_array_append(out, digest, (guint)length);
    g_checksum_free(checksum);
    g_byte_array_free(input, TRUE);
    return true;
}
