/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest whose queue overflows is given no more than it can use.
 *
 * Its kernel takes packets before its programs run, so one that always finds more to take drops them later, at its sockets, after
 * all the work (receive livelock: Mogul and Ramakrishnan, 1997). So it gets a portion, and the next one when it sleeps, which says
 * that its programs have used the last; or, if it never sleeps, after a few times as long as it took to take it. What comes
 * meanwhile waits in the queue, and beyond that is dropped where a drop is cheapest: before the copy, or at the card.
 */
#include <hv/domain.h>
#include <netif.h>

#define PORTION      64u /* slots */
#define USE_FACTOR   4   /* using packets takes at most so many times as long as taking them */
#define PORTION_NS   (2 * WATCH_END_NS)  /* the next portion at the latest, whatever the guest does */
#define OVERFLOW_NS  (10 * WATCH_END_NS) /* without a drop for so long, all is as before */

static bool wants_more(struct netif *vif, uint32_t room, uint64_t now)
{
	struct netif_ration *r = &vif->ration;

	if (now - r->given_ns >= PORTION_NS)
		return true;
	if (!r->shown || (atomic_load(&vif->notify) & NETIF_NOTIFY_RX))
		return false; /* it does not know of this portion yet */
	if (domain_is_idle(vif->d))
		return true;
	if (!r->taken_ns && room >= r->room)
		r->taken_ns = now;
	return r->taken_ns && now - r->taken_ns >= USE_FACTOR * (r->taken_ns - r->given_ns);
}

uint32_t netif_ration(struct netif *vif, uint32_t room)
{
	struct netif_ration *r = &vif->ration;
	uint64_t now;
	uint32_t most;

	if (!r->full_ns)
		return room;
	now = time_now_ns();
	if (now - r->full_ns >= OVERFLOW_NS) {
		*r = (struct netif_ration){ 0 };
		return room;
	}
	if (r->given >= PORTION && room && wants_more(vif, room, now))
		*r = (struct netif_ration){ .full_ns = r->full_ns, .given_ns = now, .room = room };
	if (r->given >= PORTION)
		return 0;
	most = PORTION - r->given + PKT_SLOTS; /* a long packet is not torn */
	return most < room ? most : room;
}
