/* esp_in_udp.c - is this UDP datagram ESP, on ports where some SD-WAN products send it without asking anybody?
 *
 * Cisco SD-WAN sends ESP in UDP from port 12346 + 20 n + offset, without IKE and so without non-ESP markers, and DTLS on the same ports. There
 * is no magic number. What tells ESP (RFC 4303 2) from anything else is what it does over several packets: the same SPI again, the sequence
 * number one higher each time, lengths that are multiples of 4, and ciphertext, half of whose bits change from packet to packet. The first
 * packets of a path are held back until that is seen. A wrong guess would take another protocol's packets away, so that in doubt there is no ESP;
 * the preference "Additional UDP ports with IPsec" is for the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/esp_in_udp.h"

#include "observe/dtls.h"
#include "observe/udp_path.h"

#include <glib.h>
#include <string.h>

enum {
    ESP_ALIGNMENT = 4,   /* RFC 4303 2.4 */
    ESP_SHORTEST = 24,   /* header, a padded payload and an ICV of 12 bytes */
    IV_LENGTH_MAX = 8,   /* of the ciphers whose IV is a counter (RFC 4106 3.1); in CBC the IV is as random as what follows */
    COMPARED_BYTES = 32, /* of the ciphertext, between packets that follow each other */
    COMPARED_BYTES_MIN = 4,

    BYTES_HELD = 64,          /* by so many the engine tells packets apart */
    PACKETS_HELD = 16,        /* per path, both directions together */
    SAS_PER_PATH = 8,         /* candidates; known SAs are kept elsewhere */
    FIRST_SEQUENCES_MAX = 16, /* on a path known for ESP an SPI that begins with these needs no proof */

    STEPS_PROVE_PATH = 3,         /* from one sequence number to the next, in both directions together */
    STEPS_PROVE_RESERVED_SPI = 8, /* a small first word is what many protocols have */
    STEPS_PROVE_SA = 1,           /* once the path is known */
};

/* Beyond these the oldest candidate is forgotten, and no more SAs are learnt. */
#ifndef UDP_PATHS_MAX
#define UDP_PATHS_MAX 1024u
#endif
#ifndef UDP_SAS_MAX
#define UDP_SAS_MAX 32768u
#endif

/* An SA in one direction of a path. */
typedef struct {
    udp_path_t path;
    bool from_low;
    uint32_t spi;
} sa_key_t;

/* An SPI that may be one. */
typedef struct {
    bool from_low;
    uint32_t spi, sequence;
    unsigned steps;
    uint8_t ciphertext[COMPARED_BYTES];
    size_t compared;
} candidate_t;

typedef struct {
    packet_t packet; /* `bytes` is set when it is handed on */
    uint8_t bytes[BYTES_HELD];
} held_t;

typedef struct {
    udp_path_t key;
    bool is_known;
    candidate_t candidate[SAS_PER_PATH];
    unsigned candidates; /* so many so far; a new one takes the place of the oldest */
    GArray *held;        /* of held_t, oldest first; NULL: none */
    GList *place;        /* among the unknown paths; NULL when it is known */
} path_t;

static GHashTable *paths;                   /* udp_path_t, within the path -> path_t, owned */
static GHashTable *known_sas;               /* sa_key_t, owned */
static GQueue unknown_paths = G_QUEUE_INIT; /* borrowed, oldest first */

/* ---- keys ---- */

static guint
sa_hash(gconstpointer data)
{
    const sa_key_t *key = data;

    return udp_path_hash(&key->path) ^ key->spi * 2654435761u;
}

static gboolean
sa_equal(gconstpointer a, gconstpointer b)
{
    const sa_key_t *left = a, *right = b;

    return left->spi == right->spi && left->from_low == right->from_low && udp_path_equal(&left->path, &right->path);
}

static sa_key_t
sa_key_of(const packet_t *packet)
{
    const udp_path_t path = udp_path_of(&packet->source, &packet->destination);

    return (sa_key_t){ .path = path, .from_low = udp_path_is_up(&path, &packet->source), .spi = wire_u32(packet->bytes) };
}

/* ---- life ---- */

static void
free_path(gpointer data)
{
    path_t *path = data;

    if (path->held)
        g_array_free(path->held, TRUE);
    g_free(path);
}

void
esp_in_udp_end(void)
{
    g_queue_clear(&unknown_paths);
    g_clear_pointer(&paths, g_hash_table_destroy);
    g_clear_pointer(&known_sas, g_hash_table_destroy);
}

void
esp_in_udp_start(void)
{
    esp_in_udp_end();
    paths = g_hash_table_new_full(udp_path_hash, udp_path_equal, NULL, free_path);
    known_sas = g_hash_table_new_full(sa_hash, sa_equal, g_free, NULL);
}

static path_t *
path_of(const udp_path_t *key)
{
    path_t *path = g_hash_table_lookup(paths, key);

    if (path)
        return path;
    if (unknown_paths.length >= UDP_PATHS_MAX)
        g_hash_table_remove(paths, &((path_t *)g_queue_pop_head(&unknown_paths))->key);
    path = g_new0(path_t, 1);
    path->key = *key;
    g_queue_push_tail(&unknown_paths, path);
    path->place = unknown_paths.tail;
    g_hash_table_insert(paths, &path->key, path);
    return path;
}

/* ---- does it look like ESP? ---- */

/* OpenVPN's data packets have a constant first word and a counter too: 9 for P_DATA_V2, a key id, and a peer id, which servers give out
 * from 0 on. */
static bool
is_openvpn(const packet_t *packet)
{
    return (packet->bytes[0] & 0xf8) == 0x48 && packet->bytes[1] == 0;
}

static bool
has_esp_shape(const packet_t *packet)
{
    return packet->captured >= ESP_HEADER_LENGTH && packet->reported >= ESP_SHORTEST && packet->reported % ESP_ALIGNMENT == 0 &&
           wire_u32(packet->bytes) != 0 && !dtls_begins_datagram(packet->bytes, packet->captured, packet->reported);
}

static size_t
ciphertext_of(const packet_t *packet, uint8_t ret_ciphertext[COMPARED_BYTES])
{
    const size_t begin = ESP_HEADER_LENGTH + IV_LENGTH_MAX;
    const size_t length = packet->captured > begin ? MIN(packet->captured - begin, COMPARED_BYTES) : 0;

    if (length > 0)
        memcpy(ret_ciphertext, packet->bytes + begin, length);
    return length;
}

/* Of two ciphertexts half of the bits differ; three eighths is far from what two headers of the same kind have, and of what chance leaves. */
static bool
is_unlike(const candidate_t *candidate, const uint8_t *ciphertext, size_t length)
{
    const size_t compared = MIN(candidate->compared, length);
    unsigned differing = 0;

    for (size_t i = 0; i < compared; i++)
        for (unsigned bits = candidate->ciphertext[i] ^ ciphertext[i]; bits; bits &= bits - 1)
            differing++;
    return compared >= COMPARED_BYTES_MIN && differing >= compared * 3;
}

static candidate_t *
candidate_of(path_t *path, const sa_key_t *key)
{
    for (unsigned i = 0; i < MIN(path->candidates, SAS_PER_PATH); i++)
        if (path->candidate[i].spi == key->spi && path->candidate[i].from_low == key->from_low)
            return &path->candidate[i];
    candidate_t *candidate = &path->candidate[path->candidates++ % SAS_PER_PATH];
    *candidate = (candidate_t){ .from_low = key->from_low, .spi = key->spi };
    return candidate;
}

/* The next packet of the candidate: does it follow from the one before? */
static void
count_step(candidate_t *candidate, const packet_t *packet)
{
    uint8_t ciphertext[COMPARED_BYTES];
    const size_t length = ciphertext_of(packet, ciphertext);
    const uint32_t sequence = wire_u32(packet->bytes + SPI_LENGTH);

    candidate->steps += sequence == candidate->sequence + 1 && is_unlike(candidate, ciphertext, length);
    candidate->sequence = sequence;
    candidate->compared = length;
    memcpy(candidate->ciphertext, ciphertext, length);
}

static bool
is_proved(const path_t *path, const candidate_t *candidate)
{
    unsigned steps = 0;

    if (candidate->spi <= SPI_RESERVED_MAX)
        return candidate->steps >= STEPS_PROVE_RESERVED_SPI;
    if (candidate->steps < STEPS_PROVE_SA)
        return path->is_known && candidate->sequence >= 1 && candidate->sequence <= FIRST_SEQUENCES_MAX;
    for (unsigned i = 0; i < MIN(path->candidates, SAS_PER_PATH); i++)
        steps += path->candidate[i].spi > SPI_RESERVED_MAX ? path->candidate[i].steps : 0;
    return path->is_known || steps >= STEPS_PROVE_PATH;
}

/* ---- packets that wait ---- */

static void
hold(path_t *path, const packet_t *packet)
{
    held_t held = { .packet = *packet };

    held.packet.captured = MIN(packet->captured, BYTES_HELD);
    held.packet.is_excerpt = packet->captured == packet->reported;
    memcpy(held.bytes, packet->bytes, held.packet.captured);
    if (!path->held)
        path->held = g_array_new(FALSE, FALSE, sizeof(held_t));
    if (path->held->len >= PACKETS_HELD)
        g_array_remove_index(path->held, 0);
    g_array_append_val(path->held, held);
}

static bool
is_known_sa(const sa_key_t *key)
{
    return g_hash_table_contains(known_sas, key);
}

/* Hands on what is known to be ESP by now; the rest goes on waiting. */
static void
release(path_t *path, esp_in_udp_take_t take)
{
    unsigned kept = 0;

    for (unsigned i = 0; path->held && i < path->held->len; i++) {
        held_t *held = &g_array_index(path->held, held_t, i);
        held->packet.bytes = held->bytes;
        const sa_key_t key = sa_key_of(&held->packet);

        if (is_known_sa(&key))
            take(&held->packet);
        else
            g_array_index(path->held, held_t, kept++) = *held;
    }
    if (kept > 0)
        g_array_set_size(path->held, kept);
    else if (path->held)
        g_array_free(g_steal_pointer(&path->held), TRUE);
}

static void
learn_sa(const path_t *path, const candidate_t *candidate)
{
    sa_key_t *key = g_new(sa_key_t, 1);

    *key = (sa_key_t){ .path = path->key, .from_low = candidate->from_low, .spi = candidate->spi };
    g_hash_table_add(known_sas, key);
}

static void
learn_path(path_t *path)
{
    path->is_known = true;
    if (path->place)
        g_queue_delete_link(&unknown_paths, path->place);
    path->place = NULL;
    for (unsigned i = 0; i < MIN(path->candidates, SAS_PER_PATH); i++)
        if (is_proved(path, &path->candidate[i]) && g_hash_table_size(known_sas) < UDP_SAS_MAX)
            learn_sa(path, &path->candidate[i]);
}

/* ---- the question ---- */

bool
esp_in_udp_learn(const packet_t *packet, esp_in_udp_take_t take)
{
    if (!paths || !has_esp_shape(packet))
        return false;
    const sa_key_t key = sa_key_of(packet);
    if (is_known_sa(&key))
        return true;
    if (is_openvpn(packet) || g_hash_table_size(known_sas) >= UDP_SAS_MAX)
        return false;
    path_t *path = path_of(&key.path);
    candidate_t *candidate = candidate_of(path, &key);

    count_step(candidate, packet);
    if (!is_proved(path, candidate)) {
        hold(path, packet);
        return false;
    }
    learn_path(path);
    release(path, take);
    return is_known_sa(&key);
}

static bool
is_of_known_sa(const packet_t *packet)
{
    const sa_key_t key = sa_key_of(packet);

    return is_known_sa(&key);
}

bool
esp_in_udp_knows(const packet_t *packet)
{
    return paths && has_esp_shape(packet) && is_of_known_sa(packet);
}

bool
esp_in_udp_knows_quote(const packet_t *packet)
{
    return paths && packet->captured >= ESP_HEADER_LENGTH && is_of_known_sa(packet);
}

bool
esp_in_udp_has_path(const endpoint_t *source, const endpoint_t *destination)
{
    const udp_path_t key = udp_path_of(source, destination);
    const path_t *path = paths ? g_hash_table_lookup(paths, &key) : NULL;

    return path && path->is_known;
}
