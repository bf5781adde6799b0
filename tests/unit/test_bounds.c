/* test_bounds.c - does a flood of addresses, cookies or SPIs stay within the engine's limits?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static endpoint_t
ipv4(uint32_t address, uint16_t port)
{
    return (
        endpoint_t){ .family = ADDRESS_IPV4,
                     .address = { (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address },
                     .port = port };
}

static void
put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void
feed_esp(engine_t *engine, frame_t frame, uint32_t from, uint32_t spi)
{
    uint8_t bytes[60] = { 0 };
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = frame,
                        .time = SECONDS(1000) + MILLISECONDS(10) * (capture_ns_t)frame,
                        .source = ipv4(from, 0),
                        .destination = ipv4(0xc6336401, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, spi);
    put_u32(bytes + 4, 1);
    engine_packet(engine, &packet);
}

/* Without IKE, from this port to 12346. */
static void
feed_sdwan(engine_t *engine, frame_t frame, uint16_t port, uint32_t spi, uint32_t sequence)
{
    uint8_t bytes[60] = { 0 };
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = frame,
                        .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                        .source = ipv4(0xc0000201, port),
                        .destination = ipv4(0xc6336401, 12346),
                        .encapsulation = ENCAPSULATION_UDP,
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, spi);
    put_u32(bytes + 4, sequence);
    engine_packet(engine, &packet);
}

static uint32_t
tunnel_of_sdwan(const engine_t *engine, frame_t frame, uint16_t port, uint32_t spi)
{
    endpoint_t source = ipv4(0xc0000201, port), destination = ipv4(0xc6336401, 12346);
    frame_note_t note;

    return engine_note_esp(engine, frame, &source, &destination, spi, &note) ? note.tunnel : INDEX_NONE;
}

static void
feed_esp_number(engine_t *engine, frame_t frame, uint32_t spi, uint32_t number)
{
    uint8_t bytes[60] = { 0 };
    packet_t packet = { .kind = PACKET_ESP,
                        .frame = frame,
                        .time = SECONDS(1000) + MILLISECONDS(10) * (capture_ns_t)frame,
                        .source = ipv4(0xc0000201, 0),
                        .destination = ipv4(0xc6336401, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, spi);
    put_u32(bytes + 4, number);
    put_u32(bytes + 8, number * 2654435761u);
    engine_packet(engine, &packet);
}

static void
feed_init(engine_t *engine, frame_t frame, uint32_t cookie)
{
    uint8_t bytes[36] = { 0 };
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = frame,
                        .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                        .source = ipv4(0xc0000201, 500),
                        .destination = ipv4(0xc6336401, 500),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    put_u32(bytes, cookie);
    bytes[16] = 40; /* Nonce first */
    bytes[17] = 0x20;
    bytes[18] = 34; /* IKE_SA_INIT */
    bytes[19] = 0x08;
    put_u32(bytes + 24, sizeof(bytes));
    bytes[31] = 8;
    engine_packet(engine, &packet);
}

typedef struct {
    uint64_t spi_i, spi_r;
    uint8_t exchange, flags;
    uint32_t id;
    uint8_t next, inner;
    uint32_t from; /* 0: 192.0.2.1 */
    uint16_t from_port;
    unsigned length;
} ike_t;

/* From 192.0.2.1 to 198.51.100.1, or back if it is a response. The payload is empty but for its header. */
static void
feed_ike(engine_t *engine, frame_t frame, ike_t ike)
{
    uint8_t bytes[256] = { 0 };
    bool is_back = (ike.flags & 0x20) != 0;
    endpoint_t initiator = ipv4(ike.from != 0 ? ike.from : 0xc0000201, ike.from_port),
               responder = ipv4(0xc6336401, ike.from_port == 500 ? 500 : 4500);
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = frame,
                        .time = SECONDS(1000) + MILLISECONDS(300) * (capture_ns_t)frame,
                        .source = is_back ? responder : initiator,
                        .destination = is_back ? initiator : responder,
                        .encapsulation = ike.from_port == 500 ? ENCAPSULATION_NONE : ENCAPSULATION_UDP,
                        .bytes = bytes,
                        .captured = ike.length,
                        .reported = ike.length };

    put_u32(bytes, (uint32_t)(ike.spi_i >> 32));
    put_u32(bytes + 4, (uint32_t)ike.spi_i);
    put_u32(bytes + 8, (uint32_t)(ike.spi_r >> 32));
    put_u32(bytes + 12, (uint32_t)ike.spi_r);
    bytes[16] = ike.next;
    bytes[17] = 0x20;
    bytes[18] = ike.exchange;
    bytes[19] = ike.flags;
    put_u32(bytes + 20, ike.id);
    put_u32(bytes + 24, ike.length);
    bytes[28] = ike.inner;
    bytes[30] = (uint8_t)((ike.length - 28) >> 8);
    bytes[31] = (uint8_t)(ike.length - 28);
    engine_packet(engine, &packet);
}

static ike_t
informational(uint64_t spi_i, uint8_t flags, uint32_t id)
{
    return (ike_t){ .spi_i = spi_i,
                    .spi_r = 2,
                    .exchange = IKEV2_INFORMATIONAL,
                    .flags = flags,
                    .id = id,
                    .next = PAYLOAD_ENCRYPTED,
                    .from_port = 500,
                    .length = 80 };
}

static void
addresses_beyond_the_limit_evict_the_oldest(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    settings.max_tunnels = 8;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 100; i++)
        feed_esp(engine, i, 0xc0000200 + i, 0x10000 + i);
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_in_range(engine_tunnels_kept(engine), 1, 8);
    assert_int_equal(capture.tunnels_evicted, engine_tunnel_count(engine) - engine_tunnels_kept(engine));
    assert_false(engine_tunnel_is_kept(engine, 0));
    assert_true(engine_tunnel_is_kept(engine, 99));
    engine_free(engine);
}

/* The flood goes, the tunnels that were there before it stay. */
static void
a_flood_of_addresses_evicts_no_tunnel_that_carries_more(void **state)
{
    const uint32_t real = 20, flood = 40000;
    engine_settings_t settings = engine_default_settings();
    frame_t frame = 0;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 0; i < 4 * real; i++)
        feed_esp(engine, ++frame, 0xc0000200 + i % real, 0x10000 + i % real);
    for (uint32_t i = 0; i < flood; i++)
        feed_esp(engine, ++frame, 0x0a000000 + i, 0x20000 + i);
    engine_finish(engine);
    assert_in_range(engine_tunnels_kept(engine), 10000, 21000);
    for (uint32_t i = 0; i < real; i++)
        assert_true(engine_tunnel_is_kept(engine, i));
    assert_false(engine_tunnel_is_kept(engine, real));
    assert_true(engine_tunnel_is_kept(engine, real + flood - 1));
    engine_free(engine);
}

/* The capture of a busy gateway begins with one packet of each tunnel, then the next of each. */
static void
a_busy_gateway_is_no_flood(void **state)
{
    const uint32_t real = 30000;
    engine_settings_t settings = engine_default_settings();
    frame_t frame = 0;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < real; i++)
            feed_esp(engine, ++frame, 0x0a000000 + i, 0x20000 + i);
    }
    engine_finish(engine);
    assert_int_equal(engine_tunnels_kept(engine), real);
    engine_free(engine);
}

static void
a_port_hop_gives_its_number_back_and_keeps_its_frames(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (frame_t i = 1; i <= 20; i++)
        feed_sdwan(engine, i, 12346, 0x10001, i);
    for (frame_t i = 21; i <= 40; i++)
        feed_sdwan(engine, i, 12366, 0x10001, i);
    assert_int_equal(engine_tunnel_count(engine), 1);
    feed_sdwan(engine, 41, 12369, 0x20001, 1); /* another one, on another offset */
    engine_finish(engine);
    assert_int_equal(engine_tunnel_count(engine), 2);
    engine_tunnel_row(engine, 0, &row);
    assert_int_equal(row.peer[PEER_A].esp_packets, 40);
    assert_int_equal(row.port_flips, 1);
    assert_int_equal(tunnel_of_sdwan(engine, 5, 12346, 0x10001), 0);
    assert_int_equal(tunnel_of_sdwan(engine, 22, 12366, 0x10001), 0);
    assert_int_equal(tunnel_of_sdwan(engine, 41, 12369, 0x20001), 1);
    engine_free(engine);
}

static void
hops_beyond_the_limit_stay_one_tunnel(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (frame_t i = 1; i <= 20 * 200; i++)
        feed_sdwan(engine, i, (uint16_t)(12346 + 20 * (i / 20 % 5)), 0x10001, i);
    engine_finish(engine);
    engine_tunnel_row(engine, 0, &row);
    assert_int_equal(engine_tunnel_count(engine), 1);
    assert_int_equal(row.peer[PEER_A].esp_packets, 20 * 200);
    engine_free(engine);
}

static void
packets_that_were_held_back_count_no_frame_again(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (frame_t i = 1; i <= 10; i++)
        engine_frame(engine, i, SECONDS(1000) + SECONDS(1) * (capture_ns_t)i);
    for (frame_t i = 3; i <= 10; i++)
        feed_sdwan(engine, i, 12346, 0x10001, i);
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_int_equal(capture.frames, 10);
    assert_int_equal(capture.last_frame, 10);
    assert_int_equal(capture.esp_packets, 8);
    engine_free(engine);
}

static void
spis_beyond_the_limit_stay_one_tunnel_and_every_packet_counts(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 3 * ESP_SAS_PER_TUNNEL_MAX; i++)
        feed_esp(engine, i, 0xc0000201, 0x10000 + i);
    engine_finish(engine);
    assert_int_equal(engine_tunnel_count(engine), 1);
    engine_tunnel_row(engine, 0, &row);
    assert_int_equal(row.peer[PEER_A].esp_packets, 3 * ESP_SAS_PER_TUNNEL_MAX);
    assert_int_equal(row.child_sas, 3 * ESP_SAS_PER_TUNNEL_MAX); /* so the table says that there were more than it lists */
    engine_free(engine);
}

/* What is kept of sequence numbers has a budget; what was forgotten gives its part back. */
static void
sequence_numbers_share_a_budget(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;
    frame_t frame = 0;

    (void)state;
    engine_t *engine = engine_new(&settings);
    engine->sequence_budget.bytes_left = 20000;
    for (uint32_t spi = 1; spi <= 1000; spi++) {
        for (uint32_t number = 1; number <= 20; number++)
            feed_esp_number(engine, ++frame, 0x10000 + spi, number * 3);
    }
    assert_in_range(engine->sequence_budget.bytes_left, 0, 1000);
    engine_finish(engine);
    engine_tunnel_row(engine, 0, &row);
    assert_int_equal(row.peer[PEER_A].esp_packets, 20000);
    tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, 0);
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        sequence_free(sa->sequence);
        sa->sequence = NULL;
    }
    assert_int_equal(engine->sequence_budget.bytes_left, 20000);
    engine_free(engine);
}

static void
findings_beyond_the_limit_are_counted(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= FINDINGS_PER_ID_MAX + IKE_SAS_PER_TUNNEL_MAX + 100; i++)
        feed_init(engine, i, i);
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_true(capture.findings_left_out > 0);
    unsigned unanswered = 0;
    for (unsigned i = 0; i < engine_findings(engine)->len; i++)
        unanswered += ((const finding_t *)g_ptr_array_index(engine_findings(engine), i))->id == FINDING_ike_no_response;
    assert_int_equal(unanswered, FINDINGS_PER_ID_MAX);
    engine_free(engine);
}

/* RFC 7296 2.3: windows are small. Message IDs that fall leave each request waiting. */
static void
requests_that_wait_are_limited(void **state)
{
    engine_settings_t settings = engine_default_settings();

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 4 * WAITING_MAX; i++)
        feed_ike(engine, i, informational(1, 0x08, 0x10000 - i));
    const tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, 0);
    assert_in_range(tunnel->waiting->len, 1, WAITING_MAX);
    engine_free(engine);
}

static void
exchanges_of_a_tunnel_are_limited(void **state)
{
    engine_settings_t settings = engine_default_settings();
    unsigned kept = 0;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 2 * EXCHANGES_PER_TUNNEL_MAX; i++)
        feed_ike(engine, i, informational(1 + i % 100, 0x08, i));
    const tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, 0);
    for (unsigned i = 0; i < tunnel->ike_sas->len; i++)
        kept += ((const ike_sa_t *)g_ptr_array_index(tunnel->ike_sas, i))->exchanges->len;
    assert_int_equal(tunnel->exchanges, kept);
    assert_in_range(kept, EXCHANGES_PER_TUNNEL_MAX / 2, EXCHANGES_PER_TUNNEL_MAX);
    engine_free(engine);
}

static void
round_trips_are_limited(void **state)
{
    engine_settings_t settings = engine_default_settings();
    tunnel_row_t row;

    (void)state;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 2 * DPD_RTTS_KEPT; i++) {
        feed_ike(engine, 2 * i, informational(1, 0x08, i));
        feed_ike(engine, 2 * i + 1, informational(1, 0x20, i));
    }
    const tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, 0);
    assert_int_equal(tunnel->dpd_rtts->len, DPD_RTTS_KEPT);
    engine_finish(engine);
    engine_tunnel_row(engine, 0, &row);
    assert_true(row.dpd_median_rtt > 0.29 && row.dpd_median_rtt < 0.31);
    engine_free(engine);
}

/* Each tunnel has a finding (it is older than the capture). They come and go. */
static void
findings_of_evicted_tunnels_are_limited(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;

    (void)state;
    settings.max_tunnels = 64;
    engine_t *engine = engine_new(&settings);
    for (uint32_t i = 1; i <= 60000; i++) {
        ike_t ike = informational(i, 0x08, 5);
        ike.from = 0x0a000000 + i;
        feed_ike(engine, i, ike);
    }
    engine_finish(engine);
    engine_capture_row(engine, &capture);
    assert_in_range(engine_findings(engine)->len, 1, 25000);
    assert_true(capture.tunnels_evicted > 50000);
    assert_true(capture.findings_left_out + engine_findings(engine)->len >= capture.tunnels_evicted);
    engine_free(engine);
}

/* A client that goes on from the port of a tunnel which is there was no other client: the number of its tunnel is given back, and no
 * frame may go on to name it. */
static void
frames_follow_an_ike_sa_to_its_tunnel(void **state)
{
    engine_settings_t settings = engine_default_settings();
    ike_t init = { .spi_i = 7, .exchange = IKEV2_SA_INIT, .flags = 0x08, .next = PAYLOAD_NONCE, .from_port = 500, .length = 80 };
    ike_t auth = { .spi_i = 7,
                   .spi_r = 9,
                   .exchange = IKEV2_AUTH,
                   .flags = 0x08,
                   .id = 1,
                   .next = PAYLOAD_ENCRYPTED,
                   .from_port = 1409,
                   .length = 240 };

    (void)state;
    engine_t *engine = engine_new(&settings);
    ike_t other = informational(1, 0x08, 5);
    other.from_port = 1409;
    feed_ike(engine, 1, other);
    other.flags = 0x20;
    feed_ike(engine, 2, other);
    init.from_port = 1410;
    feed_ike(engine, 3, init);
    assert_int_equal(engine_note(engine, 3)->tunnel, 1);
    feed_ike(engine, 4, auth);
    assert_int_equal(engine_tunnel_count(engine), 1);
    assert_int_equal(engine_note(engine, 4)->tunnel, 0);
    assert_int_equal(engine_note(engine, 3)->tunnel, 0);
    assert_int_equal(engine_note(engine, 3)->ike_sa, engine_note(engine, 4)->ike_sa);
    engine_free(engine);
}

/* RFC 7296 2.5: another major version; and what is too short for a header. Each is noted, and is no tunnel. */
static void
what_is_no_ike_is_noted(void **state)
{
    engine_settings_t settings = engine_default_settings();
    capture_row_t capture;
    uint8_t bytes[28] = { 0 };
    packet_t packet = { .kind = PACKET_IKE,
                        .frame = 1,
                        .time = SECONDS(1000),
                        .source = ipv4(0xc0000201, 500),
                        .destination = ipv4(0xc6336401, 500),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes) };

    (void)state;
    engine_t *engine = engine_new(&settings);
    bytes[17] = 0x30;
    assert_non_null(engine_packet(engine, &packet));
    assert_true(engine_note(engine, 1)->is_malformed);
    packet.frame = 2;
    packet.captured = packet.reported = 20;
    assert_true(engine_packet(engine, &packet)->is_malformed);
    packet.frame = 3; /* cut by the capture: nobody knows */
    packet.reported = sizeof(bytes);
    assert_null(engine_packet(engine, &packet));
    engine_capture_row(engine, &capture);
    assert_int_equal(capture.malformed, 2);
    assert_int_equal(engine_tunnel_count(engine), 0);
    engine_free(engine);
}

static void
feed_syslog(engine_t *engine, frame_t frame, uint32_t spi)
{
    char *line = g_strdup_printf("has invalid spi for destaddr=198.51.100.1, prot=50, spi=0x%x, srcaddr=192.0.2.1", spi);
    packet_t packet = { .kind = PACKET_SYSLOG,
                        .frame = frame,
                        .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                        .source = ipv4(0xc6336401, 514),
                        .destination = ipv4(0xcb007101, 514),
                        .bytes = (const uint8_t *)line,
                        .captured = strlen(line),
                        .reported = strlen(line) };

    engine_packet(engine, &packet);
    g_free(line);
}

static void
log_lines_about_unknown_spis_are_limited(void **state)
{
    const engine_settings_t settings = engine_default_settings();
    enum { LINES = 1000, TOLD = 256 };
    engine_t *engine = engine_new(&settings);
    capture_row_t capture;

    (void)state;
    for (frame_t frame = 1; frame <= LINES; frame++)
        feed_syslog(engine, frame, 0x10000 + frame);
    feed_syslog(engine, LINES + 1, 0x10001); /* told before: counted there */
    engine_finish(engine);
    assert_int_equal(engine_findings(engine)->len, TOLD);
    const finding_t *first = g_ptr_array_index(engine_findings(engine), 0);
    assert_int_equal(first->tunnel, INDEX_NONE);
    assert_int_equal(first->times, 2);
    assert_non_null(strstr(first->text, "2 lines in all"));
    engine_capture_row(engine, &capture);
    assert_int_equal(capture.syslog_lines, LINES + 1);
    assert_int_equal(capture.findings_left_out, LINES - TOLD);
    assert_int_equal(engine_tunnel_count(engine), 0);
    feed_syslog(engine, LINES + 2, 0x10001); /* the capture goes on: what the end said is taken back */
    assert_null(strstr(first->text, "in all"));
    engine_finish(engine);
    assert_non_null(strstr(first->text, "3 lines in all"));
    engine_free(engine);
}

static unsigned
findings_of(engine_t *engine, finding_id_t id, uint64_t *ret_times)
{
    const GPtrArray *findings = engine_findings(engine);
    unsigned count = 0;

    *ret_times = 0;
    for (unsigned i = 0; i < findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(findings, i);
        count += finding->id == id;
        *ret_times += finding->id == id ? finding->times : 0;
    }
    return count;
}

static void
feed_icmp(engine_t *engine, frame_t frame, uint32_t reporter)
{
    uint8_t bytes[60] = { 0 };
    packet_t packet = { .kind = PACKET_ICMP_ERROR,
                        .frame = frame,
                        .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                        .source = ipv4(0xc0000201, 0),
                        .destination = ipv4(0xc6336401, 0),
                        .bytes = bytes,
                        .captured = sizeof(bytes),
                        .reported = sizeof(bytes),
                        .ip_length = 80,
                        .quoted = PACKET_ESP,
                        .reporter = ipv4(reporter, 0),
                        .icmp_type = 3,
                        .icmp_code = 1 };

    put_u32(bytes, 0xc0de0001);
    put_u32(bytes + 4, frame);
    engine_packet(engine, &packet);
}

/* Anybody can make up reporters: the first ones are told, and each but once. */
static void
icmp_errors_are_limited(void **state)
{
    engine_settings_t settings = engine_default_settings();
    engine_t *engine = engine_new(&settings);
    uint64_t times;

    (void)state;
    feed_esp(engine, 1, 0xc0000201, 0xc0de0001);
    for (frame_t frame = 2; frame < 3002; frame++)
        feed_icmp(engine, frame, 0xcb007100 + frame % 1000);
    assert_int_equal(findings_of(engine, FINDING_icmp_unreachable, &times), ICMP_REPORTS_MAX);
    assert_int_equal(times, ICMP_REPORTS_MAX * 3);
    capture_row_t capture;
    engine_capture_row(engine, &capture);
    assert_int_equal(capture.icmp_errors, 3000);
    assert_int_equal(engine_tunnel_count(engine), 1);
    engine_free(engine);
}

static void
lost_fragments_are_one_finding(void **state)
{
    engine_settings_t settings = engine_default_settings();
    engine_t *engine = engine_new(&settings);
    uint8_t bytes[60] = { 0 };
    uint64_t times;

    (void)state;
    feed_esp(engine, 1, 0xc0000201, 0xc0de0001);
    put_u32(bytes, 0xc0de0001);
    for (frame_t frame = 2; frame < 5002; frame++) {
        packet_t packet = { .kind = frame % 2 == 0 ? PACKET_ESP_FRAGMENT : PACKET_ESP,
                            .frame = frame,
                            .time = SECONDS(1000) + SECONDS(1) * (capture_ns_t)frame,
                            .source = ipv4(0xc0000201, 0),
                            .destination = ipv4(0xc6336401, 0),
                            .ip_length = 80,
                            .bytes = bytes,
                            .captured = sizeof(bytes),
                            .reported = sizeof(bytes) };
        put_u32(bytes + 4, frame);
        engine_packet(engine, &packet);
    }
    assert_int_equal(findings_of(engine, FINDING_mtu_blackhole, &times), 1);
    assert_in_range(times, 2490, 2500);
    engine_free(engine);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_beyond_the_limit_evict_the_oldest),
        cmocka_unit_test(a_flood_of_addresses_evicts_no_tunnel_that_carries_more),
        cmocka_unit_test(a_busy_gateway_is_no_flood),
        cmocka_unit_test(a_port_hop_gives_its_number_back_and_keeps_its_frames),
        cmocka_unit_test(hops_beyond_the_limit_stay_one_tunnel),
        cmocka_unit_test(packets_that_were_held_back_count_no_frame_again),
        cmocka_unit_test(spis_beyond_the_limit_stay_one_tunnel_and_every_packet_counts),
        cmocka_unit_test(sequence_numbers_share_a_budget),
        cmocka_unit_test(findings_beyond_the_limit_are_counted),
        cmocka_unit_test(requests_that_wait_are_limited),
        cmocka_unit_test(exchanges_of_a_tunnel_are_limited),
        cmocka_unit_test(round_trips_are_limited),
        cmocka_unit_test(findings_of_evicted_tunnels_are_limited),
        cmocka_unit_test(frames_follow_an_ike_sa_to_its_tunnel),
        cmocka_unit_test(what_is_no_ike_is_noted),
        cmocka_unit_test(log_lines_about_unknown_spis_are_limited),
        cmocka_unit_test(icmp_errors_are_limited),
        cmocka_unit_test(lost_fragments_are_one_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
