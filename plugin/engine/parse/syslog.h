/* syslog.h - does a syslog message report a received packet with an SPI that its receiver does not know?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IPSEC_ENGINE_SYSLOG_MESSAGE_H
#define IPSEC_ENGINE_SYSLOG_MESSAGE_H

#include "engine/base.h"
#include "engine/endpoint.h"
#include "engine/parse/cursor.h"

/* What one line says of the packet. Addresses are those that its receiver saw: a NAT may stand between. */
typedef struct {
    uint32_t spi;      /* host order, not 0 */
    uint8_t protocol;  /* 50: ESP, 51: AH, 0: the line does not say */
    endpoint_t source; /* port 0; ADDRESS_NONE: the line does not say */
    endpoint_t destination;
    bool has_sequence;
    uint32_t sequence;
} syslog_report_t;

/* The next report in `text`, which holds one or more messages: a datagram, or a piece of a TCP stream, one message a line or with
 * octet counting (RFC 6587 3.4). Moves `text` past it; false, and `text` at its end, when there is none. A line that the capture
 * has cut before its SPI reports nothing. */
G_GNUC_WARN_UNUSED_RESULT bool syslog_next_report(cursor_t *text, syslog_report_t *ret_report);

/* Is there any? */
bool syslog_has_report(const uint8_t *bytes, size_t length);

#endif
