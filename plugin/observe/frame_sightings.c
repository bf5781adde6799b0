/* frame_sightings.c - which IPsec packets does the frame at hand hold?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "observe/frame_sightings.h"

#include <epan/proto_data.h>

enum { KEY_SIGHTINGS = 1 }; /* packet scope: the first sighting_t of a frame that stays dissected; observe.c has another key */

/* Nearly every frame has one packet, for which nothing needs to be allocated. */
static struct {
    const packet_info *pinfo; /* NULL: there is none so far */
    frame_t frame;
    sighting_t first, *last;
} at_hand;

static int protocol;

void
frame_sightings_register(int own_protocol)
{
    protocol = own_protocol;
}

static bool
is_at_hand(const packet_info *pinfo)
{
    return at_hand.pinfo == pinfo && at_hand.frame == pinfo->num;
}

void
frame_sightings_add(packet_info *pinfo, const sighting_t *sighting)
{
    sighting_t *place = &at_hand.first;

    if (is_at_hand(pinfo)) {
        place = wmem_new(pinfo->pool, sighting_t);
        at_hand.last->next = place;
    }
    at_hand.pinfo = pinfo;
    at_hand.frame = pinfo->num;
    at_hand.last = place;
    *place = *sighting;
    place->next = NULL;
}

const sighting_t *
frame_sightings_latest(const packet_info *pinfo)
{
    return is_at_hand(pinfo) ? at_hand.last : NULL;
}

const sighting_t *
observe_take_sightings(packet_info *pinfo, bool stays)
{
    if (!is_at_hand(pinfo))
        return NULL;
    at_hand.pinfo = NULL;
    if (stays) {
        sighting_t *kept = wmem_new(pinfo->pool, sighting_t);
        *kept = at_hand.first;
        p_add_proto_data(pinfo->pool, pinfo, protocol, KEY_SIGHTINGS, kept);
    }
    return &at_hand.first;
}

const sighting_t *
observe_kept_sightings(packet_info *pinfo)
{
    return p_get_proto_data(pinfo->pool, pinfo, protocol, KEY_SIGHTINGS);
}
