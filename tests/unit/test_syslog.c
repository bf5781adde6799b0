/* test_syslog.c - which lines report a packet with an invalid SPI, and what do they say of it?
 *
 * The forms are those of docs/findings.md, with addresses of the documentation ranges.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/syslog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Over a copy of exactly the right size, so that a sanitizer sees any read beyond it. */
static unsigned
read_reports(const char *text, size_t length, syslog_report_t *ret_last)
{
    uint8_t *copy = g_malloc(length > 0 ? length : 1);
    cursor_t cursor;
    syslog_report_t report;
    unsigned reports = 0;

    memcpy(copy, text, length);
    cursor = cursor_over(copy, length);
    while (syslog_next_report(&cursor, &report)) {
        assert_int_not_equal(report.spi, 0);
        *ret_last = report;
        reports++;
    }
    assert_int_equal(cursor.left, 0);
    assert_int_equal(syslog_has_report(copy, length), reports > 0);
    g_free(copy);
    return reports;
}

static void
assert_address(const endpoint_t *endpoint, const char *text)
{
    char buffer[ENDPOINT_TEXT_MAX];

    assert_string_equal(endpoint_address_text(endpoint, buffer), text);
}

static syslog_report_t
only_report(const char *text)
{
    syslog_report_t report;

    assert_int_equal(read_reports(text, strlen(text), &report), 1);
    return report;
}

static void
assert_none(const char *text)
{
    syslog_report_t report;

    assert_int_equal(read_reports(text, strlen(text), &report), 0);
}

#define IOS_HEAD "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for "

static void
assert_ios(const char *text)
{
    syslog_report_t report = only_report(text);

    assert_int_equal(report.spi, 0xb761863e);
    assert_int_equal(report.protocol, 50);
    assert_address(&report.destination, "198.51.100.2");
    assert_address(&report.source, "192.0.2.1");
    assert_false(report.has_sequence);
}

static void
cisco_ios(void **state)
{
    (void)state;
    assert_ios("<188>91: *Sep  2 13:27:57.707: " IOS_HEAD
               "destaddr=198.51.100.2, prot=50, spi=0xB761863E(3076621886), srcaddr=192.0.2.1");
    assert_ios("<188>1942: gw: Jan 10 12:18:43.404 EDT: : " IOS_HEAD
               "destaddr=198.51.100.2, prot=50, spi=0xB761863E(3076621886), srcaddr=192.0.2.1, input interface=Tunnel10001");
    /* older and newer forms: no colon, no decimal number, nothing in the brackets, blanks, a contradiction */
    assert_ios("%CRYPTO-4-RECVD_PKT_INV_SPI: decaps rec'd IPSEC packet has invalid spi for destaddr=198.51.100.2, prot=50, "
               "spi=0xb761863e(3076621886), srcaddr=192.0.2.1\n");
    assert_ios(IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0xB761863E, srcaddr=192.0.2.1");
    assert_ios(IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0xB761863E(), srcaddr=192.0.2.1");
    assert_ios(IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=(3076621886), srcaddr=192.0.2.1");
    assert_ios(IOS_HEAD "destaddr= 198.51.100.2 , prot=50, spi= 0xB761863E(1), srcaddr= 192.0.2.1, input interface=");
}

static void
cisco_ios_says_less(void **state)
{
    syslog_report_t report;

    (void)state;
    report = only_report("%PIX-4-402101: decaps: rec'd IPSEC packet has invalid spi for destaddr=198.51.100.2, prot=ah, spi=4097");
    assert_int_equal(report.spi, 4097);
    assert_int_equal(report.protocol, 51);
    assert_int_equal(report.source.family, ADDRESS_NONE);
    report = only_report(IOS_HEAD "destaddr=198.51.100.2, port=12346, spi=0x1, srcaddr=x");
    assert_int_equal(report.protocol, 0);
    assert_int_equal(report.source.family, ADDRESS_NONE);
    report = only_report(IOS_HEAD "destaddr=2001:db8:b::2, prot=50, spi=0x1, srcaddr=2001:DB8:a:0:0:0:0:2, input interface=Gi0");
    assert_address(&report.destination, "2001:db8:b::2");
    assert_address(&report.source, "2001:db8:a::2");
}

static void
cisco_asa(void **state)
{
    syslog_report_t report =
        only_report("<164>Sep 17 2008 16:41:13: %ASA-4-402114: IPSEC: Received an ESP packet (SPI= 0x47068DBF, "
                    "sequence number= 0x2D) from 192.0.2.1 to 198.51.100.2 with an invalid SPI.");

    (void)state;
    assert_int_equal(report.spi, 0x47068dbf);
    assert_int_equal(report.protocol, 50);
    assert_true(report.has_sequence);
    assert_int_equal(report.sequence, 0x2d);
    assert_address(&report.source, "192.0.2.1");
    assert_address(&report.destination, "198.51.100.2");
    report = only_report(
        "%ASA-6-402114: IPSEC: Received an AH packet (SPI=0x47068DBF, sequence number=0x2D) from 192.0.2.1 (user= to) to "
        "198.51.100.2 with an invalid SPI.");
    assert_int_equal(report.protocol, 51);
    assert_address(&report.destination, "198.51.100.2");
    assert_none(
        "%ASA-4-402119: IPSEC: Received an ESP packet (SPI=0x47068DBF, sequence number=0x2D) from 192.0.2.1 (x) to 198.51.100.2 "
        "that failed anti-replay checking.");
}

static void
fortios(void **state)
{
    static const char *const lines[] = {
        "<187>date=2020-08-11 time=09:28:40 devname=\"gw\" logid=\"0101037131\" logdesc=\"IPsec ESP\" msg=\"IPsec ESP\" "
        "remip=192.0.2.1 "
        "locip=198.51.100.2 remport=4500 locport=4500 cookies=\"N/A\" error_num=\"Received ESP packet with unknown SPI.\" "
        "spi=\"3a4e6946\" seq=\"0000002d\"",
        "date=2022-09-08 logid='0101037131' remip=192.0.2.1 locip=198.51.100.2 error_num='Received ESP packet with unknown SPI.' "
        "spi='3a4e6946' seq='0000002d'",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        syslog_report_t report = only_report(lines[i]);
        assert_int_equal(report.spi, 0x3a4e6946);
        assert_int_equal(report.sequence, 0x2d);
        assert_address(&report.source, "192.0.2.1");
        assert_address(&report.destination, "198.51.100.2");
    }
    assert_none("remip=192.0.2.1 error_num=\"Received ESP packet with unknown SPI.\" spi=\"f6c9e2x1\" seq=\"02000400\"");
    assert_none("remip=192.0.2.1 error_num=\"Invalid ESP packet detected (replayed packet).\" spi=\"3a4e6946\"");
}

static void
screenos(void **state)
{
    syslog_report_t report =
        only_report("fw: NetScreen device_id=fw  [Root]system-alert-00026: IPSec tunnel on interface ethernet0/2 with "
                    "tunnel ID 0x9a received a packet with a bad SPI. 192.0.2.1->198.51.100.2/96, ESP, SPI 0xf5b25b5b, "
                    "SEQ 0x1. (2021-06-30 12:08:35)");

    (void)state;
    assert_int_equal(report.spi, 0xf5b25b5b);
    assert_int_equal(report.protocol, 50);
    assert_int_equal(report.sequence, 1);
    assert_address(&report.source, "192.0.2.1");
    assert_address(&report.destination, "198.51.100.2");
    assert_none(
        "Replay packet detected on IPSec tunnel on ethernet0/2 with tunnel ID 0x67! From 192.0.2.1 to 198.51.100.2/96, ESP, SPI "
        "0xf5b25b5b, SEQ 0x1.");
}

static void
linux_and_bsd(void **state)
{
    syslog_report_t report =
        only_report("<5>1 2026-11-20T21:04:11Z gw kernel - - - audit: type=1415 audit(1795204462.533:7): op=SA-notfound "
                    "src=192.0.2.1 dst=198.51.100.2 spi=3076621886(0xb761863e) seqno=45");

    (void)state;
    assert_int_equal(report.spi, 0xb761863e);
    assert_int_equal(report.sequence, 45);
    assert_address(&report.source, "192.0.2.1");
    assert_address(&report.destination, "198.51.100.2");
    assert_none("op=SA-notfound src=192.0.2.1 dst=198.51.100.2"); /* without the SPI */
    assert_none("op=SA-replayed-pkt src=192.0.2.1 dst=198.51.100.2 spi=3076621886(0xb761863e) seqno=45");
    report = only_report("<7>gw /kernel: ipsec_common_input: no key association found for SA 198.51.100.2/b761863e/50");
    assert_int_equal(report.spi, 0xb761863e);
    assert_int_equal(report.protocol, 50);
    assert_address(&report.destination, "198.51.100.2");
    assert_int_equal(report.source.family, ADDRESS_NONE);
    assert_none("no key association found for SA 198.51.100.2[4500]/b761863e/50");
}

#define LINE(spi) IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=" spi ", srcaddr=192.0.2.1"

static void
several_in_one_piece(void **state)
{
    static const char counted[] = "<188>1 2026-11-20T21:04:11Z gw - - - - \xef\xbb\xbf" LINE("0x1111");
    syslog_report_t report;
    char *text;

    (void)state;
    assert_int_equal(read_reports(LINE("0x1111") "\n<13>nothing\r\n" LINE("0x2222"),
                                  strlen(LINE("0x1111") "\n<13>nothing\r\n" LINE("0x2222")), &report),
                     2);
    assert_int_equal(report.spi, 0x2222);
    assert_int_equal(read_reports(LINE("0x1111") "\0" LINE("0x3333"), 2 * strlen(LINE("0x1111")) + 1, &report), 2);
    assert_int_equal(report.spi, 0x3333);
    text = g_strdup_printf("%zu %s%zu <188>%s", strlen(counted), counted, 5 + strlen(LINE("0x4444")), LINE("0x4444"));
    assert_int_equal(read_reports(text, strlen(text), &report), 2);
    assert_int_equal(report.spi, 0x4444);
    g_free(text);
    text = g_strdup_printf("4294967295 <188>%s", LINE("0x5555"));
    assert_int_equal(read_reports(text, strlen(text), &report), 1);
    g_free(text);
}

static void
nothing_else_is_a_report(void **state)
{
    static const char *const lines[] = {
        "",
        "<13>Nov 20 21:04:11 host su: 'su root' failed on /dev/pts/8",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=, srcaddr=192.0.2.1",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0x, srcaddr=192.0.2.1",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0x0(0), srcaddr=192.0.2.1",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0x1B761863E, srcaddr=192.0.2.1",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=99999999999999999999999, srcaddr=192.0.2.1",
        IOS_HEAD "destaddr=198.51.100.2, prot=50, my_spi=0x1234, srcaddr=192.0.2.1",
        "has invalid spi",
        "spi=0x1234 srcaddr=192.0.2.1",
        "received a packet with a bad SPI. 192.0.2.1->/96, ESP, SPI 0xf5b25b5b",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        assert_none(lines[i]);
}

/* A line that the capture has cut says what it says, or nothing: never another SPI. */
static void
cut_lines(void **state)
{
    static const char line[] = IOS_HEAD "destaddr=198.51.100.2, prot=50, spi=0xB761863E(3076621886), srcaddr=192.0.2.1";
    const size_t spi_ends = (size_t)(strstr(line, "(307") - line);
    syslog_report_t report;

    (void)state;
    for (size_t length = 0; length <= strlen(line); length++) {
        unsigned reports = read_reports(line, length, &report);
        if (length > spi_ends)
            assert_int_equal(reports, 1);
        if (reports > 0 && length >= spi_ends)
            assert_int_equal(report.spi, 0xb761863e);
    }
}

static void
megabytes(void **state)
{
    static const char *const pieces[] = {
        "spi=0x", "has invalid spi for spi=", "op=SA-notfound ", "1 <", "-402114: IPSEC: Received an ", "h", "destaddr=1:", "->"
    };
    const size_t size = 4u << 20;
    char *text = g_malloc(size);
    syslog_report_t report;

    (void)state;
    for (size_t p = 0; p < G_N_ELEMENTS(pieces); p++) {
        for (size_t i = 0; i < size; i++)
            text[i] = pieces[p][i % strlen(pieces[p])];
        (void)read_reports(text, size, &report);
    }
    g_free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cisco_ios),
        cmocka_unit_test(cisco_ios_says_less),
        cmocka_unit_test(cisco_asa),
        cmocka_unit_test(fortios),
        cmocka_unit_test(screenos),
        cmocka_unit_test(linux_and_bsd),
        cmocka_unit_test(several_in_one_piece),
        cmocka_unit_test(nothing_else_is_a_report),
        cmocka_unit_test(cut_lines),
        cmocka_unit_test(megabytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
