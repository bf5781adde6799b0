/* fuzz_ike_message.c - do the parser's promises hold for any bytes? A libFuzzer entry point.
 *
 * Build: clang -std=c11 -g -fsanitize=fuzzer,address,undefined with the engine's sources and GLib.
 * Input: a 2-byte count of decrypted bytes, a byte by which the capture is cut, the message, the decrypted bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/cursor.h"
#include "engine/parse/ike_message.h"
#include "engine/parse/proposal.h"
#include "engine/tables/suite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool is_held)
{
    if (!is_held)
        abort();
}

static void
require_text(const char *text, size_t size)
{
    require(memchr(text, '\0', size) != NULL);
    for (; *text != '\0'; text++)
        require(g_ascii_isprint(*text));
}

static void
require_sane(const ike_message_t *message, size_t captured, size_t reported)
{
    require(message->major == 1 || message->major == 2);
    require(message->fingerprint != 0);
    require(message->notifies <= NOTIFIES_MAX && message->deleted_spis <= DELETED_SPIS_MAX);
    require(message->nat.sources <= NAT_SOURCES_MAX && message->nat.destination.length <= NAT_HASH_BYTES_MAX);
    require(message->sa.proposals <= PROPOSALS_MAX);
    for (unsigned i = 0; i < message->sa.proposals; i++)
        require(message->sa.proposal[i].transforms <= TRANSFORMS_MAX);
    require_text(message->identity_i, sizeof(message->identity_i));
    require_text(message->identity_r, sizeof(message->identity_r));
    require_text(message->selectors_i, sizeof(message->selectors_i));
    require_text(message->selectors_r, sizeof(message->selectors_r));
    require(message->fragment_number <= message->fragment_total);
    require((message->fragment_number == 0) == (message->fragment_total == 0));
    require(!message->is_decrypted || (message->is_readable && message->is_encrypted && !message->is_malformed));
    require(message->is_readable == (message->is_decrypted || !message->is_encrypted));
    require(message->is_readable || (message->payloads == 0 && message->notifies == 0 && !message->has_sa));
    require(!message->is_truncated || captured < reported);
    require(message->length <= reported || message->is_malformed);
    require(message->length >= IKE_HEADER_LENGTH || message->is_malformed);
}

static void
require_words(const ike_message_t *message)
{
    GString *text = g_string_new(NULL);
    suite_t suite;
    uint32_t least, most;

    proposal_list_describe(&message->sa, message->major, text);
    for (unsigned i = 0; i < message->sa.proposals; i++) {
        proposal_difference(&message->sa, &message->sa.proposal[i], message->major, text);
        require(proposal_list_contains_but_ke(&message->sa, &message->sa.proposal[i]));
        if (suite_from_proposal(&message->sa.proposal[i], &suite) && suite_plaintext(&suite, message->length, &least, &most)) {
            require(least <= most && most < message->length);
            require(most <= suite_plaintext_upper_bound(message->length));
        }
    }
    g_string_free(text, TRUE);
}

/* A snaplen may hide things, but what it leaves must be what the whole message says. */
static void
require_cut_agrees(const ike_message_t *whole, const uint8_t *bytes, size_t captured, size_t reported)
{
    ike_message_t cut;

    if (!ike_message_parse(bytes, captured, reported, NULL, 0, &cut))
        return;
    require_sane(&cut, captured, reported);
    require(cut.spi_i == whole->spi_i && cut.length == whole->length && cut.message_id == whole->message_id);
    /* Clear payloads are not judged where an Encrypted payload follows them, which the cut may have taken away. */
    require(!cut.is_malformed || whole->is_malformed || whole->is_encrypted);
    require(!cut.is_encrypted || whole->is_encrypted);
    require(cut.first_inner == PAYLOAD_UNKNOWN || cut.first_inner == whole->first_inner);
    if (cut.is_readable && whole->is_readable && !whole->is_decrypted)
        require(cut.payloads <= whole->payloads && cut.notifies <= whole->notifies);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cursor_t input = cursor_over(data, size), bytes;
    uint16_t decrypted_length;
    uint8_t cut;
    ike_message_t message;

    if (!cursor_u16(&input, &decrypted_length) || !cursor_u8(&input, &cut) || decrypted_length > input.left)
        return 0;
    if (!cursor_cut(&input, input.left - decrypted_length, &bytes))
        return 0;
    if (!ike_message_parse(bytes.next, bytes.left, bytes.left, input.left > 0 ? input.next : NULL, input.left, &message))
        return 0;
    require_sane(&message, bytes.left, bytes.left);
    require_words(&message);
    require_cut_agrees(&message, bytes.next, bytes.left - MIN(cut, bytes.left), bytes.left);
    return 0;
}
