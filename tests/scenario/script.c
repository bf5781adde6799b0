/* script.c - reads a scenario file: headers, preludes, and line by line what the other parts understand.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "script.h"

#include "script_parse.h"

#include <stdio.h>
#include <string.h>

static const char *const distortion_names[DISTORTIONS] = {
    [DISTORTION_NONE] = "none",
    [DISTORTION_DOUBLED] = "doubled",
    [DISTORTION_REORDERED] = "reordered",
    [DISTORTION_IPV6] = "ipv6",
    [DISTORTION_ONLY_FORWARD] = "only-forward",
    [DISTORTION_ONLY_BACK] = "only-back",
    [DISTORTION_MIDSTREAM] = "midstream",
    [DISTORTION_CUT] = "cut",
    [DISTORTION_BOTH_SIDES] = "both-sides-of-nat",
    [DISTORTION_SNAPLEN_64] = "snaplen-64",
    [DISTORTION_SNAPLEN_96] = "snaplen-96",
    [DISTORTION_CLOCKLESS] = "clockless",
    [DISTORTION_TWO_POINTS] = "two-points",
    [DISTORTION_TWO_POINTS_AHEAD] = "two-points-ahead",
    [DISTORTION_TWO_POINTS_BEHIND] = "two-points-behind",
};

/* What is being read. */
typedef struct {
    script_t *script;
    const char *file;
    char **prelude_lines;
    const char *prelude_file;
    scenario_t *scenario; /* NULL before the first */
    where_t where;
    unsigned errors;
} reader_t;

static void read_line(reader_t *reader, place_t place, const char *line);

const char *
distortion_name(distortion_t distortion)
{
    return distortion_names[distortion];
}

distortion_t
distortion_by_name(const char *name)
{
    unsigned i = 0;

    while (i < DISTORTIONS && !g_str_equal(distortion_names[i], name))
        i++;
    return (distortion_t)i;
}

static scenario_t *
scenario_new(place_t place, const char *name)
{
    scenario_t *scenario = g_new0(scenario_t, 1);

    scenario->place = place;
    scenario->name = name;
    scenario->peers = g_array_new(FALSE, TRUE, sizeof(peer_spec_t));
    scenario->steps = g_array_new(FALSE, TRUE, sizeof(step_t));
    scenario->expectations = g_array_new(FALSE, TRUE, sizeof(expectation_t));
    scenario->ike_suite = scenario->esp_suite = suite_by_name("aes-cbc-sha256");
    scenario->ike_group = "ecp256";
    scenario->child_group = "ecp256";
    return scenario;
}

static void
scenario_free(void *data)
{
    scenario_t *scenario = data;

    for (unsigned i = 0; i < scenario->steps->len; i++) {
        GArray *payloads = g_array_index(scenario->steps, step_t, i).message.payloads;

        if (payloads != NULL)
            g_array_free(payloads, TRUE);
    }
    g_array_free(scenario->peers, TRUE);
    g_array_free(scenario->steps, TRUE);
    g_array_free(scenario->expectations, TRUE);
    g_free(scenario);
}

static void
read_peers(scan_t *scan, scenario_t *scenario)
{
    while (!scan_at_end(scan)) {
        peer_spec_t peer = { .name = scan_word(scan, "peer") };

        if (!scan_endpoint(scan, &peer.endpoint)) {
            scan_error(scan, "address:port expected");
            return;
        }
        g_array_append_val(scenario->peers, peer);
    }
}

static void
read_natted(scan_t *scan, scenario_t *scenario)
{
    while (!scan_at_end(scan)) {
        const char *name = scan_word(scan, "peer");
        bool found = false;

        for (unsigned i = 0; i < scenario->peers->len; i++) {
            peer_spec_t *peer = &g_array_index(scenario->peers, peer_spec_t, i);

            if (g_str_equal(peer->name, name))
                found = peer->is_natted = true;
        }
        if (!found)
            scan_error(scan, "unknown peer `%s'", name);
    }
}

/* "under cut also tunnel_down, esp_one_way", "under both-sides-of-nat skip" */
static void
read_under(scan_t *scan, scenario_t *scenario)
{
    const char *word = scan_word(scan, "distortion");
    distortion_t distortion = word != NULL ? distortion_by_name(word) : DISTORTIONS;

    if (distortion == DISTORTIONS) {
        scan_error(scan, "unknown distortion");
        return;
    }
    if (scan_accept(scan, "skip")) {
        scenario->under[distortion].is_skipped = true;
        return;
    }
    if (!scan_accept(scan, "also")) {
        scan_error(scan, "skip or also expected");
        return;
    }
    while (!scan_at_end(scan)) {
        char *id_word = g_strdup(scan_word(scan, "finding id"));
        finding_id_t id;

        g_strdelimit(id_word, ",", 0);
        if (parse_finding_id(scan, id_word, &id))
            scenario->under[distortion].may_also[id] = true;
        g_free(id_word);
    }
}

static void
read_seen(scan_t *scan, scenario_t *scenario)
{
    const char *word = scan_word(scan, "distortion");
    int64_t number;

    scenario->seen = word != NULL ? distortion_by_name(word) : DISTORTIONS;
    if (scenario->seen == DISTORTIONS) {
        scan_error(scan, "unknown distortion");
        scenario->seen = DISTORTION_NONE;
    }
    if (scan_number(scan, &number))
        scenario->seen_from = (unsigned)number;
}

/* "points -2s", "points 1h by hops": captured at two places, the clock of the second so far ahead of the first's. */
static void
read_points(scan_t *scan, scenario_t *scenario)
{
    bool is_behind = *scan_peek(scan) == '-';

    scan->next += is_behind ? 1 : 0;
    if (!scan_duration(scan, &scenario->points.offset))
        scan_error(scan, "time expected after points");
    if (is_behind)
        scenario->points.offset = -scenario->points.offset;
    if (scan_accept(scan, "by"))
        scenario->points.by_hops = scan_accept(scan, "hops");
    scenario->seen = DISTORTION_TWO_POINTS;
}

static void
read_suite(scan_t *scan, scenario_t *scenario)
{
    const char *word = scan_word(scan, "suite");
    const suite_name_t *suite = word != NULL ? suite_by_name(word) : NULL;

    if (suite == NULL) {
        scan_error(scan, "unknown suite");
        return;
    }
    scenario->ike_suite = scenario->esp_suite = suite;
    if (scan_accept(scan, "esp")) {
        word = scan_word(scan, "suite");
        scenario->esp_suite = word != NULL ? suite_by_name(word) : NULL;
        if (scenario->esp_suite == NULL) {
            scan_error(scan, "unknown suite");
            scenario->esp_suite = suite;
        }
    }
    int64_t pad = 0;
    if (scan_accept(scan, "pad") && scan_number(scan, &pad))
        scenario->pad = (unsigned)pad;
}

static void
read_group(scan_t *scan, scenario_t *scenario)
{
    uint16_t group, size;

    scenario->ike_group = scan_word(scan, "group");
    scenario->child_group = scan_at_end(scan) ? scenario->ike_group : scan_word(scan, "group");
    if (scenario->ike_group == NULL || !group_by_name(scenario->ike_group, &group, &size) ||
        !group_by_name(scenario->child_group, &group, &size))
        scan_error(scan, "unknown group");
}

static void
read_preference(scan_t *scan, scenario_t *scenario)
{
    const char *name = scan_word(scan, "preference");
    int64_t number = 0;

    if (name == NULL || !scan_number(scan, &number))
        scan_error(scan, "NAME NUMBER expected");
    else if (g_str_equal(name, "grace"))
        scenario->pref_grace = (unsigned)number;
    else if (g_str_equal(name, "one_way"))
        scenario->pref_one_way = (unsigned)number;
    else if (g_str_equal(name, "restart"))
        scenario->pref_restart = (unsigned)number;
    else if (g_str_equal(name, "rekey"))
        scenario->pref_rekey = (unsigned)number;
    else if (g_str_equal(name, "window"))
        scenario->pref_window = (unsigned)number;
    else
        scan_error(scan, "unknown preference");
}

/* `line` with each $key replaced by its value in `values`. Unknown keys complain. */
static char *
substitute(scan_t *scan, const char *line, GHashTable *values)
{
    GString *text = g_string_new(NULL);

    while (*line != 0) {
        size_t length = 0;

        if (*line != '$') {
            g_string_append_c(text, *line++);
            continue;
        }
        while (g_ascii_isalnum(line[1 + length]) || line[1 + length] == '_')
            length++;
        char *key = g_strndup(line + 1, length);
        const char *value = g_hash_table_lookup(values, key);

        if (value == NULL)
            scan_error(scan, "given needs a value for `%s'", key);
        else
            g_string_append(text, value);
        g_free(key);
        line += 1 + length;
    }
    return g_string_free(text, FALSE);
}

/* "given NAME key value ..." puts the block of the prelude file in this place. */
static void
read_given(reader_t *reader, scan_t *scan)
{
    const char *name = scan_word(scan, "prelude");
    GHashTable *values = g_hash_table_new(g_str_hash, g_str_equal);
    bool inside = false, found = false;

    g_hash_table_insert(values, (char *)"client", (char *)"I");
    g_hash_table_insert(values, (char *)"server", (char *)"R");
    g_hash_table_insert(values, (char *)"ike", (char *)"A");
    g_hash_table_insert(values, (char *)"child", (char *)"c");
    while (!scan_at_end(scan)) {
        const char *key = scan_word(scan, "key"), *value = scan_word(scan, "value");

        if (key != NULL && value != NULL)
            g_hash_table_insert(values, (char *)key, (char *)value);
    }
    for (unsigned i = 0; reader->prelude_lines[i] != NULL; i++) {
        place_t place = { reader->prelude_file, i + 1 };
        scan_t block = { place, reader->prelude_lines[i], reader->script->strings, &reader->errors };

        if (scan_accept(&block, "prelude")) {
            inside = scan_accept(&block, name);
            found = found || inside;
        } else if (inside && *scan_peek(&block) != '#') {
            char *line = substitute(scan, block.next, values);

            read_line(reader, place, line);
            g_free(line);
        }
    }
    if (!found)
        scan_error(scan, "no prelude `%s'", name);
    g_hash_table_destroy(values);
}

static bool
read_header(reader_t *reader, scan_t *scan)
{
    scenario_t *scenario = reader->scenario;

    if (scan_accept(scan, "peers"))
        read_peers(scan, scenario);
    else if (scan_accept(scan, "nat"))
        read_natted(scan, scenario);
    else if (scan_accept(scan, "suite"))
        read_suite(scan, scenario);
    else if (scan_accept(scan, "group"))
        read_group(scan, scenario);
    else if (scan_accept(scan, "preference"))
        read_preference(scan, scenario);
    else if (scan_accept(scan, "under"))
        read_under(scan, scenario);
    else if (scan_accept(scan, "points"))
        read_points(scan, scenario);
    else if (scan_accept(scan, "seen"))
        read_seen(scan, scenario);
    else if (scan_accept(scan, "given"))
        read_given(reader, scan);
    else
        return false;
    return true;
}

/* A line without its comment and outer white space, which is what a ladder shows. */
static const char *
line_text(reader_t *reader, const char *line)
{
    char **parts = g_strsplit(line, "#", 2);
    char *text = g_strstrip(g_strdup(parts[0] != NULL ? parts[0] : ""));
    const char *kept = g_string_chunk_insert(reader->script->strings, text);

    g_free(text);
    g_strfreev(parts);
    return kept;
}

static void
read_line(reader_t *reader, place_t place, const char *line)
{
    const char *text = line_text(reader, line);
    scan_t scan = { place, text, reader->script->strings, &reader->errors };
    keys_t keys = KEYS_EITHER;
    where_t where;

    if (scan_at_end(&scan))
        return;
    if (scan_accept(&scan, "scenario")) {
        const char *name = scan_word(&scan, "name");

        reader->scenario = scenario_new(place, name != NULL ? name : "");
        reader->where = WHERE_STEP;
        g_ptr_array_add(reader->script->scenarios, reader->scenario);
        return;
    }
    if (reader->scenario == NULL) {
        scan_error(&scan, "scenario NAME expected first");
        return;
    }
    if (read_header(reader, &scan))
        return;
    if (scan_accept(&scan, "end")) {
        reader->where = WHERE_END;
        if (scan_at_end(&scan))
            return;
    }
    where = scan_accept(&scan, "anywhere") ? WHERE_ANYWHERE : reader->where;
    if (scan_accept(&scan, "keys:"))
        keys = KEYS_WITH;
    else if (scan_accept(&scan, "nokeys:"))
        keys = KEYS_WITHOUT;
    if (scan_accept(&scan, "expect"))
        parse_expectation(&scan, reader->scenario, text, false, where, keys);
    else if (scan_accept(&scan, "allow"))
        parse_expectation(&scan, reader->scenario, text, true, where, keys);
    else
        parse_step(&scan, reader->scenario, text);
}

static char **
read_lines(const char *file)
{
    char *content;
    char **lines;
    GError *error = NULL;

    if (!g_file_get_contents(file, &content, NULL, &error)) {
        fprintf(stderr, "%s\n", error->message);
        g_error_free(error);
        return NULL;
    }
    lines = g_strsplit(content, "\n", -1);
    g_free(content);
    return lines;
}

script_t *
script_read(const char *file, const char *prelude_file)
{
    script_t *script = g_new0(script_t, 1);
    reader_t reader = { .script = script, .where = WHERE_STEP };
    char **lines = read_lines(file);

    script->strings = g_string_chunk_new(4096);
    script->scenarios = g_ptr_array_new_with_free_func(scenario_free);
    reader.file = g_string_chunk_insert(script->strings, file);
    reader.prelude_file = g_string_chunk_insert(script->strings, prelude_file);
    reader.prelude_lines = read_lines(prelude_file);
    if (lines == NULL || reader.prelude_lines == NULL)
        reader.errors++;
    for (unsigned i = 0; lines != NULL && reader.prelude_lines != NULL && lines[i] != NULL; i++) {
        place_t place = { reader.file, i + 1 };

        read_line(&reader, place, lines[i]);
    }
    g_strfreev(lines);
    g_strfreev(reader.prelude_lines);
    if (reader.errors > 0) {
        script_free(script);
        return NULL;
    }
    return script;
}

void
script_free(script_t *script)
{
    g_ptr_array_free(script->scenarios, TRUE);
    g_string_chunk_free(script->strings);
    g_free(script);
}
