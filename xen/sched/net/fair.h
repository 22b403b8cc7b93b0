/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue inside a class of a policy with NETSCHED_HAS_FLOWS: sub-classes, and FQ-CoDel in each. See fair.c. */
#ifndef SCHED_NET_FAIR_H
#define SCHED_NET_FAIR_H

#include <sched/net/codel.h>
#include <sched/net/policy.h>

/* One cache line. */
struct flow {
	struct netsched_queue q;
	struct flow *next;	/* in its sub-class's list */
	uint32_t bytes;
	int32_t deficit;
	struct codel codel;
	bool listed;
};

/* Make f, which is zeroed, a queue for a class with these parameters and sub-classes (NULL: one for all). => 0, or -ENOMEM */
int fair_init(struct fair *f, const struct netsched_params *p, const struct netsched_subs *subs);
/* f is empty; it is zeroed then, and may have been before. */
void fair_free(struct fair *f);
/* Take over sub-class `index`; => 0, or -ENOMEM and nothing changed. */
int fair_sub_set(struct fair *f, uint32_t index, const struct netsched_sub *sub);
/* Forget sub-class `index`, not 0. => f is empty */
void fair_sub_del(struct fair *f, uint32_t index);
/* The sub-class that a packet belongs to, and what waits in one. */
uint32_t fair_sub_of(const struct fair *f, const struct netsched_item *item);
void fair_sub_backlog(const struct fair *f, uint32_t index, struct netsched_sub_stats *out);

/* Queue one packet of its class; the class's counts are the caller's. */
void fair_push(struct fair *f, struct netsched_item *item);
/* Next packet in fair order; f holds one at least. Those that CoDel drops go to the class's host on the way. */
struct netsched_item *fair_pop(struct fair *f, struct netsched_class *c, uint64_t now);
/* Is the packet's own flow the one with the longest queue? */
bool fair_is_fattest(const struct fair *f, const struct netsched_item *item);
/* The oldest packet of the longest flow, to be dropped; f is not empty. */
struct netsched_item *fair_evict(struct fair *f);
/* All packets, as one chain: each flow's in order, flows taking turns. f is empty then. */
struct netsched_queue fair_drain(struct fair *f);

/* netsched.c: a packet of c leaves the queue without being sent. */
void netsched_discard(struct netsched_class *c, struct netsched_item *item, enum netsched_verdict why);

static inline void queue_push(struct netsched_queue *q, struct netsched_item *item)
{
	struct netsched_item *tail = q->tail;
	/* a select and no branch: it goes one way as often as the other */
	struct netsched_item **last = __builtin_expect_with_probability(q->head != NULL, 1, 0.5) ? &tail->next : &q->head;

	item->next = NULL;
	*last = item;
	q->tail = item;
}

static inline struct netsched_item *queue_pop(struct netsched_queue *q)
{
	struct netsched_item *item = q->head;

	if (item)
		q->head = item->next;
	return item;
}

#endif
