/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another policy, live. The queues belong to the common part, so a change of policy is a change of order only: every
 * class is taken out of the old order and put into the new one. Where one policy has flow queues and the other has not, the
 * packets of a class move between them, flows taking turns, each flow's packets in their order.
 *
 * All memory is had before anything changes. Until a class's turn comes `spare` keeps its new flow queues, by class id.
 */
#include <sched/net/internal.h>

#include <errno.h>
#include <string.h>

static void free_spare(struct fair *spare, uint32_t n)
{
	for (uint32_t id = 0; spare && id < n; id++)
		fair_free(&spare[id]);
	env_free(spare, n * sizeof(*spare));
}

/* Flow queues for each class, in an array by id. => NULL: no memory */
static struct fair *make_spare(const struct netsched *ns)
{
	uint32_t n = ns->link.max_classes;
	struct fair *spare = env_alloc(n * sizeof(*spare));

	for (uint32_t id = 0; spare && id < n; id++) {
		if (!netsched_is_live(ns, id))
			continue;
		if (fair_init(&spare[id], &ns->classes[id].p, ns->asides[id].subs)) {
			free_spare(spare, n);
			return NULL;
		}
	}
	return spare;
}

/* c is out of the old order; give it its queue under the new policy and put it into the new order. */
static void move(struct netsched *ns, struct netsched_class *c, struct fair *spare)
{
	bool flows = ns->ops->flags & NETSCHED_HAS_FLOWS;

	if (flows != !!(c->state & CLASS_FLOWS)) {
		netsched_requeue(c, flows ? &spare[c->id] : NULL);
		if (flows)
			spare[c->id] = (struct fair){ 0 };
	}
	c->priv = ns->class_priv + c->id * ns->class_stride;
	netsched_set_buckets(ns, c);
	if (ns->ops->class_set)
		ns->ops->class_set(ns, c);
	if (c->packets)
		netsched_start(ns, c);
}

int netsched_switch(struct netsched *ns, const struct netsched_ops *ops, uint64_t now)
{
	uint32_t n = ns->link.max_classes;
	bool flows = ops->flags & NETSCHED_HAS_FLOWS && !(ns->ops->flags & NETSCHED_HAS_FLOWS);
	size_t stride = netsched_stride(ops);
	void *priv = env_alloc(ops->size);
	void *class_priv = env_alloc(n * stride);
	struct fair *spare = flows ? make_spare(ns) : NULL;

	if (!priv || !class_priv || (flows && !spare)) {
		env_free(priv, ops->size);
		env_free(class_priv, n * stride);
		free_spare(spare, n);
		return -ENOMEM;
	}
	ns->now = now;
	for (uint32_t id = 0; id < n; id++)
		if (netsched_is_live(ns, id))
			netsched_halt(ns, &ns->classes[id]);
	env_free(ns->priv, ns->ops->size);
	env_free(ns->class_priv, n * ns->class_stride);
	ns->ops = ops;
	ns->priv = priv;
	ns->class_priv = class_priv;
	ns->class_stride = stride;
	if (ops->init)
		ops->init(ns, now);
	for (uint32_t id = 0; id < n; id++)
		if (netsched_is_live(ns, id))
			move(ns, &ns->classes[id], spare);
	free_spare(spare, n);
	return 0;
}
