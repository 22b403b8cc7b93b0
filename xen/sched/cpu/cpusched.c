/* SPDX-License-Identifier: BSD-2-Clause */
/* The cpu scheduler's frame: vcpu states, who is current where, the time each ran and waited, and the live switch. */
#include <sched/cpu/cpusched.h>

#include <env.h>
#include <errno.h>
#include <assert.h>
#include <string.h>

struct cpu_state {
	struct sched_item *current;
	uint64_t until_ns; /* end of its slice */
	bool yielded;
};

struct cpusched {
	struct env_lock lock;      /* guards all below and every item */
	bool locked;
	const struct cpusched_ops *ops;
	void *inst;
	unsigned int ncpus;
	struct sched_link items;   /* all of them, by `all`; the queued ones in the order of being queued */
	struct cpu_state cpu[CPUSCHED_MAX_CPUS];
};

static const struct cpusched_ops *const policies[] = {
	&cpusched_rr, &cpusched_share,
};

static const struct cpusched_ops *find_policy(const char *name)
{
	for (size_t i = 0; i < ENV_ARRAY_SIZE(policies); i++)
		if (!strcmp(policies[i]->name, name))
			return policies[i];
	return NULL;
}

static void lock(struct cpusched *s)
{
	env_lock(&s->lock);
	s->locked = true;
}

static void unlock(struct cpusched *s)
{
	s->locked = false;
	env_unlock(&s->lock);
}

void cpusched_assert_locked(const struct cpusched *s)
{
	ENV_ASSERT(s->locked);
}

static uint64_t cpu_mask(const struct cpusched *s)
{
	return s->ncpus == 64 ? ~0ull : (1ull << s->ncpus) - 1;
}

int cpusched_create(struct cpusched **out, const char *policy, unsigned int ncpus)
{
	const struct cpusched_ops *ops = find_policy(policy);
	*out = NULL;
	if (!ops || ncpus == 0 || ncpus > CPUSCHED_MAX_CPUS)
		return -EINVAL;
	struct cpusched *s = env_alloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->ops = ops;
	s->ncpus = ncpus;
	s->items.next = s->items.prev = &s->items;
	s->inst = ops->init(s, ncpus);
	if (!s->inst) {
		env_free(s, sizeof(*s));
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void cpusched_destroy(struct cpusched *s)
{
	if (!s)
		return;
	ENV_ASSERT(s->items.next == &s->items);
	s->ops->destroy(s->inst);
	env_free(s, sizeof(*s));
}

static struct sched_item *item_of(struct sched_link *all)
{
	return (struct sched_item *)((char *)all - offsetof(struct sched_item, all));
}

/* => under the lock, as every function from here to the public ones. */
static void set_state(struct sched_item *item, enum sched_state state, uint64_t now_ns)
{
	uint64_t spent = now_ns > item->since_ns ? now_ns - item->since_ns : 0;
	if (item->state == SCHED_QUEUED) {
		item->wait_ns += spent;
		if (spent > item->wait_max_ns)
			item->wait_max_ns = spent;
	}
	item->state = state;
	item->since_ns = now_ns;
}

static bool is_idle(const struct cpusched *s, int cpu)
{
	return !s->cpu[cpu].current;
}

static void list_remove(struct sched_item *item)
{
	item->all.prev->next = item->all.next;
	item->all.next->prev = item->all.prev;
}

static void list_append(struct cpusched *s, struct sched_item *item)
{
	item->all.next = &s->items;
	item->all.prev = s->items.prev;
	s->items.prev->next = &item->all;
	s->items.prev = &item->all;
}

/* Queue it by the policy's choice; returns the CPU to kick. `self` is the CPU that is picking, which needs no kick. */
static int queue(struct cpusched *s, struct sched_item *item, enum sched_why why, uint64_t now_ns, int self)
{
	cpusched_assert_locked(s);
	set_state(item, SCHED_QUEUED, now_ns);
	list_remove(item);
	list_append(s, item);
	int cpu = s->ops->enqueue(s->inst, item, why, now_ns);
	ENV_ASSERT(cpu >= 0 && cpu < (int)s->ncpus && (item->affinity >> cpu & 1));
	item->cpu = (int16_t)cpu;
	if (cpu == self)
		return CPUSCHED_NO_CPU;
	return is_idle(s, cpu) || s->ops->preempts(s->inst, item, cpu) ? cpu : CPUSCHED_NO_CPU;
}

int cpusched_item_add(struct cpusched *s, struct sched_item *item)
{
	if (!(item->affinity & cpu_mask(s)))
		return -EINVAL;
	lock(s);
	struct sched_item was = *item;
	*item = (struct sched_item){ .affinity = was.affinity, .weight = was.weight, .cap = was.cap, .cpu = CPUSCHED_NO_CPU };
	list_append(s, item);
	if (s->ops->vcpu_add)
		s->ops->vcpu_add(s->inst, item);
	unlock(s);
	return 0;
}

int cpusched_item_remove(struct cpusched *s, struct sched_item *item)
{
	lock(s);
	if (item->state == SCHED_CURRENT) {
		unlock(s);
		return -EBUSY;
	}
	if (item->state == SCHED_QUEUED)
		s->ops->dequeue(s->inst, item);
	if (s->ops->vcpu_remove)
		s->ops->vcpu_remove(s->inst, item);
	item->state = SCHED_BLOCKED;
	list_remove(item);
	item->all.next = item->all.prev = NULL;
	unlock(s);
	return 0;
}

int cpusched_item_set(struct cpusched *s, struct sched_item *item, uint64_t affinity, uint32_t weight, uint32_t cap,
		      uint64_t now_ns, int *kick)
{
	*kick = CPUSCHED_NO_CPU;
	if (!(affinity & cpu_mask(s)))
		return -EINVAL;
	lock(s);
	item->affinity = affinity;
	item->weight = weight;
	item->cap = cap;
	if (item->state == SCHED_QUEUED) {
		s->ops->dequeue(s->inst, item);
		*kick = queue(s, item, SCHED_MOVED, now_ns, CPUSCHED_NO_CPU);
	} else if (item->state == SCHED_CURRENT && !(affinity >> item->cpu & 1)) {
		*kick = item->cpu;
	}
	unlock(s);
	return 0;
}

int cpusched_wake(struct cpusched *s, struct sched_item *item, uint64_t now_ns)
{
	int kick = CPUSCHED_NO_CPU;
	lock(s);
	if (item->state == SCHED_CURRENT)
		item->runnable = true;
	else if (item->state == SCHED_BLOCKED && item->all.next) /* a timer or an event may come after its removal */
		kick = queue(s, item, SCHED_WOKEN, now_ns, CPUSCHED_NO_CPU);
	unlock(s);
	return kick;
}

void cpusched_sleep(struct cpusched *s, struct sched_item *item)
{
	lock(s);
	if (item->state == SCHED_CURRENT)
		item->runnable = false;
	unlock(s);
}

void cpusched_yield(struct cpusched *s, struct sched_item *item)
{
	lock(s);
	if (item->state == SCHED_CURRENT)
		s->cpu[item->cpu].yielded = true;
	unlock(s);
}

/* Why the CPU's current vcpu goes back into a queue. */
static enum sched_why why_back(const struct cpu_state *c, const struct sched_item *item, int cpu, uint64_t now_ns)
{
	if (!(item->affinity >> cpu & 1))
		return SCHED_MOVED;
	if (c->yielded)
		return SCHED_YIELDED;
	return now_ns < c->until_ns ? SCHED_PREEMPTED : SCHED_EXPIRED;
}

/* Let go of the CPU's current vcpu. Returns a CPU to kick. */
static int put_back(struct cpusched *s, int cpu, uint64_t now_ns)
{
	struct cpu_state *c = &s->cpu[cpu];
	struct sched_item *item = c->current;
	if (!item)
		return CPUSCHED_NO_CPU;
	uint64_t ran = now_ns > item->since_ns ? now_ns - item->since_ns : 0;
	item->run_ns += ran;
	if (s->ops->account)
		s->ops->account(s->inst, item, cpu, ran);
	item->slice_left_ns = now_ns < c->until_ns ? c->until_ns - now_ns : 0;
	c->current = NULL;
	if (item->runnable)
		return queue(s, item, why_back(c, item, cpu, now_ns), now_ns, cpu);
	set_state(item, SCHED_BLOCKED, now_ns);
	return CPUSCHED_NO_CPU;
}

struct cpusched_choice cpusched_pick(struct cpusched *s, int cpu, uint64_t now_ns)
{
	struct cpusched_choice choice = { .kick = CPUSCHED_NO_CPU };
	struct cpu_state *c = &s->cpu[cpu];
	lock(s);
	choice.kick = put_back(s, cpu, now_ns);
	choice.item = s->ops->pick(s->inst, cpu, now_ns, &choice.slice_ns);
	c->yielded = false;
	c->current = choice.item;
	if (choice.item) {
		ENV_ASSERT(choice.item->state == SCHED_QUEUED && (choice.item->affinity >> cpu & 1));
		set_state(choice.item, SCHED_CURRENT, now_ns);
		choice.item->cpu = (int16_t)cpu;
		choice.item->runnable = true;
		c->until_ns = now_ns + choice.slice_ns;
	}
	if (choice.kick == CPUSCHED_NO_CPU && s->ops->hand_on)
		choice.kick = s->ops->hand_on(s->inst);
	unlock(s);
	return choice;
}

/* Hand every vcpu from the old policy to the new one; who has been queued for longest is queued first again. */
static void move_items(struct cpusched *s, const struct cpusched_ops *ops, void *inst, uint64_t now_ns)
{
	for (struct sched_link *l = s->items.next; l != &s->items; l = l->next) {
		struct sched_item *item = item_of(l);
		if (item->state == SCHED_QUEUED)
			s->ops->dequeue(s->inst, item);
		if (s->ops->vcpu_remove)
			s->ops->vcpu_remove(s->inst, item);
	}
	s->ops->destroy(s->inst);
	s->ops = ops;
	s->inst = inst;
	for (struct sched_link *l = s->items.next; l != &s->items; l = l->next) {
		struct sched_item *item = item_of(l);
		item->boosted = item->parked = false;
		item->slice_left_ns = 0;
		if (ops->vcpu_add)
			ops->vcpu_add(inst, item);
		if (item->state == SCHED_QUEUED)
			item->cpu = (int16_t)ops->enqueue(inst, item, SCHED_MOVED, now_ns);
	}
}

int cpusched_switch(struct cpusched *s, const char *policy, uint64_t now_ns)
{
	const struct cpusched_ops *ops = find_policy(policy);
	if (!ops)
		return -EINVAL;
	void *inst = ops->init(s, s->ncpus);
	if (!inst)
		return -ENOMEM;
	lock(s);
	move_items(s, ops, inst, now_ns);
	unlock(s);
	return 0;
}

const char *cpusched_policy(struct cpusched *s)
{
	lock(s);
	const char *name = s->ops->name;
	unlock(s);
	return name;
}

const char *cpusched_policy_name(unsigned int n)
{
	return n < ENV_ARRAY_SIZE(policies) ? policies[n]->name : NULL;
}

struct sched_item *cpusched_current(const struct cpusched *s, int cpu)
{
	cpusched_assert_locked(s);
	return s->cpu[cpu].current;
}

uint64_t cpusched_idle_mask(const struct cpusched *s)
{
	cpusched_assert_locked(s);
	uint64_t mask = 0;
	for (unsigned int cpu = 0; cpu < s->ncpus; cpu++)
		mask |= (uint64_t)is_idle(s, (int)cpu) << cpu;
	return mask;
}
