/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The baseline policy: round robin. A queue a CPU, slices of 10 ms, no weights and no caps.
 *
 * A vcpu that an event has woken is boosted: it waits in a queue of its own that goes first and interrupts what runs, for
 * 1 ms at a time; used up, it goes to the ordinary queue's tail. Boosted time with an ordinary vcpu waiting is written up,
 * and twice that much ordinary time makes it good: from 5 ms on the ordinary ones go first, and what then runs is not
 * interrupted. So while both kinds want the CPU the ordinary ones have two thirds of it, and an event waits for its vcpu 10 ms
 * at most beside the boosted ones ahead of it.
 *
 * While no vcpu waits on any CPU, one that is picked runs on for 100 ms; the first that comes to wait behind it ends that, and
 * slices are as above again.
 *
 * An interrupted vcpu returns to the head of its queue with the rest of its slice. A CPU with nothing to do takes the vcpu
 * from the head of another's queue.
 */
#include <sched/cpu/cpusched.h>

#include <env.h>
#include <errno.h>

#define RR_SLICE_NS       10000000ull
#define RR_BOOST_SLICE_NS  1000000ull
#define RR_BOOST_MAX_NS    5000000ull
#define RR_SLICE_MIN_NS     200000ull /* a shorter rest is not worth a switch */
#define RR_LONE_SLICE_NS 100000000ull /* nobody waits: the end of a slice would only disturb */

struct rr_cpu {
	struct sched_link boosted, ordinary;
	unsigned int n;       /* queued in both */
	uint64_t boost_ns;    /* time that boosted vcpus had while an ordinary one waited, not yet made good */
	bool protected;       /* the current one gets its slice without interruption */
	bool lone;            /* the current one was picked while nobody waited anywhere */
};

struct rr {
	struct cpusched *s;
	unsigned int queued;  /* in all queues */
	unsigned int ncpus;
	struct rr_cpu cpu[];
};

static void *rr_init(struct cpusched *s, unsigned int ncpus)
{
	struct rr *rr = env_alloc(sizeof(*rr) + ncpus * sizeof(rr->cpu[0]));
	if (!rr)
		return NULL;
	rr->s = s;
	rr->ncpus = ncpus;
	for (unsigned int i = 0; i < ncpus; i++) {
		struct rr_cpu *c = &rr->cpu[i];
		c->boosted.next = c->boosted.prev = &c->boosted;
		c->ordinary.next = c->ordinary.prev = &c->ordinary;
	}
	return rr;
}

static void rr_destroy(void *inst)
{
	struct rr *rr = inst;
	env_free(rr, sizeof(*rr) + rr->ncpus * sizeof(rr->cpu[0]));
}

static bool empty(const struct sched_link *head)
{
	return head->next == head;
}

static void insert(struct sched_link *before, struct sched_link *l)
{
	l->next = before;
	l->prev = before->prev;
	before->prev->next = l;
	before->prev = l;
}

static struct sched_item *item_of(struct sched_link *l)
{
	return (struct sched_item *)((char *)l - offsetof(struct sched_item, queue));
}

static unsigned int load(const struct rr *rr, int cpu)
{
	return rr->cpu[cpu].n + !!cpusched_current(rr->s, cpu);
}

/* The CPU with the least to do, of several the one it was on. */
static int place(const struct rr *rr, const struct sched_item *item)
{
	int best = CPUSCHED_NO_CPU;
	for (int cpu = 0; cpu < (int)rr->ncpus; cpu++) {
		if (!(item->affinity >> cpu & 1))
			continue;
		if (best == CPUSCHED_NO_CPU || load(rr, cpu) < load(rr, best) || (load(rr, cpu) == load(rr, best) && cpu == item->cpu))
			best = cpu;
	}
	return best;
}

/* After a full slice: on to the next CPU that has no more to do than the rest of this one. Equal loads stay where they are,
 * and of an odd number of vcpus each takes its turn in the longer queue. */
static int rotate(const struct rr *rr, const struct sched_item *item)
{
	unsigned int here = load(rr, item->cpu);
	for (unsigned int i = 1; i < rr->ncpus; i++) {
		int cpu = (int)(((unsigned int)item->cpu + i) % rr->ncpus);
		if ((item->affinity >> cpu & 1) && here > 0 && load(rr, cpu) <= here)
			return cpu;
	}
	return item->cpu;
}

static int rr_enqueue(void *inst, struct sched_item *item, enum sched_why why, uint64_t now_ns)
{
	struct rr *rr = inst;
	cpusched_assert_locked(rr->s);
	int cpu = (why == SCHED_EXPIRED || why == SCHED_YIELDED) ? rotate(rr, item) : place(rr, item);
	if (why == SCHED_PREEMPTED && load(rr, cpu))
		cpu = item->cpu;
	struct rr_cpu *c = &rr->cpu[cpu];
	if (why == SCHED_WOKEN)
		item->boosted = true;
	else if (why != SCHED_PREEMPTED)
		item->boosted = false;
	if (why != SCHED_PREEMPTED || item->slice_left_ns < RR_SLICE_MIN_NS)
		item->slice_left_ns = 0;
	if (item->slice_left_ns > RR_SLICE_NS)
		item->slice_left_ns = RR_SLICE_NS;

	struct sched_link *q = item->boosted ? &c->boosted : &c->ordinary;
	insert(item->slice_left_ns ? q->next : q, &item->queue);
	c->n++;
	rr->queued++;
	return cpu;
}

static void take(struct rr *rr, struct rr_cpu *c, struct sched_item *item)
{
	cpusched_assert_locked(rr->s);
	item->queue.prev->next = item->queue.next;
	item->queue.next->prev = item->queue.prev;
	c->n--;
	rr->queued--;
}

static void rr_dequeue(void *inst, struct sched_item *item)
{
	struct rr *rr = inst;
	take(rr, &rr->cpu[item->cpu], item);
}

/* The first of a queue that may run on `cpu`. */
static struct sched_item *first(struct sched_link *head, int cpu)
{
	for (struct sched_link *l = head->next; l != head; l = l->next)
		if (item_of(l)->affinity >> cpu & 1)
			return item_of(l);
	return NULL;
}

/* For a CPU with empty queues: one from the longest of the others that has something for it. */
static struct sched_item *steal(struct rr *rr, int cpu)
{
	struct sched_item *best = NULL;
	for (int i = 0; i < (int)rr->ncpus; i++) {
		struct rr_cpu *c = &rr->cpu[i];
		if (i == cpu || c->n == 0 || (best && c->n <= rr->cpu[best->cpu].n))
			continue;
		struct sched_item *item = first(&c->boosted, cpu);
		if (!item)
			item = first(&c->ordinary, cpu);
		if (item)
			best = item;
	}
	return best;
}

static struct sched_item *rr_pick(void *inst, int cpu, uint64_t now_ns, uint64_t *slice_ns)
{
	struct rr *rr = inst;
	struct rr_cpu *c = &rr->cpu[cpu];
	bool owed = !empty(&c->ordinary) && c->boost_ns >= RR_BOOST_MAX_NS;
	struct sched_item *item = NULL;
	if (!empty(&c->boosted) && !owed)
		item = item_of(c->boosted.next);
	else if (!empty(&c->ordinary))
		item = item_of(c->ordinary.next);
	if (!item)
		item = steal(rr, cpu);
	c->protected = owed;
	if (!item)
		return NULL;
	take(rr, &rr->cpu[item->cpu], item);
	c->lone = rr->queued == 0;
	if (c->lone)
		*slice_ns = RR_LONE_SLICE_NS;
	else
		*slice_ns = item->slice_left_ns ? item->slice_left_ns : item->boosted ? RR_BOOST_SLICE_NS : RR_SLICE_NS;
	return item;
}

static bool rr_preempts(void *inst, const struct sched_item *item, int cpu)
{
	const struct rr *rr = inst;
	const struct sched_item *current = cpusched_current(rr->s, cpu);
	return rr->cpu[cpu].lone || (item->boosted && !current->boosted && !rr->cpu[cpu].protected);
}

static void rr_account(void *inst, struct sched_item *item, int cpu, uint64_t ran_ns)
{
	struct rr *rr = inst;
	struct rr_cpu *c = &rr->cpu[cpu];
	if (item->boosted)
		c->boost_ns = empty(&c->ordinary) ? 0 : c->boost_ns + ran_ns;
	else
		c->boost_ns -= ran_ns / 2 < c->boost_ns ? ran_ns / 2 : c->boost_ns;
}

const struct cpusched_ops cpusched_rr = {
	.name = "rr",
	.init = rr_init,
	.destroy = rr_destroy,
	.enqueue = rr_enqueue,
	.dequeue = rr_dequeue,
	.pick = rr_pick,
	.preempts = rr_preempts,
	.account = rr_account,
};
