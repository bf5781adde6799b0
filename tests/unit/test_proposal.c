/* test_proposal.c - are offers described in words that are right, and differences found where they are?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/proposal.h"

#include "sample.h"

#include <string.h>

enum { ENCR_AES_CBC = 12, ENCR_GCM_16 = 20, INTEG_SHA1_96 = 2, INTEG_SHA2_256 = 12, GROUP_MODP_2048 = 14, GROUP_X25519 = 31 };

static const transform_t aes128 = { .type = TRANSFORM_ENCR, .id = ENCR_AES_CBC, .key_length = 128 };
static const transform_t aes256 = { .type = TRANSFORM_ENCR, .id = ENCR_AES_CBC, .key_length = 256 };
static const transform_t gcm256 = { .type = TRANSFORM_ENCR, .id = ENCR_GCM_16, .key_length = 256 };
static const transform_t sha1 = { .type = TRANSFORM_INTEG, .id = INTEG_SHA1_96 };
static const transform_t sha256 = { .type = TRANSFORM_INTEG, .id = INTEG_SHA2_256 };
static const transform_t no_integ = { .type = TRANSFORM_INTEG, .id = 0 };
static const transform_t prf256 = { .type = TRANSFORM_PRF, .id = 5 };
static const transform_t prf384 = { .type = TRANSFORM_PRF, .id = 6 };
static const transform_t modp2048 = { .type = TRANSFORM_KE, .id = GROUP_MODP_2048 };
static const transform_t x25519 = { .type = TRANSFORM_KE, .id = GROUP_X25519 };
static const transform_t no_group = { .type = TRANSFORM_KE, .id = 0 };
static const transform_t esn = { .type = TRANSFORM_ESN, .id = 1 };
static const transform_t no_esn = { .type = TRANSFORM_ESN, .id = 0 };

/* The transforms up to NULL. */
static proposal_t
proposal_of(uint8_t protocol, const transform_t *first, ...)
{
    proposal_t proposal = { .number = 1, .protocol = protocol };
    va_list rest;

    va_start(rest, first);
    for (const transform_t *transform = first; transform; transform = va_arg(rest, const transform_t *))
        proposal.transform[proposal.transforms++] = *transform;
    va_end(rest);
    return proposal;
}

#define ESP(...) proposal_of(PROTOCOL_ESP, __VA_ARGS__, NULL)
#define IKE(...) proposal_of(PROTOCOL_IKE, __VA_ARGS__, NULL)

static proposal_list_t
list_of(const proposal_t *first, const proposal_t *second)
{
    proposal_list_t list = { .proposals = second ? 2 : 1 };

    list.proposal[0] = *first;
    if (second)
        list.proposal[1] = *second;
    return list;
}

static void
assert_described(const proposal_t *proposal, unsigned major, const char *expected)
{
    GString *text = g_string_new("<");

    proposal_describe(proposal, major, text);
    assert_int_equal(text->str[0], '<');
    assert_string_equal(text->str + 1, expected);
    g_string_free(text, TRUE);
}

static void
assert_difference(const proposal_list_t *offer, const proposal_t *accepted, const char *expected)
{
    GString *text = g_string_new("because ");

    proposal_difference(offer, accepted, 2, text);
    assert_string_equal(text->str + strlen("because "), expected);
    g_string_free(text, TRUE);
}

/* ---- descriptions ---- */

static void
a_proposal_is_a_path_of_names(void **state)
{
    proposal_t esp = ESP(&modp2048, &sha256, &aes128), ike = IKE(&aes256, &sha256, &prf256, &x25519), aead = ESP(&gcm256, &esn);

    (void)state;
    assert_described(&esp, 2, "AES-CBC-128/HMAC-SHA2-256-128/MODP-2048");
    assert_described(&ike, 2, "AES-CBC-256/HMAC-SHA2-256-128/PRF-HMAC-SHA2-256/CURVE25519");
    assert_described(&aead, 2, "AES-GCM-16-256/ESN");
}

static void
what_is_none_is_left_out(void **state)
{
    proposal_t proposal = ESP(&gcm256, &no_integ, &no_group, &no_esn), nothing = { .protocol = PROTOCOL_ESP };

    (void)state;
    assert_described(&proposal, 2, "AES-GCM-16-256");
    assert_described(&nothing, 2, "no transforms");
}

static void
alternatives_are_side_by_side(void **state)
{
    proposal_t proposal = ESP(&aes128, &aes256, &sha1, &sha256);

    (void)state;
    assert_described(&proposal, 2, "AES-CBC-128|AES-CBC-256/HMAC-SHA1-96|HMAC-SHA2-256-128");
}

static void
unknown_numbers_are_shown(void **state)
{
    const transform_t encr = { .type = TRANSFORM_ENCR, .id = 1025, .key_length = 192 };
    const transform_t group = { .type = TRANSFORM_KE, .id = 4242 };
    proposal_t proposal = ESP(&encr, &group);

    (void)state;
    assert_described(&proposal, 2, "encryption 1025-192/DH group 4242");
}

/* The same numbers mean other things in IKEv2, in IKEv1's phase 1 and in its phase 2. */
static void
number_spaces_are_kept_apart(void **state)
{
    const transform_t encr = { .type = TRANSFORM_ENCR, .id = 7, .key_length = 128 };
    const transform_t integ = { .type = TRANSFORM_INTEG, .id = 5 };
    const transform_t psk = { .type = TRANSFORM_V1_AUTH_METHOD, .id = 1 };
    proposal_t phase1 = IKE(&encr, &integ, &modp2048, &psk), phase2 = ESP(&encr, &integ);

    (void)state;
    assert_described(&phase1, 1, "AES-CBC-128/SHA2-384/MODP-2048/PSK");
    assert_described(&phase2, 1, "BLOWFISH-128/HMAC-SHA2-256");
    assert_described(&phase2, 2, "BLOWFISH-128/AES-XCBC-96");
}

/* Common suites under their names; one row per name that users know. */
static void
well_known_names(void **state)
{
    static const struct {
        transform_t transform;
        const char *name;
    } rows[] = {
        { { .type = TRANSFORM_ENCR, .id = 3 }, "3DES" },
        { { .type = TRANSFORM_ENCR, .id = 28 }, "CHACHA20-POLY1305" },
        { { .type = TRANSFORM_ENCR, .id = 18, .key_length = 128 }, "AES-GCM-8-128" },
        { { .type = TRANSFORM_ENCR, .id = 16, .key_length = 256 }, "AES-CCM-16-256" },
        { { .type = TRANSFORM_INTEG, .id = 14 }, "HMAC-SHA2-512-256" },
        { { .type = TRANSFORM_KE, .id = 19 }, "ECP-256" },
        { { .type = TRANSFORM_KE, .id = 36 }, "ML-KEM-768" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        proposal_t proposal = ESP(&rows[i].transform);

        assert_described(&proposal, 2, rows[i].name);
    }
}

static void
long_lists_are_shortened(void **state)
{
    proposal_t proposal = ESP(&gcm256);
    proposal_list_t list = { .proposals = 0 };
    GString *text = g_string_new(NULL);

    (void)state;
    proposal_list_describe(&list, 2, text);
    assert_string_equal(text->str, "");
    for (list.proposals = 0; list.proposals < 4; list.proposals++)
        list.proposal[list.proposals] = proposal;
    proposal_list_describe(&list, 2, text);
    assert_string_equal(text->str, "AES-GCM-16-256, AES-GCM-16-256, AES-GCM-16-256, AES-GCM-16-256");
    list.proposal[list.proposals++] = proposal;
    list.proposal[list.proposals++] = proposal;
    g_string_truncate(text, 0);
    proposal_list_describe(&list, 2, text);
    assert_string_equal(text->str, "AES-GCM-16-256, AES-GCM-16-256, AES-GCM-16-256, AES-GCM-16-256 and 2 more");
    g_string_free(text, TRUE);
}

static void
real_proposals_are_described(void **state)
{
    ike_message_t init = real_parse(REAL_SA_INIT_REQUEST), main_mode = real_parse(REAL_V1_MAIN_1);
    ike_message_t rekey = real_parse(REAL_REKEY_REQUEST), quick = real_parse(REAL_V1_QUICK_1);

    (void)state;
    assert_described(&init.sa.proposal[0], 2, "AES-CBC-128/HMAC-SHA2-256-128/PRF-HMAC-SHA2-256/CURVE25519");
    assert_described(&rekey.sa.proposal[0], 2, "AES-CBC-128/HMAC-SHA2-256-128/CURVE25519");
    assert_described(&main_mode.sa.proposal[0], 1, "AES-CBC-128/SHA2-256/MODP-2048/PSK");
    assert_described(&quick.sa.proposal[0], 1, "AES-CBC-128/HMAC-SHA2-256/MODP-2048");
}

/* ---- comparisons ---- */

static void
has_looks_into_every_proposal(void **state)
{
    proposal_t without = ESP(&aes128, &sha256, &no_group), with = ESP(&aes256, &sha256, &modp2048);
    proposal_list_t neither = list_of(&without, &without), second = list_of(&without, &with), empty = { .proposals = 0 };

    (void)state;
    assert_true(proposal_list_has(&second, TRANSFORM_KE));
    assert_false(proposal_list_has(&neither, TRANSFORM_KE)); /* NONE is no group */
    assert_true(proposal_list_has(&neither, TRANSFORM_INTEG));
    assert_false(proposal_list_has(&neither, TRANSFORM_PRF));
    assert_false(proposal_list_has(&empty, TRANSFORM_ENCR));
}

static void
groups_and_esn_are_left_aside(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256, &modp2048, &no_esn), offered = ESP(&aes128, &sha256, &esn);
    proposal_list_t offer = list_of(&offered, NULL);

    (void)state;
    assert_true(proposal_list_contains_but_ke(&offer, &accepted));
}

static void
encryption_and_integrity_must_be_in_one_proposal(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256), one = ESP(&aes128, &sha1), other = ESP(&aes256, &sha256);
    proposal_t both = ESP(&aes256, &aes128, &sha1, &sha256);
    proposal_list_t split = list_of(&one, &other), together = list_of(&both, NULL);

    (void)state;
    assert_false(proposal_list_contains_but_ke(&split, &accepted));
    assert_true(proposal_list_contains_but_ke(&together, &accepted));
}

static void
the_key_length_and_the_protocol_count(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256), longer = ESP(&aes256, &sha256), ike = IKE(&aes128, &sha256);
    proposal_list_t offer = list_of(&longer, NULL), other_protocol = list_of(&ike, NULL);

    (void)state;
    assert_false(proposal_list_contains_but_ke(&offer, &accepted));
    assert_false(proposal_list_contains_but_ke(&other_protocol, &accepted));
}

/* RFC 7296 3.3.3: AEAD has no integrity, or the integrity NONE. */
static void
aead_needs_no_integrity(void **state)
{
    proposal_t accepted = ESP(&gcm256), said = ESP(&gcm256, &no_integ), with = ESP(&gcm256, &sha256);
    proposal_list_t plain = list_of(&accepted, NULL), none = list_of(&said, NULL), insisting = list_of(&with, NULL);

    (void)state;
    assert_true(proposal_list_contains_but_ke(&plain, &accepted));
    assert_true(proposal_list_contains_but_ke(&none, &accepted));
    assert_true(proposal_list_contains_but_ke(&plain, &said));
    assert_false(proposal_list_contains_but_ke(&insisting, &accepted));
}

/* ---- differences ---- */

static void
no_difference_is_no_text(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256, &modp2048), more = ESP(&aes256, &aes128, &sha256, &x25519, &modp2048);
    proposal_list_t offer = list_of(&more, NULL), same = list_of(&accepted, NULL), empty = { .proposals = 0 };

    (void)state;
    assert_difference(&same, &accepted, "");
    assert_difference(&offer, &accepted, "");
    assert_difference(&offer, NULL, "");
    assert_difference(&empty, &accepted, "");
}

static void
missing_pfs_is_named(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256, &modp2048), offered = ESP(&aes128, &sha256),
               none = ESP(&aes128, &sha256, &no_group);
    proposal_list_t offer = list_of(&offered, NULL), says_none = list_of(&none, NULL);

    (void)state;
    assert_difference(&offer, &accepted, "no DH group (PFS) offered");
    assert_difference(&says_none, &accepted, "no DH group (PFS) offered");
}

static void
unwanted_pfs_is_named(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256), offered = ESP(&aes128, &sha256, &modp2048);
    proposal_t optional = ESP(&aes128, &sha256, &modp2048, &no_group);
    proposal_list_t offer = list_of(&offered, NULL), choice = list_of(&offered, &accepted), none = list_of(&optional, NULL);

    (void)state;
    assert_difference(&offer, &accepted, "DH group MODP-2048 (PFS) is offered, none was accepted before");
    assert_difference(&choice, &accepted, "");
    assert_difference(&none, &accepted, "");
}

static void
another_group_is_named(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256, &modp2048), offered = ESP(&aes128, &sha256, &x25519);
    proposal_t ike_accepted = IKE(&aes128, &sha256, &prf256, &modp2048), ike_offered = IKE(&aes128, &sha256, &prf256, &x25519);
    proposal_list_t offer = list_of(&offered, NULL), ike_offer = list_of(&ike_offered, NULL);

    (void)state;
    assert_difference(&offer, &accepted, "DH group CURVE25519 (PFS) is offered, MODP-2048 was accepted before");
    assert_difference(&ike_offer, &ike_accepted, "DH group CURVE25519 is offered, MODP-2048 was accepted before");
}

static void
another_cipher_is_named(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256), offered = ESP(&aes256, &sha256);
    proposal_list_t offer = list_of(&offered, NULL);

    (void)state;
    assert_difference(&offer, &accepted, "encryption AES-CBC-256 is offered, AES-CBC-128 was accepted before");
}

static void
several_differences_are_named(void **state)
{
    proposal_t accepted = IKE(&aes128, &sha256, &prf256, &modp2048), offered = IKE(&aes256, &sha1, &prf384, &x25519);
    proposal_list_t offer = list_of(&offered, NULL);

    (void)state;
    assert_difference(&offer, &accepted,
                      "encryption AES-CBC-256 is offered, AES-CBC-128 was accepted before; "
                      "integrity HMAC-SHA1-96 is offered, HMAC-SHA2-256-128 was accepted before; "
                      "PRF PRF-HMAC-SHA2-384 is offered, PRF-HMAC-SHA2-256 was accepted before; "
                      "DH group CURVE25519 is offered, MODP-2048 was accepted before");
}

static void
a_split_combination_is_named(void **state)
{
    proposal_t accepted = ESP(&aes128, &sha256), one = ESP(&aes128, &sha1), other = ESP(&aes256, &sha256);
    proposal_list_t split = list_of(&one, &other);

    (void)state;
    assert_difference(&split, &accepted,
                      "AES-CBC-128/HMAC-SHA2-256-128 was accepted before and is not offered in this combination");
}

static void
from_aead_to_integrity_is_named(void **state)
{
    proposal_t aead = ESP(&gcm256), cbc = ESP(&aes128, &sha256);
    proposal_list_t offer_aead = list_of(&aead, NULL), offer_cbc = list_of(&cbc, NULL), offer_both = list_of(&aead, &cbc);

    (void)state;
    assert_difference(&offer_aead, &cbc,
                      "encryption AES-GCM-16-256 is offered, AES-CBC-128 was accepted before; "
                      "integrity is not offered, HMAC-SHA2-256-128 was accepted before");
    assert_difference(&offer_cbc, &aead,
                      "encryption AES-CBC-128 is offered, AES-GCM-16-256 was accepted before; "
                      "integrity HMAC-SHA2-256-128 is offered, none was accepted before");
    assert_difference(&offer_both, &aead, "");
    assert_difference(&offer_both, &cbc, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proposal_is_a_path_of_names),
        cmocka_unit_test(what_is_none_is_left_out),
        cmocka_unit_test(alternatives_are_side_by_side),
        cmocka_unit_test(unknown_numbers_are_shown),
        cmocka_unit_test(number_spaces_are_kept_apart),
        cmocka_unit_test(well_known_names),
        cmocka_unit_test(long_lists_are_shortened),
        cmocka_unit_test(real_proposals_are_described),
        cmocka_unit_test(has_looks_into_every_proposal),
        cmocka_unit_test(groups_and_esn_are_left_aside),
        cmocka_unit_test(encryption_and_integrity_must_be_in_one_proposal),
        cmocka_unit_test(the_key_length_and_the_protocol_count),
        cmocka_unit_test(aead_needs_no_integrity),
        cmocka_unit_test(no_difference_is_no_text),
        cmocka_unit_test(missing_pfs_is_named),
        cmocka_unit_test(unwanted_pfs_is_named),
        cmocka_unit_test(another_group_is_named),
        cmocka_unit_test(another_cipher_is_named),
        cmocka_unit_test(several_differences_are_named),
        cmocka_unit_test(a_split_combination_is_named),
        cmocka_unit_test(from_aead_to_integrity_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
