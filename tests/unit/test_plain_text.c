/* test_plain_text.c - is text of a capture's making safe to show, and never cut within a character?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/points/interfaces.h"
#include "engine/plain_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
expect(size_t size, const char *text, const char *expected)
{
    char copy[32];

    memset(copy, 'x', sizeof copy);
    plain_text_copy(copy, size, text);
    assert_string_equal(copy, expected);
    assert_true(strlen(copy) < size);
}

static void
text_stays_as_it_is(void **state)
{
    (void)state;
    expect(32, "", "");
    expect(32, "eth0", "eth0");
    expect(32, "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac");
}

static void
what_deceives_is_replaced(void **state)
{
    (void)state;
    expect(32, "a\x1b[31m\r\nb\t", "a?[31m??b?");
    expect(32, "\xe2\x80\xaegpj.exe", "?gpj.exe");
    expect(32, "\xff\xc3 \xed\xa0\x80", "?? ???");
}

static void
characters_are_kept_whole(void **state)
{
    (void)state;
    expect(5, "eth0", "eth0");
    expect(4, "eth0", "eth");
    expect(5, "caf\xc3\xa9", "caf");
    expect(6, "caf\xc3\xa9", "caf\xc3\xa9");
    expect(1, "eth0", "");
}

/* The name goes into findings, and with them into every report. */
static void
interfaces_have_plain_names(void **state)
{
    interfaces_t *interfaces = interfaces_new();

    (void)state;
    assert_true(interfaces_heard(interfaces, 1, 0));
    interfaces_name(interfaces, 1, 0, "wan\nTunnel 7: healthy");
    assert_string_equal(interfaces_find(interfaces, 1)->name, "interface 0 (wan?Tunnel 7: healthy)");
    interfaces_name(interfaces, 1, 0, "0123456789012345678901234567890123\xc3\xa9\xc3\xa9\xc3\xa9");
    assert_true(g_utf8_validate(interfaces_find(interfaces, 1)->name, -1, NULL));
    interfaces_free(interfaces);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_as_it_is),
        cmocka_unit_test(what_deceives_is_replaced),
        cmocka_unit_test(characters_are_kept_whole),
        cmocka_unit_test(interfaces_have_plain_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
