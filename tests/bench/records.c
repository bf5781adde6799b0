/* records.c - how fast is the engine alone? Feeds it ESP records of N tunnels and prints records per second of CPU time.
 *
 * usage: records [--tunnels N] [--records N]
 *
 * guard.py counts its instructions, which do not depend on the machine's load.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BETWEEN_RECORDS INT64_C(20000) /* nanoseconds: 50,000 packets per second */
#define CAPTURED 96u

void feed(engine_t *engine, unsigned tunnels, unsigned records) __attribute__((noinline));

static void
put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Both directions in turn, all tunnels in turn; ciphertext differs from record to record. */
void
feed(engine_t *engine, unsigned tunnels, unsigned records)
{
    uint8_t bytes[CAPTURED] = { 0 };

    for (unsigned i = 0; i < records; i++) {
        const unsigned tunnel = i / 2 % tunnels;
        const bool is_back = i % 2 != 0;
        uint8_t client[4] = { 10, (uint8_t)(tunnel >> 16), (uint8_t)(tunnel >> 8), (uint8_t)tunnel };
        static const uint8_t gateway[4] = { 198, 51, 100, 1 };
        endpoint_t ends[2] = { endpoint_from_bytes(ADDRESS_IPV4, client, 4500), endpoint_from_bytes(ADDRESS_IPV4, gateway, 4500) };

        put32(bytes, (is_back ? 0x80000000u : 0x40000000u) + tunnel * 2654435761u % 0x3fffffffu + 256);
        put32(bytes + 4, i / 2 / tunnels + 1);
        for (unsigned k = 8; k < 24; k += 4)
            put32(bytes + k, (i + 1) * 2246822519u + k);
        packet_t packet = { .kind = PACKET_ESP,
                            .frame = i + 1,
                            .time = SECONDS(1700000000) + i * BETWEEN_RECORDS,
                            .source = ends[is_back],
                            .destination = ends[!is_back],
                            .encapsulation = ENCAPSULATION_UDP,
                            .bytes = bytes,
                            .ip_length = 28 + CAPTURED,
                            .captured = CAPTURED,
                            .reported = CAPTURED };
        engine_packet(engine, &packet);
    }
}

static unsigned
argument(int argc, char **argv, const char *name, unsigned otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return (unsigned)strtoul(argv[i + 1], NULL, 10);
    return otherwise;
}

int
main(int argc, char **argv)
{
    const unsigned tunnels = argument(argc, argv, "--tunnels", 100), records = argument(argc, argv, "--records", 2000000);
    engine_settings_t settings = engine_default_settings();
    settings.max_tunnels = tunnels + 1;
    engine_t *engine = engine_new(&settings);
    const clock_t begin = clock();

    feed(engine, tunnels, records);
    const double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("%u tunnels: %u records in %.2f s, %.2f million per second\n", tunnels, records, seconds, records / seconds / 1e6);
    engine_free(engine);
    return 0;
}
