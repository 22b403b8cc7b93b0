/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in a network scheduler: what the uplinks (uplink_tx.c) and the side towards the guests (shape.c) share. */
#ifndef NET_SCHED_PKT_H
#define NET_SCHED_PKT_H

#include <net.h>
#include <pkt.h>

#define SCHED_LINK_BPS 10000000000UL /* what a link is taken to carry until told otherwise */

/* => how late timers may come: in an emulator, where rings are watched less often for the same reason, later than elsewhere. */
static inline uint32_t sched_link_late_ns(void)
{
	uint64_t ns = 4 * net_watch_ns;

	return ns < 2000000 ? 2000000 : ns > 50000000 ? 50000000 : (uint32_t)ns;
}

static inline struct pkt *pkt_of_item(struct netsched_item *item)
{
	return (struct pkt *)((char *)item - offsetof(struct pkt, item));
}

/* => p->item, for the class of a domain. */
void sched_pkt_fill(struct pkt *p, uint16_t class_id);
/* => Congestion Experienced, RFC 3168: the `mark` of struct netsched_host. */
bool sched_pkt_mark(void *ctx, struct netsched_item *item);
/* => under which name a drop of the scheduler is counted. */
enum net_drop sched_pkt_drop(enum netsched_verdict why);

#endif
