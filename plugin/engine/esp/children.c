/* children.c - which two SPIs are a pair?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine/esp/children.h"

#include "engine/tunnel.h"

#define TOGETHER SECONDS(5) /* both SPIs of a pair begin within this time, where traffic flows both ways */
#define IKE_SAS_LOOKED_BACK 16u
#define LOOKED_BACK 256u /* pairs and SPIs that are looked at, latest first */

void
children_init(children_t *children)
{
    children->list = g_array_new(FALSE, TRUE, sizeof(child_sa_t));
}

void
children_clear(children_t *children)
{
    g_array_free(children->list, TRUE);
}

static child_sa_t *
at(const children_t *children, unsigned position)
{
    return &g_array_index(children->list, child_sa_t, position);
}

child_sa_t *
tunnel_child(const tunnel_t *tunnel, uint32_t index)
{
    const children_t *children = &tunnel->children;

    if (index == INDEX_NONE || index < children->forgotten || index - children->forgotten >= children->list->len)
        return NULL;
    child_sa_t *child = at(children, index - children->forgotten);
    return child->is_void ? NULL : child;
}

static child_sa_t *
add_child(tunnel_t *tunnel)
{
    children_t *children = &tunnel->children;

    if (children->list->len >= CHILD_SAS_PER_TUNNEL_MAX) {
        g_array_remove_range(children->list, 0, CHILD_SAS_PER_TUNNEL_MAX / 2);
        children->forgotten += CHILD_SAS_PER_TUNNEL_MAX / 2;
    }
    child_sa_t child = { .index = children->forgotten + children->list->len,
                         .made_by = PEER_UNKNOWN,
                         .deleted_by = PEER_UNKNOWN,
                         .made_at = CAPTURE_TIME_NONE,
                         .deleted_at = CAPTURE_TIME_NONE,
                         .ike_sa = INDEX_NONE,
                         .ike_root = INDEX_NONE,
                         .replaces = INDEX_NONE,
                         .replaced_by = INDEX_NONE };
    g_array_append_val(children->list, child);
    return at(children, children->list->len - 1);
}

static void
take(child_sa_t *child, esp_sa_t *sa)
{
    esp_sa_t *before = child->sa[sa->sender];

    if (before != NULL && before != sa)
        before->generation = INDEX_NONE;
    child->sa[sa->sender] = sa;
    child->is_taken[sa->sender] = true;
    sa->generation = child->index;
    sa->is_loose = false;
}

/* ---- pairs that wait for an SPI ---- */

/* RFC 7296 1.4.1: its children end with an IKE SA, unless a rekey has taken them over. IKEv1's do not. */
static bool
lives(const tunnel_t *tunnel, const child_sa_t *child)
{
    if (child->deleted_in != FRAME_NONE)
        return false;
    if (child->ike_version != 2)
        return true;
    for (unsigned i = tunnel->ike_sas->len; i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->root == child->ike_root &&
            (ike_sa_is_usable(ike_sa) || ike_sa->hands_on_children || ike_sa->state == IKE_SA_NEGOTIATING))
            return true;
    }
    return false;
}

static bool
is_open(const tunnel_t *tunnel, const child_sa_t *child, peer_t sender)
{
    return !child->is_void && child->made_in != FRAME_NONE && !child->is_taken[sender] && lives(tunnel, child);
}

/* How many wait; the latest of them in `ret_child`, if it is not NULL. */
static unsigned
count_open(const tunnel_t *tunnel, peer_t sender, child_sa_t **ret_child)
{
    const children_t *children = &tunnel->children;
    unsigned count = 0;

    for (unsigned i = children->list->len, seen = 0; i-- > 0 && seen < LOOKED_BACK; seen++) {
        child_sa_t *child = at(children, i);
        if (!is_open(tunnel, child, sender))
            continue;
        if (count++ == 0 && ret_child != NULL)
            *ret_child = child;
    }
    return count;
}

bool
children_expect(const tunnel_t *tunnel, peer_t sender, capture_ns_t since)
{
    child_sa_t *latest = NULL;
    unsigned open = count_open(tunnel, sender, &latest);

    return open > tunnel->children.loose[sender] && latest->made_at >= since;
}

static esp_sa_t *
latest_loose(const tunnel_t *tunnel, peer_t sender)
{
    for (unsigned i = tunnel->esp_sas->len; i-- > 0;) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->is_loose && sa->sender == sender)
            return sa;
    }
    return NULL;
}

/* The SPIs that are left over and the pairs that wait are the same in number, or one of the pairs has ended: whichever is whose, the
 * next SPI belongs to neither. */
static void
close_all(tunnel_t *tunnel, peer_t sender)
{
    children_t *children = &tunnel->children;

    for (unsigned i = 0; i < children->list->len; i++)
        at(children, i)->is_taken[sender] |= is_open(tunnel, at(children, i), sender);
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        if (sa->sender == sender)
            sa->is_loose = false;
    }
    children->loose[sender] = 0;
}

static void
place_loose(tunnel_t *tunnel, esp_sa_t *sa, unsigned open)
{
    sa->is_loose = true;
    if (++tunnel->children.loose[sa->sender] >= open)
        close_all(tunnel, sa->sender);
}

/* ---- SPIs whose negotiation is not in the capture ---- */

static bool
began_together(const esp_sa_t *a, const esp_sa_t *b)
{
    return duration_between(a->first_time, b->first_time) <= TOGETHER && duration_between(b->first_time, a->first_time) <= TOGETHER;
}

/* A pair that was not read, and that may have been taken for another one: if the capture has lost a negotiation, too many SPIs begin for
 * those that it shows. One that is older than the capture is none of theirs. */
static bool
is_guessed(const child_sa_t *child, const esp_sa_t *by)
{
    return child->made_in == FRAME_NONE || (child->confidence == CONFIDENCE_INFERRED && esp_sa_saw_birth(by));
}

/* Did another SPI of the same sender begin together with it, of which nobody knows for sure to which pair it belongs? */
static bool
has_rival(const tunnel_t *tunnel, const esp_sa_t *sa)
{
    for (unsigned i = tunnel->esp_sas->len, seen = 0; i-- > 0 && seen < LOOKED_BACK; seen++) {
        const esp_sa_t *other = g_ptr_array_index(tunnel->esp_sas, i);
        if (other == sa || other->sender != sa->sender || other->packets == 0 || !began_together(other, sa))
            continue;
        const child_sa_t *child = tunnel_child(tunnel, other->generation);
        if (child == NULL || is_guessed(child, sa))
            return true;
    }
    return false;
}

static void
part(child_sa_t *child)
{
    for (unsigned p = 0; p < PEERS; p++) {
        if (child->sa[p] != NULL)
            child->sa[p]->generation = INDEX_NONE;
        child->sa[p] = NULL;
    }
}

static void
dissolve(child_sa_t *child)
{
    part(child);
    child->is_void = true;
}

/* Several began at once: whatever was taken for a pair among them may be none. */
static void
dissolve_burst(tunnel_t *tunnel, const esp_sa_t *sa)
{
    const children_t *children = &tunnel->children;

    for (unsigned i = children->list->len, seen = 0; i-- > 0 && seen < LOOKED_BACK; seen++) {
        child_sa_t *child = at(children, i);
        bool is_part = false;
        for (unsigned p = 0; p < PEERS; p++)
            is_part |= child->sa[p] != NULL && began_together(child->sa[p], sa);
        if (!is_part || child->is_void || !is_guessed(child, sa))
            continue;
        if (child->made_in == FRAME_NONE)
            dissolve(child);
        else
            part(child); /* it was made, that much is known */
    }
}

/* The first SPI of each direction, both older than the capture: with one of them each way they are a pair, however long the other took
 * to be used. */
static bool
are_founders(const tunnel_t *tunnel, const esp_sa_t *sa, const esp_sa_t *back)
{
    return tunnel->children.births[sa->sender] == 1 && tunnel->children.births[back->sender] == 1 && !esp_sa_saw_birth(sa) &&
           !esp_sa_saw_birth(back);
}

static void
place_by_traffic(tunnel_t *tunnel, esp_sa_t *sa)
{
    const children_t *children = &tunnel->children;
    child_sa_t *found = NULL;
    unsigned count = 0;

    tunnel->children.births[sa->sender]++;
    if (has_rival(tunnel, sa)) {
        dissolve_burst(tunnel, sa);
        return;
    }
    for (unsigned i = children->list->len, seen = 0; i-- > 0 && seen < LOOKED_BACK; seen++) {
        child_sa_t *child = at(children, i);
        const esp_sa_t *back = child->sa[peer_other(sa->sender)];
        if (child->is_void || child->made_in != FRAME_NONE || child->is_taken[sa->sender] || back == NULL ||
            !(began_together(back, sa) || are_founders(tunnel, sa, back)))
            continue;
        found = child;
        count++;
    }
    if (count > 1)
        dissolve_burst(tunnel, sa);
    else
        take(count == 1 ? found : add_child(tunnel), sa);
}

/* An IKE SA whose peers have agreed on keys, and of which nothing more is in the capture yet: its first child may have been made there
 * (RFC 7296 1.2), unseen. */
static bool
has_unseen_ike_auth(const tunnel_t *tunnel)
{
    for (unsigned i = tunnel->ike_sas->len, seen = 0; i-- > 0 && seen < IKE_SAS_LOOKED_BACK; seen++) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->state == IKE_SA_NEGOTIATING && ike_sa->spi_r != 0)
            return true;
    }
    return false;
}

void
children_place(tunnel_t *tunnel, esp_sa_t *sa)
{
    child_sa_t *child = NULL;
    unsigned open = esp_sa_saw_birth(sa) ? count_open(tunnel, sa->sender, &child) : 0;

    if (open <= tunnel->children.loose[sa->sender])
        place_by_traffic(tunnel, sa);
    else if (open == 1 && !has_unseen_ike_auth(tunnel))
        take(child, sa);
    else
        place_loose(tunnel, sa, open);
}

/* ---- negotiations ---- */

/* The SA leaves the pair for which it was taken. */
static void
withdraw(tunnel_t *tunnel, esp_sa_t *sa)
{
    child_sa_t *before = tunnel_child(tunnel, sa->generation);

    if (sa->is_loose) {
        sa->is_loose = false;
        tunnel->children.loose[sa->sender]--;
    }
    sa->generation = INDEX_NONE;
    if (before == NULL)
        return;
    before->sa[sa->sender] = NULL;
    before->is_taken[sa->sender] = false;
    if (before->made_in == FRAME_NONE && before->sa[peer_other(sa->sender)] == NULL)
        before->is_void = true;
}

void
children_adopt_early(tunnel_t *tunnel, uint32_t index, const exchange_t *exchange, peer_t sender)
{
    esp_sa_t *found = NULL;

    for (unsigned i = tunnel->esp_sas->len, seen = 0; i-- > 0 && seen < LOOKED_BACK; seen++) {
        esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        const child_sa_t *child = tunnel_child(tunnel, sa->generation);
        bool is_early = sa->sender == sender && sa->packets > 0 && sa->first_time > exchange->first_sent_at && esp_sa_saw_birth(sa);
        if (!is_early || sa->is_loose || sa->announced_in != FRAME_NONE || (child != NULL && child->made_in != FRAME_NONE))
            continue;
        if (found != NULL)
            return;
        found = sa;
    }
    if (found == NULL)
        return;
    withdraw(tunnel, found);
    take(tunnel_child(tunnel, index), found);
}

uint32_t
children_made_by(tunnel_t *tunnel, const exchange_t *exchange, frame_t frame, capture_ns_t time)
{
    child_sa_t *child = add_child(tunnel);

    child->asked_in = exchange->sent_in[0];
    child->made_in = frame;
    child->made_at = time;
    child->made_by = exchange->requester;
    child->kind = exchange->kind;
    child->kind_confidence = exchange->kind_confidence;
    child->ike_sa = exchange->ike_sa->index;
    child->ike_root = exchange->ike_sa->root;
    child->ike_version = exchange->ike_sa->major;
    return child->index;
}

/* The next child gets the number of the one that was none: numbers are then the same with and without keys. */
static void
drop_if_last(children_t *children)
{
    const child_sa_t *last = at(children, children->list->len - 1);

    if (last->is_void)
        g_array_set_size(children->list, children->list->len - 1);
}

void
children_take_back(tunnel_t *tunnel, uint32_t index)
{
    child_sa_t *child = tunnel_child(tunnel, index);

    if (child == NULL)
        return;
    dissolve(child);
    drop_if_last(&tunnel->children);
    for (unsigned p = 0; p < PEERS; p++) {
        unsigned loose = tunnel->children.loose[p];
        if (loose == 0)
            continue;
        child_sa_t *only = NULL;
        unsigned open = count_open(tunnel, (peer_t)p, &only);
        if (open == 1 && loose == 1) { /* there were two to choose from, and this was the other one */
            esp_sa_t *sa = latest_loose(tunnel, (peer_t)p);
            tunnel->children.loose[p] = 0;
            if (sa != NULL)
                take(only, sa);
        } else if (loose >= open) {
            close_all(tunnel, (peer_t)p);
        }
    }
}

void
children_announce(tunnel_t *tunnel, uint32_t index, esp_sa_t *sa)
{
    if (tunnel_child(tunnel, index) == NULL)
        return;
    if (sa->generation != index)
        withdraw(tunnel, sa);
    take(tunnel_child(tunnel, index), sa);
    tunnel_child(tunnel, index)->confidence = CONFIDENCE_OBSERVED;
}

void
children_replaced(tunnel_t *tunnel, uint32_t predecessor, uint32_t successor)
{
    child_sa_t *older = tunnel_child(tunnel, predecessor), *newer = tunnel_child(tunnel, successor);

    if (older == NULL || newer == NULL || older == newer || older->index > newer->index)
        return;
    older->replaced_by = newer->index;
    newer->replaces = older->index;
}

void
children_not_replaced(tunnel_t *tunnel, uint32_t predecessor)
{
    child_sa_t *older = tunnel_child(tunnel, predecessor);
    child_sa_t *newer = older != NULL ? tunnel_child(tunnel, older->replaced_by) : NULL;

    if (older == NULL)
        return;
    older->replaced_by = INDEX_NONE;
    if (newer != NULL && newer->replaces == older->index)
        newer->replaces = INDEX_NONE;
}

void
children_deleted(tunnel_t *tunnel, uint32_t index, peer_t by, frame_t frame, capture_ns_t time, confidence_t confidence)
{
    child_sa_t *child = tunnel_child(tunnel, index);

    if (child == NULL || child->deleted_in != FRAME_NONE)
        return;
    for (unsigned p = 0; p < PEERS; p++) {
        if (tunnel->children.loose[p] > 0 && is_open(tunnel, child, (peer_t)p))
            close_all(tunnel, (peer_t)p);
    }
    child->deleted_in = frame;
    child->deleted_at = time;
    child->deleted_by = by;
    child->deleted_confidence = confidence;
}

esp_sa_t *
children_way_back(const esp_sa_t *sa)
{
    const child_sa_t *child = tunnel_child(sa->tunnel, sa->generation);

    return child != NULL ? child->sa[peer_other(sa->sender)] : NULL;
}

static bool
was_made_in_capture(const esp_sa_t *sa)
{
    const child_sa_t *child = tunnel_child(sa->tunnel, sa->generation);

    return child != NULL && child->made_in != FRAME_NONE;
}

bool
children_may_be_pair(const esp_sa_t *a, const esp_sa_t *b)
{
    const esp_sa_t *back_of_a = children_way_back(a), *back_of_b = children_way_back(b);

    if (a->sender == b->sender)
        return false;
    if (back_of_a != NULL || back_of_b != NULL)
        return back_of_a == b;
    return !was_made_in_capture(a) || !was_made_in_capture(b); /* else of two children, each used one way */
}

/* An SPI of which nobody can tell to which pair it belongs. */
static bool
is_stray(const esp_sa_t *sa)
{
    return sa->packets > 0 && sa->generation == INDEX_NONE && !sa->is_around_esp;
}

void
children_forget_sa(tunnel_t *tunnel, const esp_sa_t *sa)
{
    child_sa_t *child = tunnel_child(tunnel, sa->generation);

    tunnel->children.strays_forgotten[sa->sender] += is_stray(sa);
    if (sa->is_loose)
        tunnel->children.loose[sa->sender]--;
    if (child != NULL)
        child->sa[sa->sender] = NULL;
}

const ike_sa_t *
child_deleted_with(const tunnel_t *tunnel, const child_sa_t *child)
{
    const ike_sa_t *owner = NULL;

    for (unsigned i = tunnel->ike_sas->len; child->ike_version == 2 && i-- > 0;) {
        const ike_sa_t *ike_sa = g_ptr_array_index(tunnel->ike_sas, i);
        if (ike_sa->root != child->ike_root)
            continue;
        if (ike_sa->state != IKE_SA_DELETED)
            return NULL;
        if (owner == NULL)
            owner = ike_sa;
    }
    return owner != NULL && !owner->hands_on_children ? owner : NULL;
}

unsigned
children_count(const tunnel_t *tunnel)
{
    const children_t *children = &tunnel->children;
    unsigned count = children->forgotten, unclaimed[PEERS] = { 0 };
    unsigned unknown[PEERS] = { children->strays_forgotten[PEER_A], children->strays_forgotten[PEER_B] };

    for (unsigned i = 0; i < children->list->len; i++) {
        const child_sa_t *child = at(children, i);
        count += !child->is_void;
        for (unsigned p = 0; p < PEERS; p++)
            unclaimed[p] += !child->is_void && child->made_in != FRAME_NONE && child->sa[p] == NULL;
    }
    for (unsigned i = 0; i < tunnel->esp_sas->len; i++) {
        const esp_sa_t *sa = g_ptr_array_index(tunnel->esp_sas, i);
        unknown[sa->sender] += is_stray(sa);
    }
    unsigned more[PEERS];
    for (unsigned p = 0; p < PEERS; p++)
        more[p] = unknown[p] > unclaimed[p] ? unknown[p] - unclaimed[p] : 0;
    return count + MAX(more[PEER_A], more[PEER_B]);
}
