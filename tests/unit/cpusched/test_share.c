/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy `share` promises beyond every policy's: weights and caps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim.h"

#define ANY CPUSCHED_ANY_CPU

static struct sim_vcpu *add_with(struct sim *sim, uint32_t weight, uint32_t cap, uint64_t run_ns, uint64_t sleep_ns)
{
	struct sim_vcpu *v = sim_add(sim, run_ns, sleep_ns, ANY);
	int kicked;
	assert_int_equal(cpusched_item_set(sim->s, &v->item, ANY, weight, cap, sim->now, &kicked), 0);
	if (kicked != CPUSCHED_NO_CPU)
		sim->cpu[kicked].kicked = true;
	return v;
}

static double share_of(const struct sim_vcpu *v, uint64_t ns)
{
	return 100.0 * (double)v->item.run_ns / (double)ns;
}

static void weights_are_shares(void **state)
{
	static const struct {
		unsigned int cpus, vcpus;
		uint32_t weight[6];
		double percent[6]; /* of one CPU */
	} rows[] = {
		{ 1, 3, { 100, 200, 700 }, { 10, 20, 70 } },
		{ 1, 2, { 1, 65535 }, { 0, 100 } },
		{ 2, 4, { 256, 256, 512, 512 }, { 33.3, 33.3, 66.7, 66.7 } },
		{ 2, 3, { 10000, 256, 256 }, { 100, 50, 50 } },	/* more than a CPU it cannot use */
		{ 4, 6, { 100, 200, 300, 400, 500, 600 }, { 20, 40, 60, 80, 100, 100 } },
	};
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct sim sim;
		sim_init(&sim, rows[r].cpus);
		for (unsigned int i = 0; i < rows[r].vcpus; i++)
			add_with(&sim, rows[r].weight[i], 0, 0, 0);
		sim_run(&sim, 20000 * MS, 0);
		check(&sim);
		for (unsigned int i = 0; i < rows[r].vcpus; i++) {
			double got = share_of(&sim.vcpu[i], 20000 * MS);
			print_message("%u CPUs, weight %5u: %.2f %% of %.1f\n", rows[r].cpus, rows[r].weight[i], got, rows[r].percent[i]);
			assert_true(got > rows[r].percent[i] - 1.5 && got < rows[r].percent[i] + 1.5);
		}
		sim_end(&sim);
	}
}

/* With what it has run of its present slice, which is written up at the end. */
static uint64_t ran(const struct sim *sim, const struct sim_vcpu *v)
{
	return v->item.run_ns + (v->item.state == SCHED_CURRENT ? sim->now - v->item.since_ns : 0);
}

static void caps_hold_and_leave_the_rest_to_others(void **state)
{
	static const uint32_t caps[] = { 1, 10, 25, 50, 90, 100 };
	for (unsigned int n = 0; n < 2; n++) {
		for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
			struct sim sim;
			sim_init(&sim, 1 + n);
			struct sim_vcpu *capped = add_with(&sim, 10000, caps[i], 0, 0);
			struct sim_vcpu *idler = add_with(&sim, 256, caps[i], 50 * US, 900 * US);
			struct sim_vcpu *hog = n ? add_with(&sim, 256, 0, 0, 0) : NULL;
			/* over any interval: cap * t, and what it may run ahead */
			for (unsigned int k = 0; k < 40; k++) {
				uint64_t had = ran(&sim, capped);
				sim_run(&sim, (1 + k * 7) * MS, 0);
				uint64_t most = (1 + k * 7) * MS * caps[i] / 100 + 12 * MS;
				assert_true(ran(&sim, capped) - had <= most);
			}
			uint64_t had = ran(&sim, capped), start = sim.now;
			sim_run(&sim, 10000 * MS, 0);
			check(&sim);
			double got = (double)(ran(&sim, capped) - had) / (double)(sim.now - start) * 100;
			print_message("%u CPUs, cap %3u: %.2f %%\n", 1 + n, caps[i], got);
			assert_true(got <= caps[i] + 0.3 && got >= (caps[i] > 90 && !n ? 85 : caps[i]) - 1.5);
			assert_true(idler->item.run_ns > 0);
			if (hog)
				assert_true(share_of(hog, sim.now) > 93);
			sim_end(&sim);
		}
	}
}

static void many_that_are_released_at_once_find_all_cpus(void **state)
{
	struct sim sim;
	sim_init(&sim, 4);
	for (unsigned int i = 0; i < 12; i++)
		add_with(&sim, 256, 20 + i % 3, 0, 0);
	sim_run(&sim, 3000 * MS, 0);
	check(&sim);	/* no CPU idles while one that is not parked waits */
	for (unsigned int i = 0; i < 12; i++) {
		double got = share_of(&sim.vcpu[i], sim.now);
		assert_true(got > 18.5 + i % 3 && got < 21 + i % 3);
	}
	sim_end(&sim);
}

static void a_change_of_weight_or_cap_counts_at_once(void **state)
{
	struct sim sim;
	int kicked;
	sim_init(&sim, 1);
	struct sim_vcpu *a = add_with(&sim, 256, 0, 0, 0), *b = add_with(&sim, 256, 5, 0, 0);
	sim_run(&sim, 2000 * MS, 0);
	assert_true(share_of(b, sim.now) < 6);
	cpusched_item_set(sim.s, &b->item, ANY, 768, 0, sim.now, &kicked);
	uint64_t had_a = a->item.run_ns, had_b = b->item.run_ns;
	sim_run(&sim, 4000 * MS, 0);
	check(&sim);
	double ratio = (double)(b->item.run_ns - had_b) / (double)(a->item.run_ns - had_a);
	assert_true(ratio > 2.8 && ratio < 3.2);
	sim_end(&sim);
}

int run_share_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(caps_hold_and_leave_the_rest_to_others),
		cmocka_unit_test(many_that_are_released_at_once_find_all_cpus),
		cmocka_unit_test(a_change_of_weight_or_cap_counts_at_once),
	};
	sim_policy = "share";
	return cmocka_run_group_tests_name("share: weights and caps", tests, NULL, NULL);
}
