/* SPDX-License-Identifier: BSD-2-Clause */
/* Every policy through one table of rules. A rule that rests on a parameter is for the policies that honour it. */
#include <harness.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <env_host.h>
#include <sched/net/policy.h>

#define RATE (1000 * MBIT)

/* A class that is kept busy: which, how long its packets are, how many stay queued. */
struct source {
	uint32_t id, bytes, depth;
	struct netsched_params p;
};

struct load {
	const struct source *src;
	unsigned int n;
};

static void refill(struct sim *s, void *arg)
{
	const struct load *l = arg;

	for (unsigned int i = 0; i < l->n; i++)
		sim_fill(s, l->src[i].id, 0, l->src[i].bytes, l->src[i].depth);
}

static struct sim *start(const struct netsched_ops *ops, const struct source *src, unsigned int n)
{
	struct sim *s = sim_new(ops, RATE, false, FULL);

	for (unsigned int i = 0; i < n; i++)
		sim_class(s, src[i].id, &src[i].p);
	return s;
}

static uint64_t total(const struct sim *s)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < MAX_CLASSES; i++)
		sum += s->bytes[i];
	return sum;
}

/* bytes in `ns` at RATE */
static uint64_t carried(uint64_t ns)
{
	return ns * (RATE / 8000) / 1000000;
}

static void work_conserving(const struct netsched_ops *ops)
{
	static const struct source src[] = { { 1, FULL, 3, { .weight = 5, .guarantee_bps = 10 * MBIT } }, { 7, 200, 2, { .weight = 1 } } };
	struct sim *s = start(ops, src, 2);
	struct load l = { src, 2 };

	sim_run(s, 1000 + 20 * MS, refill, &l);
	assert_true(total(s) + 2 * FULL >= carried(20 * MS));
	l.n = 1;	/* one class alone gets all of it */
	uint64_t before = s->bytes[1], t = s->now;
	sim_run(s, t + 20 * MS, refill, &l);
	assert_true(s->bytes[1] - before + 8 * FULL >= carried(20 * MS));
	sim_free(s);
}

static void nothing_starves(const struct netsched_ops *ops)
{
	static const struct source src[] = {
		{ 0, FULL, 60, { .weight = 1000, .guarantee_bps = 900 * MBIT } }, { 1, FULL, 60, { .weight = 1000 } },
		{ 2, 84, 1, { .weight = 1 } },
	};
	struct sim *s = start(ops, src, 3);
	struct load l = { src, 3 };

	sim_run(s, 1000 + 500 * MS, refill, &l);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(s->bytes[i] >= 84);
	assert_true(s->worst_ns[2] < 200 * MS);
	sim_free(s);
}

static void order_in_a_flow(const struct netsched_ops *ops)
{
	struct sim *s = sim_new(ops, RATE, false, FULL);
	uint64_t next;

	for (uint32_t id = 0; id < 8; id++)
		sim_class(s, id, &(struct netsched_params) { .weight = id + 1, .flows = 4 });
	for (int i = 0; i < 20000; i++) {	/* sim_depart() checks the order */
		sim_arrive(s, random_below(8), random_below(16), 84 + random_below(1400));
		s->now += 7000;
		if (random_below(3))
			sim_depart(s, &next);
	}
	assert_true(s->sent > 10000);
	sim_free(s);
}

static void weights_are_shares(const struct netsched_ops *ops)
{
	static const struct source src[] = {
		{ 3, FULL, 4, { .weight = 10 } }, { 4, 500, 8, { .weight = 20 } }, { 5, FULL, 4, { .weight = 70 } },
	};
	struct sim *s = start(ops, src, 3);
	struct load l = { src, 3 };

	sim_run(s, 1000 + 200 * MS, refill, &l);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(fabs((double)s->bytes[src[i].id] / (double)total(s) - src[i].p.weight / 100.0) < 0.005);
	sim_free(s);
}

/* 1:2:7 guaranteed of 90 % of the link, a fourth one floods with more weight than all. */
static void guarantees_hold(const struct netsched_ops *ops)
{
	static const struct source src[] = {
		{ 1, FULL, 4, { .guarantee_bps = 90 * MBIT } }, { 2, FULL, 4, { .guarantee_bps = 180 * MBIT } },
		{ 3, FULL, 4, { .guarantee_bps = 630 * MBIT } }, { 9, 84, 100, { .weight = 997 } },
	};
	struct sim *s = start(ops, src, 4);
	struct load l = { src, 4 };

	sim_run(s, 1000 + 100 * MS, refill, &l);
	for (unsigned int i = 0; i < 3; i++) {
		double share = (double)src[i].p.guarantee_bps / RATE;
		assert_true((double)s->bytes[src[i].id] >= share * (double)carried(100 * MS) * 0.995);
	}
	assert_true(s->bytes[9] > carried(9 * MS));
	sim_free(s);
}

static void ceilings_hold(const struct netsched_ops *ops)
{
	static const struct source src[] = {
		{ 1, FULL, 20, { .weight = 100, .ceiling_bps = 100 * MBIT, .burst_bytes = 20000 } },
		{ 2, FULL, 20, { .weight = 1 } },
		{ 3, 84, 20, { .weight = 100, .pps = 5000 } },
	};
	struct sim *s = start(ops, src, 3);
	struct load l = { src, 3 };

	sim_run(s, 1000 + 200 * MS, refill, &l);
	assert_true(s->bytes[1] <= carried(20 * MS) + 20000);
	assert_true(s->bytes[1] >= carried(20 * MS) * 995 / 1000);
	assert_true(s->bytes[3] <= (1000 + 12 + 1) * 84 && s->bytes[3] >= 990 * 84);
	assert_true(total(s) + 2 * FULL >= carried(200 * MS));	/* what they may not have goes to the other */
	sim_free(s);
}

static void nothing_lost_on_a_switch(const struct netsched_ops *ops)
{
	for (unsigned int i = 0; tested_policies[i]; i++) {
		struct sim *s = sim_new(ops, RATE, true, FULL);
		uint64_t next;
		for (uint32_t id = 0; id < 6; id++)
			sim_class(s, id, &(struct netsched_params) { .weight = id + 1, .ceiling_bps = id == 5 ? MBIT : 0,
								     .target_us = 900000, .interval_us = 1000000 });
		for (int n = 0; n < 600; n++)
			sim_arrive(s, random_below(6), random_below(16), 84 + random_below(1400));
		for (int n = 0; n < 40; n++) {
			s->now += 9000;
			sim_depart(s, &next);
			if (n % 10 == 5)
				assert_int_equal(netsched_switch(s->ns, n % 20 == 5 ? tested_policies[i] : ops, s->now), 0);
		}
		uint32_t left = netsched_backlog(s->ns);
		assert_int_equal(left, 600 - s->sent);
		while (netsched_backlog(s->ns))
			if (sim_depart(s, &next) < 0)
				s->now = next;
		assert_int_equal(s->sent, 600);	/* and each flow in order: sim_depart() */
		sim_free(s);
	}
}

static void a_failed_switch_changes_nothing(const struct netsched_ops *ops)
{
	const struct netsched_ops *from = ops == &netsched_rr ? &netsched_drr : &netsched_rr;
	struct sim *s = sim_new(from, RATE, false, FULL);
	uint64_t next;
	int err = -1;

	for (uint32_t id = 0; id < 4; id++)
		sim_class(s, id, &(struct netsched_params) { .weight = 2 });
	for (int n = 0; n < 100; n++)
		sim_arrive(s, random_below(4), random_below(16), FULL);
	for (long n = 0; err; n++) {
		size_t blocks = env_host_live_blocks();
		env_host_fail_after(n);
		err = netsched_switch(s->ns, ops, s->now);
		env_host_fail_after(-1);
		if (err) {
			assert_ptr_equal(netsched_policy(s->ns), from);
			assert_int_equal(env_host_live_blocks(), blocks);
		}
		assert_true(n < 100);
	}
	for (int n = 0; n < 100; n++)
		assert_true(sim_depart(s, &next) >= 0);
	sim_free(s);
}

/* Where there are flow queues, each packet that waits in a class waits in one of its sub-classes. */
static void subs_add_up(struct sim *s, uint32_t id)
{
	uint32_t packets = 0, bytes = 0, found = 0;
	struct netsched_stats all;

	for (uint32_t i = 0; i < NETSCHED_SUBS; i++) {
		struct netsched_sub_stats st;

		if (netsched_sub_get(s->ns, id, i, NULL, &st))
			continue;
		packets += st.backlog_packets;
		bytes += st.backlog_bytes;
		found++;
	}
	if (!found || !(netsched_policy(s->ns)->flags & NETSCHED_HAS_FLOWS))
		return;
	assert_int_equal(netsched_stats_read(s->ns, id, s->now, false, &all), 0);
	assert_int_equal(packets, all.backlog_packets);
	assert_int_equal(bytes, all.backlog_bytes);
}

/* Random everything: arrivals, departures, classes that come, change and go. sim_free() finds what is lost. */
static void survives_random_changes(const struct netsched_ops *ops)
{
	struct sim *s = sim_new(ops, RATE, true, 20000);
	uint64_t next;

	for (int i = 0; i < 30000; i++) {
		uint32_t id = random_below(MAX_CLASSES);
		if (random_below(40) == 0)
			sim_class(s, id, &(struct netsched_params) {
				.weight = 1 + random_below(100), .guarantee_bps = random_below(2) ? 10 * MBIT : 0,
				.ceiling_bps = random_below(2) ? 20 * MBIT : 0, .pps = random_below(4) ? 0 : 3000,
				.limit_packets = 1 + random_below(20), .limit_bytes = 30000, .flows = 1u << random_below(6),
				.max_packet = 2000 + random_below(18000), .target_us = 500, .interval_us = 3000 });
		if (random_below(300) == 0)
			netsched_class_del(s->ns, id);
		if (random_below(300) == 0)
			netsched_sub_set(s->ns, id, random_below(8), &(struct netsched_sub) { 1 + random_below(9), 1ull << 46 }, NULL);
		if (random_below(300) == 0)
			netsched_sub_del(s->ns, id, random_below(8));
		if (random_below(10) == 0)
			subs_add_up(s, id);
		s->dscp = random_below(2) ? 46 : 0;
		s->mark = (uint8_t)random_below(9);
		/* a flow keeps its DSCP and mark; mark 8 is none */
		sim_arrive(s, id, s->dscp / 46 * 8 + s->mark % 8, 84 + random_below(2000));
		s->now += random_below(30000);
		for (int k = random_below(4); k > 0; k--)
			sim_depart(s, &next);
	}
	sim_free(s);
}

/* Whether it honours them or not: another policy may come that does. Classes and a slower line alike. */
static void what_does_not_fit_is_refused(const struct netsched_ops *ops)
{
	static const char *const sum = "guarantees 60000000 + 50000000 = 110000000 bit/s exceed 98000000 "
				       "(link 100000000 less 20/1000) by 12000000";
	static const char *const slower = "guarantees of 60000000 bit/s exceed 49000000 (link 50000000 less 20/1000) by 11000000";
	struct sim *s = sim_new(ops, 100 * MBIT, false, FULL);
	struct netsched_params p = { .guarantee_bps = 50 * MBIT };
	struct netsched_refusal why;

	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 60 * MBIT });
	assert_int_equal(netsched_class_set(s->ns, 2, &p, s->now, &why), -EDQUOT);
	assert_string_equal(why.text, sum);
	assert_int_equal(netsched_class_get(s->ns, 2, &p), -ENOENT);
	assert_int_equal(netsched_link_rate(s->ns, 50 * MBIT, &why), -EDQUOT);
	assert_string_equal(why.text, slower);
	assert_int_equal(netsched_link_free(s->ns, 50 * MBIT, &why), -EDQUOT);
	assert_string_equal(why.text, slower);
	assert_true(netsched_link(s->ns)->rate_bps == 100 * MBIT && !netsched_link(s->ns)->paced);
	assert_int_equal(netsched_link_rate(s->ns, 200 * MBIT, &why), 0);
	sim_class(s, 2, &p);
	sim_free(s);
}

static const struct {
	const char *title;
	unsigned int needs;
	void (*check)(const struct netsched_ops *ops);
} rules[] = {
	{ "work conserving", 0, work_conserving },
	{ "nothing starves", 0, nothing_starves },
	{ "order within a flow", 0, order_in_a_flow },
	{ "weights are shares", NETSCHED_HAS_WEIGHT, weights_are_shares },
	{ "guarantees hold beside a flood", NETSCHED_HAS_GUARANTEE, guarantees_hold },
	{ "ceilings and packet rates hold", NETSCHED_HAS_CEILING, ceilings_hold },
	{ "what does not fit is refused, with the sum", 0, what_does_not_fit_is_refused },
	{ "nothing lost or reordered on a switch", 0, nothing_lost_on_a_switch },
	{ "a failed switch changes nothing", 0, a_failed_switch_changes_nothing },
	{ "survives random changes", 0, survives_random_changes },
};

#define ROWS (ENV_ARRAY_SIZE(rules) * 8)

static struct row {
	char title[96];
	const struct netsched_ops *ops;
	unsigned int rule;
} rows[ROWS];

static void run_row(void **state)
{
	const struct row *r = *state;

	random_seed(1 + r->rule);
	rules[r->rule].check(r->ops);
}

int run_conformance_tests(void)
{
	struct CMUnitTest tests[ROWS];
	size_t n = 0;

	memset(tests, 0, sizeof(tests));
	for (unsigned int p = 0; tested_policies[p]; p++) {
		for (unsigned int i = 0; i < ENV_ARRAY_SIZE(rules); i++) {
			const struct netsched_ops *ops = tested_policies[p];
			if ((ops->flags & rules[i].needs) != rules[i].needs)
				continue;
			rows[n] = (struct row) { .ops = ops, .rule = i };
			snprintf(rows[n].title, sizeof(rows[n].title), "%s: %s", ops->name, rules[i].title);
			tests[n] = (struct CMUnitTest) { .name = rows[n].title, .test_func = run_row, .initial_state = &rows[n] };
			n++;
		}
	}
	return _cmocka_run_group_tests("conformance", tests, n, NULL, NULL);
}
