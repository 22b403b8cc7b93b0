/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers. Each CPU keeps its own list by deadline and programs its local APIC for the first one only, and only
 * when that comes earlier than what is programmed. A timer may be cancelled or re-armed from another CPU, hence the lock.
 */
#include "timer.h"

#include <stddef.h>

#include <hv/arch.h>
#include <hv/cpu.h>
#include <hv/log.h>

static struct env_lock locks[MAX_CPUS];

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn };
}

static void unlink(struct cpu *c, struct timer *t)
{
	struct timer **p = &c->timers;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	t->armed = false;
}

void timer_cancel(struct timer *t)
{
	for (;;) {
		uint32_t cpu = t->cpu;
		env_lock(&locks[cpu]);
		if (t->cpu == cpu) {
			if (t->armed)
				unlink(&cpus[cpu], t);
			env_unlock(&locks[cpu]);
			return;
		}
		env_unlock(&locks[cpu]);
	}
}

static void program(struct cpu *c, uint64_t deadline_ns)
{
	if (c->timer_programmed && c->timer_programmed <= deadline_ns)
		return;
	c->timer_programmed = deadline_ns;
	arch_timer_set(deadline_ns);
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	struct cpu *c = this_cpu();

	timer_cancel(t);
	env_lock(&locks[c->id]);
	t->cpu = c->id;
	t->deadline_ns = deadline_ns;
	t->armed = true;
	struct timer **p = &c->timers;
	while (*p && (*p)->deadline_ns <= deadline_ns)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	env_unlock(&locks[c->id]);
	program(c, deadline_ns);
}

void timer_softirq(void)
{
	struct cpu *c = this_cpu();
	uint64_t now = time_now_ns();

	c->timer_programmed = 0;
	for (;;) {
		env_lock(&locks[c->id]);
		struct timer *t = c->timers;
		bool due = t && t->deadline_ns <= now;
		if (due) {
			c->timers = t->next;
			t->armed = false;
		}
		env_unlock(&locks[c->id]);
		if (!due) {
			if (t)
				program(c, t->deadline_ns);
			return;
		}
		t->fn(t);
	}
}
