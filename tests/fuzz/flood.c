/* flood.c - does a flood of packets cost linear time and bounded memory?
 *
 *     flood [--count PACKETS] [--report] [NAME...]
 *
 * Each flood is a stream of packets that an attacker, or a broken gateway, could send for ever. What the engine keeps of it is held
 * against its limits, and what is forgotten has to be said in the report. Prints the CPU time and, per process, the most memory used: run one flood at a time to see its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/parse/ike_message.h"
#include "engine/tunnel.h"
#include "present/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* What tunnels that are gone and those that are there have: as many of one as of the other, beyond 20,000. */
#define FINDINGS_HELD 300000u

#define ADDRESS_I 0xc0000201u
#define ADDRESS_R 0xc6336401u
#define SPI_I UINT64_C(0x1111111111111111)
#define SPI_R UINT64_C(0x2222222222222222)

enum { REQUEST = 0x08, RESPONSE = 0x20 };

typedef struct {
    engine_t *engine;
    frame_t frame;
    capture_point_t point; /* where the next packets are captured */
    capture_ns_t time;
    uint64_t random;
} flood_t;

/* xorshift64: the same numbers each time. */
static uint64_t
random_number(flood_t *flood)
{
    flood->random ^= flood->random << 13;
    flood->random ^= flood->random >> 7;
    flood->random ^= flood->random << 17;
    return flood->random;
}

static endpoint_t
ipv4(uint32_t address, uint16_t port)
{
    return (
        endpoint_t){ .family = ADDRESS_IPV4,
                     .address = { (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address },
                     .port = port };
}

static void
put(uint8_t *at, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *at++ = (uint8_t)(value >> 8 * bytes);
}

typedef struct {
    uint64_t spi_i, spi_r;
    uint8_t major, exchange, flags;
    uint32_t id;
    uint8_t next, inner; /* first payload; first payload inside it */
    uint32_t fragment;   /* SKF: number << 16 | total */
    uint32_t salt;       /* makes the bytes differ */
    unsigned body;       /* bytes after the first payload's header */
    endpoint_t from, to;
    duration_ns_t after;
} ike_t;

static void
send_ike(flood_t *flood, ike_t ike)
{
    uint8_t bytes[400] = { 0 };
    size_t length = 32u + ike.body;
    bool is_back = ike.major == 2 && (ike.flags & RESPONSE) != 0;

    put(bytes, ike.spi_i, 8);
    put(bytes + 8, ike.spi_r, 8);
    bytes[16] = ike.next;
    bytes[17] = (uint8_t)(ike.major << 4);
    bytes[18] = ike.exchange;
    bytes[19] = ike.flags;
    put(bytes + 20, ike.id, 4);
    put(bytes + 24, length, 4);
    bytes[28] = ike.inner;
    put(bytes + 30, 4u + ike.body, 2);
    put(bytes + 32, ike.fragment, 4);
    put(bytes + 36, ike.salt, 4);
    if (ike.from.family == ADDRESS_NONE)
        ike.from = is_back ? ipv4(ADDRESS_R, 500) : ipv4(ADDRESS_I, 500);
    if (ike.to.family == ADDRESS_NONE)
        ike.to = is_back ? ipv4(ADDRESS_I, 500) : ipv4(ADDRESS_R, 500);
    flood->time += ike.after;
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ike.from,
                        .destination = ike.to,
                        .encapsulation = ike.from.port == 500 ? ENCAPSULATION_NONE : ENCAPSULATION_UDP,
                        .point = flood->point,
                        .bytes = bytes,
                        .captured = length,
                        .reported = length };
    engine_packet(flood->engine, &packet);
}

static void
send_esp(flood_t *flood, endpoint_t from, endpoint_t to, uint32_t spi, uint32_t sequence)
{
    uint8_t bytes[80] = { 0 };

    put(bytes, spi, 4);
    put(bytes + 4, sequence, 4);
    flood->time += MILLISECONDS(10);
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = from,
                        .destination = to,
                        .encapsulation = from.port == 0 ? ENCAPSULATION_NONE : ENCAPSULATION_UDP,
                        .point = flood->point,
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };
    engine_packet(flood->engine, &packet);
}

/* A message of the IKE SA, encrypted. */
static ike_t
message(uint8_t exchange, uint8_t flags, uint32_t id, uint8_t inner, unsigned body)
{
    return (ike_t){ .spi_i = SPI_I,
                    .spi_r = SPI_R,
                    .major = 2,
                    .exchange = exchange,
                    .flags = flags,
                    .id = id,
                    .next = PAYLOAD_ENCRYPTED,
                    .inner = inner,
                    .salt = id,
                    .body = body,
                    .after = MILLISECONDS(300) };
}

static ike_t
init(uint64_t spi_i, uint32_t salt)
{
    return (ike_t){ .spi_i = spi_i,
                    .major = 2,
                    .exchange = IKEV2_SA_INIT,
                    .flags = REQUEST,
                    .next = PAYLOAD_NONCE,
                    .salt = salt,
                    .body = 32,
                    .after = MILLISECONDS(300) };
}

static void
init_answered(flood_t *flood, uint64_t spi_i)
{
    ike_t answer = init(spi_i, 1);

    send_ike(flood, init(spi_i, 0));
    answer.spi_r = SPI_R;
    answer.flags = RESPONSE;
    send_ike(flood, answer);
}

static void
authenticated(flood_t *flood, uint64_t spi_i)
{
    ike_t request = message(IKEV2_AUTH, REQUEST, 1, PAYLOAD_IDI, 240), answer = message(IKEV2_AUTH, RESPONSE, 1, PAYLOAD_IDR, 220);

    request.spi_i = answer.spi_i = spi_i;
    send_ike(flood, request);
    send_ike(flood, answer);
}

static void
established(flood_t *flood)
{
    init_answered(flood, SPI_I);
    authenticated(flood, SPI_I);
}

/* ---- the floods: each sends about one packet per turn ---- */

static void
cookies_of_one_pair(flood_t *flood, uint32_t turn)
{
    send_ike(flood, init(random_number(flood), turn));
}

static void
cookies_of_any_pair(flood_t *flood, uint32_t turn)
{
    ike_t ike = init(random_number(flood), turn);

    ike.from = ipv4((uint32_t)random_number(flood), 500);
    send_ike(flood, ike);
}

/* RFC 5685 5: each says that another gateway has sent it here. Which of so many tunnels was that? */
static void
redirections(flood_t *flood, uint32_t turn)
{
    ike_t ike = init(random_number(flood), turn);

    ike.next = PAYLOAD_NOTIFY;
    ike.fragment = NOTIFY_REDIRECTED_FROM; /* protocol 0, no SPI */
    ike.body = 8;
    ike.from = ipv4((uint32_t)random_number(flood), 500);
    send_ike(flood, ike);
}

static void
cookies_of_any_port(flood_t *flood, uint32_t turn)
{
    ike_t ike = init(random_number(flood), turn);

    ike.from = ipv4(ADDRESS_I, (uint16_t)(1024 + random_number(flood) % 60000));
    send_ike(flood, ike);
}

static void
one_cookie_of_any_responder(flood_t *flood, uint32_t turn)
{
    ike_t ike = message(IKEV2_INFORMATIONAL, REQUEST, turn % 5, PAYLOAD_NONE, 52);

    ike.spi_r = random_number(flood);
    send_ike(flood, ike);
}

static void
one_cookie_of_any_pair(flood_t *flood, uint32_t turn)
{
    ike_t ike = message(IKEV2_INFORMATIONAL, REQUEST, turn % 5, PAYLOAD_NONE, 52);

    ike.spi_r = random_number(flood);
    ike.from = ipv4((uint32_t)random_number(flood), 500);
    send_ike(flood, ike);
}

static void
ids_rising(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_INFORMATIONAL, REQUEST, turn, PAYLOAD_NONE, 52));
}

static void
ids_falling(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_INFORMATIONAL, REQUEST, UINT32_MAX - turn, PAYLOAD_NOTIFY, 52));
}

static void
ids_random(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_INFORMATIONAL, turn % 2 != 0 ? REQUEST : 0, (uint32_t)random_number(flood), PAYLOAD_NONE, 52));
}

static void
answers_without_requests(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_INFORMATIONAL, RESPONSE, turn, PAYLOAD_NONE, 52));
}

static void
one_request_again(flood_t *flood, uint32_t turn)
{
    (void)turn;
    send_ike(flood, message(IKEV2_INFORMATIONAL, REQUEST, 2, PAYLOAD_NONE, 52));
}

static void
liveness_answered(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_INFORMATIONAL, turn % 2 != 0 ? RESPONSE : REQUEST, 2 + turn / 2, PAYLOAD_NONE, 52));
}

static void
fragments(flood_t *flood, uint32_t turn)
{
    uint32_t total = 2 + turn % 80, number = 1 + (uint32_t)random_number(flood) % total;
    ike_t ike =
        message(IKEV2_AUTH, turn % 3 != 0 ? REQUEST : RESPONSE, turn % 7 != 0 ? turn : 1, number == 1 ? PAYLOAD_IDI : 0, 200);

    ike.next = PAYLOAD_FRAGMENT;
    ike.fragment = number << 16 | total;
    send_ike(flood, ike);
}

/* One message that never becomes whole. */
static void
fragments_of_one_exchange(flood_t *flood, uint32_t turn)
{
    uint32_t number = 1 + (turn == 0 ? 0 : (uint32_t)random_number(flood) % 0xffff);
    ike_t ike = message(IKEV2_AUTH, REQUEST, 1, number == 1 ? PAYLOAD_IDI : 0, 200);

    ike.next = PAYLOAD_FRAGMENT;
    ike.fragment = number << 16 | 0xffff;
    ike.salt = turn;
    ike.after = MILLISECONDS(1);
    send_ike(flood, ike);
}

static void
eap_rounds(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message(IKEV2_AUTH, turn % 2 != 0 ? RESPONSE : REQUEST, 1 + turn / 2, PAYLOAD_EAP, 84));
}

static void
init_restarts(flood_t *flood, uint32_t turn)
{
    send_ike(flood, init(SPI_I, turn));
}

static void
init_answers(flood_t *flood, uint32_t turn)
{
    ike_t ike = init(SPI_I, turn);

    if (turn > 0) {
        ike.spi_r = turn % 3 != 0 ? random_number(flood) : 0;
        ike.flags = RESPONSE;
    }
    send_ike(flood, ike);
}

static void
children_refused(flood_t *flood, uint32_t turn)
{
    bool is_answer = turn % 2 != 0;
    send_ike(flood, message(IKEV2_CREATE_CHILD_SA, is_answer ? RESPONSE : REQUEST, 2 + turn / 2,
                            is_answer ? PAYLOAD_NOTIFY : PAYLOAD_SA, is_answer ? 52 : 200));
}

static void
children_rekeyed(flood_t *flood, uint32_t turn)
{
    uint32_t round = turn / 4;

    if (turn % 4 == 0)
        send_ike(flood, message(IKEV2_CREATE_CHILD_SA, REQUEST, 2 + round, PAYLOAD_NOTIFY, 240));
    else if (turn % 4 == 1)
        send_ike(flood, message(IKEV2_CREATE_CHILD_SA, RESPONSE, 2 + round, PAYLOAD_SA, 200));
    else if (turn % 4 == 2)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10000 + round, 1);
    else
        send_esp(flood, ipv4(ADDRESS_R, 0), ipv4(ADDRESS_I, 0), 0x80000000u + round, 1);
}

/* Two children for each SPI, of one direction: pairs that wait for the rest of their SPIs become more and more. */
static void
children_half_used(flood_t *flood, uint32_t turn)
{
    uint32_t round = turn / 5, id = 2 + 2 * round + turn % 5 / 2;

    if (turn % 5 == 4)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), (uint32_t)random_number(flood), 1);
    else if (turn % 5 % 2 == 0)
        send_ike(flood, message(IKEV2_CREATE_CHILD_SA, REQUEST, id, PAYLOAD_SA, 240));
    else
        send_ike(flood, message(IKEV2_CREATE_CHILD_SA, RESPONSE, id, PAYLOAD_SA, 200));
}

static ike_t
message_v1(uint8_t exchange, uint32_t id, unsigned body)
{
    return (ike_t){ .spi_i = SPI_I,
                    .spi_r = SPI_R,
                    .major = 1,
                    .exchange = exchange,
                    .flags = 1,
                    .id = id,
                    .next = PAYLOAD_V1_HASH,
                    .salt = id,
                    .body = body,
                    .after = MILLISECONDS(300) };
}

static void
quick_modes(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message_v1(IKEV1_QUICK_MODE, (uint32_t)random_number(flood) | 1u, 160 + turn % 16));
}

static void
quick_modes_answered(flood_t *flood, uint32_t turn)
{
    ike_t ike = message_v1(IKEV1_QUICK_MODE, 1 + turn / 3, turn % 3 == 2 ? 28 : 160);

    ike.salt = turn;
    if (turn % 3 == 1) {
        ike.from = ipv4(ADDRESS_R, 500);
        ike.to = ipv4(ADDRESS_I, 500);
    }
    send_ike(flood, ike);
}

static void
notices(flood_t *flood, uint32_t turn)
{
    send_ike(flood, message_v1(IKEV1_INFORMATIONAL, (uint32_t)random_number(flood), 40 + turn % 48));
}

static void
spis_of_one_pair(flood_t *flood, uint32_t turn)
{
    (void)turn;
    send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), (uint32_t)random_number(flood), 1);
}

static void
spis_of_any_pair(flood_t *flood, uint32_t turn)
{
    (void)turn;
    send_esp(flood, ipv4((uint32_t)random_number(flood), 0), ipv4((uint32_t)random_number(flood), 0),
             (uint32_t)random_number(flood), 1);
}

/* Five packets each, both ways: tunnels that are no mere addresses. */
static void
tunnels_of_any_pair(flood_t *flood, uint32_t turn)
{
    uint32_t number = turn / 5, step = turn % 5;
    endpoint_t from = ipv4(0x0a000000u + number, 0), to = ipv4(ADDRESS_R, 0);

    if (step % 2 == 0)
        send_esp(flood, from, to, 0x10000 + number, 1 + step / 2);
    else
        send_esp(flood, to, from, 0x80000000u + number, 1 + step / 2);
}

static void
one_spi_of_any_pair(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4((uint32_t)random_number(flood), 0), ipv4((uint32_t)random_number(flood), 0), 0x1000, turn);
}

/* Each SPI twice, so that its numbers are followed. */
static void
spis_twice(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4(ADDRESS_I + turn / 1000, 0), ipv4(ADDRESS_R, 0), 0x10000 + turn / 2, 1 + 9 * (turn % 2));
}

static void
numbers_random(flood_t *flood, uint32_t turn)
{
    (void)turn;
    send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10001, (uint32_t)random_number(flood));
}

/* Every other number is missing, some are late, some come again. */
static void
numbers_in_disorder(flood_t *flood, uint32_t turn)
{
    uint32_t back = turn % 3 == 0 ? (uint32_t)(random_number(flood) % 6000) : 0;

    send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10001, 10000 + 2 * turn - back);
}

static void
esp_moves(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4((uint32_t)random_number(flood), 4500), ipv4(ADDRESS_R, 4500), 0x10001, turn);
}

static void
esp_port_moves(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4(ADDRESS_I, (uint16_t)(1024 + random_number(flood) % 60000)), ipv4(ADDRESS_R, 4500), 0x10001, turn);
}

/* Tunnels without IKE, each between a pair of ports, one SPI for all. */
static void
sdwan_paths(flood_t *flood, uint32_t turn)
{
    const uint64_t random = random_number(flood);

    send_esp(flood, ipv4(ADDRESS_I, (uint16_t)(1024 + random % 60000)), ipv4(ADDRESS_R, (uint16_t)(12346 + (random >> 20) % 100)),
             0x10001, turn);
}

/* A device that hops every 8 s, with 800 packets each time. */
static void
sdwan_hops(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4(ADDRESS_I, (uint16_t)(12346 + 20 * (turn / 800 % 5))), ipv4(ADDRESS_R, 12346), 0x10001, turn + 1);
}

/* New SPIs on new ports all the time, each but a second. */
static void
sdwan_spis(flood_t *flood, uint32_t turn)
{
    send_esp(flood, ipv4(ADDRESS_I, (uint16_t)(12346 + turn / 100 % 100)), ipv4(ADDRESS_R, 12346), 0x10001 + turn / 100,
             turn % 100 + 1);
}

static void
ike_moves(flood_t *flood, uint32_t turn)
{
    ike_t ike = message(IKEV2_INFORMATIONAL, REQUEST, 2 + turn, turn % 3 == 0 ? PAYLOAD_NONE : PAYLOAD_NOTIFY, 84);

    ike.from = ipv4((uint32_t)random_number(flood), 4500);
    send_ike(flood, ike);
}

static void
keepalives(flood_t *flood, uint32_t turn)
{
    static const uint8_t byte = 0xff;

    if (turn == 0)
        send_esp(flood, ipv4(ADDRESS_I, 4500), ipv4(ADDRESS_R, 4500), 0x10001, 1);
    flood->time += SECONDS(1);
    packet_t packet = { .kind = PACKET_NAT_KEEPALIVE,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ipv4(ADDRESS_I, (uint16_t)(1024 + turn % 60000)),
                        .destination = ipv4(ADDRESS_R, 4500),
                        .encapsulation = ENCAPSULATION_UDP,
                        .bytes = &byte,
                        .captured = 1,
                        .reported = 1 };
    engine_packet(flood->engine, &packet);
}

/* One SA after the other whose receiver has nobody on its port, and that is used all the same. */
static void
spis_unreachable(flood_t *flood, uint32_t turn)
{
    uint32_t spi = 0x10000 + turn / 8;
    uint8_t bytes[8] = { 0 };

    flood->time += MILLISECONDS(400);
    if (turn % 8 != 1) {
        send_esp(flood, ipv4(ADDRESS_I, 4500), ipv4(ADDRESS_R, 4500), spi, 1 + turn % 8);
        return;
    }
    put(bytes, spi, 4);
    packet_t packet = { .kind = PACKET_ICMP_ERROR,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ipv4(ADDRESS_I, 4500),
                        .destination = ipv4(ADDRESS_R, 4500),
                        .encapsulation = ENCAPSULATION_UDP,
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes),
                        .quoted = PACKET_ESP,
                        .reporter = ipv4(ADDRESS_R, 0),
                        .icmp_type = 3,
                        .icmp_code = 3 };
    engine_packet(flood->engine, &packet);
}

static void
icmp_errors(flood_t *flood, uint32_t turn)
{
    uint8_t bytes[8] = { 0 };

    if (turn == 0)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10001, 1);
    put(bytes, 0x10001 + turn % 3, 4);
    put(bytes + 4, turn, 4);
    flood->time += SECONDS(1);
    packet_t packet = { .kind = PACKET_ICMP_ERROR,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ipv4(ADDRESS_I, 0),
                        .destination = ipv4(ADDRESS_R, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes),
                        .quoted = PACKET_ESP,
                        .reporter = ipv4((uint32_t)random_number(flood), 0),
                        .icmp_type = 3,
                        .icmp_code = (uint8_t)(turn % 16),
                        .icmp_mtu = turn % 16 == 4 ? (uint32_t)random_number(flood) % 1500 : 0,
                        .ip_length = 1500 };
    engine_packet(flood->engine, &packet);
}

/* One router complains for ever, of first fragments whose rest never comes and of packets that are too large. */
static void
large_packets(flood_t *flood, uint32_t turn)
{
    uint8_t bytes[80] = { 0 };

    if (turn == 0)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10001, 1);
    put(bytes, 0x10001, 4);
    put(bytes + 4, turn, 4);
    flood->time += MILLISECONDS(300);
    packet_t packet = { .kind = turn % 3 == 0   ? PACKET_ESP
                                : turn % 3 == 1 ? PACKET_ESP_FRAGMENT
                                                : PACKET_ICMP_ERROR,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ipv4(ADDRESS_I, 0),
                        .destination = ipv4(ADDRESS_R, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = 1480,
                        .ip_length = 1500,
                        .quoted = PACKET_ESP,
                        .reporter = ipv4(0xcb007109, 0),
                        .icmp_type = 3,
                        .icmp_code = 4,
                        .icmp_mtu = 1400 };
    engine_packet(flood->engine, &packet);
}

static void
send_syslog(flood_t *flood, const char *format, uint32_t spi)
{
    char *line = g_strdup_printf(format, spi);
    packet_t packet = { .kind = PACKET_SYSLOG,
                        .frame = ++flood->frame,
                        .time = flood->time,
                        .source = ipv4(ADDRESS_R, 514),
                        .destination = ipv4(ADDRESS_I, 514),
                        .bytes = (const uint8_t *)line,
                        .captured = strlen(line),
                        .reported = strlen(line) };

    engine_packet(flood->engine, &packet);
    g_free(line);
}

/* Any SPI, and now and then one that is in use. */
static void
syslog_lines(flood_t *flood, uint32_t turn)
{
    flood->time += MILLISECONDS(300);
    if (turn % 5 == 0)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10001 + turn % 4000, 1000 + turn);
    else
        send_syslog(flood, "has invalid spi for destaddr=198.51.100.1, prot=50, spi=0x%x, srcaddr=192.0.2.1",
                    turn % 2 == 0 ? 0x10001 + turn % 4000 : (uint32_t)random_number(flood));
}

/* Up, asked in vain, given up, up again. */
static void
flaps(flood_t *flood, uint32_t turn)
{
    uint64_t spi_i = SPI_I + turn / 9;
    ike_t ike;

    switch (turn % 9) {
    case 0:
        init_answered(flood, spi_i);
        authenticated(flood, spi_i);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        ike = message(IKEV2_INFORMATIONAL, REQUEST, 2, PAYLOAD_NONE, 52);
        ike.spi_i = spi_i;
        ike.after = SECONDS(2);
        send_ike(flood, ike);
        break;
    default:
        break;
    }
}

static void
clear_errors(flood_t *flood, uint32_t turn)
{
    static const uint16_t errors[] = { 4, 7, 9, 11, 14, 24 };
    ike_t ike = { .spi_i = SPI_I,
                  .spi_r = SPI_R,
                  .major = 2,
                  .exchange = IKEV2_INFORMATIONAL,
                  .flags = turn % 2 != 0 ? RESPONSE : REQUEST,
                  .id = turn % 4,
                  .next = PAYLOAD_NOTIFY,
                  .fragment = errors[turn % 6],
                  .salt = turn,
                  .body = 8,
                  .after = MILLISECONDS(300) };

    if (turn == 0)
        established(flood);
    send_ike(flood, ike);
}

/* As many IKE SAs as are remembered, with as many exchanges as come together; then one that starts over and over. */
static void
restarts_among_many(flood_t *flood, uint32_t turn)
{
    if (turn < IKE_SAS_PER_TUNNEL_MAX) {
        send_ike(flood, init(SPI_I + turn, 0));
    } else if (turn % 2 == 0) {
        ike_t ike = message(IKEV2_INFORMATIONAL, REQUEST, 1 + turn, PAYLOAD_NONE, 52);
        ike.spi_i += random_number(flood) % IKE_SAS_PER_TUNNEL_MAX;
        send_ike(flood, ike);
    } else {
        send_ike(flood, init(SPI_I, turn));
    }
}

/* IKE_SA_INIT from a port of its own each, IKE_AUTH from the port of a tunnel that is there. */
static void
adoptions(flood_t *flood, uint32_t turn)
{
    ike_t ike = turn % 2 == 0 ? init(SPI_I + 1 + turn / 2, turn) : message(IKEV2_AUTH, REQUEST, 1, PAYLOAD_IDI, 240);

    if (turn == 0)
        send_esp(flood, ipv4(ADDRESS_I, 4500), ipv4(ADDRESS_R, 4500), 0x10001, 1);
    ike.spi_i = SPI_I + 1 + turn / 2;
    ike.from = ipv4(ADDRESS_I, turn % 2 == 0 ? (uint16_t)(1024 + turn / 2 % 60000) : 4500);
    ike.to = ipv4(ADDRESS_R, turn % 2 == 0 ? 500 : 4500);
    send_ike(flood, ike);
}

/* Copies at two places, at any place, and of few packets again and again. */
static void
points_of_esp(flood_t *flood, uint32_t turn)
{
    flood->point = (capture_point_t){ 1 + turn % 2, turn % 2 == 0 ? 64 : 61 };
    send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10000, turn / 2 - turn % 2 * (turn / 64));
}

static void
points_of_ike(flood_t *flood, uint32_t turn)
{
    ike_t ike = message(IKEV2_INFORMATIONAL, turn % 4 < 2 ? REQUEST : RESPONSE, turn / 4, PAYLOAD_NONE, 52);

    flood->point = (capture_point_t){ 1 + turn % 2, turn % 2 == 0 ? 64 : 61 };
    send_ike(flood, ike);
}

static void
points_anywhere(flood_t *flood, uint32_t turn)
{
    uint64_t random = random_number(flood);

    flood->point = (capture_point_t){ (uint32_t)(random % 1000), (uint8_t)(random >> 16) };
    if (turn % 2 == 0)
        send_esp(flood, ipv4(ADDRESS_I, 0), ipv4(ADDRESS_R, 0), 0x10000, (uint32_t)(random >> 32) % 1000);
    else
        send_ike(flood, message(IKEV2_INFORMATIONAL, REQUEST, (uint32_t)(random >> 32) % 100, PAYLOAD_NONE, 52));
    engine_interface_heard(flood->engine, flood->point.interface, flood->time);
}

typedef struct {
    const char *name;
    void (*send)(flood_t *flood, uint32_t turn);
    bool is_established; /* first */
} kind_t;

static const kind_t kinds[] = {
    { "cookies-of-one-pair", cookies_of_one_pair, false },
    { "cookies-of-any-pair", cookies_of_any_pair, false },
    { "redirections", redirections, false },
    { "cookies-of-any-port", cookies_of_any_port, false },
    { "one-cookie-of-any-responder", one_cookie_of_any_responder, false },
    { "one-cookie-of-any-pair", one_cookie_of_any_pair, false },
    { "ids-rising", ids_rising, true },
    { "ids-falling", ids_falling, true },
    { "ids-random", ids_random, true },
    { "answers-without-requests", answers_without_requests, true },
    { "one-request-again", one_request_again, true },
    { "liveness-answered", liveness_answered, true },
    { "fragments", fragments, false },
    { "fragments-of-one-exchange", fragments_of_one_exchange, false },
    { "eap-rounds", eap_rounds, false },
    { "init-restarts", init_restarts, false },
    { "init-answers", init_answers, false },
    { "children-refused", children_refused, true },
    { "children-rekeyed", children_rekeyed, true },
    { "children-half-used", children_half_used, true },
    { "quick-modes", quick_modes, false },
    { "quick-modes-answered", quick_modes_answered, false },
    { "notices", notices, false },
    { "spis-of-one-pair", spis_of_one_pair, false },
    { "spis-of-any-pair", spis_of_any_pair, false },
    { "tunnels-of-any-pair", tunnels_of_any_pair, false },
    { "one-spi-of-any-pair", one_spi_of_any_pair, false },
    { "spis-twice", spis_twice, false },
    { "numbers-random", numbers_random, false },
    { "numbers-in-disorder", numbers_in_disorder, false },
    { "esp-moves", esp_moves, false },
    { "esp-port-moves", esp_port_moves, false },
    { "sdwan-paths", sdwan_paths, false },
    { "sdwan-hops", sdwan_hops, false },
    { "sdwan-spis", sdwan_spis, false },
    { "ike-moves", ike_moves, true },
    { "keepalives", keepalives, false },
    { "spis-unreachable", spis_unreachable, false },
    { "icmp-errors", icmp_errors, false },
    { "syslog-lines", syslog_lines, false },
    { "large-packets", large_packets, false },
    { "flaps", flaps, false },
    { "clear-errors", clear_errors, false },
    { "adoptions", adoptions, false },
    { "points-of-esp", points_of_esp, false },
    { "points-of-ike", points_of_ike, true },
    { "points-anywhere", points_anywhere, true },
    { "restarts-among-many", restarts_among_many, false },
};

static int failed;
static bool is_shown; /* print the reports too */

static void
hold(bool is_held, const char *name, const char *what, uint64_t value)
{
    if (is_held)
        return;
    fprintf(stderr, "%s: %s is %" G_GUINT64_FORMAT "\n", name, what, value);
    failed = 1;
}

static void
hold_limits(const flood_t *flood, const char *name)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;
    unsigned kept = 0;

    engine_capture_row(flood->engine, &capture);
    for (uint32_t i = 0; i < engine_tunnel_count(flood->engine); i++) {
        tunnel_row_t row;
        kept += engine_tunnel_is_kept(flood->engine, i);
        engine_tunnel_row(flood->engine, i, &row);
        unsigned incidents = engine_incident_count(flood->engine, i);
        GArray *child_sas = engine_child_sas(flood->engine, i);
        hold(child_sas->len <= CHILD_SAS_PER_TUNNEL_MAX + ESP_SAS_PER_TUNNEL_MAX, name, "child SAs of a tunnel", child_sas->len);
        g_array_free(child_sas, TRUE);
        hold(incidents <= 3 * FINDINGS_PER_ID_MAX, name, "incidents of a tunnel", incidents);
    }
    unsigned findings = engine_findings(flood->engine)->len;
    hold(kept <= settings.max_tunnels, name, "tunnels kept", kept);
    hold(findings <= FINDINGS_HELD, name, "findings", findings);
    hold(capture.frames == flood->frame, name, "frames", capture.frames);
}

/* What is missing in the report is mentioned there. */
static void
hold_report(const flood_t *flood, const char *name)
{
    capture_row_t capture;
    GString *report = report_text(flood->engine);

    engine_capture_row(flood->engine, &capture);
    hold((strstr(report->str, "\n  Forgotten ") != NULL) == (capture.tunnels_evicted > 0), name,
         "tunnels forgotten, unlike the report,", capture.tunnels_evicted);
    hold((strstr(report->str, "\n  Left out ") != NULL) == (capture.findings_left_out > 0), name,
         "findings left out, unlike the report,", capture.findings_left_out);
    if (is_shown)
        fputs(report->str, stdout);
    g_string_free(report, TRUE);
}

static void
run(const kind_t *kind, uint32_t count)
{
    engine_settings_t settings = engine_default_settings();
    flood_t flood = {
        .engine = engine_new(&settings), .point = { 1, 64 }, .time = SECONDS(1700000000), .random = UINT64_C(0x9e3779b97f4a7c15)
    };
    struct rusage usage;

    clock_t begin = clock();
    if (kind->is_established)
        established(&flood);
    for (uint32_t turn = 0; turn < count; turn++)
        kind->send(&flood, turn);
    engine_finish(flood.engine);
    hold_limits(&flood, kind->name);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    unsigned findings = engine_findings(flood.engine)->len;
    hold_report(&flood, kind->name);
    engine_free(flood.engine);
    getrusage(RUSAGE_SELF, &usage);
    printf("%-28s %8u packets %8.2f s %6ld MB %7u findings\n", kind->name, flood.frame, seconds, usage.ru_maxrss / 1024, findings);
}

int
main(int argc, char **argv)
{
    uint32_t count = 20000;
    bool all = true;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) {
            count = (uint32_t)strtoul(argv[++i], NULL, 10);
            continue;
        }
        if (strcmp(argv[i], "--report") == 0) {
            is_shown = true;
            continue;
        }
        all = false;
        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
            if (strcmp(argv[i], kinds[k].name) == 0)
                run(&kinds[k], count);
        }
    }
    for (size_t k = 0; all && k < G_N_ELEMENTS(kinds); k++)
        run(&kinds[k], count);
    return failed;
}
