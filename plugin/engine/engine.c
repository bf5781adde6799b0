/* engine.c - the way of a packet through the engine: copies out, to its tunnel, accounted for, judged, noted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/engine.h"

#include "engine/detect/detectors.h"
#include "engine/engine_state.h"
#include "engine/esp/steady.h"
#include "engine/parse/cursor.h"

/* Frames in a row with the very same time before the clock counts as unusable. */
#define SAME_TIME_FRAMES 20u
#define BACKWARDS_JUMP SECONDS(2)

engine_settings_t
engine_default_settings(void)
{
    return (engine_settings_t){
        .delete_grace_seconds = 10,
        .one_way_seconds = 10,
        .restart_wait_seconds = 10,
        .rekey_interval_seconds = 120,
        .replay_window = 64,
        .max_tunnels = 131072,
    };
}

void
engine_free_finding(gpointer data)
{
    finding_t *finding = data;

    g_free(finding->text);
    g_free(finding);
}

static void
free_note(gpointer data)
{
    frame_note_t *note = data;

    if (note->findings != NULL)
        g_ptr_array_free(note->findings, TRUE);
    g_free(note);
}

static void
free_list(gpointer data)
{
    g_slist_free(data);
}

static void
free_tunnel(gpointer data)
{
    if (data != NULL)
        tunnel_free(data);
}

static void
put_to_sleep(engine_t *engine)
{
    for (unsigned bit = 0; bit < CHANGE_KINDS; bit++) {
        engine->sleepers[bit] = g_ptr_array_new();
        for (unsigned i = 0; i < DETECTOR_COUNT; i++) {
            if ((detectors[i]->wakes_on & 1u << bit) != 0)
                g_ptr_array_add(engine->sleepers[bit], (gpointer)detectors[i]);
        }
    }
}

engine_t *
engine_new(const engine_settings_t *settings)
{
    engine_t *engine = g_new0(engine_t, 1);

    engine->settings = *settings;
    engine->settings.replay_window = CLAMP(settings->replay_window, REPLAY_WINDOW_LEAST, REPLAY_WINDOW_MOST);
    engine->sequence_budget.bytes_left = SEQUENCE_BYTES_MAX;
    engine->tunnels = g_ptr_array_new_with_free_func(free_tunnel);
    engine->kept_tunnels = g_ptr_array_new();
    engine->free_numbers = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->paths = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    engine->tunnels_by_address = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, NULL);
    engine->forgotten_pairs = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->redirections = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    engine->ike_sas_by_spi = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    engine->esp_sas_by_spi = spi_index_new();
    engine->notes = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_note);
    engine->findings = g_ptr_array_new_with_free_func(engine_free_finding);
    engine->sorted_findings = g_ptr_array_new();
    engine->untied = g_ptr_array_new();
    engine->strays = syslog_strays_new();
    engine->copies = copies_new();
    engine->sightings = sightings_new();
    engine->interfaces = interfaces_new();
    engine->abandoned_at_end = g_ptr_array_new();
    put_to_sleep(engine);
    engine->interruptions = g_array_new(FALSE, FALSE, sizeof(capture_ns_t));
    engine->latest = engine->previous_time = CAPTURE_TIME_NONE;
    engine->capture.first_time = engine->capture.last_time = CAPTURE_TIME_NONE;
    return engine;
}

static void
free_lists_of(GHashTable *table)
{
    GHashTableIter iter;
    gpointer list;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, NULL, &list))
        free_list(list);
    g_hash_table_destroy(table);
}

void
engine_free(engine_t *engine)
{
    if (engine == NULL)
        return;
    g_array_free(engine->interruptions, TRUE);
    free_lists_of(engine->tunnels_by_address);
    free_lists_of(engine->ike_sas_by_spi);
    spi_index_free(engine->esp_sas_by_spi);
    g_ptr_array_free(engine->tunnels, TRUE);
    g_ptr_array_free(engine->kept_tunnels, TRUE);
    g_hash_table_destroy(engine->free_numbers);
    g_hash_table_destroy(engine->paths);
    g_hash_table_destroy(engine->forgotten_pairs);
    g_hash_table_destroy(engine->redirections);
    g_hash_table_destroy(engine->notes);
    g_ptr_array_free(engine->sorted_findings, TRUE);
    g_ptr_array_free(engine->findings, TRUE);
    g_ptr_array_free(engine->untied, TRUE);
    g_hash_table_destroy(engine->strays);
    copies_free(engine->copies);
    sightings_free(engine->sightings);
    interfaces_free(engine->interfaces);
    g_ptr_array_free(engine->abandoned_at_end, TRUE);
    for (unsigned bit = 0; bit < CHANGE_KINDS; bit++)
        g_ptr_array_free(engine->sleepers[bit], TRUE);
    g_free(engine);
}

static void
watch_clock(engine_t *engine, capture_ns_t time)
{
    const capture_ns_t before = engine->latest;

    engine->silence = duration_between(before, time);
    if (engine->silence > INTERRUPTION && engine->interruptions->len < INTERRUPTIONS_MAX)
        g_array_append_val(engine->interruptions, before);
    if (time <= 0 || time == engine->previous_time) /* no time, or the epoch: a capture without a clock */
        engine->same_time_frames++;
    else
        engine->same_time_frames = 0;
    if (engine->same_time_frames >= SAME_TIME_FRAMES || (time < before && duration_between(time, before) > BACKWARDS_JUMP))
        engine->clock_is_unusable = true;
    engine->previous_time = time;
    engine->latest = capture_later(before, time);
}

capture_ns_t
engine_watched_until(const engine_t *engine, const tunnel_t *tunnel)
{
    for (unsigned i = 0; i < engine->interruptions->len; i++) {
        capture_ns_t before = g_array_index(engine->interruptions, capture_ns_t, i);
        if (before >= tunnel->last_time)
            return engine_points_watched_until(engine, tunnel, before);
    }
    return engine_points_watched_until(engine, tunnel, engine->capture.last_time);
}

frame_note_t *
engine_note_for(engine_t *engine, frame_t frame)
{
    frame_note_t *note = g_hash_table_lookup(engine->notes, GUINT_TO_POINTER(frame));

    if (note == NULL) {
        note = g_new0(frame_note_t, 1);
        note->frame = frame;
        note->tunnel = note->ike_sa = note->child_sa = INDEX_NONE;
        g_hash_table_insert(engine->notes, GUINT_TO_POINTER(frame), note);
        engine->latest_noted = MAX(engine->latest_noted, frame);
    }
    return note;
}

const frame_note_t *
engine_note(const engine_t *engine, frame_t frame)
{
    if (frame > engine->latest_noted) /* nearly all, when they are seen for the first time */
        return NULL;
    return g_hash_table_lookup(engine->notes, GUINT_TO_POINTER(frame));
}

void
engine_keep_finding(engine_t *engine, tunnel_t *tunnel, finding_t *finding)
{
    frame_note_t *note = engine_note_for(engine, finding->frame);

    if (note->tunnel == INDEX_NONE && tunnel != NULL)
        note->tunnel = tunnel->index;
    if (note->findings == NULL)
        note->findings = g_ptr_array_new();
    g_ptr_array_add(note->findings, finding);
    g_ptr_array_add(engine->findings, finding);
    if (tunnel != NULL)
        tunnel_keep_finding(tunnel, finding);
    else
        g_ptr_array_add(engine->untied, finding);
    engine->findings_changed = true;
}

void
engine_judge(engine_t *engine, tunnel_t *tunnel, change_t *change)
{
    findings_t findings = { .engine = engine, .tunnel = tunnel, .change = change };

    if (tunnel != NULL)
        steady_end(tunnel);
    change->settings = &engine->settings;
    change->clock_is_unusable = engine->clock_is_unusable;
    const GPtrArray *sleepers = engine->sleepers[change_number(change->kind)];
    for (unsigned i = 0; i < sleepers->len; i++) {
        const detector_t *detector = g_ptr_array_index(sleepers, i);
        if (!detector->needs_time || !engine->clock_is_unusable)
            detector->judge(change, tunnel, &findings);
    }
}

static void
remember_before_end(tunnel_t *tunnel)
{
    tunnel->before_end.loss = tunnel->loss;
    tunnel->before_end.last_unanswered_at = tunnel->last_unanswered_at;
    tunnel->before_end.rekeys_failed = tunnel->rekeys_failed;
    tunnel->before_end.dpd_unanswered = tunnel->dpd_unanswered;
    for (unsigned i = 0; i < tunnel->flips->len; i++) {
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        flip->grade_before_end = flip->finding != NULL ? flip->finding->grade : NAT_GRADE_NONE;
    }
}

static void
restore_before_end(tunnel_t *tunnel)
{
    tunnel->loss = tunnel->before_end.loss;
    tunnel->last_unanswered_at = tunnel->before_end.last_unanswered_at;
    tunnel->rekeys_failed = tunnel->before_end.rekeys_failed;
    tunnel->dpd_unanswered = tunnel->before_end.dpd_unanswered;
    for (unsigned i = 0; i < tunnel->flips->len; i++) {
        flip_t *flip = &g_array_index(tunnel->flips, flip_t, i);
        if (flip->finding != NULL)
            flip->finding->grade = flip->grade_before_end;
    }
}

static void
wait_again(engine_t *engine)
{
    for (unsigned i = 0; i < engine->abandoned_at_end->len; i++) {
        exchange_t *exchange = g_ptr_array_index(engine->abandoned_at_end, i);
        exchange->outcome = OUTCOME_WAITING;
        exchange->abandoned = ABANDONED_NOT;
        g_ptr_array_add(exchange->ike_sa->tunnel->waiting, exchange);
    }
    g_ptr_array_set_size(engine->abandoned_at_end, 0);
}

/* Takes back what engine_finish() said: the capture goes on. */
static void
reopen(engine_t *engine)
{
    engine->is_finished = false;
    for (unsigned t = 0; t < engine->tunnels->len; t++) {
        tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, t);
        if (tunnel == NULL)
            continue;
        incidents_reopen(tunnel);
        engine_unsay_how_it_went_on(tunnel->findings);
        restore_before_end(tunnel);
    }
    engine_unsay_how_it_went_on(engine->untied);
    wait_again(engine);
    while (engine->findings->len > engine->findings_before_end) {
        finding_t *finding = g_ptr_array_index(engine->findings, engine->findings->len - 1);
        tunnel_t *tunnel = finding->tunnel != INDEX_NONE ? g_ptr_array_index(engine->tunnels, finding->tunnel) : NULL;
        frame_note_t *note = engine_note_for(engine, finding->frame);
        g_ptr_array_remove(note->findings, finding);
        if (tunnel != NULL)
            g_ptr_array_remove(tunnel->findings, finding);
        g_ptr_array_set_size(engine->findings, (int)engine->findings->len - 1);
        if (tunnel != NULL)
            tunnel_recount_findings(tunnel);
    }
    engine->findings_changed = true;
}

void
engine_frame(engine_t *engine, frame_t frame, capture_ns_t time)
{
    capture_row_t *capture = &engine->capture;

    if (capture->frames > 0 && frame == capture->last_frame)
        return;
    if (engine->is_finished)
        reopen(engine);
    if (capture->frames == 0)
        capture->first_frame = frame;
    capture->frames++;
    capture->last_frame = frame;
    watch_clock(engine, time);
    if (time == CAPTURE_TIME_NONE)
        return;
    if (capture->first_time == CAPTURE_TIME_NONE || time < capture->first_time)
        capture->first_time = time;
    capture->last_time = capture_later(capture->last_time, time);
}

bool
engine_interface_heard(engine_t *engine, uint32_t interface, capture_ns_t time)
{
    return interfaces_heard(engine->interfaces, interface, time);
}

void
engine_interface_name(engine_t *engine, uint32_t interface, unsigned number, const char *name)
{
    interfaces_name(engine->interfaces, interface, number, name);
}

/* The other copy of a packet says something about the capture, nothing about the tunnel. */
static const frame_note_t *
copy_packet(engine_t *engine, const packet_t *packet, copy_kind_t kind)
{
    engine->capture.copies++;
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL)
        return NULL;
    frame_note_t *note = NULL;
    if (packet->kind != PACKET_ESP) {
        note = engine_note_for(engine, packet->frame);
        note->tunnel = tunnel->index;
        note->is_copy = true;
    }
    if (kind == COPY_OTHER_SIDE) {
        tunnel->both_sides_of_nat = true;
        if (packet->kind == PACKET_IKE)
            engine_ike_copy(engine, packet, note);
    }
    change_t change = { .kind = CHANGE_COPY,
                        .frame = packet->frame,
                        .time = packet->time,
                        .packet = packet,
                        .sender = PEER_UNKNOWN,
                        .same_endpoints = kind == COPY_SAME };
    engine_judge(engine, tunnel, &change);
    if (kind == COPY_OTHER_SIDE || !endpoint_equal(&engine->outer_source, &packet->source))
        engine_watch_far_side(engine, tunnel, tunnel_peer_at(tunnel, &packet->source), packet, &change);
    return engine_note(engine, packet->frame);
}

/* Only one of two capture points has seen this packet, and shows it too late: it says what was lost, and changes no state. */
static const frame_note_t *
elsewhere_packet(engine_t *engine, const packet_t *packet)
{
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);

    engine->capture.elsewhere++;
    if (tunnel == NULL)
        return NULL;
    if (packet->kind != PACKET_ESP)
        engine_note_for(engine, packet->frame)->tunnel = tunnel->index;
    return engine_note(engine, packet->frame);
}

static tunnel_t *
keepalive_packet(engine_t *engine, const packet_t *packet)
{
    engine->capture.keepalives++;
    tunnel_t *tunnel = engine_tunnel_for_packet(engine, packet);
    if (tunnel == NULL)
        return NULL;
    engine_note_for(engine, packet->frame)->tunnel = tunnel->index;
    peer_t sender = tunnel_peer_at(tunnel, &packet->source);
    if (sender != PEER_UNKNOWN)
        engine_keepalive_sent(tunnel, sender, packet);
    return tunnel;
}

static void
note_packet_of(tunnel_t *tunnel, const packet_t *packet)
{
    tunnel->last_frame = MAX(tunnel->last_frame, packet->frame);
    tunnel->last_time = capture_later(tunnel->last_time, packet->time);
    tunnel->udp_encapsulated |= packet->encapsulation == ENCAPSULATION_UDP;
    tunnel->tcp_encapsulated |= packet->encapsulation == ENCAPSULATION_TCP;
}

/* Nearly every packet of nearly every capture: it is counted, and that is all. */
static bool
merely_goes_on(engine_t *engine, const packet_t *packet, esp_sa_t *sa, const first_copy_t *first)
{
    if (sa == NULL || first->frame != FRAME_NONE || !engine_is_seen_once(engine, packet, first))
        return false;
    engine_esp_goes_on(engine, sa, packet);
    note_packet_of(sa->tunnel, packet);
    engine_keep_seen_once(engine, packet, first);
    return true;
}

/* Is it a copy? What has a number that no packet of its SA has had is none, and need not be looked for. */
static copy_kind_t
compare(engine_t *engine, const packet_t *packet, const esp_sa_t *steady, first_copy_t *ret_first)
{
    *ret_first = (first_copy_t){ .frame = FRAME_NONE };
    if (packet->kind == PACKET_NAT_KEEPALIVE || packet->kind == PACKET_SYSLOG)
        return COPY_NONE;
    if (steady == NULL || steady->sequence == NULL || !sequence_awaits(steady->sequence, wire_u32(packet->bytes + SPI_LENGTH)))
        return copies_check(engine->copies, packet, ret_first);
    copies_enter(engine->copies, packet, ret_first);
    return COPY_NONE;
}

static const frame_note_t *
handle(engine_t *engine, const packet_t *packet)
{
    tunnel_t *tunnel = NULL;
    frame_note_t *note = NULL;

    switch (packet->kind) {
    case PACKET_IKE:
        tunnel = engine_ike_packet(engine, packet, &note);
        break;
    case PACKET_ESP:
        tunnel = engine_esp_packet(engine, packet);
        break;
    case PACKET_ESP_FRAGMENT:
        tunnel = engine_esp_fragment(engine, packet);
        break;
    case PACKET_NAT_KEEPALIVE:
        tunnel = keepalive_packet(engine, packet);
        break;
    case PACKET_ICMP_ERROR:
        tunnel = engine_icmp_error(engine, packet);
        break;
    case PACKET_SYSLOG:
        engine_syslog_packet(engine, packet);
        break;
    }
    if (tunnel != NULL)
        steady_end(tunnel);
    if (tunnel != NULL && packet->kind != PACKET_ICMP_ERROR)
        note_packet_of(tunnel, packet);
    return engine_note(engine, packet->frame);
}

const frame_note_t *
engine_packet(engine_t *engine, const packet_t *packet)
{
    if (engine->is_finished)
        reopen(engine);
    if (packet->frame > engine->capture.last_frame) /* else it is known, or was held back until it was known for what it is */
        engine_frame(engine, packet->frame, packet->time);
    if (packet->source.family == ADDRESS_NONE || packet->destination.family == ADDRESS_NONE)
        return NULL;

    esp_sa_t *steady = packet->kind == PACKET_ESP ? steady_sa(engine, packet) : NULL;
    first_copy_t first;
    copy_kind_t copy = compare(engine, packet, steady, &first);
    if (copy == COPY_SAME_FRAME || (copy == COPY_NONE && merely_goes_on(engine, packet, steady, &first)))
        return engine_note(engine, packet->frame);
    engine_make_room(engine);
    bool is_new = copy == COPY_NONE;
    engine->outer_source = packet->source;
    engine->outer_destination = packet->destination;
    packet_t canonical = *packet;
    canonical.source = copies_canonical(engine->copies, &packet->source);
    canonical.destination = copies_canonical(engine->copies, &packet->destination);
    copy = engine_across_points(engine, packet, &canonical, copy, &first);
    if (is_new && copy != COPY_NONE && first.fingerprint != 0)
        copies_disown(engine->copies);
    const frame_note_t *note = copy == COPY_ELSEWHERE ? elsewhere_packet(engine, &canonical)
                               : copy != COPY_NONE    ? copy_packet(engine, &canonical, copy)
                                                      : handle(engine, &canonical);
    engine_note_point(engine, packet, &canonical);
    return note;
}

bool
engine_note_esp(const engine_t *engine, frame_t frame, const endpoint_t *source, const endpoint_t *destination, uint32_t spi,
                frame_note_t *ret_note)
{
    const frame_note_t *kept = engine_note(engine, frame);
    endpoint_t from = copies_canonical(engine->copies, source), to = copies_canonical(engine->copies, destination);
    const esp_sa_t *sa = engine_find_esp_sa(engine, spi, &from, &to, frame);

    packet_t packet = { .kind = PACKET_ESP, .frame = frame, .source = from, .destination = to };
    const tunnel_t *tunnel = sa != NULL ? sa->tunnel : engine_tunnel_for_packet((engine_t *)engine, &packet);
    if (tunnel == NULL && kept == NULL)
        return false;
    *ret_note = (frame_note_t){ .frame = frame, .tunnel = INDEX_NONE, .ike_sa = INDEX_NONE, .child_sa = INDEX_NONE };
    if (kept != NULL)
        *ret_note = *kept;
    if (tunnel != NULL)
        ret_note->tunnel = tunnel->index;
    if (sa != NULL) {
        ret_note->child_sa = sa->generation;
        ret_note->spi_first_seen_in = sa->first_frame;
        ret_note->spi_announced_in = sa->announced_in;
        ret_note->spi_deleted_in = sa->deleted_in;
    }
    return true;
}

void
engine_finish(engine_t *engine)
{
    if (engine->is_finished)
        return;
    engine->is_finished = true;
    engine->findings_before_end = engine->findings->len;
    for (unsigned t = 0; t < engine->tunnels->len; t++) {
        tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, t);
        if (tunnel == NULL)
            continue;
        remember_before_end(tunnel);
        engine_recall_redirection(engine, tunnel);
        capture_ns_t end = engine_watched_until(engine, tunnel);
        if (end != CAPTURE_TIME_NONE)
            engine_advance(engine, tunnel, NULL, engine->capture.last_frame, end, true);
        change_t change = { .kind = CHANGE_CAPTURE_END,
                            .frame = tunnel->last_frame,
                            .time = end,
                            .at_end = true,
                            .sender = PEER_UNKNOWN,
                            .loss = &tunnel->loss };
        engine_judge(engine, tunnel, &change);
        engine_say_how_it_went_on(tunnel->findings);
        engine_say_where_lost(engine, tunnel);
        incidents_finish(engine, tunnel);
    }
    engine_say_how_it_went_on(engine->untied);
}

static gint
by_frame(gconstpointer a, gconstpointer b)
{
    const finding_t *left = *(const finding_t *const *)a, *right = *(const finding_t *const *)b;

    return (left->frame > right->frame) - (left->frame < right->frame);
}

const GPtrArray *
engine_findings(const engine_t *engine)
{
    engine_t *cache = (engine_t *)engine; /* the sorted view is a cache of what is const */

    if (cache->findings_changed) {
        g_ptr_array_set_size(cache->sorted_findings, 0);
        for (unsigned i = 0; i < cache->findings->len; i++)
            g_ptr_array_add(cache->sorted_findings, g_ptr_array_index(cache->findings, i));
        g_ptr_array_sort(cache->sorted_findings, by_frame); /* stable: order of discovery within a frame */
        cache->findings_changed = false;
    }
    return cache->sorted_findings;
}

void
engine_capture_row(const engine_t *engine, capture_row_t *ret_row)
{
    *ret_row = engine->capture;
    for (unsigned t = 0; t < engine->tunnels->len; t++) {
        const tunnel_t *tunnel = g_ptr_array_index(engine->tunnels, t);
        if (tunnel != NULL)
            ret_row->findings_left_out += tunnel->findings_left_out;
    }
}
