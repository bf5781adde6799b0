/* fuzz_engine.c - does the engine survive any capture? A libFuzzer entry point; play.c runs it without libFuzzer.
 *
 * The input is a story as world.h has it. After each end of the capture all questions that the reports ask are asked, and what they rely
 * on is required.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "require.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask_finding(frame_t last, const finding_t *finding)
{
    require(finding->text != NULL && finding->text[0] != '\0' && g_utf8_validate(finding->text, -1, NULL));
    require(finding->id < FINDING_COUNT && finding->severity <= finding_catalogue[finding->id].severity);
    require(finding->frame != FRAME_NONE && finding->frame <= last);
    require(finding->began_in <= last && finding->evidences <= EVIDENCE_MAX);
    for (unsigned i = 0; i < finding->evidences; i++) {
        require(finding->evidence[i] != FRAME_NONE && finding->evidence[i] <= last);
        require(i == 0 || finding->evidence[i] > finding->evidence[i - 1]);
    }
    unsigned steps = 0;
    for (const finding_t *cause = finding->cause; cause != NULL; cause = cause->cause) {
        require(cause->tunnel == finding->tunnel);
        require(++steps <= 10000); /* no circle */
    }
}

static void
ask_tunnel(const engine_t *engine, frame_t last, uint32_t index)
{
    tunnel_row_t row;
    incident_row_t incident;

    engine_tunnel_row(engine, index, &row);
    require(row.availability <= 1.0 && row.down_seconds >= 0.0);
    require(row.state <= TUNNEL_UNKNOWN && tunnel_state_text(row.state) != NULL);
    require(!engine_tunnel_is_kept(engine, index) || row.first_frame <= row.last_frame);
    for (uint32_t i = 0; i < engine_incident_count(engine, index); i++) {
        engine_incident_row(engine, index, i, &incident);
        require(incident.down_seconds >= 0.0 && incident.chain_length > 0 && incident.story[0] != '\0');
        require(incident.root_cause < FINDING_COUNT && incident.start_frame <= last);
        for (unsigned c = 0; c < incident.chain_length; c++)
            require(incident.chain[c]->tunnel == index);
    }
}

static void
ask_note(const engine_t *engine, frame_t last, frame_t frame)
{
    const frame_note_t *note = engine_note(engine, frame);
    endpoint_t from = world_address(0), to = world_address(1);
    frame_note_t esp_note;

    if (note != NULL) {
        require(note->frame == frame && (note->tunnel == INDEX_NONE || note->tunnel < engine_tunnel_count(engine)));
        require(note->exchange_time >= 0 && note->retransmission_rto >= 0);
        require(note->request_in <= last && note->response_in <= last && note->retransmission_of <= last);
        require(note->retransmission_next <= last);
        for (unsigned i = 0; note->findings != NULL && i < note->findings->len; i++)
            require(((const finding_t *)g_ptr_array_index(note->findings, i))->frame == frame);
    }
    if (engine_note_esp(engine, frame, &from, &to, world_esp_spi((uint8_t)frame), &esp_note))
        require(esp_note.frame == frame);
}

static void
ask_everything(const engine_t *engine, frame_t last)
{
    capture_row_t capture;

    const GPtrArray *findings = engine_findings(engine);
    for (unsigned i = 0; i < findings->len; i++)
        ask_finding(last, g_ptr_array_index(findings, i));
    for (uint32_t i = 0; i <= engine_tunnel_count(engine); i++)
        ask_tunnel(engine, last, i);
    for (frame_t frame = 0; frame <= last + 1; frame++)
        ask_note(engine, last, frame);
    engine_capture_row(engine, &capture);
    require(capture.frames >= last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const world_watcher_t watcher = { .interface_name = { "eth0", NULL }, .ends_max = 6, .ask = ask_everything };

    world_play(cursor_over(data, size), &watcher);
    return 0;
}
