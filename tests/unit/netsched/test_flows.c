/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside a domain: flows, sub-classes, marks, and who is hit when the queue is full. */
#include <harness.h>

#include <errno.h>
#include <math.h>

#include <sched/net/policy.h>

#define RATE (100 * MBIT)

static struct sim *start(const struct netsched_params *p)
{
	struct sim *s = sim_new(&netsched_hfq, RATE, false, FULL);

	sim_class(s, 1, p);
	return s;
}

/* A packet of a sparse flow every 2 ms beside a bulk flow with 200 ms of queue: how long the worst of them waited. */
static uint64_t sparse_delay(const struct netsched_ops *ops)
{
	struct sim *s = sim_new(ops, RATE, false, FULL);
	uint64_t next, due = s->now, worst = 0, end = s->now + 100 * MS;

	sim_class(s, 1, &(struct netsched_params) { .limit_bytes = 4000000, .target_us = 900000, .interval_us = 1000000 });
	while (s->now < end) {
		sim_fill(s, 1, 1, FULL, 1500);
		if (s->now >= due) {
			sim_arrive(s, 1, 2, 84);
			due += 2 * MS;
		}
		uint64_t before = s->seen[1][2];
		sim_depart(s, &next);
		if (s->seen[1][2] != before && s->now - (due - 2 * MS) > worst)
			worst = s->now - (due - 2 * MS);
		s->now = s->idle_at;
	}
	if (!s->seen[1][2])
		worst = end;
	sim_free(s);
	return worst;
}

static void a_bulk_flow_does_not_delay_the_domains_others(void **state)
{
	const uint64_t packet = FULL * 8000000000ull / RATE;

	assert_true(sparse_delay(&netsched_hfq) <= 3 * packet);
	assert_true(sparse_delay(&netsched_drr) > 90 * MS);	/* the yardstick: first in, first out */
}

static void flows_share_their_domain_evenly(void **state)
{
	struct sim *s = start(&(struct netsched_params) { .flows = 64 });
	uint64_t next, bytes[8] = { 0 }, sum = 0, end = s->now + 400 * MS;
	double squares = 0;

	while (s->now < end) {
		for (uint32_t f = 0; f < 8; f++)
			if (s->seq[1][f] - s->seen[1][f] < 20)
				sim_arrive(s, 1, f, f % 2 ? FULL : 400);
		uint64_t was[8];
		for (uint32_t f = 0; f < 8; f++)
			was[f] = s->seen[1][f];
		sim_depart(s, &next);
		for (uint32_t f = 0; f < 8; f++)
			bytes[f] += s->seen[1][f] != was[f] ? (f % 2 ? FULL : 400) : 0;
		s->now = s->idle_at;
	}
	for (uint32_t f = 0; f < 8; f++) {
		sum += bytes[f];
		squares += (double)bytes[f] * (double)bytes[f];
	}
	assert_true((double)sum * (double)sum / (8 * squares) > 0.999);
	sim_free(s);
}

/* Two such, each with one packet at a time, beside a bulk flow: all three take turns, with frames and with segments. */
static void a_flow_that_goes_on_at_once_is_not_new_again(void **state)
{
	static const uint32_t sizes[] = { FULL, 9000 };

	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(sizes); i++) {
		struct sim *s = sim_new(&netsched_hfq, RATE, false, sizes[i]);
		uint64_t next, most = 0, least = UINT64_MAX;

		sim_class(s, 1, &(struct netsched_params) { .target_us = 900000, .interval_us = 1000000 });
		for (int round = 0; round < 300; round++) {
			for (uint32_t f = 1; f <= 3; f++)
				while (s->seq[1][f] - s->seen[1][f] < (f == 3 ? 20 : 1))
					sim_arrive(s, 1, f, sizes[i]);
			sim_depart(s, &next);
			s->now = s->idle_at;
		}
		for (uint32_t f = 1; f <= 3; f++) {
			most = s->seen[1][f] > most ? s->seen[1][f] : most;
			least = s->seen[1][f] < least ? s->seen[1][f] : least;
		}
		assert_true(most - least <= 2);
		sim_free(s);
	}
}

static void codel_keeps_the_standing_queue_short(void **state)
{
	static const struct { uint8_t ecn; bool cannot_mark, marks; } rows[] = {
		{ NETSCHED_NOT_ECT, false, false }, { NETSCHED_ECT0, false, true }, { NETSCHED_ECT0, true, false },
	};
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(rows); i++) {
		struct sim *s = start(&(struct netsched_params) { .limit_bytes = 8000000, .limit_packets = 8000 });
		struct netsched_stats st;
		uint64_t next, end = s->now + 3000 * MS;
		s->ecn = rows[i].ecn;
		s->cannot_mark = rows[i].cannot_mark;
		while (s->now < end) {	/* an unresponsive flow at 105 % of the link */
			sim_arrive(s, 1, 1, FULL);
			s->now += FULL * 8000000000ull / (RATE * 105 / 100);
			if (s->now >= s->idle_at)
				sim_depart(s, &next);
		}
		netsched_stats_read(s->ns, 1, s->now, false, &st);
		assert_int_equal(st.marks, s->marked);
		assert_int_equal(st.drops[NETSCHED_CODEL], s->drops[NETSCHED_CODEL]);
		assert_true(rows[i].marks ? st.marks > 50 && !s->drops[NETSCHED_CODEL] : s->drops[NETSCHED_CODEL] > 50 && !st.marks);
		sim_free(s);
	}
}

static void a_full_queue_hits_the_longest_flow(void **state)
{
	struct sim *s = start(&(struct netsched_params) { .limit_packets = 100 });
	uint64_t next;

	sim_fill(s, 1, 1, FULL, 100);
	for (uint32_t f = 2; f < 12; f++)
		assert_true(sim_arrive(s, 1, f, 84) <= NETSCHED_STOP);
	assert_int_equal(s->drops[NETSCHED_FULL], 10);
	assert_int_equal(s->dropped, 10);		/* of the bulk flow, the oldest ones */
	assert_int_equal(sim_arrive(s, 1, 1, FULL), NETSCHED_FULL);
	while (sim_depart(s, &next) >= 0)
		;
	for (uint32_t f = 2; f < 12; f++)
		assert_int_equal(s->seen[1][f], 1);
	sim_free(s);
}

static void sub_classes_share_by_weight(void **state)
{
	struct sim *s = start(&(struct netsched_params) { .limit_packets = 100 });
	uint64_t next, end = s->now + 400 * MS, sent[3] = { 0 };

	assert_int_equal(netsched_sub_set(s->ns, 1, 1, &(struct netsched_sub) { 6, 1ull << 46 | 1ull << 34 }, NULL), 0);
	assert_int_equal(netsched_sub_set(s->ns, 1, 2, &(struct netsched_sub) { 3, 0 }, NULL), 0);
	while (s->now < end) {
		for (uint32_t f = 0; f < 3; f++) {
			s->dscp = f == 1 ? (random_below(2) ? 46 : 34) : 0;
			s->mark = f == 2 ? 2 : 0;
			if (s->seq[1][f] - s->seen[1][f] < 10)
				sim_arrive(s, 1, f, FULL);
		}
		sim_depart(s, &next);
		s->now = s->idle_at;
	}
	for (uint32_t f = 0; f < 3; f++)
		sent[f] = s->seen[1][f];
	double all = (double)(sent[0] + sent[1] + sent[2]);
	assert_true(fabs((double)sent[0] / all - 0.1) < 0.01);
	assert_true(fabs((double)sent[1] / all - 0.6) < 0.01);
	sim_free(s);
}

static struct netsched_sub_stats sub_stats(struct sim *s, uint32_t index)
{
	struct netsched_sub_stats st = { 0 };

	assert_int_equal(netsched_sub_get(s->ns, 1, index, NULL, &st), 0);
	return st;
}

static void arrive_as(struct sim *s, uint8_t dscp, uint8_t mark, uint32_t flow, uint32_t bytes, unsigned int n)
{
	s->dscp = dscp;
	s->mark = mark;
	while (n--)
		sim_arrive(s, 1, flow, bytes);
	s->dscp = s->mark = 0;
}

static void sub_classes_are_counted_apart(void **state)
{
	struct sim *s = start(&(struct netsched_params) { .limit_packets = 40, .limit_bytes = 100000 });
	struct netsched_sub sub;
	uint64_t next;

	assert_int_equal(netsched_sub_get(s->ns, 1, 0, &sub, NULL), -ENOENT);	/* not divided */
	assert_int_equal(netsched_sub_set(s->ns, 1, 2, &(struct netsched_sub) { 7, 1ull << 46 }, NULL), 0);
	assert_int_equal(netsched_sub_get(s->ns, 1, 2, &sub, NULL), 0);
	assert_int_equal(sub.weight, 7);
	assert_true(sub.dscp_set == 1ull << 46);
	assert_int_equal(netsched_sub_get(s->ns, 1, 3, &sub, NULL), -ENOENT);

	arrive_as(s, 46, 0, 1, 500, 1);
	assert_int_equal(sub_stats(s, 2).backlog_bytes, 500);	/* alone, and counted all the same */
	arrive_as(s, 0, 2, 2, 300, 4);
	arrive_as(s, 0, 0, 3, 100, 35);
	arrive_as(s, 46, 0, 1, 500, 2);		/* full: the default's flow is the longest */
	assert_int_equal(sub_stats(s, 2).backlog_packets, 7);
	assert_int_equal(sub_stats(s, 2).backlog_bytes, 3 * 500 + 4 * 300);
	assert_int_equal(sub_stats(s, 0).drops, 2);
	assert_int_equal(sub_stats(s, 2).drops, 0);
	while (sim_depart(s, &next) >= 0)
		;
	assert_int_equal(sub_stats(s, 2).sent_packets, 7);
	assert_int_equal(sub_stats(s, 2).sent_bytes, 3 * 500 + 4 * 300);
	assert_int_equal(sub_stats(s, 0).sent_packets, 33);
	assert_int_equal(sub_stats(s, 0).backlog_packets + sub_stats(s, 2).backlog_packets, 0);
	sim_free(s);
}

static void what_a_sub_class_held_goes_to_the_default(void **state)
{
	struct sim *s = start(&(struct netsched_params) { .limit_packets = 100 });
	uint64_t next;

	assert_int_equal(netsched_sub_del(s->ns, 1, 2), -ENOENT);
	assert_int_equal(netsched_sub_set(s->ns, 1, 2, &(struct netsched_sub) { 7, 1ull << 46 }, NULL), 0);
	assert_int_equal(netsched_sub_set(s->ns, 1, 0, &(struct netsched_sub) { 9, 0 }, NULL), 0);
	arrive_as(s, 46, 0, 1, 500, 5);
	assert_int_equal(netsched_sub_del(s->ns, 1, 2), 0);
	assert_int_equal(netsched_sub_del(s->ns, 1, 2), -ENOENT);
	assert_int_equal(sub_stats(s, 0).backlog_packets, 5);
	assert_int_equal(netsched_switch(s->ns, netsched_find("drr"), s->now), 0);
	assert_int_equal(netsched_sub_set(s->ns, 1, 3, &(struct netsched_sub) { 2, 1ull << 46 }, NULL), 0);
	assert_int_equal(netsched_switch(s->ns, &netsched_hfq, s->now), 0);	/* set under any policy, used by this one */
	assert_int_equal(sub_stats(s, 3).backlog_packets, 5);
	assert_int_equal(netsched_sub_del(s->ns, 1, 0), 0);
	while (sim_depart(s, &next) >= 0)
		;
	assert_int_equal(s->seen[1][1], 5);
	sim_free(s);
}

/* 64 KiB segments of one flow beside small packets of another, in one domain: charged in bytes, afterwards. */
static void segments_pay_for_their_length(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, RATE, false, 0);
	uint64_t next, end = s->now + 1000 * MS;

	sim_class(s, 1, &(struct netsched_params) { .target_us = 500000, .interval_us = 900000 });
	while (s->now < end) {
		if (s->seq[1][1] - s->seen[1][1] < 3)
			sim_arrive(s, 1, 1, 67000);
		if (s->seq[1][2] - s->seen[1][2] < 100)
			sim_arrive(s, 1, 2, 500);
		sim_depart(s, &next);
		s->now = s->idle_at;
	}
	double ratio = (double)(s->seen[1][1] * 67000) / (double)(s->seen[1][2] * 500);
	assert_true(ratio > 0.95 && ratio < 1.05);
	sim_free(s);
}

static void a_domain_within_its_guarantee_waits_for_one_packet(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, RATE, false, FULL);
	uint64_t next, due = s->now + 10 * MS, end = s->now + 300 * MS;	/* the floods wake first */

	for (uint32_t id = 0; id < 4; id++)
		sim_class(s, id, &(struct netsched_params) { .guarantee_bps = id ? 28 * MBIT : 4 * MBIT, .weight = id ? 100 : 1 });
	while (s->now < end) {
		for (uint32_t id = 1; id < 4; id++)
			sim_fill(s, id, 0, FULL, 10);
		if (s->now >= due) {
			sim_arrive(s, 0, 0, 200);
			due = s->now + MS + random_below(MS);
		}
		sim_depart(s, &next);
		s->now = s->idle_at;
	}
	assert_true(s->seen[0][0] > 150);
	assert_true(s->worst_ns[0] <= FULL * 8000000000ull / RATE);
	sim_free(s);
}

int run_flow_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bulk_flow_does_not_delay_the_domains_others),
		cmocka_unit_test(flows_share_their_domain_evenly),
		cmocka_unit_test(a_flow_that_goes_on_at_once_is_not_new_again),
		cmocka_unit_test(codel_keeps_the_standing_queue_short),
		cmocka_unit_test(a_full_queue_hits_the_longest_flow),
		cmocka_unit_test(sub_classes_share_by_weight),
		cmocka_unit_test(sub_classes_are_counted_apart),
		cmocka_unit_test(what_a_sub_class_held_goes_to_the_default),
		cmocka_unit_test(a_domain_within_its_guarantee_waits_for_one_packet),
		cmocka_unit_test(segments_pay_for_their_length),
	};
	return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
