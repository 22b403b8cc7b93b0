/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sub-classes of a class: given, changed, taken back while packets wait. The queues themselves are fair.c's.
 *
 * What is set stays with the class under every policy; one without flow queues has no use for it. Each change takes all packets out and
 * puts them back, so that a flow that now belongs elsewhere takes its queued packets along, in their order.
 */
#include <sched/net/internal.h>

#include <errno.h>

static bool is_set(const struct netsched_class *c, uint32_t index)
{
	return c->aside->subs && c->aside->subs->set[index].weight;
}

static int divide(struct netsched_class *c)
{
	if (c->aside->subs)
		return 0;
	c->aside->subs = env_alloc(sizeof(*c->aside->subs));
	if (!c->aside->subs)
		return -ENOMEM;
	c->aside->subs->set[0].weight = 1;
	c->state |= CLASS_DIVIDED;
	return 0;
}

int netsched_sub_set(struct netsched *ns, uint32_t id, uint32_t index, const struct netsched_sub *sub,
		     struct netsched_refusal *why)
{
	if (!netsched_is_live(ns, id))
		return netsched_refuse(why, -ENOENT, "there is no class %u", id);
	if (index >= NETSCHED_SUBS || sub->weight < 1 || sub->weight > 255)
		return netsched_refuse(why, -EINVAL, "sub-class %u of weight %u: index below %u, weight 1 to 255", index, sub->weight,
				       NETSCHED_SUBS);
	struct netsched_class *c = &ns->classes[id];
	if (divide(c) || (c->state & CLASS_FLOWS && fair_sub_set(&c->fair, index, sub)))
		return netsched_refuse(why, -ENOMEM, "no memory for %u flow queues", c->p.flows);
	c->aside->subs->set[index] = *sub;
	netsched_spread(c, netsched_gather(c));
	return 0;
}

int netsched_sub_del(struct netsched *ns, uint32_t id, uint32_t index)
{
	static const struct netsched_sub plain = { .weight = 1 };

	if (!netsched_is_live(ns, id) || index >= NETSCHED_SUBS || !is_set(&ns->classes[id], index))
		return -ENOENT;
	if (index == 0)
		return netsched_sub_set(ns, id, 0, &plain, NULL);
	struct netsched_class *c = &ns->classes[id];
	struct netsched_queue q = netsched_gather(c);
	c->aside->subs->set[index] = (struct netsched_sub){ 0 };
	c->aside->subs->count[index] = (struct netsched_sub_stats){ 0 };
	if (c->state & CLASS_FLOWS)
		fair_sub_del(&c->fair, index);
	netsched_spread(c, q);
	return 0;
}

int netsched_sub_get(const struct netsched *ns, uint32_t id, uint32_t index, struct netsched_sub *sub,
		     struct netsched_sub_stats *stats)
{
	if (!netsched_is_live(ns, id) || index >= NETSCHED_SUBS || !is_set(&ns->classes[id], index))
		return -ENOENT;
	const struct netsched_class *c = &ns->classes[id];
	if (sub)
		*sub = c->aside->subs->set[index];
	if (!stats)
		return 0;
	*stats = c->aside->subs->count[index];
	if (!(c->state & CLASS_FLOWS))
		return 0;
	fair_sub_backlog(&c->fair, index, stats);
	if (c->q.head && fair_sub_of(&c->fair, c->q.head) == index) {	/* a lone packet waits outside */
		stats->backlog_packets++;
		stats->backlog_bytes += c->q.head->wire_bytes;
	}
	return 0;
}
