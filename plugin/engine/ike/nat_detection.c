/* nat_detection.c - what do the hashes of NAT detection prove, as seen from the capture point?
 *
 * Nothing forbids a sender to hash what it likes, and to force encapsulation some do: strongSwan takes a made-up address for the
 * source, libreswan port 0 (IKEv1: in both kinds of hashes), OpenIKED spoils both. So a hash that fits is proof; one that does not fit
 * leaves two explanations, unless something else shows that its sender is honest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/ike/nat_detection.h"

#include "engine/wire.h"

#include <string.h>

/* ---- one hash ---- */

/* HASH(SPIi | SPIr | address | port), all in network order. */
typedef struct {
    uint8_t bytes[8 + 8 + 16 + 2];
    size_t length;
} nat_input_t;

static void
input_number(nat_input_t *input, uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;)
        input->bytes[input->length++] = (uint8_t)(value >> 8 * i);
}

static nat_input_t
nat_input(const ike_message_t *message, const endpoint_t *endpoint, uint16_t port)
{
    nat_input_t input = { .length = 0 };
    size_t address_length = endpoint->family == ADDRESS_IPV6 ? 16 : 4;

    input_number(&input, message->spi_i, 8);
    input_number(&input, message->spi_r, 8);
    memcpy(input.bytes + input.length, endpoint->address, address_length);
    input.length += address_length;
    input_number(&input, port, 2);
    return input;
}

/* The hash of phase 1 (RFC 3947 3.2) is known by its length. */
static bool
checksum_type(const nat_digest_t *digest, GChecksumType *ret_type)
{
    static const struct {
        uint8_t length;
        GChecksumType type;
    } rows[] = { { 16, G_CHECKSUM_MD5 },
                 { 20, G_CHECKSUM_SHA1 },
                 { 32, G_CHECKSUM_SHA256 },
                 { 48, G_CHECKSUM_SHA384 },
                 { 64, G_CHECKSUM_SHA512 } };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].length == digest->length) {
            *ret_type = rows[i].type;
            return true;
        }
    }
    return false;
}

/* Is one of the digests that of this address with this port? All have the length of the first, or they are not of this hash. */
static bool
is_of(const ike_message_t *message, const nat_digest_t *digests, unsigned count, const endpoint_t *endpoint, uint16_t port)
{
    nat_input_t input = nat_input(message, endpoint, port);
    uint8_t digest[NAT_HASH_BYTES_MAX];
    gsize length = sizeof(digest);
    GChecksumType type;

    if (!checksum_type(&digests[0], &type))
        return false;
    GChecksum *checksum = g_checksum_new(type);
    g_checksum_update(checksum, input.bytes, (gssize)input.length);
    g_checksum_get_digest(checksum, digest, &length);
    g_checksum_free(checksum);
    for (unsigned i = 0; i < count; i++) {
        if (digests[i].length == length && memcmp(digests[i].bytes, digest, length) == 0)
            return true;
    }
    return false;
}

/* The packet has one of IKE's own ports. No NAT turns one into the other: a sender that hashed the other one mistook them. */
static nat_hash_t
compare_unmapped(const ike_message_t *message, const nat_digest_t *digests, unsigned count, const endpoint_t *endpoint)
{
    if (is_of(message, digests, count, endpoint, endpoint->port == PORT_IKE ? PORT_NAT_TRAVERSAL : PORT_IKE))
        return NAT_HASH_NONE;
    return is_of(message, digests, count, endpoint, 0) ? NAT_HASH_MANGLED : NAT_HASH_OTHER;
}

/* `is_all`: these are all the digests of this kind that the message has, so that none of them may fit unseen. */
static nat_hash_t
compare(const ike_message_t *message, const nat_digest_t *digests, unsigned count, bool is_all, const endpoint_t *endpoint)
{
    if (count == 0 || digests[0].length == 0 || endpoint->family == ADDRESS_NONE)
        return NAT_HASH_NONE;
    if (is_of(message, digests, count, endpoint, endpoint->port))
        return NAT_HASH_UNCHANGED;
    if (!is_all)
        return NAT_HASH_NONE;
    if (endpoint->port == PORT_IKE || endpoint->port == PORT_NAT_TRAVERSAL)
        return compare_unmapped(message, digests, count, endpoint);
    if (is_of(message, digests, count, endpoint, PORT_IKE) || is_of(message, digests, count, endpoint, PORT_NAT_TRAVERSAL))
        return NAT_HASH_PORT;
    if (is_of(message, digests, count, endpoint, 0))
        return NAT_HASH_MANGLED;
    return NAT_HASH_OTHER;
}

bool
nat_detection_source_fits(const ike_message_t *message, const endpoint_t *source)
{
    const nat_digests_t *nat = &message->nat;

    return nat->sources > 0 && is_of(message, nat->source, nat->sources, source, source->port);
}

nat_hashes_t
nat_detection_compare(const nat_sighting_t *sighting)
{
    const ike_message_t *message = sighting->message;
    const nat_digests_t *nat = &message->nat;
    bool is_all = !message->is_truncated && !message->is_malformed && !nat->is_incomplete;

    return (nat_hashes_t){ .source = compare(message, nat->source, nat->sources, is_all, sighting->source),
                           .destination = compare(message, &nat->destination, 1, true, sighting->destination) };
}

/* ---- the evidence of an IKE SA ---- */

static void
learn_own(nat_evidence_t *evidence, nat_hash_t hash, const endpoint_t *endpoint, frame_t frame)
{
    if (hash == NAT_HASH_NONE)
        return;
    evidence->own = hash;
    evidence->own_in = frame;
    evidence->seen = *endpoint;
}

static void
learn_told(nat_evidence_t *evidence, nat_hash_t hash, const endpoint_t *endpoint, frame_t frame)
{
    if (hash == NAT_HASH_NONE)
        return;
    evidence->told = hash;
    evidence->told_in = frame;
    evidence->seen = *endpoint;
}

/* The clear messages of a negotiation; later only what was decrypted (RFC 4555 3.5, 3.8), for anybody can send clear ones. */
static bool
may_be_believed(const ike_message_t *message)
{
    bool is_negotiation =
        ike_message_is_init(message) || message->exchange_type == IKEV1_MAIN_MODE || message->exchange_type == IKEV1_AGGRESSIVE;

    return message->is_decrypted || (message->is_readable && is_negotiation);
}

static bool
has_hashes(const ike_message_t *message)
{
    return message->nat.sources > 0 || message->nat.destination.length > 0;
}

static void
learn_between(nat_detection_t *detection, const nat_sighting_t *sighting)
{
    if (sighting->source_has_other_side)
        detection->peer[sighting->sender].is_between = true;
    if (sighting->destination_has_other_side)
        detection->peer[peer_other(sighting->sender)].is_between = true;
}

bool
nat_detection_learn(nat_detection_t *detection, const nat_sighting_t *sighting, nat_hashes_t *ret_hashes)
{
    const ike_message_t *message = sighting->message;
    peer_t sender = sighting->sender;

    if (sender == PEER_UNKNOWN || !has_hashes(message) || !may_be_believed(message))
        return false;
    nat_message_t *latest = &detection->latest[sender];
    if (latest->fingerprint == message->fingerprint) {
        bool is_same_way =
            endpoint_equal(&latest->source, sighting->source) && endpoint_equal(&latest->destination, sighting->destination);
        if (is_same_way)
            *ret_hashes = latest->hashes;
        return is_same_way;
    }
    *latest = (nat_message_t){ .fingerprint = message->fingerprint,
                               .source = *sighting->source,
                               .destination = *sighting->destination,
                               .hashes = nat_detection_compare(sighting) };
    learn_own(&detection->peer[sender], latest->hashes.source, sighting->source, sighting->frame);
    learn_told(&detection->peer[peer_other(sender)], latest->hashes.destination, sighting->destination, sighting->frame);
    learn_between(detection, sighting);
    *ret_hashes = latest->hashes;
    return true;
}

bool
nat_detection_learn_copy(nat_detection_t *detection, const nat_sighting_t *sighting, nat_hashes_t *ret_hashes)
{
    peer_t sender = sighting->sender;

    if (sender == PEER_UNKNOWN || !has_hashes(sighting->message) ||
        detection->latest[sender].fingerprint != sighting->message->fingerprint)
        return false;
    nat_hashes_t hashes = nat_detection_compare(sighting);
    if (hashes.source == NAT_HASH_UNCHANGED)
        learn_own(&detection->peer[sender], hashes.source, sighting->source, sighting->frame);
    if (hashes.destination == NAT_HASH_UNCHANGED)
        learn_told(&detection->peer[peer_other(sender)], hashes.destination, sighting->destination, sighting->frame);
    learn_between(detection, sighting);
    if (hashes.source == NAT_HASH_OTHER && detection->peer[sender].own == NAT_HASH_UNCHANGED)
        hashes.source = NAT_HASH_TRANSLATED;
    if (hashes.destination == NAT_HASH_OTHER && detection->peer[peer_other(sender)].told == NAT_HASH_UNCHANGED)
        hashes.destination = NAT_HASH_TRANSLATED;
    *ret_hashes = hashes;
    return true;
}

void
nat_detection_forget(nat_detection_t *detection, peer_t peer)
{
    if (peer != PEER_UNKNOWN)
        detection->peer[peer] = (nat_evidence_t){ .own = NAT_HASH_NONE };
}

bool
nat_detection_refute(nat_detection_t *detection)
{
    bool is_new = !detection->is_refuted && nat_detection_is_complete(detection);

    detection->is_refuted |= is_new;
    return is_new;
}

bool
nat_detection_is_complete(const nat_detection_t *detection)
{
    return detection->latest[PEER_A].fingerprint != 0 && detection->latest[PEER_B].fingerprint != 0;
}

bool
nat_detection_is_own_address(const nat_detection_t *detection, peer_t peer)
{
    return detection->peer[peer].own == NAT_HASH_UNCHANGED;
}

/* ---- conclusions ---- */

/* A hash of the right address, whatever the port, shows that its sender does not make addresses up. */
static bool
knows_its_address(nat_hash_t source)
{
    return source == NAT_HASH_UNCHANGED || source == NAT_HASH_PORT || source == NAT_HASH_MANGLED;
}

/* Whose packets arrive at a public address with a private source has had a NAT on its way, as a rule; only as a rule, for both may
 * belong to one network. */
static bool
is_private_to_public(const nat_detection_t *detection, peer_t peer)
{
    const endpoint_t *seen = &detection->peer[peer].seen, *other = &detection->peer[peer_other(peer)].seen;

    return endpoint_is_private(seen) && other->family != ADDRESS_NONE && !endpoint_is_private(other);
}

static nat_side_t
side_before(const nat_detection_t *detection, peer_t peer)
{
    static const nat_side_t sides[NAT_HASHES] = { [NAT_HASH_NONE] = NAT_SIDE_UNKNOWN,
                                                  [NAT_HASH_UNCHANGED] = NAT_SIDE_UNCHANGED,
                                                  [NAT_HASH_PORT] = NAT_SIDE_PORT_TRANSLATED,
                                                  [NAT_HASH_MANGLED] = NAT_SIDE_FORCED,
                                                  [NAT_HASH_OTHER] = NAT_SIDE_TRANSLATED_OR_FORCED,
                                                  [NAT_HASH_TRANSLATED] = NAT_SIDE_TRANSLATED };

    if (detection->is_refuted && detection->peer[peer].own == NAT_HASH_OTHER)
        return NAT_SIDE_UNKNOWN;
    return sides[detection->peer[peer].own];
}

static nat_side_t
side_beyond(const nat_detection_t *detection, peer_t peer, confidence_t *ret_confidence)
{
    *ret_confidence = CONFIDENCE_OBSERVED;
    switch (detection->peer[peer].told) {
    case NAT_HASH_UNCHANGED:
        return NAT_SIDE_UNCHANGED;
    case NAT_HASH_PORT:
        return NAT_SIDE_PORT_TRANSLATED;
    case NAT_HASH_MANGLED:
        return NAT_SIDE_FORCED;
    case NAT_HASH_TRANSLATED:
        return NAT_SIDE_TRANSLATED;
    case NAT_HASH_OTHER:
        if (detection->is_refuted)
            return NAT_SIDE_UNKNOWN;
        if (knows_its_address(detection->peer[peer == PEER_A ? PEER_B : PEER_A].own))
            return NAT_SIDE_TRANSLATED;
        if (!is_private_to_public(detection, peer))
            return NAT_SIDE_TRANSLATED_OR_FORCED;
        *ret_confidence = CONFIDENCE_INFERRED;
        return NAT_SIDE_TRANSLATED;
    default:
        return NAT_SIDE_UNKNOWN;
    }
}

static bool
is_translated(nat_side_t side)
{
    return side == NAT_SIDE_TRANSLATED || side == NAT_SIDE_PORT_TRANSLATED;
}

static nat_state_t
state_of(const nat_evidence_t *evidence, nat_side_t before, nat_side_t beyond)
{
    if (evidence->is_between)
        return NAT_BETWEEN;
    if (is_translated(before) && is_translated(beyond))
        return NAT_BEFORE_AND_BEYOND;
    if (is_translated(before))
        return NAT_BEFORE;
    if (is_translated(beyond))
        return NAT_BEYOND;
    if (beyond == NAT_SIDE_TRANSLATED_OR_FORCED)
        return NAT_BEYOND_OR_FORCED;
    if (before == NAT_SIDE_TRANSLATED_OR_FORCED)
        return NAT_BEFORE_OR_FORCED;
    if (before == NAT_SIDE_FORCED)
        return NAT_FORCED;
    /* The other peer's mangled hash still proves the address. */
    if (before == NAT_SIDE_UNCHANGED && (beyond == NAT_SIDE_UNCHANGED || beyond == NAT_SIDE_FORCED))
        return NAT_NONE;
    return NAT_UNKNOWN;
}

peer_nat_t
nat_detection_conclude(const nat_detection_t *detection, peer_t peer)
{
    const nat_evidence_t *evidence = &detection->peer[peer];
    peer_nat_t nat = { .before = side_before(detection, peer), .before_in = evidence->own_in, .beyond_in = evidence->told_in };

    nat.beyond = side_beyond(detection, peer, &nat.confidence);
    nat.state = state_of(evidence, nat.before, nat.beyond);
    if (nat.state != NAT_BEYOND && nat.state != NAT_BEFORE_AND_BEYOND) /* the others do not rest on what was inferred */
        nat.confidence = CONFIDENCE_OBSERVED;
    return nat;
}

/* ---- words ---- */

const char *
nat_state_text(nat_state_t state)
{
    static const char *const texts[NAT_STATES] = { [NAT_UNKNOWN] = "unknown",
                                                   [NAT_NONE] = "none",
                                                   [NAT_BEFORE] = "before",
                                                   [NAT_BEYOND] = "beyond",
                                                   [NAT_BEFORE_AND_BEYOND] = "before_and_beyond",
                                                   [NAT_BETWEEN] = "between",
                                                   [NAT_FORCED] = "forced",
                                                   [NAT_BEFORE_OR_FORCED] = "before_or_forced",
                                                   [NAT_BEYOND_OR_FORCED] = "beyond_or_forced" };
    return texts[state];
}

const char *
nat_side_text(nat_side_t side)
{
    static const char *const texts[NAT_SIDES] = { [NAT_SIDE_UNKNOWN] = "unknown",
                                                  [NAT_SIDE_UNCHANGED] = "unchanged",
                                                  [NAT_SIDE_PORT_TRANSLATED] = "port_translated",
                                                  [NAT_SIDE_TRANSLATED] = "translated",
                                                  [NAT_SIDE_TRANSLATED_OR_FORCED] = "translated_or_forced",
                                                  [NAT_SIDE_FORCED] = "forced" };
    return texts[side];
}

/* What is known when it is not enough for an answer. */
static const char *
partial_words(const peer_nat_t *nat)
{
    if (nat->before == NAT_SIDE_UNCHANGED)
        return "is not behind a NAT, seen from the capture point";
    if (nat->beyond == NAT_SIDE_UNCHANGED)
        return "is not behind a NAT beyond the capture point";
    return NULL;
}

static const char *
state_words(const peer_nat_t *nat)
{
    static const char *const words[NAT_STATES] = {
        [NAT_NONE] = "is not behind a NAT",
        [NAT_BEFORE] = "is behind a NAT (the capture point is outside of it)",
        [NAT_BEYOND] = "is behind a NAT (the capture point is inside of it)",
        [NAT_BEFORE_AND_BEYOND] = "is behind two NATs, with the capture point between them",
        [NAT_BETWEEN] = "is behind a NAT that the capture shows both sides of",
        [NAT_FORCED] = "forces UDP encapsulation, and no NAT translates its address before the capture point",
        [NAT_BEFORE_OR_FORCED] = "is behind a NAT (the capture point is outside of it), or it forces UDP encapsulation",
        [NAT_BEYOND_OR_FORCED] = "is behind a NAT (the capture point is inside of it), or its peer forces UDP encapsulation",
    };

    if (nat->state == NAT_BEFORE && nat->confidence == CONFIDENCE_INFERRED)
        return "is probably behind a NAT (the capture point is outside of it)";
    if (nat->state == NAT_BEYOND && nat->confidence == CONFIDENCE_INFERRED)
        return "is probably behind a NAT (the capture point is inside of it)";
    if (nat->state == NAT_BEFORE_AND_BEYOND && nat->confidence == CONFIDENCE_INFERRED)
        return "is behind a NAT (the capture point is outside of it), and probably behind another one";
    return nat->state == NAT_UNKNOWN ? partial_words(nat) : words[nat->state];
}

void
nat_describe(const peer_nat_t *nat, const endpoint_t *peer, GString *out)
{
    char address[ENDPOINT_TEXT_MAX];
    const char *words = state_words(nat);

    if (words != NULL)
        g_string_append_printf(out, "%s %s", endpoint_address_text(peer, address), words);
}

const char *
nat_source_text(const nat_hashes_t *hashes)
{
    static const char *const texts[NAT_HASHES] = { [NAT_HASH_NONE] = NULL,
                                                   [NAT_HASH_UNCHANGED] = "unchanged",
                                                   [NAT_HASH_PORT] = "port translated before the capture point",
                                                   [NAT_HASH_MANGLED] = "forced encapsulation",
                                                   [NAT_HASH_OTHER] =
                                                       "translated before the capture point, or forced encapsulation",
                                                   [NAT_HASH_TRANSLATED] = "translated before the capture point" };
    return texts[hashes->source];
}

const char *
nat_destination_text(const nat_hashes_t *hashes)
{
    if (hashes->destination == NAT_HASH_OTHER && knows_its_address(hashes->source))
        return "translated before the capture point";
    return nat_source_text(&(nat_hashes_t){ .source = hashes->destination });
}
