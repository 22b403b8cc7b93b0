/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers. Each CPU keeps its own list by deadline; timer_sync() programs its local APIC for the first one, once,
 * right before the CPU enters a guest or sleeps. So a timer that is put off again and again, as they are, costs nothing
 * and throws no guest out. A timer may be cancelled or re-armed from another CPU, hence the lock. Its fn runs without the
 * lock, so a cancelled timer's may still be at work elsewhere: what owns a timer waits for that (timer_end) before it goes.
 */
#include "timer.h"

#include <stdatomic.h>
#include <stddef.h>

#include <hv/arch.h>
#include <hv/cpu.h>
#include <hv/log.h>

#define NEVER_NS (~0UL >> 1)

static struct env_lock locks[MAX_CPUS];
static struct timer *_Atomic running[MAX_CPUS]; /* whose fn is being called; set under the CPU's lock */

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn };
}

/* => the CPU's lock is held */
static void note_first(struct cpu *c)
{
	atomic_store_explicit(&c->timer_first, c->timers ? c->timers->deadline_ns : NEVER_NS, memory_order_relaxed);
}

static void unlink(struct cpu *c, struct timer *t)
{
	struct timer **p = &c->timers;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p)
		*p = t->next;
	t->armed = false;
	note_first(c);
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

/* Neither in a list nor at work on another CPU. Asked under the lock, so that it cannot go from one to the other unseen. */
static bool at_rest(const struct timer *t)
{
	uint32_t cpu = t->cpu;
	bool busy = false;

	env_lock(&locks[cpu]);
	for (uint32_t i = 0; i < nr_cpus; i++)
		busy |= i != this_cpu()->id && atomic_load_explicit(&running[i], memory_order_acquire) == t;
	busy |= t->armed || t->cpu != cpu;
	env_unlock(&locks[cpu]);
	return !busy;
}

void timer_end(struct timer *t)
{
	for (timer_cancel(t); !at_rest(t); timer_cancel(t))
		__builtin_ia32_pause();
}

void timer_program(uint64_t deadline_ns)
{
	this_cpu()->timer_programmed = deadline_ns;
	arch_timer_set(deadline_ns);
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	struct cpu *c = this_cpu();

	if (t->cpu != c->id)
		timer_cancel(t);
	env_lock(&locks[c->id]);
	if (t->armed)
		unlink(c, t);
	t->cpu = c->id;
	t->deadline_ns = deadline_ns;
	t->armed = true;
	struct timer **p = &c->timers;
	while (*p && (*p)->deadline_ns <= deadline_ns)
		p = &(*p)->next;
	t->next = *p;
	*p = t;
	note_first(c);
	env_unlock(&locks[c->id]);
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
			note_first(c);
			t->armed = false;
			atomic_store_explicit(&running[c->id], t, memory_order_relaxed);
		}
		env_unlock(&locks[c->id]);
		if (!due)
			return;
		t->fn(t);
		atomic_store_explicit(&running[c->id], NULL, memory_order_release);
	}
}
