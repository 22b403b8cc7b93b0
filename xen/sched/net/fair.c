/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fairness inside a class, so that one bulk flow does not delay the domain's others.
 *
 * A class has up to eight sub-classes (by DSCP or by a rule's mark), which share its service by weight: deficit round robin,
 * charged after the packet. Each sub-class is an FQ-CoDel queue (RFC 8290): flows are hashed to queues; a queue that was idle
 * is served first for one quantum (so that a sparse flow finds no queue), the others take turns; CoDel judges each packet as it
 * leaves. A flow's last packet is never dropped by CoDel, so a pop from a queue that holds packets returns one. A flow that has used up
 * its quantum goes behind the others at once, though it may hold nothing more: it is new again when it was found so at its turn.
 *
 * The class limit hits the longest flow, not whoever arrives: `fattest` follows the longest queue at each push. It may be out
 * of date when that flow shrinks, but then the queue is shrinking too.
 *
 * With many classes the caches set the cost of a packet. So what a packet of an undivided class needs of struct fair is one line, which
 * lies in its class, and each flow is a line. Of the flows a packet touches its own alone.
 */
#include <sched/net/fair.h>

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#define QUANTUM 1538	/* a full Ethernet frame on the wire */

/* What only a divided class needs. sub[0] is not used: it is fair.first. */
struct fair_more {
	struct fair_sub sub[NETSCHED_SUBS];
	uint8_t weight[NETSCHED_SUBS];
	uint8_t by_dscp[64];
};
static_assert(sizeof(struct flow) == ENV_CACHE_LINE, "a flow is one cache line");
static_assert(offsetof(struct netsched_class, fair.fattest) == 2 * ENV_CACHE_LINE &&
	      offsetof(struct netsched_class, p) == 3 * ENV_CACHE_LINE, "an undivided class uses one line");

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
	if (!l->head)
		l->head = l->tail = f;
	f->next = l->head;
	l->tail->next = f;
	l->tail = f;
}

static struct flow *list_pop(struct flow_list *l)
{
	struct flow *f = l->head;

	l->head = f->next == f ? NULL : f->next;
	l->tail->next = f->next;
	return f;
}

static void list_turn(struct flow_list *l)
{
	l->tail = l->head;
	l->head = l->head->next;
}

static size_t table_size(const struct fair *f)
{
	return ((size_t)f->mask + 1) * sizeof(struct flow);
}

static struct fair_sub *sub_at(const struct fair *f, uint32_t index)
{
	return index ? &f->more->sub[index] : (struct fair_sub *)&f->first;
}

static int make_more(struct fair *f)
{
	if (f->more)
		return 0;
	f->more = env_alloc(sizeof(*f->more));
	if (!f->more)
		return -ENOMEM;
	f->more->weight[0] = 1;
	return 0;
}

int fair_sub_set(struct fair *f, uint32_t index, const struct netsched_sub *sub)
{
	if (make_more(f))
		return -ENOMEM;
	struct fair_sub *s = sub_at(f, index);
	if (!s->flows)
		s->flows = lines_alloc(table_size(f));
	if (!s->flows)
		return -ENOMEM;
	f->more->weight[index] = (uint8_t)sub->weight;
	if (index >= f->subs)
		f->subs = (uint8_t)(index + 1);
	for (unsigned int d = 0; d < 64 && index > 0; d++) {
		if (sub->dscp_set >> d & 1)
			f->more->by_dscp[d] = (uint8_t)index;
		else if (f->more->by_dscp[d] == index)
			f->more->by_dscp[d] = 0;
	}
	return 0;
}

void fair_sub_del(struct fair *f, uint32_t index)
{
	struct fair_more *m = f->more;

	lines_free(m->sub[index].flows, table_size(f));
	m->sub[index] = (struct fair_sub){ 0 };
	f->fattest = NULL;
	f->fattest_bytes = 0;
	f->turn = 0;
	f->subs = 1;
	for (uint32_t i = 1; i < NETSCHED_SUBS; i++)
		if (m->sub[i].flows)
			f->subs = (uint8_t)(i + 1);
	for (unsigned int d = 0; d < 64; d++)
		if (m->by_dscp[d] == index)
			m->by_dscp[d] = 0;
}

int fair_init(struct fair *f, const struct netsched_params *p, const struct netsched_subs *subs)
{
	f->mask = (uint16_t)(p->flows - 1);
	f->subs = 1;
	f->first.flows = lines_alloc(table_size(f));
	int err = f->first.flows ? 0 : -ENOMEM;
	for (uint32_t i = 0; subs && !err && i < NETSCHED_SUBS; i++)
		if (subs->set[i].weight)
			err = fair_sub_set(f, i, &subs->set[i]);
	if (err)
		fair_free(f);
	return err;
}

void fair_free(struct fair *f)
{
	lines_free(f->first.flows, table_size(f));
	for (uint32_t i = 1; f->more && i < NETSCHED_SUBS; i++)
		lines_free(f->more->sub[i].flows, table_size(f));
	env_free(f->more, f->more ? sizeof(*f->more) : 0);
	*f = (struct fair){ 0 };
}

uint32_t fair_sub_of(const struct fair *f, const struct netsched_item *item)
{
	uint32_t i = item->mark < NETSCHED_SUBS ? item->mark : 0;

	if (f->subs == 1)
		return 0;
	if (i == 0)
		i = f->more->by_dscp[item->dscp & 63];
	return sub_at(f, i)->flows ? i : 0;
}

static struct fair_sub *sub_of(const struct fair *f, const struct netsched_item *item)
{
	return sub_at(f, fair_sub_of(f, item));
}

void fair_sub_backlog(const struct fair *f, uint32_t index, struct netsched_sub_stats *out)
{
	const struct fair_sub *s = sub_at(f, index);

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
	struct fair_sub *s = sub_of(f, item);
	struct flow *flow = &s->flows[item->flow_hash & f->mask];

	queue_push(&flow->q, item);
	flow->bytes += item->wire_bytes;
	s->packets++;
	if (!flow->listed) {
		flow->listed = true;
		flow->deficit = QUANTUM;
		list_push(&s->fresh, flow);
	}
	/* selects, not branches: nobody can foretell them */
	bool fatter = flow->bytes > f->fattest_bytes;
	uint32_t most = f->fattest_bytes;
	struct flow *fattest = f->fattest;
	f->fattest_bytes = fatter ? flow->bytes : most;
	f->fattest = fatter ? flow : fattest;
}

/* The sub-class behind f->turn has its turn. An idle one works off its debt and saves no credit. */
static __attribute__((noinline)) struct fair_sub *next_sub(struct fair *f, uint32_t max_packet)
{
	f->turn = f->turn + 1 < f->subs ? (uint8_t)(f->turn + 1) : 0;
	struct fair_sub *s = sub_at(f, f->turn);
	s->deficit += f->more->weight[f->turn] * (int32_t)(max_packet / 8 > QUANTUM ? max_packet / 8 : QUANTUM);
	if (!s->packets && s->deficit > 0)
		s->deficit = 0;
	return s;
}

/* The sub-class whose turn it is, among those that hold packets. */
static struct fair_sub *pick_sub(struct fair *f, uint32_t max_packet)
{
	if (f->subs == 1)
		return &f->first;
	struct fair_sub *s = sub_at(f, f->turn);
	while (!(s->packets && s->deficit > 0))
		s = next_sub(f, max_packet);
	return s;
}

static struct flow_list *next_list(struct fair_sub *s)
{
	return s->fresh.head ? &s->fresh : &s->old;
}

/* The flow at the head of l has had its turn. */
static void turn(struct fair_sub *s, struct flow_list *l)
{
	l->head->deficit += QUANTUM;
	if (l == &s->old)
		list_turn(l);
	else
		list_push(&s->old, list_pop(l));
}

/* The flow at the head of l has no packets. A fresh one goes one round behind the others before it counts as new again. */
static void retire(struct fair_sub *s, struct flow_list *l)
{
	struct flow *flow = list_pop(l);

	flow->listed = l == &s->fresh && s->old.head;
	if (flow->listed)
		list_push(&s->old, flow);
}

/* The flow that goes next in s, which holds packets, is at the head of the list that is returned. */
static struct flow_list *pick_flow(struct fair_sub *s)
{
	for (;;) {
		struct flow_list *l = next_list(s);
		struct flow *flow = l->head;

		if (flow->q.head && flow->deficit > 0)
			return l;
		if (!flow->q.head) {
			retire(s, l);
			continue;
		}
		turn(s, l);
		if (next_list(s)->head == flow)
			flow->deficit = QUANTUM;	/* alone: no need to go round until its debt is paid */
	}
}

static struct netsched_item *take(struct fair *f, struct fair_sub *s, struct flow *flow)
{
	struct netsched_item *item = queue_pop(&flow->q);

	flow->bytes -= item->wire_bytes;
	f->fattest_bytes -= item->wire_bytes & -(uint32_t)(flow == f->fattest);
	s->packets--;
	return item;
}

/* item could be marked, and counts so. */
static __attribute__((noinline)) bool marked(struct netsched_class *c, struct netsched_item *item)
{
	struct netsched_aside *a = c->aside;

	if (item->ecn == NETSCHED_NOT_ECT || !a->ns->host.mark(a->ns->host.ctx, item))
		return false;
	a->marks++;
	if (c->state & CLASS_DIVIDED)
		a->subs->count[c->fair.turn].marks++;
	return true;
}

struct netsched_item *fair_pop(struct fair *f, struct netsched_class *c, uint64_t now)
{
	struct fair_sub *s = pick_sub(f, c->max_packet);
	struct flow_list *l = pick_flow(s);
	struct flow *flow = l->head;

	for (;;) {
		struct netsched_item *item = take(f, s, flow);
		bool bad = codel_judge(&flow->codel, now - item->enq_ns, !flow->q.head, c->target_ns, c->interval_ns, now);
		if (bad && marked(c, item))
			bad = false;
		if (!bad) {
			flow->deficit -= (int32_t)item->wire_bytes;
			if (f->subs > 1)
				s->deficit -= (int32_t)item->wire_bytes;
			if (flow->deficit <= 0)
				turn(s, l);
			c->lead = &next_list(s)->head->q;
			__builtin_prefetch(c->lead->head, 1);	/* the class may go twice in a row */
			return item;
		}
		netsched_discard(c, item, NETSCHED_CODEL);
	}
}

bool fair_is_fattest(const struct fair *f, const struct netsched_item *item)
{
	return f->fattest_bytes <= flow_of(f, item)->bytes;
}

struct netsched_item *fair_evict(struct fair *f)
{
	struct flow *flow = f->fattest;

	for (uint32_t i = 0; i < f->subs; i++) {
		struct fair_sub *s = sub_at(f, i);
		if (s->flows && flow >= s->flows && flow <= s->flows + f->mask)
			return take(f, s, flow);
	}
	return NULL;
}

/* Empty s into q; its flows keep their state but stand on no list. */
static void drain_sub(struct fair *f, struct fair_sub *s, struct netsched_queue *q)
{
	struct flow_list *l;

	while ((l = s->fresh.head ? &s->fresh : &s->old)->head) {
		struct flow *flow = list_pop(l);
		if (flow->q.head)
			queue_push(q, take(f, s, flow));
		flow->listed = flow->q.head;
		if (flow->listed)
			list_push(&s->old, flow);
	}
}

struct netsched_queue fair_drain(struct fair *f)
{
	struct netsched_queue q = { NULL, NULL };

	for (uint32_t i = 0; i < f->subs; i++)
		drain_sub(f, sub_at(f, i), &q);
	return q;
}
