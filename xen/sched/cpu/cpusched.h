/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pluggable cpu scheduler: which vcpu runs next on a CPU, and for how long.
 *
 * The frame (cpusched.c) owns every vcpu's state, so no policy can lose one: a vcpu is blocked, queued, or current on
 * exactly one CPU. A policy only keeps the queued ones and orders them. It is a static const struct cpusched_ops; its
 * memory is an instance apart; a live switch moves the queued vcpus from one instance to another.
 *
 * Locking: one lock a scheduler (a scheduler serves one pool of CPUs). All cpusched_*() calls take it; every ops function runs
 * under it and may assert that with cpusched_assert_locked(). Nothing is called back from under it.
 *
 * Life of a vcpu: item_add (blocked) -> wake (queued) -> pick (current) -> pick again (queued) or sleep + pick (blocked).
 * A wake between sleep and the pick that follows is not lost: the vcpu is then queued by that pick.
 */
#ifndef SCHED_CPU_CPUSCHED_H
#define SCHED_CPU_CPUSCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUSCHED_MAX_CPUS 64
#define CPUSCHED_NO_CPU (-1)
#define CPUSCHED_ANY_CPU (~0ull)
#define CPUSCHED_WEIGHT_DEFAULT 256u

struct cpusched;

enum sched_state { SCHED_BLOCKED, SCHED_QUEUED, SCHED_CURRENT };

struct sched_link {
	struct sched_link *next, *prev;
};

/* What the scheduler knows of a vcpu; embedded in the vcpu. The caller sets the first three before item_add and afterwards
 * through cpusched_item_set(); the rest is the scheduler's, under its lock. */
struct sched_item {
	uint64_t affinity;        /* bit n: may run on CPU n */
	uint32_t weight;
	uint32_t cap;             /* percent of one CPU; 0: none */

	uint8_t state;            /* enum sched_state */
	bool runnable;            /* of a current one: will it be queued by the next pick? */
	bool boosted;             /* policy: woken by an event, runs ahead */
	int16_t cpu;              /* queued or current on, or last run on; CPUSCHED_NO_CPU at first */
	uint64_t since_ns;        /* when it got into its state */
	uint64_t slice_left_ns;   /* policy: of a slice that was cut short */
	uint64_t run_ns;          /* sum of its time as current */
	uint64_t wait_ns, wait_max_ns; /* sum and worst of its times as queued */
	bool parked;              /* policy: waits for its cap, whoever is idle */
	uint64_t virtual_ns;      /* policy: its time by weight */
	uint64_t paid_ns;         /* policy: when its cap has paid for what it ran */
	struct sched_link queue;  /* policy's */
	struct sched_link all;    /* frame's list of all vcpus */
};

enum sched_why {
	SCHED_WOKEN,     /* was blocked */
	SCHED_PREEMPTED, /* its slice has not ended */
	SCHED_EXPIRED,   /* its slice has ended */
	SCHED_YIELDED,   /* gave the rest of it away */
	SCHED_MOVED,     /* from another policy or from a CPU it may no longer run on */
};

struct cpusched_ops {
	const char *name;
	/* The instance for CPUs 0..ncpus-1; NULL without memory. */
	void *(*init)(struct cpusched *s, unsigned int ncpus);
	/* => nothing is queued. */
	void (*destroy)(void *inst);
	/* A vcpu comes under this policy (blocked or current), or leaves it. Either may be NULL. */
	void (*vcpu_add)(void *inst, struct sched_item *item);
	void (*vcpu_remove)(void *inst, struct sched_item *item);
	/* Queue it; returns the CPU in whose queue it is, one that its affinity allows. */
	int (*enqueue)(void *inst, struct sched_item *item, enum sched_why why, uint64_t now_ns);
	/* Take it out, wherever it is queued. */
	void (*dequeue)(void *inst, struct sched_item *item);
	/* Take out the one to run on `cpu` and say for how long; NULL: idle. */
	struct sched_item *(*pick)(void *inst, int cpu, uint64_t now_ns, uint64_t *slice_ns);
	/* After a pick: another CPU, idle, that has something to pick; or CPUSCHED_NO_CPU. May be NULL. */
	int (*hand_on)(void *inst);
	/* Should `item`, just queued on `cpu`, make that CPU pick again before its slice ends? */
	bool (*preempts)(void *inst, const struct sched_item *item, int cpu);
	/* `item` was current on `cpu` for `ran_ns`. May be NULL. */
	void (*account)(void *inst, struct sched_item *item, int cpu, uint64_t ran_ns);
};

/* -EINVAL: no such policy, or no CPUs; -ENOMEM. */
int cpusched_create(struct cpusched **out, const char *policy, unsigned int ncpus);
/* => no item is left. */
void cpusched_destroy(struct cpusched *s);

/* Starts blocked. -EINVAL: an affinity without any CPU of this scheduler. */
int cpusched_item_add(struct cpusched *s, struct sched_item *item);
/* => not current anywhere: its CPU has picked since its last sleep. -EBUSY otherwise. */
int cpusched_item_remove(struct cpusched *s, struct sched_item *item);
/* Change affinity, weight and cap. *kick: a CPU that must pick again, or CPUSCHED_NO_CPU. */
int cpusched_item_set(struct cpusched *s, struct sched_item *item, uint64_t affinity, uint32_t weight, uint32_t cap,
		      uint64_t now_ns, int *kick);

/* It can run; nothing if it was removed meanwhile. Returns the CPU that must be interrupted so that it picks again, or CPUSCHED_NO_CPU. */
int cpusched_wake(struct cpusched *s, struct sched_item *item, uint64_t now_ns);
/* A current one waits for an event; the next pick of its CPU lets go of it. */
void cpusched_sleep(struct cpusched *s, struct sched_item *item);
/* A current one gives up the rest of its slice; as above. */
void cpusched_yield(struct cpusched *s, struct sched_item *item);

struct cpusched_choice {
	struct sched_item *item; /* NULL: idle, until kicked */
	uint64_t slice_ns;       /* pick again after that long; 0 with item NULL: no timer needed */
	int kick;                /* another CPU that must pick again, or CPUSCHED_NO_CPU */
};

/* On `cpu` itself: let go of its current vcpu and choose the next one, maybe the same.
 * => the state of the one that was current is saved: from here on another CPU may run it. */
struct cpusched_choice cpusched_pick(struct cpusched *s, int cpu, uint64_t now_ns);

/* Switch the policy with everything running. On an error the old one stays. Returns 0, -EINVAL, -ENOMEM. */
int cpusched_switch(struct cpusched *s, const char *policy, uint64_t now_ns);
const char *cpusched_policy(struct cpusched *s);
/* The n-th registered policy's name, NULL after the last. */
const char *cpusched_policy_name(unsigned int n);

/* --- for policies, under the lock --- */
void cpusched_assert_locked(const struct cpusched *s);
struct sched_item *cpusched_current(const struct cpusched *s, int cpu);
/* CPUs without a current vcpu. */
uint64_t cpusched_idle_mask(const struct cpusched *s);

/* The registered policies. */
extern const struct cpusched_ops cpusched_rr, cpusched_share;

#endif
