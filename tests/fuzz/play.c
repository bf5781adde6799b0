/* play.c - runs a fuzzer's entry point without libFuzzer: on files, or on inputs of its own making.
 *
 *     fuzz_engine_play FILE...          each file is one input
 *     fuzz_engine_play --random COUNT   inputs 1 to COUNT, the same each time
 *     fuzz_engine_play --only NUMBER    one of these
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small numbers are frequent: they are the choices that mean something. */
static void
play_random(uint32_t number)
{
    GRand *random = g_rand_new_with_seed(number);
    size_t length = (size_t)g_rand_int_range(random, 1, LONGEST);
    uint8_t *data = g_malloc(length);

    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(g_rand_boolean(random) ? g_rand_int_range(random, 0, 256) : g_rand_int_range(random, 0, 64));
    (void)LLVMFuzzerTestOneInput(data, length);
    g_free(data);
    g_rand_free(random);
}

static int
play_file(const char *name)
{
    gchar *data;
    gsize length;

    if (!g_file_get_contents(name, &data, &length, NULL)) {
        fprintf(stderr, "cannot read %s\n", name);
        return 2;
    }
    (void)LLVMFuzzerTestOneInput((const uint8_t *)data, length);
    g_free(data);
    return 0;
}

int
main(int argc, char **argv)
{
    int failed = 0;

    if (argc == 3 && strcmp(argv[1], "--only") == 0) {
        play_random((uint32_t)strtoul(argv[2], NULL, 10));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--random") == 0) {
        unsigned long count = strtoul(argv[2], NULL, 10);
        for (unsigned long i = 1; i <= count; i++)
            play_random((uint32_t)i);
        return 0;
    }
    for (int i = 1; i < argc; i++)
        failed |= play_file(argv[i]);
    return failed;
}
