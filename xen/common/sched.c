/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Vcpus on CPUs.
 *
 * A vcpu may run when it is up and its domain is RUNNING. One that is chosen although it may not is parked: it sleeps for the
 * scheduler until what forbade it changes (vcpu_unpark()). One that waits for an event is blocked. Both flags are exchanged
 * atomically by whoever wakes, so one wake follows from one sleep; a waker makes its reason visible before it looks at the
 * flag, a sleeper sets the flag before it looks at the reasons.
 */
#include "sched.h"

#include <hv/domain.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include <arch/x86/vcpu.h>

struct cpusched *the_cpusched;

static struct vcpu *vcpu_of(struct sched_item *item)
{
	return (struct vcpu *)((char *)item - offsetof(struct vcpu, sched));
}

void sched_init(const char *policy)
{
	int ret = cpusched_create(&the_cpusched, policy, nr_cpus);

	if (ret) {
		log_warn("sched: no cpu scheduler '%s'; rr is used", policy);
		ret = cpusched_create(&the_cpusched, "rr", nr_cpus);
	}
	if (ret)
		panic("no memory for the cpu scheduler");
}

static void slice_end(struct timer *t)
{
	atomic_store(&this_cpu()->need_resched, true);
}

void sched_init_cpu(void)
{
	timer_init(&this_cpu()->slice, slice_end);
}

static void resched(int cpu)
{
	if (cpu == CPUSCHED_NO_CPU)
		return;
	atomic_store(&cpus[cpu].need_resched, true);
	cpu_kick((uint32_t)cpu);
}

static bool may_run(const struct vcpu *v)
{
	return atomic_load(&v->up) && atomic_load(&v->domain->state) == DOM_RUNNING;
}

static void sched_wake(struct vcpu *v)
{
	resched(cpusched_wake(the_cpusched, &v->sched, time_now_ns()));
}

static void vcpu_unpark(struct vcpu *v)
{
	if (atomic_exchange(&v->parked, false))
		sched_wake(v);
}

/* Let go of the current one: from the pick on another CPU may run it, so all of it must be in memory before. */
static void put_current(struct cpu *c)
{
	struct vcpu *v = c->current;

	if (!v)
		return;
	vcpu_runstate_change(v, atomic_load(&v->blocked) || !may_run(v) ? RUNSTATE_blocked : RUNSTATE_runnable, time_now_ns());
	vcpu_save_extended(v);
	c->current = NULL;
	atomic_store(&v->running_on, -1);
}

static void take(struct cpu *c, struct vcpu *v, uint64_t slice_ns, uint64_t now)
{
	atomic_store(&v->running_on, (int32_t)c->id);
	c->current = v;
	vcpu_load_extended(v);
	vcpu_runstate_change(v, RUNSTATE_running, now);
	if (slice_ns)
		timer_set(&c->slice, now + slice_ns);
}

void schedule(void)
{
	struct cpu *c = this_cpu();

	put_current(c);
	for (;;) {
		atomic_store(&c->need_resched, false);
		uint64_t now = time_now_ns();
		struct cpusched_choice choice = cpusched_pick(the_cpusched, (int)c->id, now);
		resched(choice.kick);
		if (!choice.item) {
			timer_cancel(&c->slice);
			if (choice.slice_ns)
				timer_set(&c->slice, now + choice.slice_ns);
			return;
		}
		struct vcpu *v = vcpu_of(choice.item);
		if (may_run(v)) {
			take(c, v, choice.slice_ns, now);
			return;
		}
		cpusched_sleep(the_cpusched, &v->sched);
		atomic_store(&v->parked, true);
		if (may_run(v))
			vcpu_unpark(v);
	}
}

/* --- what happens to vcpus -------------------------------------------------------------------------------------------- */

void vcpu_wake(struct vcpu *v)
{
	atomic_fetch_or(&v->work, VCPU_WORK_KICK);
	if (atomic_exchange(&v->blocked, false)) {
		sched_wake(v);
		return;
	}
	int32_t cpu = atomic_load(&v->running_on);
	if (cpu >= 0)
		cpu_kick((uint32_t)cpu);
}

void vcpu_block(struct vcpu *v)
{
	cpusched_sleep(the_cpusched, &v->sched);
	atomic_store(&v->blocked, true);
	if (vcpu_arch_interruptible(v) && atomic_exchange(&v->blocked, false))
		sched_wake(v);
	atomic_store(&this_cpu()->need_resched, true);
}

void vcpu_yield(struct vcpu *v)
{
	cpusched_yield(the_cpusched, &v->sched);
	atomic_store(&this_cpu()->need_resched, true);
}

void vcpu_up(struct vcpu *v)
{
	atomic_store(&v->up, true);
	vcpu_unpark(v);
	vcpu_wake(v);
}

void vcpu_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool any = false;

	atomic_store(&v->up, false);
	atomic_store(&this_cpu()->need_resched, true);
	for (uint32_t i = 0; i < d->nr_vcpus; i++)
		any |= d->vcpus[i] && atomic_load(&d->vcpus[i]->up);
	if (!any)
		domain_shutdown(d, STOP_POWEROFF);
}

void vcpu_wait_off(struct vcpu *v)
{
	for (int32_t cpu; (cpu = atomic_load(&v->running_on)) >= 0;) {
		resched(cpu);
		if (cpu == (int32_t)this_cpu()->id)
			return; /* the loop lets go of it before it enters a guest again */
		__builtin_ia32_pause();
	}
}

void domain_unpause(struct domain *d)
{
	enum domain_state paused = DOM_PAUSED, building = DOM_BUILDING;

	if (!atomic_compare_exchange_strong(&d->state, &paused, DOM_RUNNING) &&
	    !atomic_compare_exchange_strong(&d->state, &building, DOM_RUNNING))
		return;
	for (uint32_t i = 0; i < d->nr_vcpus; i++)
		vcpu_unpark(d->vcpus[i]);
}

void domain_pause(struct domain *d)
{
	enum domain_state running = DOM_RUNNING;

	if (!atomic_compare_exchange_strong(&d->state, &running, DOM_PAUSED))
		return;
	for (uint32_t i = 0; i < d->nr_vcpus; i++)
		vcpu_wait_off(d->vcpus[i]);
}
