/* script_expect.c - what a script says the engine must find.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "script_parse.h"

#include <string.h>

bool
parse_finding_id(scan_t *scan, const char *word, finding_id_t *ret_id)
{
    for (unsigned id = 0; id < FINDING_COUNT; id++) {
        if (g_str_equal(finding_catalogue[id].id, word)) {
            *ret_id = (finding_id_t)id;
            return true;
        }
    }
    scan_error(scan, "no finding `%s' in the catalogue", word);
    return false;
}

/* "observed", "warn", "3 times", "many", "grade harmful", "cause nat_port_flip" */
static void
parse_qualifiers(scan_t *scan, expectation_t *expectation)
{
    static const struct {
        const char *word;
        int severity, confidence;
    } words[] = {
        { "observed", UNSAID, CONFIDENCE_OBSERVED }, { "inferred", UNSAID, CONFIDENCE_INFERRED },
        { "error", SEVERITY_ERROR, UNSAID },         { "warn", SEVERITY_WARN, UNSAID },
        { "note", SEVERITY_NOTE, UNSAID },           { "chat", SEVERITY_CHAT, UNSAID },
    };
    static const struct {
        const char *word;
        nat_grade_t grade;
    } grades[] = { { "recovered", NAT_GRADE_RECOVERED }, { "split", NAT_GRADE_SPLIT }, { "harmful", NAT_GRADE_HARMFUL } };

    while (!scan_at_end(scan)) {
        const char *word = scan_peek(scan);
        bool known = false;
        int64_t number;
        finding_id_t cause;

        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
            if (g_str_equal(words[i].word, word)) {
                expectation->severity = words[i].severity != UNSAID ? words[i].severity : expectation->severity;
                expectation->confidence = words[i].confidence != UNSAID ? words[i].confidence : expectation->confidence;
                known = scan_accept(scan, words[i].word);
            }
        }
        if (known)
            continue;
        if (scan_accept(scan, "many")) {
            expectation->count = MANY;
        } else if (scan_accept(scan, "grade")) {
            for (size_t i = 0; i < G_N_ELEMENTS(grades); i++)
                if (scan_accept(scan, grades[i].word))
                    expectation->grade = (int)grades[i].grade;
        } else if (scan_accept(scan, "text")) {
            expectation->word = scan_words(scan, "part of the text");
        } else if (scan_accept(scan, "between")) {
            expectation->between = scan_words(scan, "FROM > TO");
        } else if (scan_accept(scan, "cause")) {
            word = scan_word(scan, "finding id");
            if (word != NULL && parse_finding_id(scan, word, &cause))
                expectation->cause = (int)cause;
        } else if (scan_number(scan, &number) && scan_accept(scan, "times")) {
            expectation->count = (unsigned)number;
        } else {
            scan_error(scan, "cannot read `%s'", scan->next);
            return;
        }
    }
}

/* "incident root=ID chain=a,b,c" */
static void
parse_incident(scan_t *scan, expectation_t *expectation)
{
    expectation->kind = EXPECT_INCIDENT;
    expectation->id = FINDING_COUNT;
    while (!scan_at_end(scan)) {
        const char *word = scan_word(scan, "root= or chain=");

        if (g_str_has_prefix(word, "root=")) {
            parse_finding_id(scan, word + strlen("root="), &expectation->id);
        } else if (g_str_has_prefix(word, "chain=")) {
            char **ids = g_strsplit(word + strlen("chain="), ",", -1);

            for (unsigned i = 0; ids[i] != NULL && i < G_N_ELEMENTS(expectation->chain); i++)
                if (parse_finding_id(scan, ids[i], &expectation->chain[i]))
                    expectation->chain_length = i + 1;
            g_strfreev(ids);
        } else {
            scan_error(scan, "root= or chain= expected");
        }
    }
}

static void
parse_of_tunnel(scan_t *scan, expectation_t *expectation)
{
    int64_t number;

    if (scan_accept(scan, "of") && scan_number(scan, &number))
        expectation->number = (unsigned)number;
}

static void
parse_number(scan_t *scan, expectation_t *expectation)
{
    int64_t number;

    if (scan_number(scan, &number))
        expectation->number = (unsigned)number;
    else
        scan_error(scan, "number expected");
}

/* "nat A before_or_forced inferred of 1" */
static void
parse_nat(scan_t *scan, expectation_t *expectation)
{
    expectation->kind = EXPECT_NAT;
    expectation->peer = scan_accept(scan, "A") ? PEER_A : scan_accept(scan, "B") ? PEER_B : PEER_UNKNOWN;
    if (expectation->peer == PEER_UNKNOWN)
        scan_error(scan, "A or B expected");
    expectation->word = scan_word(scan, "state");
    if (scan_accept(scan, "inferred"))
        expectation->confidence = CONFIDENCE_INFERRED;
    else if (scan_accept(scan, "observed"))
        expectation->confidence = CONFIDENCE_OBSERVED;
    parse_of_tunnel(scan, expectation);
}

/* Everything that is not a finding. False: it is one. */
static bool
parse_other(scan_t *scan, expectation_t *expectation)
{
    if (scan_accept(scan, "incident")) {
        parse_incident(scan, expectation);
    } else if (scan_accept(scan, "story")) {
        expectation->kind = EXPECT_STORY;
        expectation->word = scan_words(scan, "part of the story");
    } else if (scan_accept(scan, "untold")) {
        expectation->kind = EXPECT_UNTOLD;
        expectation->word = scan_words(scan, "part of the story");
    } else if (scan_accept(scan, "tunnels")) {
        expectation->kind = EXPECT_TUNNELS;
        parse_number(scan, expectation);
    } else if (scan_accept(scan, "tunnel")) {
        expectation->kind = EXPECT_TUNNEL;
        parse_number(scan, expectation);
    } else if (scan_accept(scan, "state")) {
        expectation->kind = EXPECT_STATE;
        expectation->word = scan_word(scan, "state");
        parse_of_tunnel(scan, expectation);
    } else if (scan_accept(scan, "nat")) {
        parse_nat(scan, expectation);
    } else if (scan_accept(scan, "source")) {
        expectation->kind = EXPECT_SOURCE;
        expectation->word = scan_words(scan, "words");
    } else if (scan_accept(scan, "destination")) {
        expectation->kind = EXPECT_DESTINATION;
        expectation->word = scan_words(scan, "words");
    } else if (scan_accept(scan, "exchange")) {
        expectation->kind = EXPECT_EXCHANGE;
        expectation->word = scan_word(scan, "exchange");
    } else if (scan_accept(scan, "row")) {
        expectation->kind = EXPECT_ROW;
        expectation->word = scan_word(scan, "field=number");
        parse_of_tunnel(scan, expectation);
    } else {
        return false;
    }
    return true;
}

void
parse_expectation(scan_t *scan, scenario_t *scenario, const char *text, bool is_allowance, where_t where, keys_t keys)
{
    expectation_t expectation = { .place = scan->place,
                                  .text = text,
                                  .where = where,
                                  .keys = keys,
                                  .severity = UNSAID,
                                  .confidence = UNSAID,
                                  .grade = UNSAID,
                                  .cause = UNSAID,
                                  .count = 1 };
    const char *word;

    if (scan_accept(scan, "nothing"))
        return; /* "nothing else" is the rule; saying it helps the reader */
    if (scenario->steps->len == 0 && where == WHERE_STEP)
        scan_error(scan, "no step above this expectation");
    expectation.step = scenario->steps->len - 1;
    if (!parse_other(scan, &expectation)) {
        expectation.kind = is_allowance ? EXPECT_ALLOW : scan_accept(scan, "no") ? EXPECT_NO : EXPECT_FINDING;
        word = scan_word(scan, "finding id");
        if (word == NULL || !parse_finding_id(scan, word, &expectation.id))
            return;
        parse_qualifiers(scan, &expectation);
    }
    if (!scan_at_end(scan))
        scan_error(scan, "cannot read `%s'", scan->next);
    g_array_append_val(scenario->expectations, expectation);
}
