/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine in virtual time that does nothing but run vcpus by a cpu scheduler. */
#ifndef TEST_CPUSCHED_SIM_H
#define TEST_CPUSCHED_SIM_H

#include <sched/cpu/cpusched.h>

#define SIM_MAX_VCPUS 64
#define MS 1000000ull
#define US 1000ull

/* Runs `run_ns`, then sleeps `sleep_ns`, and again; run_ns 0: never sleeps. */
struct sim_vcpu {
	struct sched_item item;
	uint64_t run_ns, sleep_ns;
	uint64_t left_ns;  /* of the present burst */
	uint64_t wake_at;  /* when asleep */
	bool asleep;
	bool yields;       /* gives the CPU away instead of sleeping */
	uint64_t bursts;
};

struct sim_cpu {
	struct sim_vcpu *current;
	uint64_t since, slice_end;
	bool kicked;
};

struct sim {
	struct cpusched *s;
	unsigned int ncpus, nvcpus, switches;
	uint64_t now;
	uint64_t idle_with_work; /* times a CPU was idle although a queued vcpu might have run there */
	struct sim_cpu cpu[CPUSCHED_MAX_CPUS];
	struct sim_vcpu vcpu[SIM_MAX_VCPUS];
};

extern const char *sim_policy;
void sim_init(struct sim *sim, unsigned int ncpus);
struct sim_vcpu *sim_add(struct sim *sim, uint64_t run_ns, uint64_t sleep_ns, uint64_t affinity);
/* Run until now + ns; every so often (0: never) switch the policy live. */
void sim_run(struct sim *sim, uint64_t ns, uint64_t switch_every);
/* NULL, or which rule does not hold. */
const char *sim_broken(const struct sim *sim);
void sim_end(struct sim *sim);

/* test_cpusched.c: => fails the test if a rule does not hold, or a CPU was idle while a vcpu waited for it. */
void check(const struct sim *sim);
/* test_share.c: => how many failed */
int run_share_tests(void);

#endif
