/* script_step.c - one line of the ladder: when, from whom to whom, and what.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "script_parse.h"

#include <string.h>

bool
scenario_has_peer(const scenario_t *scenario, const char *name)
{
    for (unsigned i = 0; i < scenario->peers->len; i++)
        if (g_str_equal(g_array_index(scenario->peers, peer_spec_t, i).name, name))
            return true;
    return false;
}

/* "request {..}", "response SK {..}", "request SKF 1/3 {..}" */
static void
parse_v2_message(scan_t *scan, message_spec_t *message)
{
    if (!scan_number(scan, &message->message_id))
        message->message_id = -1;
    if (scan_accept(scan, "response"))
        message->is_response = true;
    else if (!scan_accept(scan, "request"))
        scan_error(scan, "request or response expected");
    if (scan_accept(scan, "SK")) {
        message->protection = PROTECTION_SK;
    } else if (scan_accept(scan, "SKF")) {
        const char *word = scan_word(scan, "k/n");
        char *slash = NULL;

        message->protection = PROTECTION_SKF;
        message->fragment = word != NULL ? (uint16_t)g_ascii_strtoull(word, &slash, 10) : 0;
        message->fragments = slash != NULL && *slash == '/' ? (uint16_t)g_ascii_strtoull(slash + 1, NULL, 10) : 0;
        if (message->fragment == 0 || message->fragments < message->fragment)
            scan_error(scan, "SKF k/n expected");
    }
    message->payloads = scan_payloads(scan);
}

/* "MAIN_MODE {..}", "QUICK_MODE q1 E {..}" */
static void
parse_v1_message(scan_t *scan, message_spec_t *message)
{
    if (!scan_accept(scan, "E")) {
        if (*scan_peek(scan) != '{') {
            message->label = scan_word(scan, "name");
            if (scan_accept(scan, "E"))
                message->protection = PROTECTION_V1;
        }
    } else {
        message->protection = PROTECTION_V1;
    }
    message->payloads = scan_payloads(scan);
}

static void
parse_message(scan_t *scan, step_t *step)
{
    message_spec_t *message = &step->message;
    const char *word = scan_word(scan, "exchange");

    step->act = ACT_MESSAGE;
    message->ike = "A";
    message->message_id = -1;
    if (word != NULL && word[0] == '[' && strlen(word) > 2) {
        message->ike = g_string_chunk_insert_len(scan->strings, word + 1, (gssize)strlen(word) - 2);
        word = scan_word(scan, "exchange");
    }
    message->exchange = word != NULL ? exchange_by_name(word) : NULL;
    if (message->exchange == NULL) {
        scan_error(scan, "unknown exchange or packet `%s'", word != NULL ? word : "");
        message->exchange = exchange_by_name("INFORMATIONAL");
        message->payloads = g_array_new(FALSE, TRUE, sizeof(payload_spec_t));
        scan->next = "";
        return;
    }
    if (message->exchange->version == 1)
        parse_v1_message(scan, message);
    else
        parse_v2_message(scan, message);
}

static void
parse_icmp(scan_t *scan, step_t *step)
{
    static const struct {
        const char *name;
        uint8_t type, code;
    } errors[] = {
        { "host-unreachable", 3, 1 },  { "port-unreachable", 3, 3 }, { "frag-needed", 3, 4 },
        { "admin-prohibited", 3, 13 }, { "time-exceeded", 11, 0 },   { "reassembly-time-exceeded", 11, 1 },
    };
    const char *word = scan_word(scan, "ICMP error");

    step->act = ACT_ICMP;
    for (size_t i = 0; i < G_N_ELEMENTS(errors); i++) {
        if (word != NULL && g_str_equal(errors[i].name, word)) {
            step->icmp_type = errors[i].type;
            step->icmp_code = errors[i].code;
            step->icmp_is_brief = scan_accept(scan, "brief");
            return;
        }
    }
    scan_error(scan, "unknown ICMP error");
}

static bool
parse_option_number(scan_t *scan, const char *word, int64_t *ret_number)
{
    if (!scan_accept(scan, word))
        return false;
    if (!scan_number(scan, ret_number))
        scan_error(scan, "number expected after %s", word);
    return true;
}

static bool
parse_option(scan_t *scan, step_t *step)
{
    int64_t number = 0;
    endpoint_t endpoint;

    if (parse_option_number(scan, "seq", &number))
        step->sequence = number;
    else if (parse_option_number(scan, "old", &number)) {
        step->sequence = number;
        step->is_old = true;
    } else if (parse_option_number(scan, "spi", &number))
        step->spi = (uint32_t)number;
    else if (scan_accept(scan, "counter"))
        step->counter = scan_word(scan, "name");
    else if (parse_option_number(scan, "skip", &number))
        step->skip = (uint32_t)number;
    else if (parse_option_number(scan, "size", &number))
        step->size = (uint16_t)number;
    else if (parse_option_number(scan, "mtu", &number))
        step->icmp_mtu = number;
    else if (scan_accept(scan, "in-fragments"))
        step->fragments = FRAGMENTS_ALL;
    else if (scan_accept(scan, "first-fragment"))
        step->fragments = FRAGMENTS_FIRST_ONLY;
    else if (scan_accept(scan, "lost"))
        step->is_lost = true;
    else if (scan_accept(scan, "forged"))
        step->is_forged = true;
    else if (scan_accept(scan, "hidden"))
        step->hidden_by = scan_word(scan, "protocol");
    else if (scan_accept(scan, "every"))
        return scan_duration(scan, &step->every);
    else if (scan_accept(scan, "for"))
        return scan_duration(scan, &step->lasting);
    else if (scan_accept(scan, "as"))
        step->label = scan_word(scan, "name");
    else if (scan_accept(scan, "by"))
        step->reporter = scan_word(scan, "address");
    else if (scan_accept(scan, "native"))
        step->encapsulation = ENCAPSULATION_NONE;
    else if (scan_accept(scan, "udp"))
        step->encapsulation = ENCAPSULATION_UDP;
    else if (scan_accept(scan, "ah")) {
        step->encapsulation = ENCAPSULATION_NONE;
        step->is_ah = true;
        step->is_around_esp = scan_accept(scan, "around");
    } else if (scan_accept(scan, "to")) {
        step->to_address = scan_peek(scan);
        if (!scan_endpoint(scan, &endpoint))
            return false;
        step->to_port = endpoint.port;
        if (endpoint.family == ADDRESS_NONE)
            step->to_address = NULL;
    } else if (scan_accept(scan, "from")) {
        step->from_address = scan_peek(scan);
        if (!scan_endpoint(scan, &endpoint))
            return false;
        step->from_port = endpoint.port;
        if (endpoint.family == ADDRESS_NONE)
            step->from_address = NULL;
    } else {
        return false;
    }
    return true;
}

/* "I -> R esp c every 1s", after the time. */
static void
parse_packet(scan_t *scan, const scenario_t *scenario, step_t *step)
{
    const char *left = scan_word(scan, "peer");
    const char *arrow = scan_word(scan, "arrow");
    const char *right = scan_word(scan, "peer");

    if (left == NULL || arrow == NULL || right == NULL)
        return;
    if (!scenario_has_peer(scenario, left) || !scenario_has_peer(scenario, right))
        scan_error(scan, "unknown peer in `%s %s %s'", left, arrow, right);
    step->both = g_str_equal(arrow, "<>");
    step->from = g_str_equal(arrow, "<-") ? right : left;
    step->to = g_str_equal(arrow, "<-") ? left : right;
    if (scan_accept(scan, "esp")) {
        step->act = ACT_ESP;
        step->child = scan_word(scan, "child");
    } else if (scan_accept(scan, "keepalive")) {
        step->act = ACT_KEEPALIVE;
    } else if (scan_accept(scan, "stop")) {
        step->act = ACT_STOP;
        step->child = scan_at_end(scan) ? NULL : scan_word(scan, "child");
    } else if (scan_accept(scan, "icmp")) {
        parse_icmp(scan, step);
    } else if (scan_accept(scan, "syslog")) {
        step->act = ACT_SYSLOG;
        step->form = scan_word(scan, "whose message");
        step->child = scan_word(scan, "child");
    } else if (scan_accept(scan, "again")) {
        step->act = ACT_AGAIN;
        if (!scan_at_end(scan) && !g_str_equal(scan_peek(scan), "to") && !g_str_equal(scan_peek(scan), "lost") &&
            !g_str_equal(scan_peek(scan), "from"))
            step->label = scan_word(scan, "name");
    } else {
        parse_message(scan, step);
    }
    while (!scan_at_end(scan)) {
        if (!parse_option(scan, step)) {
            scan_error(scan, "cannot read `%s'", scan->next);
            break;
        }
    }
}

/* "port I 1409 -> 1408", "port I 1408", "address I 192.0.2.9:500" */
static void
parse_endpoint_change(scan_t *scan, const scenario_t *scenario, step_t *step)
{
    step->act = ACT_ENDPOINT;
    step->from = scan_word(scan, "peer");
    if (step->from != NULL && !scenario_has_peer(scenario, step->from))
        scan_error(scan, "unknown peer `%s'", step->from);
    if (!scan_endpoint(scan, &step->endpoint))
        scan_error(scan, "port or address expected");
    if (scan_accept(scan, "->") && !scan_endpoint(scan, &step->endpoint))
        scan_error(scan, "port or address expected after ->");
}

void
parse_step(scan_t *scan, scenario_t *scenario, const char *text)
{
    step_t step = { .place = scan->place, .text = text, .sequence = -1, .encapsulation = -1, .icmp_mtu = -1 };

    if (*scan_peek(scan) == '+') {
        scan->next++;
        if (!scan_duration(scan, &step.wait))
            scan_error(scan, "time expected after +");
    }
    if (scan_accept(scan, "quiet")) {
        step.act = ACT_QUIET;
        if (!scan_duration(scan, &step.lasting))
            scan_error(scan, "time expected");
    } else if (scan_accept(scan, "tcp")) {
        step.act = ACT_TCP;
    } else if (scan_accept(scan, "udp")) {
        step.act = ACT_UDP;
    } else if (scan_accept(scan, "stop")) {
        step.act = ACT_STOP;
        step.child = scan_at_end(scan) ? NULL : scan_word(scan, "child");
    } else if (scan_accept(scan, "port") || scan_accept(scan, "address")) {
        parse_endpoint_change(scan, scenario, &step);
    } else {
        parse_packet(scan, scenario, &step);
    }
    if (!scan_at_end(scan))
        scan_error(scan, "cannot read `%s'", scan->next);
    g_array_append_val(scenario->steps, step);
}
