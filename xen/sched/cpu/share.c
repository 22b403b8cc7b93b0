/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shares by weight, under caps: whoever has had the least time for its weight runs next.
 *
 * Each vcpu has a clock, `virtual_ns`, which runs while it does, at the rate 256/weight. One queue serves all CPUs, ordered by that
 * clock; slices are 10 ms. So two vcpus that both want a CPU all the time stay within one slice of each other on their clocks, and
 * their times are as their weights.
 *
 * Wakes. A vcpu that slept finds its clock behind the others', by 5 ms at most, however long it slept; so it goes ahead of them and
 * interrupts the one whose clock is furthest, and what it runs is charged as ever. One that wakes often but runs little is
 * always served at once; one that uses sleep to get ahead has its share and 5 ms, once.
 *
 * Caps. What a capped vcpu runs is paid for at `cap` per cent of a CPU: `paid_ns` is the time at which it will be. It may run ahead
 * of that by 10 ms, and is parked until all is paid when it has; so over any interval t it has at most cap * t and one slice, which
 * is cut to what it may. A parked vcpu leaves its CPU idle if nobody else wants it; the CPU's timer ends that.
 *
 * While nobody waits, one that is picked runs on for 100 ms; the first that comes to wait ends that.
 *
 * Cost: picking is the head of the queue, filing a walk from its end past those with more to wait for.
 */
#include <sched/cpu/cpusched.h>

#include <env.h>
#include <errno.h>

#define SLICE_NS      10000000ull
#define SLICE_MIN_NS    200000ull /* less is not worth a switch */
#define LONE_SLICE_NS 100000000ull
#define CREDIT_NS      5000000ull /* that a sleeper may be behind */
#define AHEAD_NS      10000000ull /* that a capped vcpu may run before it is paid for */

struct share {
	struct cpusched *s;
	unsigned int ncpus;
	struct sched_link queue;  /* by virtual_ns */
	struct sched_link parked; /* by paid_ns */
	uint64_t clock_ns;        /* the furthest virtual_ns that was picked */
	bool lone[CPUSCHED_MAX_CPUS]; /* what runs there was picked while nobody waited */
};

static void *share_init(struct cpusched *s, unsigned int ncpus)
{
	struct share *sh = env_alloc(sizeof(*sh));
	if (!sh)
		return NULL;
	sh->s = s;
	sh->ncpus = ncpus;
	sh->queue.next = sh->queue.prev = &sh->queue;
	sh->parked.next = sh->parked.prev = &sh->parked;
	return sh;
}

static void share_destroy(void *inst)
{
	env_free(inst, sizeof(struct share));
}

static struct sched_item *item_of(struct sched_link *l)
{
	return (struct sched_item *)((char *)l - offsetof(struct sched_item, queue));
}

static bool empty(const struct sched_link *head)
{
	return head->next == head;
}

/* Times are compared by their difference: a clock may wrap. */
static bool before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static void insert(struct sched_link *behind, struct sched_link *l)
{
	l->prev = behind;
	l->next = behind->next;
	behind->next->prev = l;
	behind->next = l;
}

static void take(struct sched_item *item)
{
	item->queue.prev->next = item->queue.next;
	item->queue.next->prev = item->queue.prev;
	item->parked = false;
}

static void share_vcpu_add(void *inst, struct sched_item *item)
{
	struct share *sh = inst;
	item->virtual_ns = sh->clock_ns;
	item->paid_ns = 0;
	item->parked = false;
}

static void file(struct share *sh, struct sched_item *item)
{
	struct sched_link *l = sh->queue.prev;
	while (l != &sh->queue && before(item->virtual_ns, item_of(l)->virtual_ns))
		l = l->prev;
	insert(l, &item->queue);
}

static void park(struct share *sh, struct sched_item *item)
{
	struct sched_link *l = sh->parked.prev;
	while (l != &sh->parked && item->paid_ns < item_of(l)->paid_ns)
		l = l->prev;
	insert(l, &item->queue);
	item->parked = true;
}

/* An idle CPU, the one it was on if that is; else the one whose vcpu has had the most. */
static int place(const struct share *sh, const struct sched_item *item)
{
	uint64_t idle = cpusched_idle_mask(sh->s) & item->affinity;
	int best = CPUSCHED_NO_CPU;
	if (idle)
		return item->cpu >= 0 && (idle >> item->cpu & 1) ? item->cpu : __builtin_ctzll(idle);
	for (int cpu = 0; cpu < (int)sh->ncpus; cpu++) {
		if (!(item->affinity >> cpu & 1))
			continue;
		if (best == CPUSCHED_NO_CPU ||
		    before(cpusched_current(sh->s, best)->virtual_ns, cpusched_current(sh->s, cpu)->virtual_ns))
			best = cpu;
	}
	return best;
}

static int share_enqueue(void *inst, struct sched_item *item, enum sched_why why, uint64_t now_ns)
{
	struct share *sh = inst;
	cpusched_assert_locked(sh->s);
	if (before(item->virtual_ns, sh->clock_ns - CREDIT_NS))
		item->virtual_ns = sh->clock_ns - CREDIT_NS;
	if (why == SCHED_YIELDED && !empty(&sh->queue) && before(item->virtual_ns, item_of(sh->queue.next)->virtual_ns))
		item->virtual_ns = item_of(sh->queue.next)->virtual_ns;
	if (item->cap && item->paid_ns > now_ns + AHEAD_NS)
		park(sh, item);
	else
		file(sh, item);
	return place(sh, item);
}

static void share_dequeue(void *inst, struct sched_item *item)
{
	take(item);
}

/* Those whose cap has been paid may run again. */
static void release(struct share *sh, uint64_t now_ns)
{
	while (!empty(&sh->parked) && item_of(sh->parked.next)->paid_ns <= now_ns) {
		struct sched_item *item = item_of(sh->parked.next);
		take(item);
		file(sh, item);
	}
}

static uint64_t at_most(uint64_t slice_ns, uint64_t limit_ns)
{
	if (limit_ns < SLICE_MIN_NS)
		limit_ns = SLICE_MIN_NS;
	return slice_ns < limit_ns ? slice_ns : limit_ns;
}

/* How long a capped vcpu may run until it is AHEAD_NS ahead. */
static uint64_t cap_room(const struct sched_item *item, uint64_t now_ns)
{
	uint64_t ahead = item->paid_ns - now_ns;
	if (item->cap >= 100)
		return LONE_SLICE_NS;
	return ahead < AHEAD_NS ? (AHEAD_NS - ahead) * item->cap / (100 - item->cap) : 0;
}

static struct sched_item *share_pick(void *inst, int cpu, uint64_t now_ns, uint64_t *slice_ns)
{
	struct share *sh = inst;
	struct sched_link *l;
	release(sh, now_ns);
	for (l = sh->queue.next; l != &sh->queue && !(item_of(l)->affinity >> cpu & 1);)
		l = l->next;
	*slice_ns = empty(&sh->parked) ? 0 : at_most(LONE_SLICE_NS, item_of(sh->parked.next)->paid_ns - now_ns);
	if (l == &sh->queue)
		return NULL;
	struct sched_item *item = item_of(l);
	take(item);
	if (before(sh->clock_ns, item->virtual_ns))
		sh->clock_ns = item->virtual_ns;
	sh->lone[cpu] = empty(&sh->queue);
	*slice_ns = at_most(sh->lone[cpu] ? LONE_SLICE_NS : SLICE_NS, *slice_ns ? *slice_ns : LONE_SLICE_NS);
	if (item->paid_ns < now_ns)
		item->paid_ns = now_ns;
	if (item->cap)
		*slice_ns = at_most(*slice_ns, cap_room(item, now_ns));
	return item;
}

/* What was put back or released, and not picked here, is for a CPU that is idle. */
static int share_hand_on(void *inst)
{
	struct share *sh = inst;
	uint64_t idle = cpusched_idle_mask(sh->s);
	for (struct sched_link *l = sh->queue.next; idle && l != &sh->queue; l = l->next)
		if (idle & item_of(l)->affinity)
			return __builtin_ctzll(idle & item_of(l)->affinity);
	return CPUSCHED_NO_CPU;
}

static bool share_preempts(void *inst, const struct sched_item *item, int cpu)
{
	const struct share *sh = inst;
	return !item->parked && (sh->lone[cpu] || before(item->virtual_ns, cpusched_current(sh->s, cpu)->virtual_ns));
}

static void share_account(void *inst, struct sched_item *item, int cpu, uint64_t ran_ns)
{
	item->virtual_ns += ran_ns * CPUSCHED_WEIGHT_DEFAULT / (item->weight ? item->weight : CPUSCHED_WEIGHT_DEFAULT);
	if (item->cap)
		item->paid_ns += ran_ns * 100 / item->cap;
}

const struct cpusched_ops cpusched_share = {
	.name = "share",
	.init = share_init,
	.destroy = share_destroy,
	.vcpu_add = share_vcpu_add,
	.enqueue = share_enqueue,
	.dequeue = share_dequeue,
	.pick = share_pick,
	.hand_on = share_hand_on,
	.preempts = share_preempts,
	.account = share_account,
};
