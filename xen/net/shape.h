/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network scheduler of the side towards the guests. A class is the receiving domain; only a domain that was given rates
 * towards it has one, all others receive directly.
 */
#ifndef NET_SHAPE_H
#define NET_SHAPE_H

#include <stdatomic.h>

#include <hv/domain.h>
#include <net.h>
#include <pkt.h>

extern _Atomic bool shape_on[MAX_DOMAINS];

/* => do packets for this domain go through shape_push()? */
static inline bool shape_has(uint16_t domid)
{
	return atomic_load_explicit(&shape_on[domid], memory_order_relaxed);
}

int shape_init(void);
/* => packets for a domain, in order; takes them all. How many found their guest full. Between net_enter() and net_leave(). */
unsigned int shape_push(uint16_t domid, struct pktq *q);
/* => in SOFTIRQ_NET_TX: packets whose time has come go to their guests. */
void shape_poll(void);
int shape_class_read(uint16_t domid, struct net_class_info *out);
int shape_sub_set(uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why);
int shape_sub_read(uint16_t domid, uint32_t index, struct net_sub_info *out);
/* => sub NULL: none. Without a class there is nothing to do. The scheduler's lock is held. */
int net_sub_change(struct netsched *ns, uint16_t domid, uint32_t index, const struct netsched_sub *sub, struct netsched_refusal *why);
/* => all but link and dir, of a class of one scheduler; its lock is held. -ENOENT */
int net_class_fill(struct netsched *ns, uint16_t domid, struct net_class_info *out);
/* => drops that no class counts. */
void shape_counters(struct net_counters *out);

#endif
