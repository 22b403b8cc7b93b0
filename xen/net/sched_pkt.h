/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets in a network scheduler: what the uplinks (uplink_tx.c) and the side towards the guests (shape.c) share. */
#ifndef NET_SCHED_PKT_H
#define NET_SCHED_PKT_H

#include <net.h>
#include <pkt.h>

#define SCHED_LINK_BPS 10000000000UL /* what a link is taken to carry until told otherwise */

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
