/* proposal.c - what was offered, and how does it differ from what was accepted before?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/parse/proposal.h"
#include "engine/tables/names.h"

#define PROPOSALS_DESCRIBED 4u

/* The order transforms are written in, whatever their order on the wire. */
static const uint8_t described_types[] = {
    TRANSFORM_ENCR, TRANSFORM_INTEG, TRANSFORM_PRF, TRANSFORM_KE, TRANSFORM_ESN, TRANSFORM_V1_AUTH_METHOD,
};

/* "None" of a transform type is not worth a word: AEAD suites have no integrity (RFC 7296 3.3.3), and NONE for a group or
 * no extended sequence numbers is what leaving the transform out means. Id 0 names nothing in the other types. */
static bool
transform_is_none(const transform_t *transform)
{
    return transform->id == 0;
}

static bool
transform_equal(const transform_t *a, const transform_t *b)
{
    return a->type == b->type && a->id == b->id && a->key_length == b->key_length;
}

static const transform_t *
proposal_first(const proposal_t *proposal, uint8_t type)
{
    for (unsigned i = 0; i < proposal->transforms; i++) {
        if (proposal->transform[i].type == type && !transform_is_none(&proposal->transform[i]))
            return &proposal->transform[i];
    }
    return NULL;
}

static bool
proposal_has(const proposal_t *proposal, const transform_t *transform)
{
    for (unsigned i = 0; i < proposal->transforms; i++) {
        if (transform_equal(&proposal->transform[i], transform))
            return true;
    }
    return false;
}

/* May the transform of `type` be left out, because none is listed or because NONE is (RFC 7296 3.3.6)? */
static bool
proposal_allows_none(const proposal_t *proposal, uint8_t type)
{
    const transform_t none = { .type = type };

    return !proposal_first(proposal, type) || proposal_has(proposal, &none);
}

/* ---- in words ---- */

/* Appends the transforms of one type, alternatives separated by "|". False: there are none. */
static bool
type_describe(const proposal_t *proposal, uint8_t type, unsigned major, const char *before, GString *out)
{
    bool is_first = true;

    for (unsigned i = 0; i < proposal->transforms; i++) {
        const transform_t *transform = &proposal->transform[i];

        if (transform->type != type || transform_is_none(transform))
            continue;
        g_string_append(out, is_first ? before : "|");
        transform_describe(transform, major, proposal->protocol, out);
        is_first = false;
    }
    return !is_first;
}

void
proposal_describe(const proposal_t *proposal, unsigned major, GString *out)
{
    bool is_empty = true;

    for (size_t i = 0; i < G_N_ELEMENTS(described_types); i++) {
        if (type_describe(proposal, described_types[i], major, is_empty ? "" : "/", out))
            is_empty = false;
    }
    if (is_empty)
        g_string_append(out, "no transforms");
}

void
proposal_list_describe(const proposal_list_t *list, unsigned major, GString *out)
{
    for (unsigned i = 0; i < MIN(list->proposals, PROPOSALS_DESCRIBED); i++) {
        if (i > 0)
            g_string_append(out, ", ");
        proposal_describe(&list->proposal[i], major, out);
    }
    if (list->proposals > PROPOSALS_DESCRIBED)
        g_string_append_printf(out, " and %u more", list->proposals - PROPOSALS_DESCRIBED);
}

/* ---- comparisons ---- */

bool
proposal_list_has(const proposal_list_t *list, transform_type_t type)
{
    for (unsigned i = 0; i < list->proposals; i++) {
        if (proposal_first(&list->proposal[i], (uint8_t)type))
            return true;
    }
    return false;
}

/* Does the proposal allow what was accepted of this type? What was not part of the accepted one is not asked for. */
static bool
proposal_allows(const proposal_t *proposal, const proposal_t *accepted, uint8_t type)
{
    const transform_t *wanted = proposal_first(accepted, type);

    return !wanted || proposal_has(proposal, wanted);
}

/* AEAD and separate integrity do not mix (RFC 7296 3.3): an offer that insists on integrity is not what was accepted. */
static bool
integrity_agrees(const proposal_t *proposal, const proposal_t *accepted)
{
    if (proposal_first(accepted, TRANSFORM_INTEG))
        return proposal_allows(proposal, accepted, TRANSFORM_INTEG);
    return proposal_allows_none(proposal, TRANSFORM_INTEG);
}

static bool
proposal_satisfies_but_ke(const proposal_t *proposal, const proposal_t *accepted)
{
    return proposal->protocol == accepted->protocol && proposal_allows(proposal, accepted, TRANSFORM_ENCR) &&
           integrity_agrees(proposal, accepted);
}

bool
proposal_list_contains_but_ke(const proposal_list_t *offer, const proposal_t *accepted)
{
    for (unsigned i = 0; i < offer->proposals; i++) {
        if (proposal_satisfies_but_ke(&offer->proposal[i], accepted))
            return true;
    }
    return false;
}

/* ---- differences ---- */

/* The transforms of one type in all proposals, each once: what the peer would take. */
static void
offered_collect(const proposal_list_t *offer, uint8_t type, proposal_t *ret_offered)
{
    *ret_offered = (proposal_t){ .protocol = offer->proposals > 0 ? offer->proposal[0].protocol : 0 };
    for (unsigned i = 0; i < offer->proposals; i++) {
        const proposal_t *proposal = &offer->proposal[i];

        for (unsigned j = 0; j < proposal->transforms; j++) {
            const transform_t *transform = &proposal->transform[j];

            if (transform->type == type && !transform_is_none(transform) && !proposal_has(ret_offered, transform) &&
                ret_offered->transforms < TRANSFORMS_MAX)
                ret_offered->transform[ret_offered->transforms++] = *transform;
        }
    }
}

/* Is `wanted` (NULL: no transform of this type) among what some proposal allows? */
static bool
offer_allows(const proposal_list_t *offer, uint8_t type, const transform_t *wanted)
{
    for (unsigned i = 0; i < offer->proposals; i++) {
        const proposal_t *proposal = &offer->proposal[i];

        if (wanted ? proposal_has(proposal, wanted) : proposal_allows_none(proposal, type))
            return true;
    }
    return false;
}

static void
difference_begin(GString *out, size_t start)
{
    if (out->len > start)
        g_string_append(out, "; ");
}

/* Encryption, integrity or PRF: "encryption A is offered, B was accepted before". */
static void
type_difference(const proposal_list_t *offer, const proposal_t *accepted, uint8_t type, unsigned major, size_t start, GString *out)
{
    const transform_t *wanted = proposal_first(accepted, type);
    proposal_t offered;

    if (offer_allows(offer, type, wanted))
        return;
    offered_collect(offer, type, &offered);
    difference_begin(out, start);
    g_string_append_printf(out, "%s ", transform_type_name(type));
    if (!type_describe(&offered, type, major, "", out))
        g_string_append(out, "is not offered");
    else
        g_string_append(out, " is offered");
    g_string_append(out, ", ");
    if (wanted)
        transform_describe(wanted, major, accepted->protocol, out);
    else
        g_string_append(out, "none");
    g_string_append(out, " was accepted before");
}

/* The DH group of a child SA's rekeying is what perfect forward secrecy hangs on (RFC 7296 1.3.1, RFC 2409 5.5). */
static void
ke_difference(const proposal_list_t *offer, const proposal_t *accepted, unsigned major, size_t start, GString *out)
{
    const char *purpose = accepted->protocol == PROTOCOL_IKE ? "" : " (PFS)";
    const transform_t *wanted = proposal_first(accepted, TRANSFORM_KE);
    proposal_t offered;

    if (offer_allows(offer, TRANSFORM_KE, wanted))
        return;
    offered_collect(offer, TRANSFORM_KE, &offered);
    difference_begin(out, start);
    if (offered.transforms == 0) {
        g_string_append_printf(out, "no DH group%s offered", purpose);
        return;
    }
    g_string_append(out, "DH group ");
    type_describe(&offered, TRANSFORM_KE, major, "", out);
    g_string_append_printf(out, "%s is offered, ", purpose);
    if (wanted)
        transform_describe(wanted, major, accepted->protocol, out);
    else
        g_string_append(out, "none");
    g_string_append(out, " was accepted before");
}

void
proposal_difference(const proposal_list_t *offer, const proposal_t *accepted, unsigned major, GString *out)
{
    size_t start = out->len;

    if (!accepted || offer->proposals == 0)
        return;
    if (!proposal_list_contains_but_ke(offer, accepted)) {
        type_difference(offer, accepted, TRANSFORM_ENCR, major, start, out);
        type_difference(offer, accepted, TRANSFORM_INTEG, major, start, out);
        if (out->len == start) {
            proposal_describe(accepted, major, out);
            g_string_append(out, " was accepted before and is not offered in this combination");
        }
    }
    type_difference(offer, accepted, TRANSFORM_PRF, major, start, out);
    type_difference(offer, accepted, TRANSFORM_V1_AUTH_METHOD, major, start, out);
    ke_difference(offer, accepted, major, start, out);
}
