/* test_html.c - does text that comes from a capture stay text?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "present/page/html.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
expect(void (*put)(GString *, const char *, GHashTable *), const char *text, const char *expected)
{
    GHashTable *frames = g_hash_table_new(NULL, NULL);
    GString *out = g_string_new(NULL);

    g_hash_table_add(frames, GUINT_TO_POINTER(17));
    g_hash_table_add(frames, GUINT_TO_POINTER(181));
    put(out, text, frames);
    assert_string_equal(out->str, expected);
    g_string_free(out, TRUE);
    g_hash_table_destroy(frames);
}

static void
put_plain(GString *out, const char *text, GHashTable *frames)
{
    (void)frames;
    html_text(out, text);
}

static void
what_means_something_in_html_is_escaped(void **state)
{
    (void)state;
    expect(put_plain, "<b a=\"1\" c='2'>&amp;</b>", "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;&lt;/b&gt;");
    expect(html_text_with_frames, "<i>frame 17</i>", "&lt;i&gt;frame <a href=\"#frame-17\">17</a>&lt;/i&gt;");
    expect(put_plain, NULL, "");
}

static void
characters_that_deceive_are_shown_by_number(void **state)
{
    (void)state;
    expect(put_plain, "a\x1b[31m", "a[U+001B][31m");
    expect(put_plain, "\xe2\x80\xaegpj.exe", "[U+202E]gpj.exe");
    expect(put_plain, "\xe2\x81\xa6x\xe2\x80\x8b", "[U+2066]x[U+200B]");
    expect(put_plain, "\xef\xbb\xbfz\xc2\x85", "[U+FEFF]z[U+0085]");
    expect(put_plain, "caf\xc3\xa9", "caf\xc3\xa9");
    expect(put_plain, "two\nlines", "two\nlines");
}

static void
bytes_that_are_no_text_do_no_harm(void **state)
{
    (void)state;
    expect(put_plain, "\xff<\xc3", "\xef\xbf\xbd&lt;\xef\xbf\xbd");
    expect(html_text_with_frames, "frame \xf0\x28", "frame \xef\xbf\xbd(");
}

static void
frames_on_the_page_are_links(void **state)
{
    (void)state;
    expect(html_text_with_frames, "in frame 17.", "in frame <a href=\"#frame-17\">17</a>.");
    expect(html_text_with_frames, "frames 17 to 181, 5 and 17; 17",
           "frames <a href=\"#frame-17\">17</a> to <a href=\"#frame-181\">181</a>, 5 and <a href=\"#frame-17\">17</a>; 17");
    expect(html_text_with_frames, "(frame 181)", "(frame <a href=\"#frame-181\">181</a>)");
}

static void
other_numbers_are_not(void **state)
{
    static const char *const others[] = { "frame 18", "frame 017", "keyframe 17", "17 frames",
                                          "frame",    "frame 17a", "frame -17",   "frame 99999999999999999",
                                          "" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        expect(html_text_with_frames, others[i], others[i]);
    expect(html_text_with_frames, "frame 4294967313", "frame 4294967313"); /* 17 after 32 bits */
}

static void
expect_number(double value, const char *expected)
{
    GString *out = g_string_new(NULL);

    html_number(out, value);
    assert_string_equal(out->str, expected);
    g_string_free(out, TRUE);
}

static void
numbers_have_a_point_and_one_decimal(void **state)
{
    (void)state;
    expect_number(12.34, "12.3");
    expect_number(12.36, "12.4");
    expect_number(99.96, "100.0");
    expect_number(0, "0.0");
    expect_number(-1.26, "-1.3");
    expect_number(-0.04, "0.0");
    expect_number(123456789.04, "123456789.0");
    expect_number(1e300, "0.0");
    expect_number(NAN, "0.0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_means_something_in_html_is_escaped),
        cmocka_unit_test(characters_that_deceive_are_shown_by_number),
        cmocka_unit_test(bytes_that_are_no_text_do_no_harm),
        cmocka_unit_test(frames_on_the_page_are_links),
        cmocka_unit_test(other_numbers_are_not),
        cmocka_unit_test(numbers_have_a_point_and_one_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
