/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulator: steps from one event to the next; an event is a slice's end, a burst's end, or a wake. */
#include "sim.h"

#include <string.h>

static struct sim_vcpu *vcpu_of(struct sched_item *item)
{
	return item ? (struct sim_vcpu *)((char *)item - offsetof(struct sim_vcpu, item)) : NULL;
}

const char *sim_policy = "rr";

void sim_init(struct sim *sim, unsigned int ncpus)
{
	memset(sim, 0, sizeof(*sim));
	sim->ncpus = ncpus;
	sim->now = 1;
	for (unsigned int i = 0; i < ncpus; i++)
		sim->cpu[i].slice_end = UINT64_MAX;
	if (cpusched_create(&sim->s, sim_policy, ncpus))
		__builtin_trap();
}

static void kick(struct sim *sim, int cpu)
{
	if (cpu != CPUSCHED_NO_CPU)
		sim->cpu[cpu].kicked = true;
}

struct sim_vcpu *sim_add(struct sim *sim, uint64_t run_ns, uint64_t sleep_ns, uint64_t affinity)
{
	struct sim_vcpu *v = &sim->vcpu[sim->nvcpus++];
	v->run_ns = v->left_ns = run_ns;
	v->sleep_ns = sleep_ns;
	v->item.affinity = affinity;
	v->item.weight = CPUSCHED_WEIGHT_DEFAULT;
	if (cpusched_item_add(sim->s, &v->item))
		__builtin_trap();
	kick(sim, cpusched_wake(sim->s, &v->item, sim->now));
	return v;
}

/* The CPU's vcpu has run up to now. */
static void charge(struct sim *sim, struct sim_cpu *c)
{
	struct sim_vcpu *v = c->current;
	if (v && v->run_ns)
		v->left_ns -= sim->now - c->since < v->left_ns ? sim->now - c->since : v->left_ns;
	c->since = sim->now;
}

static void burst_done(struct sim *sim, struct sim_vcpu *v)
{
	v->bursts++;
	v->left_ns = v->run_ns;
	if (v->yields) {
		cpusched_yield(sim->s, &v->item);
		return;
	}
	v->asleep = true;
	v->wake_at = sim->now + v->sleep_ns;
	cpusched_sleep(sim->s, &v->item);
}

static void pick(struct sim *sim, unsigned int cpu)
{
	struct sim_cpu *c = &sim->cpu[cpu];
	struct cpusched_choice choice = cpusched_pick(sim->s, (int)cpu, sim->now);
	c->kicked = false;
	c->current = vcpu_of(choice.item);
	c->since = sim->now;
	c->slice_end = choice.item || choice.slice_ns ? sim->now + choice.slice_ns : UINT64_MAX;
	kick(sim, choice.kick);
}

static uint64_t cpu_event(const struct sim_cpu *c)
{
	if (!c->current)
		return c->slice_end;
	uint64_t burst = c->current->run_ns ? c->since + c->current->left_ns : UINT64_MAX;
	return burst < c->slice_end ? burst : c->slice_end;
}

static uint64_t next_event(const struct sim *sim)
{
	uint64_t t = UINT64_MAX;
	for (unsigned int i = 0; i < sim->ncpus; i++)
		t = cpu_event(&sim->cpu[i]) < t ? cpu_event(&sim->cpu[i]) : t;
	for (unsigned int i = 0; i < sim->nvcpus; i++)
		if (sim->vcpu[i].asleep && sim->vcpu[i].wake_at < t)
			t = sim->vcpu[i].wake_at;
	return t;
}

static void run_kicked(struct sim *sim)
{
	for (bool any = true; any;) {
		any = false;
		for (unsigned int i = 0; i < sim->ncpus; i++)
			if (sim->cpu[i].kicked) {
				charge(sim, &sim->cpu[i]);
				pick(sim, i);
				any = true;
			}
	}
}

static void count_idle_with_work(struct sim *sim)
{
	for (unsigned int c = 0; c < sim->ncpus; c++)
		for (unsigned int i = 0; !sim->cpu[c].current && i < sim->nvcpus; i++)
			sim->idle_with_work += sim->vcpu[i].item.state == SCHED_QUEUED && !sim->vcpu[i].item.parked &&
					       (sim->vcpu[i].item.affinity >> c & 1);
}

static void step(struct sim *sim)
{
	for (unsigned int i = 0; i < sim->ncpus; i++) {
		struct sim_cpu *c = &sim->cpu[i];
		if (cpu_event(c) > sim->now)
			continue;
		charge(sim, c);
		if (c->current && c->current->run_ns && c->current->left_ns == 0)
			burst_done(sim, c->current);
		pick(sim, i);
	}
	for (unsigned int i = 0; i < sim->nvcpus; i++) {
		struct sim_vcpu *v = &sim->vcpu[i];
		if (v->asleep && v->wake_at <= sim->now) {
			v->asleep = false;
			kick(sim, cpusched_wake(sim->s, &v->item, sim->now));
		}
	}
	run_kicked(sim);
	count_idle_with_work(sim);
}

void sim_run(struct sim *sim, uint64_t ns, uint64_t switch_every)
{
	uint64_t end = sim->now + ns, switch_at = switch_every ? sim->now + switch_every : UINT64_MAX;
	run_kicked(sim);
	while (sim->now < end && !sim_broken(sim)) {
		uint64_t t = next_event(sim);
		if (switch_at <= t) {
			sim->now = switch_at;
			switch_at += switch_every;
			sim->switches++;
			if (cpusched_switch(sim->s, cpusched_policy_name(sim->switches % 2), sim->now))
				__builtin_trap();
			/* As the machine does: whoever is idle looks. */
			for (unsigned int i = 0; i < sim->ncpus; i++)
				kick(sim, (int)i);
			run_kicked(sim);
			continue;
		}
		sim->now = t < end ? t : end;
		step(sim);
	}
}

const char *sim_broken(const struct sim *sim)
{
	for (unsigned int i = 0; i < sim->nvcpus; i++) {
		const struct sim_vcpu *v = &sim->vcpu[i];
		bool on_cpu = false;
		for (unsigned int c = 0; c < sim->ncpus; c++)
			on_cpu |= sim->cpu[c].current == v;
		if (v->asleep != (v->item.state == SCHED_BLOCKED))
			return v->asleep ? "a sleeping vcpu is queued" : "a vcpu that wants to run is lost";
		if (on_cpu != (v->item.state == SCHED_CURRENT))
			return "a vcpu is current and not on its CPU";
		if (v->item.state != SCHED_BLOCKED && !(v->item.affinity >> v->item.cpu & 1))
			return "a vcpu is where it may not run";
	}
	return NULL;
}

void sim_end(struct sim *sim)
{
	for (unsigned int i = 0; i < sim->nvcpus; i++)
		cpusched_sleep(sim->s, &sim->vcpu[i].item);
	for (unsigned int c = 0; c < sim->ncpus; c++)
		cpusched_pick(sim->s, (int)c, sim->now);
	for (unsigned int i = 0; i < sim->nvcpus; i++) {
		cpusched_sleep(sim->s, &sim->vcpu[i].item);
		for (unsigned int c = 0; c < sim->ncpus; c++)
			if (sim->vcpu[i].item.state == SCHED_CURRENT)
				cpusched_pick(sim->s, (int)c, sim->now);
		if (cpusched_item_remove(sim->s, &sim->vcpu[i].item))
			__builtin_trap();
	}
	cpusched_destroy(sim->s);
}
