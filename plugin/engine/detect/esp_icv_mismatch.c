/* esp_icv_mismatch.c - do the peers append checksums (ICV) of different length to their ESP?
 *
 * A packet is SPI, sequence number, IV, ciphertext and ICV (RFC 4303 2). With a CBC cipher of 16 byte blocks (AES: RFC 3602 3) all but the ICV
 * is 8 modulo 16, so that all packets of an SA have one remainder, which tells the length of the ICV. Both SAs of a child have the same
 * algorithm; where the lengths differ, each receiver takes all that it gets for forged. Some senders cut HMAC-SHA2-256 to 96 bits, as
 * a draft had it, and not to 128 (RFC 4868 2.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/detect/detectors.h"
#include "engine/tables/suite.h"

#define AES_BLOCK 16u

/* An SA that was silent for longer may be of an older configuration. */
#define IN_USE_WITHIN SECONDS(60)

/* Of a cipher that is known to be CBC one packet would tell; another one shows that it is used as negotiated. */
#define LENGTHS_OF_KNOWN_CBC 2u

/* What may be behind a remainder, in bits. NULL: no algorithm has such an ICV. */
static const char *
icv_words(unsigned residue)
{
    static const char *const bits[AES_BLOCK] = { [4] = "96", [8] = "128 or 256", [12] = "160", [0] = "192" };
    return bits[residue];
}

typedef enum { CIPHER_UNKNOWN, CIPHER_CBC, CIPHER_OTHER } cipher_t;

/* With keys, what the peers agreed on. */
static cipher_t
negotiated_cipher(const tunnel_t *tunnel)
{
    suite_t suite;

    if (tunnel->accepted_child == NULL || !suite_from_proposal(tunnel->accepted_child, &suite))
        return CIPHER_UNKNOWN;
    return suite.block == AES_BLOCK ? CIPHER_CBC : CIPHER_OTHER;
}

/* AEAD and counter modes pad to 4 bytes, 3DES to 8 (RFC 4303 2.4): a few different lengths have different remainders then. Padding for
 * secrecy (TFC, RFC 4303 2.7) makes all lengths the same, and tells nothing. */
static bool
tells_icv(const esp_sa_t *sa, unsigned least_lengths, unsigned *ret_residue)
{
    bool is_one = sa->length_residues != 0 && (sa->length_residues & (sa->length_residues - 1)) == 0;

    if (!is_one || sa->lengths_kept < least_lengths)
        return false;
    *ret_residue = sa->lengths[0] % AES_BLOCK;
    return icv_words(*ret_residue) != NULL;
}

/* What all SAs in use tell, by sender: children side by side may differ in their algorithms. False: one of them does not tell. */
static bool
residues_in_use(const change_t *change, const tunnel_t *tunnel, unsigned least_lengths, const esp_sa_t *ret_sa[PEERS],
                unsigned ret_residues[PEERS])
{
    unsigned residue;

    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->packets == 0 || duration_between(sa->last_time, change->time) > IN_USE_WITHIN)
            continue;
        if (!tells_icv(sa, least_lengths, &residue))
            return false;
        if (ret_residues[sa->sender] == 0)
            ret_sa[sa->sender] = sa;
        ret_residues[sa->sender] |= 1u << residue;
    }
    return true;
}

static void
judge(const change_t *change, const tunnel_t *tunnel, findings_t *out)
{
    cipher_t cipher = negotiated_cipher(tunnel);
    const esp_sa_t *sa[PEERS] = { NULL, NULL };
    unsigned residues[PEERS] = { 0, 0 };
    char first[ENDPOINT_TEXT_MAX], second[ENDPOINT_TEXT_MAX];

    if (cipher == CIPHER_OTHER ||
        !residues_in_use(change, tunnel, cipher == CIPHER_CBC ? LENGTHS_OF_KNOWN_CBC : ESP_LENGTHS_KEPT, sa, residues))
        return;
    if (residues[PEER_A] == 0 || residues[PEER_B] == 0 || (residues[PEER_A] & residues[PEER_B]) != 0)
        return;
    const finding_t *told = tunnel_latest_finding(tunnel, FINDING_esp_icv_mismatch, PEER_UNKNOWN);
    if (told != NULL && told->incident == INDEX_NONE) {
        if (change->esp_sa->first_frame > told->last_in)
            findings_repeat(out, told);
        return;
    }
    unsigned a = sa[PEER_A]->lengths[0] % AES_BLOCK, b = sa[PEER_B]->lengths[0] % AES_BLOCK;
    findings_add(out,
                 &(finding_draft_t){ .id = FINDING_esp_icv_mismatch,
                                     .severity = SEVERITY_WARN,
                                     .confidence = cipher == CIPHER_CBC ? CONFIDENCE_OBSERVED : CONFIDENCE_INFERRED,
                                     .culprit = PEER_UNKNOWN,
                                     .unit = "SAs",
                                     .evidence = { sa[PEER_A]->last_frame, sa[PEER_B]->last_frame } },
                 "ESP of %s ends in a checksum (ICV) of %s bits, ESP of %s in one of %s bits: the lengths of their packets are %u "
                 "and %u modulo 16. Each "
                 "peer drops what the other sends. HMAC-SHA2-256 is cut to 96 bits by some senders and to 128 by others.",
                 tunnel_peer_text(tunnel, PEER_A, first), icv_words(a), tunnel_peer_text(tunnel, PEER_B, second), icv_words(b), a,
                 b);
}

const detector_t esp_icv_mismatch_detector = {
    .finding = FINDING_esp_icv_mismatch,
    .wakes_on = CHANGE_ESP_LENGTHS,
    .needs_time = false,
    .judge = judge,
};
