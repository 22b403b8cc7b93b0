/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cpu scheduler promises: no vcpu lost, none starved, even shares over CPUs, prompt wakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env_host.h"
#include "sim.h"

#define ANY CPUSCHED_ANY_CPU

void check(const struct sim *sim)
{
	const char *broken = sim_broken(sim);
	if (broken)
		fail_msg("at %lu us: %s", (unsigned long)(sim->now / US), broken);
	assert_int_equal(sim->idle_with_work, 0);
}

static void equal_shares_over_cpus(void **state)
{
	static const struct {
		unsigned int cpus, hogs;
	} rows[] = { { 1, 1 }, { 1, 7 }, { 2, 2 }, { 2, 3 }, { 2, 4 }, { 2, 5 }, { 3, 4 }, { 4, 5 }, { 4, 7 }, { 4, 40 }, { 16, 17 } };
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct sim sim;
		sim_init(&sim, rows[r].cpus);
		for (unsigned int i = 0; i < rows[r].hogs; i++)
			sim_add(&sim, 0, 0, ANY);
		sim_run(&sim, 20000 * MS, 0);
		check(&sim);
		uint64_t fair = 20000 * MS * rows[r].cpus / rows[r].hogs, worst = 0;
		for (unsigned int i = 0; i < rows[r].hogs; i++) {
			uint64_t ran = sim.vcpu[i].item.run_ns, off = ran > fair ? ran - fair : fair - ran;
			worst = off > worst ? off : worst;
		}
		print_message("%2u CPUs, %2u vcpus: furthest from its share %.2f %%\n", rows[r].cpus, rows[r].hogs,
			      100.0 * (double)worst / (double)fair);
		assert_true(worst * 50 <= fair);
		sim_end(&sim);
	}
}

static void an_event_wakes_its_vcpu_promptly(void **state)
{
	for (unsigned int cpus = 1; cpus <= 4; cpus *= 2) {
		struct sim sim;
		sim_init(&sim, cpus);
		for (unsigned int i = 0; i < 4 * cpus; i++)
			sim_add(&sim, 0, 0, ANY);
		struct sim_vcpu *server = sim_add(&sim, 100 * US, 2900 * US, ANY);
		/* At the start the hogs have been woken, too. */
		sim_run(&sim, 50 * MS, 0);
		server->item.wait_max_ns = 0;
		sim_run(&sim, 5000 * MS, 0);
		check(&sim);
		print_message("%u CPUs, %u hogs: %lu wakes, worst wait %lu us\n", cpus, 4 * cpus, (unsigned long)server->bursts,
			      (unsigned long)(server->item.wait_max_ns / US));
		assert_true(server->item.wait_max_ns <= 1 * MS);
		assert_true(server->bursts > 1600);
		sim_end(&sim);
	}
}

/* Vcpus that sleep for an instant before their boosted slice ends, again and again. */
static void the_boosted_cannot_starve_others(void **state)
{
	for (unsigned int cheats = 1; cheats <= 16; cheats *= 2) {
		struct sim sim;
		sim_init(&sim, 1);
		struct sim_vcpu *hog = sim_add(&sim, 0, 0, ANY);
		for (unsigned int i = 0; i < cheats; i++)
			sim_add(&sim, 990 * US, 1 * US, ANY);
		sim_run(&sim, 10000 * MS, 0);
		check(&sim);
		print_message("%2u cheats: the honest one has %.1f %%, worst wait %lu us\n", cheats,
			      (double)hog->item.run_ns / (double)(100 * MS), (unsigned long)(hog->item.wait_max_ns / US));
		if (!strcmp(sim_policy, "rr")) {
			assert_true(hog->item.run_ns >= 6000 * MS);
			assert_true(hog->item.wait_max_ns <= 17 * MS);
		} else {
			assert_true(hog->item.run_ns >= 10000 * MS / (cheats + 1) * 95 / 100);
			assert_true(hog->item.wait_max_ns <= (cheats + 1) * 20 * MS);
		}
		sim_end(&sim);
	}
}

static void nobody_waits_longer_than_everybodys_slices(void **state)
{
	struct sim sim;
	sim_init(&sim, 2);
	for (unsigned int i = 0; i < 20; i++)
		sim_add(&sim, i % 3 ? 0 : 700 * US, i * 200 * US, ANY);
	for (unsigned int i = 0; i < 4; i++)
		sim_add(&sim, 50 * US, 0, ANY)->yields = true;
	sim_run(&sim, 20000 * MS, 0);
	check(&sim);
	for (unsigned int i = 0; i < sim.nvcpus; i++)
		assert_true(sim.vcpu[i].item.wait_max_ns <= 24 * 15 * MS);
	sim_end(&sim);
}

static void affinity_holds(void **state)
{
	struct sim sim;
	sim_init(&sim, 4);
	for (unsigned int i = 0; i < 24; i++)
		sim_add(&sim, i % 2 ? 0 : 300 * US, 100 * US, i % 5 ? 1ull << (i % 4) | 1ull << (i / 6) : ANY);
	sim_run(&sim, 3000 * MS, 0);
	check(&sim);
	for (unsigned int i = 0; i < sim.nvcpus; i++)
		assert_true(sim.vcpu[i].item.run_ns > 0);
	sim_end(&sim);
}

static void a_live_switch_loses_no_vcpu(void **state)
{
	for (uint64_t every = 10 * US; every <= 10 * MS; every *= 7) {
		struct sim sim;
		sim_init(&sim, 3);
		for (unsigned int i = 0; i < 30; i++)
			sim_add(&sim, i % 3 ? 400 * US : 0, i * 30 * US, i % 4 ? ANY : 2);
		sim_run(&sim, 600 * MS, every);
		check(&sim);
		for (unsigned int i = 0; i < sim.nvcpus; i++)
			assert_true(sim.vcpu[i].item.run_ns > 0);
		sim_end(&sim);
	}
}

static void a_wake_between_sleep_and_pick_is_kept(void **state)
{
	struct cpusched *s;
	struct sched_item a = { .affinity = ANY };
	assert_int_equal(cpusched_create(&s, sim_policy, 1), 0);
	assert_int_equal(cpusched_item_add(s, &a), 0);
	assert_int_equal(cpusched_wake(s, &a, 1), 0);
	assert_ptr_equal(cpusched_pick(s, 0, 2).item, &a);
	cpusched_sleep(s, &a);
	assert_int_equal(cpusched_wake(s, &a, 3), CPUSCHED_NO_CPU);
	assert_ptr_equal(cpusched_pick(s, 0, 4).item, &a);
	assert_int_equal(cpusched_item_remove(s, &a), -EBUSY);
	cpusched_sleep(s, &a);
	assert_null(cpusched_pick(s, 0, 5).item);
	assert_int_equal(cpusched_wake(s, &a, 6), 0);
	assert_int_equal(cpusched_wake(s, &a, 7), CPUSCHED_NO_CPU);
	assert_int_equal(cpusched_item_remove(s, &a), 0);
	/* a timer that fires late */
	assert_int_equal(cpusched_wake(s, &a, 0), CPUSCHED_NO_CPU);
	assert_null(cpusched_pick(s, 0, 0).item);
	assert_null(cpusched_pick(s, 0, 8).item);
	assert_int_equal(a.run_ns, 3);
	cpusched_destroy(s);
}

static void a_new_affinity_moves_the_vcpu(void **state)
{
	struct cpusched *s;
	struct sched_item a = { .affinity = 1 };
	int kick;
	cpusched_create(&s, sim_policy, 2);
	cpusched_item_add(s, &a);
	assert_int_equal(cpusched_wake(s, &a, 1), 0);
	assert_int_equal(cpusched_item_set(s, &a, 4, 256, 0, 2, &kick), -EINVAL);
	assert_int_equal(cpusched_item_set(s, &a, 2, 256, 0, 2, &kick), 0);
	assert_int_equal(kick, 1);
	assert_null(cpusched_pick(s, 0, 3).item);
	assert_ptr_equal(cpusched_pick(s, 1, 3).item, &a);
	assert_int_equal(cpusched_item_set(s, &a, 1, 256, 0, 4, &kick), 0);
	assert_int_equal(kick, 1);
	struct cpusched_choice c = cpusched_pick(s, 1, 5);
	assert_null(c.item);
	assert_int_equal(c.kick, 0);
	assert_ptr_equal(cpusched_pick(s, 0, 6).item, &a);
	cpusched_sleep(s, &a);
	cpusched_pick(s, 0, 7);
	cpusched_item_remove(s, &a);
	cpusched_destroy(s);
}

static void bad_arguments_are_refused(void **state)
{
	struct cpusched *s;
	struct sched_item none = { .affinity = 0 }, beyond = { .affinity = 4 };
	assert_int_equal(cpusched_create(&s, sim_policy, 0), -EINVAL);
	assert_int_equal(cpusched_create(&s, sim_policy, CPUSCHED_MAX_CPUS + 1), -EINVAL);
	assert_int_equal(cpusched_create(&s, "lottery", 1), -EINVAL);
	assert_null(s);
	assert_int_equal(cpusched_create(&s, sim_policy, 2), 0);
	assert_int_equal(cpusched_item_add(s, &none), -EINVAL);
	assert_int_equal(cpusched_item_add(s, &beyond), -EINVAL);
	assert_int_equal(cpusched_switch(s, "lottery", 1), -EINVAL);
	assert_string_equal(cpusched_policy(s), sim_policy);
	assert_string_equal(cpusched_policy_name(0), "rr");
	assert_string_equal(cpusched_policy_name(1), "share");
	assert_null(cpusched_policy_name(1000));
	cpusched_destroy(s);
}

static void out_of_memory_changes_nothing(void **state)
{
	size_t before = env_host_live_bytes();
	struct cpusched *s;
	int err;
	for (long n = 0; env_host_fail_after(n), (err = cpusched_create(&s, sim_policy, 4)) != 0; n++) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(env_host_live_bytes(), before);
	}
	env_host_fail_after(0);
	assert_int_equal(cpusched_switch(s, sim_policy, 1), -ENOMEM);
	env_host_fail_after(-1);
	assert_int_equal(cpusched_switch(s, sim_policy, 1), 0);
	cpusched_destroy(s);
	assert_int_equal(env_host_live_bytes(), before);
}

/* Any calls in any order against the few rules of the frame. */
static void random_calls_keep_the_states(void **state)
{
	enum { N = 12, CPUS = 3 };
	static struct sched_item item[N];
	struct sched_item *on[CPUS] = { 0 };
	bool added[N] = { 0 };
	struct cpusched *s;
	int kick;
	srand(7);
	cpusched_create(&s, sim_policy, CPUS);
	for (uint64_t now = 1, step = 0; step < 300000; step++, now += (uint64_t)(rand() % 2000000)) {
		int i = rand() % N, cpu = rand() % CPUS;
		switch (rand() % 8) {
		case 0:
			if (!added[i]) {
				item[i].affinity = (uint64_t)(rand() % 7 + 1);
				added[i] = cpusched_item_add(s, &item[i]) == 0;
			}
			break;
		case 1:
			if (added[i] && rand() % 8 == 0)
				added[i] = cpusched_item_remove(s, &item[i]) != 0;
			break;
		case 2:
		case 3:
			if (added[i])
				cpusched_wake(s, &item[i], now);
			break;
		case 4:
			if (on[cpu])
				rand() % 2 ? cpusched_sleep(s, on[cpu]) : cpusched_yield(s, on[cpu]);
			break;
		case 5:
			if (added[i])
				cpusched_item_set(s, &item[i], (uint64_t)(rand() % 7 + 1), (uint32_t)(rand() % 500),
						  (uint32_t)(rand() % 130), now, &kick);
			break;
		case 6:
			if (rand() % 16 == 0)
				cpusched_switch(s, cpusched_policy_name((unsigned int)rand() % 2), now);
			break;
		default:
			on[cpu] = cpusched_pick(s, cpu, now).item;
		}
		for (int k = 0; k < N; k++) {
			int where = 0;
			for (int c = 0; c < CPUS; c++)
				where += on[c] == &item[k];
			assert_int_equal(where, added[k] && item[k].state == SCHED_CURRENT);
		}
	}
	for (int round = 0; round < 2 * N; round++)
		for (int c = 0; c < CPUS; c++) {
			if (on[c])
				cpusched_sleep(s, on[c]);
			on[c] = cpusched_pick(s, c, ~0ull >> 1).item;
		}
	for (int i = 0; i < N; i++) {
		assert_int_not_equal(item[i].state, SCHED_CURRENT);
		if (added[i]) {
			assert_int_equal(item[i].state, SCHED_BLOCKED);
			assert_int_equal(cpusched_item_remove(s, &item[i]), 0);
		}
	}
	cpusched_destroy(s);
}

/* Real threads: each is a CPU, one more switches the policy. A vcpu on two CPUs at once would show in `inside`. */
struct shared {
	struct cpusched *s;
	struct sched_item item[8];
	_Atomic int inside[8];
	_Atomic int overlaps;
	_Atomic long picks;
};

struct cpu_thread {
	struct shared *sh;
	int cpu;
};

static void *run_cpu(void *arg)
{
	struct cpu_thread *t = arg;
	struct shared *sh = t->sh;
	struct sched_item *mine = NULL;
	for (uint64_t now = 1; now < 40000; now++) {
		if (mine) {
			sh->inside[mine - sh->item]--;
			if (now % 3 == 0)
				cpusched_sleep(sh->s, mine);
		}
		mine = cpusched_pick(sh->s, t->cpu, now * MS).item;
		if (mine && sh->inside[mine - sh->item]++)
			sh->overlaps++;
		sh->picks += mine != NULL;
		cpusched_wake(sh->s, &sh->item[now * 7 % 8], now * MS);
		if (t->cpu == 0 && now % 64 == 0)
			cpusched_switch(sh->s, cpusched_policy_name(now / 64 % 2), now * MS);
	}
	if (mine) {
		sh->inside[mine - sh->item]--;
		cpusched_sleep(sh->s, mine);
	}
	while ((mine = cpusched_pick(sh->s, t->cpu, 50000 * MS).item))
		cpusched_sleep(sh->s, mine);
	return NULL;
}

static void threads_never_share_a_vcpu(void **state)
{
	static struct shared sh;
	struct cpu_thread t[3];
	pthread_t id[3];
	cpusched_create(&sh.s, sim_policy, 3);
	for (int i = 0; i < 8; i++) {
		sh.item[i].affinity = ANY;
		cpusched_item_add(sh.s, &sh.item[i]);
	}
	for (int i = 0; i < 3; i++) {
		t[i] = (struct cpu_thread){ &sh, i };
		assert_int_equal(pthread_create(&id[i], NULL, run_cpu, &t[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(id[i], NULL);
	assert_int_equal(sh.overlaps, 0);
	assert_true(sh.picks > 10000);
	for (int i = 0; i < 8; i++)
		assert_int_equal(cpusched_item_remove(sh.s, &sh.item[i]), 0);
	cpusched_destroy(sh.s);
}

static int run_for(const char *policy)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_shares_over_cpus),
		cmocka_unit_test(an_event_wakes_its_vcpu_promptly),
		cmocka_unit_test(the_boosted_cannot_starve_others),
		cmocka_unit_test(nobody_waits_longer_than_everybodys_slices),
		cmocka_unit_test(affinity_holds),
		cmocka_unit_test(a_live_switch_loses_no_vcpu),
		cmocka_unit_test(a_wake_between_sleep_and_pick_is_kept),
		cmocka_unit_test(a_new_affinity_moves_the_vcpu),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(out_of_memory_changes_nothing),
		cmocka_unit_test(random_calls_keep_the_states),
		cmocka_unit_test(threads_never_share_a_vcpu),
	};
	sim_policy = policy;
	return cmocka_run_group_tests_name(policy, tests, NULL, NULL);
}

int main(void)
{
	int failed = 0;
	for (unsigned int i = 0; cpusched_policy_name(i); i++)
		failed += run_for(cpusched_policy_name(i));
	return failed + run_share_tests();
}
