/* test_well_formed.c - do the readers that judge the reports refuse what they should?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "well_formed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool
plain(const char *text)
{
    return is_plain_text(text, strlen(text));
}

static bool
json(const char *text)
{
    return is_json(text, strlen(text));
}

static bool
html(const char *body)
{
    char page[400];
    int length = snprintf(page, sizeof page,
                          "<!DOCTYPE html>\n<html><head><style>S</style></head><body>%s<script>J</script></body></html>\n", body);

    return is_html_report(page, (size_t)length, "J", 1, "S", 1);
}

static void
text_is_plain(void **state)
{
    (void)state;
    assert_true(plain("two\nlines, caf\xc3\xa9"));
    assert_false(plain("\xc3"));
    assert_false(plain("\x1b[31m"));
    assert_false(plain("over\rwritten"));
    assert_false(plain("\xe2\x80\xae"
                       "reversed"));
    assert_false(is_plain_text("nothing\0behind", 14));
}

static void
json_is_strict(void **state)
{
    (void)state;
    assert_true(json("{\"a\": [1, -2.50, 1e3, \"\\u00e9\\n\", true, null], \"b\": {}}\n"));
    assert_false(json("{\"a\": \"b\" c\"}"));
    assert_false(json("{\"a\": \"line\nend\"}"));
    assert_false(json("{\"a\": \"\xff\"}"));
    assert_false(json("{\"a\": \"\\x\"}"));
    assert_false(json("[1, 2,]"));
    assert_false(json("[01]"));
    assert_false(json("[1.]"));
    assert_false(json("[nan]"));
    assert_false(json("[1"));
    assert_false(json("[1] 2"));
    assert_false(json(""));
}

static void
html_has_no_markup_of_others(void **state)
{
    (void)state;
    assert_true(html("<p class=\"x\" id=\"y\">a &amp; b &lt;script&gt;</p><a href=\"#frame-1\">1</a><details open></details>"));
    assert_false(html("<p><img></p>"));
    assert_false(html("<script>K</script>"));
    assert_false(html("<script>J</script>"));
    assert_false(html("<style>S</style>"));
    assert_false(html("<p onclick=\"x\"></p>"));
    assert_false(html("<p class=\"a\"b\"></p>"));
    assert_false(html("<p class=\"a<b\"></p>"));
    assert_false(html("<p class=x></p>"));
    assert_false(html("<a href=\"http://x\">1</a>"));
    assert_false(html("a > b"));
    assert_false(html("a < b"));
    assert_false(html("a & b"));
    assert_false(html("&nbsp;"));
    assert_false(html("<p><b></p></b>"));
    assert_false(html("<p>"));
    assert_false(html("</p>"));
    assert_false(html("<!-- -->"));
    assert_false(html("\x1b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_plain),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(html_has_no_markup_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
