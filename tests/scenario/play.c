/* play.c - what passes the capture point, and when?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "play.h"

#include "bytes.h"
#include "message.h"

#include <stdio.h>
#include <string.h>

enum { NATT_PORT = 4500, ICMP_QUOTE_MAX = 64, DEFAULT_MTU = 1400 };

#define STORY_BEGINS (SECONDS(1700000000))
#define BACK_OFFSET (MILLISECONDS(1) / 3) /* in two-way bulk traffic the answer follows this soon */
#define QUIET_SPACING SECONDS(1)

/* Traffic that goes on while the ladder does. */
typedef struct {
    const step_t *step;
    unsigned step_index;
    unsigned from, to;
    capture_ns_t next;
    bool is_stopped;
} flow_t;

typedef struct {
    world_t world;
    const scenario_t *scenario;
    capture_ns_t now;
    GPtrArray *shots;
    GArray *flows; /* of flow_t */
    bool is_over_tcp;
} stage_t;

static void
shot_free(void *data)
{
    shot_t *shot = data;

    if (shot->bytes != NULL)
        g_byte_array_free(shot->bytes, TRUE);
    if (shot->decrypted != NULL)
        g_byte_array_free(shot->decrypted, TRUE);
    g_free(shot);
}

/* Where a packet of this peer really starts: behind its NAT, if it has one. */
static endpoint_t
inside_endpoint(const actor_t *actor, const endpoint_t *seen, encapsulation_t encapsulation)
{
    endpoint_t endpoint = *seen;

    if (actor->is_natted) {
        endpoint = actor->inside;
        if (encapsulation == ENCAPSULATION_TCP)
            endpoint.port = seen->port ^ 1; /* each connection has a port of its own */
        else
            endpoint.port = seen->port == 0 ? 0 : encapsulation == ENCAPSULATION_UDP ? NATT_PORT : 500;
    }
    return endpoint;
}

/* "203.0.113.9:500" in the address family of the story. */
static void
take_address(endpoint_t *endpoint, const char *text)
{
    unsigned a, b, c, d;

    if (sscanf(text, "%3u.%3u.%3u.%3u", &a, &b, &c, &d) == 4) {
        const uint8_t address[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

        memcpy(endpoint->address + (endpoint->family == ADDRESS_IPV6 ? 12 : 0), address, sizeof address);
    }
}

static shot_t *
stage_add(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to, packet_kind_t kind)
{
    const actor_t *sender = &stage->world.actor[from], *receiver = &stage->world.actor[to];
    shot_t *shot = g_new0(shot_t, 1);
    const actor_t *natted = receiver;

    shot->kind = kind;
    shot->hidden_by = step->hidden_by;
    shot->time = stage->now;
    shot->order = stage->shots->len;
    shot->step = step_index;
    shot->sender = from;
    shot->is_lost = step->is_lost;
    shot->towards_later = to > from;
    shot->towards_last = to + 1 == stage->world.actors;
    shot->source = sender->seen;
    shot->destination = receiver->seen;
    if (step->from_port != 0)
        shot->source.port = step->from_port;
    if (step->to_port != 0)
        shot->destination.port = step->to_port;
    if (step->to_address != NULL) {
        unsigned a, b, c, d;

        if (shot->destination.family == ADDRESS_IPV4 && sscanf(step->to_address, "%3u.%3u.%3u.%3u", &a, &b, &c, &d) == 4) {
            const uint8_t address[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

            memcpy(shot->destination.address, address, 4);
        }
    }
    if (step->from_address != NULL)
        take_address(&shot->source, step->from_address);
    bool is_natt = shot->source.port == NATT_PORT || shot->destination.port == NATT_PORT;
    shot->encapsulation = stage->is_over_tcp ? ENCAPSULATION_TCP : is_natt ? ENCAPSULATION_UDP : ENCAPSULATION_NONE;
    if (kind == PACKET_ESP) {
        if (step->encapsulation >= 0)
            shot->encapsulation = (encapsulation_t)step->encapsulation;
        shot->is_ah = step->is_ah;
        shot->is_around_esp = step->is_around_esp;
        if (shot->encapsulation == ENCAPSULATION_NONE)
            shot->source.port = shot->destination.port = 0;
    }
    shot->inside_source = step->from_address != NULL ? shot->source : inside_endpoint(sender, &shot->source, shot->encapsulation);
    shot->inside_destination = inside_endpoint(receiver, &shot->destination, shot->encapsulation);
    shot->is_natted = sender->is_natted || receiver->is_natted;
    shot->sent_from_inside = sender->is_natted;
    shot->dies_at_nat = natted->is_natted && (step->to_port != 0 || step->to_address != NULL);
    g_ptr_array_add(stage->shots, shot);
    return shot;
}

/* Of the IP packet that carries it in one piece. */
static size_t
ip_length(const shot_t *shot, size_t bytes)
{
    size_t header = shot->source.family == ADDRESS_IPV6 ? 40 : 20;

    if (shot->kind != PACKET_ESP && shot->encapsulation == ENCAPSULATION_NONE)
        header += 8;
    if (shot->encapsulation == ENCAPSULATION_UDP)
        header += shot->kind == PACKET_IKE ? 12 : 8;
    return header + bytes;
}

static uint32_t
next_sequence(stage_t *stage, const step_t *step, unsigned to)
{
    char *both = g_strdup_printf("%s/%s", step->child, step->counter != NULL ? step->counter : "");
    const char *name = g_string_chunk_insert_const(stage->world.names, both);

    g_free(both);
    return world_sequence(&stage->world, name, to, step->skip, step->sequence);
}

static void
send_esp(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    shot_t *shot = stage_add(stage, step, step_index, from, to, PACKET_ESP);
    unsigned size = step->size != 0 ? step->size : stage->scenario->esp_suite->esp_size;
    uint32_t spi = step->spi != 0 ? step->spi : world_child_spi(&stage->world, step->child, to);
    uint32_t sequence = step->is_old ? (uint32_t)step->sequence : next_sequence(stage, step, to);
    uint64_t seed = seed_from("esp", (uint64_t)spi << 32 | sequence);

    shot->bytes = g_byte_array_new();
    put_u32(shot->bytes, spi);
    put_u32(shot->bytes, sequence);
    put_random(shot->bytes, step->counter != NULL ? seed_from(step->counter, seed) : seed, size > 8 ? size - 8 : 0);
    if (step->fragments == FRAGMENTS_NONE && shot->encapsulation != ENCAPSULATION_TCP)
        shot->ip_length = ip_length(shot, size);
    if (step->fragments == FRAGMENTS_FIRST_ONLY)
        shot->kind = PACKET_ESP_FRAGMENT;
}

static void
send_keepalive(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    shot_t *shot = stage_add(stage, step, step_index, from, to, PACKET_NAT_KEEPALIVE);

    shot->bytes = g_byte_array_new();
    put_u8(shot->bytes, 0xff);
}

static void
send_bulk(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    if (step->act == ACT_ESP)
        send_esp(stage, step, step_index, from, to);
    else
        send_keepalive(stage, step, step_index, from, to);
}

static void
add_foreign_frame(stage_t *stage, unsigned step_index, capture_ns_t time)
{
    shot_t *shot = g_new0(shot_t, 1);

    shot->is_foreign = true;
    shot->time = time;
    shot->order = stage->shots->len;
    shot->step = step_index;
    g_ptr_array_add(stage->shots, shot);
}

/* Lets time pass up to `until`, with the traffic that goes on meanwhile. Packets are put in order at the end. */
static void
stage_pass(stage_t *stage, capture_ns_t until)
{
    for (unsigned i = 0; i < stage->flows->len; i++) {
        flow_t *flow = &g_array_index(stage->flows, flow_t, i);

        while (!flow->is_stopped && flow->next < until) {
            stage->now = flow->next;
            send_bulk(stage, flow->step, flow->step_index, flow->from, flow->to);
            flow->next += flow->step->every;
        }
    }
    stage->now = until;
}

static void
start_flow(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to, duration_ns_t offset)
{
    flow_t flow = { .step = step, .step_index = step_index, .from = from, .to = to, .next = stage->now + offset };

    g_array_append_val(stage->flows, flow);
}

static void
play_bulk(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    unsigned first_flow = stage->flows->len;

    if (step->every == 0) {
        send_bulk(stage, step, step_index, from, to);
        if (step->both)
            send_bulk(stage, step, step_index, to, from);
        return;
    }
    start_flow(stage, step, step_index, from, to, 0);
    if (step->both)
        start_flow(stage, step, step_index, to, from, BACK_OFFSET);
    if (step->lasting != 0) {
        stage_pass(stage, stage->now + step->lasting);
        for (unsigned i = first_flow; i < stage->flows->len; i++)
            g_array_index(stage->flows, flow_t, i).is_stopped = true;
    }
}

static void
play_stop(stage_t *stage, const step_t *step)
{
    for (unsigned i = 0; i < stage->flows->len; i++) {
        flow_t *flow = &g_array_index(stage->flows, flow_t, i);
        bool is_meant = step->from == NULL || step->both ||
                        (flow->from == world_actor(&stage->world, step->from) && flow->to == world_actor(&stage->world, step->to));

        if (step->child != NULL && (flow->step->child == NULL || !g_str_equal(flow->step->child, step->child)))
            is_meant = false;
        flow->is_stopped = flow->is_stopped || is_meant;
    }
}

static bool
play_message(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    shot_t *shot = stage_add(stage, step, step_index, from, to, PACKET_IKE);

    shot->label = step->label;
    shot->is_forged = step->is_forged;
    shot->bytes = message_build(&stage->world, step, from, to, &shot->decrypted);
    return shot->bytes != NULL;
}

static GByteArray *
bytes_copy(const GByteArray *bytes)
{
    GByteArray *copy = g_byte_array_new();

    put_bytes(copy, bytes);
    return copy;
}

/* The last message of `from` to `to`, or the one that was called `label`. */
static const shot_t *
find_message(const stage_t *stage, unsigned from, const char *label)
{
    for (unsigned i = stage->shots->len; i > 0; i--) {
        const shot_t *shot = g_ptr_array_index(stage->shots, i - 1);

        if (!shot->is_foreign && shot->kind == PACKET_IKE && shot->sender == from &&
            (label == NULL ? !shot->is_forged : (shot->label != NULL && g_str_equal(shot->label, label))))
            return shot;
    }
    return NULL;
}

static bool
play_again(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    const shot_t *first = find_message(stage, from, step->label);
    shot_t *shot;

    if (first == NULL) {
        fprintf(stderr, "%s:%u: nothing to send again\n", step->place.file, step->place.line);
        return false;
    }
    shot = stage_add(stage, step, step_index, from, to, PACKET_IKE);
    shot->bytes = bytes_copy(first->bytes);
    shot->decrypted = first->decrypted != NULL ? bytes_copy(first->decrypted) : NULL;
    return true;
}

/* An ICMP error towards `to`: quotes the last packet that `to` has sent. */
static bool
play_icmp(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    const shot_t *quoted = NULL;
    shot_t *shot;

    for (unsigned i = stage->shots->len; i > 0 && quoted == NULL; i--) {
        const shot_t *candidate = g_ptr_array_index(stage->shots, i - 1);

        if (!candidate->is_foreign && candidate->sender == to &&
            (candidate->kind == PACKET_IKE || candidate->kind == PACKET_ESP || candidate->kind == PACKET_NAT_KEEPALIVE))
            quoted = candidate;
    }
    if (quoted == NULL) {
        fprintf(stderr, "%s:%u: nothing to quote\n", step->place.file, step->place.line);
        return false;
    }
    shot = stage_add(stage, step, step_index, from, to, PACKET_ICMP_ERROR);
    shot->quoted = step->icmp_is_brief ? PACKET_IKE : quoted->kind; /* as seen: nothing tells what it was */
    shot->reporter = shot->source;
    shot->reporter.port = 0;
    if (step->reporter != NULL)
        take_address(&shot->reporter, step->reporter);
    shot->icmp_type = step->icmp_type;
    shot->icmp_code = step->icmp_code;
    if (shot->reporter.family == ADDRESS_IPV6) { /* RFC 4443 3.1, 3.2 */
        bool is_time = step->icmp_type == 11;
        shot->icmp_type = is_time ? 3 : step->icmp_code == 4 ? 2 : 1;
        shot->icmp_code = is_time                 ? step->icmp_code
                          : step->icmp_code == 3  ? 4
                          : step->icmp_code == 13 ? 1
                          : step->icmp_code == 1  ? 3
                                                  : 0;
    }
    if (step->icmp_type == 3 && step->icmp_code == 4)
        shot->icmp_mtu = step->icmp_mtu < 0 ? DEFAULT_MTU : (uint32_t)step->icmp_mtu;
    shot->ip_length = ip_length(quoted, quoted->bytes->len);
    shot->source = quoted->source;
    shot->destination = quoted->destination;
    shot->inside_source = quoted->inside_source;
    shot->inside_destination = quoted->inside_destination;
    shot->encapsulation = quoted->encapsulation;
    shot->bytes = g_byte_array_new();
    g_byte_array_append(shot->bytes, quoted->bytes->data, step->icmp_is_brief ? 0 : MIN(quoted->bytes->len, ICMP_QUOTE_MAX));
    return true;
}

/* A device's line about ESP of `from`. NULL: no such device. */
static char *
syslog_line(const char *form, const char *from, const char *to, uint32_t spi)
{
    if (g_str_equal(form, "cisco"))
        return g_strdup_printf(
            "<188>91: *Nov 14 22:13:20.123: %%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "
            "destaddr=%s, prot=50, spi=0x%X(%u), srcaddr=%s, input interface=GigabitEthernet0/0",
            to, spi, spi, from);
    if (g_str_equal(form, "asa"))
        return g_strdup_printf(
            "<164>Nov 14 2023 22:13:20: %%ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x%08X, sequence number= "
            "0x2D) from %s to %s with an invalid SPI.",
            spi, from, to);
    if (g_str_equal(form, "fortios"))
        return g_strdup_printf(
            "<187>date=2023-11-14 time=22:13:20 logid=\"0101037131\" type=\"event\" action=\"error\" remip=%s locip=%s "
            "remport=4500 locport=4500 error_num=\"Received ESP packet with unknown SPI.\" spi=\"%08x\" seq=\"0000002d\"",
            from, to, spi);
    if (g_str_equal(form, "linux"))
        return g_strdup_printf(
            "<5>1 2023-11-14T22:13:20Z gw kernel - - - audit: type=1415 audit(1700000000.123:7): op=SA-notfound src=%s "
            "dst=%s spi=%u(0x%x) seqno=45",
            from, to, spi, spi);
    if (g_str_equal(form, "replay")) /* another trouble */
        return g_strdup_printf(
            "<164>Nov 14 2023 22:13:20: %%ASA-4-402119: IPSEC: Received an ESP packet (SPI= 0x%08X, sequence number= "
            "0x2D) from %s (user= x) to %s that failed anti-replay checking.",
            spi, from, to);
    return NULL;
}

static bool
play_syslog(stage_t *stage, const step_t *step, unsigned step_index, unsigned from, unsigned to)
{
    static const uint8_t collector[4] = { 203, 0, 113, 200 };
    const actor_t *sender = &stage->world.actor[from], *receiver = &stage->world.actor[to];
    endpoint_t destination = endpoint_from_bytes(ADDRESS_IPV4, collector, 514);
    shot_t *shot = stage_add(stage, step, step_index, to, from, PACKET_SYSLOG);
    char source_text[ENDPOINT_TEXT_MAX], receiver_text[ENDPOINT_TEXT_MAX];
    char *line =
        syslog_line(step->form, endpoint_address_text(&sender->seen, source_text),
                    endpoint_address_text(&receiver->inside, receiver_text), world_child_spi(&stage->world, step->child, to));

    if (line == NULL) {
        fprintf(stderr, "%s:%u: nobody writes lines like `%s'\n", step->place.file, step->place.line, step->form);
        return false;
    }
    shot->source.port = 514;
    shot->destination = shot->source.family == ADDRESS_IPV6 ? endpoint_as_ipv6(&destination) : destination;
    if (step->reporter != NULL)
        take_address(&shot->source, step->reporter);
    shot->inside_source = shot->source;
    shot->inside_destination = shot->destination;
    shot->encapsulation = ENCAPSULATION_NONE;
    shot->is_natted = shot->dies_at_nat = false;
    shot->bytes = g_byte_array_new();
    g_byte_array_append(shot->bytes, (const guint8 *)line, (guint)strlen(line));
    g_free(line);
    return true;
}

static void
play_endpoint(stage_t *stage, const step_t *step)
{
    actor_t *actor = &stage->world.actor[world_actor(&stage->world, step->from)];
    endpoint_t endpoint = step->endpoint;
    uint16_t port = endpoint.port != 0 ? endpoint.port : actor->seen.port;

    if (endpoint.family != ADDRESS_NONE)
        actor->seen = actor->seen.family == ADDRESS_IPV6 ? endpoint_as_ipv6(&endpoint) : endpoint;
    actor->seen.port = port;
    if (!actor->is_natted)
        actor->inside = actor->seen;
}

static void
play_quiet(stage_t *stage, const step_t *step, unsigned step_index)
{
    capture_ns_t until = stage->now + step->lasting;

    for (capture_ns_t time = stage->now + QUIET_SPACING; time <= until; time += QUIET_SPACING)
        add_foreign_frame(stage, step_index, time);
    stage_pass(stage, until);
}

static bool
play_step(stage_t *stage, const step_t *step, unsigned step_index)
{
    unsigned from = step->from != NULL ? world_actor(&stage->world, step->from) : 0;
    unsigned to = step->to != NULL ? world_actor(&stage->world, step->to) : 0;

    stage_pass(stage, stage->now + step->wait);
    switch (step->act) {
    case ACT_MESSAGE:
        return play_message(stage, step, step_index, from, to);
    case ACT_AGAIN:
        return play_again(stage, step, step_index, from, to);
    case ACT_ESP:
    case ACT_KEEPALIVE:
        play_bulk(stage, step, step_index, from, to);
        break;
    case ACT_ICMP:
        return play_icmp(stage, step, step_index, from, to);
    case ACT_SYSLOG:
        return play_syslog(stage, step, step_index, from, to);
    case ACT_STOP:
        play_stop(stage, step);
        break;
    case ACT_ENDPOINT:
        play_endpoint(stage, step);
        break;
    case ACT_TCP:
        stage->is_over_tcp = true;
        break;
    case ACT_UDP:
        stage->is_over_tcp = false;
        break;
    case ACT_QUIET:
        play_quiet(stage, step, step_index);
        break;
    }
    return true;
}

static int
compare_shots(const void *left, const void *right)
{
    const shot_t *a = *(const shot_t *const *)left, *b = *(const shot_t *const *)right;

    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

GPtrArray *
play(const scenario_t *scenario, const play_options_t *options)
{
    stage_t stage = { .scenario = scenario, .now = STORY_BEGINS, .shots = g_ptr_array_new_with_free_func(shot_free) };
    bool ok = true;

    world_init(&stage.world, scenario, options->force_nat, options->ipv6);
    stage.flows = g_array_new(FALSE, TRUE, sizeof(flow_t));
    for (unsigned i = 0; ok && i < scenario->steps->len; i++)
        ok = play_step(&stage, &g_array_index(scenario->steps, step_t, i), i);
    world_clear(&stage.world);
    g_array_free(stage.flows, TRUE);
    if (!ok) {
        g_ptr_array_free(stage.shots, TRUE);
        return NULL;
    }
    g_ptr_array_sort(stage.shots, compare_shots);
    return stage.shots;
}
