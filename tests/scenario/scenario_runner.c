/* scenario_runner.c - tells each story of the given scripts to the engine, undistorted and as bad captures show it.
 *
 * Prints a matrix: one line per story, one column per distortion; `.` good, `n` wrong without keys, `k` wrong with keys, `X` both.
 * Exit status 0: everything as expected; 1: something is not; 2: a script cannot be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "judge.h"
#include "pcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIDSTREAM_CUTS_MAX = 40, CUT_CHECKS_MAX = 200, ALARMS_SHOWN_MAX = 4 };

typedef struct {
    const char *prelude_file;
    const char *only;
    const char *pcap_directory;
    bool is_verbose;
    bool plain_only;
} options_t;

/* One story under one keys mode. */
typedef struct {
    const scenario_t *scenario;
    keys_mode_t keys;
    const outcome_t *plain;
    const GArray *plain_views;
    GString *complaints;
} trial_t;

typedef struct {
    const outcome_t *plain;
    const under_t *under;
    GString *complaints;
    unsigned alarms;
} cut_check_t;

static void
check_cut(const GPtrArray *findings, unsigned frames, void *context)
{
    cut_check_t *check = context;

    for (unsigned i = 0; findings != NULL && i < findings->len; i++) {
        const finding_t *finding = g_ptr_array_index(findings, i);

        if (is_false_alarm(check->plain, finding, check->under) && ++check->alarms <= ALARMS_SHOWN_MAX)
            g_string_append_printf(check->complaints, "    cut behind frame %u: %s %s %s on frame %u%s: %s\n", frames,
                                   finding_catalogue[finding->id].id, severity_text(finding->severity),
                                   confidence_text(finding->confidence), finding->frame, finding->at_end ? " (end)" : "",
                                   finding->text != NULL ? finding->text : "");
    }
}

/* The capture ends early: asks for the end behind each frame and goes on, which must not change the whole story either. */
static bool
try_cuts(trial_t *trial)
{
    const under_t *under = &trial->scenario->under[DISTORTION_CUT];
    cut_check_t check = { trial->plain, under, trial->complaints, 0 };
    unsigned step = trial->plain_views->len / CUT_CHECKS_MAX + 1;
    outcome_t *outcome = outcome_with_cuts(trial->scenario, trial->plain_views, trial->keys, step, check_cut, &check);
    under_t none = { 0 };
    bool ok = check.alarms == 0;

    if (!judge_same(trial->plain, outcome, &none, trial->complaints)) {
        g_string_append(trial->complaints, "    (asking for the end in between changed the end)\n");
        ok = false;
    }
    outcome_free(outcome);
    return ok;
}

static bool
try_midstream(trial_t *trial, const GPtrArray *shots)
{
    const under_t *under = &trial->scenario->under[DISTORTION_MIDSTREAM];
    unsigned step = shots->len / MIDSTREAM_CUTS_MAX + 1, failures = 0;

    for (unsigned from = 1; from < shots->len; from++) {
        const shot_t *last_missing = g_ptr_array_index(shots, from - 1);
        GArray *views;
        outcome_t *outcome;
        gsize before = trial->complaints->len;

        if (from % step != 0 && (last_missing->is_foreign || last_missing->kind != PACKET_IKE))
            continue;
        views = distort(shots, DISTORTION_MIDSTREAM, from, NULL);
        outcome = outcome_of(trial->scenario, views, trial->keys);
        if (!judge_no_worse(trial->plain, outcome, under, trial->complaints)) {
            if (++failures <= ALARMS_SHOWN_MAX)
                g_string_append_printf(trial->complaints, "    (first %u packets missing)\n", from);
            else
                g_string_truncate(trial->complaints, before);
        }
        outcome_free(outcome);
        g_array_free(views, TRUE);
    }
    return failures == 0;
}

static bool
try_distortion(trial_t *trial, distortion_t distortion)
{
    const under_t *under = &trial->scenario->under[distortion];
    play_options_t options = distortion_play_options(distortion);
    GPtrArray *shots = play(trial->scenario, &options);
    bool must_be_same = distortion == DISTORTION_DOUBLED || distortion == DISTORTION_REORDERED || distortion == DISTORTION_IPV6;
    GArray *views;
    outcome_t *outcome;
    bool ok;

    if (distortion == DISTORTION_MIDSTREAM || distortion == DISTORTION_CUT) {
        ok = distortion == DISTORTION_CUT ? try_cuts(trial) : try_midstream(trial, shots);
        g_ptr_array_free(shots, TRUE);
        return ok;
    }
    two_points_t points = distortion_points(distortion);
    points.both_outside = trial->scenario->under[DISTORTION_BOTH_SIDES].is_skipped; /* the inside tells another story */
    views = distort(shots, distortion, 0, &points);
    outcome = outcome_of(trial->scenario, views, trial->keys);
    ok = must_be_same ? judge_same(trial->plain, outcome, under, trial->complaints)
                      : judge_no_worse(trial->plain, outcome, under, trial->complaints);
    outcome_free(outcome);
    g_array_free(views, TRUE);
    g_ptr_array_free(shots, TRUE);
    return ok;
}

static void
print_failure(const trial_t *trial, const char *distortion, GString *details)
{
    printf("FAIL %s [%s] (%s:%u) %s\n%s", trial->scenario->name, trial->keys == WITH_KEYS ? "keys" : "nokeys",
           trial->scenario->place.file, trial->scenario->place.line, distortion, details->str);
}

/* All distortions under one keys mode. `ret_failed` per distortion. */
static void
run_trial(const options_t *options, trial_t *trial, bool ret_failed[DISTORTIONS])
{
    GString *details = g_string_new(NULL);

    trial->complaints = details;
    ret_failed[DISTORTION_NONE] = !judge_story(trial->scenario, trial->plain_views, trial->plain, trial->keys, details);
    if (ret_failed[DISTORTION_NONE] || options->is_verbose) {
        print_ladder(trial->scenario, trial->plain_views, trial->plain, details);
        if (ret_failed[DISTORTION_NONE])
            print_failure(trial, "", details);
        else
            printf("%s [%s]\n%s", trial->scenario->name, trial->keys == WITH_KEYS ? "keys" : "nokeys", details->str);
    }
    for (unsigned i = DISTORTION_NONE + 1; i < DISTORTIONS; i++) {
        ret_failed[i] = false;
        if (trial->scenario->seen != DISTORTION_NONE || trial->scenario->under[i].is_skipped || options->plain_only)
            continue;
        g_string_truncate(details, 0);
        ret_failed[i] = !try_distortion(trial, (distortion_t)i);
        if (ret_failed[i])
            print_failure(trial, distortion_name((distortion_t)i), details);
    }
    g_string_free(details, TRUE);
}

static void
write_pcap(const options_t *options, const scenario_t *scenario, const GArray *views)
{
    char *name = g_strdup_printf("%s.pcap", scenario->name);
    char *file = g_build_filename(options->pcap_directory, name, NULL);

    if (!pcap_write(file, views))
        exit(2);
    g_free(file);
    g_free(name);
}

static bool
check_names(const scenario_t *scenario, outcome_t *const outcomes[2])
{
    GString *complaints = g_string_new(NULL);
    bool ok = judge_names(outcomes[WITHOUT_KEYS], outcomes[WITH_KEYS], complaints);

    if (!ok)
        printf("FAIL %s (%s:%u) names\n%s", scenario->name, scenario->place.file, scenario->place.line, complaints->str);
    g_string_free(complaints, TRUE);
    return ok;
}

/* True: as expected in all columns. */
static bool
run_scenario(const options_t *options, const scenario_t *scenario)
{
    play_options_t play_options = distortion_play_options(scenario->seen);
    GPtrArray *shots = play(scenario, &play_options);
    bool failed[2][DISTORTIONS], ok = true;
    outcome_t *outcomes[2];
    GArray *views;

    if (shots == NULL)
        exit(2);
    views = distort(shots, scenario->seen, scenario->seen_from, scenario->seen == DISTORTION_TWO_POINTS ? &scenario->points : NULL);
    if (options->pcap_directory != NULL)
        write_pcap(options, scenario, views);
    for (unsigned keys = WITHOUT_KEYS; keys <= WITH_KEYS; keys++) {
        trial_t trial = { .scenario = scenario, .keys = (keys_mode_t)keys, .plain_views = views };

        trial.plain = outcomes[keys] = outcome_of(scenario, views, (keys_mode_t)keys);
        run_trial(options, &trial, failed[keys]);
    }
    ok = check_names(scenario, outcomes);
    printf("%-52s ", scenario->name);
    for (unsigned i = 0; i < DISTORTIONS; i++) {
        bool skipped = i != DISTORTION_NONE && (scenario->seen != DISTORTION_NONE || scenario->under[i].is_skipped);

        putchar(skipped ? '-' : failed[0][i] && failed[1][i] ? 'X' : failed[0][i] ? 'n' : failed[1][i] ? 'k' : '.');
        ok = ok && !failed[0][i] && !failed[1][i];
    }
    putchar('\n');
    outcome_free(outcomes[WITHOUT_KEYS]);
    outcome_free(outcomes[WITH_KEYS]);
    g_array_free(views, TRUE);
    g_ptr_array_free(shots, TRUE);
    return ok;
}

static bool
parse_options(int argc, char **argv, options_t *options, int *ret_first_file)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            options->is_verbose = true;
        else if (strcmp(argv[i], "--plain") == 0)
            options->plain_only = true;
        else if (i + 1 < argc && strcmp(argv[i], "--preludes") == 0)
            options->prelude_file = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--only") == 0)
            options->only = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "--write-pcap") == 0)
            options->pcap_directory = argv[++i];
        else
            return false;
    }
    *ret_first_file = i;
    return i < argc;
}

/* `prelude.ladder` beside the script, unless the command line names another. */
static script_t *
read_script(const options_t *options, const char *file)
{
    char *directory = g_path_get_dirname(file);
    char *beside = g_build_filename(directory, "prelude.ladder", NULL);
    script_t *script = script_read(file, options->prelude_file != NULL ? options->prelude_file : beside);

    g_free(beside);
    g_free(directory);
    return script;
}

int
main(int argc, char **argv)
{
    options_t options = { 0 };
    unsigned stories = 0, failures = 0;
    int first_file;

    if (!parse_options(argc, argv, &options, &first_file)) {
        fprintf(stderr, "usage: scenario_runner [--verbose] [--plain] [--only NAME] [--preludes FILE] [--write-pcap DIR] "
                        "FILE...\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%-52s ", "columns:");
    for (unsigned i = 0; i < DISTORTIONS; i++)
        printf("%s%s", i > 0 ? ", " : "", distortion_name((distortion_t)i));
    putchar('\n');
    for (int i = first_file; i < argc; i++) {
        script_t *script = read_script(&options, argv[i]);

        if (script == NULL)
            return 2;
        for (unsigned k = 0; k < script->scenarios->len; k++) {
            const scenario_t *scenario = g_ptr_array_index(script->scenarios, k);

            if (options.only != NULL && strcmp(options.only, scenario->name) != 0)
                continue;
            stories++;
            failures += !run_scenario(&options, scenario);
        }
        script_free(script);
    }
    printf("%u stories, %u with failures\n", stories, failures);
    return failures > 0;
}
