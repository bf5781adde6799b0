/* generate.c - a capture with the structure of a busy VPN gateway's, of any size
 *
 * usage: generate [--tunnels N] [--packets N] [--kind esp|ike|other] [--seed N] [--troubled N] FILE
 *
 *   esp    1 % IKE: tunnels come up, check for liveness, rekey their child SAs, and carry ESP in UDP both ways, with some loss
 *   ike    half of the packets are IKE
 *   other  no IPsec: UDP and TCP that nobody dissects further
 *
 * In the end the gateway no longer answers the first N tunnels that are to be troubled; every second of them comes up again.
 *
 * Writes a pcap file (nanoseconds, raw IPv4). The same arguments make the same bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINKTYPE_RAW_IPV4 = 228,
    IPV4_HEADER = 20,
    UDP_HEADER = 8,
    IKE_HEADER = 28,
    EXCHANGE_INIT = 34,
    EXCHANGE_AUTH = 35,
    EXCHANGE_CREATE_CHILD_SA = 36,
    EXCHANGE_INFORMATIONAL = 37,
    PAYLOAD_NONE = 0,
    PAYLOAD_SA = 33,
    PAYLOAD_KE = 34,
    PAYLOAD_IDI = 35,
    PAYLOAD_IDR = 36,
    PAYLOAD_NOTIFY = 41,
    PAYLOAD_DELETE = 42,
    PAYLOAD_NONCE = 40,
    PAYLOAD_ENCRYPTED = 46,
    FLAG_INITIATOR = 0x08,
    FLAG_RESPONSE = 0x20,
    LARGEST = 1500,
};

#define NANOSECONDS UINT64_C(1000000000)
#define BETWEEN_PACKETS UINT64_C(20000) /* 50,000 packets per second in all */

typedef struct {
    uint64_t spi_i, spi_r;
    uint32_t spi[2], sequence[2]; /* by sender */
    uint32_t next_id;
    bool is_up;
} tunnel_t;

typedef struct {
    FILE *out;
    uint64_t time, packets;
    uint64_t random;
    tunnel_t *tunnels;
    uint32_t tunnel_count;
} world_t;

/* ---- bytes ---- */

static uint64_t
next_random(world_t *world) /* xorshift64* */
{
    world->random ^= world->random >> 12;
    world->random ^= world->random << 25;
    world->random ^= world->random >> 27;
    return world->random * UINT64_C(0x2545f4914f6cdd1d);
}

static uint8_t *
put16(uint8_t *at, unsigned value)
{
    *at++ = (uint8_t)(value >> 8);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *
put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *
put64(uint8_t *at, uint64_t value)
{
    return put32(put32(at, (uint32_t)(value >> 32)), (uint32_t)value);
}

static uint8_t *
put_random(world_t *world, uint8_t *at, size_t length)
{
    for (size_t i = 0; i < length; i += 8) {
        uint64_t bytes = next_random(world);
        size_t part = length - i < 8 ? length - i : 8;
        memcpy(at + i, &bytes, part);
    }
    return at + length;
}

/* ---- a packet ---- */

static void
write_all(world_t *world, const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, world->out) != length) {
        perror("generate");
        exit(1);
    }
}

static void
write_file_header(world_t *world)
{
    const uint32_t magic = 0xa1b23c4d, rest[4] = { 0, 0, 65535, LINKTYPE_RAW_IPV4 };
    const uint16_t version[2] = { 2, 4 };

    write_all(world, &magic, sizeof(magic));
    write_all(world, version, sizeof(version));
    write_all(world, rest, sizeof(rest));
}

/* `payload` of UDP, from client or gateway of a tunnel. Every client has an address of its own; 4500 on both ends. */
static void
write_udp(world_t *world, uint32_t tunnel, bool from_client, uint16_t port, const uint8_t *payload, size_t length)
{
    uint8_t packet[16 + IPV4_HEADER + UDP_HEADER];
    const uint32_t client = 0x0a000000u + tunnel + 1, gateway = 0xc6336401u;
    const uint32_t total = (uint32_t)(IPV4_HEADER + UDP_HEADER + length);
    const uint32_t record[4] = { (uint32_t)(world->time / NANOSECONDS), (uint32_t)(world->time % NANOSECONDS), total, total };
    uint8_t *at = packet + sizeof(record);

    memcpy(packet, record, sizeof(record));
    at = put16(at, 0x4500);
    at = put16(at, total);
    at = put16(at, (unsigned)world->packets & 0xffff);
    at = put16(at, 0);
    at = put16(at, 64u << 8 | 17);
    at = put16(at, 0);
    at = put32(at, from_client ? client : gateway);
    at = put32(at, from_client ? gateway : client);
    at = put16(at, port);
    at = put16(at, port);
    at = put16(at, (unsigned)(UDP_HEADER + length));
    put16(at, 0);
    write_all(world, packet, sizeof(packet));
    write_all(world, payload, length);
    world->packets++;
    world->time += BETWEEN_PACKETS;
}

/* ---- IKE ---- */

static uint8_t *
put_ike_header(uint8_t *at, const tunnel_t *tunnel, uint64_t spi_r, unsigned first, unsigned exchange, unsigned flags, uint32_t id,
               size_t length)
{
    at = put64(at, tunnel->spi_i);
    at = put64(at, spi_r);
    at = put32(at, first << 24 | 0x20u << 16 | exchange << 8 | flags);
    at = put32(at, id);
    return put32(at, (uint32_t)(IKE_HEADER + length));
}

static uint8_t *
put_payload_header(uint8_t *at, unsigned next, size_t length)
{
    return put16(put16(at, next << 8), (unsigned)(4 + length));
}

/* AES-CBC-256, HMAC-SHA2-256-128, PRF-HMAC-SHA2-256, ECP-256. */
static uint8_t *
put_proposal(uint8_t *at)
{
    static const uint8_t proposal[] = { 0, 0, 0, 44, 1, 1, 0, 4, 3, 0, 0, 12, 1, 0,  0, 12, 0x80, 14, 1, 0, 3, 0,
                                        0, 8, 2, 0,  0, 5, 3, 0, 0, 8, 3, 0,  0, 12, 0, 0,  0,    8,  4, 0, 0, 19 };
    memcpy(at, proposal, sizeof(proposal));
    return at + sizeof(proposal);
}

static void
write_init(world_t *world, uint32_t index, bool is_response)
{
    const tunnel_t *tunnel = &world->tunnels[index];
    uint8_t message[LARGEST], *at;
    const size_t length = 4 + 44 + 4 + 4 + 64 + 4 + 32;

    at = put_ike_header(message, tunnel, is_response ? tunnel->spi_r : 0, PAYLOAD_SA, EXCHANGE_INIT,
                        is_response ? FLAG_RESPONSE : FLAG_INITIATOR, 0, length);
    at = put_payload_header(at, PAYLOAD_KE, 44);
    at = put_proposal(at);
    at = put_payload_header(at, PAYLOAD_NONCE, 68);
    at = put32(at, 19u << 16);
    at = put_random(world, at, 64);
    at = put_payload_header(at, PAYLOAD_NONE, 32);
    at = put_random(world, at, 32);
    write_udp(world, index, !is_response, 500, message, (size_t)(at - message));
}

/* `inner`: type of the first encrypted payload, readable without keys (RFC 7296 3.14); `length` of IV, ciphertext and ICV. */
static void
write_encrypted(world_t *world, uint32_t index, bool from_client, bool is_response, unsigned exchange, uint32_t id, unsigned inner,
                size_t length)
{
    const tunnel_t *tunnel = &world->tunnels[index];
    uint8_t message[LARGEST], *at = put32(message, 0);
    const unsigned flags = (from_client ? FLAG_INITIATOR : 0u) | (is_response ? FLAG_RESPONSE : 0u);

    at = put_ike_header(at, tunnel, tunnel->spi_r, PAYLOAD_ENCRYPTED, exchange, flags, id, 4 + length);
    at = put_payload_header(at, inner, length);
    at = put_random(world, at, length);
    write_udp(world, index, from_client, 4500, message, (size_t)(at - message));
}

static void
write_exchange(world_t *world, uint32_t index, unsigned exchange, unsigned asked, size_t asked_length, unsigned answered,
               size_t answered_length)
{
    const uint32_t id = world->tunnels[index].next_id++;

    write_encrypted(world, index, true, false, exchange, id, asked, asked_length);
    write_encrypted(world, index, false, true, exchange, id, answered, answered_length);
}

static void
new_child(world_t *world, tunnel_t *tunnel)
{
    for (unsigned p = 0; p < 2; p++) {
        tunnel->spi[p] = (uint32_t)next_random(world) | 0x01000000u;
        tunnel->sequence[p] = 1;
    }
}

static void
bring_up(world_t *world, uint32_t index)
{
    tunnel_t *tunnel = &world->tunnels[index];

    tunnel->spi_i = next_random(world);
    tunnel->spi_r = next_random(world);
    tunnel->next_id = 1;
    write_init(world, index, false);
    write_init(world, index, true);
    write_exchange(world, index, EXCHANGE_AUTH, PAYLOAD_IDI, 272, PAYLOAD_IDR, 224);
    new_child(world, tunnel);
    tunnel->is_up = true;
}

static void
rekey_child(world_t *world, uint32_t index)
{
    write_exchange(world, index, EXCHANGE_CREATE_CHILD_SA, PAYLOAD_NOTIFY, 256, PAYLOAD_SA, 240);
    new_child(world, &world->tunnels[index]);
    write_exchange(world, index, EXCHANGE_INFORMATIONAL, PAYLOAD_DELETE, 48, PAYLOAD_DELETE, 48);
}

/* ---- the rest ---- */

static void
write_esp(world_t *world, uint32_t index, bool from_client)
{
    tunnel_t *tunnel = &world->tunnels[index];
    uint8_t packet[LARGEST], *at;
    const unsigned p = from_client ? 0 : 1;
    const size_t size = 56 + 16 * (next_random(world) % 16);

    tunnel->sequence[p] += next_random(world) % 1000 == 0; /* one in a thousand is lost */
    at = put32(packet, tunnel->spi[p]);
    at = put32(at, tunnel->sequence[p]++);
    at = put_random(world, at, size);
    write_udp(world, index, from_client, 4500, packet, (size_t)(at - packet));
}

static void
write_other(world_t *world)
{
    uint8_t payload[LARGEST];
    const size_t size = 56 + 16 * (next_random(world) % 16);

    put_random(world, payload, size);
    write_udp(world, (uint32_t)(next_random(world) % 1000), next_random(world) & 1, 40001, payload, size);
}

/* Some tunnels are busier than others: the square of an even distribution. */
static uint32_t
any_tunnel(world_t *world)
{
    uint64_t part = next_random(world) % 65536;

    return (uint32_t)(part * part * world->tunnel_count >> 32);
}

static void
play(world_t *world, uint64_t packets, bool is_ike_heavy)
{
    const uint64_t per_mille = is_ike_heavy ? 330 : 4; /* events; each is two to four messages */

    while (world->packets < packets) {
        uint32_t index = any_tunnel(world);
        uint64_t dice = next_random(world) % 1000;

        if (!world->tunnels[index].is_up)
            bring_up(world, index);
        else if (dice < per_mille / 3)
            rekey_child(world, index);
        else if (dice < per_mille)
            write_exchange(world, index, EXCHANGE_INFORMATIONAL, PAYLOAD_NONE, 48, PAYLOAD_NONE, 48);
        else
            write_esp(world, index, next_random(world) % 100 < 55);
    }
}

/* Liveness checks of the first tunnels are repeated in vain, each time with the same bytes; tunnels 1, 3, 5, ... come up again. */
static void
fall_silent(world_t *world, uint32_t count)
{
    static const unsigned seconds_after[] = { 1, 2, 4, 8, 16 };
    const uint64_t random = world->random;

    for (size_t i = 0; i < sizeof(seconds_after) / sizeof(*seconds_after); i++) {
        for (uint32_t index = 0; index < count; index++) {
            world->random = random + index;
            write_encrypted(world, index, true, false, EXCHANGE_INFORMATIONAL, world->tunnels[index].next_id, PAYLOAD_NONE, 48);
        }
        world->time += seconds_after[i] * NANOSECONDS;
    }
    world->random = random;
    for (uint32_t index = 1; index < count; index += 2) {
        bring_up(world, index);
        write_esp(world, index, true);
        write_esp(world, index, false);
    }
}

static _Noreturn void
usage(void)
{
    fputs("usage: generate [--tunnels N] [--packets N] [--kind esp|ike|other] [--seed N] [--troubled N] FILE\n", stderr);
    exit(2);
}

static uint64_t
number(const char *text)
{
    char *end = NULL;
    uint64_t value = text ? strtoull(text, &end, 10) : 0;

    if (value == 0 || *end != '\0')
        usage();
    return value;
}

int
main(int argc, char **argv)
{
    world_t world = { .time = UINT64_C(1700000000) * NANOSECONDS, .random = 1, .tunnel_count = 100 };
    uint64_t packets = 100000;
    uint32_t troubled = 0;
    const char *kind = "esp", *file = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--tunnels") == 0)
            world.tunnel_count = (uint32_t)number(argv[++i]);
        else if (strcmp(argv[i], "--packets") == 0)
            packets = number(argv[++i]);
        else if (strcmp(argv[i], "--troubled") == 0)
            troubled = (uint32_t)number(argv[++i]);
        else if (strcmp(argv[i], "--seed") == 0)
            world.random = number(argv[++i]);
        else if (strcmp(argv[i], "--kind") == 0 && i + 1 < argc)
            kind = argv[++i];
        else if (argv[i][0] != '-' && !file)
            file = argv[i];
        else
            usage();
    }
    world.out = file ? fopen(file, "wb") : NULL;
    if (!file)
        usage();
    if (!world.out) {
        fprintf(stderr, "generate: %s: %s\n", file, strerror(errno));
        return 1;
    }
    setvbuf(world.out, NULL, _IOFBF, 1 << 20);
    world.tunnels = calloc(world.tunnel_count, sizeof(tunnel_t));
    if (!world.tunnels)
        return 1;
    write_file_header(&world);
    if (strcmp(kind, "other") == 0) {
        while (world.packets < packets)
            write_other(&world);
    } else if (strcmp(kind, "esp") == 0 || strcmp(kind, "ike") == 0) {
        play(&world, packets, strcmp(kind, "ike") == 0);
        fall_silent(&world, troubled < world.tunnel_count ? troubled : world.tunnel_count);
    } else {
        usage();
    }
    if (fclose(world.out) != 0) {
        perror("generate");
        return 1;
    }
    free(world.tunnels);
    return 0;
}
