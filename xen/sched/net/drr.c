/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drr: deficit round robin (Shreedhar and Varghese 1995) by bytes and weights, charged after the packet. A class sends while its
 * credit lasts and gets weight * QUANTUM more when its turn comes again.
 *
 * Bound: two classes that stay runnable differ, in bytes by weight, by at most one round: 2 * QUANTUM + 2 * Lmax / weight. The
 * delay grows with the number of classes and their weights; that is what hfq is for.
 */
#include <sched/net/policy.h>
#include <sched/net/ring.h>

#define QUANTUM 1538	/* a full Ethernet frame on the wire */

struct drr {
	struct ring ring;
};

struct drr_class {
	struct ring_node node;
	struct netsched_class *class;
	int64_t credit, quantum;
};

static void drr_class_set(struct netsched *ns, struct netsched_class *c)
{
	struct drr_class *dc = c->priv;

	dc->class = c;
	dc->quantum = (int64_t)c->p.weight * QUANTUM;
}

/* A newcomer has one quantum, less what it still owes; credit is not saved. */
static void drr_wake(struct netsched *ns, struct netsched_class *c, uint64_t now)
{
	struct drr *drr = ns->priv;
	struct drr_class *dc = c->priv;

	dc->credit = dc->credit < 0 ? dc->credit + dc->quantum : dc->quantum;
	ring_add(&drr->ring, &dc->node);
}

static void drr_sleep(struct netsched *ns, struct netsched_class *c)
{
	struct drr *drr = ns->priv;
	struct drr_class *dc = c->priv;

	ring_del(&drr->ring, &dc->node);
}

static struct netsched_class *drr_pick(struct netsched *ns, uint64_t now)
{
	struct drr *drr = ns->priv;
	struct drr_class *dc = (struct drr_class *)drr->ring.head;

	/* A 64 KiB segment is 53 quanta of weight 1; each of these turns was paid for by the segment. */
	while (dc->credit <= 0) {
		dc->credit += dc->quantum;
		ring_turn(&drr->ring);
		dc = (struct drr_class *)drr->ring.head;
	}
	return dc->class;
}

static void drr_sent(struct netsched *ns, struct netsched_class *c, uint32_t bytes, bool runnable)
{
	struct drr_class *dc = c->priv;

	dc->credit -= bytes;
	if (!runnable)
		drr_sleep(ns, c);
}

const struct netsched_ops netsched_drr = {
	.name = "drr",
	.title = "deficit round robin by weight",
	.flags = NETSCHED_HAS_WEIGHT | NETSCHED_HAS_CEILING,
	.size = sizeof(struct drr),
	.class_size = sizeof(struct drr_class),
	.class_set = drr_class_set,
	.wake = drr_wake,
	.sleep = drr_sleep,
	.pick = drr_pick,
	.sent = drr_sent,
};
