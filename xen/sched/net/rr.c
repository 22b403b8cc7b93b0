/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rr: one packet of each class in turn, whatever its length. What Xen 1.x did, kept as the yardstick: no weights, no limits,
 * and a class of long packets gets more than one of short ones.
 */
#include <sched/net/rr.h>

void netsched_rr_wake(struct netsched *ns, struct netsched_class *c, uint64_t now)
{
	struct rr *rr = ns->priv;
	struct rr_class *rc = c->priv;

	rc->class = c;
	ring_add(&rr->ring, &rc->node);
}

void netsched_rr_sleep(struct netsched *ns, struct netsched_class *c)
{
	struct rr *rr = ns->priv;
	struct rr_class *rc = c->priv;

	ring_del(&rr->ring, &rc->node);
}

struct netsched_class *netsched_rr_pick(struct netsched *ns, uint64_t now)
{
	struct rr *rr = ns->priv;
	struct rr_class *rc = (struct rr_class *)rr->ring.head;

	return rc->class;
}

void netsched_rr_sent(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable)
{
	struct rr *rr = ns->priv;

	if (runnable)
		ring_turn(&rr->ring);
	else
		netsched_rr_sleep(ns, c);
}

const struct netsched_ops netsched_rr = {
	.name = "rr",
	.title = "round robin by packet (the baseline)",
	.size = sizeof(struct rr),
	.class_size = sizeof(struct rr_class),
	.wake = netsched_rr_wake,
	.sleep = netsched_rr_sleep,
	.pick = netsched_rr_pick,
	.sent = netsched_rr_sent,
};
