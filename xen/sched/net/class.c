/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instances and classes: created, changed while packets are queued, deleted.
 *
 * Every call that can fail allocates first and changes afterwards, so a failure leaves all as it was. A class that changes
 * is taken out of the order, changed, and put back; its packets stay, or move to new flow queues in an order in which no flow's
 * packets pass each other.
 */
#include <sched/net/internal.h>

#include <errno.h>
#include <string.h>

size_t netsched_stride(const struct netsched_ops *ops)
{
	return (ops->class_size + ENV_CACHE_LINE - 1) & ~(size_t)(ENV_CACHE_LINE - 1);
}

static size_t classes_size(const struct netsched *ns)
{
	return ns->link.max_classes * sizeof(struct netsched_class);
}

static size_t asides_size(const struct netsched *ns)
{
	return ns->link.max_classes * sizeof(struct netsched_aside);
}

static void set_pace(struct netsched *ns)
{
	bucket_set(&ns->pace, (ns->link.rate_bps + 7) / 8, ns->link.burst_bytes, ns->link.max_packet);
}

int netsched_create(const struct netsched_ops *ops, const struct netsched_link *link, const struct netsched_host *host,
		    struct netsched **out, struct netsched_refusal *why)
{
	struct netsched_link l = *link;
	int err = netsched_admit_link(&l, why);

	if (err)
		return err;
	struct netsched *ns = env_alloc(sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	ns->ops = ops;
	ns->link = l;
	ns->host = *host;
	ns->class_stride = netsched_stride(ops);
	ns->classes = env_alloc(classes_size(ns));
	ns->asides = env_alloc(asides_size(ns));
	ns->class_priv = env_alloc(l.max_classes * ns->class_stride);
	ns->priv = env_alloc(ops->size);
	if (!ns->classes || !ns->asides || !ns->class_priv || !ns->priv) {
		netsched_destroy(ns);
		return -ENOMEM;
	}
	set_pace(ns);
	if (ops->init)
		ops->init(ns, 0);
	*out = ns;
	return 0;
}

/* Drop all that c holds; it is neither runnable nor capped. */
static void purge(struct netsched_class *c)
{
	struct netsched_item *item, *next;

	for (int round = 0; round < 2; round++) {
		item = c->q.head;
		c->q.head = NULL;
		for (; item; item = next) {
			next = item->next;
			netsched_discard(c, item, NETSCHED_GONE);
		}
		if (c->state & CLASS_FLOWS)
			c->q = fair_drain(&c->fair);
	}
}

void netsched_destroy(struct netsched *ns)
{
	if (!ns)
		return;
	for (uint32_t id = 0; ns->classes && ns->live && id < ns->link.max_classes; id++)
		netsched_class_del(ns, id);
	env_free(ns->priv, ns->ops->size);
	env_free(ns->class_priv, ns->link.max_classes * ns->class_stride);
	env_free(ns->asides, ns->asides ? asides_size(ns) : 0);
	env_free(ns->classes, ns->classes ? classes_size(ns) : 0);
	env_free(ns, sizeof(*ns));
}

static int set_link(struct netsched *ns, uint64_t rate_bps, bool paced, struct netsched_refusal *why)
{
	struct netsched_link l = ns->link;
	uint64_t room = netsched_room(ns, rate_bps);

	l.rate_bps = rate_bps;
	l.paced = paced;
	l.burst_bytes = 0;
	int err = netsched_admit_link(&l, why);
	if (err)
		return err;
	if (ns->guarantees > room)
		return netsched_refuse(why, -EDQUOT, "guarantees of %llu bit/s exceed %llu (link %llu less %u/1000) by %llu",
				       (unsigned long long)ns->guarantees, (unsigned long long)room, (unsigned long long)rate_bps,
				       ns->link.reserve_permille, (unsigned long long)(ns->guarantees - room));
	ns->link = l;
	set_pace(ns);
	if (ns->ops->link_set)
		ns->ops->link_set(ns);
	return 0;
}

int netsched_link_rate(struct netsched *ns, uint64_t rate_bps, struct netsched_refusal *why)
{
	return set_link(ns, rate_bps, true, why);
}

int netsched_link_free(struct netsched *ns, uint64_t rate_bps, struct netsched_refusal *why)
{
	return set_link(ns, rate_bps, false, why);
}

void netsched_set_buckets(struct netsched *ns, struct netsched_class *c)
{
	bool honoured = ns->ops->flags & NETSCHED_HAS_CEILING;
	uint64_t ceiling = honoured ? (c->p.ceiling_bps + 7) / 8 : 0;
	uint32_t pps = honoured ? c->p.pps : 0;
	struct netsched_aside *a = c->aside;

	bucket_set(&a->ceiling, ceiling, c->p.burst_bytes, c->max_packet);
	bucket_set(&a->pps, pps, pps / 500 + 2, 1);
	bucket_set(&a->new_flows, c->p.new_flows_ps, c->p.new_flows_ps, 1);
	c->state &= ~(uint32_t)CLASS_PACED;
	if (ceiling || pps)
		c->state |= CLASS_PACED;
}

static int links_classes(struct netsched *ns, struct netsched_refusal *why)
{
	for (uint32_t id = 0; id < ns->link.max_classes; id++) {
		struct netsched_params p;
		int err = 0;

		if (!netsched_is_live(ns, id))
			continue;
		p = ns->asides[id].asked;
		err = netsched_admit(ns, id, &ns->classes[id], &p, why);
		if (err)
			return err;
	}
	return 0;
}

int netsched_link_packet(struct netsched *ns, uint32_t max_packet, struct netsched_refusal *why)
{
	struct netsched_link old = ns->link, l = old;
	int err;

	l.max_packet = max_packet;
	l.burst_bytes = 0;
	err = netsched_admit_link(&l, why);
	if (err)
		return err;
	ns->link = l;
	err = links_classes(ns, why);
	if (err) {
		ns->link = old;
		return err;
	}
	set_pace(ns);
	if (ns->ops->link_set)
		ns->ops->link_set(ns);
	for (uint32_t id = 0; id < ns->link.max_classes; id++) {
		struct netsched_params p;

		if (!netsched_is_live(ns, id))
			continue;
		p = ns->asides[id].asked;
		netsched_class_set(ns, id, &p, ns->now, NULL);
	}
	return 0;
}

struct netsched_queue netsched_gather(struct netsched_class *c)
{
	struct netsched_queue q = c->q;

	if (!q.head && c->state & CLASS_FLOWS)
		q = fair_drain(&c->fair);
	c->q.head = NULL;
	c->lead = &c->q;
	return q;
}

void netsched_spread(struct netsched_class *c, struct netsched_queue q)
{
	struct netsched_item *item, *next;

	if (!(c->state & CLASS_FLOWS) || c->packets < 2) {
		c->q = q;
		return;
	}
	for (item = q.head; item; item = next) {
		next = item->next;
		fair_push(&c->fair, item);
	}
}

void netsched_requeue(struct netsched_class *c, const struct fair *fair)
{
	struct netsched_queue q = netsched_gather(c);

	fair_free(&c->fair);
	c->state &= ~(uint32_t)CLASS_FLOWS;
	if (fair) {
		c->fair = *fair;
		c->state |= CLASS_FLOWS;
	}
	netsched_spread(c, q);
}

static void adopt_params(struct netsched_class *c, const struct netsched_params *p)
{
	c->p = *p;
	c->stop_bytes = p->stop_bytes;
	c->limit_bytes = p->limit_bytes;
	c->limit_packets = p->limit_packets;
	c->max_packet = p->max_packet;
	c->target_ns = p->target_us * 1000;
	c->interval_ns = p->interval_us * 1000;
}

static void be_born(struct netsched *ns, struct netsched_class *c, uint32_t id, uint64_t now)
{
	memset(c, 0, sizeof(*c));
	c->id = id;
	c->aside = &ns->asides[id];
	*c->aside = (struct netsched_aside){ .class = c, .ns = ns };
	c->priv = ns->class_priv + id * ns->class_stride;
	memset(c->priv, 0, ns->class_stride);
	c->window_start = now;
	c->state = CLASS_LIVE;
	ns->live++;
}

int netsched_class_set(struct netsched *ns, uint32_t id, const struct netsched_params *params, uint64_t now,
		       struct netsched_refusal *why)
{
	bool known = netsched_is_live(ns, id);
	struct netsched_params p = *params;
	struct fair fair = { 0 };

	int err = netsched_admit(ns, id, known ? &ns->classes[id] : NULL, &p, why);
	if (err)
		return err;
	struct netsched_class *c = &ns->classes[id];
	bool tables = ns->ops->flags & NETSCHED_HAS_FLOWS && (!known || p.flows != c->p.flows);
	if (tables && fair_init(&fair, &p, known ? c->aside->subs : NULL))
		return netsched_refuse(why, -ENOMEM, "no memory for %u flow queues", p.flows);

	ns->now = now;
	if (known)
		netsched_halt(ns, c);
	else
		be_born(ns, c, id, now);
	ns->guarantees += p.guarantee_bps - c->p.guarantee_bps;
	ns->weights += p.weight - (uint64_t)c->p.weight;
	adopt_params(c, &p);
	c->aside->asked = *params;
	if (tables)
		netsched_requeue(c, &fair);
	netsched_set_buckets(ns, c);
	if (ns->ops->class_set)
		ns->ops->class_set(ns, c);
	if (c->packets)
		netsched_start(ns, c);
	return 0;
}

int netsched_class_get(const struct netsched *ns, uint32_t id, struct netsched_params *p)
{
	if (!netsched_is_live(ns, id))
		return -ENOENT;
	*p = ns->classes[id].p;
	return 0;
}

int netsched_class_del(struct netsched *ns, uint32_t id)
{
	if (!netsched_is_live(ns, id))
		return -ENOENT;
	struct netsched_class *c = &ns->classes[id];
	netsched_halt(ns, c);
	purge(c);
	if (ns->ops->class_del)
		ns->ops->class_del(ns, c);
	fair_free(&c->fair);
	env_free(c->aside->subs, c->aside->subs ? sizeof(*c->aside->subs) : 0);
	ns->guarantees -= c->p.guarantee_bps;
	ns->weights -= c->p.weight;
	ns->live--;
	memset(c, 0, sizeof(*c));
	return 0;
}

void netsched_admitted(const struct netsched *ns, uint64_t *given_bps, uint64_t *room_bps)
{
	*given_bps = ns->guarantees;
	*room_bps = netsched_room(ns, ns->link.rate_bps);
}
