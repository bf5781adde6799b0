/* outcome.c - feeds a capture to the engine as an observer would.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "outcome.h"

#include <string.h>

static engine_t *
engine_for(const scenario_t *scenario)
{
    engine_settings_t settings = engine_default_settings();

    if (scenario->pref_grace != 0)
        settings.delete_grace_seconds = scenario->pref_grace;
    if (scenario->pref_one_way != 0)
        settings.one_way_seconds = scenario->pref_one_way;
    if (scenario->pref_restart != 0)
        settings.restart_wait_seconds = scenario->pref_restart;
    if (scenario->pref_rekey != 0)
        settings.rekey_interval_seconds = scenario->pref_rekey;
    if (scenario->pref_window != 0)
        settings.replay_window = scenario->pref_window;
    return engine_new(&settings);
}

static void
feed(engine_t *engine, const view_t *view, frame_t frame, keys_mode_t keys)
{
    const shot_t *shot = view->shot;
    packet_t packet = { .kind = shot->kind,
                        .hidden_by = shot->hidden_by,
                        .frame = frame,
                        .time = view->time,
                        .source = view->source,
                        .destination = view->destination,
                        .encapsulation = shot->encapsulation,
                        .is_ah = shot->is_ah,
                        .is_around_esp = shot->is_around_esp,
                        .point = view->point };
    uint8_t *exact;

    engine_frame(engine, frame, view->time);
    if (view->point.interface != 0)
        engine_interface_heard(engine, view->point.interface, view->time);
    if (shot->is_foreign)
        return;
    exact = g_malloc(view->captured); /* exact size: a read beyond it is seen by the sanitizer */
    if (view->captured > 0)
        memcpy(exact, shot->bytes->data, view->captured);
    packet.bytes = exact;
    packet.captured = view->captured;
    packet.reported = shot->bytes->len;
    if (keys == WITH_KEYS && shot->decrypted != NULL && view->captured == shot->bytes->len) {
        packet.decrypted = shot->decrypted->data;
        packet.decrypted_length = shot->decrypted->len;
    }
    packet.quoted = shot->quoted;
    packet.reporter = shot->reporter;
    packet.icmp_type = shot->icmp_type;
    packet.icmp_code = shot->icmp_code;
    packet.icmp_mtu = shot->icmp_mtu;
    packet.ip_length = shot->ip_length;
    (void)engine_packet(engine, &packet);
    g_free(exact);
}

static void
keep_findings(outcome_t *outcome, const engine_t *engine)
{
    const GPtrArray *findings = engine_findings(engine);

    outcome->findings = g_array_new(FALSE, TRUE, sizeof(finding_t));
    outcome->causes = g_array_new(FALSE, TRUE, sizeof(int));
    for (unsigned i = 0; findings != NULL && i < findings->len; i++) {
        const finding_t *found = g_ptr_array_index(findings, i);
        finding_t finding = *found;
        int cause = found->cause != NULL ? (int)found->cause->id : -1;

        finding.text = g_strdup(found->text);
        finding.cause = NULL;
        g_array_append_val(outcome->findings, finding);
        g_array_append_val(outcome->causes, cause);
    }
}

static void
keep_tunnels(outcome_t *outcome, const engine_t *engine)
{
    outcome->rows = g_array_new(FALSE, TRUE, sizeof(tunnel_row_t));
    outcome->incidents = g_array_new(FALSE, TRUE, sizeof(incident_t));
    for (uint32_t tunnel = 0; tunnel < engine_tunnel_count(engine); tunnel++) {
        tunnel_row_t row = { 0 };

        engine_tunnel_row(engine, tunnel, &row);
        row.worst = NULL;
        g_array_append_val(outcome->rows, row);
        for (uint32_t i = 0; i < engine_incident_count(engine, tunnel); i++) {
            incident_row_t from = { 0 };
            incident_t incident;

            engine_incident_row(engine, tunnel, i, &from);
            incident = (incident_t){ .tunnel = tunnel,
                                     .recovered = from.recovered,
                                     .root_cause = from.root_cause,
                                     .chain_length = from.chain_length,
                                     .story = g_strdup(from.story) };
            for (unsigned k = 0; k < from.chain_length; k++)
                incident.chain[k] = from.chain[k]->id;
            g_array_append_val(outcome->incidents, incident);
        }
    }
}

static void
keep_notes(outcome_t *outcome, const engine_t *engine, const GArray *views)
{
    outcome->exchanges = g_array_new(FALSE, TRUE, sizeof(const char *));
    outcome->tunnels = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    outcome->sources = g_array_new(FALSE, TRUE, sizeof(const char *));
    outcome->destinations = g_array_new(FALSE, TRUE, sizeof(const char *));
    g_array_set_size(outcome->sources, views->len + 1);
    g_array_set_size(outcome->destinations, views->len + 1);
    g_array_set_size(outcome->exchanges, views->len + 1);
    g_array_set_size(outcome->tunnels, views->len + 1);
    for (unsigned i = 0; i < views->len; i++) {
        const view_t *view = &g_array_index(views, view_t, i);
        const frame_note_t *note = engine_note(engine, i + 1);
        frame_note_t esp_note;

        if (note == NULL && view->shot->kind == PACKET_ESP && view->captured >= 4) {
            const uint8_t *spi = view->shot->bytes->data;

            if (engine_note_esp(engine, i + 1, &view->source, &view->destination,
                                (uint32_t)spi[0] << 24 | (uint32_t)spi[1] << 16 | (uint32_t)spi[2] << 8 | spi[3], &esp_note))
                note = &esp_note;
        }
        g_array_index(outcome->exchanges, const char *, i + 1) = note != NULL ? note->exchange : NULL;
        g_array_index(outcome->sources, const char *, i + 1) = note != NULL ? note->nat_source : NULL;
        g_array_index(outcome->destinations, const char *, i + 1) = note != NULL ? note->nat_destination : NULL;
        g_array_index(outcome->tunnels, uint32_t, i + 1) = note != NULL ? note->tunnel : INDEX_NONE;
    }
}

outcome_t *
outcome_with_cuts(const scenario_t *scenario, const GArray *views, keys_mode_t keys, unsigned step, at_cut_t at_cut, void *context)
{
    engine_t *engine = engine_for(scenario);
    outcome_t *outcome = g_new0(outcome_t, 1);

    for (unsigned i = 0; i < views->len; i++) {
        const view_t *view = &g_array_index(views, view_t, i);

        feed(engine, view, i + 1, keys);
        if (at_cut != NULL && (i % step == 0 || view->shot->kind == PACKET_IKE)) {
            engine_finish(engine);
            at_cut(engine_findings(engine), i + 1, context);
        }
    }
    engine_finish(engine);
    keep_findings(outcome, engine);
    keep_tunnels(outcome, engine);
    keep_notes(outcome, engine, views);
    engine_free(engine);
    return outcome;
}

outcome_t *
outcome_of(const scenario_t *scenario, const GArray *views, keys_mode_t keys)
{
    return outcome_with_cuts(scenario, views, keys, 1, NULL, NULL);
}

void
outcome_free(outcome_t *outcome)
{
    for (unsigned i = 0; i < outcome->findings->len; i++)
        g_free(g_array_index(outcome->findings, finding_t, i).text);
    for (unsigned i = 0; i < outcome->incidents->len; i++)
        g_free(g_array_index(outcome->incidents, incident_t, i).story);
    g_array_free(outcome->findings, TRUE);
    g_array_free(outcome->causes, TRUE);
    g_array_free(outcome->rows, TRUE);
    g_array_free(outcome->incidents, TRUE);
    g_array_free(outcome->exchanges, TRUE);
    g_array_free(outcome->tunnels, TRUE);
    g_array_free(outcome->sources, TRUE);
    g_array_free(outcome->destinations, TRUE);
    g_free(outcome);
}
