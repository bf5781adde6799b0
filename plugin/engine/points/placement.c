/* placement.c - between which two capture points was a request, an answer or ESP lost?
 *
 * What a place has not seen proves something only while that place was capturing. What both have seen was not lost between them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/placement.h"

#include "engine/engine_state.h"

#include <inttypes.h>

/* Packets and frames that a place has to show before and after, by its own clock, for what it lacks to count as lost. */
typedef struct {
    const engine_t *engine;
    const tunnel_t *tunnel;
    const points_t *points;
} scene_t;

/* What one side has seen of messages. */
typedef struct {
    unsigned times;
    capture_ns_t first_at, last_at;
} seen_t;

void
placement_ask(finding_t *finding, const exchange_t *exchange)
{
    const ike_sa_t *ike_sa = exchange->ike_sa;
    bool is_v2 = ike_sa->major == 2;
    bool by_initiator = is_v2 && exchange->requester == ike_sa->original_initiator;
    uint8_t type = exchange->exchange_type;

    finding->asked = (asked_t){ .is_set = true,
                                .request = sightings_name(ike_sa->spi_i, exchange->message_id, type, by_initiator, false),
                                .answer = sightings_name(ike_sa->spi_i, exchange->message_id, type, is_v2 && !by_initiator, is_v2),
                                .requester = exchange->requester,
                                .source = exchange->source,
                                .transmissions = exchange->transmissions,
                                .was_answered = exchange->outcome == OUTCOME_ANSWERED,
                                .is_unheard = exchange_is_unheard(exchange),
                                .first_sent_at = exchange->first_sent_at,
                                .last_sent_at = exchange->last_sent_at };
}

/* The name of a side of this tunnel's path: "interface 1 (eth0)", "the point near 192.0.2.1". */
static void
side_name(const engine_t *engine, const tunnel_t *tunnel, int side, char name[LOSS_POINT_MAX])
{
    const points_t *points = tunnel->points;
    char peer[ENDPOINT_TEXT_MAX];

    if (points->by_interface) {
        const interface_t *interface = interfaces_find(engine->interfaces, points->interface[side]);
        if (interface != NULL)
            g_strlcpy(name, interface->name, LOSS_POINT_MAX);
        else
            g_snprintf(name, LOSS_POINT_MAX, "interface %u", points->interface[side] - 1);
        return;
    }
    g_snprintf(name, LOSS_POINT_MAX, "the point near %s", tunnel_peer_text(tunnel, (peer_t)side, peer));
}

/* Of `message`, what was seen at this side? */
static void
add_sightings(const scene_t *scene, const message_sighting_t *message, peer_t sender, int side, seen_t *seen)
{
    for (unsigned i = 0; i < message->places; i++) {
        const seen_at_t *at = &message->at[i];
        if (points_side_of(scene->points, &at->point, PACKET_IKE, sender) != side)
            continue;
        seen->first_at = seen->times == 0 ? at->first_at : MIN(seen->first_at, at->first_at);
        seen->last_at = seen->times == 0 ? at->last_at : capture_later(seen->last_at, at->last_at);
        seen->times += at->times;
    }
}

/* False: in fragments, of which each has its own fate. */
static bool
look(const scene_t *scene, uint64_t name, const endpoint_t *source, peer_t sender, int side, seen_t *ret_seen)
{
    *ret_seen = (seen_t){ .times = 0, .first_at = CAPTURE_TIME_NONE, .last_at = CAPTURE_TIME_NONE };
    for (const message_sighting_t *item = sightings_named(scene->engine->sightings, name); item != NULL; item = item->next) {
        if (item->is_fragment)
            return false;
        if (source == NULL || endpoint_same_address(&item->source, source))
            add_sightings(scene, item, sender, side, ret_seen);
    }
    return true;
}

/* Was this side capturing from `from` to `until`, by its own clock? */
static bool
was_capturing(const scene_t *scene, int side, capture_ns_t from, capture_ns_t until)
{
    const interface_t *interface =
        scene->points->by_interface ? interfaces_find(scene->engine->interfaces, scene->points->interface[side]) : NULL;
    capture_ns_t first = interface != NULL ? interface->first_at : scene->points->first_heard[side];
    capture_ns_t last = interface != NULL ? interface->last_at : scene->points->last_heard[side];

    return first != CAPTURE_TIME_NONE && first <= from && last >= until;
}

static void
set_lost(const scene_t *scene, finding_t *finding, int from, int to)
{
    side_name(scene->engine, scene->tunnel, from, finding->lost_from);
    side_name(scene->engine, scene->tunnel, to, finding->lost_to);
}

static const char *
times_text(unsigned times, char text[32])
{
    if (times == 1)
        return "once";
    g_snprintf(text, 32, "%u times", times);
    return text;
}

static char *
lost_on_the_way(const scene_t *scene, finding_t *finding, const char *what, unsigned sent, unsigned arrived, int from, int to)
{
    char from_name[LOSS_POINT_MAX], to_name[LOSS_POINT_MAX], sent_text[32], arrived_text[32];

    set_lost(scene, finding, from, to);
    side_name(scene->engine, scene->tunnel, from, from_name);
    side_name(scene->engine, scene->tunnel, to, to_name);
    if (arrived == 0)
        return g_strdup_printf("The %s was captured %s at %s and never at %s: lost between them.", what,
                               times_text(sent, sent_text), from_name, to_name);
    return g_strdup_printf("The %s was captured %s at %s and %s at %s: the others were lost between them.", what,
                           times_text(sent, sent_text), from_name, times_text(arrived, arrived_text), to_name);
}

static char *
place_exchange(const scene_t *scene, finding_t *finding)
{
    const asked_t *asked = &finding->asked;
    peer_t answerer = peer_other(asked->requester);
    int near = points_near(scene->points, asked->requester), far = points_near(scene->points, answerer);
    bool is_v2 = asked->request != asked->answer;
    endpoint_t other = scene->tunnel->peer[answerer].last;
    seen_t sent, arrived, answered, returned;
    char far_name[LOSS_POINT_MAX];

    if (near == SIDE_UNKNOWN || far == SIDE_UNKNOWN)
        return NULL;
    if (!look(scene, asked->request, is_v2 ? NULL : &asked->source, asked->requester, near, &sent) ||
        !look(scene, asked->request, is_v2 ? NULL : &asked->source, asked->requester, far, &arrived) ||
        !look(scene, asked->answer, is_v2 ? NULL : &other, answerer, far, &answered) ||
        !look(scene, asked->answer, is_v2 ? NULL : &other, answerer, near, &returned))
        return NULL;
    if (sent.times == 0)
        return NULL;
    capture_ns_t from = points_converted(scene->points, sent.first_at, near, far);
    capture_ns_t until = points_converted(scene->points, sent.last_at, near, far);
    bool far_was_on = was_capturing(scene, far, from, until);
    if (arrived.times < sent.times && far_was_on && (arrived.times == 0 || answered.times <= returned.times))
        return lost_on_the_way(scene, finding, "request", sent.times, arrived.times, near, far);
    if (arrived.times == 0)
        return NULL;
    if (answered.times > returned.times) {
        capture_ns_t back_from = points_converted(scene->points, answered.first_at, far, near);
        capture_ns_t back_until = points_converted(scene->points, answered.last_at, far, near);
        if (!was_capturing(scene, near, back_from, back_until))
            return NULL;
        return lost_on_the_way(scene, finding, "answer", answered.times, returned.times, far, near);
    }
    if (answered.times > 0 || asked->was_answered)
        return NULL;
    side_name(scene->engine, scene->tunnel, far, far_name);
    return g_strdup_printf("The request was captured at both points, an answer at neither: it was not answered, or lost behind %s.",
                           far_name);
}

/* ---- ESP ---- */

/* While the trouble lasted (by the clock that the analysis follows), `sender`'s ESP was seen at `from` and not at `to`, which was
 * capturing. */
static bool
is_lost_between(const scene_t *scene, peer_t sender, int from, int to, capture_ns_t since, capture_ns_t until)
{
    const points_t *points = scene->points;
    const esp_run_t *left =
        points_esp_run(points, sender, from, points_time_at(points, since, from), points_time_at(points, until, from), false);
    capture_ns_t arrived_since = points_time_at(points, since, to), arrived_until = points_time_at(points, until, to);

    return left != NULL && points_esp_run(points, sender, to, arrived_since, arrived_until, true) == NULL &&
           was_capturing(scene, to, arrived_since, arrived_until);
}

/* A packet takes its time, and clocks are known to the packet's time only. */
#define EDGE SECONDS(1)

static char *
lost_esp(const scene_t *scene, finding_t *finding, peer_t sender)
{
    int from = points_near(scene->points, sender), to = points_near(scene->points, peer_other(sender));
    char from_name[LOSS_POINT_MAX], to_name[LOSS_POINT_MAX], peer[ENDPOINT_TEXT_MAX];

    if (from == SIDE_UNKNOWN || to == SIDE_UNKNOWN ||
        !is_lost_between(scene, sender, from, to, points_shifted(finding->began_at, EDGE), points_shifted(finding->last_at, -EDGE)))
        return NULL;
    set_lost(scene, finding, from, to);
    side_name(scene->engine, scene->tunnel, from, from_name);
    side_name(scene->engine, scene->tunnel, to, to_name);
    return g_strdup_printf("Meanwhile ESP of %s was captured at %s and none of it at %s: lost between them.",
                           tunnel_peer_text(scene->tunnel, sender, peer), from_name, to_name);
}

/* Either the other direction is lost, or this one is and nobody answers it. */
static char *
place_one_way(const scene_t *scene, finding_t *finding)
{
    char *back = lost_esp(scene, finding, peer_other(finding->culprit));

    return back != NULL ? back : lost_esp(scene, finding, finding->culprit);
}

/* ---- which findings ---- */

static bool
is_about_a_lost_message(finding_id_t id)
{
    switch (id) {
    case FINDING_retransmission:
    case FINDING_retransmit_exhausted:
    case FINDING_dpd_loss:
    case FINDING_dpd_unanswered:
    case FINDING_ike_no_response:
    case FINDING_rekey_no_response:
        return true;
    default:
        return false;
    }
}

/* Once per tunnel: how far the clocks are apart. */
static char *
describe_clocks(const scene_t *scene)
{
    const points_t *points = scene->points;
    char names[SIDES][LOSS_POINT_MAX];

    if (!points->offset_is_known)
        return NULL;
    int ahead = points->offset >= 0 ? 1 : 0;
    double seconds = duration_seconds(points->offset >= 0 ? points->offset : -points->offset);
    for (int side = 0; side < SIDES; side++)
        side_name(scene->engine, scene->tunnel, side, names[side]);
    if (!points->delay_is_known)
        return g_strdup_printf("By the packets of one direction, the clock of %s is %.3f s ahead of that of %s; the time that they "
                               "take between the two is in it.",
                               names[ahead], seconds, names[1 - ahead]);
    return g_strdup_printf("The clock of %s is %.3f s ahead of that of %s, and a packet takes %.1f ms between them, if it takes as "
                           "long in either direction.",
                           names[ahead], seconds, names[1 - ahead], duration_seconds(points->delay) * 1e3);
}

/* The place next to the sender does not lead, so that these packets are in no other finding. */
static void
describe_left(const scene_t *scene, finding_t *finding, peer_t sender, GString *out)
{
    const points_t *points = scene->points;
    int from = points_near(points, sender);
    uint64_t esp_packets = points->left[sender].esp_packets;
    unsigned messages = points->left[sender].messages;
    char peer[ENDPOINT_TEXT_MAX], from_name[LOSS_POINT_MAX], to_name[LOSS_POINT_MAX];

    if (from == SIDE_UNKNOWN || (messages == 0 && esp_packets == 0))
        return;
    set_lost(scene, finding, from, 1 - from);
    side_name(scene->engine, scene->tunnel, from, from_name);
    side_name(scene->engine, scene->tunnel, 1 - from, to_name);
    g_string_append_printf(
        out,
        " %u IKE message%s and %" PRIu64 " ESP packet%s of %s were captured at %s and not at %s (frames %u to %u): "
        "lost between them, and not counted.",
        messages, messages == 1 ? "" : "s", esp_packets, esp_packets == 1 ? "" : "s", tunnel_peer_text(scene->tunnel, sender, peer),
        from_name, to_name, points->left[sender].first_in, points->left[sender].last_in);
}

static char *
describe_points(const scene_t *scene, finding_t *finding)
{
    char *clocks = describe_clocks(scene);

    if (clocks == NULL)
        return NULL;
    GString *out = g_string_new(clocks);
    g_free(clocks);
    describe_left(scene, finding, PEER_A, out);
    describe_left(scene, finding, PEER_B, out);
    return g_string_free(out, FALSE);
}

char *
placement_of(const engine_t *engine, const tunnel_t *tunnel, finding_t *finding)
{
    scene_t scene = { .engine = engine, .tunnel = tunnel, .points = tunnel->points };

    if (tunnel->points == NULL || !points_are_proved(tunnel->points) || engine->clock_is_unusable)
        return NULL;
    if (finding->id == FINDING_capture_two_points)
        return describe_points(&scene, finding);
    if (finding->id == FINDING_esp_one_way && finding->culprit != PEER_UNKNOWN)
        return place_one_way(&scene, finding);
    if (finding->id == FINDING_esp_to_stale_port && finding->culprit != PEER_UNKNOWN)
        return lost_esp(&scene, finding, finding->culprit);
    return finding->asked.is_set && is_about_a_lost_message(finding->id) ? place_exchange(&scene, finding) : NULL;
}
