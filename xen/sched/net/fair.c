/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fairness inside a class, so that one bulk flow does not delay the domain's others.
 *
 * A class has up to eight sub-classes (by DSCP or by a rule's mark), which share its service by weight: deficit round robin,
 * charged after the packet. Each sub-class is an FQ-CoDel queue (RFC 8290): flows are hashed to queues; a queue that was idle
 * is served first for one quantum (so that a sparse flow finds no queue), the others take turns; CoDel judges each packet as it
 * leaves. A flow's last packet is never dropped by CoDel, so a pop from a queue that holds packets returns one.
 *
 * The class limit hits the longest flow, not whoever arrives: `fattest` follows the longest queue at each push. It may be out
 * of date when that flow shrinks, but then the queue is shrinking too.
 *
 * With many classes the caches set the cost of a packet. So all that a packet of an undivided class needs of struct fair is in its
 * first cache line, and each flow is a line.
 */
#include <sched/net/fair.h>

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#define QUANTUM 1538	/* a full Ethernet frame on the wire */

struct flow {
	struct netsched_queue q;
	uint32_t bytes;
	int32_t deficit;
	struct flow *next;	/* in its sub-class's list */
	struct codel codel;
	bool listed;
};
static_assert(sizeof(struct flow) == ENV_CACHE_LINE, "a flow is one cache line");

struct flow_list {
	struct flow *head, *tail;
};

struct sub {
	struct flow *flows;
	struct flow_list fresh, old;
	uint32_t packets;
	int32_t deficit;
};

struct fair {
	struct flow *fattest;
	uint32_t mask;		/* of a flow hash */
	uint16_t turn;		/* the sub-class in service */
	uint16_t subs;		/* 1 + the highest index in use */
	struct sub sub[NETSCHED_SUBS];
	int32_t sub_quantum;
	uint8_t weight[NETSCHED_SUBS];
	uint8_t by_dscp[64];
};
static_assert(offsetof(struct fair, sub[1]) == ENV_CACHE_LINE, "an undivided class uses one line");

/* Zeroed memory that begins with a cache line; how far behind the start of its block, is in the byte before it. */
static void *lines_alloc(size_t size)
{
	if (size >= 4096)
		return env_alloc(size);
	uint8_t *p = env_alloc(size + ENV_CACHE_LINE);
	if (!p)
		return NULL;
	size_t skip = ENV_CACHE_LINE - ((uintptr_t)p & (ENV_CACHE_LINE - 1));
	p += skip;
	p[-1] = (uint8_t)skip;
	return p;
}

static void lines_free(void *lines, size_t size)
{
	uint8_t *p = lines;

	if (!p)
		return;
	if (size >= 4096)
		env_free(p, size);
	else
		env_free(p - p[-1], size + ENV_CACHE_LINE);
}

static void list_push(struct flow_list *l, struct flow *f)
{
	f->next = NULL;
	if (l->head)
		l->tail->next = f;
	else
		l->head = f;
	l->tail = f;
}

static struct flow *list_pop(struct flow_list *l)
{
	struct flow *f = l->head;

	l->head = f->next;
	return f;
}

static size_t table_size(const struct fair *f)
{
	return ((size_t)f->mask + 1) * sizeof(struct flow);
}

void fair_tune(struct fair *f, const struct netsched_params *p)
{
	f->sub_quantum = (int32_t)(p->max_packet / 8 > QUANTUM ? p->max_packet / 8 : QUANTUM);
}

int fair_sub_set(struct fair *f, uint32_t index, const struct netsched_sub *sub)
{
	struct sub *s = &f->sub[index];

	if (!s->flows)
		s->flows = lines_alloc(table_size(f));
	if (!s->flows)
		return -ENOMEM;
	f->weight[index] = (uint8_t)sub->weight;
	if (index >= f->subs)
		f->subs = (uint16_t)(index + 1);
	for (unsigned int d = 0; d < 64 && index > 0; d++) {
		if (sub->dscp_set >> d & 1)
			f->by_dscp[d] = (uint8_t)index;
		else if (f->by_dscp[d] == index)
			f->by_dscp[d] = 0;
	}
	return 0;
}

void fair_sub_del(struct fair *f, uint32_t index)
{
	lines_free(f->sub[index].flows, table_size(f));
	f->sub[index] = (struct sub){ 0 };
	f->fattest = NULL;
	f->turn = 0;
	f->subs = 1;
	for (uint32_t i = 1; i < NETSCHED_SUBS; i++)
		if (f->sub[i].flows)
			f->subs = (uint16_t)(i + 1);
	for (unsigned int d = 0; d < 64; d++)
		if (f->by_dscp[d] == index)
			f->by_dscp[d] = 0;
}

struct fair *fair_new(const struct netsched_params *p, const struct netsched_subs *subs)
{
	static const struct netsched_subs plain = { .set = { { .weight = 1 } } };
	struct fair *f = lines_alloc(sizeof(*f));

	if (!f)
		return NULL;
	f->mask = p->flows - 1;
	fair_tune(f, p);
	if (!subs)
		subs = &plain;
	for (uint32_t i = 0; i < NETSCHED_SUBS; i++) {
		if (subs->set[i].weight && fair_sub_set(f, i, &subs->set[i])) {
			fair_free(f);
			return NULL;
		}
	}
	return f;
}

void fair_free(struct fair *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < NETSCHED_SUBS; i++)
		lines_free(f->sub[i].flows, table_size(f));
	lines_free(f, sizeof(*f));
}

uint32_t fair_sub_of(const struct fair *f, const struct netsched_item *item)
{
	uint32_t i = item->mark < NETSCHED_SUBS ? item->mark : 0;

	if (f->subs == 1)
		return 0;
	if (i == 0)
		i = f->by_dscp[item->dscp & 63];
	return f->sub[i].flows ? i : 0;
}

static struct sub *sub_of(const struct fair *f, const struct netsched_item *item)
{
	return (struct sub *)&f->sub[fair_sub_of(f, item)];
}

void fair_sub_backlog(const struct fair *f, uint32_t index, struct netsched_sub_stats *out)
{
	const struct sub *s = &f->sub[index];

	out->backlog_packets = s->packets;
	for (uint32_t i = 0; s->packets && i <= f->mask; i++)
		out->backlog_bytes += s->flows[i].bytes;
}

static struct flow *flow_of(const struct fair *f, const struct netsched_item *item)
{
	return &sub_of(f, item)->flows[item->flow_hash & f->mask];
}

void fair_push(struct fair *f, struct netsched_item *item)
{
	struct sub *s = sub_of(f, item);
	struct flow *flow = &s->flows[item->flow_hash & f->mask];

	queue_push(&flow->q, item);
	flow->bytes += item->wire_bytes;
	s->packets++;
	if (!flow->listed) {
		flow->listed = true;
		flow->deficit = QUANTUM;
		list_push(&s->fresh, flow);
	}
	if (!f->fattest || flow->bytes > f->fattest->bytes)
		f->fattest = flow;
}

/* The sub-class whose turn it is, among those that hold packets. An idle one works off its debt and saves no credit. */
static struct sub *pick_sub(struct fair *f)
{
	struct sub *s = &f->sub[f->turn];

	while (f->subs > 1 && !(s->packets && s->deficit > 0)) {
		f->turn = f->turn + 1 < f->subs ? (uint16_t)(f->turn + 1) : 0;
		s = &f->sub[f->turn];
		s->deficit += f->weight[f->turn] * f->sub_quantum;
		if (!s->packets && s->deficit > 0)
			s->deficit = 0;
	}
	return s;
}

/* The flow that goes next in s, which holds packets; it stays at the head of the list that is returned. */
static struct flow_list *pick_flow(struct sub *s)
{
	for (;;) {
		struct flow_list *l = s->fresh.head ? &s->fresh : &s->old;
		struct flow *flow = l->head;

		if (flow->q.head && flow->deficit > 0)
			return l;
		list_pop(l);
		if (flow->q.head) {
			/* alone: no need to go round until its debt is paid */
			flow->deficit = s->fresh.head || s->old.head ? flow->deficit + QUANTUM : QUANTUM;
			list_push(&s->old, flow);
		} else if (l == &s->fresh && s->old.head) {
			list_push(&s->old, flow);	/* one round behind the others before it counts as new again */
		} else {
			flow->listed = false;
		}
	}
}

static struct netsched_item *take(struct sub *s, struct flow *flow)
{
	struct netsched_item *item = queue_pop(&flow->q);

	flow->bytes -= item->wire_bytes;
	s->packets--;
	return item;
}

struct netsched_item *fair_pop(struct fair *f, struct netsched_class *c, uint64_t now)
{
	struct sub *s = pick_sub(f);
	struct flow *flow = pick_flow(s)->head;

	for (;;) {
		struct netsched_item *item = take(s, flow);
		bool bad = codel_judge(&flow->codel, now - item->enq_ns, !flow->q.head, c->target_ns, c->interval_ns, now);
		if (bad && item->ecn != NETSCHED_NOT_ECT && c->ns->host.mark(c->ns->host.ctx, item)) {
			c->marks++;
			if (c->state & CLASS_DIVIDED)
				c->subs->count[s - f->sub].marks++;
			bad = false;
		}
		if (!bad) {
			flow->deficit -= (int32_t)item->wire_bytes;
			if (f->subs > 1)
				s->deficit -= (int32_t)item->wire_bytes;
			return item;
		}
		netsched_discard(c, item, NETSCHED_CODEL);
	}
}

bool fair_is_fattest(const struct fair *f, const struct netsched_item *item)
{
	return !f->fattest || f->fattest->bytes <= flow_of(f, item)->bytes;
}

struct netsched_item *fair_evict(struct fair *f)
{
	struct flow *flow = f->fattest;

	for (uint32_t i = 0; i < f->subs; i++) {
		struct sub *s = &f->sub[i];
		if (s->flows && flow >= s->flows && flow <= s->flows + f->mask)
			return take(s, flow);
	}
	return NULL;
}

/* Empty s into q; its flows keep their state but stand on no list. */
static void drain_sub(struct sub *s, struct netsched_queue *q)
{
	struct flow_list *l;

	while ((l = s->fresh.head ? &s->fresh : &s->old)->head) {
		struct flow *flow = list_pop(l);
		if (flow->q.head)
			queue_push(q, take(s, flow));
		flow->listed = flow->q.head;
		if (flow->listed)
			list_push(&s->old, flow);
	}
}

struct netsched_queue fair_drain(struct fair *f)
{
	struct netsched_queue q = { NULL, NULL };

	for (uint32_t i = 0; i < NETSCHED_SUBS; i++)
		drain_sub(&f->sub[i], &q);
	return q;
}

/* The flow that goes next, if only one sub-class is in use (else this is a guess). */
static const struct flow *likely_flow(const struct fair *f)
{
	return f->sub[0].fresh.head ? f->sub[0].fresh.head : f->sub[0].old.head;
}

void netsched_fetch(const struct netsched_class *c, unsigned int turns)
{
	if (turns == 4) {
		__builtin_prefetch(c, 1);
		__builtin_prefetch(&c->sent_packets, 1);
		return;
	}
	if (c->q.head) {
		__builtin_prefetch(c->q.head, 1);
		return;
	}
	if (!c->fair)
		return;
	if (turns == 3) {
		__builtin_prefetch(c->fair, 1);
		return;
	}
	const struct flow *flow = likely_flow(c->fair);
	if (turns == 2) {
		__builtin_prefetch(flow, 1);
		__builtin_prefetch(c->fair->sub[0].old.tail, 1);
	} else if (flow) {
		__builtin_prefetch(flow->q.head, 1);
		__builtin_prefetch(flow->next, 1);
	}
}
