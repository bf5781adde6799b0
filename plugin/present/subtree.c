/* subtree.c - what does a frame show about its tunnel?
 *
 * The post-dissector draws what the engine noted about the frame's packets. It is called for every frame of every capture:
 * without IPsec in the frame it leaves at once. The tree may be missing, expert items and the tap do without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/subtree.h"

#include "engine/tables/checks.h"
#include "observe/observe.h"
#include "present/fields.h"
#include "present/words.h"

#include <epan/column-utils.h>
#include <epan/expert.h>
#include <epan/tap.h>

#include <string.h>

static int tap_ipsec = -1;

/* What the post-dissector is registered for. In name only, and enabled or disabled with the plugin's protocol: for any other, Wireshark keeps
 * books of layers in every frame, with or without IPsec, which takes longer than all that is done here. */
static int proto_any_frame = -1;

/* ---- the findings in a few words ---- */

enum { FINDINGS_NAMED_MAX = 3 };

/* "NAT port flip, rekey no response": those of severity note and above, each id once. Empty: none. Freed by the caller. */
static char *
findings_named(const GPtrArray *findings)
{
    GString *text = g_string_new(NULL);
    bool seen[FINDING_COUNT] = { false };
    unsigned shown = 0, more = 0;

    for (unsigned i = 0; findings && i < findings->len; i++) {
        const finding_t *finding = findings->pdata[i];

        if (finding->severity < SEVERITY_NOTE || seen[finding->id])
            continue;
        seen[finding->id] = true;
        if (shown == FINDINGS_NAMED_MAX) {
            more++;
            continue;
        }
        g_string_append(text, shown++ ? ", " : "");
        words_id(text, finding_catalogue[finding->id].id);
    }
    if (more)
        g_string_append_printf(text, " and %u more", more);
    return g_string_free(text, FALSE);
}

static void
append_to_info(packet_info *pinfo, const GPtrArray *findings)
{
    char *text = findings_named(findings);

    if (*text)
        col_append_fstr(pinfo->cinfo, COL_INFO, " [IPsec: %s]", text);
    g_free(text);
}

/* What the subtree says while it is closed. */
static void
append_to_title(proto_item *item, const frame_note_t *note)
{
    char *text = findings_named(note->findings);

    if (note->tunnel != INDEX_NONE)
        proto_item_append_text(item, ", Tunnel: %u", note->tunnel);
    if (note->exchange)
        proto_item_append_text(item, ", %s", note->exchange);
    if (note->is_malformed)
        proto_item_append_text(item, ", malformed");
    if (*text)
        proto_item_append_text(item, ": %s", text);
    g_free(text);
}

/* ---- single items: nothing is drawn for what is not known ---- */

static proto_item *
add_uint(proto_tree *tree, int field, tvbuff_t *tvb, uint32_t value)
{
    proto_item *item = proto_tree_add_uint(tree, field, tvb, 0, 0, value);

    proto_item_set_generated(item);
    return item;
}

static void
add_index(proto_tree *tree, int field, tvbuff_t *tvb, uint32_t index)
{
    if (index != INDEX_NONE)
        add_uint(tree, field, tvb, index);
}

static void
add_frame(proto_tree *tree, int field, tvbuff_t *tvb, frame_t frame)
{
    if (frame != FRAME_NONE)
        add_uint(tree, field, tvb, frame);
}

static proto_item *
add_text(proto_tree *tree, int field, tvbuff_t *tvb, const char *text)
{
    proto_item *item = proto_tree_add_string(tree, field, tvb, 0, 0, text);

    proto_item_set_generated(item);
    return item;
}

static void
add_flag(proto_tree *tree, int field, tvbuff_t *tvb)
{
    proto_item_set_generated(proto_tree_add_item(tree, field, tvb, 0, 0, ENC_NA));
}

static void
add_duration(proto_tree *tree, int field, tvbuff_t *tvb, duration_ns_t duration)
{
    const nstime_t time = { .secs = (time_t)(duration / SECONDS(1)), .nsecs = (int)(duration % SECONDS(1)) };

    proto_item_set_generated(proto_tree_add_time(tree, field, tvb, 0, 0, &time));
}

/* ---- parts of the subtree ---- */

static void
draw_exchange(proto_tree *tree, tvbuff_t *tvb, const frame_note_t *note)
{
    proto_tree *exchange_tree;

    if (!note->exchange)
        return;
    exchange_tree = proto_item_add_subtree(add_text(tree, hf_exchange, tvb, note->exchange), ett_exchange);
    add_text(exchange_tree, hf_exchange_confidence, tvb, confidence_text(note->exchange_confidence));
    add_frame(exchange_tree, hf_exchange_request_in, tvb, note->request_in);
    add_frame(exchange_tree, hf_exchange_response_in, tvb, note->response_in);
    if (note->exchange_time > 0)
        add_duration(exchange_tree, hf_exchange_time, tvb, note->exchange_time);
    add_frame(exchange_tree, hf_retransmission_next, tvb, note->retransmission_next);
    if (note->retransmission_of == FRAME_NONE)
        return;
    add_frame(exchange_tree, hf_retransmission_of, tvb, note->retransmission_of);
    add_uint(exchange_tree, hf_retransmission_count, tvb, note->retransmission_count);
    add_duration(exchange_tree, hf_retransmission_rto, tvb, note->retransmission_rto);
}

static void
draw_spi(proto_tree *tree, tvbuff_t *tvb, const frame_note_t *note)
{
    add_frame(tree, hf_spi_first_seen_in, tvb, note->spi_first_seen_in);
    add_frame(tree, hf_spi_announced_in, tvb, note->spi_announced_in);
    add_frame(tree, hf_spi_deleted_in, tvb, note->spi_deleted_in);
}

static void
draw_nat_detection(proto_tree *tree, tvbuff_t *tvb, const frame_note_t *note)
{
    if (note->nat_source)
        add_text(tree, hf_nat_source, tvb, note->nat_source);
    if (note->nat_destination)
        add_text(tree, hf_nat_destination, tvb, note->nat_destination);
}

static void
draw_nat(proto_tree *tree, tvbuff_t *tvb, const finding_t *finding)
{
    if (finding->id != FINDING_nat_port_flip)
        return;
    add_uint(tree, hf_nat_old_port, tvb, finding->old_port);
    add_uint(tree, hf_nat_new_port, tvb, finding->new_port);
    if (finding->grade != NAT_GRADE_NONE)
        add_text(tree, hf_nat_grade, tvb, nat_grade_text(finding->grade));
}

static void
draw_lost_between(proto_tree *tree, tvbuff_t *tvb, const finding_t *finding)
{
    if (finding->lost_from[0] == '\0')
        return;
    char *text = g_strdup_printf("%s and %s", finding->lost_from, finding->lost_to);
    add_text(tree, hf_lost_between, tvb, text);
    g_free(text);
}

/* The most telling thing to look at; the report has all of them. */
static void
draw_check(proto_tree *tree, tvbuff_t *tvb, const finding_t *finding)
{
    const char *const *checks = checks_of(finding->id);

    if (finding->severity >= SEVERITY_WARN && checks[0])
        add_text(tree, hf_analysis_check, tvb, checks[0]);
}

enum { DETAIL_LINE_MAX = 200 }; /* Wireshark cuts a line at 240 bytes, and the field's name and brackets are on it too */

/* How much of `text` goes into one line: whole sentences if possible, whole words otherwise. */
static size_t
line_length(const char *text)
{
    const size_t length = strlen(text);
    size_t sentence = 0, word = 0;

    if (length <= DETAIL_LINE_MAX)
        return length;
    for (size_t i = 1; i < DETAIL_LINE_MAX; i++) {
        if (text[i] != ' ')
            continue;
        word = i;
        if (text[i - 1] == '.')
            sentence = i;
    }
    return sentence ? sentence : word ? word : length;
}

/* What happened, in as many lines as it takes. The field has all of it. */
static void
draw_text(proto_tree *tree, tvbuff_t *tvb, const char *text)
{
    size_t length = line_length(text);

    proto_item_set_generated(
        proto_tree_add_string_format_value(tree, hf_analysis_text, tvb, 0, 0, text, "%.*s", (int)length, text));
    for (text += length; *text; text += length) {
        proto_item *item;

        text += strspn(text, " ");
        length = line_length(text);
        proto_tree_add_subtree_format(tree, tvb, 0, 0, ett_finding, &item, "%.*s", (int)length, text);
        proto_item_set_generated(item);
    }
}

static void
draw_finding(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const finding_t *finding)
{
    const char *id = finding_catalogue[finding->id].id;
    proto_item *item = proto_tree_add_string_format(tree, hf_analysis_finding, tvb, 0, 0, id, "%s (%s, %s)", id,
                                                    severity_text(finding->severity), confidence_text(finding->confidence));
    proto_tree *finding_tree = proto_item_add_subtree(item, ett_finding);

    proto_item_set_generated(item);
    draw_text(finding_tree, tvb, finding->text ? finding->text : "");
    draw_check(finding_tree, tvb, finding);
    add_text(finding_tree, hf_analysis_severity, tvb, severity_text(finding->severity));
    add_text(finding_tree, hf_analysis_group, tvb, finding_group_text(finding_catalogue[finding->id].group));
    add_text(finding_tree, hf_analysis_confidence, tvb, confidence_text(finding->confidence));
    for (unsigned i = 0; i < finding->evidences; i++)
        add_frame(finding_tree, hf_analysis_evidence, tvb, finding->evidence[i]);
    draw_nat(finding_tree, tvb, finding);
    draw_lost_between(finding_tree, tvb, finding);
    if (finding->cause) {
        add_text(finding_tree, hf_analysis_cause, tvb, finding_catalogue[finding->cause->id].id);
        add_frame(finding_tree, hf_analysis_cause_in, tvb, finding->cause->frame);
    }
    expert_add_info(pinfo, item, fields_expert(finding));
}

/* The incident in whose time the frame lies: one filter shows all of an outage. */
static void
draw_incident(proto_tree *tree, tvbuff_t *tvb, const frame_note_t *note)
{
    const uint32_t which =
        note->tunnel != INDEX_NONE ? engine_incident_at(observe_engine(), note->tunnel, note->frame) : INDEX_NONE;
    incident_row_t incident;

    if (which == INDEX_NONE)
        return;
    engine_incident_row(observe_engine(), note->tunnel, which, &incident);
    add_uint(tree, hf_incident, tvb, which);
    add_text(tree, hf_incident_root_cause, tvb, finding_catalogue[incident.root_cause].id);
    if (incident.chain_length > 0)
        add_frame(tree, hf_incident_root_cause_in, tvb, incident.chain[0]->frame);
}

static void
draw_findings(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const GPtrArray *findings)
{
    proto_item *item = proto_tree_add_item(tree, hf_analysis_flags, tvb, 0, 0, ENC_NA);
    proto_tree *analysis_tree = proto_item_add_subtree(item, ett_analysis);

    proto_item_set_generated(item);
    for (unsigned i = 0; i < findings->len; i++)
        draw_finding(analysis_tree, tvb, pinfo, findings->pdata[i]);
}

static void
draw_note(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const frame_note_t *note)
{
    proto_item *item = proto_tree_add_item(tree, proto_ipsec, tvb, 0, 0, ENC_NA);
    proto_tree *subtree = proto_item_add_subtree(item, ett_ipsec);

    proto_item_set_generated(item);
    append_to_title(item, note);
    add_index(subtree, hf_tunnel, tvb, note->tunnel);
    add_index(subtree, hf_ike_sa, tvb, note->ike_sa);
    add_index(subtree, hf_child_sa, tvb, note->child_sa);
    draw_exchange(subtree, tvb, note);
    draw_nat_detection(subtree, tvb, note);
    draw_spi(subtree, tvb, note);
    if (note->is_copy)
        add_flag(subtree, hf_copy, tvb);
    if (note->is_malformed)
        add_flag(subtree, hf_malformed, tvb);
    if (note->findings && note->findings->len > 0)
        draw_findings(subtree, tvb, pinfo, note->findings);
    if (tree)
        draw_incident(subtree, tvb, note);
}

/* ---- the post-dissector ---- */

/* The note to show: the one attached to the frame, or, when it is visited again, what only later frames or the end of the capture
 * added to it. */
static const frame_note_t *
note_of_frame(packet_info *pinfo)
{
    const frame_note_t *note = observe_note(pinfo);

    if (note || !PINFO_FD_VISITED(pinfo))
        return note;
    return engine_note(observe_engine(), pinfo->num);
}

static bool
note_of_esp(const packet_info *pinfo, const sighting_t *sighting, frame_note_t *ret_note)
{
    return sighting->kind == PACKET_ESP &&
           engine_note_esp(observe_engine(), pinfo->num, &sighting->source, &sighting->destination, sighting->spi, ret_note);
}

/* What is known about a frame with these packets, of which the frame's own note is a part or all. */
static bool
note_with(packet_info *pinfo, const sighting_t *sightings, const frame_note_t *note, frame_note_t *ret_note)
{
    if (note_of_esp(pinfo, sightings, ret_note)) {
        if (note)
            ret_note->findings = note->findings;
        return true;
    }
    if (note)
        *ret_note = *note;
    return note != NULL;
}

bool
subtree_note_of(packet_info *pinfo, frame_note_t *ret_note)
{
    const sighting_t *sightings = observe_kept_sightings(pinfo);

    return sightings && note_with(pinfo, sightings, note_of_frame(pinfo), ret_note);
}

/* ESP inside ESP: every further packet of another SA has its own subtree, without the frame's findings. */
static void
draw_inner_esp(proto_tree *tree, tvbuff_t *tvb, packet_info *pinfo, const sighting_t *sightings)
{
    for (const sighting_t *inner = sightings->next; inner; inner = inner->next) {
        frame_note_t note;

        if (inner->spi == sightings->spi || !note_of_esp(pinfo, inner, &note))
            continue;
        note.findings = NULL;
        draw_note(tree, tvb, pinfo, &note);
    }
}

uint32_t
subtree_tunnel_of(const tap_frame_t *frame)
{
    frame_note_t note;

    return note_with(frame->pinfo, frame->sightings, frame->note, &note) ? note.tunnel : INDEX_NONE;
}

static void
queue_tap(packet_info *pinfo, const sighting_t *sightings, const frame_note_t *note)
{
    tap_frame_t *record = wmem_new(pinfo->pool, tap_frame_t);

    *record = (tap_frame_t){ .pinfo = pinfo, .sightings = sightings, .note = note };
    tap_queue_packet(tap_ipsec, pinfo, record);
}

static void
draw_sightings(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, const sighting_t *sightings, const frame_note_t *note)
{
    frame_note_t shown;

    if (!note_with(pinfo, sightings, note, &shown))
        return;
    pinfo->current_proto = proto_get_protocol_short_name(find_protocol_by_id(proto_ipsec)); /* whose the expert items are */
    draw_note(tree, tvb, pinfo, &shown);
    draw_inner_esp(tree, tvb, pinfo, sightings);
    if (shown.findings)
        append_to_info(pinfo, shown.findings);
}

/* Always returns 0: the protocol must not appear in frame.protocols, and the items stay where they were added all the same. */
static int
draw_frame(tvbuff_t *tvb, packet_info *pinfo, proto_tree *tree, void *data _U_)
{
    if (!observe_engine())
        return 0;
    observe_frame(pinfo);
    observe_rest(tvb, pinfo);
    const bool is_shown = proto_field_is_referenced(tree, proto_ipsec); /* else a filter is tried that asks for other protocols */
    const sighting_t *sightings = observe_take_sightings(pinfo, is_shown);
    if (!sightings)
        return 0;
    const frame_note_t *note = note_of_frame(pinfo);
    if (note || is_shown)
        draw_sightings(tvb, pinfo, tree, sightings, note);
    if (have_tap_listener(tap_ipsec))
        queue_tap(pinfo, sightings, note);
    return 0;
}

void
subtree_register(void)
{
    tap_ipsec = register_tap(SUBTREE_TAP);
    proto_any_frame = proto_register_protocol_in_name_only("IPsec Tunnel Analysis (Any Frame)", "IPsec (any frame)", "ipsec.frame",
                                                           proto_ipsec, FT_PROTOCOL);
}

void
subtree_handoff(void)
{
    register_postdissector(create_dissector_handle(draw_frame, proto_any_frame));
}
